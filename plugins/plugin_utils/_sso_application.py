# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module sso_application: an affiliate application, through ssomanage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.entsso.password_sync.plugins.module_utils import _sso_application
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import Change, Estate, Key, Observation
from ansible_collections.entsso.password_sync.plugins.module_utils._sso_application import (
    ApplicationField,
    DesiredApplication,
    application_file,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils._resource import Resource, Task
from ansible_collections.entsso.password_sync.plugins.plugin_utils._sso import observe_applications, tool_path
from ansible_collections.entsso.password_sync.plugins.plugin_utils._tools import run_writing_tool
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host
from ansible_collections.entsso.password_sync.plugins.plugin_utils.transfer._text_file import text_file


class SsoApplicationResource(Resource):
    """One application."""

    def __init__(self, host: Host, task: Task) -> None:
        super().__init__(host, task)
        arguments = task.arguments
        self.directory = str(arguments["installation_directory"])
        self.desired = desired_application(arguments)

    def observe(self) -> Mapping[Key, Observation]:
        names = [self.desired.name]
        return observe_applications(self.host, self.directory, self.task.subject, names)

    def plan(self, estate: Estate) -> tuple[Change, ...]:
        return _sso_application.plan(self.task.subject, self.desired, estate)

    def apply(self, change: Change) -> None:
        with text_file(self.host, self.task, "application.xml", application_file(self.desired)) as path:
            run_writing_tool(self.host, tool_path(self.directory, "ssomanage"), ["-createapps", path])


def desired_application(arguments: Mapping[str, Any]) -> DesiredApplication:
    """Builds the wanted application from module arguments."""
    return DesiredApplication(
        name=str(arguments["name"]),
        description=str(arguments["description"] or ""),
        contact=str(arguments["contact"] or ""),
        user_account=str(arguments["user_account"] or ""),
        admin_account=str(arguments["admin_account"] or ""),
        fields=tuple(ApplicationField(str(item["label"]), bool(item["masked"])) for item in arguments["fields"] or ()),
        flags={str(name): bool(value) for name, value in (arguments["flags"] or {}).items() if value is not None},
    )
