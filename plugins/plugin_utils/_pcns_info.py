# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module pcns_info: everything observed on one domain controller, in one task, without a process on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.entsso.password_sync.plugins.module_utils import (
    _host_remains,
    _package,
    _pcns_service,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._capture import Capture, capture
from ansible_collections.entsso.password_sync.plugins.module_utils._names import NOTIFICATION_PACKAGE, PCNS_SERVICE
from ansible_collections.entsso.password_sync.plugins.module_utils._package import DesiredPackage
from ansible_collections.entsso.password_sync.plugins.module_utils._pcns_service import DesiredService
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import (
    Estate,
    Implication,
    Key,
    Observation,
    overlay,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._plan_domain_controller import (
    plan_domain_controller,
    plan_removal,
    possible_changes,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._state_types import STATE_TYPES
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._finding import Finding
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._judge_domain_controller import (
    Judged,
    judge_domain_controller,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils._action import (
    WindowsAction,
    estate_json,
    planned_effects,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils._domain_controller import (
    load_queries,
    observe_notification_packages,
    observe_package,
    observe_service,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils._host_remains import observe_remains
from ansible_collections.entsso.password_sync.plugins.plugin_utils._msi_package import describe_packages
from ansible_collections.entsso.password_sync.plugins.plugin_utils._resource import Task
from ansible_collections.entsso.password_sync.plugins.plugin_utils._restart import restart_refused
from ansible_collections.entsso.password_sync.plugins.plugin_utils._system import (
    System,
    read_system,
    require_domain_controller,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host, open_host


class PcnsInfoAction(WindowsAction):
    """Observes, plans and judges one domain controller."""

    def _perform(self, task: Task, task_vars: Mapping[str, Any]) -> dict[str, Any]:
        packages = describe_packages(task)
        removing = task.arguments["state"] == "absent"
        with open_host(self._connection, task_vars, name=task.subject) as host:
            system = read_system(host)
            require_domain_controller(task.subject, system)
            estate, unreadable = _observe(host, task.subject, packages, system, removing=removing)
            statistics = host.statistics
            requests = {"requests": statistics.requests, "bytes_sent": statistics.bytes_sent}
        wanted = [package for package, _upgrade_code in packages]
        desired = DesiredService(event_log_level=task.arguments["event_log_level"])
        changes, problems = (
            plan_removal(task.subject, wanted, estate)
            if removing
            else plan_domain_controller(task.subject, wanted, desired, estate)
        )
        possible = () if removing else possible_changes(task.subject, desired, changes)
        now = _capture(task.subject, wanted, estate)
        projected = overlay(estate, planned_effects(task_vars)) if task.check_mode else estate
        judged = Judged(
            subject=task.subject,
            site=str(task.arguments["site"] or ""),
            systems=[str(name) for name in task.arguments["systems"]],
            packages=wanted,
            notification_package=NOTIFICATION_PACKAGE,
            capture=now,
            estate=estate,
            changes=changes,
            problems=problems,
            observed_at=f"{system.local_time:%Y-%m-%dT%H:%M:%SZ}",
        )
        # Where it is to be gone, the controls have nothing to say.
        findings: tuple[Finding, ...] = () if removing else judge_domain_controller(judged)
        restarts = any(Implication.HOST_RESTART in change.implies for change in changes)
        return {
            "changed": False,
            "msg": f"{task.subject}: {now.state.value}" + (f" ({now.grade}: {now.evidence})" if now.grade else ""),
            "capture_state": now.state.value,
            "planned_capture_state": _capture(task.subject, wanted, projected).state.value,
            "grade": now.grade,
            "evidence": now.evidence,
            "planned": [change.to_json() for change in changes],
            "possible": [change.to_json() for change in possible],
            "problems": problems,
            "findings": [finding.to_json() for finding in findings],
            "observed": estate_json(estate),
            "restart_needed": restarts,
            "restart_refused": " ".join(restart_refused(task.subject, [NOTIFICATION_PACKAGE], loaded=not removing)),
            "unreadable_channels": unreadable,
            "system": {
                "name": system.name,
                "domain": system.domain,
                "version": system.version,
                "caption": system.caption,
                "boot_time": f"{system.boot_time:%Y-%m-%dT%H:%M:%SZ}",
                "local_time": f"{system.local_time:%Y-%m-%dT%H:%M:%SZ}",
            },
            "versions": {
                package.name: observed.state.version
                for package in wanted
                if hasattr(observed := estate.get(_package.key(task.subject, package)), "state")
            },
            "statistics": requests,
        }


def _observe(
    host: Host, subject: str, packages: Sequence[tuple[DesiredPackage, str]], system: System, *, removing: bool
) -> tuple[Estate, dict[str, str]]:
    reading = host.events.read(load_queries(system))
    observations: dict[Key, Observation] = {
        _package.key(subject, package): observe_package(host, package, upgrade_code)
        for package, upgrade_code in packages
    }
    observations |= observe_notification_packages(
        host, subject, [NOTIFICATION_PACKAGE], system, reading, removing=removing
    )
    observations[_pcns_service.key(subject, PCNS_SERVICE)] = observe_service(host, PCNS_SERVICE)
    if removing:
        observations[_host_remains.key(subject)] = observe_remains(host)
    return Estate(observations, STATE_TYPES), dict(reading.unreadable)


def _capture(subject: str, packages: Sequence[DesiredPackage], estate: Estate) -> Capture:
    return capture(subject, packages, NOTIFICATION_PACKAGE, PCNS_SERVICE, estate)
