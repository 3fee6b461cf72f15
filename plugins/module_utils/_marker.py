# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A marker: what this collection last set where Windows offers no way to read it back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class Marker:
    """One remembered setting.

    Attributes:
        value: What was set, as text.
        set_at: When, UTC.
    """

    value: str
    set_at: datetime

    def to_text(self) -> str:
        """Returns the form that is kept in the host's registry."""
        return json.dumps({"value": self.value, "set_at": self.set_at.astimezone(UTC).isoformat()})

    @classmethod
    def from_text(cls, text: str | None) -> Marker | None:
        """Reads the form that `to_text` wrote; anything else is no marker: the host's registry is not ours alone."""
        if not text:
            return None
        try:
            data = json.loads(text)
            set_at = datetime.fromisoformat(str(data["set_at"]))
            value = str(data["value"])
        except (ValueError, TypeError, KeyError):
            return None
        return cls(value, set_at if set_at.tzinfo else set_at.replace(tzinfo=UTC))
