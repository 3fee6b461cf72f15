# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether password changes wait for a target on a domain controller: what the events of PCNSSVC prove.

The queue itself can be read by LocalSystem alone (pcns.md 1). Its service says how much it found in it when it starts
(events 2003 and 2004, pcns.md 6a, H2); after that, single events tell of trouble always and of success only where the
event log level is high enough, and from which level on is not certain (pcns.md 6a). So nothing but a start with an
empty queue is a beginning, and nothing that follows may have been left unsaid.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from ansible_collections.entsso.password_sync.plugins.module_utils._plan import JsonValue
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._eventlog import Event

PROVIDER = "PCNSSVC"

NEW_QUEUE, OLD_QUEUE, CORRUPT_QUEUE = 2003, 2004, 6001
BELOW_WARNING, DELIVERED, RECEIVED, FILTERED = 2005, 2100, 2201, 2303
_TROUBLE = (4003, 4004, 4005, 4100, 6025, 6027)
START_EVENTS = (NEW_QUEUE, OLD_QUEUE, CORRUPT_QUEUE)
LATER_EVENTS = (BELOW_WARNING, DELIVERED, RECEIVED, FILTERED, *_TROUBLE)

VERBOSE = 3
"""EventLogLevel at which everything is logged (pcns.md 1)."""

VALID_FOR = timedelta(minutes=30)
"""How long a proof counts: long enough for all domain controllers of a domain one after the other."""

_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)


class Waiting(StrEnum):
    """Whether changes wait."""

    NONE = "none"
    SOME = "some"
    UNKNOWN = "unknown"
    AFTER_RESTART = "after_restart"
    """Check mode: the restart of the service that would tell was not made."""


@dataclass(frozen=True)
class QueueState:
    """The queue of one target on one domain controller.

    Attributes:
        target: Its friendly name.
        server: Full name of the domain controller in lower case.
        waiting: The answer; `none` is proved.
        evidence: What it rests on, for people.
        observed_at: UTC, ISO 8601 with `Z`, by the clock of the domain controller.
    """

    target: str
    server: str
    waiting: Waiting
    evidence: str
    observed_at: str

    def to_json(self) -> dict[str, JsonValue]:
        """Returns the form that the module pcns_queue returns."""
        return {
            "target": self.target,
            "server": self.server,
            "waiting": self.waiting.value,
            "evidence": self.evidence,
            "observed_at": self.observed_at,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> QueueState:
        """Reads the form that `to_json` wrote.

        Raises:
            ValueError: It is none.
        """
        try:
            return cls(
                str(data["target"]),
                str(data["server"]).lower(),
                Waiting(str(data["waiting"])),
                str(data["evidence"]),
                str(data["observed_at"]),
            )
        except KeyError as error:
            raise ValueError(f"it has no {error.args[0]}") from None


def judge_queue(
    target: str, events: Sequence[Event], *, event_log_level: int, started_by_us: datetime | None
) -> tuple[Waiting, str]:
    """Returns whether changes wait for a target while its service runs, and what that rests on.

    Args:
        target: Its friendly name.
        events: Those of PCNSSVC since Windows started, in any order.
        event_log_level: EventLogLevel of the service.
        started_by_us: When this task restarted the service; None when it did not.
    """
    ordered = sorted((item for item in events if item.provider.upper() == PROVIDER), key=lambda item: item.record_id)
    starts = [item for item in ordered if item.event_id in START_EVENTS]
    if not starts:
        return Waiting.UNKNOWN, "no event tells what the service found in its queue when it started"
    start = starts[-1]
    if started_by_us is not None and start.time < started_by_us:
        return Waiting.UNKNOWN, "the service was restarted and has not told yet what it found in its queue"
    since = [item for item in ordered if item.record_id > start.record_id]
    found = _found_at(start)
    if found is None:
        return Waiting.UNKNOWN, f"event {start.event_id} of {_time(start)} does not tell how many changes wait"
    open_trouble = _open(target, since)
    if open_trouble is not None:
        return Waiting.SOME, f"event {open_trouble.event_id} of {_time(open_trouble)}, and no delivery since"
    if found:
        waiting = f"{found} waited when the service started (event {start.event_id} of {_time(start)})"
        if any(item.event_id == DELIVERED for item in since):
            return Waiting.UNKNOWN, f"{waiting}, and how many have been delivered since is not known"
        return Waiting.SOME, waiting
    empty = f"the queue was empty when the service started (event {start.event_id} of {_time(start)})"
    if started_by_us is not None:
        return Waiting.NONE, f"{empty}, which was just now"
    if event_log_level >= VERBOSE:
        return Waiting.NONE, f"{empty}, and every change since has been delivered (event log level {event_log_level})"
    return Waiting.UNKNOWN, f"{empty}, and what came since is not logged at event log level {event_log_level}"


def _found_at(start: Event) -> int | None:
    """How many changes were in the queue: read, expired, without target, queued (event 2004, pcns.md 6a)."""
    if start.event_id == NEW_QUEUE:
        return 0
    numbers = [int(text) for item in start.data for text in re.findall(r"\d+", item)]
    if start.event_id != OLD_QUEUE or len(numbers) != 4:
        return None
    return numbers[3]


def _open(target: str, since: Sequence[Event]) -> Event | None:
    """Returns the first event that says that a change waits, or that the target does not answer, and that no later
    one has settled. An event that names another target alone does not count."""
    for index, event in enumerate(since):
        later = since[index + 1 :]
        if event.event_id == RECEIVED:
            if not _settled(event, later, (DELIVERED, FILTERED)):
                return event
        elif event.event_id in _TROUBLE and _may_be_about(event, target):
            ends = (DELIVERED, BELOW_WARNING) if event.event_id == 4005 else (DELIVERED,)
            if not _settled(event, later, ends):
                return event
    return None


def _settled(event: Event, later: Iterable[Event], ends: Sequence[int]) -> bool:
    """Whether a later event ends the matter. The identifiers of a change and its user stand in both (pcns.md 6a)."""
    wanted = _identifiers(event)
    return any(item.event_id in ends and wanted <= _identifiers(item) for item in later)


def _identifiers(event: Event) -> frozenset[str]:
    return frozenset(text.lower() for item in event.data for text in _GUID.findall(item))


def _may_be_about(event: Event, target: str) -> bool:
    """Whether an event concerns a target. Where it stands among the values is not certain, so it is looked for."""
    if event.event_id == 4100:
        return True
    names = {item.strip().casefold() for item in event.data}
    return not names or target.casefold() in names or not any(_looks_like_name(item) for item in names)


def _looks_like_name(text: str) -> bool:
    return bool(text) and not text.isdigit() and not _GUID.search(text) and "\\" not in text


def unproved(target: str, servers: Iterable[str], states: Iterable[QueueState], now: datetime) -> dict[str, str]:
    """Returns the domain controllers on which it is not proved that nothing waits, each with the reason.

    Args:
        target: Friendly name of the target.
        servers: Full names of the domain controllers that may have a queue for it.
        states: What was observed on them.
        now: Time to compare with.
    """
    known = {state.server: state for state in states if state.target.casefold() == target.casefold()}
    reasons: dict[str, str] = {}
    for server in dict.fromkeys(item.lower() for item in servers):
        state = known.get(server)
        if state is None:
            reasons[server] = "nobody looked at its queue"
        elif state.waiting is Waiting.AFTER_RESTART:
            continue
        elif state.waiting is not Waiting.NONE:
            reasons[server] = state.evidence
        elif abs(now - datetime.fromisoformat(state.observed_at)) > VALID_FOR:
            reasons[server] = f"its queue was looked at too long ago, at {state.observed_at}"
    return reasons


def _time(event: Event) -> str:
    return f"{event.time:%Y-%m-%dT%H:%M:%SZ}"
