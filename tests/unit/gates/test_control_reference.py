# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/controls.md says what the catalogue says."""

from __future__ import annotations

from ansible_collections.entsso.password_sync.plugins.module_utils.judge._controls import CONTROLS
from gates.control_reference import JUDGES, ROOT, TARGET, reference


def test_page_is_up_to_date() -> None:
    assert TARGET.read_text(encoding="utf-8") == reference(), "run python -m gates.control_reference in tests/"


def test_page_has_every_control_with_its_sentences() -> None:
    page = reference()
    for control in CONTROLS:
        for text in (f"\n## {control.id}\n", control.title, control.rationale, control.source):
            assert text in page


def test_every_file_that_judges_is_looked_at() -> None:
    judges = {path.name for path in (ROOT / "plugins" / "module_utils" / "judge").glob("_judge_*.py")}
    assert judges == set(JUDGES)
