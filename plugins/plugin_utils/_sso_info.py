# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module sso_info: everything observed on one SSO server, in one task."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from ansible_collections.entsso.password_sync.plugins.module_utils import (
    _sso_adapter,
    _sso_application,
    _sso_feature,
    _sso_server,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._names import ENTSSO_SERVICE
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import (
    Absent,
    Estate,
    Key,
    Observation,
    Present,
    Unknown,
    plan_in_order,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._sso_adapter import DesiredAdapter
from ansible_collections.entsso.password_sync.plugins.module_utils._sso_application import DesiredApplication
from ansible_collections.entsso.password_sync.plugins.module_utils._state_types import STATE_TYPES
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._judge_sso import (
    JudgedServer,
    judge_sso_server,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils._action import WindowsAction, estate_json
from ansible_collections.entsso.password_sync.plugins.plugin_utils._resource import Task
from ansible_collections.entsso.password_sync.plugins.plugin_utils._sso import (
    event_query,
    observe_adapters,
    observe_applications,
    observe_feature,
    observe_server,
    tool_path,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils._sso_adapter import desired_adapter
from ansible_collections.entsso.password_sync.plugins.plugin_utils._sso_application import desired_application
from ansible_collections.entsso.password_sync.plugins.plugin_utils._system import System, read_system
from ansible_collections.entsso.password_sync.plugins.plugin_utils._tools import observe_tool
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host, open_host


class SsoInfoAction(WindowsAction):
    """Observes, plans and judges one SSO server."""

    def _perform(self, task: Task, task_vars: Mapping[str, Any]) -> dict[str, Any]:
        arguments = task.arguments
        directory = str(arguments["installation_directory"])
        applications = [desired_application(item) for item in arguments["applications"]]
        adapters = [desired_adapter(task.subject, item) for item in arguments["adapters"]]
        server = _sso_server.DesiredServer(arguments["allow_pcns"], arguments["password_sync_age"])
        feature = _sso_feature.DesiredFeature(True, {"ssops": tool_path(directory, "ssops")})
        with open_host(self._connection, task_vars, name=task.subject) as host:
            system = read_system(host)
            service = host.services.get(ENTSSO_SERVICE)
            estate = _observe(host, task.subject, directory, system, server, applications, adapters)
            statistics = {"requests": host.statistics.requests, "bytes_sent": host.statistics.bytes_sent}
        # What can't be planned is judged from the observation.
        changes, _problems = plan_in_order(
            estate,
            [
                (_sso_feature.RESOURCE, partial(_sso_feature.plan, task.subject, feature)),
                (_sso_server.RESOURCE, partial(_sso_server.plan, task.subject, server)),
                *(
                    (_sso_application.RESOURCE, partial(_sso_application.plan, task.subject, item))
                    for item in applications
                ),
                *((_sso_adapter.RESOURCE, partial(_sso_adapter.plan, task.subject, item)) for item in adapters),
            ],
        )
        judged = JudgedServer(
            subject=task.subject,
            service_running=None if service is None else service.state.value.lower() == "running",
            server=server,
            applications=applications,
            adapters=adapters,
            estate=estate,
            changes=changes,
            observed_at=f"{system.local_time:%Y-%m-%dT%H:%M:%SZ}",
        )
        findings = judge_sso_server(judged)
        rows = [_adapter_row(task.subject, item, estate) for item in adapters]
        enabled = sum(row["enabled"] is True for row in rows)
        return {
            "changed": False,
            "msg": f"{task.subject}: {enabled} of {len(rows)} adapters enabled",
            "planned": [change.to_json() for change in changes],
            "findings": [finding.to_json() for finding in findings],
            "adapters": rows,
            "observed": estate_json(estate),
            "service_account": "" if service is None else service.account,
            "system": {"name": system.name, "domain": system.domain},
            "statistics": statistics,
        }


def _observe(
    host: Host,
    subject: str,
    directory: str,
    system: System,
    server: _sso_server.DesiredServer,
    applications: list[DesiredApplication],
    adapters: list[DesiredAdapter],
) -> Estate:
    events = host.events.read([event_query(system.boot_time)]).events
    tool = observe_tool(host, tool_path(directory, "ssops"))
    observations: dict[Key, Observation] = {
        _sso_feature.key(subject): observe_feature(host, directory, events, system.boot_time),
        Key(subject, "tool", "ssops"): tool,
        _sso_server.key(subject): observe_server(
            host, directory, events, system.boot_time, with_age=server.password_sync_age is not None
        ),
    }
    observations |= observe_applications(host, directory, subject, [item.name for item in applications])
    if isinstance(tool, Absent):
        observations |= {_sso_adapter.key(subject, item.name): Absent() for item in adapters}
    else:
        wanted = {item.name: item.applications for item in adapters}
        observations |= observe_adapters(host, directory, subject, wanted)
    return Estate(observations, STATE_TYPES)


def _adapter_row(subject: str, desired: DesiredAdapter, estate: Estate) -> dict[str, Any]:
    observed = estate.get(_sso_adapter.key(subject, desired.name))
    enabled = None if isinstance(observed, Unknown) else isinstance(observed, Present) and bool(observed.state.enabled)
    applications = list(observed.state.applications) if isinstance(observed, Present) else []
    return {"name": desired.name, "enabled": enabled, "applications": applications}
