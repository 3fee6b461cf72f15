# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every domain controller of a forest, out of what its directory says of sites, computers and roles.

A domain controller is three objects (MS-ADTS 6.1.1.2.2.1.2): a `server` below its site, the `nTDSDSA` below that, which
is the directory service itself, and a `computer` in its domain, to which `serverReference` points. What lacks one of
them is left over from a demotion, or was never finished. The server and the nTDSDSA are in the configuration, which
every domain controller of the forest has; the computer is in its own domain only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ansible_collections.entsso.password_sync.plugins.module_utils.ldap import _ldap_dn
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_entry import Entry

ACCOUNT_DISABLED = 0x2
SERVER_TRUST_ACCOUNT = 0x2000
PARTIAL_SECRETS_ACCOUNT = 0x04000000
"""Bits of userAccountControl (MS-ADTS 2.2.16). A read-only DC has the last and not the one before it (samba.md 2)."""

IS_GLOBAL_CATALOG = 0x1
"""Bit of the options of an nTDSDSA (MS-ADTS 6.1.1.2.2.1.2.1.1)."""

IS_DOMAIN = 0x3
"""Bits of the systemFlags of a crossRef: a naming context of the forest, and a domain (ADS_SYSTEMFLAG_CR_NTDS_NC and
ADS_SYSTEMFLAG_CR_NTDS_DOMAIN in iads.h)."""

READ_ONLY_CATEGORY = "cn=ntds-dsa-ro"
READ_ONLY_GROUP = 521
"""Relative identifier of Read-only Domain Controllers, their primary group (pcns.md 10)."""

DOMAIN_CONTROLLERS_CONTAINER = "A361B2FFFFD211D1AA4B00C04FD7D83A"
INFRASTRUCTURE_OBJECT = "2FBAC1870ADE11D297C400C04FD8D5CD"
"""Well-known objects of a domain (MS-ADTS 6.1.1.4)."""

DELETED_MARK = "\nDEL:"
"""In the name of a deleted object (MS-ADTS 3.1.1.5.5)."""


class Role(StrEnum):
    """The operations that one domain controller alone may do; the first two are the forest's, the others a domain's."""

    SCHEMA = "schema_master"
    NAMING = "domain_naming_master"
    PDC = "pdc_emulator"
    RID = "rid_master"
    INFRASTRUCTURE = "infrastructure_master"


class LeftoverKind(StrEnum):
    """What of a domain controller is missing."""

    NO_SERVICE = "no_ntds_settings"
    NO_COMPUTER = "no_computer"
    NO_SERVER = "no_server"


@dataclass(frozen=True)
class Domain:
    """A domain of the forest.

    Attributes:
        dn: Distinguished name.
        dns_name: DNS name, lower case.
        netbios_name: NetBIOS name.
    """

    dn: str
    dns_name: str
    netbios_name: str


@dataclass(frozen=True)
class DomainObjects:
    """What is in a domain itself.

    Attributes:
        head: The domain's own object.
        role_owners: The nTDSDSA that holds each of its roles.
        computers: Computer accounts of domain controllers.
    """

    head: Entry
    role_owners: Mapping[Role, str]
    computers: Sequence[Entry]


@dataclass(frozen=True)
class DomainController:
    """A domain controller. What only its own domain says is None when that could not be read.

    Attributes:
        dns_name: Full name, lower case.
        netbios_name: Name of its account without the dollar sign.
        domain: Its domain.
        site: Its site.
        read_only: Whether it is an RODC.
        global_catalog: Whether it is a global catalog.
        roles: The FSMO roles that it holds.
        promoted_at: When it became a domain controller: whenCreated of its nTDSDSA, UTC.
        operating_system: Product name.
        operating_system_version: Version.
        enabled: Whether its account is.
        distinguished_name: Its computer object; empty when not known.
        in_default_container: Whether that is in the container Domain Controllers.
        problems: What contradicts itself, sentences.
    """

    dns_name: str
    netbios_name: str | None
    domain: Domain
    site: str
    read_only: bool
    global_catalog: bool
    roles: tuple[Role, ...]
    promoted_at: str
    operating_system: str | None
    operating_system_version: str | None
    enabled: bool | None
    distinguished_name: str
    in_default_container: bool | None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Leftover:
    """An object that stands for a domain controller and is none.

    Attributes:
        distinguished_name: The object.
        name: Its name.
        domain: DNS name of the domain; empty when nothing tells.
        site: Its site; empty for a computer.
        kind: What is missing.
        created_at: When it was made, UTC.
    """

    distinguished_name: str
    name: str
    domain: str
    site: str
    kind: LeftoverKind
    created_at: str

    def sentence(self) -> str:
        """Returns what it is and what to do."""
        if self.kind is LeftoverKind.NO_SERVICE:
            return (
                f"{self.distinguished_name} has no NTDS Settings: a demoted domain controller, or an object of another "
                "service. Delete it once nothing else is below it."
            )
        if self.kind is LeftoverKind.NO_COMPUTER:
            return (
                f"{self.distinguished_name} is a domain controller without a computer account, which was demoted by "
                "force or lost. Clean up its metadata (ntdsutil, or delete the server object)."
            )
        return (
            f"{self.distinguished_name} has the account of a domain controller, and no site has a server for it: a "
            "promotion that did not end, or a demotion that left it. Finish the promotion, or delete the account."
        )


@dataclass(frozen=True)
class Forest:
    """What was found.

    Attributes:
        domains: The domains that were looked for.
        domain_controllers: Their domain controllers, by domain and name.
        leftovers: What stands for one and is none.
        vacant_roles: Roles that no domain controller holds, sentences.
    """

    domains: tuple[Domain, ...]
    domain_controllers: tuple[DomainController, ...]
    leftovers: tuple[Leftover, ...]
    vacant_roles: tuple[str, ...]


def domains(cross_references: Iterable[Entry]) -> tuple[Domain, ...]:
    """Returns the domains of a forest out of the crossRef objects of its configuration."""
    found = [
        Domain(entry.text("nCName"), entry.text("dnsRoot").lower(), entry.text("nETBIOSName"))
        for entry in cross_references
        if (entry.integer("systemFlags") or 0) & IS_DOMAIN == IS_DOMAIN
    ]
    return tuple(sorted(found, key=lambda item: item.dns_name))


def well_known(head: Entry, identifier: str) -> str:
    """Returns the name of a well-known object of a domain (`B:32:GUID:DN`); empty when it has none."""
    for text in head.texts("wellKnownObjects"):
        _kind, _length, guid, name = text.split(":", 3) if text.count(":") >= 3 else ("", "", "", "")
        if guid.upper() == identifier:
            return name
    return ""


def domain_controllers_of(sites: Sequence[Entry], domain: Domain, every: Sequence[Domain]) -> tuple[str, ...]:
    """Returns DNS names of domain controllers to ask for a domain, writable ones first."""
    found = [
        (_is_read_only(service), server.text("dNSHostName").lower())
        for server, service in _pairs(sites)
        if service is not None and server.text("dNSHostName") and _domain_of(server, service, every) == domain
    ]
    return tuple(name for _read_only, name in sorted(found))


def forest(
    every: Sequence[Domain],
    wanted: Sequence[Domain],
    sites: Sequence[Entry],
    forest_roles: Mapping[Role, str],
    objects: Mapping[str, DomainObjects],
) -> Forest:
    """Returns the domain controllers of some domains.

    Args:
        every: All domains of the forest.
        wanted: Those that are asked for.
        sites: The objects of the classes server and nTDSDSA below the sites.
        forest_roles: The nTDSDSA that holds each of the forest's roles.
        objects: By distinguished name of a domain, what is in it; a domain that could not be read is missing.
    """
    roles: dict[tuple[str, ...], list[Role]] = {}
    for owners in (forest_roles, *(item.role_owners for item in objects.values())):
        for role, owner in owners.items():
            roles.setdefault(_ldap_dn.key(owner), []).append(role)
    computers = {
        _ldap_dn.key(computer.dn): (computer, item) for item in objects.values() for computer in item.computers
    }
    found: list[DomainController] = []
    leftovers: list[Leftover] = []
    used: set[tuple[str, ...]] = set()
    for server, service in _pairs(sites):
        domain = _domain_of(server, service, every)
        if domain is not None and domain not in wanted:
            continue
        reference = _ldap_dn.key(server.text("serverReference"))
        computer, inside = computers.get(reference, (None, None))
        readable = domain is not None and domain.dn in objects
        if service is not None and domain is not None and (computer is not None or not readable):
            used.add(reference)
            found.append(_domain_controller(domain, server, service, computer, inside, roles))
        else:
            used.add(reference)
            leftovers.append(_leftover(server, service, domain))
    leftovers += [
        Leftover(computer.dn, _account(computer), domain.dns_name, "", LeftoverKind.NO_SERVER, _stamp(computer))
        for domain in wanted
        for computer in (objects[domain.dn].computers if domain.dn in objects else ())
        if _ldap_dn.key(computer.dn) not in used
    ]
    return Forest(
        tuple(wanted),
        tuple(sorted(found, key=lambda item: (item.domain.dns_name, item.dns_name))),
        tuple(sorted(leftovers, key=lambda item: item.distinguished_name.lower())),
        _vacant(sites, forest_roles, objects),
    )


def _domain_controller(
    domain: Domain,
    server: Entry,
    service: Entry,
    computer: Entry | None,
    inside: DomainObjects | None,
    roles: Mapping[tuple[str, ...], Sequence[Role]],
) -> DomainController:
    control = computer.integer("userAccountControl") if computer is not None else None
    container = well_known(inside.head, DOMAIN_CONTROLLERS_CONTAINER) if inside is not None else ""
    own_name = computer.text("dNSHostName") if computer is not None else ""
    name = server.text("dNSHostName") or own_name or f"{_ldap_dn.value(_first(server.dn))}.{domain.dns_name}"
    return DomainController(
        dns_name=name.lower(),
        netbios_name=_account(computer) if computer is not None else None,
        domain=domain,
        site=_site(server.dn),
        read_only=_is_read_only(service),
        global_catalog=bool((service.integer("options") or 0) & IS_GLOBAL_CATALOG),
        roles=tuple(role for role in Role if role in roles.get(_ldap_dn.key(service.dn), ())),
        promoted_at=_stamp(service),
        operating_system=computer.text("operatingSystem") if computer is not None else None,
        operating_system_version=computer.text("operatingSystemVersion") if computer is not None else None,
        enabled=None if control is None else not control & ACCOUNT_DISABLED,
        distinguished_name=computer.dn if computer is not None else server.text("serverReference"),
        in_default_container=_ldap_dn.is_below(computer.dn, container) if computer is not None and container else None,
        problems=tuple(_problems(server, service, computer)),
    )


def _problems(server: Entry, service: Entry, computer: Entry | None) -> Iterable[str]:
    if computer is None:
        return
    control = computer.integer("userAccountControl") or 0
    by_account = bool(control & PARTIAL_SECRETS_ACCOUNT) or computer.integer("primaryGroupID") == READ_ONLY_GROUP
    if by_account != _is_read_only(service):
        kinds = ("read-only", "writable") if by_account else ("writable", "read-only")
        yield f"Its account says that it is {kinds[0]}, and its NTDS Settings that it is {kinds[1]}."
    names = (server.text("dNSHostName"), computer.text("dNSHostName"))
    if all(names) and names[0].lower() != names[1].lower():
        yield f"Its server object has the DNS name {names[0]}, and its account {names[1]}."


def _leftover(server: Entry, service: Entry | None, domain: Domain | None) -> Leftover:
    return Leftover(
        distinguished_name=server.dn,
        name=_ldap_dn.value(_first(server.dn)),
        domain=domain.dns_name if domain is not None else "",
        site=_site(server.dn),
        kind=LeftoverKind.NO_SERVICE if service is None else LeftoverKind.NO_COMPUTER,
        created_at=_stamp(service if service is not None else server),
    )


def _vacant(
    sites: Sequence[Entry], forest_roles: Mapping[Role, str], objects: Mapping[str, DomainObjects]
) -> tuple[str, ...]:
    services = {_ldap_dn.key(service.dn) for _server, service in _pairs(sites) if service is not None}
    owned = [(role, "the forest", owner) for role, owner in forest_roles.items()]
    owned += [
        (role, f"the domain {dn}", owner) for dn, item in objects.items() for role, owner in item.role_owners.items()
    ]
    return tuple(
        f"No domain controller holds the role {role.value} of {where}: it belongs to "
        f"{'a deleted one' if _is_deleted(owner) else owner or 'nobody'}. Seize the role on another one."
        for role, where, owner in owned
        if _ldap_dn.key(owner) not in services
    )


def _is_deleted(name: str) -> bool:
    return any(DELETED_MARK in _ldap_dn.value(part) for part in _ldap_dn.parts(name))


def _pairs(sites: Sequence[Entry]) -> list[tuple[Entry, Entry | None]]:
    """Returns each server with its nTDSDSA, None when it has none."""
    services = {
        _ldap_dn.key(_ldap_dn.parent(entry.dn)): entry for entry in sites if _is_a(entry, "ntdsdsa", "ntdsdsaro")
    }
    return [(entry, services.get(_ldap_dn.key(entry.dn))) for entry in sites if _is_a(entry, "server")]


def _is_a(entry: Entry, *classes: str) -> bool:
    return any(name.lower() in classes for name in entry.texts("objectClass"))


def _domain_of(server: Entry, service: Entry | None, every: Sequence[Domain]) -> Domain | None:
    """Returns the domain of a server: that of its computer, else the one that its directory service holds, else the
    one that its DNS name ends with."""
    by_dn = {_ldap_dn.key(item.dn): item for item in every}
    around = _ldap_dn.enclosing(server.text("serverReference"), [item.dn for item in every])
    if around is not None:
        return by_dn[_ldap_dn.key(around)]
    held = (*service.texts("msDS-HasDomainNCs"), *service.texts("hasMasterNCs")) if service is not None else ()
    for name in held:
        if _ldap_dn.key(name) in by_dn:
            return by_dn[_ldap_dn.key(name)]
    full = server.text("dNSHostName").lower()
    fitting = [item for item in every if full.endswith(f".{item.dns_name}")]
    return max(fitting, key=lambda item: len(item.dns_name), default=None)


def _is_read_only(service: Entry) -> bool:
    """On Windows the class says so too (nTDSDSARO); Samba has the category alone (samba.md 2)."""
    category = _ldap_dn.key(_first(service.text("objectCategory")))
    return READ_ONLY_CATEGORY in category or _is_a(service, "ntdsdsaro")


def _site(server: str) -> str:
    """Returns the site of CN=<server>,CN=Servers,CN=<site>,CN=Sites,..."""
    above = _ldap_dn.parts(server)
    return _ldap_dn.value(above[2]) if len(above) > 2 else ""


def _first(name: str) -> str:
    return next(iter(_ldap_dn.parts(name)), "")


def _account(computer: Entry) -> str:
    return computer.text("sAMAccountName").removesuffix("$") or _ldap_dn.value(_first(computer.dn))


def _stamp(entry: Entry) -> str:
    time = entry.time("whenCreated")
    return f"{time:%Y-%m-%dT%H:%M:%SZ}" if time is not None else ""
