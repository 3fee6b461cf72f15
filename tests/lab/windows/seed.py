# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a fresh machine has: folders, system files, registry, services. ENTSSO is seeded by its own file."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING

from lab.windows.lsa import LSA, SYSTEM32, VALUE
from lab.windows.services import StartMode

if TYPE_CHECKING:
    from lab.windows.host import SimulatedHost

CHANNELS = (
    "Application",
    "System",
    "Security",
    "Directory Service",
    "DFS Replication",
    "Microsoft-Windows-CodeIntegrity/Operational",
)
FOLDERS = (
    r"C:\Windows\System32",
    r"C:\Windows\SysWOW64",
    r"C:\Windows\Temp",
    r"C:\Windows\Installer",
    r"C:\Program Files\Common Files",
    r"C:\Program Files (x86)",
    r"C:\ProgramData",
    r"C:\Users\svc-ansible",
)
_SYSTEM_FILES = (
    "cmd.exe",
    "msiexec.exe",
    "certutil.exe",
    "shutdown.exe",
    "findstr.exe",
    "schtasks.exe",
    "icacls.exe",
    "lsass.exe",
    "svchost.exe",
    "rassfm.dll",
    "scecli.dll",
)
_SINCE_2019 = ("curl.exe",)
_SERVICES = (
    ("RpcSs", "Remote Procedure Call (RPC)", "NT AUTHORITY\\NetworkService", StartMode.AUTO),
    ("EventLog", "Windows Event Log", "NT AUTHORITY\\LocalService", StartMode.AUTO),
    ("WinRM", "Windows Remote Management (WS-Management)", "NT AUTHORITY\\NetworkService", StartMode.AUTO),
    ("W32Time", "Windows Time", "NT AUTHORITY\\LocalService", StartMode.AUTO),
    ("Netlogon", "Netlogon", "LocalSystem", StartMode.AUTO),
    ("msiserver", "Windows Installer", "LocalSystem", StartMode.MANUAL),
)
_DC_SERVICES = (
    ("RpcSs", "Remote Procedure Call (RPC)", "NT AUTHORITY\\NetworkService", StartMode.AUTO),
    ("NTDS", "Active Directory Domain Services", "LocalSystem", StartMode.AUTO),
    ("Kdc", "Kerberos Key Distribution Center", "LocalSystem", StartMode.AUTO),
    ("DNS", "DNS Server", "LocalSystem", StartMode.AUTO),
    ("DFSR", "DFS Replication", "LocalSystem", StartMode.AUTO),
)
PRODUCT_OPTIONS = r"SYSTEM\CurrentControlSet\Control\ProductOptions"
WINDOWS_NT = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion"


def seed(host: SimulatedHost) -> None:
    """Fills a new machine."""
    identity, registry = host.identity, host.registry
    installed = host.boot_time - timedelta(days=200)
    host.boot_time = host.boot_time - timedelta(days=30)
    file_version = f"{identity.version}.1"
    for name in (*_SYSTEM_FILES, *(_SINCE_2019 if int(identity.build) >= 17763 else ())):
        digest = hashlib.sha256(f"windows/{name}/{identity.build}".encode()).hexdigest()
        host.files.put(
            f"{SYSTEM32}\\{name}", 65536, digest, installed, version=file_version, manufacturer="Microsoft Corporation"
        )
    registry.set_string(WINDOWS_NT, "ProductName", identity.caption.removeprefix("Microsoft "))
    registry.set_string(WINDOWS_NT, "CurrentBuildNumber", identity.build)
    registry.set_dword(WINDOWS_NT, "UBR", identity.revision)
    registry.set_string(WINDOWS_NT, "InstallationType", "Server")
    registry.set_string(PRODUCT_OPTIONS, "ProductType", "LanmanNT" if identity.role.is_dc else "ServerNT")
    for key in ("ComputerName", "ActiveComputerName"):
        registry.set_string(rf"SYSTEM\CurrentControlSet\Control\ComputerName\{key}", "ComputerName", identity.name)
    registry.create_key(r"SYSTEM\CurrentControlSet\Services\Netlogon\Parameters")
    registry.set_string(r"SYSTEM\CurrentControlSet\Control\Nls\CodePage", "OEMCP", "437")
    # A typical DC has "rassfm scecli" (pcns.md 1).
    registry.set_multi_string(LSA, VALUE, ("rassfm", "scecli"))
    registry.set_multi_string(LSA, "Security Packages", ('""',))
    registry.set_dword(LSA, "RunAsPPL", 0)
    registry.create_key(r"SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall")
    registry.create_key(r"SOFTWARE\Wow6432Node\Microsoft\Windows\CurrentVersion\Uninstall")
    registry.create_key(r"SOFTWARE\Classes\Installer")
    for name, display, account, mode in _SERVICES + (_DC_SERVICES if identity.role.is_dc else ()):
        host.services.create(
            name,
            r"%SystemRoot%\System32\svchost.exe -k netsvcs".replace("%SystemRoot%", r"C:\Windows"),
            display_name=display,
            account=account,
            start_mode=mode,
            service_type=0x20,
        )


def unseed_domain_controller(host: SimulatedHost) -> None:
    """Takes away what a domain controller has more than a member server."""
    host.registry.set_string(PRODUCT_OPTIONS, "ProductType", "ServerNT")
    others = {name for name, _display, _account, _mode in _SERVICES}
    for name, _display, _account, _mode in _DC_SERVICES:
        if name not in others:
            host.services.delete(name)
