# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows Installer's packed form of a GUID, which its registry keys use as names."""

from __future__ import annotations

import re

_GUID = re.compile(r"^\{([0-9A-Fa-f]{8})-([0-9A-Fa-f]{4})-([0-9A-Fa-f]{4})-([0-9A-Fa-f]{4})-([0-9A-Fa-f]{12})\}$")
_PACKED = re.compile(r"^[0-9A-Fa-f]{32}$")


def pack_guid(guid: str) -> str:
    """Returns the packed form of a GUID in braces.

    The first three parts are reversed as a whole, the other two byte by byte (nibbles swapped).

    Raises:
        ValueError: It is no GUID in braces.
    """
    match = _GUID.match(guid)
    if match is None:
        raise ValueError(f"{guid!r} is no GUID in braces")
    first, second, third, fourth, fifth = match.groups()
    return (first[::-1] + second[::-1] + third[::-1] + _swap(fourth) + _swap(fifth)).upper()


def unpack_guid(packed: str) -> str | None:
    """Returns the GUID in braces, or `None` when the text is no packed GUID."""
    if _PACKED.match(packed) is None:
        return None
    parts = (packed[:8][::-1], packed[8:12][::-1], packed[12:16][::-1], _swap(packed[16:20]), _swap(packed[20:]))
    return ("{" + "-".join(parts) + "}").upper()


def _swap(text: str) -> str:
    return "".join(text[index + 1] + text[index] for index in range(0, len(text), 2))
