# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The compliance report as one HTML page, to be read, printed and handed on.

The page is one file: no script, no font, no image, nothing loaded from anywhere, and a content security policy that
says so. Reading order is what a domain controller's owner wants to know: is it good, what must be done, how far a
rollout has come, which domain controllers, which adapters, what was judged, what was changed.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence

from ansible_collections.entsso.password_sync.plugins.module_utils.judge._finding import Finding, Severity, Status
from ansible_collections.entsso.password_sync.plugins.module_utils.report._markup import Markup, Node, element, style
from ansible_collections.entsso.password_sync.plugins.module_utils.report._printable import count, one_line, sentence
from ansible_collections.entsso.password_sync.plugins.module_utils.report._report import (
    Report,
    headline,
    repair_label,
    verdict,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.report._report_html_parts import (
    STATUS_NAMES,
    badge,
    section,
    utc_time,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.report._report_html_tables import (
    adapters_section,
    changes_section,
    controls_section,
    domain_controllers_section,
    passed_over_section,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.report._report_rollout import rollout_section
from ansible_collections.entsso.password_sync.plugins.module_utils.report._report_style import STYLE_SHEET

_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE_SHEET.encode()).digest()).decode("ascii")
_POLICY = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'"

_SEVERITY_TINTS: Mapping[Severity, str] = {
    Severity.CRITICAL: "bad",
    Severity.HIGH: "bad",
    Severity.MEDIUM: "warn",
    Severity.LOW: "",
}


def render_html(report: Report) -> str:
    """Returns the text of the HTML file, to be written as UTF-8."""
    groups = _grouped(report.open_findings)
    tint = "good" if report.compliant else "bad"
    body = element(
        "body",
        element("header", element("div", *_masthead(report), class_="wide"), class_=f"masthead {tint}"),
        element(
            "main",
            _numbers(report),
            _notes(report),
            _findings(report, groups),
            None if report.rollout is None else rollout_section(report.rollout),
            domain_controllers_section(report, groups),
            adapters_section(report.adapters),
            controls_section(report),
            passed_over_section(report),
            changes_section(report.changes),
            class_="wide",
        ),
        element("footer", element("div", *_footer(), class_="wide")),
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", f"{verdict(report)}: {one_line(report.title)}"),
        style(STYLE_SHEET),
    )
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en').text}\n"


def _masthead(report: Report) -> tuple[Node, ...]:
    word, _colon, rest = headline(report).partition(": ")
    lead = rest[:1].upper() + rest[1:]
    links = [("#findings", "Findings"), ("#domain-controllers", "Domain controllers")]
    links[1:1] = [] if report.rollout is None else [("#rollout", "Rollout")]
    links += [("#adapters", "Adapters")] if report.adapters else []
    links += [("#controls", "Controls")]
    links += [] if report.changes is None else [("#changes", "Changes")]
    return (
        element("h1", one_line(report.title)),
        element("p", word, class_="verdict"),
        element("p", lead, class_="lead"),
        element("p", "As of ", utc_time(report.generated_at), class_="muted small"),
        element(
            "nav",
            element("ul", *(element("li", element("a", text, href=target)) for target, text in links)),
            aria_label="Sections",
        ),
    )


def _numbers(report: Report) -> Markup:
    summary, numbers = report.summary, report.summary.findings
    noun = "DCs" if summary.read_only_required else "Writable DCs"
    tiles: list[tuple[str, str, str]] = []
    if report.domain_controllers:
        good = summary.capturing == summary.domain_controllers and not summary.until_next_restart
        value = f"{summary.capturing} of {summary.domain_controllers}"
        tiles.append((f"{noun} that capture changes", value, "good" if good else "bad"))
    if summary.until_next_restart:
        tiles.append(("Only until next restart", str(summary.until_next_restart), "warn"))
    tiles.append(("Drift", str(numbers[Status.DRIFT]), "bad" if numbers[Status.DRIFT] else ""))
    if numbers[Status.MANUAL]:
        tiles.append(("Manual", str(numbers[Status.MANUAL]), "bad"))
    tiles.append(("Unknown", str(numbers[Status.UNKNOWN]), "warn" if numbers[Status.UNKNOWN] else ""))
    if numbers[Status.WAIVED]:
        tiles.append(("Waived", str(numbers[Status.WAIVED]), ""))
    if summary.not_judged:
        tiles.append(("Not judged", str(summary.not_judged), "bad"))
    exempt = summary.read_only_exempt + summary.writable_exempt
    if exempt:
        tiles.append(("Exempt DCs" if exempt > 1 else "Exempt DC", str(exempt), ""))
    if summary.adapters:
        good = summary.adapters_enabled == summary.adapters
        value = f"{summary.adapters_enabled} of {summary.adapters}"
        tiles.append(("Adapters enabled", value, "good" if good else "bad"))
    return element(
        "section",
        element("dl", *(_tile(*tile) for tile in tiles), class_="numbers"),
        aria_label="Numbers",
    )


def _tile(label: str, value: str, tint: str) -> Markup:
    return element("div", element("dt", label), element("dd", value), class_=tint or None)


def _notes(report: Report) -> Node:
    notes = [*report.notes]
    if report.not_judged:
        notes.append(f"No finding explains the state of {', '.join(report.not_judged)}; that is not compliant.")
    if not notes:
        return None
    return section("notes", "Notes", *(element("p", sentence(note), class_="note") for note in notes))


def _grouped(findings: Sequence[Finding]) -> tuple[tuple[Finding, ...], ...]:
    """Puts findings that differ only in their subject together, so that 100 DCs with one problem are one problem."""
    groups: dict[tuple[str, ...], list[Finding]] = {}
    for item in findings:
        key = (item.severity, item.status, item.control, item.title, item.message, item.consequence)
        groups.setdefault(key, []).append(item)
    return tuple(tuple(group) for group in groups.values())


def _findings(report: Report, groups: Sequence[Sequence[Finding]]) -> Markup:
    if not groups:
        text = "No finding is open." if report.compliant else "No finding is open, but the report is not complete."
        return section("findings", "Findings", element("p", text))
    title = f"Findings ({len(report.open_findings)} open, worst first)"
    return section("findings", title, *(_finding_card(number, group) for number, group in enumerate(groups, 1)))


def _finding_card(number: int, group: Sequence[Finding]) -> Markup:
    first = group[0]
    return element(
        "article",
        element(
            "div",
            element("code", one_line(first.control)),
            element("span", one_line(first.title), class_="muted small"),
            badge(f"{first.severity.value.capitalize()} severity", _SEVERITY_TINTS[first.severity]),
            badge(STATUS_NAMES[first.status]),
            class_="labels",
        ),
        element("h3", sentence(first.message) or sentence(first.title)),
        element("p", sentence(first.consequence)) if first.consequence.strip() else None,
        element("p", f"On {count(len(group), 'host')}:") if len(group) > 1 else None,
        *(_subject(item) for item in group),
        id=f"finding-{number}",
        class_=f"finding {first.severity.value}",
    )


def _subject(item: Finding) -> Markup:
    evidence: list[Node] = []
    if item.evidence.strip() or item.observed_at.strip():
        evidence = ["Evidence: ", one_line(item.evidence)]
        if item.observed_at.strip():
            evidence += [", " if item.evidence.strip() else None, utc_time(item.observed_at)]
    repair = item.repair.strip()
    how: Node = None
    if repair:
        how = element("p", repair) if item.status is Status.MANUAL else element("pre", element("code", repair))
    return element(
        "div",
        element(
            "p",
            element("span", one_line(item.subject), class_="name"),
            f" ({one_line(item.site)})" if item.site.strip() else None,
        ),
        element("p", *evidence, class_="muted small") if evidence else None,
        element("p", f"{repair_label(item)}:", class_="small") if repair else None,
        how,
        class_="subject",
    )


def _footer() -> tuple[Node, ...]:
    return (
        element(
            "p",
            "Unknown is never compliant: what could not be read fails the check. ",
            "Proved: an event says so. Inferred: files, registry and boot time say so.",
        ),
        element("p", "Made by the Ansible collection entsso.password_sync."),
    )
