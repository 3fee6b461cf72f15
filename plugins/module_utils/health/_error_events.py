# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""New errors in the event logs of a domain controller: a short list of those that say that it is not well.

Sources: PCNSSVC pcns.md 6a. Service Control Manager: Microsoft's "Basic Service Operations"; the first insertion string
is the display name of the service. Directory Service: 2095, 2103, 1113 and 1115 in Microsoft's article on USN rollback
(KB 875495), 2042 in that on replication that was off for too long. DFS Replication: 2213 and 4012 in that on missing
SYSVOL shares (KB 2958414). What is common while a domain controller starts, such as DFSR 1202, is left out on purpose.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ansible_collections.entsso.password_sync.plugins.module_utils.codec._eventlog import Event, EventQuery
from ansible_collections.entsso.password_sync.plugins.module_utils.health._gate import Gate, GateName, Verdict

BEFORE = timedelta(days=1)
"""How far back is looked for errors that are not new."""

_PCNS, _SERVICE_CONTROL = "PCNSSVC", "Service Control Manager"
NO_CONFIGURATION = 6000
"""The configuration does not exist in the directory (pcns.md 6a). The gate `pcns` judges it, since it is over as soon
as the configuration has been replicated and the service started again."""

CONFIGURED = (2003, 2004, 2100, 2201, 4001, 4002)
"""What PCNS does only once it has its configuration: queues, notifications, and "no active targets" (pcns.md 6a)."""


@dataclass(frozen=True)
class Source:
    """Events of one provider.

    Attributes:
        channel: Where they are.
        provider: Who logs them; empty where the channel is enough.
        event_ids: Which.
    """

    channel: str
    provider: str
    event_ids: tuple[int, ...]


SOURCES = (
    Source("Application", _PCNS, (6001, 6002, 6004, 6025, 6027, 6032)),
    Source("System", _SERVICE_CONTROL, (7000, 7023, 7024, 7031, 7034)),
    Source("Directory Service", "", (1113, 1115, 2042, 2095, 2103)),
)
REPLICATED_FILES = Source("DFS Replication", "", (2213, 4012))
"""Asked for only where DFSR is there; the channel comes with it."""


@dataclass(frozen=True)
class Window:
    """When errors are new.

    Attributes:
        change: When the change began; what was there before is not new.
        begin: From when on errors count. What came between the two says nothing of the host after its restart.
    """

    change: datetime
    begin: datetime


def window(booted: datetime, since: datetime | None) -> Window:
    """Returns when errors are new.

    Args:
        booted: When Windows started.
        since: When the change began; None for that start.
    """
    return Window(since or booted, max(booted, since or booted))


def error_queries(when: Window, *, replicated_files: bool) -> tuple[EventQuery, ...]:
    """Returns the queries for the events that `events_gate` and `configuration_events` need."""
    asked = (
        *sources(replicated_files=replicated_files),
        Source("Application", _PCNS, (NO_CONFIGURATION, *CONFIGURED)),
    )
    return tuple(
        EventQuery(item.channel, provider=item.provider, event_ids=item.event_ids, since=when.change - BEFORE)
        for item in asked
    )


def sources(*, replicated_files: bool) -> tuple[Source, ...]:
    """Returns the sources of errors that a host has."""
    return (*SOURCES, REPLICATED_FILES) if replicated_files else SOURCES


def configuration_events(events: Sequence[Event], begin: datetime) -> tuple[datetime | None, datetime | None]:
    """Returns when PCNS last said that it has no configuration, and when that it has one; None where it did not."""
    times: dict[bool, datetime] = {}
    for event in events:
        wanted = event.event_id == NO_CONFIGURATION or event.event_id in CONFIGURED
        if wanted and event.provider.upper() == _PCNS and event.time >= begin:
            missing = event.event_id == NO_CONFIGURATION
            times[missing] = max(event.time, times.get(missing, event.time))
    return times.get(True), times.get(False)


def new_errors(
    events: Sequence[Event], when: Window, services: Collection[str], known: Sequence[Source]
) -> tuple[Event, ...]:
    """Returns the errors that count and were not there in the day before the change, one of each kind, the latest.

    Args:
        events: Any events of the day before the change and since.
        when: When errors are new.
        services: Display names of the services that matter.
        known: What counts as an error.
    """
    wanted = {name.casefold() for name in services}
    before: set[tuple[str, int, str]] = set()
    since: dict[tuple[str, int, str], Event] = {}
    for event in sorted(events, key=lambda item: item.time):
        source = _source(event, known)
        if source is None or when.change - event.time > BEFORE:
            continue
        service = event.data[0].casefold() if source.provider == _SERVICE_CONTROL and event.data else ""
        if source.provider == _SERVICE_CONTROL and service not in wanted:
            continue
        kind = (source.channel, event.event_id, service)
        if event.time < when.change:
            before.add(kind)
        elif event.time >= when.begin:
            since[kind] = event
    return tuple(event for kind, event in since.items() if kind not in before)


def events_gate(
    events: Sequence[Event],
    unreadable: Mapping[str, str],
    when: Window,
    services: Collection[str],
    *,
    replicated_files: bool,
) -> Gate:
    """Says whether the event logs hold new errors.

    Args:
        events: Any events of the day before the change and since.
        unreadable: Channels that could not be read, with the reason.
        when: When errors are new.
        services: Display names of the services that matter.
        replicated_files: Whether DFSR is there.
    """
    known = sources(replicated_files=replicated_files)
    found = new_errors(events, when, services, known)
    if found:
        told = ", ".join(_told(event) for event in found)
        return Gate(
            GateName.EVENTS,
            Verdict.FAILED,
            f"there are new errors in its event logs: {told}",
            "Look them up there and mend their cause; an error that was there in the day before `since` is not new",
        )
    closed = [source.channel for source in known if source.channel in unreadable]
    if closed:
        reasons = "; ".join(f"{channel}: {unreadable[channel]}" for channel in dict.fromkeys(closed))
        return Gate(
            GateName.EVENTS,
            Verdict.UNKNOWN,
            f"event logs could not be read ({reasons})",
            "Make the account a member of Event Log Readers",
        )
    return Gate(GateName.EVENTS, Verdict.PASSED, f"no new error since {when.begin:%Y-%m-%dT%H:%M:%SZ}")


def _source(event: Event, known: Sequence[Source]) -> Source | None:
    for source in known:
        if (
            event.channel.casefold() == source.channel.casefold()
            and event.event_id in source.event_ids
            and source.provider.casefold() in ("", event.provider.casefold())
        ):
            return source
    return None


def _told(event: Event) -> str:
    named = f" ({event.data[0]})" if event.provider == _SERVICE_CONTROL and event.data else ""
    return f"{event.event_id}{named} of {event.provider} in {event.channel}, {event.time:%Y-%m-%dT%H:%M:%SZ}"
