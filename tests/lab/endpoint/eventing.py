# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Event log subscriptions in pull mode (wsman.md 1.12, recordings/eventlog)."""

from __future__ import annotations

import asyncio
import time
import xml.etree.ElementTree as ET
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime

from lab.backend import Backend, ChannelUnreadable, EventRecord

from . import names
from .enumeration import pull_arguments, pull_response
from .event_node import event_node, event_xml
from .event_query import QueryError, Selection, parse_query
from .request_context import Call
from .soap import envelope, escape, new_uuid
from .wsman_fault import WsmanFaultError, fault

_PULL_PREFIXES = "s a n w"
_OVERHEAD = 2048
_POLL = 0.05


@dataclass
class _Subscription:
    selections: list[Selection]
    positions: dict[str, int]
    rendered: bool
    bookmarks: bool
    identifier: str = field(default_factory=new_uuid)
    context: str = field(default_factory=lambda: f"uuid:{new_uuid()}")
    waiting: deque[EventRecord] = field(default_factory=deque)
    delivered: dict[str, int] = field(default_factory=dict)


class EventService:
    """The event log resource of one endpoint."""

    def __init__(self, backend: Backend) -> None:
        """Start without subscriptions."""
        self._backend = backend
        self._subscriptions: dict[str, _Subscription] = {}

    @property
    def open_subscriptions(self) -> int:
        """How many subscriptions have not been ended."""
        return len(self._subscriptions)

    async def handle(self, call: Call) -> str:
        """Answer a request for the event log resource.

        Raises:
            WsmanFaultError: It is refused, or Pull found nothing where the settings end it by a time-out.
        """
        match call.request.action:
            case names.SUBSCRIBE:
                return self._subscribe(call)
            case names.PULL:
                return await self._pull(call)
            case names.UNSUBSCRIBE:
                return self._unsubscribe(call)
        raise fault("action_not_supported")

    def _subscribe(self, call: Call) -> str:
        request = call.request
        body = request.payload
        delivery = None if body is None else body.find(f"{{{names.EVENTING}}}Delivery")
        if body is None or delivery is None or delivery.get("Mode") != names.PULL_DELIVERY:
            raise fault("delivery_mode")
        wanted = body.find(f"{{{names.WSMAN}}}Filter")
        if wanted is None or wanted.get("Dialect") != names.EVENT_QUERY or not len(wanted):
            raise fault("event_filter")
        try:
            selections = parse_query(wanted[0], self._now)
        except QueryError as error:
            raise fault("event_filter") from error
        readable = self._readable(selections, tolerant="IgnoreChannelError" in request.options)
        existing = request.options.get("ReadExistingEvents", "").strip().lower() == "true"
        positions = {
            selection.channel: 0 if existing else self._last_record(selection.channel) for selection in readable
        }
        _apply_bookmark(request.header, body, positions)
        subscription = _Subscription(
            readable,
            positions,
            request.options.get("ContentFormat", "").strip() == "RenderedText",
            body.find(f"{{{names.WSMAN}}}SendBookmarks") is not None,
        )
        self._subscriptions[subscription.identifier] = subscription
        answer = (
            f"<e:SubscribeResponse><e:SubscriptionManager><a:Address>{escape(request.to)}</a:Address>"
            f"<a:ReferenceProperties><w:ResourceURI>{names.EVENT_RESOURCE}</w:ResourceURI>"
            f"<e:Identifier>{subscription.identifier}</e:Identifier></a:ReferenceProperties></e:SubscriptionManager>"
            f"<e:Expires>PT0.000S</e:Expires><n:EnumerationContext>{subscription.context}</n:EnumerationContext>"
            "</e:SubscribeResponse>"
        )
        return envelope(f"{names.SUBSCRIBE}Response", request.message_id, answer, "s a e n w")

    async def _pull(self, call: Call) -> str:
        request = call.request
        context, most = pull_arguments(request.payload)
        subscription = next((one for one in self._subscriptions.values() if one.context == context), None)
        if subscription is None:
            raise fault("enumeration_context")
        end = time.monotonic() + min(call.settings.event_wait, call.timeout)
        self._fetch(subscription)
        while not subscription.waiting and time.monotonic() < end:
            await asyncio.sleep(_POLL)
            self._fetch(subscription)
        if not subscription.waiting and call.settings.event_end_is_timeout:
            raise fault("timed_out")
        items = _take(subscription, most, call.character_limit)
        subscription.context = f"uuid:{new_uuid()}"
        header = _bookmark(subscription.delivered) if items and subscription.bookmarks else ""
        body = pull_response(subscription.context, "".join(items))
        return envelope(f"{names.PULL}Response", request.message_id, body, _PULL_PREFIXES, header=header)

    def _unsubscribe(self, call: Call) -> str:
        identifier = (call.request.header.findtext(f"{{{names.EVENTING}}}Identifier") or "").strip()
        if self._subscriptions.pop(identifier.removeprefix("uuid:"), None) is None:
            raise fault("unexpected_selectors")
        return envelope(f"{names.UNSUBSCRIBE}Response", call.request.message_id, "", "s a e n w")

    def _readable(self, selections: list[Selection], *, tolerant: bool) -> list[Selection]:
        readable: list[Selection] = []
        refused: WsmanFaultError | None = None
        for selection in selections:
            channel = self._backend.event_channel(selection.channel)
            if not isinstance(channel, ChannelUnreadable):
                readable.append(selection)
                continue
            refused = refused or _channel_fault(channel)
        if refused is not None and not (tolerant and readable):
            raise refused
        return readable

    def _fetch(self, subscription: _Subscription) -> None:
        if subscription.waiting:
            return
        found: list[EventRecord] = []
        for selection in subscription.selections:
            records = self._backend.event_channel(selection.channel)
            if isinstance(records, ChannelUnreadable):
                continue
            position = subscription.positions.get(selection.channel, 0)
            for record in records:
                if record.record_id > position and selection.takes(event_node(record)):
                    found.append(record)
            if records:
                subscription.positions[selection.channel] = max(position, records[-1].record_id)
        found.sort(key=lambda record: (record.time, record.channel, record.record_id))
        subscription.waiting.extend(found)

    def _last_record(self, channel: str) -> int:
        records = self._backend.event_channel(channel)
        return 0 if isinstance(records, ChannelUnreadable) or not records else records[-1].record_id

    def _now(self) -> datetime:
        """Return the time on the host, which need not be ours."""
        systems = self._backend.wmi_instances("root/cimv2", "Win32_OperatingSystem")
        local = systems[0].get("LocalDateTime") if systems else None
        return local if isinstance(local, datetime) else datetime.now(UTC)


def _take(subscription: _Subscription, most: int, limit: int) -> list[str]:
    items: list[str] = []
    room = limit - _OVERHEAD
    while subscription.waiting and len(items) < most:
        record = subscription.waiting[0]
        text = event_xml(record, rendered=subscription.rendered)
        room -= len(text)
        if room < 0:
            if not items:
                raise fault("envelope_exceeded")
            break
        items.append(text)
        subscription.waiting.popleft()
        subscription.delivered[record.channel] = record.record_id
    return items


def _bookmark(delivered: dict[str, int]) -> str:
    marks = "".join(
        f'<Bookmark Channel="{escape(channel)}" RecordId="{record}" IsCurrent="true"/>'
        for channel, record in delivered.items()
    )
    return f"<w:Bookmark><BookmarkList>{marks}</BookmarkList></w:Bookmark>"


def _apply_bookmark(header: ET.Element, body: ET.Element, positions: dict[str, int]) -> None:
    """Continue behind a bookmark that an earlier Pull gave."""
    tag = f"{{{names.WSMAN}}}Bookmark"
    element = header.find(tag)
    element = body.find(tag) if element is None else element
    if element is None:
        return
    if (element.text or "").strip() == names.EARLIEST:
        positions.update(dict.fromkeys(positions, 0))
        return
    marks = [mark for mark in element.iter() if mark.tag.rpartition("}")[2] == "Bookmark" and mark is not element]
    by_channel = {channel.lower(): channel for channel in positions}
    try:
        found = {mark.attrib["Channel"].lower(): int(mark.attrib["RecordId"]) for mark in marks}
    except (KeyError, ValueError) as error:
        raise fault("invalid_bookmark") from error
    if not found:
        raise fault("invalid_bookmark")
    positions.update({by_channel[channel]: record for channel, record in found.items() if channel in by_channel})


def _channel_fault(channel: ChannelUnreadable) -> WsmanFaultError:
    subcode = "w:AccessDenied" if channel.code == fault("access_denied").code else "e:EventSourceUnableToProcess"
    return WsmanFaultError(channel.code, subcode, channel.reason)
