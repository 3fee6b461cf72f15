# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Win32_OperatingSystem, Win32_ComputerSystem, Win32_LogicalDisk, Win32_Process: properties as recorded from real
Windows (recordings/wmi), with what matters taken from the machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from lab.backend import CimValue
from lab.windows.seed import WINDOWS_NT

if TYPE_CHECKING:
    from lab.windows.host import SimulatedHost

PRIVILEGE_FLAGS_REBOOT = frozenset({2, 6})


def operating_system(host: SimulatedHost) -> Sequence[Mapping[str, CimValue]]:
    """Returns the one instance."""
    identity = host.identity
    return [
        {
            "BootDevice": r"\Device\HarddiskVolume1",
            "BuildNumber": identity.build,
            "BuildType": "Multiprocessor Free",
            "Caption": identity.caption,
            "CodeSet": "1252",
            "CountryCode": "1",
            "CreationClassName": "Win32_OperatingSystem",
            "CSCreationClassName": "Win32_ComputerSystem",
            "CSDVersion": None,
            "CSName": identity.name,
            "CurrentTimeZone": 0,
            "Debug": False,
            "Description": "",
            "Distributed": False,
            "EncryptionLevel": 256,
            "ForegroundApplicationBoost": 2,
            "FreePhysicalMemory": 2097152,
            "FreeSpaceInPagingFiles": 1048576,
            "FreeVirtualMemory": 3145728,
            "InstallDate": _installed(host),
            "LargeSystemCache": None,
            "LastBootUpTime": host.boot_time,
            "LocalDateTime": host.now(),
            "Locale": "0409",
            "Manufacturer": "Microsoft Corporation",
            "MaxNumberOfProcesses": 4294967295,
            "MaxProcessMemorySize": 137438953344,
            "MUILanguages": ["en-US"],
            "Name": rf"{identity.caption}|C:\Windows|\Device\Harddisk0\Partition2",
            "NumberOfLicensedUsers": 0,
            "NumberOfProcesses": len(processes(host)),
            "NumberOfUsers": 1,
            "OperatingSystemSKU": 7,
            "Organization": "",
            "OSArchitecture": "64-bit",
            "OSLanguage": 1033,
            "OSProductSuite": 272,
            "OSType": 18,
            "OtherTypeDescription": None,
            "PAEEnabled": None,
            "PlusProductID": None,
            "PlusVersionNumber": None,
            "PortableOperatingSystem": False,
            "Primary": True,
            "ProductType": identity.product_type,
            "RegisteredUser": host.registry.string(WINDOWS_NT, "RegisteredOwner") or "lab",
            "SerialNumber": "00000-00000-00000-AA000",
            "ServicePackMajorVersion": 0,
            "ServicePackMinorVersion": 0,
            "SizeStoredInPagingFiles": 1048576,
            "Status": "OK",
            "SuiteMask": 272,
            "SystemDevice": r"\Device\HarddiskVolume2",
            "SystemDirectory": r"C:\Windows\system32",
            "SystemDrive": "C:",
            "TotalSwapSpaceSize": None,
            "TotalVirtualMemorySize": 5242880,
            "TotalVisibleMemorySize": 4194304,
            "Version": identity.version,
            "WindowsDirectory": r"C:\Windows",
        }
    ]


def _installed(host: SimulatedHost) -> datetime:
    shell = host.files.get(r"C:\Windows\System32\cmd.exe")
    return shell.created if shell else host.boot_time


def computer_system(host: SimulatedHost) -> Sequence[Mapping[str, CimValue]]:
    """Returns the one instance."""
    identity = host.identity
    roles = ["LM_Workstation", "LM_Server", "NT"]
    roles += ["Domain_Controller"] if identity.role.is_dc else ["Server_NT"]
    return [
        {
            "AdminPasswordStatus": 3,
            "AutomaticManagedPagefile": True,
            "BootupState": "Normal boot",
            "Caption": identity.name,
            "CreationClassName": "Win32_ComputerSystem",
            "CurrentTimeZone": 0,
            "DaylightInEffect": None,
            "Description": "AT/AT COMPATIBLE",
            "DNSHostName": identity.name.lower(),
            "Domain": identity.domain,
            "DomainRole": identity.domain_role,
            "Manufacturer": "entsso.password_sync lab",
            "Model": "Simulated machine",
            "Name": identity.name,
            "NumberOfLogicalProcessors": 2,
            "NumberOfProcessors": 1,
            "PartOfDomain": True,
            "PCSystemType": 1,
            "PrimaryOwnerContact": None,
            "PrimaryOwnerName": "lab",
            "Roles": roles,
            "Status": "OK",
            "SystemType": "x64-based PC",
            "TotalPhysicalMemory": 4294967296,
            "UserName": None,
            "Workgroup": None,
        }
    ]


def logical_disks(host: SimulatedHost) -> Sequence[Mapping[str, CimValue]]:
    """Returns drive C:."""
    return [
        {
            "Access": 0,
            "Caption": "C:",
            "Compressed": False,
            "CreationClassName": "Win32_LogicalDisk",
            "Description": "Local Fixed Disk",
            "DeviceID": "C:",
            "DriveType": 3,
            "FileSystem": "NTFS",
            "FreeSpace": host.files.free,
            "InstallDate": None,
            "MaximumComponentLength": 255,
            "MediaType": 12,
            "Name": "C:",
            "ProviderName": None,
            "Size": host.files.capacity,
            "Status": None,
            "SystemCreationClassName": "Win32_ComputerSystem",
            "SystemName": host.identity.name,
            "VolumeDirty": False,
            "VolumeName": "",
            "VolumeSerialNumber": "1A2B3C4D",
        }
    ]


def processes(host: SimulatedHost) -> Sequence[Mapping[str, CimValue]]:
    """Returns LSASS, the processes of running services, and what WinRS started."""
    found: list[tuple[int, str, str]] = [(4, "System", ""), (712, "lsass.exe", r"C:\Windows\system32\lsass.exe")]
    for service in host.services:
        if service.process_id:
            leaf = service.path.strip('"').split(".exe")[0].rpartition("\\")[2] + ".exe"
            found.append((service.process_id, leaf, service.path))
    found += [(item.process_id, "cmd.exe", f"cmd /c {item.command_line}") for item in host.processes.values()]
    return [
        {
            "Caption": name,
            "CommandLine": None if host.faults.command_lines_hidden else line or None,
            "CreationClassName": "Win32_Process",
            "CreationDate": host.boot_time,
            "CSCreationClassName": "Win32_ComputerSystem",
            "CSName": host.identity.name,
            "ExecutablePath": None,
            "Handle": str(number),
            "Name": name,
            "ParentProcessId": 4,
            "ProcessId": number,
            "SessionId": 0,
        }
        for number, name, line in found
    ]


def invoke(host: SimulatedHost, method: str, parameters: Mapping[str, Sequence[str]]) -> Mapping[str, CimValue]:
    """Runs a method of Win32_OperatingSystem (wsman.md 4).

    Raises:
        LookupError: There is no such method.
    """
    flags = int("".join(parameters.get("Flags", ("-1",))[:1]))
    if method == "Reboot" or (method == "Win32Shutdown" and flags in PRIVILEGE_FLAGS_REBOOT):
        host.power.schedule_restart(0)
        return {"ReturnValue": 0}
    if method == "Win32Shutdown":
        return {"ReturnValue": 87}
    raise LookupError(method)
