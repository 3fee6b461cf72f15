# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The compliance report as JUnit XML: for the test view of a pipeline.

There is one test suite for each subject and one test case for each finding. Drift and what only a person can mend
is a failure; unknown is an error; waived, exempt and not applicable are skipped. A suite of its own stands for the
report as a whole, so that a report in which nothing was observed is not green for want of tests. The file has a
failure or an error exactly when the report is not compliant.

Elements and attributes are those of the schema that the Jenkins xUnit plugin publishes (junit-10.xsd).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree

from ansible_collections.entsso.password_sync.plugins.module_utils.judge._finding import Finding, Status
from ansible_collections.entsso.password_sync.plugins.module_utils.report._printable import (
    one_line,
    printable,
    sentence,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.report._report import (
    Report,
    headline,
    repair_label,
    report_lines,
)

_ELEMENT: Mapping[Status, str] = {
    Status.DRIFT: "failure",
    Status.MANUAL: "failure",
    Status.UNKNOWN: "error",
    Status.WAIVED: "skipped",
    Status.EXEMPT: "skipped",
    Status.NOT_APPLICABLE: "skipped",
}
_TIMESTAMP = re.compile(r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.\d+)?Z")
_CLASS_PREFIX = "password_sync"


def render_junit(report: Report) -> str:
    """Returns the text of the XML file, to be written as UTF-8."""
    suites = [_report_suite(report)]
    subjects = sorted({finding.subject for finding in report.findings}, key=lambda name: (name.lower(), name))
    for subject in subjects:
        suites.append(_subject_suite(report, subject, [item for item in report.findings if item.subject == subject]))
    root = ElementTree.Element("testsuites", {"name": one_line(report.title)})
    for attribute in ("tests", "failures", "errors"):
        root.set(attribute, str(sum(int(suite.get(attribute, "0")) for suite in suites)))
    root.set("time", "0")
    root.extend(suites)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _report_suite(report: Report) -> ElementTree.Element:
    """The report as a whole: an error when nothing was observed or judged, or something is left unjudged."""
    case = _case("report", "Everything in the report was observed and judged")
    if not report.observed:
        problem = "Nothing was observed."
    elif not report.findings:
        problem = "No control was judged."
    elif report.not_judged:
        problem = f"No finding explains the state of {', '.join(one_line(name) for name in report.not_judged)}."
    else:
        problem = ""
    if problem:
        ElementTree.SubElement(case, "error", {"message": problem, "type": "incomplete"}).text = headline(report)
    suite = _suite(report, one_line(report.title) or "report", [case])
    ElementTree.SubElement(suite, "system-out").text = "\n".join(report_lines(report))
    return suite


def _subject_suite(report: Report, subject: str, findings: Sequence[Finding]) -> ElementTree.Element:
    cases = []
    names: Counter[str] = Counter()
    for finding in sorted(findings, key=lambda item: (item.control, item.title, item.message)):
        # Consumers know a test again by class and name, so the name holds nothing that changes between runs.
        name = f"{one_line(finding.control)} {one_line(subject)}: {one_line(finding.title)}"
        names[name] += 1
        if names[name] > 1:
            name = f"{name} ({names[name]})"
        case = _case(one_line(finding.control), name)
        element = _ELEMENT.get(finding.status)
        if element is not None:
            message = sentence(finding.message) or one_line(finding.status.value)
            outcome = ElementTree.SubElement(case, element, {"message": message, "type": finding.status.value})
            outcome.text = _details(finding)
        cases.append(case)
    return _suite(report, one_line(subject), cases, site=next((item.site for item in findings if item.site), ""))


def _details(finding: Finding) -> str:
    seen = ", ".join(item for item in (one_line(finding.evidence), one_line(finding.observed_at)) if item)
    lines = [
        f"Severity: {finding.severity.value}",
        f"Message: {one_line(finding.message)}" if finding.message else "",
        f"Consequence: {one_line(finding.consequence)}" if finding.consequence else "",
        f"Evidence: {seen}" if seen else "",
        f"{repair_label(finding)}: {printable(finding.repair)}" if finding.repair else "",
    ]
    return "\n".join(line for line in lines if line)


def _case(control: str, name: str) -> ElementTree.Element:
    # The class is the control and not the host: consumers split class names at dots, which would cut a host name.
    return ElementTree.Element("testcase", {"classname": f"{_CLASS_PREFIX}.{control}", "name": name, "time": "0"})


def _suite(report: Report, name: str, cases: Sequence[ElementTree.Element], *, site: str = "") -> ElementTree.Element:
    suite = ElementTree.Element("testsuite", {"name": name, "tests": str(len(cases))})
    for attribute, element in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(attribute, str(sum(case.find(element) is not None for case in cases)))
    suite.set("time", "0")
    match = _TIMESTAMP.fullmatch(report.generated_at)
    if match:
        # JUnit's time stamps are UTC by convention and carry no zone.
        suite.set("timestamp", match.group(1))
    if site:
        properties = ElementTree.SubElement(suite, "properties")
        ElementTree.SubElement(properties, "property", {"name": "site", "value": one_line(site)})
    suite.extend(cases)
    return suite
