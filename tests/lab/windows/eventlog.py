# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The event logs of one machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import IntEnum

from lab.backend import ChannelUnreadable, EventRecord

NO_SUCH_CHANNEL = 15007


class Level(IntEnum):
    """Levels of an event."""

    AUDIT = 0
    ERROR = 2
    WARNING = 3
    INFORMATION = 4


class EventLog:
    """Channels with their records, oldest first."""

    def __init__(self, computer: str, now: Callable[[], datetime], channels: Sequence[str]) -> None:
        """Makes empty channels.

        Args:
            computer: What stands in the Computer element, the full name of a domain member.
            now: The machine's clock.
            channels: Names of the channels that exist.
        """
        self._computer = computer
        self._now = now
        self._names = {name.lower(): name for name in channels}
        self._records: dict[str, list[EventRecord]] = {name.lower(): [] for name in channels}
        self.unreadable: dict[str, ChannelUnreadable] = {}
        """Channels, lower case, that refuse to be read."""

    def write(
        self,
        channel: str,
        provider: str,
        event_id: int,
        level: Level,
        data: Sequence[str | tuple[str | None, str]] = (),
    ) -> EventRecord:
        """Adds a record.

        Args:
            channel: Name of the channel.
            provider: Source of the event.
            event_id: Its number.
            level: Its level.
            data: Insertion parameters in their order; a pair gives one a name.
        """
        records = self._records[channel.lower()]
        named = tuple(item if isinstance(item, tuple) else (None, item) for item in data)
        record = EventRecord(
            provider=provider,
            event_id=event_id,
            level=int(level),
            record_id=len(records) + 1,
            time=self._now(),
            channel=self._names[channel.lower()],
            computer=self._computer,
            data=named,
        )
        records.append(record)
        return record

    def read(self, channel: str) -> Sequence[EventRecord] | ChannelUnreadable:
        """Returns the records of a channel, or why they can't be read."""
        refused = self.unreadable.get(channel.lower())
        if refused is not None:
            return refused
        if channel.lower() not in self._records:
            return ChannelUnreadable("The specified channel could not be found.", NO_SUCH_CHANNEL)
        return tuple(self._records[channel.lower()])

    def find(self, provider: str, event_id: int | None = None) -> tuple[EventRecord, ...]:
        """Returns the records of a provider from all channels, for tests."""
        return tuple(
            record
            for records in self._records.values()
            for record in records
            if record.provider == provider and event_id in (None, record.event_id)
        )

    def clear(self, channel: str) -> None:
        """Empties a channel, as an administrator can."""
        self._records[channel.lower()].clear()

    def dump(self) -> dict[str, list[object]]:
        """Returns every record in a form for JSON."""
        return {
            self._names[name]: [
                [
                    item.record_id,
                    item.time.isoformat(),
                    item.provider,
                    item.event_id,
                    item.level,
                    list(map(list, item.data)),
                ]
                for item in records
            ]
            for name, records in sorted(self._records.items())
        }
