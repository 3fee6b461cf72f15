# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The WQL that the endpoint understands."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lab.backend import CimValue
from lab.endpoint.wql import WqlError, parse

ROW: dict[str, CimValue] = {
    "Name": "c:\\windows\\system32\\pcnsflt.dll",
    "State": "Running",
    "Size": 2048,
    "Started": True,
    "Version": None,
    "Text7": "7",
    "Roles": ["a", "b"],
    "Changed": datetime(2026, 11, 22, 10, 0, tzinfo=UTC),
}


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("State = 'running'", True),
        ('State="Stopped"', False),
        ("state <> 'Stopped' and SIZE > 2047", True),
        ("Size >= 2049 or Size <= 2048", True),
        ("Size = '2048'", True),
        ("Size < 2048", False),
        ("Size != 1", True),
        ("not State = 'Running'", False),
        ("not (State = 'Running' and Size = 1)", True),
        ("State = 'x' or State = 'Running' and Size = 1", False),
        ("(State = 'x' or State = 'Running') and Size = 2048", True),
        ("Version is null", True),
        ("Version is not null", False),
        ("Version = null", True),
        ("Version = '1'", False),
        ("Started = true", True),
        ("Started = 'FALSE'", False),
        ("Text7 = 7", True),
        ("Name = 'C:\\\\Windows\\\\System32\\\\PCNSFLT.DLL'", True),
        ("Name = 'C:\\Windows'", False),
        ("Name like '%.dll'", True),
        ("Name like 'pcnsflt%'", False),
        ("State like 'R_n%'", True),
        ("State like '[p-s]%'", True),
        ("State like '[^p-s]%'", False),
        ("not State like 'S%'", True),
        ("Changed > '20261122105900.000000+060'", True),
        ("Changed = '20261122110000.000000+060'", True),
        ('State = "it\'s"', False),
    ],
)
def test_where(where: str, expected: bool) -> None:
    assert parse(f"SELECT * FROM Thing WHERE {where}").matches(ROW) is expected


def test_columns_come_in_the_spelling_of_the_class() -> None:
    query = parse("select state, SIZE from Thing")
    assert query.class_name == "Thing"
    assert query.project(ROW) == {"State": "Running", "Size": 2048}


def test_star_selects_everything() -> None:
    assert parse("select * from Thing").project(ROW) == ROW


@pytest.mark.parametrize(
    "text",
    [
        "",
        "select from x",
        "select * from",
        "select * from x where",
        "select * from x where a",
        "select * from x where a = ",
        "select * from x where a = b",
        "select * from x where a = 'b",
        "select * from x where (a = 1",
        "select * from x where a = 1 b",
        "select a, from x",
        "delete from x",
        "select * from x where a like 1",
        "select * from x; drop",
    ],
)
def test_what_is_no_query(text: str) -> None:
    with pytest.raises(WqlError):
        parse(text)


@pytest.mark.parametrize(
    "where", ["Nothing = 1", "Nothing is null", "Roles = 'a'", "Size = 'many'", "Changed > '2026'"]
)
def test_what_the_class_can_not_answer(where: str) -> None:
    with pytest.raises(WqlError):
        parse(f"select * from Thing where {where}").matches(ROW)
