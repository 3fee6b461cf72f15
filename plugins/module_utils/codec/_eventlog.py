# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Windows event log by WS-Eventing in pull mode: Subscribe, Pull, Unsubscribe, and the events themselves.

Forms: wsman.md 1.12 and MS-WSMV 3.1.4.1.30. No process runs on the host. Nothing here does I/O.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ansible_collections.entsso.password_sync.plugins.module_utils.codec import _soap as soap
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._cim import items_of, pull_body
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._cim_instance import parse_datetime

RESOURCE = "http://schemas.microsoft.com/wbem/wsman/1/windows/EventLog"
EVENT = "http://schemas.microsoft.com/win/2004/08/events/event"

PULL_TIMEOUT = 2.0
"""Seconds that a Pull waits for events; silence or an empty reply is then "no more for now". That a host with a very
large log needs longer before its first event is not excluded by any source: the caller may give more."""

_PULL_MODE = "http://schemas.dmtf.org/wbem/wsman/1/wsman/Pull"
_FILTER = "http://schemas.microsoft.com/win/2004/08/events/eventquery"
_PREFIXES = {"e": soap.EVENTING, "n": soap.ENUMERATION}
_IDS_PER_SELECT = 16


@dataclass(frozen=True)
class EventQuery:
    """Which events of one channel are wanted.

    Attributes:
        channel: For example `Application`.
        provider: Provider (source) name; empty for any.
        event_ids: Event identifiers; empty for any.
        since: Only events at or after this time, which has a zone; None for all.
    """

    channel: str
    provider: str = ""
    event_ids: tuple[int, ...] = ()
    since: datetime | None = None


@dataclass(frozen=True)
class Event:
    """One event.

    Attributes:
        channel: Channel it was read from.
        provider: Provider (source) name.
        event_id: Identifier without qualifiers.
        level: 0 to 5: log always, critical, error, warning, information, verbose.
        record_id: Record number within the channel.
        time: When it was logged, UTC.
        computer: The host's own name.
        data: Insertion strings in order.
        named: Those of them that have a name.
    """

    channel: str
    provider: str
    event_id: int
    level: int
    record_id: int
    time: datetime
    computer: str
    data: tuple[str, ...]
    named: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Subscription:
    """An open subscription.

    Attributes:
        identifier: What Unsubscribe must name; empty when the host gave none.
        context: What the first Pull must name.
    """

    identifier: str
    context: str


@dataclass(frozen=True)
class EventPage:
    """What one Pull brought.

    Attributes:
        events: Events in the order of the reply.
        context: What the next Pull must name; empty when the subscription has ended.
    """

    events: tuple[Event, ...]
    context: str


def query_list(queries: Sequence[EventQuery]) -> str:
    """Returns the QueryList XML of the queries, one `Select` each (more when a query has many identifiers).

    Raises:
        ValueError: A time without a zone, or a name that XPath can't quote.
    """
    selects = "".join(
        f"<Select Path={soap.attribute(query.channel)}>{soap.text(xpath)}</Select>"
        for query in queries
        for xpath in _xpaths(query)
    )
    return f'<QueryList><Query Id="0">{selects}</Query></QueryList>'


def _xpaths(query: EventQuery) -> Iterator[str]:
    """An XPath of Windows event log takes a limited number of expressions, so many identifiers are split."""
    if "'" in query.provider:
        raise ValueError(f"provider {query.provider!r} can't be quoted in an event query")
    ids = sorted(set(query.event_ids))
    for start in range(0, len(ids) or 1, _IDS_PER_SELECT):
        parts = [f"Provider[@Name='{query.provider}']"] if query.provider else []
        if chunk := ids[start : start + _IDS_PER_SELECT]:
            parts.append("(" + " or ".join(f"EventID={number}" for number in chunk) + ")")
        if query.since is not None:
            if query.since.tzinfo is None:
                raise ValueError("the time of an event query needs a zone")
            moment = query.since.astimezone(UTC)
            parts.append(f"TimeCreated[@SystemTime>='{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z']")
        yield f"*[System[{' and '.join(parts)}]]" if parts else "*"


def subscribe_request(queries: Sequence[EventQuery]) -> bytes:
    """Builds a Subscribe to what is in the logs already, raw events, all channels at once.

    `IgnoreChannelError` is left out on purpose: with it the host goes on silently without a channel that can't be read,
    and nothing in the reply says which. Without it the host answers a fault, and the caller can find the channel.
    """
    body = (
        f'<e:Subscribe><e:Delivery Mode="{_PULL_MODE}">'
        '<w:Locale xml:lang="en-US" s:mustUnderstand="false"/><w:ContentEncoding>UTF-8</w:ContentEncoding>'
        "</e:Delivery><e:Expires>PT10M</e:Expires>"
        f'<w:Filter Dialect="{_FILTER}">{query_list(queries)}</w:Filter><w:SendBookmarks/></e:Subscribe>'
    )
    options = {"ContentFormat": "Raw", "ReadExistingEvents": "true"}
    return soap.envelope(f"{soap.EVENTING}/Subscribe", RESOURCE, body, options=options, namespaces=_PREFIXES)


def parse_subscription(reply: bytes, host: str = "", subject: str = "") -> Subscription:
    """Reads a SubscribeResponse.

    Raises:
        UnreadableOutput: No such response, or no context in it.
        HostError: A fault.
    """
    body = soap.body_of(reply, host, subject)
    response = body.find(f"{{{soap.EVENTING}}}SubscribeResponse")
    if response is None:
        raise soap.unreadable(host, subject, "the answer is no SubscribeResponse")
    identifier = next((e.text or "" for e in response.iter(f"{{{soap.EVENTING}}}Identifier")), "").strip()
    context = soap.child_text(response, f"{{{soap.ENUMERATION}}}EnumerationContext")
    if not context:
        raise soap.unreadable(host, subject, "the answer names no enumeration to pull from")
    return Subscription(identifier, context)


def pull_request(context: str, timeout: float = PULL_TIMEOUT) -> bytes:
    """Builds a Pull that waits up to `timeout` seconds for events."""
    return soap.envelope(
        f"{soap.ENUMERATION}/Pull", RESOURCE, pull_body(context), namespaces=_PREFIXES, timeout=timeout
    )


def parse_events(reply: bytes, host: str = "", subject: str = "") -> EventPage:
    """Reads a PullResponse of events.

    Raises:
        UnreadableOutput: No such response, or an item that is no readable event.
        HostError: A fault; `DeadlineExceeded` says that there is no more for now.
    """
    body = soap.body_of(reply, host, subject)
    response = body.find(f"{{{soap.ENUMERATION}}}PullResponse")
    if response is None:
        raise soap.unreadable(host, subject, "the answer is no PullResponse")
    ended = any(response.find(f"{{{space}}}EndOfSequence") is not None for space in (soap.WSMAN, soap.ENUMERATION))
    context = soap.child_text(response, f"{{{soap.ENUMERATION}}}EnumerationContext")
    events = tuple(parse_event(item, host, subject) for item in items_of(response))
    return EventPage(events, "" if ended else context)


def parse_event(element: ET.Element, host: str = "", subject: str = "") -> Event:
    """Reads one `Event` element.

    Raises:
        UnreadableOutput: It is none, or a number or time in it can't be read.
    """
    system = element.find(f"{{{EVENT}}}System")
    if element.tag != f"{{{EVENT}}}Event" or system is None:
        raise soap.unreadable(host, subject, f"an item is no event but {soap.local_name(element)[:60]!r}")
    provider = system.find(f"{{{EVENT}}}Provider")
    created = system.find(f"{{{EVENT}}}TimeCreated")
    data, named = _event_data(element)
    try:
        return Event(
            channel=soap.child_text(system, f"{{{EVENT}}}Channel"),
            provider=provider.get("Name", "") if provider is not None else "",
            event_id=int(soap.child_text(system, f"{{{EVENT}}}EventID")),
            level=int(soap.child_text(system, f"{{{EVENT}}}Level") or "0"),
            record_id=int(soap.child_text(system, f"{{{EVENT}}}EventRecordID") or "0"),
            time=parse_datetime(created.get("SystemTime", "") if created is not None else ""),
            computer=soap.child_text(system, f"{{{EVENT}}}Computer"),
            data=data,
            named=named,
        )
    except ValueError as error:
        raise soap.unreadable(host, subject, f"an event can't be read ({error})") from error


def _event_data(element: ET.Element) -> tuple[tuple[str, ...], dict[str, str]]:
    """`EventData` holds `Data` elements; `UserData` holds one element of the provider's own with named children."""
    values: list[str] = []
    named: dict[str, str] = {}
    for data in element.iterfind(f"{{{EVENT}}}EventData/{{{EVENT}}}Data"):
        value = "".join(data.itertext())
        values.append(value)
        if name := data.get("Name"):
            named[name] = value
    user = element.find(f"{{{EVENT}}}UserData")
    for holder in user if user is not None else ():
        for data in holder:
            value = "".join(data.itertext())
            values.append(value)
            named.setdefault(soap.local_name(data), value)
    return tuple(values), named


def unsubscribe_request(identifier: str) -> bytes:
    """Builds an Unsubscribe; the subscription is named in a header, as the SubscribeResponse names it."""
    return soap.envelope(
        f"{soap.EVENTING}/Unsubscribe",
        RESOURCE,
        "<e:Unsubscribe/>",
        namespaces=_PREFIXES,
        header=f"<e:Identifier>{soap.text(identifier)}</e:Identifier>",
    )
