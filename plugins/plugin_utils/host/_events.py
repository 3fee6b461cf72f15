# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`host.events`: what is in the event logs, in one subscription for all channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    AccessDenied,
    ConnectionLost,
    DeadlineExceeded,
    HostError,
    HostUnreachable,
    UnreadableOutput,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.codec import _eventlog as eventlog
from ansible_collections.entsso.password_sync.plugins.module_utils.codec import _soap as soap
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._eventlog import Event, EventQuery
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._fault_table import Recovery
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._deadline import Deadline
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._wsman import Repeat, Wsman

READ_DEADLINE = 300.0
"""Seconds for one reading of all channels, and once more where one of them can't be read."""

MAX_BYTES = 64 * 1024 * 1024
"""Bytes of XML that one reading takes; an event of the kind that is asked for has about one thousand."""

_SUBJECT = "event log"
_MAX_PAGES = 1000


@dataclass(frozen=True)
class EventReading:
    """What was read.

    Attributes:
        events: Events in the order the host gave them, which is by time within a channel.
        unreadable: Channels that could not be read, each with the reason; their events are unknown, not absent.
        denied: Those of them that the account may not read.
    """

    events: tuple[Event, ...]
    unreadable: Mapping[str, str]
    denied: frozenset[str] = frozenset()


class Events:
    """The event logs of one host. Nothing runs on the host (wsman.md 1.12)."""

    def __init__(self, client: Wsman) -> None:
        self._client = client

    def read(self, queries: Sequence[EventQuery], quiet: float = eventlog.PULL_TIMEOUT) -> EventReading:
        """Returns the events that are in the logs now.

        Args:
            queries: What is wanted, of any number of channels.
            quiet: Seconds without an event after which there are taken to be no more.

        Raises:
            ValueError: A query that can't be written down.
            HostError: The host could not be asked at all.
        """
        if not queries:
            return EventReading((), {})
        try:
            return EventReading(self._read_once_more(queries, quiet), {})
        except (AccessDenied, soap.FaultAnswer) as refused:
            channels = tuple(dict.fromkeys(query.channel for query in queries))
            if len(channels) == 1:
                denied = frozenset(channels) if isinstance(refused, AccessDenied) else frozenset()
                return EventReading((), {channels[0]: refused.reason}, denied)
        # One channel that can't be read fails the whole subscription, and the fault does not name it.
        events: list[Event] = []
        unreadable: dict[str, str] = {}
        closed: set[str] = set()
        for channel in channels:
            reading = self.read([query for query in queries if query.channel == channel], quiet)
            events.extend(reading.events)
            unreadable.update(reading.unreadable)
            closed.update(reading.denied)
        return EventReading(tuple(events), unreadable, frozenset(closed))

    def _read_once_more(self, queries: Sequence[EventQuery], quiet: float) -> tuple[Event, ...]:
        """A Pull whose answer was lost can't be repeated: the subscription may have moved on. So all is read anew."""
        end = self._client.deadline(READ_DEADLINE)
        try:
            return self._subscribed(queries, quiet, end)
        except ConnectionLost as lost:
            if lost.excess is not None:
                raise self._client.excess_error(lost, _SUBJECT) from lost
            self._client.reset()
        except soap.FaultAnswer as error:
            if error.fault.recovery is not Recovery.ANEW:
                raise
        try:
            return self._subscribed(queries, quiet, end)
        except ConnectionLost as lost:
            raise HostUnreachable(
                self._client.host,
                _SUBJECT,
                f"the connection broke twice ({lost.reason})",
                "Run again when the network to the host is stable",
            ) from lost

    def _subscribed(self, queries: Sequence[EventQuery], quiet: float, end: Deadline) -> tuple[Event, ...]:
        host = self._client.host
        reply = self._client.read(eventlog.subscribe_request(queries), _SUBJECT, Repeat.NEVER, end)
        subscription = eventlog.parse_subscription(reply, host, _SUBJECT)
        try:
            return self._pulled(subscription.context, quiet, end)
        finally:
            self._unsubscribe(subscription.identifier)

    def _pulled(self, context: str, quiet: float, end: Deadline) -> tuple[Event, ...]:
        host = self._client.host
        events: list[Event] = []
        size = 0
        for _page in range(_MAX_PAGES):
            if end.passed:
                raise end.error(host, _SUBJECT, "the end of the events", f"event {len(events)}")
            reply = self._client.read(eventlog.pull_request(context, quiet), _SUBJECT, Repeat.NEVER, end)
            try:
                page = eventlog.parse_events(reply, host, _SUBJECT)
            except DeadlineExceeded:
                return tuple(events)
            events.extend(page.events)
            size += len(reply)
            if not page.events or not page.context:
                return tuple(events)
            if size > MAX_BYTES:
                break
            context = page.context
        raise UnreadableOutput(
            host,
            _SUBJECT,
            f"more than {len(events)} events match",
            "Ask for fewer events with a later time or fewer identifiers",
        )

    def _unsubscribe(self, identifier: str) -> None:
        """Ends the subscription; it ends by itself after its expiry anyway."""
        if not identifier:
            return
        try:
            self._client.read(eventlog.unsubscribe_request(identifier), _SUBJECT, Repeat.NEVER)
        except (HostError, ConnectionLost):
            return
