# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Things that go wrong on one host when a test says so."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class HostFaults:
    """What goes wrong. Everything is off at first; set an attribute to switch it on.

    Faults of the wire (lost connections, 503, a server that is not Windows) are in ``Endpoint.faults``.
    """

    msiexec_exit_code: int | None = None
    """msiexec does nothing and ends with this code."""

    disk_full: bool = False
    """Nothing more can be written: 112 in cmd, 1603 in an installation."""

    installer_busy: int = 0
    """So many times msiexec answers 1618, then it works."""

    restart_never_returns: bool = False
    """The host goes down and stays down, until ``SimulatedHost.power_on()``."""

    filter_blocked_error: int | None = None
    """LSA refuses every package that is not Windows' own with this error, 577 for a signature (pcns.md 6d)."""

    tool_output: dict[str, bytes] = field(default_factory=dict)
    """Tool without extension, lower case, to what it prints instead of its own output."""

    tool_exit_code: dict[str, int] = field(default_factory=dict)
    """Tool without extension, lower case, to its exit code, after it did its work."""

    tasks_refused: bool = False
    """The Task Scheduler takes no task from the account, as a policy can have it."""

    command_lines_hidden: bool = False
    """Win32_Process shows no command line, as to an account that may not look into others' processes."""

    tasks_stay: bool = False
    """No task can be deleted."""

    tasks_never_start: bool = False
    """A task that is run on demand stays queued."""

    task_start_delay: float = 0.0
    """Seconds that a task waits before it starts."""

    task_killed_after: float | None = None
    """Somebody ends the program of a task after so many seconds."""

    services_that_fail: dict[str, int] = field(default_factory=dict)
    """Service, lower case, to the code that Win32_Service.StartService returns."""

    services_that_stop: dict[str, float] = field(default_factory=dict)
    """Service, lower case, to the seconds after which it ends by itself, each time that it was started."""

    clock_offset_seconds: float = 0.0
    """How far the host's clock is ahead."""

    clock_jump_at_boot: float = 0.0
    """So many seconds are added to `clock_offset_seconds` when the host comes up next, once."""

    adapters_stopped: set[str] = field(default_factory=set)
    """Adapters, lower case, whose own process is not running on this host (event 10748)."""

    shares_missing: set[str] = field(default_factory=set)
    """Shares, lower case, that a domain controller does not have (SYSVOL before it is replicated)."""

    replication_error: int = 0
    """Every pull of a domain controller from its partners ends with this error, since before it started."""

    replication_hidden: bool = False
    """The account may not read `msDS-NCReplInboundNeighbors`; Samba never has it."""

    not_synchronized: bool = False
    """`isSynchronized` of the rootDSE is FALSE."""

    not_advertised: bool = False
    """The LDAP ping is answered as by a paused domain controller."""
