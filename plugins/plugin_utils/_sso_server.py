# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module sso_server: password sync switches of one SSO server, through ssoconfig."""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.entsso.password_sync.plugins.module_utils import _sso_server
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import Change, Estate, Key, Observation
from ansible_collections.entsso.password_sync.plugins.plugin_utils._markers import write_marker
from ansible_collections.entsso.password_sync.plugins.plugin_utils._resource import Resource, Task
from ansible_collections.entsso.password_sync.plugins.plugin_utils._sso import (
    ALLOW_PCNS_MARKER,
    SYNC_AGE_MARKER,
    event_query,
    observe_server,
    tool_path,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils._system import read_system
from ansible_collections.entsso.password_sync.plugins.plugin_utils._tools import run_writing_tool
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host


class SsoServerResource(Resource):
    """The switches."""

    def __init__(self, host: Host, task: Task) -> None:
        super().__init__(host, task)
        self.directory = str(task.arguments["installation_directory"])
        self.desired = _sso_server.DesiredServer(
            allow_pcns=task.arguments["allow_pcns"], password_sync_age=task.arguments["password_sync_age"]
        )

    def observe(self) -> Mapping[Key, Observation]:
        system = read_system(self.host)
        events = self.host.events.read([event_query(system.boot_time)]).events
        with_age = self.desired.password_sync_age is not None
        observed = observe_server(self.host, self.directory, events, system.boot_time, with_age=with_age)
        return {_sso_server.key(self.task.subject): observed}

    def plan(self, estate: Estate) -> tuple[Change, ...]:
        return _sso_server.plan(self.task.subject, self.desired, estate)

    def apply(self, change: Change) -> None:
        ssoconfig = tool_path(self.directory, "ssoconfig")
        # The marker is compared with the host's own events, so it carries the host's own time.
        now = read_system(self.host).local_time
        if "allow_pcns" in change.new:
            word = "yes" if change.new["allow_pcns"] else "no"
            run_writing_tool(self.host, ssoconfig, ["-allowPS", "PCNS", word])
            write_marker(self.host, ALLOW_PCNS_MARKER, word, now)
        if "password_sync_age" in change.new:
            hours = str(change.new["password_sync_age"])
            run_writing_tool(self.host, ssoconfig, ["-syncage", hours])
            write_marker(self.host, SYNC_AGE_MARKER, hours, now)
