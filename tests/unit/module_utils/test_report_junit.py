# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The JUnit report: well-formed whatever hosts send, red exactly when the report is not compliant."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given

from ansible_collections.entsso.password_sync.plugins.module_utils.judge._controls import get_control
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._finding import CaptureState, Status
from ansible_collections.entsso.password_sync.plugins.module_utils.report._printable import one_line
from ansible_collections.entsso.password_sync.plugins.module_utils.report._report import DomainControllerRow, Report
from ansible_collections.entsso.password_sync.plugins.module_utils.report._report_junit import render_junit
from ansible_collections.entsso.password_sync.tests.unit.module_utils.report_examples import (
    drift_report,
    repaired_report,
    stopped_report,
)
from ansible_collections.entsso.password_sync.tests.unit.module_utils.report_strategies import RELAXED, reports

# Element by element what junit-10.xsd of the Jenkins xUnit plugin allows (of what is used here).
ATTRIBUTES = {
    "testsuites": {"name", "tests", "failures", "errors", "time"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time", "timestamp"},
    "properties": set(),
    "property": {"name", "value"},
    "testcase": {"name", "classname", "time"},
    "failure": {"type", "message"},
    "error": {"type", "message"},
    "skipped": {"type", "message"},
    "system-out": set(),
}
CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"properties", "testcase", "system-out"},
    "properties": {"property"},
    "testcase": {"failure", "error", "skipped"},
}


def parse(report: Report) -> ElementTree.Element:
    return ElementTree.fromstring(render_junit(report).encode("utf-8"))


def suite_of(root: ElementTree.Element, name: str) -> ElementTree.Element:
    (found,) = (suite for suite in root.findall("testsuite") if suite.get("name") == name)
    return found


def case_of(suite: ElementTree.Element, control: str) -> ElementTree.Element:
    (found,) = (case for case in suite.findall("testcase") if case.get("classname") == f"password_sync.{control}")
    return found


@RELAXED
@given(reports)
def test_any_report_is_well_formed_and_keeps_to_the_schema(report: Report) -> None:
    root = parse(report)
    for node in root.iter():
        assert set(node.attrib) <= ATTRIBUTES[node.tag]
        assert {child.tag for child in node} <= CHILDREN.get(node.tag, set())


@RELAXED
@given(reports)
def test_it_is_red_exactly_when_the_report_is_not_compliant(report: Report) -> None:
    root = parse(report)
    red = root.findall(".//failure") + root.findall(".//error")
    assert bool(red) is not report.compliant


@RELAXED
@given(reports)
def test_the_counts_are_those_of_the_elements(report: Report) -> None:
    root = parse(report)
    for node in (root, *root.findall("testsuite")):
        assert int(node.get("tests", "")) == len(node.findall(".//testcase"))
        assert int(node.get("failures", "")) == len(node.findall(".//failure"))
        assert int(node.get("errors", "")) == len(node.findall(".//error"))
    for suite in root.findall("testsuite"):
        assert int(suite.get("skipped", "")) == len(suite.findall(".//skipped"))
    assert int(root.get("tests", "")) == len(report.findings) + 1


@RELAXED
@given(reports)
def test_text_of_hosts_comes_back_as_text(report: Report) -> None:
    root = parse(report)
    assert {suite.get("name") for suite in root.findall("testsuite")[1:]} == {
        one_line(finding.subject) for finding in report.findings
    }
    cases = [(case.get("classname"), case.get("name")) for case in root.iter("testcase")]
    for finding in report.findings:
        wanted = f"{one_line(finding.control)} {one_line(finding.subject)}: {one_line(finding.title)}"
        assert any(name is not None and name.startswith(wanted) for _control, name in cases)


@pytest.mark.parametrize(
    ("status", "element"),
    [
        (Status.COMPLIANT, None),
        (Status.DRIFT, "failure"),
        (Status.MANUAL, "failure"),
        (Status.UNKNOWN, "error"),
        (Status.WAIVED, "skipped"),
        (Status.EXEMPT, "skipped"),
        (Status.NOT_APPLICABLE, "skipped"),
    ],
)
def test_each_status_has_its_outcome(status: Status, element: str | None) -> None:
    report = Report("T", "", (get_control("PCNS-004").finding(status, "dc01", "Message"),))
    case = case_of(suite_of(parse(report), "dc01"), "PCNS-004")
    assert [child.tag for child in case] == ([element] if element else [])
    if element:
        assert (case[0].get("type"), case[0].get("message")) == (status.value, "Message.")


def test_a_failure_says_all_that_is_known() -> None:
    case = case_of(suite_of(parse(drift_report()), "dc07.corp.example"), "PCNS-004")
    assert case.get("name") == "PCNS-004 dc07.corp.example: Capture component and PCNS are installed"
    assert case[0].get("message") == "PCNS is absent."
    assert (case[0].text or "").splitlines() == [
        "Severity: high",
        "Message: PCNS is absent",
        "Consequence: Password changes made on this DC never reach RACF or LDAP; those users must change again.",
        "Evidence: registry, 2026-11-22T02:10:31Z",
        "Repair (one restart): ansible-playbook playbooks/domain_controllers.yml --limit dc07.corp.example",
    ]


def test_the_demo_has_three_failures_and_no_error() -> None:
    root = parse(drift_report())
    assert (root.get("failures"), root.get("errors")) == ("3", "0")
    root = parse(repaired_report())
    assert (root.get("failures"), root.get("errors")) == ("0", "0")
    root = parse(stopped_report())
    assert (root.get("failures"), root.get("errors")) == ("4", "1")


def test_test_names_are_distinct_and_the_same_at_the_next_run() -> None:
    def names(report: Report) -> list[str]:
        return [f"{case.get('classname')} {case.get('name')}" for case in parse(report).iter("testcase")]

    assert len(set(names(drift_report()))) == len(names(drift_report()))
    assert set(names(drift_report())) == set(names(repaired_report()))


def test_two_findings_of_one_control_on_one_subject_are_two_tests() -> None:
    control = get_control("SSO-007")
    report = Report(
        "T", "", tuple(control.finding(Status.DRIFT, "sso01", f"{name} is disabled") for name in ("A", "B"))
    )
    names = [case.get("name") for case in suite_of(parse(report), "sso01").findall("testcase")]
    assert names == ["SSO-007 sso01: Adapter is enabled", "SSO-007 sso01: Adapter is enabled (2)"]


def test_an_empty_report_is_an_error_and_not_green() -> None:
    root = parse(Report("T", ""))
    assert root.find(".//error").get("message") == "Nothing was observed."  # type: ignore[union-attr]


def test_a_domain_controller_without_a_finding_is_an_error() -> None:
    rows = (
        DomainControllerRow("dc01", "", CaptureState.WORKING),
        DomainControllerRow("dc02", "", CaptureState.WORKING),
    )
    report = Report("T", "", (get_control("PCNS-004").finding(Status.COMPLIANT, "dc01", "m"),), rows)
    root = parse(report)
    assert root.find(".//error").get("message") == "No finding explains the state of dc02."  # type: ignore[union-attr]


def test_rows_without_any_finding_are_an_error() -> None:
    report = Report("T", "", (), (DomainControllerRow("dc01", "", CaptureState.WORKING),))
    assert parse(report).find(".//error").get("message") == "No control was judged."  # type: ignore[union-attr]


def test_site_and_time_are_kept_where_they_are_known() -> None:
    suite = suite_of(parse(drift_report()), "dc07.corp.example")
    assert suite.get("timestamp") == "2026-11-22T02:11:04"
    assert suite.find("properties/property").attrib == {"name": "site", "value": "Lyon"}  # type: ignore[union-attr]
    assert all(node.get("timestamp") is None for node in parse(Report("T", "yesterday")))


def test_the_declaration_names_the_encoding() -> None:
    assert re.match(r'<\?xml version="1\.0" encoding="UTF-8"\?>\n<testsuites ', render_junit(drift_report()))
