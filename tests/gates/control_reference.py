# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes docs/controls.md from the catalogue of controls; `python -m gates.control_reference` in tests/."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from ansible_collections.entsso.password_sync.plugins.module_utils.judge._controls import CONTROLS, Control

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "docs" / "controls.md"
JUDGES = {
    "_judge_coverage.py": "the directory",
    "_judge_domain_controller.py": "a domain controller",
    "_judge_domain.py": "a domain",
    "_judge_target.py": "a domain",
    "_judge_names.py": "a domain",
    "_judge_schema.py": "a forest",
    "_judge_sso.py": "an SSO server",
}
"""Files that judge, and on what each does."""

HEAD = """\
# Controls

What `compliance` judges. This file is made from `plugins/module_utils/judge/_controls.py` by
`tests/gates/control_reference.py`; a test fails when it is not up to date.

A finding is one control judged on one subject. `compliant`, `exempt`, `not_applicable` and `waived` let the check
pass; `drift` (a run would change it), `manual` (only a person can mend it) and `unknown` (it could not be read) do
not. Unknown is never compliant. Where one finding follows from another it is `not_applicable` and says so.

A source names the page or event, then the place in the project's fact sheets where it is listed with how sure it is;
[evidence](evidence.md) has the list of pages.

"""


def subjects() -> Mapping[str, str]:
    """Returns for each control on what it is judged, empty where no code judges it."""
    folder = ROOT / "plugins" / "module_utils" / "judge"
    code = {name: (folder / name).read_text(encoding="utf-8") for name in JUDGES}
    return {
        control.id: ", ".join(dict.fromkeys(JUDGES[name] for name, text in code.items() if f'"{control.id}"' in text))
        for control in CONTROLS
    }


def reference() -> str:
    """Returns the whole page."""
    judged = subjects()
    rows = ["| control | what must hold | severity | judged on |", "| --- | --- | --- | --- |"]
    rows += [
        f"| [{control.id}](#{control.id.lower()}) | {control.title} | {control.severity.value} | "
        f"{judged[control.id] or '**not judged yet**'} |"
        for control in CONTROLS
    ]
    sections = [_section(control, judged[control.id]) for control in CONTROLS]
    return HEAD + "\n".join(rows) + "\n\n" + "\n".join(sections)


def _section(control: Control, subject: str) -> str:
    lines = [
        f"## {control.id}",
        "",
        f"**{control.title}.** Severity {control.severity.value}. {f'{control.raised} ' if control.raised else ''}"
        + (f"Judged on {subject}." if subject else "Not judged yet: no finding of it appears in a report."),
        "",
        f"While it is not met: {control.rationale}",
        "",
        f"Source: {control.source}.",
        "",
    ]
    return "\n".join(lines)


def main() -> int:
    """Writes the page."""
    TARGET.write_text(reference(), encoding="utf-8")
    print(f"{TARGET.relative_to(ROOT)}: {len(CONTROLS)} controls")
    return 0


if __name__ == "__main__":
    sys.exit(main())
