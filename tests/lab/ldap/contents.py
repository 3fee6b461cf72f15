# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What else is in a running forest's directory: users, groups, and what PCNS has there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from lab.pcns_entries import Entry, escaped, object_entries, schema_entries, sid_bytes
from lab.windows.identity import HostRole

from .objects import SPN_WRITABLE, LdapObject, Values, base_of, forest_objects, make

if TYPE_CHECKING:
    from lab.directory import Directory
    from lab.forest import Forest
    from lab.windows.host import SimulatedHost


def whole_directory(forest: Forest, seen_by: SimulatedHost) -> list[LdapObject]:
    """Return everything as a domain controller has it, which may be behind with PCNS objects and schema."""
    identity = seen_by.identity
    configuration = f"CN=Configuration,{base_of(forest.directory.dns_name)}"
    settings = forest.settings.pcns_directory
    objects = forest_objects(forest)
    known = forest.directory.schema
    schema = schema_entries(settings, f"CN=Schema,{configuration}", known.view(identity.fqdn), known.foreign)
    objects += _made(schema, configuration)
    for domain in forest.domains:
        base = base_of(domain.dns_name)
        objects += _accounts(domain, base, configuration)
        objects += _member_servers(forest, domain, base, configuration)
        view = domain.pcns(identity.name if identity.domain == domain.dns_name else "")
        objects += _made(object_entries(settings, base, view), configuration)
    return objects


def _accounts(domain: Directory, base: str, configuration: str) -> Iterator[LdapObject]:
    """Return users and groups of a domain; primary groups don't list their members, as in a real one."""
    users = f"CN=Users,{base}"
    yield make(users, "container", configuration)
    for group in domain.groups.values():
        members = [item for item in domain.users.values() if group.name.lower() in item.groups]
        values: Values = {
            "sAMAccountName": [group.name],
            "cn": [group.name],
            "groupType": ["-2147483646"],
            "objectSid": [sid_bytes(group.sid)],
            "member": [] if group.name == "Domain Users" else [f"CN={escaped(item.name)},{users}" for item in members],
        }
        yield make(f"CN={escaped(group.name)},{users}", "group", configuration, values)
    for user in domain.users.values():
        held = [item for item in domain.groups.values() if item.name.lower() in user.groups]
        values = {
            "sAMAccountName": [user.name],
            "cn": [user.name],
            "userPrincipalName": [f"{user.name}@{domain.dns_name}"],
            "userAccountControl": ["512"],
            "primaryGroupID": ["513"],
            "objectSid": [sid_bytes(user.sid)],
            "objectGUID": [UUID(user.guid).bytes_le],
            "servicePrincipalName": domain.service_principal_names.get(user.name.lower(), []),
            "allowedAttributesEffective": SPN_WRITABLE,
            "tokenGroups": [sid_bytes(item.sid) for item in held],
        }
        yield make(f"CN={escaped(user.name)},{users}", "user", configuration, values)


def _member_servers(forest: Forest, domain: Directory, base: str, configuration: str) -> Iterator[LdapObject]:
    """Return the accounts of computers that are no domain controllers."""
    container = f"CN=Computers,{base}"
    yield make(container, "container", configuration)
    for host in forest.hosts.values():
        identity = host.identity
        if identity.domain == domain.dns_name and identity.role is HostRole.MEMBER_SERVER:
            values: Values = {
                "sAMAccountName": [f"{identity.name}$"],
                "cn": [identity.name],
                "dNSHostName": [identity.fqdn],
                "userAccountControl": ["4096"],
                "primaryGroupID": ["515"],
                "servicePrincipalName": domain.service_principal_names.get(f"{identity.name}$".lower(), []),
                "allowedAttributesEffective": SPN_WRITABLE,
            }
            yield make(f"CN={identity.name},{container}", "computer", configuration, values)


def _made(entries: Sequence[Entry], configuration: str) -> Iterator[LdapObject]:
    for item in entries:
        yield make(item.dn, item.object_class, configuration, item.values)
