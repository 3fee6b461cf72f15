# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the closing lines count and name."""

from __future__ import annotations

from pathlib import Path

from gates.gate import Gate, Outcome
from gates.junit import count_tests
from gates.run import count, summary
from gates.sanity import judge_skips
from gates.schedule import Result


def _result(name: str, outcome: Outcome) -> Result:
    return Result(Gate(name, name, lambda _workspace: outcome), outcome, 1.0)


def test_the_summary_names_what_ran_failed_and_was_left_out() -> None:
    results = [
        _result("unit", Outcome(40, 2, ("3 tests: no msiinfo",))),
        _result("ruff", Outcome(1, 0)),
        _result("shellcheck", Outcome(0, 0, ("shellcheck: not installed",))),
    ]
    lines = summary(results, ["docs", "demo"], "Python 3.11.2", Path("build/logs/py3.11"))
    assert lines == [
        "2 gates ran (unit, ruff) with Python 3.11.2. Failed: unit.",
        "LEFT OUT on this machine: 3 tests: no msiinfo; shellcheck: not installed; not chosen: docs, demo.",
        "The whole output of each gate: build/logs/py3.11/",
        "41 passed, 2 failed",
    ]


def test_a_run_that_checked_nothing_has_failed() -> None:
    assert count([_result("shellcheck", Outcome(0, 0, ("not installed",)))]) == (0, 1)


def test_pytest_results_are_counted_and_skips_are_named(tmp_path: Path) -> None:
    path = tmp_path / "result.xml"
    path.write_text(
        """<testsuites><testsuite tests="6">
        <testcase name="a"/><testcase name="b"/>
        <testcase name="c"><failure message="no"/></testcase>
        <testcase name="d"><error message="fixture"/></testcase>
        <testcase name="e"><skipped message="no recordings"/></testcase>
        <testcase name="f"><skipped message="no recordings"/></testcase>
        </testsuite></testsuites>"""
    )
    outcome = count_tests(path)
    assert (outcome.passed, outcome.failed) == (2, 2)
    assert outcome.left_out == ("2 tests: no recordings",)


def test_no_result_and_no_test_are_failures(tmp_path: Path) -> None:
    empty = tmp_path / "empty.xml"
    empty.write_text("<testsuites><testsuite/></testsuites>")
    cut = tmp_path / "cut.xml"
    cut.write_text("<testsuites><testsuite>")
    for path in (tmp_path / "absent.xml", empty, cut):
        assert count_tests(path).failed == 1


def test_only_other_pythons_may_be_skipped_by_ansible_test() -> None:
    output = "\n".join(
        [
            'Running sanity test "import" on Python 3.11',
            'WARNING: Skipping sanity test "import" on Python 3.13 because it could not be found.',
            'WARNING: Skipping sanity test "compile" on Python 3.12 due to missing virtual environment support.',
            'WARNING: Skipping sanity test "import" on Python 3.11 because it could not be found.',
            "WARNING: Skipping pylint collection version checks since no collection version was found.",
        ]
    )
    left_out, unexpected = judge_skips(output, "3.11")
    assert left_out == (
        "ansible-test import for Python 3.13: not installed",
        "ansible-test compile for Python 3.12: installed without venv",
    )
    assert len(unexpected) == 2
    assert '"import" on Python 3.11' in unexpected[0]
    assert "pylint collection version" in unexpected[1]
