# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what a forest's directory says of its domain controllers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import DirectoryError, HostError
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._domain_controllers import (
    INFRASTRUCTURE_OBJECT,
    Domain,
    DomainController,
    DomainObjects,
    Forest,
    Role,
    domain_controllers_of,
    domains,
    forest,
    well_known,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_dn import key
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_entry import Entry
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory import Directory
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._ldap_session import LdapSession, Scope

_ANY = "(objectClass=*)"

_SERVERS = "(|(objectClass=server)(objectClass=nTDSDSA))"
"""On Windows nTDSDSARO is a subclass of nTDSDSA, and Samba has the class nTDSDSA itself for RODCs (samba.md 2)."""

_SERVER_ATTRIBUTES = (
    "objectClass",
    "objectCategory",
    "dNSHostName",
    "serverReference",
    "whenCreated",
    "options",
    "hasMasterNCs",
    "msDS-HasDomainNCs",
)

_COMPUTERS = (
    "(&(objectCategory=computer)(|"
    "(userAccountControl:1.2.840.113556.1.4.803:=8192)"
    "(userAccountControl:1.2.840.113556.1.4.803:=67108864)"
    "(primaryGroupID=516)(primaryGroupID=521)))"
)
"""Accounts of writable DCs have the bit 8192, those of RODCs 67108864 instead; the groups find damaged ones too."""

_COMPUTER_ATTRIBUTES = (
    "dNSHostName",
    "operatingSystem",
    "operatingSystemVersion",
    "primaryGroupID",
    "sAMAccountName",
    "userAccountControl",
    "whenCreated",
)


@dataclass(frozen=True)
class ForestRead:
    """What was read.

    Attributes:
        forest: The domain controllers.
        asked: Names of the domain controllers that answered.
        authentication: The protocol that was used to log on.
        unread: By DNS name of a domain, why what is in it could not be read.
    """

    forest: Forest
    asked: tuple[str, ...]
    authentication: str
    unread: dict[str, str]


def read_forest(directory: Directory, *, whole: bool) -> ForestRead:
    """Reads the domain controllers of a domain, or of all domains of its forest.

    Args:
        directory: The directory; its settings name the domain, else it is that of the server.
        whole: Whether all domains of the forest are wanted.

    Raises:
        DirectoryError: The forest has no such domain.
        HostError: The directory can't be read. With `whole`, a domain other than that of the server that can't be
            read is no error, and is in `unread`.
    """
    session = directory.session
    root = session.root
    every = read_domains(session)
    main = main_domain(directory, session, every)
    sites = read_servers(session)
    forest_roles = {
        Role.SCHEMA: _owner(session, root.schema),
        Role.NAMING: _owner(session, f"CN=Partitions,{root.configuration}"),
    }
    wanted = every if whole else (main,)
    objects: dict[str, DomainObjects] = {}
    unread: dict[str, str] = {}
    asked = [session.root.host.lower()]
    for domain in wanted:
        try:
            other = session_of(directory, session, domain, domain_controllers_of(sites, domain, every))
            objects[domain.dn] = _read_domain(other, domain)
            asked.append(other.root.host.lower())
        except HostError as error:
            if domain == main:
                raise
            unread[domain.dns_name] = str(error)
    found = forest(every, wanted, sites, forest_roles, objects)
    return ForestRead(found, tuple(dict.fromkeys(asked)), session.authentication, unread)


def read_domains(session: LdapSession) -> tuple[Domain, ...]:
    """Returns the domains of a forest."""
    found = session.search(
        f"CN=Partitions,{session.root.configuration}",
        "(objectClass=crossRef)",
        ("nCName", "dnsRoot", "nETBIOSName", "systemFlags"),
        Scope.ONE_LEVEL,
    )
    return tuple(domains(found.entries))


def read_servers(session: LdapSession) -> tuple[Entry, ...]:
    """Returns the objects of the classes server and nTDSDSA below the sites of a forest."""
    return session.search(f"CN=Sites,{session.root.configuration}", _SERVERS, _SERVER_ATTRIBUTES).entries


def domain_controllers_in(
    session: LdapSession, domain: Domain, every: Sequence[Domain], servers: Sequence[Entry]
) -> tuple[DomainController, ...]:
    """Returns the domain controllers of the session's own domain, without their roles."""
    computers = session.search(domain.dn, _COMPUTERS, _COMPUTER_ATTRIBUTES).entries
    objects = {domain.dn: DomainObjects(Entry(domain.dn, {}), {}, computers)}
    return forest(every, (domain,), servers, {}, objects).domain_controllers


def main_domain(directory: Directory, session: LdapSession, every: Sequence[Domain]) -> Domain:
    """Returns the domain that a task is about.

    Raises:
        DirectoryError: The forest has no such domain.
    """
    wanted = directory.settings.domain
    for domain in every:
        if domain.dns_name == wanted or (not wanted and key(domain.dn) == key(session.root.domain)):
            return domain
    raise DirectoryError(
        session.host,
        f"domain {wanted or session.root.domain}",
        f"the forest of this domain controller has no such domain; it has {', '.join(one.dns_name for one in every)}",
        "Correct `domain`, which is a DNS name, or name a domain controller of its forest in `server`",
    )


def session_of(directory: Directory, session: LdapSession, domain: Domain, candidates: Sequence[str]) -> LdapSession:
    """Returns a session with a domain controller of a domain, that of the session if it is one."""
    if key(session.root.domain) == key(domain.dn):
        return session
    return directory.session_with(candidates)


def _read_domain(session: LdapSession, domain: Domain) -> DomainObjects:
    head = _object(session, domain.dn, ("fSMORoleOwner", "rIDManagerReference", "wellKnownObjects"))
    owners = {
        Role.PDC: head.text("fSMORoleOwner"),
        Role.RID: _owner(session, head.text("rIDManagerReference")),
        Role.INFRASTRUCTURE: _owner(session, well_known(head, INFRASTRUCTURE_OBJECT)),
    }
    return DomainObjects(head, owners, session.search(domain.dn, _COMPUTERS, _COMPUTER_ATTRIBUTES).entries)


def _owner(session: LdapSession, name: str) -> str:
    """Returns the nTDSDSA that holds the role which an object stands for."""
    return _object(session, name, ("fSMORoleOwner",)).text("fSMORoleOwner") if name else ""


def _object(session: LdapSession, name: str, attributes: Sequence[str]) -> Entry:
    found = session.search(name, _ANY, attributes, Scope.BASE).entries
    return next(iter(found), Entry(name, {}))
