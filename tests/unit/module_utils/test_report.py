# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report: when it is compliant, its numbers, and its words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from ansible_collections.entsso.password_sync.plugins.module_utils.judge._controls import get_control
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._finding import (
    CaptureState,
    Finding,
    Severity,
    Status,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.report._report import (
    AdapterRow,
    DomainControllerRow,
    Report,
    finding_line,
    headline,
    report_lines,
    time_of_day,
)
from ansible_collections.entsso.password_sync.tests.unit.module_utils.report_examples import (
    drift_findings,
    drift_report,
    fqdn,
    repaired_report,
    stopped_report,
    working_row,
)
from ansible_collections.entsso.password_sync.tests.unit.module_utils.report_strategies import (
    RELAXED,
    findings,
    reports,
)


def one_finding(status: Status, subject: str = "dc01.corp.example", control: str = "PCNS-004") -> Finding:
    return get_control(control).finding(status, subject, "Message")


def report_of(*rows: DomainControllerRow, adapters: tuple[AdapterRow, ...] = ()) -> Report:
    """A report in which each row is judged as its state is."""
    found = tuple(
        one_finding(Status.COMPLIANT if row.capture_state is CaptureState.WORKING else Status.DRIFT, row.name)
        for row in rows
    )
    return Report("Title", "2026-11-22T02:11:04Z", found, rows, adapters)


def row(name: str, state: CaptureState = CaptureState.WORKING, **values: object) -> DomainControllerRow:
    return replace(DomainControllerRow(name, "Lyon", state), **values)  # type: ignore[arg-type]


class TestHeadline:
    def test_drift_of_the_demo(self) -> None:
        assert headline(drift_report(), "build/demo/report.html") == (
            "NOT COMPLIANT: 5 of 6 writable DCs capture password changes (1 only until its next restart); "
            "3 drift, 0 unknown, 1 RODC exempt. Adapters 1/2 enabled. Report: build/demo/report.html"
        )

    def test_after_the_repair(self) -> None:
        assert headline(repaired_report(), "r.html") == (
            "COMPLIANT: all 6 writable DCs capture password changes; 0 drift, 0 unknown, 1 RODC exempt. "
            "Adapters 2/2 enabled. Report: r.html"
        )

    def test_every_kind_of_finding_is_counted(self) -> None:
        assert headline(stopped_report()) == (
            "NOT COMPLIANT: 4 of 6 writable DCs capture password changes (1 only until its next restart, 1 not known); "
            "3 drift, 1 manual, 1 unknown, 1 waived, 1 RODC exempt. Adapters 1/2 enabled."
        )

    def test_one_domain_controller(self) -> None:
        assert headline(report_of(row("a"))) == (
            "COMPLIANT: the one writable DC captures password changes; 0 drift, 0 unknown."
        )

    def test_one_of_one_that_does_not(self) -> None:
        assert headline(report_of(row("a", CaptureState.ABSENT))) == (
            "NOT COMPLIANT: 0 of 1 writable DC capture password changes; 1 drift, 0 unknown."
        )

    def test_one_of_two(self) -> None:
        text = headline(report_of(row("a"), row("b", CaptureState.LOADED)))
        assert text.startswith("NOT COMPLIANT: 1 of 2 writable DCs captures password changes; 1 drift")

    def test_several_until_their_next_restart(self) -> None:
        report = report_of(row("a", CaptureState.UNREGISTERED), row("b", until_next_restart=True), row("c"))
        assert "all 3 writable DCs capture password changes (2 only until their next restart);" in headline(report)

    def test_several_exempt(self) -> None:
        exempt = (row("a", CaptureState.EXEMPT, read_only=True), row("b", CaptureState.EXEMPT, read_only=True))
        writable = row("c", CaptureState.ABSENT, exempt_reason="breaks the loop of two-way synchronization")
        report = Report("T", "", (one_finding(Status.COMPLIANT, "d"),), (*exempt, writable, row("d")))
        assert headline(report) == (
            "COMPLIANT: 1 of 2 writable DCs captures password changes; "
            "0 drift, 0 unknown, 2 RODCs exempt, 1 writable DC exempt."
        )

    def test_an_rodc_that_is_not_exempt_must_capture(self) -> None:
        report = report_of(row("a"), row("b", CaptureState.ABSENT, read_only=True))
        assert "1 of 2 DCs captures" in headline(report)

    def test_sso_side_alone(self) -> None:
        report = Report(
            "T", "", (one_finding(Status.COMPLIANT, "sso01", "SSO-003"),), (), (AdapterRow("RACF", True, ()),)
        )
        assert headline(report) == "COMPLIANT: no DC in this report; 0 drift, 0 unknown. Adapters 1/1 enabled."

    def test_read_only_domain_controllers_alone(self) -> None:
        report = Report("T", "", (one_finding(Status.COMPLIANT),), (row("a", CaptureState.EXEMPT, read_only=True),))
        assert "no writable DC in this report; 0 drift, 0 unknown, 1 RODC exempt." in headline(report)

    def test_an_adapter_that_could_not_be_read(self) -> None:
        report = report_of(row("a"), adapters=(AdapterRow("RACF", None), AdapterRow("LDAP", True)))
        assert "Adapters 1/2 enabled, 1 not known." in headline(report)
        assert "1 not judged" in headline(report)

    def test_empty_report(self) -> None:
        assert headline(Report("T", "")) == "NOT COMPLIANT: nothing was observed; no control was judged."

    @RELAXED
    @given(reports)
    def test_is_one_line_that_says_the_verdict(self, report: Report) -> None:
        text = headline(report, "a\nb\x1b[0m")
        assert len(text.splitlines()) == 1
        assert "\x1b" not in text
        assert text.startswith("COMPLIANT: " if report.compliant else "NOT COMPLIANT: ")


class TestFindingLine:
    def test_as_the_readme_shows_it(self) -> None:
        assert finding_line(drift_findings()[0]) == (
            "PCNS-004 HIGH drift dc07.corp.example (Lyon). PCNS is absent. Password changes made on this DC never "
            "reach RACF or LDAP; those users must change again. Evidence: registry, 02:10:31Z. Repair (one restart): "
            "ansible-playbook playbooks/domain_controllers.yml --limit dc07.corp.example"
        )

    def test_with_nothing_but_the_necessary(self) -> None:
        bare = Finding("PCNS-001", "T", Severity.LOW, Status.UNKNOWN, "dc01")
        assert finding_line(bare) == "PCNS-001 LOW unknown dc01."

    def test_by_hand(self) -> None:
        manual = Finding("PCNS-007", "T", Severity.HIGH, Status.MANUAL, "dc01", repair="Ask", restarts=0)
        assert finding_line(manual) == "PCNS-007 HIGH manual dc01. Repair by hand (no restart): Ask"

    @pytest.mark.parametrize(
        ("restarts", "words"),
        [(0, "(no restart)"), (1, "(one restart)"), (2, "(two restarts)"), (7, "(7 restarts)")],
    )
    def test_restarts(self, restarts: int, words: str) -> None:
        assert f"Repair {words}: do" in finding_line(
            Finding("C", "T", Severity.HIGH, Status.DRIFT, "dc01", repair="do", restarts=restarts)
        )

    @RELAXED
    @given(findings)
    def test_is_one_line_whatever_a_host_sends(self, finding: Finding) -> None:
        line = finding_line(finding)
        assert len(line.splitlines()) == 1
        assert not [character for character in line if ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0]
        line.encode("utf-8")

    @pytest.mark.parametrize(
        ("moment", "expected"),
        [
            ("2026-11-22T02:10:31Z", "02:10:31Z"),
            ("2026-11-22T02:10:31.5Z", "02:10:31Z"),
            ("2026-11-22T02:10:31+01:00", "2026-11-22T02:10:31+01:00"),
            ("", ""),
        ],
    )
    def test_time_of_day_only_where_it_is_utc(self, moment: str, expected: str) -> None:
        assert time_of_day(moment) == expected


class TestCompliant:
    def test_the_repaired_estate_is(self) -> None:
        assert repaired_report().compliant

    def test_an_empty_report_is_not(self) -> None:
        assert not Report("T", "").compliant

    @pytest.mark.parametrize("status", [Status.DRIFT, Status.MANUAL, Status.UNKNOWN])
    def test_one_finding_that_fails_is_enough(self, status: Status) -> None:
        base = repaired_report()
        assert not replace(base, findings=(*base.findings, one_finding(status))).compliant

    @pytest.mark.parametrize("status", [Status.WAIVED, Status.EXEMPT, Status.NOT_APPLICABLE])
    def test_a_finding_that_passes_does_not_matter(self, status: Status) -> None:
        base = repaired_report()
        assert replace(base, findings=(*base.findings, one_finding(status))).compliant

    def test_nothing_observed_is_not_compliant_even_without_open_findings(self) -> None:
        report = Report("T", "", (one_finding(Status.EXEMPT),), (row("dc01.corp.example", CaptureState.EXEMPT),))
        assert not report.open_findings
        assert not report.compliant

    def test_a_domain_controller_that_no_finding_judges_is_not(self) -> None:
        base = repaired_report()
        report = replace(base, domain_controllers=(*base.domain_controllers, row("dc09.corp.example")))
        assert report.not_judged == ("dc09.corp.example",)
        assert not report.compliant
        assert "1 not judged" in headline(report)

    @pytest.mark.parametrize("state", [item for item in CaptureState if item.name not in ("WORKING", "EXEMPT")])
    def test_a_domain_controller_that_does_not_work_needs_a_finding_that_says_so(self, state: CaptureState) -> None:
        base = repaired_report()
        changed = replace(working_row("dc01"), capture_state=state)
        rows = tuple(changed if item.name == fqdn("dc01") else item for item in base.domain_controllers)
        assert not replace(base, domain_controllers=rows).compliant

    def test_a_waiver_explains_a_domain_controller_that_does_not_work(self) -> None:
        report = Report(
            "T",
            "",
            (one_finding(Status.WAIVED, "A"), one_finding(Status.COMPLIANT, "b")),
            (row("a", CaptureState.LOADED), row("b")),
        )
        assert report.compliant

    def test_an_adapter_that_could_not_be_read_needs_a_finding(self) -> None:
        base = repaired_report()
        unread = replace(base, adapters=(AdapterRow("RACF", None),))
        assert not unread.compliant
        waived = replace(unread, findings=(*unread.findings, one_finding(Status.WAIVED, "sso01", "SSO-007")))
        assert waived.compliant

    @RELAXED
    @given(reports)
    def test_never_with_a_finding_that_fails_or_nothing_found(self, report: Report) -> None:
        if report.compliant:
            assert report.findings
            assert not report.open_findings
            assert all(
                item.exempt or any(found.subject.lower() == item.name.lower() for found in report.findings)
                for item in report.domain_controllers
            )


class TestSummary:
    def test_numbers_of_the_drift(self) -> None:
        summary = drift_report().summary
        assert (summary.domain_controllers, summary.capturing, summary.until_next_restart) == (6, 5, 1)
        assert (summary.read_only_exempt, summary.writable_exempt, summary.capture_unknown) == (1, 0, 0)
        assert (summary.adapters, summary.adapters_enabled, summary.adapters_unknown) == (2, 1, 0)
        assert summary.findings[Status.DRIFT] == 3
        assert summary.findings[Status.NOT_APPLICABLE] == 4
        assert sum(summary.findings.values()) == len(drift_report().findings)

    def test_a_domain_controller_that_is_not_known_does_not_count_as_capturing(self) -> None:
        summary = report_of(row("a"), row("b", CaptureState.UNKNOWN)).summary
        assert (summary.domain_controllers, summary.capturing, summary.capture_unknown) == (2, 1, 1)

    def test_lost_at_restart_needs_to_capture_now(self) -> None:
        assert row("a", CaptureState.UNREGISTERED).lost_at_restart
        assert row("a", until_next_restart=True).lost_at_restart
        assert not row("a", CaptureState.ABSENT, until_next_restart=True).lost_at_restart

    @RELAXED
    @given(reports)
    def test_parts_are_no_more_than_the_whole(self, report: Report) -> None:
        summary = report.summary
        assert summary.until_next_restart <= summary.capturing <= summary.domain_controllers
        assert summary.capturing + summary.capture_unknown <= summary.domain_controllers
        assert summary.domain_controllers + summary.read_only_exempt == len(report.domain_controllers)
        assert summary.adapters_enabled + summary.adapters_unknown <= summary.adapters == len(report.adapters)


class TestOrder:
    def test_open_findings_come_worst_first(self) -> None:
        medium = one_finding(Status.DRIFT, control="PCNS-009")
        unknown = one_finding(Status.UNKNOWN, control="PCNS-001")
        drift = one_finding(Status.DRIFT)
        passing = one_finding(Status.COMPLIANT)
        report = Report("T", "", (passing, medium, unknown, drift))
        assert report.open_findings == (drift, unknown, medium)
        assert report.ordered_findings == (drift, unknown, medium, passing)

    def test_lines_are_headline_findings_notes(self) -> None:
        report = stopped_report()
        lines = report_lines(report, "r.html")
        assert lines[0] == headline(report, "r.html")
        assert lines[1:6] == tuple(finding_line(item) for item in report.open_findings)
        (note,) = lines[6:]
        assert note == (
            "Note: The rollout stopped at dc04.corp.example because it did not answer after its restart; "
            "dc07 was not begun."
        )
