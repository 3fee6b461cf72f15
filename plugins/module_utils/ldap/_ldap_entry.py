# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One object as a directory returned it, and how its values are read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import UnreadableOutput

_RANGE = re.compile(r"^range=(\d+)-(\d+|\*)$", re.IGNORECASE)
_TIME = re.compile(r"^(\d{14})(?:[.,]\d+)?Z$")


@dataclass(frozen=True)
class ValueRange:
    """Which values of an attribute with many came in an answer (MS-ADTS 3.1.1.3.1.3.3).

    Attributes:
        attribute: Name of the attribute without the option.
        next: Number of the first value that is still to be asked for; None when these were the last.
    """

    attribute: str
    next: int | None


def value_range(description: str) -> ValueRange | None:
    """Returns the range that an attribute description names, `member;range=0-1499`; None when it names none."""
    attribute, *options = description.split(";")
    for option in options:
        found = _RANGE.match(option)
        if found:
            return ValueRange(attribute, None if found[2] == "*" else int(found[2]) + 1)
    return None


@dataclass(frozen=True)
class Entry:
    """One object.

    Attributes:
        dn: Its distinguished name.
        values: Values by attribute name in lower case, without options.
    """

    dn: str
    values: Mapping[str, tuple[bytes, ...]]

    def raw(self, attribute: str) -> tuple[bytes, ...]:
        """Returns the values of an attribute as they came; none when the object has none or may not be read."""
        return self.values.get(attribute.lower(), ())

    def texts(self, attribute: str) -> tuple[str, ...]:
        """Returns the values of an attribute as text."""
        return tuple(item.decode("utf-8", "backslashreplace") for item in self.raw(attribute))

    def text(self, attribute: str) -> str:
        """Returns the first value of an attribute as text; empty when there is none."""
        return next(iter(self.texts(attribute)), "")

    def integer(self, attribute: str) -> int | None:
        """Returns the value of an attribute as a number; None when there is none.

        Raises:
            UnreadableOutput: It is no number.
        """
        text = self.text(attribute)
        if not text:
            return None
        try:
            return int(text)
        except ValueError:
            raise _unreadable(self.dn, attribute, text, "a number") from None

    def time(self, attribute: str) -> datetime | None:
        """Returns the value of an attribute of syntax GeneralizedTime, UTC; None when there is none.

        Raises:
            UnreadableOutput: It is no time.
        """
        text = self.text(attribute)
        if not text:
            return None
        found = _TIME.match(text)
        try:
            return datetime.strptime(found[1] if found else "", "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        except ValueError:
            raise _unreadable(self.dn, attribute, text, "a time") from None


def _unreadable(name: str, attribute: str, text: str, wanted: str) -> UnreadableOutput:
    return UnreadableOutput(
        "",
        f"attribute {attribute} of {name}",
        f"the directory returned {text!r}, which is not {wanted}",
        "Look at the object with another LDAP client",
    )
