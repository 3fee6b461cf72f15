# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CIM_DataFile and Win32_Directory: files and folders by WQL (wsman.md 4), named in lower case as WMI does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lab.backend import CimValue
from lab.windows.files import File

if TYPE_CHECKING:
    from lab.windows.host import SimulatedHost


def data_files(host: SimulatedHost) -> Sequence[Mapping[str, CimValue]]:
    """Returns every file that the lab knows."""
    return [_instance(host, file) for file in host.files]


def _instance(host: SimulatedHost, file: File) -> Mapping[str, CimValue]:
    path = file.path.lower()
    folder, _unused, leaf = path.rpartition("\\")
    stem, dot, extension = leaf.rpartition(".")
    return {
        "AccessMask": 18809343,
        "Archive": True,
        "Caption": path,
        "Compressed": False,
        "CompressionMethod": None,
        "CreationClassName": "CIM_LogicalFile",
        "CreationDate": file.created,
        "CSCreationClassName": "Win32_ComputerSystem",
        "CSName": host.identity.name,
        "Description": path,
        "Drive": folder[:2],
        "EightDotThreeFileName": path,
        "Encrypted": False,
        "EncryptionMethod": None,
        "Extension": extension if dot else "",
        "FileName": stem if dot else leaf,
        "FileSize": file.size,
        "FileType": None,
        "FSCreationClassName": "Win32_FileSystem",
        "FSName": "NTFS",
        "Hidden": False,
        "InstallDate": file.created,
        "InUseCount": None,
        "LastAccessed": file.modified,
        "LastModified": file.modified,
        "Manufacturer": file.manufacturer,
        "Name": path,
        "Path": folder[2:] + "\\",
        "Readable": True,
        "Status": "OK",
        "System": False,
        "Version": file.version,
        "Writeable": True,
    }


def directories(host: SimulatedHost) -> Sequence[Mapping[str, CimValue]]:
    """Returns every folder that the lab knows."""
    return [_directory(path.lower()) for path in host.files.folders]


def _directory(path: str) -> Mapping[str, CimValue]:
    parent, _unused, leaf = path.rpartition("\\")
    above = parent or path
    return {
        "Drive": path[:2],
        "FileName": leaf if parent else "",
        "FileType": "File Folder",
        "Name": path,
        "Path": above[2:] + "\\",
        "Readable": True,
        "Writeable": True,
    }
