# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module domain_controller_info: every domain controller that the directory knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._domain_controllers import (
    DomainController,
    Forest,
    Leftover,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils._resource import Task
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory_action import DirectoryAction
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory_forest import read_forest
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._ldap_probe import Probe, probe


class DomainControllerInfoAction(DirectoryAction):
    """Reads and returns."""

    def _perform(self, task: Task, task_vars: Mapping[str, Any]) -> dict[str, Any]:
        with self._directory(task.arguments, task_vars) as directory:
            read = read_forest(directory, whole=bool(task.arguments["forest"]))
            names = [item.dns_name for item in read.forest.domain_controllers] if task.arguments["probe"] else []
            probes = probe(directory.settings, names)
        for domain, reason in read.unread.items():
            task.warn(f"The domain {domain} could not be read. {reason}")
        found = read.forest
        return {
            "changed": False,
            "msg": _message(found),
            "domains": [
                {"dns_name": item.dns_name, "netbios_name": item.netbios_name, "distinguished_name": item.dn}
                for item in found.domains
            ],
            "domain_controllers": [
                {**domain_controller_values(item), **_probe_values(probes.get(item.dns_name))}
                for item in found.domain_controllers
            ],
            "leftovers": [_leftover(item) for item in found.leftovers],
            "vacant_roles": list(found.vacant_roles),
            "unread": dict(read.unread),
            "asked": list(read.asked),
            "authentication": read.authentication,
        }


def domain_controller_values(item: DomainController) -> dict[str, Any]:
    """Returns what the module tells of a domain controller."""
    return {
        "dns_name": item.dns_name,
        "netbios_name": item.netbios_name,
        "domain": item.domain.dns_name,
        "netbios_domain": item.domain.netbios_name,
        "site": item.site,
        "read_only": item.read_only,
        "global_catalog": item.global_catalog,
        "roles": [role.value for role in item.roles],
        "promoted_at": item.promoted_at,
        "operating_system": item.operating_system,
        "operating_system_version": item.operating_system_version,
        "enabled": item.enabled,
        "distinguished_name": item.distinguished_name,
        "in_default_container": item.in_default_container,
        "problems": list(item.problems),
    }


def _probe_values(item: Probe | None) -> dict[str, Any]:
    if item is None:
        return {}
    return {"available": item.available, "synchronized": item.synchronized, "unavailable_reason": item.reason}


def _leftover(item: Leftover) -> dict[str, Any]:
    return {
        "distinguished_name": item.distinguished_name,
        "name": item.name,
        "domain": item.domain,
        "site": item.site,
        "kind": item.kind.value,
        "created_at": item.created_at,
        "message": item.sentence(),
    }


def _message(found: Forest) -> str:
    read_only = sum(item.read_only for item in found.domain_controllers)
    counts = [f"{len(found.domain_controllers) - read_only} writable", f"{read_only} read-only"]
    if found.leftovers:
        counts.append(f"{len(found.leftovers)} left over from others")
    names = ", ".join(item.dns_name for item in found.domains)
    return f"Domain controllers of {names}: {', '.join(counts)}."
