# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Windows host as the rest of the collection sees it: its WMI, registry, services, events, files and commands."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

from ansible_collections.entsso.password_sync.plugins.plugin_utils._authentication_guard import AuthenticationGuard
from ansible_collections.entsso.password_sync.plugins.plugin_utils._command import (
    DEADLINE,
    OUTPUT_LIMIT,
    CommandResult,
    CommandRunner,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils._connection import winrm_settings
from ansible_collections.entsso.password_sync.plugins.plugin_utils._events import Events
from ansible_collections.entsso.password_sync.plugins.plugin_utils._files import Files
from ansible_collections.entsso.password_sync.plugins.plugin_utils._registry import Registry
from ansible_collections.entsso.password_sync.plugins.plugin_utils._services import Services
from ansible_collections.entsso.password_sync.plugins.plugin_utils._winrm_exchange import WinrmExchange
from ansible_collections.entsso.password_sync.plugins.plugin_utils._wmi import Wmi
from ansible_collections.entsso.password_sync.plugins.plugin_utils._wsman import Exchange, Statistics, Wsman

DOMAIN_CONTROLLERS = "domain_controllers"
ALLOW_EXPOSED_PASSWORD = "password_sync_allow_exposed_password"


class Host:
    """One Windows host over one connection; use it as a context manager.

    Nothing is sent before something is asked. Reading starts no process on the host and opens no shell.

    Attributes:
        name: The host's name in the inventory.
        wmi: WMI.
        registry: HKEY_LOCAL_MACHINE.
        services: Windows services.
        events: Event logs.
        files: Files.
    """

    def __init__(
        self,
        name: str,
        exchange: Exchange,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._client = Wsman(exchange, name, sleep=sleep)
        self._runner = CommandRunner(self._client, sleep=sleep, clock=clock)
        self.wmi = Wmi(self._client)
        self.registry = Registry(self.wmi, name)
        self.services = Services(self.wmi, self.registry, name, sleep=sleep, clock=clock)
        self.events = Events(self._client)
        self.files = Files(self.wmi, self._runner, name)

    @property
    def statistics(self) -> Statistics:
        """What went over the wire so far."""
        return self._client.statistics

    def run(
        self,
        command_line: str,
        *,
        stdin: bytes | None = None,
        deadline: float = DEADLINE,
        output_limit: int = OUTPUT_LIMIT,
        working_directory: str | None = None,
        terminate_on_deadline: bool = False,
    ) -> CommandResult:
        """Runs a command line through cmd on the host and waits for its end; see `CommandRunner.run`."""
        return self._runner.run(
            command_line,
            stdin=None if stdin is None else (stdin,),
            deadline=deadline,
            output_limit=output_limit,
            working_directory=working_directory,
            terminate_on_deadline=terminate_on_deadline,
        )

    def expect_restart(self) -> None:
        """Says that the host is about to restart; see `Exchange.expect_restart`."""
        self._client.expect_restart()

    def reset(self) -> None:
        """Drops the connection, for example after a restart of the host; the next request opens a new one."""
        self._client.reset()

    def close(self) -> None:
        """Deletes the shell, unless something still runs in it, and drops the connection."""
        try:
            self._runner.close()
        finally:
            self._client.close()

    def __enter__(self) -> Host:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_host(connection: Any, task_vars: Mapping[str, Any], *, name: str | None = None) -> Host:
    """Opens the host of an Ansible task; nothing is sent yet.

    Args:
        connection: The task's connection plugin.
        task_vars: The task's variables.
        name: The host's name in the inventory where the task is delegated; None for the task's own host.

    Raises:
        UnsupportedConnection: The connection's settings can't be used.
    """
    from ansible import constants

    host = name or str(task_vars["inventory_hostname"])
    settings = winrm_settings(connection, host, allow_exposing=_exposing_allowed(task_vars, host))
    guard = AuthenticationGuard(str(constants.DEFAULT_LOCAL_TMP), settings.account)  # type: ignore[attr-defined]
    return Host(host, WinrmExchange(settings, host, guard))


def _exposing_allowed(task_vars: Mapping[str, Any], host: str) -> bool:
    """Transports that hand the password to the host are not for domain controllers, unless the user says so."""
    members = (task_vars.get("groups") or {}).get(DOMAIN_CONTROLLERS) or ()
    is_dc = host in members or (
        host == str(task_vars.get("inventory_hostname")) and DOMAIN_CONTROLLERS in (task_vars.get("group_names") or ())
    )
    if not is_dc:
        return True
    return str(task_vars.get(ALLOW_EXPOSED_PASSWORD, False)).strip().lower() in ("true", "yes", "on", "1")
