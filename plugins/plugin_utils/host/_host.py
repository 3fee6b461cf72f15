# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Windows host as the rest of the collection sees it: its WMI, registry, services, events, files and commands."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import HostError
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import PlanError
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._computer_name import ExpectedMachine
from ansible_collections.entsso.password_sync.plugins.plugin_utils._run_folder import run_folder
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._authentication_guard import (
    AuthenticationGuard,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._connection import connection_settings
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._connection_settings import Exposure
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._credentials import (
    Credentials,
    credentials_of,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._http_exchange import HttpExchange
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._command import (
    DEADLINE,
    OUTPUT_LIMIT,
    CommandResult,
    CommandRunner,
    RunAs,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._events import Events
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._files import Files
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._identity import expected_of
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._registry import Registry
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._services import Services
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._system_task import system_task
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._wmi import Wmi
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._wsman import Exchange, Statistics, Wsman

CODE_PAGES = r"SYSTEM\CurrentControlSet\Control\Nls\CodePage"
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
        sleep: Lets seconds pass.
        clock: The time in seconds, from any beginning.
    """

    def __init__(
        self,
        name: str,
        exchange: Exchange,
        *,
        credentials: Callable[[], Credentials] | None = None,
        expected: ExpectedMachine | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._exchange = exchange
        self._credentials = credentials
        self._client = Wsman(exchange, name, expected=expected, sleep=sleep, clock=clock)
        self.sleep = sleep
        self.clock = clock
        self._oem: int | None = None
        self._runner = CommandRunner(self._client, oem_code_page=self._oem_code_page, sleep=sleep, clock=clock)
        self.wmi = Wmi(self._client)
        self.registry = Registry(self.wmi, name)
        self.services = Services(self.wmi, self.registry, name, sleep=sleep, clock=clock)
        self.events = Events(self._client)
        self.files = Files(self.wmi, self._runner, name)

    @property
    def statistics(self) -> Statistics:
        """What went over the wire so far."""
        return self._client.statistics

    @property
    def credentials(self) -> Credentials | None:
        """The connection's account, read anew each time; None without a connection of Ansible."""
        return self._credentials() if self._credentials is not None else None

    @property
    def authentication(self) -> str:
        """How the account got in; see `Exchange.authentication`."""
        return self._exchange.authentication

    @property
    def encrypted(self) -> str:
        """What encrypts the messages; see `Exchange.encrypted`."""
        return self._exchange.encrypted

    def run(
        self,
        command_line: str,
        *,
        stdin: bytes | None = None,
        deadline: float = DEADLINE,
        output_limit: int = OUTPUT_LIMIT,
        working_directory: str | None = None,
        environment: Mapping[str, str] | None = None,
        run_as: RunAs = RunAs.CONNECTION,
        terminate_on_deadline: bool = False,
    ) -> CommandResult:
        """Runs a command line through cmd on the host and waits for its end; see `CommandRunner.run`.

        Args:
            run_as: As whom. SYSTEM has no standard input and is never cut short; see `SystemTask.run`.

        Raises:
            ValueError: Input or an early end was asked for as SYSTEM.
        """
        if run_as is RunAs.SYSTEM_TASK:
            if stdin is not None or terminate_on_deadline:
                raise ValueError("a command as SYSTEM takes no standard input and is not terminated")
            with system_task(self) as task:
                return task.run(
                    command_line,
                    deadline=deadline,
                    output_limit=output_limit,
                    working_directory=working_directory,
                    environment=environment,
                )
        return self._runner.run(
            command_line,
            stdin=None if stdin is None else (stdin,),
            deadline=deadline,
            output_limit=output_limit,
            working_directory=working_directory,
            environment=environment,
            terminate_on_deadline=terminate_on_deadline,
        )

    def _oem_code_page(self) -> int | None:
        """The code page of programs that write no UTF-8, None when it can't be read; asked for once."""
        if self._oem is None:
            try:
                self._oem = int(self.registry.string(CODE_PAGES, "OEMCP") or "")
            except (HostError, ValueError):
                return None
        return self._oem

    def try_shell(self) -> None:
        """Opens a command shell on the host and deletes it again; see `CommandRunner.try_shell`."""
        self._runner.try_shell()

    def expect_restart(self) -> None:
        """Says that the host is about to restart; see `Exchange.expect_restart`."""
        self._client.expect_restart()

    def prove(self) -> None:
        """Sees to it that this is the machine that the inventory means, before it is changed by another way than WinRM.

        Raises:
            WrongMachine: It is another one.
            HostError: It could not be asked.
        """
        self._client.prove()

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
        try:
            if (error is None or isinstance(error, PlanError)) and self.statistics.requests and not self._client.broken:
                # What was read, and what was concluded from it, is worth nothing when another machine has said it.
                self.prove()
        finally:
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
    host = name or str(task_vars["inventory_hostname"])
    settings = connection_settings(connection, host, exposure=_exposure(task_vars, host))
    guard = AuthenticationGuard(run_folder(), settings.account)
    return Host(
        host,
        HttpExchange(settings, host, guard),
        credentials=lambda: credentials_of(connection, host),
        expected=expected_of(task_vars, host, settings.address),
    )


def _exposure(task_vars: Mapping[str, Any], host: str) -> Exposure:
    """What hands the password to the host is not for domain controllers, unless the user says so."""
    if str(task_vars.get(ALLOW_EXPOSED_PASSWORD, False)).strip().lower() in ("true", "yes", "on", "1"):
        return Exposure.ANYBODY
    members = (task_vars.get("groups") or {}).get(DOMAIN_CONTROLLERS) or ()
    is_dc = host in members or (
        host == str(task_vars.get("inventory_hostname")) and DOMAIN_CONTROLLERS in (task_vars.get("group_names") or ())
    )
    return Exposure.NOBODY if is_dc else Exposure.HOST
