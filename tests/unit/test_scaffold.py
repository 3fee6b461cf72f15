# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules that hold for the tree as a whole, and that no linter knows."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
HEADER = """\
# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""
LONGEST_FILE = 450


def _names(folder: str) -> set[str]:
    return {path.stem for path in (ROOT / folder).glob("*.py") if path.stem != "__init__"}


def _python_files() -> list[Path]:
    folders = ("plugins", "roles", "tests", "docs")
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def test_every_module_is_an_action_and_in_the_action_group() -> None:
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())
    modules = _names("plugins/modules")
    assert modules, "there is no module"
    assert _names("plugins/action") == modules
    assert sorted(modules) == runtime["action_groups"]["password_sync"]


def test_sanity_has_no_ignore_entry() -> None:
    assert list((ROOT / "tests").glob("sanity/ignore*.txt")) == []


@pytest.mark.parametrize("path", _python_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_python_file_has_the_header_and_one_idea(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if path.name == "__init__.py" and not text:
        # ansible-test wants these empty below plugins/modules and tests/unit.
        return
    assert text.startswith(HEADER)
    assert path.name == "__init__.py" or "\nfrom __future__ import annotations\n" in text
    assert len(text.splitlines()) <= LONGEST_FILE
