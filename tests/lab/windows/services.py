# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The service control manager: its database is the registry, as on Windows; only what runs is kept here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Protocol

from lab.windows.registry import Registry, ValueType

SERVICES = r"SYSTEM\CurrentControlSet\Services"


class Reply(IntEnum):
    """Return values of the Win32_Service methods (wsman.md 4)."""

    OK = 0
    DEPENDENTS_RUNNING = 3
    CANNOT_ACCEPT = 5
    FAILED = 7
    UNKNOWN_FAILURE = 8
    PATH_NOT_FOUND = 9
    ALREADY_RUNNING = 10
    DEPENDENCY_FAILED = 13
    DISABLED = 14
    INVALID_PARAMETER = 21


class StartMode(StrEnum):
    """Start modes as Win32_Service.StartMode shows them."""

    BOOT = "Boot"
    SYSTEM = "System"
    AUTO = "Auto"
    MANUAL = "Manual"
    DISABLED = "Disabled"


_START = {0: StartMode.BOOT, 1: StartMode.SYSTEM, 2: StartMode.AUTO, 3: StartMode.MANUAL, 4: StartMode.DISABLED}
_START_NUMBER = {mode: number for number, mode in _START.items()}
CHANGE_START_MODE = {
    "boot": StartMode.BOOT,
    "system": StartMode.SYSTEM,
    "automatic": StartMode.AUTO,
    "manual": StartMode.MANUAL,
    "disabled": StartMode.DISABLED,
}
"""What Win32_Service.ChangeStartMode takes: Automatic, not Auto (wsman.md 4)."""


class Behaviour(Protocol):
    """What a service does while it runs."""

    def started(self) -> int | None:
        """Called when the service starts; an exit code when it ends at once by itself."""

    def stopped(self) -> None:
        """Called before the service stops, also when the machine goes down."""


@dataclass(frozen=True)
class Service:
    """One service as it is now."""

    name: str
    display_name: str
    description: str
    path: str
    start_mode: StartMode
    delayed: bool
    account: str
    service_type: int
    state: str
    process_id: int
    exit_code: int


class ServiceControlManager:
    """Starts and stops services, and keeps their configuration in the registry."""

    def __init__(
        self,
        registry: Registry,
        behaviour_of: Callable[[str], Behaviour | None],
        image_exists: Callable[[str], bool],
        failing: Callable[[str], int | None],
        new_process_id: Callable[[], int],
        when_started: Callable[[str], None],
    ) -> None:
        """Takes the machine's parts.

        Args:
            registry: Where the configuration is.
            behaviour_of: Gives what the program of an image path does, None for nothing worth simulating.
            image_exists: Whether the program of an image path is there.
            failing: The return value that StartService is made to give, None for none.
            new_process_id: Gives the next process identifier.
            when_started: Told the name of each service that has started and goes on.
        """
        self._registry = registry
        self._behaviour_of = behaviour_of
        self._image_exists = image_exists
        self._failing = failing
        self._new_process_id = new_process_id
        self._when_started = when_started
        self._running: dict[str, tuple[int, Behaviour | None]] = {}
        self._exit_codes: dict[str, int] = {}

    def create(
        self,
        name: str,
        path: str,
        *,
        display_name: str = "",
        description: str = "",
        start_mode: StartMode = StartMode.AUTO,
        account: str = "LocalSystem",
        service_type: int = 0x10,
        dependencies: Sequence[str] = (),
    ) -> None:
        """Creates a service, or overwrites its configuration."""
        key = f"{SERVICES}\\{name}"
        self._registry.set_dword(key, "Type", service_type)
        self._registry.set_dword(key, "Start", _START_NUMBER[start_mode])
        self._registry.set_dword(key, "ErrorControl", 1)
        self._registry.set_expand_string(key, "ImagePath", path)
        self._registry.set_string(key, "DisplayName", display_name or name)
        self._registry.set_string(key, "ObjectName", account)
        if description:
            self._registry.set_string(key, "Description", description)
        if dependencies:
            self._registry.set_multi_string(key, "DependOnService", dependencies)

    def get(self, name: str) -> Service | None:
        """Returns a service, None when there is none of that name."""
        key = f"{SERVICES}\\{name}"
        found = self._registry.key(key)
        service_type = self._registry.dword(key, "Type")
        if found is None or service_type is None:
            return None
        running = self._running.get(name.lower())
        start = self._registry.dword(key, "Start")
        return Service(
            name=found.name,
            display_name=self._registry.string(key, "DisplayName") or found.name,
            description=self._registry.string(key, "Description") or "",
            path=self._registry.string(key, "ImagePath") or "",
            start_mode=_START.get(3 if start is None else start, StartMode.MANUAL),
            delayed=bool(self._registry.dword(key, "DelayedAutostart")),
            account=self._registry.string(key, "ObjectName") or "LocalSystem",
            service_type=service_type,
            state="Running" if running else "Stopped",
            process_id=running[0] if running else 0,
            exit_code=0 if running else self._exit_codes.get(name.lower(), 1077),
        )

    def __iter__(self) -> Iterator[Service]:
        for name in self._registry.keys(SERVICES) or ():
            service = self.get(name)
            if service is not None:
                yield service

    def is_running(self, name: str) -> bool:
        """Whether a service runs."""
        return name.lower() in self._running

    def behaviour(self, name: str) -> Behaviour | None:
        """Returns what a running service does, None when it does not run."""
        running = self._running.get(name.lower())
        return running[1] if running else None

    def start(self, name: str) -> int:
        """Starts a service; returns what Win32_Service.StartService returns."""
        service = self.get(name)
        if service is None:
            return Reply.UNKNOWN_FAILURE
        if self.is_running(name):
            return Reply.ALREADY_RUNNING
        if service.start_mode is StartMode.DISABLED:
            return Reply.DISABLED
        if not self._image_exists(service.path):
            return Reply.PATH_NOT_FOUND
        failing = self._failing(name)
        if failing is not None:
            return failing
        for other in self._registry.multi_string(f"{SERVICES}\\{service.name}", "DependOnService") or ():
            if not self.is_running(other) and self.start(other) != Reply.OK:
                return Reply.DEPENDENCY_FAILED
        behaviour = self._behaviour_of(service.path)
        self._running[name.lower()] = (self._new_process_id(), behaviour)
        ended = behaviour.started() if behaviour is not None else None
        if ended is not None:
            self._running.pop(name.lower(), None)
            self._exit_codes[name.lower()] = ended
        else:
            self._when_started(name)
        return Reply.OK

    def stop(self, name: str) -> int:
        """Stops a service; returns what Win32_Service.StopService returns."""
        if self.get(name) is None:
            return Reply.UNKNOWN_FAILURE
        if not self.is_running(name):
            return Reply.CANNOT_ACCEPT
        if any(self.is_running(other) for other in self._dependents(name)):
            return Reply.DEPENDENTS_RUNNING
        self.end(name, 0)
        return Reply.OK

    def end(self, name: str, exit_code: int) -> None:
        """Lets a running service end, as if by itself."""
        behaviour = self.behaviour(name)
        if behaviour is not None:
            behaviour.stopped()
        self._running.pop(name.lower(), None)
        self._exit_codes[name.lower()] = exit_code

    def set_start_mode(self, name: str, mode: StartMode) -> None:
        """Changes the start mode of an existing service."""
        key = f"{SERVICES}\\{name}"
        self._registry.set_dword(key, "Start", _START_NUMBER[mode])
        if mode is not StartMode.AUTO:
            self._registry.delete_value(key, "DelayedAutostart")

    def set_delayed(self, name: str) -> None:
        """Lets an automatic service start late."""
        self._registry.set(f"{SERVICES}\\{name}", "DelayedAutostart", ValueType.DWORD, 1)

    def delete(self, name: str) -> None:
        """Stops and deletes a service."""
        if self.is_running(name):
            self.end(name, 0)
        self._registry.delete_key(f"{SERVICES}\\{name}", recursive=True)
        self._exit_codes.pop(name.lower(), None)

    def stop_all(self) -> None:
        """Ends every service, as the machine goes down."""
        for name in tuple(self._running):
            self.end(name, 0)
        self._exit_codes.clear()

    def start_all(self) -> None:
        """Starts every automatic service, as the machine comes up."""
        for service in self:
            if service.start_mode is StartMode.AUTO:
                self.start(service.name)

    def checkpoint(self) -> tuple[dict[str, tuple[int, Behaviour | None]], dict[str, int]]:
        """Returns what runs, for `restore`."""
        return dict(self._running), dict(self._exit_codes)

    def restore(self, checkpoint: tuple[dict[str, tuple[int, Behaviour | None]], dict[str, int]]) -> None:
        """Goes back to what `checkpoint` returned, without telling the services."""
        self._running, self._exit_codes = dict(checkpoint[0]), dict(checkpoint[1])

    def dump(self) -> dict[str, str]:
        """Returns the state of every service; the rest is in the registry."""
        return {service.name: service.state for service in self}

    def _dependents(self, name: str) -> list[str]:
        return [
            other
            for other in self._registry.keys(SERVICES) or ()
            if name.lower()
            in {item.lower() for item in self._registry.multi_string(f"{SERVICES}\\{other}", "DependOnService") or ()}
        ]
