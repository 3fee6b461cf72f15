# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands behind a WinRM endpoint of the lab: the machine itself, without any wire format.

The endpoint (``lab.endpoint``) calls a backend from its event loop: one call at a time, never from two threads at once.
A call must return quickly: work that takes time goes on in a thread or on the clock of the backend and is seen through
``Process.read`` and ``Process.exit_code``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

CimScalar = str | int | bool | datetime
"""One CIM value. A datetime must be aware; it is sent in UTC, with microseconds where it has them."""

CimValue = CimScalar | None | Sequence[CimScalar]
"""A property. ``None`` is sent as xsi:nil, a sequence as repeated elements: none for an empty one (wsman.md 1.7)."""


@dataclass(frozen=True)
class EventRecord:
    """One record of an event log."""

    provider: str
    event_id: int
    level: int
    record_id: int
    time: datetime
    channel: str
    computer: str
    data: tuple[tuple[str | None, str], ...]
    """Name and value of each Data element; the name is None for classic event sources."""


@dataclass(frozen=True)
class ChannelUnreadable:
    """Why an event channel can't be read."""

    reason: str
    code: int = 5
    """Win32 error: 5 access denied, 15007 no such channel."""


class WmiProviderError(Exception):
    """Raised by a backend call to have it answered with a WS-Management fault (a provider failure, access denied).

    Attributes:
        code: WSManFault code, for example 2150859012 (wsman.md 1.9).
        message: The sentence that goes into the fault.
    """

    def __init__(self, code: int, message: str) -> None:
        """Keep what the fault says."""
        super().__init__(message)
        self.code = code
        self.message = message


class Process(Protocol):
    """A process started through WinRS; the endpoint polls it."""

    def write_stdin(self, data: bytes) -> None:
        """Take bytes for standard input."""

    def close_stdin(self) -> None:
        """Take the end of standard input."""

    def read(self) -> list[tuple[str, bytes]]:
        """Return what was written since the last call, as ("stdout" or "stderr", bytes)."""

    @property
    def exit_code(self) -> int | None:
        """Exit code, or None while the process runs. Output that is left must still be readable afterwards."""

    def terminate(self) -> None:
        """End the process and its children, as closing a shell does (wsman.md 3.1). No effect when it has ended."""


class Backend(Protocol):
    """A machine as its WinRM service sees it."""

    computer_name: str

    def is_on(self) -> bool:
        """Return whether the machine has power; one that has none neither takes a message nor answers one."""

    def accounts(self) -> Mapping[str, str]:
        """Return the accounts that may log on: ``CORP\\name`` or ``name@corp.example`` to password."""

    def wmi_instances(self, namespace: str, class_name: str) -> Sequence[Mapping[str, CimValue]] | None:
        """Return every instance of a class, or None when the namespace has no such class.

        Namespace has forward slashes, both are in the case that the client sent: compare without case.
        An empty sequence where it has none, as StdRegProv. Every instance has every property of the class. The class
        is answered in the client's spelling, or as ``__CLASS`` where an instance has that property (a derived class).
        """

    def wmi_key_names(self, namespace: str, class_name: str) -> Sequence[str]:
        """Return the key properties; none for a class that is addressed without selectors.

        Those are singletons (Win32_OperatingSystem) and classes with only static methods (StdRegProv).
        """

    def wmi_invoke(
        self,
        namespace: str,
        class_name: str,
        method: str,
        instance: Mapping[str, CimValue] | None,
        parameters: Mapping[str, Sequence[str]],
    ) -> Mapping[str, CimValue]:
        """Run a method and return its output parameters, ReturnValue included.

        Args:
            namespace: WMI namespace with forward slashes.
            class_name: Class, in the client's case.
            method: Case-sensitive (wsman.md 1.3).
            instance: The instance that the selectors name; None for a static method.
            parameters: Input by name, as text, one item for each element that was sent.

        Raises:
            LookupError: The class has no such method. (Its subclasses count as bugs of the backend.)
        """

    def event_channel(self, channel: str) -> Sequence[EventRecord] | ChannelUnreadable:
        """Return the records of a channel, oldest first, or why it can't be read."""

    def start_process(
        self, command_line: str, working_directory: str | None, environment: Mapping[str, str]
    ) -> Process:
        """Start a command line as ``cmd /c`` gets it from WinRS: command and arguments joined by spaces."""
