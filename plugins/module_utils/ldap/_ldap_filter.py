# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Search filters (RFC 4515) with text from outside in them."""

from __future__ import annotations

import string

_PLAIN = frozenset((string.ascii_letters + string.digits + " -_./:@$").encode())


def escaped(text: str) -> str:
    """Returns text as a filter holds it: nothing in it means anything but itself."""
    return "".join(chr(byte) if byte in _PLAIN else f"\\{byte:02x}" for byte in text.encode())


def equals(attribute: str, text: str) -> str:
    """Returns the filter for objects whose attribute has a value; the directory decides what equals it."""
    return f"({attribute}={escaped(text)})"
