# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kind of machine a host is, in two reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import UnreadableOutput
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import PlanError
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host

DOMAIN_CONTROLLER_ROLES = (4, 5)
"""`DomainRole` of Win32_ComputerSystem: backup and primary domain controller (wsman.md 4)."""


@dataclass(frozen=True)
class System:
    """A Windows machine.

    Attributes:
        name: Fully qualified DNS name in lower case.
        domain: DNS name of its domain in lower case.
        domain_controller: Whether it is a domain controller (a read-only one counts).
        version: For example `10.0.20348`.
        caption: Product name.
        system_directory: For example `C:\\Windows\\System32`.
        boot_time: When Windows started, UTC.
        local_time: Its clock at the time of the read, UTC.
    """

    name: str
    domain: str
    domain_controller: bool
    version: str
    caption: str
    system_directory: str
    boot_time: datetime
    local_time: datetime


def read_system(host: Host) -> System:
    """Reads what kind of machine a host is: two requests.

    Raises:
        HostError: It could not be read.
    """
    operating_system = host.wmi.get("Win32_OperatingSystem")
    # Unlike Win32_OperatingSystem it is no singleton: its key is the name that this is to find out (wsman.md 4).
    computers = host.wmi.query("SELECT Name, DNSHostName, Domain, DomainRole FROM Win32_ComputerSystem")
    if operating_system is None or not computers:
        raise UnreadableOutput(
            host.name, "Win32_OperatingSystem", "WMI knows no such instance", "Repair WMI on the host"
        )
    boot_time, local_time = operating_system.time("LastBootUpTime"), operating_system.time("LocalDateTime")
    computer = computers[0]
    dns_name = (computer.optional_string("DNSHostName") or computer.optional_string("Name") or "").lower()
    domain = (computer.optional_string("Domain") or "").lower()
    return System(
        name=dns_name if "." in dns_name or not domain else f"{dns_name}.{domain}",
        domain=domain,
        domain_controller=computer.integer("DomainRole") in DOMAIN_CONTROLLER_ROLES,
        version=operating_system.optional_string("Version") or "",
        caption=operating_system.optional_string("Caption") or "",
        system_directory=operating_system.optional_string("SystemDirectory") or r"C:\Windows\System32",
        boot_time=boot_time,
        local_time=local_time,
    )


def require_domain_controller(subject: str, system: System) -> None:
    """Refuses a machine that is no domain controller.

    Raises:
        PlanError: It is none.
    """
    if not system.domain_controller:
        raise PlanError(
            subject,
            f"{subject} ({system.name or 'unnamed'}) is not a domain controller.",
            "Take it out of the inventory group domain_controllers, or correct its address.",
        )
