# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module sso_adapter: a password sync adapter, through ssops."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.entsso.password_sync.plugins.module_utils import _sso_adapter
from ansible_collections.entsso.password_sync.plugins.module_utils._adapter_file import (
    AdapterFileError,
    check_adapter_file,
    fingerprint,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import (
    Absent,
    Change,
    Estate,
    Key,
    Observation,
    Operation,
    PlanError,
    Present,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._sso_adapter import AdapterState, DesiredAdapter
from ansible_collections.entsso.password_sync.plugins.plugin_utils._markers import write_marker
from ansible_collections.entsso.password_sync.plugins.plugin_utils._resource import Resource, Task
from ansible_collections.entsso.password_sync.plugins.plugin_utils._sso import (
    DEFINITION_MARKER,
    observe_adapters,
    tool_path,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils._system import read_system
from ansible_collections.entsso.password_sync.plugins.plugin_utils._tools import observe_tool, run_writing_tool
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host
from ansible_collections.entsso.password_sync.plugins.plugin_utils.transfer._text_file import text_file


class SsoAdapterResource(Resource):
    """One adapter."""

    def __init__(self, host: Host, task: Task) -> None:
        super().__init__(host, task)
        arguments = task.arguments
        self.ssops = tool_path(str(arguments["installation_directory"]), "ssops")
        self.definition = arguments["definition"]
        self.desired = desired_adapter(task.subject, arguments)

    def observe(self) -> Mapping[Key, Observation]:
        subject, name = self.task.subject, self.desired.name
        tool = observe_tool(self.host, self.ssops)
        observations: dict[Key, Observation] = {Key(subject, "tool", "ssops"): tool}
        if isinstance(tool, Absent):
            observations[_sso_adapter.key(subject, name)] = Absent()
        else:
            directory = str(self.task.arguments["installation_directory"])
            observations |= observe_adapters(self.host, directory, subject, {name: self.desired.applications})
        return observations

    def plan(self, estate: Estate) -> tuple[Change, ...]:
        return _sso_adapter.plan(self.task.subject, self.desired, estate)

    def apply(self, change: Change) -> None:
        name = self.desired.name
        if "definition" in change.new:
            verb = "-create" if change.operation is Operation.CREATE else "-update"
            content = str(self.definition).encode("utf-8")
            with text_file(self.host, self.task, "adapter.xml", content) as path:
                run_writing_tool(self.host, self.ssops, [verb, path])
            now = read_system(self.host).local_time
            write_marker(self.host, DEFINITION_MARKER.format(name.lower()), str(change.new["definition"]), now)
        if "applications" in change.new:
            has = self._current().applications
            for application in self.desired.applications:
                if application not in has:
                    run_writing_tool(self.host, self.ssops, ["-addapp", name, application])
        # A new adapter is disabled whatever its definition says (entsso.md 3.4), and an update writes the flags of the
        # file, of which enableApp is one: so what is wanted is set last in any case.
        enabled = change.new.get("enabled", self.desired.enabled)
        if enabled is not None and bool(enabled) != self._current().enabled:
            run_writing_tool(self.host, self.ssops, ["-enable" if enabled else "-disable", name])

    def _current(self) -> AdapterState:
        observed = self.observe()[_sso_adapter.key(self.task.subject, self.desired.name)]
        return observed.state if isinstance(observed, Present) else AdapterState()


def desired_adapter(subject: str, arguments: Mapping[str, Any]) -> DesiredAdapter:
    """Builds the wanted adapter from module arguments and checks its definition.

    Raises:
        PlanError: The definition is wrong; it has not left the control node.
    """
    values = dict(arguments)
    name, definition = str(values["name"]), values.get("definition")
    if definition is not None:
        try:
            check_adapter_file(name, str(definition))
        except AdapterFileError as error:
            raise PlanError(
                subject,
                f"The definition of the adapter {name} is refused before it leaves the control node: {error}.",
                "Correct the template (password_sync_adapters_template) or the finished file.",
            ) from None
    return DesiredAdapter(
        name=name,
        definition=None if definition is None else fingerprint(str(definition)),
        enabled=values.get("enabled"),
        applications=tuple(str(item) for item in values.get("applications") or ()),
    )
