# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module preflight_report: shows go or no-go of every host of a run, and stops it where one is a no-go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.entsso.password_sync.plugins.module_utils.connection._connection_rights import (
    CIMV2,
    METHODS,
    SERVICES,
    SHELL,
    Outcome,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.preflight._check import Check, Verdict
from ansible_collections.entsso.password_sync.plugins.module_utils.preflight._preflight_table import (
    Row,
    summary,
    table_lines,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils._action import WindowsAction, display
from ansible_collections.entsso.password_sync.plugins.plugin_utils._resource import Task

DC_PREFLIGHT, SSO_PREFLIGHT, EXEMPT = "pcns_preflight", "sso_preflight", "pcns_exempt"
"""Variables that the playbook registers, and the reason why a domain controller is left out."""

_MOST_TOLD = 10

_NEEDED = tuple(right.name for right in (CIMV2, METHODS, SERVICES, SHELL))
"""What the modules for SSO servers can't do without."""


class PreflightReportAction(WindowsAction):
    """Asks no host: everything is in the variables that the run registered."""

    def _perform(self, task: Task, task_vars: Mapping[str, Any]) -> dict[str, Any]:
        hostvars = task_vars["hostvars"]
        rows = [_sso_server(name, hostvars[name]) for name in sorted(task.arguments["sso_servers"])]
        rows += [_domain_controller(name, hostvars[name]) for name in sorted(task.arguments["domain_controllers"])]
        lines, told = table_lines(rows), summary(rows)
        for line in lines:
            display.display(line)
        hosts = [row.to_json() for row in rows]
        refused = [row for row in rows if row.verdict == "no_go"]
        if refused and task.arguments["gate"]:
            reasons = " ".join(f"{row.host}: {reason}" for row in refused[:_MOST_TOLD] for reason in row.reasons)
            more = " The others are in the table above and in `hosts`. " if len(refused) > _MOST_TOLD else " "
            raise self._failure(told, f"{reasons}{more}Nothing was changed.", {"changed": False, "hosts": hosts})
        display.display(told)
        return {"changed": False, "msg": told, "hosts": hosts, "table": lines}


def _domain_controller(name: str, variables: Mapping[str, Any]) -> Row:
    exempt = " ".join(str(variables.get(EXEMPT) or "").split())
    if exempt:
        return Row(name, "exempt", (exempt,))
    result = _registered(variables, DC_PREFLIGHT)
    if "checks" not in result:
        return Row(name, "no_go", (_not_looked_at(result),))
    checks = [Check.from_json(item) for item in result["checks"]]
    return Row(
        name,
        "go" if result["go"] else "no_go",
        tuple(_told(check) for check in checks if check.stops),
        tuple(_told(check) for check in checks if check.verdict is Verdict.WARNING),
    )


def _sso_server(name: str, variables: Mapping[str, Any]) -> Row:
    result = _registered(variables, SSO_PREFLIGHT)
    if "reachable" not in result:
        return Row(name, "no_go", (_not_looked_at(result),))
    if not result["reachable"]:
        return Row(name, "no_go", (f"reachable: {_text(result['problem'])}",))
    denied = [right for right in result["rights"] if right["status"] == Outcome.DENIED.value]
    reasons = tuple(_denied(right) for right in denied if right["name"] in _NEEDED)
    return Row(name, "no_go" if reasons else "go", reasons)


def _denied(right: Mapping[str, Any]) -> str:
    return f"rights: {right['title']} is denied, which is needed for {right['needed_for']}. {right['grant']}"


def _told(check: Check) -> str:
    return f"{check.name.value}: {check.sentence}"


def _registered(variables: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = variables.get(name)
    return found if isinstance(found, Mapping) else {}


def _not_looked_at(result: Mapping[str, Any]) -> str:
    reason = _text(result.get("msg") or "").removeprefix("Task failed: ")
    return f"reachable: {reason or 'This run did not look at it. Run preflight.yml without leaving it out.'}"


def _text(value: object) -> str:
    return " ".join(str(value).split())
