# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether LSA has loaded a notification package: the evidence, graded.

Sources: pcns.md 6a, 6d and 7. Opening LSASS to list its modules would answer directly; it is not done,
because it looks like an attack.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ansible_collections.entsso.password_sync.plugins.module_utils.codec._eventlog import Event

LOADED_EVENT = 4614
"""Security: a notification package has been loaded by the Security Account Manager (pcns.md 6d, P3)."""

BLOCKED_EVENT = 16953
"""System, Directory-Services-SAM: the password notification DLL failed to load (pcns.md 6d, K2)."""

RECEIVED_EVENT = 2201
"""Application, PCNSSVC: a notification came from the filter, so the filter is loaded (pcns.md 6a, C1)."""


@dataclass(frozen=True)
class LoadEvidence:
    """The answer and what it rests on.

    Attributes:
        loaded: `yes`, `no` or `unknown`.
        grade: `proved`, `inferred`, or empty when unknown.
        evidence: For people.
        blocked: LSA refused the DLL.
    """

    loaded: str
    grade: str
    evidence: str
    blocked: bool = False


def grade_load(
    name: str,
    *,
    registered: bool,
    installed: bool,
    boot_time: datetime | None,
    file_created: datetime | None,
    registered_by_us: datetime | None,
    installed_by_us: datetime | None,
    taken_out_by_us: datetime | None,
    refusals_readable: bool,
    events: Sequence[Event],
) -> LoadEvidence:
    """Grades what is known about the loading of one package since the last boot.

    Args:
        name: Entry without extension.
        registered: Whether the entry is in the registry now.
        installed: Whether the DLL is in System32.
        boot_time: When Windows started; `None` when not known.
        file_created: When the DLL was created on this host; `None` when not known. An installer creates
            the file, so a file older than the boot was there when LSA started.
        registered_by_us: When this collection last put the entry back; `None` when it never did.
        installed_by_us: When this collection last installed the DLL; what LSA loaded before that is not it.
        taken_out_by_us: When this collection last took the entry out; `None` when it never did.
        refusals_readable: Whether the System log could be read, where LSA logs that it refused a package.
        events: Events of the channels Application, System and Security, any order.
    """
    if boot_time is None:
        return LoadEvidence("unknown", "", "the time of the last boot is not known")
    since = [event for event in events if event.time >= boot_time]
    refused = [event for event in since if event.event_id == BLOCKED_EVENT and _names(event, name)]
    loaded = [event for event in since if event.event_id == LOADED_EVENT and _names(event, name)]
    if installed_by_us is not None and installed_by_us >= boot_time:
        return LoadEvidence("no", "proved", f"installed at {installed_by_us:%Y-%m-%dT%H:%M:%SZ}, after the last boot")
    if refused and not loaded:
        return LoadEvidence("no", "proved", f"event {BLOCKED_EVENT} of {_time(refused[-1])}", blocked=True)
    if loaded:
        return LoadEvidence("yes", "proved", f"event {LOADED_EVENT} of {_time(loaded[-1])}")
    received = [event for event in since if event.event_id == RECEIVED_EVENT and event.provider.upper() == "PCNSSVC"]
    if received:
        return LoadEvidence("yes", "proved", f"event {RECEIVED_EVENT} of {_time(received[-1])}")
    if any(event.event_id == LOADED_EVENT for event in since):
        return LoadEvidence(
            "no", "proved", f"LSA logged its packages at boot (event {LOADED_EVENT}) and {name} is not one"
        )
    if not installed:
        return LoadEvidence("no", "inferred", "its DLL is not in System32")
    if file_created is None:
        return LoadEvidence("unknown", "", "no event says so and the age of the DLL is not known")
    if file_created >= boot_time:
        return LoadEvidence("no", "inferred", "the DLL is newer than the last boot")
    until = ""
    if not registered:
        put_in = [time for time in (registered_by_us, installed_by_us) if time is not None]
        if taken_out_by_us is None or any(time > taken_out_by_us for time in put_in):
            return LoadEvidence("unknown", "", "no event says so and the entry is not registered now")
        taken_out = f"{taken_out_by_us:%Y-%m-%dT%H:%M:%SZ}"
        if taken_out_by_us < boot_time:
            return LoadEvidence("no", "inferred", f"the entry was taken out at {taken_out}, before the last boot")
        until = f" until {taken_out}"
    if registered_by_us is not None and registered_by_us >= boot_time:
        return LoadEvidence("unknown", "", "the entry was put back after the last boot and no event tells")
    if not refusals_readable:
        return LoadEvidence("unknown", "", "the System log can't be read, where LSA would have logged a refusal")
    return LoadEvidence("yes", "inferred", f"registered{until}, and the DLL is older than the last boot")


def _names(event: Event, name: str) -> bool:
    wanted = name.lower()
    for value in event.data:
        text = value.strip().lower().replace("/", "\\").rsplit("\\", 1)[-1]
        if text in (wanted, f"{wanted}.dll"):
            return True
    return False


def _time(event: Event) -> str:
    return event.time.strftime("%Y-%m-%dT%H:%M:%SZ")
