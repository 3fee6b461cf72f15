# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine that tells its name, and hosts that are opened with an expectation of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.entsso.password_sync.plugins.module_utils.codec._computer_name import ExpectedMachine
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._authentication_guard import (
    AuthenticationGuard,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._connection import connection_settings
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._http_exchange import HttpExchange
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host
from ansible_collections.entsso.password_sync.tests.unit.lab.endpoint_kit import Machine, service
from ansible_collections.entsso.password_sync.tests.unit.plugin_utils.ansible_connection import connection
from ansible_collections.entsso.password_sync.tests.unit.plugin_utils.exchange_kit import variables
from lab.backend import CimValue

OPERATING_SYSTEM = "Win32_OperatingSystem"


@dataclass
class NamedMachine(Machine):
    """Says in every class what it is called, as Windows does."""

    def wmi_instances(self, namespace: str, class_name: str) -> Sequence[Mapping[str, CimValue]] | None:
        """Returns the instances of a class."""
        found = super().wmi_instances(namespace, class_name)
        if class_name.lower() == "win32_operatingsystem":
            return [{**instance, "CSName": self.computer_name} for instance in found or ()]
        if class_name.lower() == "win32_service":
            return [{**instance, "SystemName": self.computer_name} for instance in found or ()]
        return found


def many_services(count: int, **more: CimValue) -> list[dict[str, CimValue]]:
    """Returns services `Service0` and so on."""
    return [service(f"Service{number}", **more) for number in range(count)]


def opened(
    kind: str, address: str, folder: Path, *, expected: ExpectedMachine | None = None, name: str = "dc01", **given: Any
) -> Host:
    """Opens a host over a real connection; waits take no time."""
    settings = connection_settings(connection(kind, **variables(kind, address, **given)), name)
    exchange = HttpExchange(settings, name, AuthenticationGuard(folder, settings.account))
    return Host(name, exchange, expected=expected, sleep=lambda _seconds: None)


def start(host: Host) -> int:
    """Starts a service: a write whose effect the machine remembers in `invoked`."""
    return host.wmi.invoke("Win32_Service", "StartService", selectors={"Name": "PCNSSVC"}).integer("ReturnValue")
