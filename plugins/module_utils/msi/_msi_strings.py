# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The string pool of an installer database: every text once, referred to by number."""

from __future__ import annotations

import codecs
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from ansible_collections.entsso.password_sync.plugins.module_utils.msi._msi_container import (
    MsiError,
    MsiErrorKind,
    damaged,
)

MAX_STRINGS = 2_000_000
"""Strings in one package. Windows' own limit is 2^24 (references of three bytes); real packages stay far below."""

_LONG_REFERENCES = 0x8000_0000
_PYTHON_CODECS = {0: "cp1252", 20127: "ascii", 28591: "iso8859_1", 65001: "utf_8"}
"""Code pages whose Python codec is not `cp<number>`. 0 is neutral: such a package should hold ASCII only."""


@dataclass(frozen=True)
class StringPool:
    """The strings of a package.

    Attributes:
        code_page: Windows code page of the text, 0 for neutral.
        reference_size: Bytes of a reference in a table: 2, or 3 when the pool is large.
        strings: The strings by number; number 0 is null.
    """

    code_page: int
    reference_size: int
    strings: Sequence[str | None]


def read_string_pool(pool: bytes, data: bytes, name: str) -> StringPool:
    """Reads `_StringPool` (lengths and reference counts) and `_StringData` (all texts, one after the other).

    Raises:
        MsiError: The two do not fit together, or the code page has no codec.
    """
    if len(pool) < 4 or len(pool) % 4:
        raise damaged(name, "its string pool is cut short")
    if len(pool) // 4 > MAX_STRINGS:
        raise MsiError(MsiErrorKind.TOO_LARGE, f"{name} claims more than {MAX_STRINGS} strings.")
    (head,) = struct.unpack_from("<L", pool)
    code_page = head & ~_LONG_REFERENCES
    codec = _codec(code_page, name)
    entries = list(struct.iter_unpack("<HH", pool[4:]))
    lengths = _lengths(entries, len(data))
    if lengths is None:
        raise damaged(name, "the lengths in its string pool do not fit its text")
    strings: list[str | None] = [None]
    offset = 0
    for length in lengths:
        # One wrong byte in one text must not hide the whole package, hence "replace".
        strings.append(data[offset : offset + length].decode(codec, "replace") if length else None)
        offset += length
    return StringPool(code_page, 3 if head & _LONG_REFERENCES else 2, strings)


def _codec(code_page: int, name: str) -> str:
    codec = _PYTHON_CODECS.get(code_page, f"cp{code_page}")
    try:
        return codecs.lookup(codec).name
    except LookupError:
        raise MsiError(
            MsiErrorKind.DAMAGED, f"{name} says that its text is in code page {code_page}, which is not known."
        ) from None


def _lengths(entries: Sequence[tuple[int, int]], available: int) -> list[int] | None:
    """Returns the length of every string so that together they make up the text, or None.

    A string of 64 KiB or more takes two entries; the first has length 0 and a count that is not 0. Readers disagree
    on where the high half of the length then stands: in the count of that first entry (msitools writes it so), or in
    the second entry, which is then a whole 32 bit number. Only one of the two adds up to the text that is there.
    """
    for high_half_first in (True, False):
        lengths: list[int] = []
        total = 0
        position = 0
        while position < len(entries) and total <= available:
            length, count = entries[position]
            position += 1
            if length == 0 and count != 0:
                if position == len(entries):
                    total = available + 1
                    break
                low, high = entries[position]
                position += 1
                length = (count << 16 | low) if high_half_first else (high << 16 | low)
            lengths.append(length)
            total += length
        if total == available:
            return lengths
    return None
