# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`host.services`: Windows services through Win32_Service."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    AccessDenied,
    DeadlineExceeded,
    OperationFailed,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.codec import _soap as soap
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._cim_instance import CimInstance
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._registry import Registry
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._wmi import Wmi

_CLASS = "Win32_Service"
_DATABASE = r"SYSTEM\CurrentControlSet\Services"
_POLL = 0.5

# Return values of the methods of Win32_Service (wsman.md 4; learn.microsoft.com, StartService method).
_OK, _DENIED, _NOT_STARTED, _ALREADY_RUNNING = 0, 2, 6, 10
_MEANING = {
    1: "the operation is not supported",
    3: "other services that run depend on it",
    4: "the control code is not valid",
    5: "the service can't take the request in its present state",
    6: "the service has not been started",
    7: "the service did not answer in time",
    8: "unknown failure while starting",
    9: "its program was not found",
    11: "the service database is locked",
    12: "a service it depends on is gone",
    13: "a service it depends on could not be found",
    14: "the service is disabled",
    15: "its account could not log on",
    16: "the service is marked for deletion",
    17: "the service has no thread",
    21: "a parameter is not valid",
    22: "its account is not valid or may not run the service",
}


class ServiceRunState(Enum):
    """`Win32_Service.State`."""

    STOPPED = "Stopped"
    START_PENDING = "Start Pending"
    STOP_PENDING = "Stop Pending"
    RUNNING = "Running"
    CONTINUE_PENDING = "Continue Pending"
    PAUSE_PENDING = "Pause Pending"
    PAUSED = "Paused"
    UNKNOWN = "Unknown"


class StartMode(Enum):
    """`Win32_Service.StartMode`; written, `Auto` is called `Automatic`."""

    BOOT = "Boot"
    SYSTEM = "System"
    AUTO = "Auto"
    MANUAL = "Manual"
    DISABLED = "Disabled"


@dataclass(frozen=True)
class ServiceState:
    """One service.

    Attributes:
        name: Service name.
        display_name: Name for people; may be in the host's language.
        state: What it does now.
        start_mode: How it starts.
        account: Account it runs as; empty for drivers.
        path: Command line of its program.
        process_id: 0 when it does not run.
        delayed_auto_start: None where the host does not tell (older systems).
        exit_code: Win32 error it last stopped with; 1066 stands for a code of its own.
    """

    name: str
    display_name: str
    state: ServiceRunState
    start_mode: StartMode
    account: str
    path: str
    process_id: int
    delayed_auto_start: bool | None
    exit_code: int


class Services:
    """The services of one host."""

    def __init__(
        self,
        wmi: Wmi,
        registry: Registry,
        host: str,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wmi = wmi
        self._registry = registry
        self._host = host
        self._sleep = sleep
        self._clock = clock

    def get(self, name: str) -> ServiceState | None:
        """Returns a service, None when there is none of that name.

        Raises:
            AccessDenied: WMI does not show the service and the registry does: without rights on the service control
                manager, Win32_Service is empty instead of refused (wsman.md 5), and that must not pass for absent.
            HostError: It could not be read.
        """
        instance = self._wmi.get(_CLASS, {"Name": name})
        if instance is not None:
            return self._state(instance)
        if self._registry.keys(f"{_DATABASE}\\{name}") is None:
            return None
        raise AccessDenied(
            self._host,
            f"service {name}",
            "it is in the registry and WMI does not show it to this account",
            "Give the account rights on the service control manager and the service, or connect with another account",
        )

    def start(self, name: str, deadline: float = 60) -> ServiceState:
        """Starts a service and waits until it runs; a service that runs is left alone.

        Args:
            name: Service name.
            deadline: Seconds to wait.

        Raises:
            OperationFailed: Windows refused, the service stopped again, or there is no such service.
            DeadlineExceeded: It did not run in time.
        """
        before = self._existing(name)
        if before.state not in (ServiceRunState.RUNNING, ServiceRunState.START_PENDING):
            self._invoke(name, "StartService", (_OK, _ALREADY_RUNNING))
        return self._wait(name, ServiceRunState.RUNNING, deadline)

    def stop(self, name: str, deadline: float = 60) -> ServiceState:
        """Stops a service and waits until it has stopped; see `start`. Services that depend on it are not stopped."""
        before = self._existing(name)
        if before.state not in (ServiceRunState.STOPPED, ServiceRunState.STOP_PENDING):
            self._invoke(name, "StopService", (_OK, _NOT_STARTED))
        return self._wait(name, ServiceRunState.STOPPED, deadline)

    def set_start_mode(self, name: str, mode: StartMode) -> None:
        """Sets how a service starts.

        Raises:
            OperationFailed: Windows refused.
            OutcomeUnknown: The answer was lost.
        """
        written = "Automatic" if mode is StartMode.AUTO else mode.value
        self._invoke(name, "ChangeStartMode", (_OK,), {"StartMode": written})

    def _invoke(self, name: str, method: str, fine: tuple[int, ...], parameters: dict[str, str] | None = None) -> None:
        result = self._wmi.invoke(_CLASS, method, parameters, {"Name": name}).integer("ReturnValue")
        if result in fine:
            return
        subject = f"service {name}"
        if result == _DENIED:
            raise AccessDenied(
                self._host,
                subject,
                f"{method} is not allowed to this account",
                "Give the account rights on the service, or connect with another account",
            )
        raise OperationFailed(
            self._host,
            subject,
            f"{method} returned {result}: {_MEANING.get(result, 'no documented meaning')}",
            "Look at the service and at the System event log on the host",
            code=result,
        )

    def _existing(self, name: str) -> ServiceState:
        state = self.get(name)
        if state is None:
            raise OperationFailed(self._host, f"service {name}", "it does not exist", "Install it first", code=1060)
        return state

    def _wait(self, name: str, wanted: ServiceRunState, deadline: float) -> ServiceState:
        end = self._clock() + deadline
        while True:
            service = self._existing(name)
            if service.state is wanted:
                return service
            if wanted is ServiceRunState.RUNNING and service.state is ServiceRunState.STOPPED:
                raise OperationFailed(
                    self._host,
                    f"service {name}",
                    f"it started and stopped again with exit code {service.exit_code}",
                    "Look for its last events in the Application and System event logs on the host",
                    code=service.exit_code,
                )
            if self._clock() >= end:
                raise DeadlineExceeded(
                    self._host,
                    f"service {name}",
                    f"it was awaited {wanted.value} for {deadline:g} seconds and is {service.state.value}",
                    "Look at the service and at the System event log on the host",
                )
            self._sleep(_POLL)

    def _state(self, instance: CimInstance) -> ServiceState:
        name = instance.string("Name")
        try:
            state = ServiceRunState(instance.optional_string("State") or "Unknown")
            start_mode = StartMode(instance.string("StartMode"))
        except ValueError as error:
            raise soap.unreadable(self._host, f"service {name}", str(error)) from error
        return ServiceState(
            name=name,
            display_name=instance.optional_string("DisplayName") or name,
            state=state,
            start_mode=start_mode,
            account=instance.optional_string("StartName") or "",
            path=instance.optional_string("PathName") or "",
            process_id=instance.optional_integer("ProcessId") or 0,
            delayed_auto_start=instance.optional_boolean("DelayedAutoStart"),
            exit_code=instance.optional_integer("ExitCode") or 0,
        )
