# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/errors.md says what the code says of its errors."""

from __future__ import annotations

import re

from ansible_collections.entsso.password_sync.plugins.module_utils import _errors as errors
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._fault_table import FAULTS
from gates.error_reference import ROOT, TARGET, kinds, reference


def test_page_is_up_to_date() -> None:
    assert TARGET.read_text(encoding="utf-8") == reference(), "run python -m gates.error_reference in tests/"


def test_page_has_every_kind_and_every_number() -> None:
    page = reference()
    assert {kind.__name__ for kind in kinds()} == {
        name
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.HostError) and kind is not errors.HostError
    }
    for kind in kinds():
        assert f"| `{kind.__name__}` |" in page
    for row in FAULTS:
        assert all(f"{code} (0x{code:X})" in page for code in row.codes)
        assert row.sentence[1:] in page
        assert row.remedy[1:].rstrip(".") in page


def test_every_row_has_its_columns_and_says_something() -> None:
    for line in reference().splitlines():
        if line.startswith("| ") and not line.startswith("| ---"):
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            assert len(cells) in (3, 4, 5), line
            assert all(cells), line


def test_what_ansible_counts_as_unreachable_is_told() -> None:
    page = reference()
    assert re.search(r"\| unreachable \| `AuthenticationRejected` \|", page)
    assert re.search(r"\| failed \| `AccessDenied` \|", page)


def test_docs_of_that_name_exist() -> None:
    for name in re.findall(r"\]\(([a-z_]+\.md)\)", reference()):
        assert (ROOT / "docs" / name).is_file(), name
