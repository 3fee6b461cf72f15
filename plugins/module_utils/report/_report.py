# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The compliance report as a value, the numbers that follow from it, and its words for a terminal.

A report holds what was found; every number is derived when it is asked for, so that it can't contradict
the findings. Unknown is never compliant: neither is a report in which nothing was observed, nor one that shows a
domain controller that no finding judges.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ansible_collections.entsso.password_sync.plugins.module_utils._plan import Change
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._finding import (
    CaptureState,
    Finding,
    Severity,
    Status,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.report._printable import count, one_line, sentence
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_progress import Rollout

_STATUS_ORDER = (
    Status.DRIFT,
    Status.MANUAL,
    Status.UNKNOWN,
    Status.WAIVED,
    Status.EXEMPT,
    Status.NOT_APPLICABLE,
    Status.COMPLIANT,
)
_SEVERITY_ORDER = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW)
COVERAGE = "PCNS-001"
"""The control that the directory alone can meet: then no host has been observed yet."""

_EXPLAINING = (Status.DRIFT, Status.MANUAL, Status.UNKNOWN, Status.WAIVED)
_TIME_OF_DAY = re.compile(r"\d{4}-\d{2}-\d{2}T(\d{2}:\d{2}:\d{2})(?:\.\d+)?Z")
_NUMBER_WORDS = {1: "one restart", 2: "two restarts", 3: "three restarts"}


@dataclass(frozen=True)
class DomainControllerRow:
    """What is known of one domain controller.

    Attributes:
        name: As in the inventory; the subject of its findings.
        site: Active Directory site; empty when not known.
        capture_state: What it does with password changes.
        grade: How sure it is that LSA has loaded the capture component: `proved`, `inferred` or empty.
        evidence: What the grade rests on.
        version: Of the installed package; empty when none or not known.
        read_only: Whether it is an RODC. One that could not be asked counts as writable.
        exempt_reason: Why it needs no capture component; empty when it does.
        until_next_restart: Whether it captures now and will not after its next restart.
    """

    name: str
    site: str
    capture_state: CaptureState
    grade: str = ""
    evidence: str = ""
    version: str = ""
    read_only: bool = False
    exempt_reason: str = ""
    until_next_restart: bool = False

    @property
    def exempt(self) -> bool:
        """Whether nobody expects it to capture."""
        return self.capture_state is CaptureState.EXEMPT or bool(self.exempt_reason)

    @property
    def lost_at_restart(self) -> bool:
        """Whether it captures now only until its next restart."""
        return self.capture_state is CaptureState.UNREGISTERED or (
            self.until_next_restart and self.capture_state.captures
        )


@dataclass(frozen=True)
class AdapterRow:
    """What is known of one adapter; `enabled` is `None` when it could not be read."""

    name: str
    enabled: bool | None
    applications: tuple[str, ...] = ()


@dataclass(frozen=True)
class Summary:
    """The numbers of a report.

    Attributes:
        domain_controllers: Those that should capture: writable ones, exempt or not, and RODCs that are not exempt.
        capturing: Of these, those whose LSA hands changes on now.
        until_next_restart: Of the capturing, those that stop at their next restart.
        capture_unknown: Of the domain controllers, those that could not be observed.
        writable_exempt: Of the domain controllers, those that are exempt.
        read_only_exempt: RODCs that are exempt.
        read_only_required: RODCs among `domain_controllers`.
        adapters: All adapters.
        adapters_enabled: Of these, the enabled ones.
        adapters_unknown: Of these, those that could not be read.
        not_judged: Domain controllers and adapters in the report whose state no finding explains.
        findings: How many findings there are of each status.
    """

    domain_controllers: int
    capturing: int
    until_next_restart: int
    capture_unknown: int
    writable_exempt: int
    read_only_exempt: int
    read_only_required: int
    adapters: int
    adapters_enabled: int
    adapters_unknown: int
    not_judged: int
    findings: dict[Status, int]


@dataclass(frozen=True)
class Report:
    """What one run observed, judged and changed.

    Attributes:
        title: Heading of the report.
        generated_at: UTC, ISO 8601 with `Z`.
        findings: Every control on every subject that it was judged on, whatever its status.
        domain_controllers: Every domain controller of the run, reached or not.
        adapters: Every adapter that is wanted or was found.
        changes: What a run changed; `None` when the report is of a check alone.
        notes: What a reader must know besides, for example why a rollout stopped.
        rollout: The rollout of the same run, and how far it has come; `None` when it had nothing to do.
    """

    title: str
    generated_at: str
    findings: tuple[Finding, ...] = ()
    domain_controllers: tuple[DomainControllerRow, ...] = ()
    adapters: tuple[AdapterRow, ...] = ()
    changes: tuple[Change, ...] | None = None
    notes: tuple[str, ...] = ()
    rollout: Rollout | None = None

    @property
    def observed(self) -> bool:
        """Whether at least one domain controller or SSO server was observed."""
        return (
            any(row.capture_state not in (CaptureState.UNKNOWN, CaptureState.EXEMPT) for row in self.domain_controllers)
            or any(row.enabled is not None for row in self.adapters)
            or any(item.status is Status.COMPLIANT and item.control != COVERAGE for item in self.findings)
        )

    @property
    def not_judged(self) -> tuple[str, ...]:
        """Names of domain controllers and adapters in the report whose state no finding explains.

        A domain controller needs a finding; one that does not work, or stops at its next restart, needs one that
        says so or waives it. An adapter that could not be read needs a finding on the SSO side that does.
        """
        judged = {finding.subject.lower() for finding in self.findings}
        explained = {finding.subject.lower() for finding in self.findings if finding.status in _EXPLAINING}
        sso = any(item.status in _EXPLAINING and item.control.startswith("SSO-") for item in self.findings)
        found = []
        for row in self.domain_controllers:
            healthy = row.capture_state is CaptureState.WORKING and not row.lost_at_restart
            if not row.exempt and row.name.lower() not in (judged if healthy else explained):
                found.append(row.name)
        found += [row.name for row in self.adapters if row.enabled is None and not sso]
        return tuple(found)

    @property
    def compliant(self) -> bool:
        """Whether every finding passes, something was observed, and nothing shown is left unjudged."""
        return (
            bool(self.findings)
            and all(finding.status.passes for finding in self.findings)
            and self.observed
            and not self.not_judged
        )

    @property
    def ordered_findings(self) -> tuple[Finding, ...]:
        """All findings, worst first: those that fail by severity and status, then the others."""
        return tuple(sorted(self.findings, key=_worst_first))

    @property
    def open_findings(self) -> tuple[Finding, ...]:
        """The findings that make the report fail, worst first."""
        return tuple(finding for finding in self.ordered_findings if not finding.status.passes)

    @property
    def summary(self) -> Summary:
        """The numbers of the report."""
        scope = [row for row in self.domain_controllers if not (row.read_only and row.exempt)]
        capturing = [row for row in scope if row.capture_state.captures]
        return Summary(
            domain_controllers=len(scope),
            capturing=len(capturing),
            until_next_restart=sum(row.lost_at_restart for row in capturing),
            capture_unknown=sum(row.capture_state is CaptureState.UNKNOWN and not row.exempt for row in scope),
            writable_exempt=sum(row.exempt for row in scope),
            read_only_exempt=len(self.domain_controllers) - len(scope),
            read_only_required=sum(row.read_only for row in scope),
            adapters=len(self.adapters),
            adapters_enabled=sum(row.enabled is True for row in self.adapters),
            adapters_unknown=sum(row.enabled is None for row in self.adapters),
            not_judged=len(self.not_judged),
            findings={status: sum(item.status is status for item in self.findings) for status in Status},
        )


def headline(report: Report, location: str = "") -> str:
    """Returns what a person wants to know first, on one line.

    Args:
        report: The report.
        location: Where the whole report is; left out when empty.
    """
    summary = report.summary
    parts = [f"{verdict(report)}: {_capture_clause(report)}{_numbers(report)}."]
    if summary.adapters:
        unknown = f", {summary.adapters_unknown} not known" if summary.adapters_unknown else ""
        parts.append(f"Adapters {summary.adapters_enabled}/{summary.adapters} enabled{unknown}.")
    if location:
        parts.append(f"Report: {one_line(location)}")
    return " ".join(parts)


def verdict(report: Report) -> str:
    """Returns `COMPLIANT` or `NOT COMPLIANT`."""
    return "COMPLIANT" if report.compliant else "NOT COMPLIANT"


def finding_line(finding: Finding) -> str:
    """Returns a finding on one line: control, severity, status, subject, what is the case, what to do."""
    where = f" ({one_line(finding.site)})" if finding.site.strip() else ""
    head = f"{finding.control} {finding.severity.value.upper()} {finding.status.value} {finding.subject}"
    parts = [f"{one_line(head)}{where}.", sentence(finding.message), sentence(finding.consequence)]
    seen = ", ".join(item for item in (one_line(finding.evidence), time_of_day(finding.observed_at)) if item)
    parts.append(f"Evidence: {sentence(seen)}" if seen else "")
    parts.append(f"{repair_label(finding)}: {one_line(finding.repair)}" if finding.repair.strip() else "")
    return " ".join(part for part in parts if part)


def repair_label(finding: Finding) -> str:
    """Returns what introduces the repair of a finding, with the restarts it costs."""
    kind = "Repair by hand" if finding.status is Status.MANUAL else "Repair"
    if finding.restarts <= 0:
        return f"{kind} (no restart)"
    return f"{kind} ({_NUMBER_WORDS.get(finding.restarts, count(finding.restarts, 'restart'))})"


def time_of_day(observed_at: str) -> str:
    """Returns the time of an ISO 8601 time in UTC, for example `02:10:31Z`; anything else as it is."""
    match = _TIME_OF_DAY.fullmatch(observed_at)
    return f"{match.group(1)}Z" if match else one_line(observed_at)


def report_lines(report: Report, location: str = "") -> tuple[str, ...]:
    """Returns the report for a terminal: the headline, one line a finding that fails, then the notes."""
    return (
        headline(report, location),
        *(finding_line(finding) for finding in report.open_findings),
        *(f"Note: {sentence(note)}" for note in report.notes),
    )


def capture_sentence(report: Report) -> str:
    """Returns how many domain controllers capture, for example `5 of 6 writable DCs capture password changes`."""
    summary = report.summary
    total, capturing = summary.domain_controllers, summary.capturing
    if not total:
        return "no writable DC in this report" if report.domain_controllers else "no DC in this report"
    noun = "DC" if summary.read_only_required else "writable DC"
    if capturing == total:
        return (f"the one {noun} captures" if total == 1 else f"all {total} {noun}s capture") + " password changes"
    verb = "captures" if capturing == 1 else "capture"
    return f"{capturing} of {count(total, noun)} {verb} password changes"


def _capture_clause(report: Report) -> str:
    if not report.observed:
        return "nothing was observed; "
    summary = report.summary
    details = []
    if summary.until_next_restart:
        details.append(f"{summary.until_next_restart} only until its next restart")
        if summary.until_next_restart > 1:
            details[-1] = f"{summary.until_next_restart} only until their next restart"
    if summary.capture_unknown:
        details.append(f"{summary.capture_unknown} not known")
    return capture_sentence(report) + (f" ({', '.join(details)})" if details else "") + "; "


def _numbers(report: Report) -> str:
    if not report.findings:
        return "no control was judged"
    summary = report.summary
    numbers = summary.findings
    parts = [f"{numbers[Status.DRIFT]} drift"]
    if numbers[Status.MANUAL]:
        parts.append(f"{numbers[Status.MANUAL]} manual")
    parts.append(f"{numbers[Status.UNKNOWN]} unknown")
    if numbers[Status.WAIVED]:
        parts.append(f"{numbers[Status.WAIVED]} waived")
    if summary.not_judged:
        parts.append(f"{summary.not_judged} not judged")
    if summary.read_only_exempt:
        parts.append(f"{count(summary.read_only_exempt, 'RODC')} exempt")
    if summary.writable_exempt:
        parts.append(f"{count(summary.writable_exempt, 'writable DC')} exempt")
    return ", ".join(parts)


def _worst_first(finding: Finding) -> tuple[bool, int, int, str, str]:
    status = _STATUS_ORDER.index(finding.status)
    severity = _SEVERITY_ORDER.index(finding.severity)
    return finding.status.passes, severity, status, finding.control, finding.subject.lower()
