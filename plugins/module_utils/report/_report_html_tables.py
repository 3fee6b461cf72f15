# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of the HTML report: domain controllers, adapters, controls, what was passed over, changes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ansible_collections.entsso.password_sync.plugins.module_utils._plan import Change, JsonValue
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._controls import CONTROLS
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._finding import (
    CaptureState,
    Finding,
    Severity,
    Status,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.report._markup import Markup, Node, element
from ansible_collections.entsso.password_sync.plugins.module_utils.report._printable import count, one_line, sentence
from ansible_collections.entsso.password_sync.plugins.module_utils.report._report import (
    AdapterRow,
    DomainControllerRow,
    Report,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.report._report_html_parts import (
    STATUS_NAMES,
    badge,
    section,
    table,
)


@dataclass(frozen=True)
class _StateWords:
    """A capture state in words: does it capture, the tint of that, the state in a sentence, is it loaded."""

    answer: str
    tint: str
    text: str
    loaded: str


_STATES: Mapping[CaptureState, _StateWords] = {
    CaptureState.ABSENT: _StateWords("No", "bad", "The capture component is not installed.", "No"),
    CaptureState.BLOCKED: _StateWords("No", "bad", "LSA refused to load the capture component.", "No"),
    CaptureState.RESTART_PENDING: _StateWords("No", "bad", "Installed; LSA loads it at the next restart.", "No"),
    CaptureState.LOADED: _StateWords("No", "bad", "Loaded, but nothing sends the changes on.", "Yes"),
    CaptureState.UNKNOWN: _StateWords("Not known", "warn", "Its state could not be observed.", "Not known"),
    CaptureState.UNREGISTERED: _StateWords(
        "Until next restart", "warn", "Still loaded, but its registration is gone.", "Yes"
    ),
    CaptureState.WORKING: _StateWords("Yes", "good", "Changes are captured and sent on.", "Yes"),
    CaptureState.EXEMPT: _StateWords("Not required", "", "Exempt.", "-"),
}
"""Worst first."""

_STATE_ORDER = tuple(_STATES)


def domain_controllers_section(report: Report, groups: Sequence[Sequence[Finding]]) -> Markup:
    """Every domain controller with what it does with password changes, worst first."""
    if not report.domain_controllers:
        return section(
            "domain-controllers", "Domain controllers", element("p", "This report is not about domain controllers.")
        )
    links: dict[str, list[Node]] = {}
    for number, group in enumerate(groups, 1):
        for item in group:
            link = element("a", one_line(item.control), href=f"#finding-{number}")
            links.setdefault(item.subject.lower(), []).append(link)
    rows = sorted(report.domain_controllers, key=lambda row: (_state_rank(row), row.site.lower(), row.name.lower()))
    heads = ("Domain controller", "Site", "Captures changes", "State", "Loaded in LSA", "Version", "Open findings")
    body = [_domain_controller_row(row, links.get(row.name.lower(), [])) for row in rows]
    caption = f"{count(len(rows), 'domain controller')}, worst first"
    return section("domain-controllers", "Domain controllers", table(caption, heads, body))


def _state_rank(row: DomainControllerRow) -> int:
    return _STATE_ORDER.index(CaptureState.EXEMPT if row.exempt else row.capture_state)


def _domain_controller_row(row: DomainControllerRow, links: Sequence[Node]) -> Markup:
    words = _STATES[row.capture_state]
    if row.exempt:
        words = replace(_STATES[CaptureState.EXEMPT], text=row.exempt_reason or "Exempt.", loaded=words.loaded)
    elif row.lost_at_restart:
        words = replace(_STATES[CaptureState.UNREGISTERED], text=words.text)
    loaded, evidence = ", ".join(item for item in (words.loaded, one_line(row.grade)) if item), one_line(row.evidence)
    listed = [node for link in links for node in (", ", link)][1:]
    return element(
        "tr",
        element(
            "th",
            one_line(row.name),
            element("div", "RODC", class_="muted small") if row.read_only else None,
            scope="row",
        ),
        element("td", one_line(row.site) or "-"),
        element("td", badge(words.answer, words.tint)),
        element(
            "td",
            element("code", row.capture_state.value),
            element("div", sentence(words.text), class_="muted small"),
            class_="text",
        ),
        element("td", loaded, element("div", evidence, class_="muted small") if evidence else None),
        element("td", one_line(row.version) or "-"),
        element("td", *(listed or ["-"])),
    )


def adapters_section(rows: Sequence[AdapterRow]) -> Node:
    """Every adapter with its applications; nothing when the report has none."""
    if not rows:
        return None
    answers = {True: ("Enabled", "good"), False: ("Disabled", "bad"), None: ("Not known", "warn")}
    body = [
        element(
            "tr",
            element("th", one_line(row.name), scope="row"),
            element("td", badge(*answers[row.enabled])),
            element("td", ", ".join(one_line(name) for name in row.applications) or "none"),
        )
        for row in sorted(rows, key=lambda row: (row.enabled is True, row.name.lower()))
    ]
    return section(
        "adapters", "Adapters", table("Adapters of the SSO system", ("Adapter", "State", "Applications"), body)
    )


def controls_section(report: Report) -> Markup:
    """What was judged, how often and how; says also what was not judged at all."""
    known = {control.id: control for control in CONTROLS}
    judged: dict[str, list[Finding]] = {}
    for item in sorted(report.findings, key=lambda item: item.control):
        judged.setdefault(item.control, []).append(item)
    body = [
        element(
            "tr",
            element("th", element("code", one_line(control_id)), scope="row"),
            element(
                "td",
                known[control_id].title if control_id in known else one_line(items[0].title),
                element("div", known[control_id].rationale, class_="muted small") if control_id in known else None,
                class_="text",
            ),
            element("td", min((item.severity for item in items), key=list(Severity).index).value.capitalize()),
            element("td", *(element("div", line) for line in _tally(items)), class_="tally"),
        )
        for control_id, items in judged.items()
    ]
    heads = ("Control", "What must hold, and what is lost while it does not", "Severity", "Judged")
    missing = [control_id for control_id in known if control_id not in judged]
    return section(
        "controls",
        "Controls",
        table("How often each control was judged, and how", heads, body) if body else None,
        element("p", f"Not judged in this report: {', '.join(missing)}.", class_="muted small") if missing else None,
    )


def _tally(items: Sequence[Finding]) -> tuple[str, ...]:
    numbers = ((status, sum(item.status is status for item in items)) for status in STATUS_NAMES)
    return tuple(f"{number} {STATUS_NAMES[status].lower()}" for status, number in numbers if number)


def passed_over_section(report: Report) -> Node:
    """Findings that pass without being met: nobody should have to look for a waiver."""
    groups: dict[tuple[Status, str, str], list[Finding]] = {}
    for item in report.ordered_findings:
        if item.status in (Status.WAIVED, Status.EXEMPT, Status.NOT_APPLICABLE):
            groups.setdefault((item.status, item.subject, item.message), []).append(item)
    if not groups:
        return None
    body = [
        element(
            "tr",
            element("th", one_line(subject), scope="row"),
            element("td", badge(STATUS_NAMES[status], "")),
            element("td", ", ".join(sorted({one_line(item.control) for item in items}))),
            element("td", sentence(message) or "No reason is given.", class_="text"),
        )
        for (status, subject, message), items in groups.items()
    ]
    heads = ("Subject", "Status", "Controls", "Reason")
    title = "Waived, exempt and not applicable"
    return section("passed-over", title, table("Findings that pass without being met", heads, body))


def changes_section(changes: Sequence[Change] | None) -> Node:
    """What the run changed; nothing when the report is of a check alone."""
    if changes is None:
        return None
    if not changes:
        return section("changes", "Changes", element("p", "The run changed nothing."))
    body = [
        element(
            "tr",
            element("th", one_line(change.subject), scope="row"),
            element("td", one_line(change.sentence()), class_="text"),
            element("td", _values(change.old) or "-"),
            element("td", ", ".join(sorted(item.value for item in change.implies)) or "-"),
        )
        for change in changes
    ]
    heads = ("Subject", "Change", "Before", "Makes necessary")
    return section("changes", f"Changes ({len(changes)})", table("Changes of the run, in their order", heads, body))


def _values(values: Mapping[str, JsonValue]) -> str:
    shown = (f"{name}={value if isinstance(value, str) else json.dumps(value)}" for name, value in values.items())
    return one_line(", ".join(shown))
