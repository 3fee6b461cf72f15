# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security identifiers: as text, as the bytes that a directory keeps (MS-DTYP 2.4.2), and as a filter."""

from __future__ import annotations

import re

_TEXT = re.compile(r"S-1-\d{1,15}(?:-\d{1,10}){1,15}", re.IGNORECASE)
_HEAD = 8


def sid_text(raw: bytes) -> str:
    """Returns a SID as text, whichever of its forms it came in.

    Args:
        raw: A value of an attribute: the structure of MS-DTYP 2.4.2.2, or S-1-5-... as text (MS-DTYP 2.4.2.1).

    Raises:
        ValueError: It is neither.
    """
    if len(raw) >= _HEAD and raw[0] == 1 and len(raw) == _HEAD + 4 * raw[1]:
        parts = [int.from_bytes(raw[at : at + 4], "little") for at in range(_HEAD, len(raw), 4)]
        return "-".join(("S-1", str(int.from_bytes(raw[2:_HEAD], "big")), *(str(part) for part in parts)))
    text = raw.decode("ascii", "replace").strip()
    if _TEXT.fullmatch(text):
        return text.upper()
    raise ValueError(f"{raw[:40]!r} is no security identifier")


def sid_bytes(text: str) -> bytes:
    """Returns the structure of a SID in text form.

    Raises:
        ValueError: It is none.
    """
    if not _TEXT.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is no security identifier")
    authority, *parts = (int(item) for item in text.split("-")[2:])
    try:
        head = bytes((1, len(parts))) + authority.to_bytes(6, "big")
        return head + b"".join(part.to_bytes(4, "little") for part in parts)
    except OverflowError:
        raise ValueError(f"{text[:40]!r} is no security identifier") from None


def has_sid(text: str) -> str:
    """Returns the filter for the object that has a SID."""
    return "(objectSid=" + "".join(f"\\{byte:02x}" for byte in sid_bytes(text)) + ")"


def domain_of(text: str) -> str:
    """Returns the SID of the domain that gave a SID; empty when no domain did (MS-DTYP 2.4.2.4)."""
    parts = text.split("-")
    return "-".join(parts[:-1]) if parts[2:4] == ["5", "21"] and len(parts) == 8 else ""
