# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a package stores text, rows and its summary, from bytes encoded here by the description of the format."""

from __future__ import annotations

import struct

import pytest

from ansible_collections.entsso.password_sync.plugins.module_utils.msi._msi import MsiError, MsiErrorKind
from ansible_collections.entsso.password_sync.plugins.module_utils.msi._msi_strings import StringPool, read_string_pool
from ansible_collections.entsso.password_sync.plugins.module_utils.msi._msi_summary import (
    SummaryInformation,
    read_summary,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.msi._msi_tables import (
    ColumnKind,
    MsiColumn,
    read_rows,
)


def pool_of(*texts: bytes, code_page: int = 1252, long_references: bool = False) -> tuple[bytes, bytes]:
    """Encodes a string pool by the description in the reader's documentation, one reference each."""
    pool = struct.pack("<L", code_page | (0x8000_0000 if long_references else 0))
    for text in texts:
        if len(text) > 0xFFFF:
            pool += struct.pack("<HH", 0, len(text) >> 16)
        pool += struct.pack("<HH", len(text) & 0xFFFF, 1 if text else 0)
    return pool, b"".join(texts)


def test_three_byte_references_reach_beyond_65535_strings() -> None:
    texts = [f"text {number}".encode() for number in range(1, 70_001)]
    pool = read_string_pool(*pool_of(*texts, long_references=True), "p.msi")
    assert pool.reference_size == 3
    column = MsiColumn("Value", ColumnKind.TEXT, 0, True, True, False)
    number = MsiColumn("Number", ColumnKind.SHORT, 2, True, False, False)
    content = b"".join(reference.to_bytes(3, "little") for reference in (70_000, 1, 0))
    content += struct.pack("<HHH", 0x8000 + 7, 0x8000 - 7, 0)
    assert read_rows("T", [column, number], content, pool, "p.msi") == [
        {"Value": "text 70000", "Number": 7},
        {"Value": "text 1", "Number": -7},
        {"Value": None, "Number": None},
    ]


@pytest.mark.parametrize(
    ("code_page", "raw", "text"),
    [
        (0, b"caf\xe9", "caf\u00e9"),
        (1252, b"\x80 5", "\u20ac 5"),
        (932, "\u6771\u4eac".encode("cp932"), "\u6771\u4eac"),
        (65001, "\u6771\u4eac \u2013 \u00e9".encode(), "\u6771\u4eac \u2013 \u00e9"),
        (28591, b"\xe9", "\u00e9"),
        (65001, b"broken \xff here", "broken \ufffd here"),
    ],
)
def test_texts_are_in_the_code_page_of_the_package(code_page: int, raw: bytes, text: str) -> None:
    pool = read_string_pool(*pool_of(b"first", b"", raw, code_page=code_page), "p.msi")
    assert list(pool.strings) == [None, "first", None, text]


def test_a_long_text_whose_length_stands_in_the_second_entry() -> None:
    # The other way to write it, which some readers expect; told apart by the sum of the lengths.
    long_text = b"x" * 70_000
    pool = struct.pack("<L", 1252) + struct.pack("<HH", 0, 3) + struct.pack("<L", 70_000) + struct.pack("<HH", 3, 1)
    read = read_string_pool(pool, long_text + b"end", "p.msi")
    assert [len(text or "") for text in read.strings] == [0, 70_000, 3]


@pytest.mark.parametrize(
    ("pool", "data"),
    [
        (b"", b""),
        (b"\xe4\x04\x00", b""),
        (struct.pack("<LHH", 1252, 5, 1), b"four"),
        (struct.pack("<LHH", 1252, 3, 1), b"four"),
        (struct.pack("<LHH", 1252, 0, 1), b""),
        (struct.pack("<LHH", 4711, 4, 1), b"four"),
    ],
)
def test_a_string_pool_that_does_not_fit_is_refused(pool: bytes, data: bytes) -> None:
    with pytest.raises(MsiError) as caught:
        read_string_pool(pool, data, "p.msi")
    assert caught.value.kind is MsiErrorKind.DAMAGED


def test_references_to_missing_text_and_half_rows_are_refused() -> None:
    column = MsiColumn("Value", ColumnKind.TEXT, 0, True, True, False)
    pool = StringPool(1252, 2, [None, "only"])
    for content in (b"\x02\x00", b"\x01"):
        with pytest.raises(MsiError, match="its table T"):
            read_rows("T", [column], content, pool, "p.msi")


def property_set(*properties: tuple[int, bytes]) -> bytes:
    """Encodes a summary (MS-OLEPS 2.20 to 2.22): identifiers and typed values."""
    offset = 8 + 8 * len(properties)
    index, values = b"", b""
    for identifier, value in properties:
        index += struct.pack("<LL", identifier, offset + len(values))
        values += value + bytes(-len(value) % 4)
    section = struct.pack("<LL", offset + len(values), len(properties)) + index + values
    return struct.pack("<HHL16sL16sL", 0xFFFE, 0, 0, b"", 1, b"", 48) + section


def text_value(text: bytes) -> bytes:
    return struct.pack("<LL", 30, len(text) + 1) + text + b"\0"


def test_a_summary_in_another_code_page() -> None:
    summary = read_summary(
        property_set(
            (1, struct.pack("<Lh", 2, 65001 - 65536)),
            (4, text_value("M\u00fcller \u6771".encode())),
            (14, struct.pack("<Ll", 3, 500)),
            (18, struct.pack("<LL", 77, 1)),
        ),
        "p.msi",
    )
    assert (summary.author, summary.installer_version) == ("M\u00fcller \u6771", 500)
    assert read_summary(property_set((1, struct.pack("<Lh", 2, 4711)), (4, text_value(b"a\x80"))), "p.msi").author == (
        "a\u20ac"
    )
    assert read_summary(b"", "p.msi") == SummaryInformation()


@pytest.mark.parametrize(
    "content",
    [
        b"short",
        property_set((4, text_value(b"abc")))[:-6],
        property_set((4, struct.pack("<LL", 30, 5000))),
        property_set(*[(4, text_value(b"abc"))] * 300),
        property_set((12, struct.pack("<LQ", 64, 2**64 - 1))),
    ],
)
def test_a_damaged_summary_is_told(content: bytes) -> None:
    with pytest.raises(MsiError, match="its summary information cannot be read"):
        read_summary(content, "p.msi")
