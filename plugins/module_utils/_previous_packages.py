# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `Notification Packages` was before this collection installed an entry, and what a removal makes of it; pure.

The value is recorded once, right before the installation, and again right after it. So a removal can tell what the
package did to the value, which is undone exactly, from what others did to it since, which stays.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class PreviousPackages:
    """The value around an installation of ours.

    Attributes:
        before: All entries before it, in order. The entry that came is not one of them.
        after: All entries after it; empty when that is not known.
    """

    before: tuple[str, ...]
    after: tuple[str, ...] = ()

    def to_text(self) -> str:
        """Returns the form that is kept as a marker."""
        return json.dumps({"before": self.before, "after": self.after})

    @classmethod
    def from_text(cls, text: str) -> PreviousPackages | None:
        """Reads the form that `to_text` wrote; anything else is no record."""
        try:
            data = json.loads(text)
            before, after = data["before"], data["after"]
        except (ValueError, TypeError, KeyError):
            return None
        if not all(isinstance(item, list) and all(isinstance(name, str) for name in item) for item in (before, after)):
            return None
        return cls(tuple(before), tuple(after))


@dataclass(frozen=True)
class Restoration:
    """What a removal makes of the value.

    Attributes:
        entries: All entries afterwards.
        kept: Why these are not the entries from before the installation; empty when they are.
    """

    entries: tuple[str, ...]
    kept: str = ""


def without(listed: Sequence[str], name: str) -> tuple[str, ...]:
    """Returns the entries other than one, whose case does not matter."""
    return tuple(entry for entry in listed if entry.lower() != name.lower())


def to_record(listed: Sequence[str], name: str, recorded: PreviousPackages | None) -> PreviousPackages | None:
    """Returns what is to be recorded before an installation, None when nothing is.

    An entry that is there already was not brought by us, or by an earlier installation that has its record.
    """
    if without(listed, name) != tuple(listed):
        return None
    if recorded is not None and _same(recorded.before, listed):
        return None
    return PreviousPackages(tuple(listed))


def after_installation(
    before: Sequence[str], after: Sequence[str], recorded: PreviousPackages | None
) -> PreviousPackages | None:
    """Returns what is to be recorded after an installation, None when nothing is.

    Args:
        before: The value right before it.
        after: The value right after it.
        recorded: The record by now.
    """
    if recorded is None or recorded.after == tuple(after) or recorded.after not in ((), tuple(before)):
        # Where somebody changed the value since the recorded installation, that must stay visible to the removal.
        return None
    return PreviousPackages(recorded.before, tuple(after))


def restoration(listed: Sequence[str], name: str, recorded: PreviousPackages | None) -> Restoration:
    """Returns what the value is after the removal of an entry."""
    left = without(listed, name)
    if recorded is None:
        return Restoration(left, f"what it was before {name} came is not recorded")
    before = without(recorded.before, name)
    if recorded.after == tuple(listed) or _same(before, left):
        return Restoration(before)
    here, there = {entry.lower() for entry in left}, {entry.lower() for entry in before}
    new = [entry for entry in left if entry.lower() not in there]
    gone = [entry for entry in before if entry.lower() not in here]
    parts = [f"{', '.join(new)} came"] if new else []
    parts += [f"{', '.join(gone)} went"] if gone else []
    return Restoration(left, f"others changed it since ({'; '.join(parts) or 'another order'})")


def _same(left: Sequence[str], right: Sequence[str]) -> bool:
    return [entry.lower() for entry in left] == [entry.lower() for entry in right]
