# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what a preflight needs of a host; what can't be read is returned as such, so that the rest is judged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    AuthenticationRejected,
    HostError,
    HostUnreachable,
    NotWindows,
    UnreadableOutput,
    WrongMachine,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._names import LSA_KEY
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._cim import wql_string
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._eventlog import EventQuery
from ansible_collections.entsso.password_sync.plugins.module_utils.preflight import _pending_restart as marks
from ansible_collections.entsso.password_sync.plugins.module_utils.preflight._check import Unread
from ansible_collections.entsso.password_sync.plugins.module_utils.preflight._judge_host import LsaProtection
from ansible_collections.entsso.password_sync.plugins.module_utils.preflight._pending_restart import (
    PendingRestart,
    RestartMarks,
    pending_restarts,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils._system import System
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._events import EventReading
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host

ENDS = (HostUnreachable, AuthenticationRejected, NotWindows, WrongMachine)
"""Errors after which nothing more is asked."""

IMAGE_OPTIONS_KEY = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\Image File Execution Options\LSASS.exe"
"""Where audit mode is switched on (pcns.md 6d, P2)."""

WININIT = "Microsoft-Windows-Wininit"
PROTECTED_EVENT = 12
"""System: LSASS.exe was started as a protected process (pcns.md 6d, P2)."""

Value = TypeVar("Value")


def attempt(read: Callable[[], Value], ends: tuple[type[HostError], ...] = ENDS) -> Value | Unread:
    """Returns what a read returns, or why it could not.

    Args:
        read: Reads.
        ends: Errors that are raised all the same.

    Raises:
        HostError: One after which nothing more is asked.
    """
    try:
        return read()
    except ends:
        raise
    except HostError as error:
        return as_unread(error)


def as_unread(error: HostError) -> Unread:
    """Returns what an error says."""
    reason = error.reason.strip().rstrip(".")
    return Unread(f"{error.subject}: {reason}" if error.subject else reason, error.remedy)


def protection_query(system: System) -> EventQuery:
    """Returns the query for the event that says that LSASS runs protected since the last start."""
    return EventQuery("System", provider=WININIT, event_ids=(PROTECTED_EVENT,), since=system.boot_time)


def read_lsa_protection(host: Host, reading: EventReading) -> LsaProtection:
    """Reads how LSA is protected: two requests.

    Args:
        host: The host.
        reading: Events, those of `protection_query` among them.
    """
    found = any(event.provider == WININIT and event.event_id == PROTECTED_EVENT for event in reading.events)
    return LsaProtection(
        run_as_ppl=host.registry.dword(LSA_KEY, "RunAsPPL"),
        audit_level=host.registry.dword(IMAGE_OPTIONS_KEY, "AuditLevel"),
        protected_since_start=None if "System" in reading.unreadable else found,
    )


def read_free_space(host: Host, drive: str) -> int:
    """Reads the free bytes of a drive: one request."""
    found = host.wmi.query(f"SELECT FreeSpace FROM Win32_LogicalDisk WHERE DeviceID = {wql_string(drive)}")
    if not found:
        raise UnreadableOutput(host.name, f"drive {drive}", "WMI knows no such drive", "Repair WMI on the host")
    return found[0].integer("FreeSpace")


def read_notification_packages(host: Host) -> Sequence[str]:
    """Reads everything that LSA loads as a notification package: one request."""
    listed = host.registry.multi_string(LSA_KEY, "Notification Packages")
    if listed is None:
        raise UnreadableOutput(
            host.name,
            r"registry value HKLM\SYSTEM\CurrentControlSet\Control\Lsa\Notification Packages",
            "it does not exist, and every Windows has it",
            "Find out who removed it, and put rassfm and scecli back",
        )
    return listed


def read_pending_restarts(host: Host) -> tuple[PendingRestart, ...]:
    """Reads why Windows waits for a restart: seven requests."""
    registry = host.registry
    return pending_restarts(
        RestartMarks(
            servicing=registry.keys(marks.SERVICING_KEY) is not None,
            update=registry.keys(marks.UPDATE_KEY) is not None,
            renames=registry.multi_string(marks.SESSION_MANAGER_KEY, marks.RENAMES_VALUE) or (),
            active_name=registry.string(marks.ACTIVE_NAME_KEY, marks.NAME_VALUE),
            next_name=registry.string(marks.NEXT_NAME_KEY, marks.NAME_VALUE),
            netlogon_keys=registry.keys(marks.NETLOGON_KEY) or (),
            server_manager_attempts=registry.dword(marks.SERVER_MANAGER_KEY, marks.ATTEMPTS_VALUE),
        )
    )
