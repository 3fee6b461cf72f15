# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`host.events`: what is in the event logs, in one subscription for all channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.entsso.password_sync.plugins.module_utils import _eventlog as eventlog
from ansible_collections.entsso.password_sync.plugins.module_utils import _soap as soap
from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    AccessDenied,
    ConnectionLost,
    DeadlineExceeded,
    HostError,
    HostUnreachable,
    UnreadableOutput,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._eventlog import Event, EventQuery
from ansible_collections.entsso.password_sync.plugins.plugin_utils._wsman import Repeat, Wsman

_SUBJECT = "event log"
_MAX_PAGES = 1000


@dataclass(frozen=True)
class EventReading:
    """What was read.

    Attributes:
        events: Events in the order the host gave them, which is by time within a channel.
        unreadable: Channels that could not be read, each with the reason; their events are unknown, not absent.
    """

    events: tuple[Event, ...]
    unreadable: Mapping[str, str]


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
                return EventReading((), {channels[0]: refused.reason})
        # One channel that can't be read fails the whole subscription, and the fault does not name it.
        events: list[Event] = []
        unreadable: dict[str, str] = {}
        for channel in channels:
            reading = self.read([query for query in queries if query.channel == channel], quiet)
            events.extend(reading.events)
            unreadable.update(reading.unreadable)
        return EventReading(tuple(events), unreadable)

    def _read_once_more(self, queries: Sequence[EventQuery], quiet: float) -> tuple[Event, ...]:
        try:
            return self._subscribed(queries, quiet)
        except ConnectionLost:
            # A Pull whose answer was lost can't be repeated: the subscription may have moved on.
            self._client.reset()
        try:
            return self._subscribed(queries, quiet)
        except ConnectionLost as lost:
            raise HostUnreachable(
                self._client.host,
                _SUBJECT,
                f"the connection broke twice ({lost.reason})",
                "Run again when the network to the host is stable",
            ) from lost

    def _subscribed(self, queries: Sequence[EventQuery], quiet: float) -> tuple[Event, ...]:
        host = self._client.host
        reply = self._client.read(eventlog.subscribe_request(queries), _SUBJECT, Repeat.NEVER)
        subscription = eventlog.parse_subscription(reply, host, _SUBJECT)
        try:
            return self._pulled(subscription.context, quiet)
        finally:
            self._unsubscribe(subscription.identifier)

    def _pulled(self, context: str, quiet: float) -> tuple[Event, ...]:
        host = self._client.host
        events: list[Event] = []
        for _page in range(_MAX_PAGES):
            reply = self._client.read(eventlog.pull_request(context, quiet), _SUBJECT, Repeat.NEVER)
            try:
                page = eventlog.parse_events(reply, host, _SUBJECT)
            except DeadlineExceeded:
                return tuple(events)
            events.extend(page.events)
            if not page.events or not page.context:
                return tuple(events)
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
