# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One domain of the forest: users, groups, service principal names, and the PCNS objects as every DC sees them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from uuid import NAMESPACE_DNS, UUID, uuid5

from lab.schema import Schema


@dataclass(frozen=True)
class Group:
    """A group of the domain."""

    name: str
    sid: str


@dataclass(frozen=True)
class User:
    """A user of the domain."""

    name: str
    sid: str
    guid: str
    groups: frozenset[str]
    """Names of all groups, nested ones and the primary group included, lower case."""


@dataclass(frozen=True)
class PcnsTarget:
    """A target object (pcns.md 3). Groups are kept as SIDs, as AD keeps them (pcns.md 2, schema objects)."""

    name: str
    guid: str
    server: str
    spn: str
    inclusion_sid: str
    exclusion_sid: str | None
    user_name_format: int
    keep_alive: int
    warning_level: int
    warning_interval: int
    disabled: bool
    encryption_key: str = ""
    """No verb of pcnscfg writes it; a secret, should somebody read it."""


@dataclass(frozen=True)
class PcnsConfiguration:
    """The service object (pcns.md 3): the documented defaults hold where `service` never ran."""

    max_queue_length: int = 0
    max_queue_age: int = 259200
    max_retries: int = 0
    retry_interval: int = 60


@dataclass(frozen=True)
class PcnsObjects:
    """What is in CN=Password Change Notification Service,CN=System of the domain; no service object is None."""

    configuration: PcnsConfiguration | None = None
    targets: tuple[PcnsTarget, ...] = ()

    def target(self, name: str) -> PcnsTarget | None:
        """Returns a target by name, without regard to case."""
        return next((item for item in self.targets if item.name.lower() == name.lower()), None)

    def with_target(self, target: PcnsTarget) -> PcnsObjects:
        """Returns a copy in which a target is added or replaced."""
        if self.target(target.name) is None:
            return replace(self, targets=(*self.targets, target))
        return replace(
            self, targets=tuple(target if item.name.lower() == target.name.lower() else item for item in self.targets)
        )

    def without_target(self, name: str) -> PcnsObjects:
        """Returns a copy without a target."""
        return replace(self, targets=tuple(item for item in self.targets if item.name.lower() != name.lower()))


@dataclass
class _Held:
    objects: PcnsObjects
    written: bool = False


@dataclass
class Directory:
    """One domain."""

    dns_name: str
    netbios_name: str
    schema: Schema
    users: dict[str, User] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    """By SID."""
    service_principal_names: dict[str, list[str]] = field(default_factory=dict)
    """Account name without domain, lower case, to its SPNs."""
    watchers: list[Callable[[str], None]] = field(default_factory=list)
    """Told the name of each DC whose view of the PCNS objects changed; empty string for every DC."""
    domain_sid: str = ""
    """Made of the name unless it is given."""
    backed_up: tuple[datetime, str] | None = None
    """When the domain was last backed up and on which DC (short name); None where nobody told the directory."""
    _objects: PcnsObjects = PcnsObjects()
    _held: dict[str, _Held] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Gives the domain a SID that depends on its name only, so that runs can be compared."""
        digest = hashlib.sha256(self.dns_name.encode()).digest()
        parts = [int.from_bytes(digest[index : index + 4], "big") for index in (0, 4, 8)]
        self.domain_sid = self.domain_sid or f"S-1-5-21-{parts[0]}-{parts[1]}-{parts[2]}"

    def pcns(self, domain_controller: str = "") -> PcnsObjects:
        """Returns the PCNS objects as one DC has them, or as those that replicate have them."""
        held = self._held.get(domain_controller.lower())
        return held.objects if held else self._objects

    def set_pcns(self, objects: PcnsObjects, domain_controller: str = "") -> None:
        """Writes the PCNS objects on one DC; all others that replicate have them at once."""
        held = self._held.get(domain_controller.lower())
        if held is not None:
            held.objects, held.written = objects, True
        else:
            self._objects = objects
        for watcher in self.watchers:
            watcher(domain_controller if held is not None else "")

    def hold_replication(self, domain_controller: str) -> None:
        """Lets a DC neither receive nor send changes of the PCNS objects and of the schema from now on."""
        self.schema.hold(self.full_name(domain_controller))
        self._held.setdefault(domain_controller.lower(), _Held(self._objects))

    def release_replication(self, domain_controller: str) -> None:
        """Lets a DC replicate again; what was written on it meanwhile wins."""
        self.schema.release(self.full_name(domain_controller))
        held = self._held.pop(domain_controller.lower(), None)
        if held is None:
            return
        if held.written:
            self.set_pcns(held.objects)
        else:
            for watcher in self.watchers:
                watcher(domain_controller)

    def full_name(self, domain_controller: str) -> str:
        """Returns the full name of a DC of this domain, as the schema knows it."""
        return f"{domain_controller}.{self.dns_name}".lower()

    def add_group(self, name: str) -> Group:
        """Adds a group."""
        known = {"Domain Admins": 512, "Domain Users": 513, "Schema Admins": 518, "Enterprise Admins": 519}
        group = Group(name, self._sid(name, known.get(name)))
        self.groups[group.sid] = group
        return group

    def delete_group(self, name: str) -> None:
        """Deletes a group; its SID then stands for nothing (event 6032)."""
        group = self.find_group(name)
        if group is not None:
            del self.groups[group.sid]

    def find_group(self, name: str) -> Group | None:
        """Returns a group by `name` or `DOMAIN\\name`."""
        domain, _unused, short = name.rpartition("\\")
        if domain and domain.lower() not in (self.netbios_name.lower(), self.dns_name.lower()):
            return None
        return next((item for item in self.groups.values() if item.name.lower() == short.lower()), None)

    def add_user(self, name: str, groups: Iterable[str] = ()) -> User:
        """Adds a user, who is in Domain Users whatever else is said."""
        member_of = frozenset(item.lower() for item in (*groups, "Domain Users"))
        user = User(
            name, self._sid(name, None), str(uuid5(NAMESPACE_DNS, f"{name}.{self.dns_name}")).upper(), member_of
        )
        self.users[name.lower()] = user
        return user

    def is_member(self, user: User, sid: str) -> bool:
        """Whether a user is in the group of a SID."""
        group = self.groups.get(sid)
        return group is not None and group.name.lower() in user.groups

    def register_spn(self, account: str, spn: str) -> None:
        """Adds an SPN to an account, without looking for a duplicate."""
        self.service_principal_names.setdefault(account.lower(), []).append(spn)

    def spn_accounts(self, spn: str) -> tuple[str, ...]:
        """Returns the accounts that hold an SPN."""
        wanted = spn.lower()
        return tuple(
            account
            for account, names in self.service_principal_names.items()
            if any(name.lower() == wanted for name in names)
        )

    def new_guid(self, name: str) -> str:
        """Returns a GUID for a new target. It depends on domain and name only, so that runs can be compared."""
        return str(
            UUID(bytes=hashlib.md5(f"{self.dns_name}/{name.lower()}".encode(), usedforsecurity=False).digest())
        ).upper()

    def dump(self) -> dict[str, object]:
        """Returns everything in a form for JSON."""
        return {
            "domain": self.dns_name,
            "schema": self.schema.dump(),
            "users": {name: sorted(user.groups) for name, user in sorted(self.users.items())},
            "groups": {sid: group.name for sid, group in sorted(self.groups.items())},
            "spns": {name: list(values) for name, values in sorted(self.service_principal_names.items())},
            "pcns": asdict(self._objects),
            "held": {name: asdict(held.objects) for name, held in sorted(self._held.items())},
        }

    def adopt_sids(self, domain_sid: str, groups: Mapping[str, str]) -> None:
        """Takes over the SIDs of a real domain of the same name, before anything refers to the old ones.

        Args:
            domain_sid: That of the domain.
            groups: SIDs by name of the group; a group that is missing here is added.
        """
        self.domain_sid = domain_sid
        known = {item.name.lower(): item for item in self.groups.values()}
        for name, sid in groups.items():
            group = known.pop(name.lower(), Group(name, sid))
            self.groups.pop(group.sid, None)
            self.groups[sid] = replace(group, sid=sid)

    def _sid(self, name: str, rid: int | None) -> str:
        number = (
            rid if rid is not None else 1100 + int.from_bytes(hashlib.sha256(name.lower().encode()).digest()[:3], "big")
        )
        return f"{self.domain_sid}-{number}"
