# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hours on a host of the lab in seconds: everything goes over the wire, and only waiting is cut short.

The lab's clock stands still and is moved by whoever waits: by the product's own pauses, and by the time that a Receive
would have waited on the host.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from unit.lab.endpoint_kit import new_address
from unit.plugin_utils.ansible_connection import connection

from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._authentication_guard import (
    AuthenticationGuard,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._connection import connection_settings
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._connection_settings import Exposure
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._http_exchange import HttpExchange
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._wsman import Exchange
from lab.endpoint import Endpoint, EndpointServer
from lab.endpoint.request_context import Call
from lab.forest import Forest
from lab.scheduler import Scheduler
from lab.settings import LabSettings
from lab.windows import catalog
from lab.windows.console import Program
from lab.windows.host import SimulatedHost

_TIMEOUT = re.compile(rb"<w:OperationTimeout>PT([0-9.]+)S<")
_PATIENCE = property(lambda call: 0.01)
"""How long the endpoint lets a Receive wait, in true seconds."""


class TimeLapse:
    """An exchange in whose Receives the lab's time passes instead of ours."""

    def __init__(self, inner: Exchange, scheduler: Scheduler) -> None:
        self._inner = inner
        self._scheduler = scheduler
        self.receives = 0

    @property
    def authentication(self) -> str:
        return self._inner.authentication

    @property
    def encrypted(self) -> str:
        return self._inner.encrypted

    def exchange(self, body: bytes) -> tuple[int, bytes]:
        found = _TIMEOUT.search(body)
        if b"shell/Receive" in body and found is not None:
            self.receives += 1
            status, reply = self._inner.exchange(body)
            if status == 500:
                self._scheduler.advance(float(found[1]))
            return status, reply
        return self._inner.exchange(body)

    def expect_restart(self) -> None:
        self._inner.expect_restart()

    def reset(self) -> None:
        self._inner.reset()

    def close(self) -> None:
        self._inner.close()


@dataclass
class Stage:
    """A host of the lab, its endpoint, and the product's way to it."""

    machine: SimulatedHost
    endpoint: Endpoint
    host: Host
    exchange: TimeLapse

    def program(self, name: str, program: Program, monkeypatch: object) -> None:
        """Puts a program of the test on the host, which cmd finds by its name."""
        monkeypatch.setitem(catalog._PROGRAMS, name, program)  # type: ignore[attr-defined]
        self.machine.files.put(rf"C:\Windows\{name}.exe", 1, "0" * 64, self.machine.now())

    def again(self, folder: Path) -> Host:
        """Returns the host as another run sees it, which knows nothing of the first."""
        return _open(self.machine, self.endpoint, folder)[0]


@contextmanager
def stage(folder: Path, settings: LabSettings | None = None) -> Iterator[Stage]:
    """Serves a domain controller at an address of its own."""
    machine = Forest(settings, populate=False).add_domain_controller("dc01", "Paris")
    with patch.object(Call, "timeout", _PATIENCE), EndpointServer() as server:
        endpoint = server.add(new_address(), machine)
        host, exchange = _open(machine, endpoint, folder)
        with host:
            yield Stage(machine, endpoint, host, exchange)
        assert endpoint.errors == []


def _open(machine: SimulatedHost, endpoint: Endpoint, folder: Path) -> tuple[Host, TimeLapse]:
    variables: Mapping[str, object] = {
        "ansible_host": endpoint.address,
        "ansible_port": endpoint.port,
        "ansible_winrm_scheme": "http",
        "ansible_winrm_transport": ["ntlm"],
        "ansible_user": machine.surroundings.operator,
        "ansible_password": machine.surroundings.operator_password,
    }
    name, scheduler = machine.identity.fqdn, machine.surroundings.scheduler
    found = connection_settings(connection(**variables), name, exposure=Exposure.NOBODY)
    exchange = TimeLapse(HttpExchange(found, name, AuthenticationGuard(str(folder), found.account)), scheduler)
    return Host(name, exchange, sleep=scheduler.advance, clock=scheduler.time), exchange
