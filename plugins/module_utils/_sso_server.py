# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The password sync switches of one SSO server.

No public page says how to read "allow PCNS" back (entsso.md 4.2). It is therefore written once, remembered
with a marker on the host, and believed on evidence: event 10662 (a change from PCNS was received) proves that
it is on, event 11069 (PCNS not allowed) that it is off.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ansible_collections.entsso.password_sync.plugins.module_utils._marker import Marker
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import (
    Change,
    Estate,
    JsonValue,
    Key,
    Operation,
    PlanError,
    Present,
    Unknown,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._eventlog import Event

RESOURCE = "sso_server"
NAME = "password sync"
RECEIVED_EVENT = 10662
REFUSED_EVENT = 11069
UNVERIFIED = {"verified": False}


@dataclass(frozen=True)
class Belief:
    """What is believed of a setting without read-back.

    Attributes:
        value: `None` when nothing is known.
        proved: Whether an event proves it; otherwise it is only what we once set.
        evidence: For people.
    """

    value: bool | int | None
    proved: bool
    evidence: str


@dataclass(frozen=True)
class ServerState:
    """The switches as believed.

    Attributes:
        allow_pcns: Whether changes from PCNS are accepted.
        password_sync_age: Hours after which a change is too old.
        allow_pcns_proved, allow_pcns_evidence, password_sync_age_proved, password_sync_age_evidence: The grounds.
    """

    allow_pcns: bool | None = None
    password_sync_age: int | None = None
    allow_pcns_proved: bool = field(default=False, metadata=UNVERIFIED)
    allow_pcns_evidence: str = field(default="", metadata=UNVERIFIED)
    password_sync_age_proved: bool = field(default=False, metadata=UNVERIFIED)
    password_sync_age_evidence: str = field(default="", metadata=UNVERIFIED)


@dataclass(frozen=True)
class DesiredServer:
    """The switches as wanted; what is `None` is left alone."""

    allow_pcns: bool | None = None
    password_sync_age: int | None = None


def key(subject: str) -> Key:
    """Returns the key of an SSO server's switches."""
    return Key(subject, RESOURCE, NAME)


def believe_allow_pcns(marker: Marker | None, events: Sequence[Event], service_start: datetime | None) -> Belief:
    """Weighs marker and events; the newest of them wins.

    Args:
        marker: What we set, and when.
        events: Events 10662 and 11069 of ENTSSO, any order.
        service_start: Earliest time from which events count, normally the last boot; `None` counts all.
    """
    told = [
        event
        for event in events
        if event.event_id in (RECEIVED_EVENT, REFUSED_EVENT)
        and (service_start is None or event.time >= service_start)
        and (marker is None or event.time >= marker.set_at)
    ]
    if told:
        last = max(told, key=lambda event: (event.time, event.record_id))
        return Belief(last.event_id == RECEIVED_EVENT, True, f"event {last.event_id} of {last.time:%Y-%m-%dT%H:%M:%SZ}")
    if marker is not None:
        return Belief(marker.value == "yes", False, f"set by us on {marker.set_at:%Y-%m-%d %H:%M}Z, no evidence yet")
    return Belief(None, False, "never set by us, and no event tells")


def believe_sync_age(marker: Marker | None, displayed: int | None) -> Belief:
    """Weighs what the tool displays and what we set.

    Args:
        marker: What we set, and when.
        displayed: The one number that `ssoconfig -syncage` printed, `None` where it did not print exactly one.
    """
    if displayed is not None:
        return Belief(displayed, True, "ssoconfig -syncage")
    if marker is not None and marker.value.isdecimal():
        return Belief(
            int(marker.value), False, f"set by us on {marker.set_at:%Y-%m-%d %H:%M}Z, ssoconfig does not show it"
        )
    return Belief(None, False, "ssoconfig does not show it")


def plan(subject: str, desired: DesiredServer, estate: Estate) -> tuple[Change, ...]:
    """Returns the change that writes the wanted switches, or nothing. What we once set is not written again.

    Raises:
        PlanError: The server could not be read, or ssoconfig is missing.
    """
    observed = estate.get(key(subject))
    if not isinstance(observed, Present):
        reason = observed.reason if isinstance(observed, Unknown) else "ENTSSO is not there"
        raise PlanError(
            subject,
            f"The password sync switches of {subject} could not be read: {reason}.",
            "Check that ENTSSO is installed and that its directory is the one given in `installation_directory`.",
        )
    state: ServerState = observed.state
    old: dict[str, JsonValue] = {}
    new: dict[str, JsonValue] = {}
    for name in ("allow_pcns", "password_sync_age"):
        wanted, actual = getattr(desired, name), getattr(state, name)
        if wanted is not None and wanted != actual:
            old[name], new[name] = actual, wanted
    return (Change(subject, RESOURCE, NAME, Operation.UPDATE, old=old, new=new),) if new else ()


def displayed_age(output: str) -> int | None:
    """Returns the hours that `ssoconfig -syncage` shows, or `None`.

    Microsoft says that the command displays the value, and not how (entsso.md 2.1). The output counts only when
    it holds exactly one whole number and no error number, whatever the language around it.
    """
    if "0x" in output:
        return None
    numbers = re.findall(r"(?<![\w.])\d+(?![\w.]\d)", output)
    return int(numbers[0]) if len(numbers) == 1 else None
