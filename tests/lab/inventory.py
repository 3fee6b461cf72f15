# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory of a running forest, as Ansible reads it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from lab.forest import Forest
from lab.ldap.services import PORT
from lab.windows.identity import HostRole

HostVariables = dict[str, dict[str, Any]]


def connection_variables(forest: Forest) -> dict[str, Any]:
    """Returns what every host needs to be reached."""
    return {
        "ansible_connection": "winrm",
        "ansible_port": next((item.port for item in forest.endpoints.values()), 5985),
        "ansible_winrm_scheme": "http",
        "ansible_winrm_transport": "ntlm",
        "ansible_user": forest.operator,
        "ansible_password": forest.operator_password,
    }


def directory_variables(forest: Forest) -> dict[str, Any]:
    """Returns what the directory needs to be asked: nothing where there is no domain controller."""
    writable = [name for name, host in forest.hosts.items() if host.identity.role is HostRole.WRITABLE_DC]
    if not writable:
        return {}
    return {
        "password_sync_ldap_domain": forest.hosts[writable[0]].identity.domain,
        "password_sync_ldap_server": forest.endpoints[writable[0]].address,
        "password_sync_ldap_port": PORT,
        "password_sync_ldap_name_servers": [forest.name_server],
        "password_sync_ldap_auth_protocol": "ntlm",
        "password_sync_ldap_username": forest.operator,
        "password_sync_ldap_password": forest.operator_password,
    }


def inventory(forest: Forest) -> dict[str, Any]:
    """Returns the groups sso_servers, domain_controllers and, within it, rodc."""

    def hosts(role: HostRole) -> HostVariables:
        return {
            name: {"ansible_host": forest.endpoints[name].address, **_variables(host.identity.site, role)}
            for name, host in forest.hosts.items()
            if host.identity.role is role and name in forest.endpoints
        }

    return {
        "all": {
            "children": {
                "sso_servers": {"hosts": hosts(HostRole.MEMBER_SERVER)},
                "domain_controllers": {
                    "hosts": hosts(HostRole.WRITABLE_DC),
                    "children": {"rodc": {"hosts": hosts(HostRole.READ_ONLY_DC)}},
                },
            }
        }
    }


def write_inventory(
    forest: Forest, folder: Path, group_variables: Mapping[str, Mapping[str, Any]] | None = None
) -> Path:
    """Writes inventory and group variables; returns the inventory's path.

    Args:
        forest: A forest that is started.
        folder: Where to; it is made when absent, readable by the user alone.
        group_variables: More variables by group; `all` adds to those that reach hosts and directory.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / "inventory.yml"
    path.write_text(_yaml(inventory(forest)), encoding="utf-8")
    groups: dict[str, dict[str, Any]] = {"all": connection_variables(forest) | directory_variables(forest)}
    for group, values in (group_variables or {}).items():
        groups.setdefault(group, {}).update(values)
    (folder / "group_vars").mkdir(exist_ok=True)
    for group, values in groups.items():
        (folder / "group_vars" / f"{group}.yml").write_text(_yaml(values), encoding="utf-8")
    return path


def _variables(site: str, role: HostRole) -> dict[str, Any]:
    return {"pcns_site": site} if role.is_dc else {}


def _yaml(data: Mapping[str, Any]) -> str:
    return "---\n" + yaml.safe_dump(dict(data), sort_keys=False, allow_unicode=True)
