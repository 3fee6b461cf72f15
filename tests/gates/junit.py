# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts tests in the JUnit file that pytest writes, and names what was skipped."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

from gates.gate import Outcome


def count_tests(path: Path) -> Outcome:
    """Return the numbers in a JUnit file; skipped tests are named by reason, each reason once.

    No file, a broken file or no test at all is one failure: a run that tested nothing has not passed.
    """
    try:
        cases = list(ElementTree.parse(path).getroot().iter("testcase"))
    except (OSError, ElementTree.ParseError):
        return Outcome(0, 1, note="pytest wrote no result")
    failed = sum(1 for case in cases if case.find("failure") is not None or case.find("error") is not None)
    skipped: Counter[str] = Counter()
    for case in cases:
        skip = case.find("skipped")
        if skip is not None:
            skipped[(skip.get("message") or "no reason given").strip()] += 1
    left_out = tuple(
        f"{number} test{'s' if number > 1 else ''}: {reason}" for reason, number in sorted(skipped.items())
    )
    passed = len(cases) - failed - sum(skipped.values())
    if passed + failed == 0:
        return Outcome(0, 1, left_out, "no test ran")
    return Outcome(passed, failed, left_out, f"{passed} tests")
