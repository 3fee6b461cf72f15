# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A PCNS target of a domain: where its domain controllers send password changes."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from ansible_collections.entsso.password_sync.plugins.module_utils._pcns_configuration import with_tool
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import (
    Absent,
    Change,
    Estate,
    JsonValue,
    Key,
    Observation,
    Operation,
    PlanError,
    Present,
    Unknown,
)

RESOURCE = "pcns_target"

USER_NAME_FORMATS = {"fqdn": 1, "nt4": 3}
"""`/F` of pcnscfg (pcns.md 3, C1). ENTSSO accepts NT4 names only (event 10750)."""


def same_text(left: object, right: object) -> bool:
    """Compares names and addresses, in which case does not count."""
    return str(left).lower() == str(right).lower()


def same_group(left: object, right: object) -> bool:
    """Compares group names; a name without a domain equals the same name of any domain.

    `pcnscfg list` prints `DOMAIN\\group` whatever was given (pcns.md 3, H1).
    """
    a, b = str(left).lower(), str(right).lower()
    if "\\" in a and "\\" in b:
        return a == b
    return a.rsplit("\\", 1)[-1] == b.rsplit("\\", 1)[-1]


def same_number(left: object, right: object) -> bool:
    """Compares a wanted number with an observed one; what the tool chooses itself is not known before (pcns.md 3)."""
    return left is None or left == right


@dataclass(frozen=True)
class TargetState:
    """A target as `pcnscfg list` shows it.

    Attributes:
        address: FQDN or address of the target server.
        service_principal_name: SPN that the domain controllers authenticate.
        inclusion_group: Only changes of its members are sent.
        exclusion_group: Changes of its members are never sent; empty when there is none.
        user_name_format: 1 is FQDN, 3 is NT4.
        keep_alive_interval: Seconds.
        queue_warning_level: Number of waiting changes.
        queue_warning_interval: Minutes.
        enabled: Whether changes are queued for it at all.
    """

    address: str = field(default="", metadata={"same": same_text})
    service_principal_name: str = field(default="", metadata={"same": same_text})
    inclusion_group: str = field(default="", metadata={"same": same_group})
    exclusion_group: str = field(default="", metadata={"same": same_group})
    user_name_format: int = 3
    keep_alive_interval: int | None = field(default=None, metadata={"same": same_number})
    queue_warning_level: int | None = field(default=None, metadata={"same": same_number})
    queue_warning_interval: int | None = field(default=None, metadata={"same": same_number})
    enabled: bool = False


@dataclass(frozen=True)
class DesiredTarget:
    """A target as wanted; what is `None` is left alone."""

    name: str
    present: bool = True
    address: str | None = None
    service_principal_name: str | None = None
    inclusion_group: str | None = None
    exclusion_group: str | None = None
    user_name_format: int | None = None
    keep_alive_interval: int | None = None
    queue_warning_level: int | None = None
    queue_warning_interval: int | None = None
    enabled: bool | None = None


MOST_TARGETS = 50
"""Of a domain (pcns.md 3, C1)."""

_NUMBERS = ("keep_alive_interval", "queue_warning_level", "queue_warning_interval")


def wrong_values(desired: DesiredTarget) -> tuple[str, ...]:
    """Returns one clause for each value that is refused before anything is asked.

    The ranges of these switches are not public (pcns.md 3): only what no count and no time can be is refused, and
    the tool decides about the rest.
    """
    values = {name: getattr(desired, name) for name in _NUMBERS}
    wrong = [f"{name} is {value} and can't be negative" for name, value in values.items() if value and value < 0]
    texts = ("name", "address", "service_principal_name", "inclusion_group")
    empty = [name for name in texts if getattr(desired, name) is not None and not str(getattr(desired, name)).strip()]
    return (*wrong, *(f"{name} is empty" for name in empty))


def discards(change: Change, observed: Observation) -> str:
    """Returns what a change does to the changes that wait for its target; empty when they stay.

    A disabled target queues nothing and loses what waits for it, as a deleted one does (pcns.md 3). What happens to
    what waits when the address changes, no public source says, so a move counts as one.
    """
    if not isinstance(observed, Present) or not observed.state.enabled:
        return ""
    if change.operation is Operation.DELETE:
        return "Deleting"
    if change.new.get("enabled") is False:
        return "Disabling"
    return "Moving" if "address" in change.new else ""


def key(domain: str, name: str) -> Key:
    """Returns the key of a target."""
    return Key(domain, RESOURCE, name)


def plan(
    host: str, domain: str, desired: DesiredTarget, estate: Estate, *, read_without_tool: bool = False
) -> tuple[Change, ...]:
    """Returns the change that brings a target to its wanted state, or nothing.

    A new target is created disabled unless `enabled` says otherwise: an enabled target makes every domain
    controller that already has the filter queue and send at once.

    Args:
        host: The domain controller that pcnscfg runs on.
        domain: Its domain.
        desired: What is wanted.
        estate: What is known.
        read_without_tool: Whether the target is known from elsewhere where the tool is missing.

    Raises:
        PlanError: The target could not be read, the tool is missing, or what a new target needs is not given.
    """
    return with_tool(host, estate, lambda: _plan(host, domain, desired, estate), read_without_tool=read_without_tool)


def _plan(host: str, domain: str, desired: DesiredTarget, estate: Estate) -> tuple[Change, ...]:
    observed = estate.get(key(domain, desired.name))
    if isinstance(observed, Unknown):
        raise PlanError(
            domain,
            f"The PCNS targets of {domain} could not be read on {host}: {observed.reason}.",
            "Run `pcnscfg list` there by hand and compare it with the documentation of pcns_target.",
        )
    if isinstance(observed, Absent):
        return () if not desired.present or _only_disabled(desired) else (_creation(domain, desired),)
    state: TargetState = observed.state
    if not desired.present:
        old: dict[str, JsonValue] = {"address": state.address}
        return (Change(domain, RESOURCE, desired.name, Operation.DELETE, old=old),)
    before: dict[str, JsonValue] = {}
    after: dict[str, JsonValue] = {}
    for item in fields(TargetState):
        wanted, actual = getattr(desired, item.name), getattr(state, item.name)
        same = item.metadata.get("same", lambda left, right: left == right)
        if wanted is not None and not same(wanted, actual):
            before[item.name], after[item.name] = actual, wanted
    if not after:
        return ()
    return (Change(domain, RESOURCE, desired.name, Operation.UPDATE, old=before, new=after),)


def _only_disabled(desired: DesiredTarget) -> bool:
    """Whether nothing is wanted but that nothing is sent: so it is where there is no target."""
    given = [item.name for item in fields(TargetState) if getattr(desired, item.name) is not None]
    return given == ["enabled"] and desired.enabled is False


def _creation(domain: str, desired: DesiredTarget) -> Change:
    needed = ("address", "service_principal_name", "inclusion_group")
    missing = [name for name in needed if not getattr(desired, name)]
    if missing:
        raise PlanError(
            domain,
            f"The PCNS target {desired.name} does not exist in {domain}; to create it give {' and '.join(missing)}.",
            "Microsoft's documentation names them as required.",
        )
    values: dict[str, JsonValue] = {
        item.name: value for item in fields(TargetState) if (value := getattr(desired, item.name)) is not None
    }
    values.setdefault("user_name_format", USER_NAME_FORMATS["nt4"])
    values.setdefault("enabled", False)
    return Change(domain, RESOURCE, desired.name, Operation.CREATE, new=values)
