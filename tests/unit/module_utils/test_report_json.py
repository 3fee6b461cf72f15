# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The JSON report: stable, read back equal, derived numbers never believed, anything else refused in one sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given

from ansible_collections.entsso.password_sync.plugins.module_utils.judge._finding import Status
from ansible_collections.entsso.password_sync.plugins.module_utils.report._report import Report, headline
from ansible_collections.entsso.password_sync.plugins.module_utils.report._report_json import (
    SCHEMA_VERSION,
    ReportFormatError,
    change_from_json,
    parse_json,
    render_json,
    report_from_json,
    report_to_json,
)
from ansible_collections.entsso.password_sync.tests.unit.module_utils.report_examples import (
    drift_report,
    repaired_report,
    stopped_report,
)
from ansible_collections.entsso.password_sync.tests.unit.module_utils.report_strategies import RELAXED, reports


@RELAXED
@given(reports)
def test_any_report_is_read_back_equal(report: Report) -> None:
    text = render_json(report)
    assert parse_json(text) == report
    assert render_json(parse_json(text)) == text
    text.encode("ascii")


@pytest.mark.parametrize("report", [drift_report(), repaired_report(), stopped_report()])
def test_the_examples_are_read_back_equal(report: Report) -> None:
    assert parse_json(render_json(report)) == report


def test_members_keep_their_order() -> None:
    data = json.loads(render_json(drift_report()))
    assert list(data) == [
        "schema_version",
        "title",
        "generated_at",
        "compliant",
        "headline",
        "summary",
        "domain_controllers",
        "adapters",
        "findings",
        "changes",
        "notes",
        "rollout",
    ]


def test_what_other_programs_want_first_is_there() -> None:
    data = json.loads(render_json(drift_report()))
    assert data["schema_version"] == SCHEMA_VERSION == 1
    assert data["compliant"] is False
    assert data["headline"] == headline(drift_report())
    assert data["summary"]["capturing"] == 5
    assert data["summary"]["findings"] == {status.value: drift_report().summary.findings[status] for status in Status}
    assert data["domain_controllers"][0] == {
        "name": "dc01.corp.example",
        "site": "Paris",
        "capture_state": "working",
        "grade": "proved",
        "evidence": "event 4614 of 2026-11-21T23:02:11Z",
        "version": "4.6.34.0",
        "read_only": False,
        "exempt_reason": "",
        "until_next_restart": False,
    }
    assert data["changes"] is None


def test_a_run_that_changed_nothing_differs_from_a_check() -> None:
    data = report_to_json(repaired_report())
    ran = report_from_json({**data, "changes": []})
    assert ran.changes == ()
    assert repaired_report().changes is None


def test_a_verdict_that_was_edited_is_not_believed() -> None:
    data = {**report_to_json(drift_report()), "compliant": True, "headline": "COMPLIANT", "summary": {}}
    assert not report_from_json(data).compliant


def test_members_of_a_later_writer_are_passed_over() -> None:
    assert report_from_json({**report_to_json(drift_report()), "later": 1}) == drift_report()


def _without(name: str) -> Callable[[dict[str, Any]], Any]:
    return lambda data: {key: value for key, value in data.items() if key != name}


def _with(name: str, value: object) -> Callable[[dict[str, Any]], Any]:
    return lambda data: {**data, name: value}


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda data: [data], "The report is no mapping but a list"),
        (_with("schema_version", 2), "schema_version 2; only 1 is understood"),
        (_with("schema_version", True), "schema_version True"),
        (_without("schema_version"), "schema_version None"),
        (_without("title"), "The report has no text in title"),
        (_with("generated_at", 5), "no text in generated_at"),
        (_with("findings", {}), "no list in findings"),
        (_with("findings", [5]), "The finding is no mapping but a int"),
        (_with("findings", [{}]), "a finding has no control"),
        (
            _with("findings", [{"control": "", "title": "", "severity": "high", "status": "fine", "subject": ""}]),
            "'fine' is not a valid Status",
        ),
        (
            _with(
                "findings",
                [
                    {
                        "control": "",
                        "title": "",
                        "severity": "high",
                        "status": "drift",
                        "subject": "",
                        "restarts": None,
                    }
                ],
            ),
            "A finding in the report can't be read",
        ),
        (_with("domain_controllers", [{"name": "a", "capture_state": "up"}]), "the capture state 'up'"),
        (_with("domain_controllers", [{"name": "a", "capture_state": "working"}]), "no text in site"),
        (_with("adapters", [{"name": "a", "enabled": "yes"}]), "neither true nor false in enabled"),
        (_with("adapters", [{"name": "a", "enabled": None, "applications": [1]}]), "no list of texts in applications"),
        (_with("notes", "note"), "no list of texts in notes"),
        (_with("changes", 5), "no list in changes"),
    ],
)
def test_anything_else_is_refused_with_a_sentence(spoil: Callable[[dict[str, Any]], Any], words: str) -> None:
    with pytest.raises(ReportFormatError) as caught:
        report_from_json(spoil(dict(report_to_json(drift_report()))))
    assert words in str(caught.value)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000])
def test_text_that_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(ReportFormatError, match=r"^The report is not JSON: "):
        parse_json(text)


@pytest.mark.parametrize(
    "change",
    [
        5,
        {},
        {"subject": "a", "resource": "b", "name": "c", "operation": "explode", "implies": []},
        {"subject": "a", "resource": "b", "name": "c", "operation": "create", "implies": ["explosion"]},
        {"subject": "a", "resource": "b", "name": "c", "operation": "create", "implies": [], "new": 5},
    ],
)
def test_what_is_no_change_is_refused(change: object) -> None:
    with pytest.raises(ReportFormatError):
        change_from_json(change)


def test_changes_are_those_that_modules_return() -> None:
    changes = stopped_report().changes
    assert changes is not None
    assert tuple(change_from_json(json.loads(json.dumps(change.to_json()))) for change in changes) == changes
