# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the PCNS part of the schema, and who is master of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import DirectoryError, HostError
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap import _ldap_dn
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap import _pcns_schema as pcns
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._domain_controllers import DELETED_MARK
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._pcns_schema import SchemaView
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory_domains import ForestDomains
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._ldap_session import LdapSession, Scope

_ANY = "(objectClass=*)"


@dataclass
class Spread:
    """How far what the schema master has has come.

    Attributes:
        has: Full names of the domain controllers that have all of it.
        behind: By domain controller, what it lacks.
        unread: By domain controller or domain, why it could not be asked.
    """

    has: list[str] = field(default_factory=list)
    behind: dict[str, tuple[str, ...]] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)


def read_schema(session: LdapSession) -> SchemaView:
    """Returns what the domain controller of a session has of PCNS in its schema.

    Raises:
        HostError: It can't be read.
    """
    return pcns.schema_view(session.search(session.root.schema, pcns.QUERY, pcns.READ, Scope.ONE_LEVEL).entries)


def schema_master(session: LdapSession) -> str:
    """Returns the full name of the schema master, lower case (pcns.md 10).

    Raises:
        DirectoryError: Nobody has the role, or one that is no domain controller any more.
        HostError: It can't be read.
    """
    found = session.search(session.root.schema, _ANY, ("fSMORoleOwner",), Scope.BASE).entries
    owner = found[0].text("fSMORoleOwner") if found else ""
    server = _ldap_dn.parent(owner)
    name = ""
    if server and DELETED_MARK not in owner:
        servers = session.search(server, _ANY, ("dNSHostName",), Scope.BASE).entries
        name = servers[0].text("dNSHostName").strip().lower() if servers else ""
    if not name:
        raise DirectoryError(
            session.host,
            "schema master",
            f"the role is held by {owner.replace(chr(10), ' ') or 'nobody'}, which is no domain controller that can be "
            "asked",
            "Have the AD team seize the role for a domain controller (Move-ADDirectoryServerOperationMasterRole)",
        )
    return name


def writable_domain_controllers(domains: ForestDomains) -> tuple[Sequence[str], dict[str, str]]:
    """Returns the writable domain controllers of all domains of a forest, and why a domain could not be read."""
    found: list[str] = []
    unread: dict[str, str] = {}
    for domain in domains.every:
        try:
            found += [
                item.dns_name
                for item in domains.domain_controllers(domain)
                if item.dns_name and not item.read_only and item.enabled is not False
            ]
        except HostError as error:
            unread[domain.dns_name] = str(error)
    return tuple(dict.fromkeys(found)), unread


def spread(domains: ForestDomains, master: SchemaView, servers: Sequence[str]) -> Spread:
    """Asks domain controllers once for what the schema master has."""
    found = Spread()
    directory = domains.directory
    for server in servers:
        ours = not directory.knows(server)
        try:
            missing = read_schema(directory.session_with((server,))).behind(master)
        except HostError as error:
            found.unread[server] = str(error)
            continue
        if ours:
            directory.forget(server)
        if missing:
            found.behind[server] = missing
        else:
            found.has.append(server)
    return found
