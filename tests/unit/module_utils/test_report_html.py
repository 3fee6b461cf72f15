# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTML report: one file that loads nothing, says everything, and lets nothing from a host become markup."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import given

from ansible_collections.entsso.password_sync.plugins.module_utils.judge._finding import CaptureState, Status
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._domain_controllers import Role
from ansible_collections.entsso.password_sync.plugins.module_utils.report._printable import one_line
from ansible_collections.entsso.password_sync.plugins.module_utils.report._report import (
    AdapterRow,
    DomainControllerRow,
    Report,
    headline,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.report._report_html import render_html
from ansible_collections.entsso.password_sync.plugins.module_utils.report._report_style import (
    DARK,
    LIGHT,
    READABLE_ON,
    STYLE_SHEET,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_plan import plan_rollout
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_policy import (
    DomainController,
    Policy,
    Work,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_progress import (
    Progress,
    Rollout,
    Step,
)
from ansible_collections.entsso.password_sync.tests.unit.module_utils.report_examples import (
    drift_findings,
    drift_report,
    fqdn,
    repaired_report,
    stopped_report,
    working_row,
)
from ansible_collections.entsso.password_sync.tests.unit.module_utils.report_strategies import RELAXED, reports

VOID = {"meta"}
INLINE = {"a", "code", "span", "time"}
BLOCKS = {
    *("html", "head", "meta", "title", "style", "body", "header", "main", "footer", "section", "nav", "article", "div"),
    *(
        "p",
        "h1",
        "h2",
        "h3",
        "ul",
        "li",
        "pre",
        "dl",
        "dt",
        "dd",
        "table",
        "caption",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
    ),
}
PICTURE = {"svg", "g", "rect", "line", "text", "desc"}
TAGS = INLINE | BLOCKS | PICTURE
DRAWING = {
    *("xmlns", "width", "height", "viewbox", "x", "y", "x1", "x2", "y1", "y2", "rx", "fill", "stroke"),
    *("stroke-width", "text-anchor", "font-size", "font-weight"),
}
ATTRIBUTES = DRAWING | {
    *("lang", "charset", "http-equiv", "content", "name", "class", "id", "href", "scope", "role", "tabindex"),
    *("datetime", "aria-label", "aria-labelledby"),
}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str | None]
    children: list[Element] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join("".join(self.texts).split())

    def all(self, tag: str) -> list[Element]:
        return [item for child in self.children for item in ([child] if child.tag == tag else []) + child.all(tag)]


class Reader(HTMLParser):
    """Builds a tree; fails where a tag is not closed in order."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("document", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Element(tag, dict(attrs))
        assert len(attrs) == len(node.attributes), "an attribute is there twice"
        self.open[-1].children.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag
        if tag in BLOCKS:
            self.handle_data("\n")

    def handle_data(self, data: str) -> None:
        for node in self.open:
            node.texts.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def handle_pi(self, data: str) -> None:
        raise AssertionError(f"a processing instruction: {data}")


def parse(report: Report) -> Element:
    reader = Reader()
    reader.feed(render_html(report))
    reader.close()
    assert reader.open == [reader.root]
    return reader.root


def by_id(root: Element, identifier: str) -> Element:
    (found,) = (item for tag in TAGS for item in root.all(tag) if item.attributes.get("id") == identifier)
    return found


def everything(root: Element) -> list[Element]:
    return [item for child in root.children for item in [child, *everything(child)]]


def rows_of(section: Element) -> list[list[str]]:
    (body,) = section.all("tbody")
    return [[cell.text for cell in row.children] for row in body.children]


@RELAXED
@given(reports)
def test_nothing_from_a_host_becomes_markup(report: Report) -> None:
    for node in everything(parse(report)):
        assert node.tag in TAGS
        assert set(node.attributes) <= ATTRIBUTES
        target = node.attributes.get("href")
        assert target is None or re.fullmatch(r"#[a-z0-9-]+", target)


@RELAXED
@given(reports)
def test_the_text_of_hosts_is_there_to_read(report: Report) -> None:
    page = parse(report).text
    for finding in report.open_findings:
        assert " ".join(one_line(finding.subject).split()) in page
        assert " ".join(one_line(finding.message).split()) in page
    for row in report.domain_controllers:
        assert " ".join(one_line(row.name).split()) in page


@RELAXED
@given(reports)
def test_the_page_can_be_written_as_utf_8_and_has_no_control_character(report: Report) -> None:
    page = render_html(report)
    page.encode("utf-8")
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", page)


@RELAXED
@given(reports)
def test_every_link_leads_to_something_and_every_identifier_is_there_once(report: Report) -> None:
    nodes = everything(parse(report))
    identifiers = [node.attributes["id"] for node in nodes if "id" in node.attributes]
    assert len(identifiers) == len(set(identifiers))
    assert {node.attributes["href"] for node in nodes if "href" in node.attributes} <= {
        f"#{name}" for name in identifiers
    }
    assert {node.attributes["aria-labelledby"] for node in nodes if "aria-labelledby" in node.attributes} <= set(
        identifiers
    )


def test_it_loads_nothing_and_says_so() -> None:
    page = render_html(stopped_report())
    assert not re.search(r"https?:|//|url\(|@import|<script|<link|<img|style=|\son[a-z]+=", page)
    (policy,) = (
        str(node.attributes["content"])
        for node in parse(stopped_report()).all("meta")
        if node.attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none'; ")
    shown = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert shown is not None
    digest = base64.b64encode(hashlib.sha256(shown.group(1).encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy


def test_the_first_words_are_the_verdict_and_the_headline() -> None:
    root = parse(drift_report())
    (banner,) = root.all("header")
    assert [item.text for item in banner.all("p")][:2] == [
        "NOT COMPLIANT",
        headline(drift_report()).removeprefix("NOT COMPLIANT: "),
    ]
    assert root.all("title")[0].text == "NOT COMPLIANT: Password synchronization in corp.example"
    assert parse(repaired_report()).all("header")[0].all("p")[0].text == "COMPLIANT"


def test_each_open_finding_has_its_consequence_evidence_and_repair() -> None:
    section = by_id(parse(drift_report()), "findings")
    cards = section.all("article")
    assert [card.all("code")[0].text for card in cards] == ["PCNS-002", "PCNS-004", "SSO-007"]
    card = cards[1]
    assert card.all("h3")[0].text == "PCNS is absent."
    assert "Password changes made on this DC never reach RACF or LDAP; those users must change again." in card.text
    assert "dc07.corp.example (Lyon)" in card.text
    assert "Evidence: registry, 2026-11-22 02:10:31 UTC" in card.text
    assert "Repair (one restart):" in card.text
    assert card.all("pre")[0].text == "ansible-playbook playbooks/domain_controllers.yml --limit dc07.corp.example"


def test_findings_that_differ_only_in_the_host_are_one_card() -> None:
    first = drift_findings()[0]
    other = replace(first, subject="dc08.corp.example", repair="repair dc08")
    section = by_id(parse(Report("T", "", (first, other))), "findings")
    (card,) = section.all("article")
    assert "On 2 hosts:" in card.text
    assert [item.text for item in card.all("pre")] == [first.repair, "repair dc08"]
    assert section.all("h2")[0].text == "Findings (2 open, worst first)"


def test_what_a_person_must_do_is_no_command() -> None:
    cards = by_id(parse(stopped_report()), "findings").all("article")
    (card,) = (item for item in cards if "Manual" in item.text)
    assert not card.all("pre")
    assert "Repair by hand (no restart): Remove it from the account" in card.text


def test_domain_controllers_come_worst_first_with_links_to_their_findings() -> None:
    section = by_id(parse(stopped_report()), "domain-controllers")
    rows = rows_of(section)
    assert [row[0].split(".")[0] for row in rows] == ["dc07", "dc04", "dc03", "dc05", "dc01", "dc02", "dc06"]
    assert [row[2] for row in rows] == [
        "No",
        "Not known",
        "Until next restart",
        "Yes",
        "Yes",
        "Yes",
        "Not required",
    ]
    assert rows[0][4].startswith("No, inferred")
    assert rows[2][4].startswith("Yes, proved")
    assert [row[6] for row in rows] == ["PCNS-004", "PCNS-001", "PCNS-002", "-", "PCNS-007", "-", "-"]
    target = str(section.all("a")[0].attributes["href"]).removeprefix("#")
    assert "PCNS is absent." in by_id(parse(stopped_report()), target).text
    assert "RODC" in rows[6][0]
    assert "Read-only: password changes are made on writable DCs." in rows[6][3]


def test_a_working_domain_controller_that_stops_at_its_next_restart_says_so() -> None:
    report = Report("T", "", (), (replace(working_row("dc01"), until_next_restart=True),))
    assert rows_of(by_id(parse(report), "domain-controllers"))[0][2] == "Until next restart"


@pytest.mark.parametrize("state", list(CaptureState))
def test_every_capture_state_is_shown(state: CaptureState) -> None:
    report = Report("T", "", (), (DomainControllerRow("dc01", "", state),))
    assert state.value in rows_of(by_id(parse(report), "domain-controllers"))[0][3]


def test_adapters_are_shown_those_that_do_not_work_first() -> None:
    report = Report(
        "T", "", adapters=(AdapterRow("A", True, ("x", "y")), AdapterRow("B", None), AdapterRow("C", False))
    )
    assert rows_of(by_id(parse(report), "adapters")) == [
        ["B", "Not known", "none"],
        ["C", "Disabled", "none"],
        ["A", "Enabled", "x, y"],
    ]


def test_controls_say_on_how_many_subjects_they_were_judged_and_which_were_not() -> None:
    section = by_id(parse(drift_report()), "controls")
    judged = {row[0]: row[3] for row in rows_of(section)}
    assert judged["PCNS-004"] == "5 compliant 1 drift 1 exempt"
    assert judged["SSO-007"] == "1 compliant 1 drift"
    report = replace(repaired_report(), findings=tuple(f for f in repaired_report().findings if f.control != "SSO-003"))
    assert "Not judged in this report: SSO-003." in by_id(parse(report), "controls").text


def test_nobody_has_to_look_for_a_waiver() -> None:
    rows = rows_of(by_id(parse(stopped_report()), "passed-over"))
    assert [
        "sso01.corp.example",
        "Waived",
        "SSO-004",
        "Waived until 2027-01-31 by j.martin: the age is raised for a migration.",
    ] in rows
    assert [row[2] for row in rows if row[1] == "Not applicable"] == ["PCNS-002, PCNS-003, PCNS-005, PCNS-009"]


def test_changes_are_shown_with_what_they_make_necessary() -> None:
    rows = rows_of(by_id(parse(stopped_report()), "changes"))
    assert rows[0][3] == "host restart"
    assert rows[2][2] == "start_mode=manual, running=false"
    assert "The run changed nothing." in by_id(parse(replace(repaired_report(), changes=())), "changes").text
    assert not [item for item in everything(parse(repaired_report())) if item.attributes.get("id") == "changes"]


def test_notes_are_shown_and_what_is_not_judged_is_one() -> None:
    assert "The rollout stopped at dc04.corp.example" in by_id(parse(stopped_report()), "notes").text


def test_a_rollout_comes_between_findings_and_domain_controllers() -> None:
    members = [
        DomainController(fqdn(name), "Paris", "corp.example", Work.PENDING, roles=frozenset(roles))
        for name, roles in (("dc01", {Role.PDC}), ("dc02", set[Role]()))
    ]
    waves = plan_rollout(members, Policy()).waves
    steps = (Step(fqdn("dc02"), Progress.DONE), Step(fqdn("dc01"), Progress.STOPPED, "Set-up failed. Read the log"))
    root = parse(replace(stopped_report(), rollout=Rollout(Policy(), waves, steps=steps)))
    for node in everything(root):
        assert node.tag in TAGS
        assert set(node.attributes) <= ATTRIBUTES
    sections = [item.attributes.get("id") for item in root.all("section")]
    assert sections.index("findings") < sections.index("rollout") < sections.index("domain-controllers")
    assert "#rollout" in {item.attributes.get("href") for item in root.all("a")}
    rows = rows_of(by_id(root, "rollout"))
    assert [row[1:3] for row in rows] == [
        [fqdn("dc02"), "done"],
        [fqdn("dc01"), "the rollout stopped hereSet-up failed. Read the log."],
    ]
    report = replace(
        repaired_report(),
        domain_controllers=(working_row("dc01"), DomainControllerRow("dc09", "", CaptureState.WORKING)),
    )
    assert (
        by_id(parse(report), "notes").all("p")[0].text
        == "No finding explains the state of dc09; that is not compliant."
    )


def test_an_empty_report_does_not_look_good() -> None:
    root = parse(Report("T", ""))
    assert "No finding is open, but the report is not complete." in by_id(root, "findings").text
    assert root.all("header")[0].attributes["class"] == "masthead bad"


def test_it_can_be_walked_by_landmarks_headings_and_headers() -> None:
    root = parse(stopped_report())
    for landmark in ("header", "nav", "main", "footer", "h1"):
        assert len(root.all(landmark)) == 1
    assert root.all("html")[0].attributes["lang"] == "en"
    for section in root.all("section"):
        assert section.attributes.get("aria-label") or section.attributes.get("aria-labelledby")
    for table in root.all("table"):
        assert table.all("caption")[0].text
        assert {head.attributes["scope"] for head in table.all("thead")[0].all("th")} == {"col"}
        columns = len(table.all("thead")[0].all("th"))
        for row in table.all("tbody")[0].children:
            assert row.children[0].attributes["scope"] == "row"
            assert len(row.children) == columns
    levels = [int(item.tag[1]) for item in everything(root) if re.fullmatch(r"h\d", item.tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def _luminance(colour: str) -> float:
    parts = (int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_text_has_the_contrast_that_wcag_asks_for(palette: dict[str, str]) -> None:
    for ink, grounds in READABLE_ON.items():
        for ground in grounds:
            light, dark = sorted((_luminance(palette[ink]), _luminance(palette[ground])), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5, f"{ink} on {ground}"


def test_the_style_sheet_uses_only_colours_that_both_palettes_have() -> None:
    assert set(LIGHT) == set(DARK)
    assert set(re.findall(r"var\(--([a-z-]+)\)", STYLE_SHEET)) <= set(LIGHT)


def test_dark_is_for_screens_and_paper_has_its_own_rules() -> None:
    assert "@media screen and (prefers-color-scheme:dark)" in STYLE_SHEET
    assert "@media print" in STYLE_SHEET
    assert "@media (max-width:40rem)" in STYLE_SHEET


def test_statuses_that_pass_are_not_in_the_open_findings() -> None:
    found = replace(drift_findings()[0], status=Status.WAIVED)
    root = parse(Report("T", "", (found,)))
    assert not by_id(root, "findings").all("article")
    assert fqdn("dc07") in by_id(root, "passed-over").text
