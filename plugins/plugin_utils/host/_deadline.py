# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a wait is over."""

from __future__ import annotations

from collections.abc import Callable

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import DeadlineExceeded


class Deadline:
    """A time from now on.

    Attributes:
        seconds: How long it is altogether.
    """

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self.seconds = seconds
        self._clock = clock
        self._end = clock() + seconds

    @property
    def left(self) -> float:
        """Seconds until it is reached; not above zero when it has passed."""
        return self._end - self._clock()

    @property
    def passed(self) -> bool:
        """Whether it is over."""
        return self.left <= 0

    def error(self, host: str, subject: str, awaited: str, seen: str) -> DeadlineExceeded:
        """Returns the error of a wait that came to it.

        Args:
            host: The host's name in the inventory.
            subject: The object that was asked for.
            awaited: What was waited for.
            seen: The last thing that was seen.
        """
        return DeadlineExceeded(
            host,
            subject,
            f"{awaited} had not come after {self.seconds:g} seconds; the last thing seen was {seen or 'nothing'}",
            "Look what keeps the host or the network to it busy, and run again",
        )
