# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Win32_Service: properties as recorded from real Windows, methods as wsman.md 4 lists them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lab.backend import CimValue
from lab.windows.services import CHANGE_START_MODE, Reply, Service

if TYPE_CHECKING:
    from lab.windows.host import SimulatedHost


def services(host: SimulatedHost) -> Sequence[Mapping[str, CimValue]]:
    """Returns every service."""
    return [_instance(host, service) for service in host.services]


def invoke(
    host: SimulatedHost, method: str, instance: Mapping[str, CimValue] | None, parameters: Mapping[str, Sequence[str]]
) -> Mapping[str, CimValue]:
    """Runs a method on one service.

    Raises:
        LookupError: There is no such method, or no instance was named.
    """
    if instance is None:
        raise LookupError(method)
    name = str(instance["Name"])
    if method == "StartService":
        return {"ReturnValue": host.services.start(name)}
    if method == "StopService":
        return {"ReturnValue": host.services.stop(name)}
    if method == "ChangeStartMode":
        mode = CHANGE_START_MODE.get("".join(parameters.get("StartMode", ())[:1]).lower())
        if mode is None:
            return {"ReturnValue": int(Reply.INVALID_PARAMETER)}
        host.services.set_start_mode(name, mode)
        return {"ReturnValue": int(Reply.OK)}
    raise LookupError(method)


def _instance(host: SimulatedHost, service: Service) -> Mapping[str, CimValue]:
    running = service.state == "Running"
    return {
        "AcceptPause": False,
        "AcceptStop": running,
        "Caption": service.display_name,
        "CheckPoint": 0,
        "CreationClassName": "Win32_Service",
        "DelayedAutoStart": service.delayed,
        "Description": service.description or None,
        "DesktopInteract": False,
        "DisplayName": service.display_name,
        "ErrorControl": "Normal",
        "ExitCode": service.exit_code,
        "InstallDate": None,
        "Name": service.name,
        "PathName": service.path,
        "ProcessId": service.process_id,
        "ServiceSpecificExitCode": 0,
        "ServiceType": "Own Process" if service.service_type == 0x10 else "Share Process",
        "Started": running,
        "StartMode": service.start_mode.value,
        "StartName": service.account,
        "State": service.state,
        "Status": "OK",
        "SystemCreationClassName": "Win32_ComputerSystem",
        "SystemName": host.identity.name,
        "TagId": 0,
        "WaitHint": 0,
    }
