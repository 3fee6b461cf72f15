# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text from hosts made fit to be shown: in a terminal, in XML, in HTML.

What a report shows comes from hosts and from users' files, so it may hold control characters that move a
terminal's cursor, characters that XML can't carry, or marks that turn the reading direction around and make
one name look like another. They are replaced, visibly, and never dropped without a trace.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
"""Stands where a character was that can't be shown."""

_DIRECTION_MARKS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Unicode's explicit directional formatting characters (Unicode Standard Annex 9, table 3)."""


def printable(text: str) -> str:
    """Returns the text with everything replaced that is not safe to show; tabs and line ends stay.

    The result holds only characters that XML 1.0 allows (production 2, `Char`), and none of those that it
    discourages. A carriage return becomes a line end, as an XML parser would make it.
    """
    unified = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(character if _shown(character) else REPLACEMENT for character in unified)


def one_line(text: str) -> str:
    """Returns the printable text on one line: each run of white space becomes one space."""
    return " ".join(printable(" ".join(text.split())).split())


def sentence(text: str) -> str:
    """Returns the text on one line with a full stop at its end; nothing stays nothing."""
    line = one_line(text)
    return line if not line or line[-1] in ".!?" else f"{line}."


def count(number: int, singular: str, plural: str = "") -> str:
    """Returns a number with its noun, for example `1 RODC` or `2 RODCs`."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"


def listing(items: Sequence[str]) -> str:
    """Returns the items as they are said in a sentence without a verb of their own: `RACF, LDAP or SAP`."""
    names = [one_line(item) for item in items]
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} or {names[-1]}"


def _shown(character: str) -> bool:
    if character in "\t\n":
        return True
    if character in _DIRECTION_MARKS or unicodedata.category(character) in ("Cc", "Cs"):
        return False
    code = ord(character)
    # Noncharacters (Unicode Standard 23.7); XML 1.0 forbids the first two and discourages the others.
    return code & 0xFFFE != 0xFFFE and not 0xFDD0 <= code <= 0xFDEF
