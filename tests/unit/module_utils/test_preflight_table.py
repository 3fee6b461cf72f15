# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people see of a preflight."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entsso.password_sync.plugins.module_utils.preflight._preflight_table import (
    Row,
    summary,
    table_lines,
)

TEXTS = st.text(max_size=30)
ROWS = st.lists(
    st.builds(
        Row,
        st.text("abc.", min_size=1, max_size=9),
        st.sampled_from(["go", "no_go", "exempt"]),
        st.lists(TEXTS, max_size=3).map(tuple),
        st.lists(TEXTS, max_size=3).map(tuple),
    ),
    max_size=8,
)


class TestTable:
    @given(ROWS)
    def test_every_host_has_a_line_and_no_text_breaks_a_line(self, rows: list[Row]) -> None:
        lines = table_lines(rows)
        warnings = {text for row in rows for text in row.warnings}
        assert len(lines) == 1 + sum(max(1, len(row.reasons)) for row in rows) + len(warnings)
        assert all(len(line.splitlines()) == 1 for line in lines if line)
        assert summary(rows).endswith(".")

    def test_what_people_see(self) -> None:
        rows = [
            Row("sso01", "go"),
            Row("dc01.corp.example", "go", (), ("backup: It is old.",)),
            Row("dc02", "no_go", ("free_space: C: is full.", "rights: None."), ("backup: It is old.",)),
            Row("dc03", "exempt", ("to be demoted",)),
        ]
        assert table_lines(rows) == [
            "host               go/no-go  reason",
            "sso01              go",
            "dc01.corp.example  go",
            "dc02               NO-GO     free_space: C: is full.",
            "                             rights: None.",
            "dc03               exempt    to be demoted",
            "warning for dc01.corp.example, dc02: backup: It is old.",
        ]
        assert summary(rows) == "No-go for 1 of 3 hosts: dc02. 1 exempt."
        assert summary(rows[:2]) == "Go for all 2 hosts."
