# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module sso_feature: Password Synchronization on an SSO server."""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.entsso.password_sync.plugins.module_utils import _sso_feature
from ansible_collections.entsso.password_sync.plugins.module_utils._errors import HostError
from ansible_collections.entsso.password_sync.plugins.module_utils._names import ENTSSO_SERVICE
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import (
    Change,
    Estate,
    Key,
    Observation,
    PlanError,
    Unknown,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._quoting import command_line
from ansible_collections.entsso.password_sync.plugins.plugin_utils._resource import Resource, Task
from ansible_collections.entsso.password_sync.plugins.plugin_utils._sso import event_query, observe_feature, tool_path
from ansible_collections.entsso.password_sync.plugins.plugin_utils._system import read_system
from ansible_collections.entsso.password_sync.plugins.plugin_utils._tools import observe_tool
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host
from ansible_collections.entsso.password_sync.plugins.plugin_utils.transfer._media import Media, on_host

RESTART_CODE = 3010
SUCCESS_CODES = (0, RESTART_CODE)
"""No return code of this setup is documented; public scripts take these as success (entsso.md 1.2)."""


class SsoFeatureResource(Resource):
    """The feature. Its setup is a tree of files, so it must already be where the SSO server reaches it."""

    def __init__(self, host: Host, task: Task) -> None:
        super().__init__(host, task)
        arguments = task.arguments
        self.directory = str(arguments["installation_directory"])
        self.media = (
            Media(str(arguments["setup_path"]), str(arguments["setup_sha256"]).strip().upper(), True)
            if arguments["setup_path"]
            else None
        )
        if self.media is not None and not arguments["setup_arguments"]:
            raise PlanError(
                task.subject,
                "A setup was given without arguments, which would open its window on the server and wait for ever.",
                "Give setup_arguments; setup.exe /HELP of your media tells which, since Microsoft documents none.",
            )
        if self.media is not None and self.media.url:
            raise PlanError(
                task.subject,
                "The setup was given as a URL, and it is a tree of files of which a URL brings only one.",
                "Put the tree where the server reaches it, and give the path of its setup.exe.",
            )
        self.desired = _sso_feature.DesiredFeature(
            can_install=self.media is not None, tools={"ssops": tool_path(self.directory, "ssops")}
        )

    def observe(self) -> Mapping[Key, Observation]:
        system = read_system(self.host)
        events = self.host.events.read([event_query(system.boot_time)]).events
        subject = self.task.subject
        return {
            _sso_feature.key(subject): observe_feature(self.host, self.directory, events, system.boot_time),
            Key(subject, "tool", "ssops"): observe_tool(self.host, self.desired.tools["ssops"]),
        }

    def plan(self, estate: Estate) -> tuple[Change, ...]:
        return _sso_feature.plan(self.task.subject, self.desired, estate)

    def apply(self, change: Change) -> None:
        if self.media is None:
            return
        with on_host(self.host, self.task, self.media) as path:
            arguments = [str(item) for item in self.task.arguments["setup_arguments"]]
            self.task.say(f"running {path} {' '.join(arguments)}")
            result = self.host.run(command_line(path, *arguments), deadline=float(self.task.arguments["deadline"]))
        if result.exit_code not in SUCCESS_CODES:
            told = " ".join((result.stderr or result.stdout).split())[:300] or "nothing"
            raise HostError(
                self.task.subject,
                "setup of Password Synchronization",
                f"it ended with {result.exit_code} and printed: {told}",
                "Read the setup's own log (given with /L, else in %TEMP%), mend the cause, then run again",
            )
        if result.exit_code == RESTART_CODE:
            self.task.warn(
                "The setup asks for a restart of the SSO server (3010), which this collection leaves to you."
            )
        if isinstance(self.observe()[_sso_feature.key(self.task.subject)], Unknown):
            # ENTSSO says which services it has only when it starts.
            self.host.services.stop(ENTSSO_SERVICE, 300)
            self.host.services.start(ENTSSO_SERVICE, 300)
