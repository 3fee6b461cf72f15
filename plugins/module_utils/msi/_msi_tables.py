# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of an installer database: which columns they have, and their rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Union

from ansible_collections.entsso.password_sync.plugins.module_utils.msi._msi_container import damaged
from ansible_collections.entsso.password_sync.plugins.module_utils.msi._msi_strings import StringPool

_Value = Union[str, int, None]

# Bits of a column's type, as msitools' column descriptions (`s72`, `I2`, `v0`) map to them.
_SIZE = 0x00FF
_LOCALIZABLE = 0x0200
_TEXT = 0x0400
_STRING = 0x0800
_NULLABLE = 0x1000
_KEY = 0x2000
_MAX_COLUMNS = 255
_I2_BIAS = 0x8000
_I4_BIAS = 0x8000_0000


class ColumnKind(Enum):
    """How the cells of a column are stored."""

    TEXT = "text"
    SHORT = "short"
    LONG = "long"
    BINARY = "binary"


@dataclass(frozen=True)
class MsiColumn:
    """One column of a table.

    Attributes:
        name: Its name.
        kind: How its cells are stored.
        size: Greatest number of characters of a text, 0 for no limit; bytes of a number.
        nullable: Whether a cell may be empty.
        key: Whether it is part of the primary key.
        localizable: Whether translators may change it.
    """

    name: str
    kind: ColumnKind
    size: int
    nullable: bool
    key: bool
    localizable: bool


_TABLES = (MsiColumn("Name", ColumnKind.TEXT, 64, False, True, False),)
_COLUMNS = (
    MsiColumn("Table", ColumnKind.TEXT, 64, False, True, False),
    MsiColumn("Number", ColumnKind.SHORT, 2, False, True, False),
    MsiColumn("Name", ColumnKind.TEXT, 64, False, False, False),
    MsiColumn("Type", ColumnKind.SHORT, 2, False, False, False),
)


def read_schema(tables: bytes, columns: bytes, pool: StringPool, name: str) -> Mapping[str, tuple[MsiColumn, ...]]:
    """Reads `_Tables` and `_Columns`.

    Returns:
        The columns of every table, in their order.

    Raises:
        MsiError: The two contradict each other.
    """
    schema: dict[str, dict[int, MsiColumn]] = {}
    for row in read_rows("_Tables", _TABLES, tables, pool, name):
        table = row["Name"]
        if not isinstance(table, str) or table in schema:
            raise damaged(name, "its list of tables has an empty or repeated name")
        schema[table] = {}
    for row in read_rows("_Columns", _COLUMNS, columns, pool, name):
        table, number, column, bits = row["Table"], row["Number"], row["Name"], row["Type"]
        if not isinstance(table, str) or not isinstance(column, str):
            raise damaged(name, "its list of columns has an empty name")
        if not isinstance(number, int) or not isinstance(bits, int) or not 1 <= number <= _MAX_COLUMNS:
            raise damaged(name, f"the column {column} of its table {table} has no number or no type")
        known = schema.get(table)
        if known is None or number in known or any(item.name == column for item in known.values()):
            raise damaged(name, f"the column {column} of its table {table} is listed twice or for no table")
        known[number] = _column(column, bits & 0xFFFF, table, name)
    for table, numbered in schema.items():
        if sorted(numbered) != list(range(1, len(numbered) + 1)) or not numbered:
            raise damaged(name, f"its table {table} lacks columns")
    return {table: tuple(numbered[number] for number in sorted(numbered)) for table, numbered in schema.items()}


def _column(column: str, bits: int, table: str, name: str) -> MsiColumn:
    size = bits & _SIZE
    if bits & _STRING:
        kind = ColumnKind.TEXT if bits & _TEXT or size else ColumnKind.BINARY
    elif size <= 2:
        kind = ColumnKind.SHORT
    elif size == 4:
        kind = ColumnKind.LONG
    else:
        raise damaged(name, f"the column {column} of its table {table} holds numbers of {size} bytes")
    return MsiColumn(column, kind, size, bool(bits & _NULLABLE), bool(bits & _KEY), bool(bits & _LOCALIZABLE))


def read_rows(
    table: str, columns: Sequence[MsiColumn], content: bytes, pool: StringPool, name: str
) -> list[dict[str, _Value]]:
    """Decodes the stream of a table: all cells of the first column, then all of the second, and so on.

    Raises:
        MsiError: The stream does not hold whole rows, or refers to strings that are not there.
    """
    widths = [_width(column, pool) for column in columns]
    row_size = sum(widths)
    if len(content) % row_size:
        raise damaged(name, f"its table {table} does not end with a whole row")
    count = len(content) // row_size
    decoded: list[list[_Value]] = []
    offset = 0
    for column, width in zip(columns, widths, strict=True):
        part = content[offset : offset + width * count]
        offset += width * count
        try:
            decoded.append(list(_cells(column, width, part, pool)))
        except IndexError:
            raise damaged(name, f"its table {table} refers to text that is not there") from None
    rows = [
        {column.name: cells[index] for column, cells in zip(columns, decoded, strict=True)} for index in range(count)
    ]
    if any(column.kind is ColumnKind.BINARY for column in columns):
        _name_streams(table, columns, rows)
    return rows


def _width(column: MsiColumn, pool: StringPool) -> int:
    if column.kind is ColumnKind.TEXT:
        return pool.reference_size
    return 4 if column.kind is ColumnKind.LONG else 2


def _cells(column: MsiColumn, width: int, part: bytes, pool: StringPool) -> Iterator[_Value]:
    bias = _I4_BIAS if column.kind is ColumnKind.LONG else _I2_BIAS
    for start in range(0, len(part), width):
        stored = int.from_bytes(part[start : start + width], "little")
        if column.kind is ColumnKind.TEXT:
            yield pool.strings[stored]
        elif column.kind is ColumnKind.BINARY:
            yield stored or None
        else:
            yield stored - bias if stored else None


def _name_streams(table: str, columns: Sequence[MsiColumn], rows: Sequence[dict[str, _Value]]) -> None:
    """Replaces the mark in binary cells by the name of the stream: table and key, joined by dots (`_Streams`)."""
    keys = [column.name for column in columns if column.key]
    for row in rows:
        stream = ".".join([table, *(str(row[key]) for key in keys)])
        for column in columns:
            if column.kind is ColumnKind.BINARY and row[column.name] is not None:
                row[column.name] = stream
