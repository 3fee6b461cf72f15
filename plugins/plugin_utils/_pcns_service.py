# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module pcns_service: the Password Change Notification Service."""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.entsso.password_sync.plugins.module_utils import _pcns_service
from ansible_collections.entsso.password_sync.plugins.module_utils._names import (
    EVENT_LOG_LEVEL_VALUE,
    PCNS_PARAMETERS_KEY,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._pcns_service import DesiredService
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import Change, Estate, Key, Observation
from ansible_collections.entsso.password_sync.plugins.plugin_utils._domain_controller import observe_service
from ansible_collections.entsso.password_sync.plugins.plugin_utils._resource import Resource, Task
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._services import StartMode


class PcnsServiceResource(Resource):
    """The service."""

    def __init__(self, host: Host, task: Task) -> None:
        super().__init__(host, task)
        self.name = str(task.arguments["name"])
        self.desired = DesiredService(
            state=task.arguments["state"],
            start_mode=task.arguments["start_mode"],
            event_log_level=task.arguments["event_log_level"],
        )

    def observe(self) -> Mapping[Key, Observation]:
        return {_pcns_service.key(self.task.subject, self.name): observe_service(self.host, self.name)}

    def plan(self, estate: Estate) -> tuple[Change, ...]:
        return _pcns_service.plan(self.task.subject, self.name, self.desired, estate)

    def apply(self, change: Change) -> None:
        deadline = float(self.task.arguments["deadline"])
        if "start_mode" in change.new:
            self.host.services.set_start_mode(self.name, StartMode(str(change.new["start_mode"]).capitalize()))
        if "event_log_level" in change.new:
            key = PCNS_PARAMETERS_KEY.replace("PCNSSVC", self.name)
            self.host.registry.create_key(key)
            self.host.registry.set_dword(key, EVENT_LOG_LEVEL_VALUE, int(str(change.new["event_log_level"])))
            if change.new.get("state") is None and self._running():
                self.host.services.stop(self.name, deadline)
                self.host.services.start(self.name, deadline)
        if change.new.get("state") == "running":
            self.host.services.start(self.name, deadline)
        elif change.new.get("state") == "stopped":
            self.host.services.stop(self.name, deadline)

    def _running(self) -> bool:
        service = self.host.services.get(self.name)
        return service is not None and service.state.value.lower() == "running"
