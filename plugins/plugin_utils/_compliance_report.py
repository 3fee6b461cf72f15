# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module compliance_report: what all hosts of a run observed, as one report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible_collections.entsso.password_sync.plugins.module_utils.judge._finding import CaptureState, Finding, Status
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._judge_domain import unread_findings
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._judge_domain_controller import (
    exempt_finding,
    judge_versions,
    unobserved_finding,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.report._printable import count
from ansible_collections.entsso.password_sync.plugins.module_utils.report._report import (
    AdapterRow,
    DomainControllerRow,
    Report,
    headline,
    report_lines,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.report._report_html import render_html
from ansible_collections.entsso.password_sync.plugins.module_utils.report._report_json import render_json
from ansible_collections.entsso.password_sync.plugins.module_utils.report._report_junit import render_junit
from ansible_collections.entsso.password_sync.plugins.plugin_utils._action import WindowsAction
from ansible_collections.entsso.password_sync.plugins.plugin_utils._compliance_coverage import Inventory, listed
from ansible_collections.entsso.password_sync.plugins.plugin_utils._compliance_rollout import rollout_notes, rollout_of
from ansible_collections.entsso.password_sync.plugins.plugin_utils._resource import Task

DC_OBSERVATION, SSO_OBSERVATION = "pcns_observation", "password_sync_adapters_observation"
"""Variables in which the roles register what pcns_info and sso_info returned."""

CONFIGURATION, TARGETS = "pcns_directory_configuration_observation", "pcns_directory_targets_observation"
NAMES = "pcns_directory_names_observation"
"""Variables in which the role pcns_directory registers what pcns_configuration, pcns_target and service_principal_name
returned."""

NO_ACCOUNT = (
    "it is not known which account is to have the service principal names of the targets; set "
    "pcns_directory_service_account, or let the run look at the SSO server"
)

SCHEMA = "pcns_directory_schema_observation"
"""Variable in which that role registers what pcns_schema returned, in one domain or in several of the same forest."""
SCHEMA_CONTROL = "PCNS-010"

PACKAGES_READ = ("PCNS-001", "PCNS-004")
"""Controls that are unknown where it is not known which packages a domain controller has."""

MISSING = "the inventory does not have it"
CALLED_READ_ONLY = "the inventory has it as read-only, so it was not looked at"

RODC_REASON = "read-only domain controller, which forwards password changes to a writable one"


class ComplianceReportAction(WindowsAction):
    """Collects, judges, writes and shows."""

    def _perform(self, task: Task, task_vars: Mapping[str, Any]) -> dict[str, Any]:
        arguments = task.arguments
        report = collect(arguments, task_vars["hostvars"], datetime.now(UTC))
        folder = Path(str(arguments["directory"])).expanduser().absolute()
        files = {
            "report.html": render_html(report),
            "report.json": render_json(report),
            "junit.xml": render_junit(report),
        }
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name, text in files.items():
                (folder / name).write_text(text, encoding="utf-8")
        except OSError as error:
            raise self._failure(
                f"The report can't be written to {folder}: {error.strerror}.",
                "Give a `directory` on the control node that this user may write to.",
                {},
            ) from None
        location = str(folder / "report.html")
        for line in report_lines(report, location):
            self._show(line, report.compliant)
        first = headline(report, location)
        failed = bool(arguments["gate"]) and not report.compliant
        rollout = bool(arguments["fail_on_rollout_failure"]) and report.rollout is not None and report.rollout.failed
        # The findings are in report.json: Ansible prints the whole result of a task that fails.
        return {
            "changed": False,
            "failed": failed or rollout,
            "msg": first,
            "compliant": report.compliant,
            "report": location,
        }

    def _show(self, line: str, compliant: bool) -> None:
        from ansible_collections.entsso.password_sync.plugins.plugin_utils._action import display

        display.display(line, color="green" if compliant else "bright red" if line.startswith("NOT ") else None)


def collect(arguments: Mapping[str, Any], hostvars: Mapping[str, Any], now: datetime) -> Report:
    """Builds the report from what the hosts of a run observed.

    A host of which there is no observation is unknown, never left out.

    Args:
        arguments: Module arguments.
        hostvars: Ansible's variables of all hosts.
        now: Time of the report.
    """
    stamp = f"{now:%Y-%m-%dT%H:%M:%SZ}"
    systems = [str(name) for name in arguments["systems"]]
    findings: list[Finding] = []
    rows: list[DomainControllerRow] = []
    adapters: list[AdapterRow] = []
    notes: list[str] = []
    versions: dict[str, Mapping[str, str]] = {}
    machines: dict[str, str] = {}
    in_run = _names(arguments["domain_controllers"])
    inventory = _inventory(arguments, hostvars)
    for name in in_run:
        variables = hostvars[name]
        site = str(variables.get("pcns_site") or "")
        read_only = inventory.read_only(name)
        exempt = RODC_REASON if read_only else str(variables.get("pcns_exempt") or "")
        if exempt:
            rows.append(DomainControllerRow(name, site, CaptureState.EXEMPT, read_only=read_only, exempt_reason=exempt))
            findings.append(exempt_finding(name, site, exempt))
            continue
        if inventory.left_out(name):
            rows.append(DomainControllerRow(name, site, CaptureState.UNKNOWN, evidence=CALLED_READ_ONLY))
            continue
        row, judged = _domain_controller(name, site, variables, systems, stamp)
        machines[name] = str(_system(variables).get("name") or "")
        versions[name] = (_observation(variables, DC_OBSERVATION) or {}).get("versions") or {}
        rows.append(row)
        findings += judged
        findings += _schema(variables, {item.subject for item in findings if item.control == SCHEMA_CONTROL})
        findings += _domain(variables, systems)
    rollout = rollout_of(in_run, hostvars)
    notes += rollout_notes(rollout)
    _doubt_doubles(rows, findings, machines, stamp)
    coverage = inventory.judge(
        in_run,
        [row.name for row in rows if row.capture_state is CaptureState.WORKING],
        next((str(_system(hostvars[name]).get("domain")) for name in in_run if _system(hostvars[name])), ""),
        systems,
        stamp,
    )
    findings += coverage.findings
    notes += coverage.notes
    rows += [
        DomainControllerRow(item.name, item.site, CaptureState.UNKNOWN, evidence=MISSING) for item in coverage.missing
    ]
    not_in_run = len(set(_names(arguments["inventory"])) - set(in_run))
    if not_in_run and in_run:
        notes.append(
            f"{count(not_in_run, 'domain controller')} of the inventory had no part in this run, and nothing is said "
            "of the capture component there."
        )
    unread = [item.subject for item in findings if item.control in PACKAGES_READ and item.status is Status.UNKNOWN]
    findings += judge_versions(versions, unread, stamp)
    for name in _names(arguments["sso_servers"]):
        observed = _observation(hostvars[name], SSO_OBSERVATION)
        if observed is None or "findings" not in observed:
            findings += unread_findings(("SSO-002",), name, _reason(observed))
            continue
        findings += _findings(observed)
        adapters += [
            AdapterRow(str(item["name"]), item["enabled"], tuple(str(one) for one in item["applications"]))
            for item in observed["adapters"]
        ]
    return Report(
        title=str(arguments["title"]),
        generated_at=stamp,
        findings=tuple(findings),
        domain_controllers=tuple(rows),
        adapters=tuple(adapters),
        notes=tuple(notes),
        rollout=rollout,
    )


def _doubt_doubles(
    rows: list[DomainControllerRow], findings: list[Finding], machines: Mapping[str, str], stamp: str
) -> None:
    """Turns domain controllers unknown of which one and the same machine answered: one of them was not looked at."""
    for index, row in enumerate(rows):
        machine = machines.get(row.name, "")
        others = [name for name, other in machines.items() if other == machine and name != row.name]
        if not machine or not others:
            continue
        reason = f"{machine} answered, as it did for {', '.join(others)}; correct its address in the inventory"
        rows[index] = DomainControllerRow(row.name, row.site, CaptureState.UNKNOWN, evidence=reason)
        findings[:] = [finding for finding in findings if finding.subject != row.name]
        findings.append(unobserved_finding(row.name, row.site, reason, (), stamp))


def _domain_controller(
    name: str, site: str, variables: Mapping[str, Any], systems: Sequence[str], stamp: str
) -> tuple[DomainControllerRow, Sequence[Finding]]:
    observed = _observation(variables, DC_OBSERVATION)
    if observed is None or "capture_state" not in observed:
        reason = _reason(observed)
        row = DomainControllerRow(name, site, CaptureState.UNKNOWN, evidence=reason)
        return row, [unobserved_finding(name, site, reason, systems, stamp)]
    state = CaptureState(str(observed["capture_state"]))
    versions = observed.get("versions") or {}
    row = DomainControllerRow(
        name=name,
        site=site,
        capture_state=state,
        grade=str(observed["grade"]),
        evidence=str(observed["evidence"]),
        version=", ".join(f"{package} {version}" for package, version in versions.items()),
        until_next_restart=state is CaptureState.UNREGISTERED,
    )
    return row, _findings(observed)


def _schema(variables: Mapping[str, Any], judged: Collection[str]) -> list[Finding]:
    """Returns the findings on the schema, of which a forest has one, whoever looked at it.

    Args:
        variables: Variables of a host.
        judged: What other hosts have been asked about.
    """
    schema = _observation(variables, SCHEMA)
    if schema is None or schema.get("skipped"):
        return []
    domain = str(_system(variables).get("domain") or "the domain")
    found = _findings(schema) or list(unread_findings((SCHEMA_CONTROL,), domain, _reason(schema)))
    return [item for item in found if item.subject not in judged]


def _domain(variables: Mapping[str, Any], systems: Sequence[str]) -> list[Finding]:
    findings: list[Finding] = []
    domain = str(_system(variables).get("domain") or "the domain")
    configuration = _observation(variables, CONFIGURATION)
    if configuration is not None and not configuration.get("skipped"):
        findings += _findings(configuration) or list(
            unread_findings(("PCNS-006", "PCNS-014"), domain, _reason(configuration))
        )
    targets = _observation(variables, TARGETS)
    if targets is not None and not targets.get("skipped"):
        unread = ("PCNS-007", "PCNS-008", "PCNS-011", "PCNS-013")
        for result in targets.get("results") or [targets]:
            findings += _findings(result) or list(unread_findings(unread, domain, _reason(result)))
    for result in (_observation(variables, NAMES) or {}).get("results") or ():
        # Ansible skips the item of which the account is not known.
        reason = NO_ACCOUNT if result.get("skipped") else _reason(result)
        findings += _findings(result) or list(unread_findings(("PCNS-012",), domain, reason))
    return findings


def _inventory(arguments: Mapping[str, Any], hostvars: Mapping[str, Any]) -> Inventory:
    names = dict.fromkeys((*_names(arguments["domain_controllers"]), *_names(arguments["inventory"])))
    read_only = {name.lower() for name in _names(arguments["read_only"])}
    systems = {name: _system(hostvars[name]) for name in names}
    answering = Counter(str(system.get("name")) for system in systems.values() if system)
    hosts = [
        # A machine that answers for several hosts says of none of them who it is.
        listed(
            name,
            hostvars[name],
            system if answering[str(system.get("name"))] == 1 else {},
            read_only=name.lower() in read_only,
        )
        for name, system in systems.items()
    ]
    return Inventory(hosts, arguments["directory_answer"])


def _system(variables: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns what was observed of the machine itself; empty when nothing was."""
    return (_observation(variables, DC_OBSERVATION) or {}).get("system") or {}


def _observation(variables: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    value = variables.get(name)
    return value if isinstance(value, Mapping) else None


def _findings(result: Mapping[str, Any]) -> list[Finding]:
    return [Finding.from_json(item) for item in result.get("findings") or ()]


def _reason(result: Mapping[str, Any] | None) -> str:
    if result is None:
        return "this run did not look at it"
    # Ansible's own words in front of what an unreachable host's task said.
    return _text(result.get("msg") or "no reason was given").removeprefix("Task failed: ")


def _text(value: object) -> str:
    return " ".join(str(value).split())


def _names(value: object) -> list[str]:
    return [str(name) for name in value] if isinstance(value, (list, tuple)) else []
