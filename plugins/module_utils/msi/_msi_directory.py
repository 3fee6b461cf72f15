# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a package puts its files: the Directory table resolved to the folders of Windows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.entsso.password_sync.plugins.module_utils.msi._msi import MsiDatabase
from ansible_collections.entsso.password_sync.plugins.module_utils.msi._msi_container import damaged

STANDARD_FOLDERS: Mapping[str, str] = {
    "System64Folder": r"%SystemRoot%\System32",
    "SystemFolder": r"%SystemRoot%\SysWOW64",
    "WindowsFolder": "%SystemRoot%",
    "FontsFolder": r"%SystemRoot%\Fonts",
    "ProgramFiles64Folder": "%ProgramFiles%",
    "ProgramFilesFolder": "%ProgramFiles(x86)%",
    "CommonFiles64Folder": r"%ProgramFiles%\Common Files",
    "CommonFilesFolder": r"%ProgramFiles(x86)%\Common Files",
    "CommonAppDataFolder": "%ProgramData%",
    "WindowsVolume": "%SystemDrive%",
}
"""Folder properties that Windows Installer sets itself, on 64-bit Windows, as the environment variables of a 64-bit
process (Windows Installer, "System Folder Properties"): there the properties without 64 are the 32-bit folders."""

_MODULE_SUFFIX = re.compile(r"\.[0-9A-Fa-f]{8}(_[0-9A-Fa-f]{4}){3}_[0-9A-Fa-f]{12}$")
_MAX_DEPTH = 64


@dataclass(frozen=True)
class WindowsFolders:
    """The folders of one host that paths of packages begin with; the defaults are those of a usual installation."""

    system_root: str = r"C:\Windows"
    program_files: str = r"C:\Program Files"
    program_files_x86: str = r"C:\Program Files (x86)"
    program_data: str = r"C:\ProgramData"

    def expand(self, path: str) -> str:
        """Returns a path of a package with its leading variable replaced; other text stays."""
        for variable, folder in (
            ("%SystemRoot%", self.system_root),
            ("%ProgramFiles%", self.program_files),
            ("%ProgramFiles(x86)%", self.program_files_x86),
            ("%ProgramData%", self.program_data),
            ("%SystemDrive%", self.system_root[:2]),
        ):
            if path.startswith(variable):
                return folder + path[len(variable) :]
        return path


def long_name(stored: str) -> str:
    """Returns the long name of `SHORT|long`, the form of names in File and Directory tables."""
    return stored.rpartition("|")[2]


def resolve_directories(database: MsiDatabase, properties: Mapping[str, str]) -> dict[str, str]:
    r"""Resolves every row of the Directory table.

    Args:
        database: The package.
        properties: Public properties given to the installation; one that has the name of a directory moves it.

    Returns:
        Path by directory identifier: `%ProgramFiles%\Microsoft Password Change Notification`. What is under no folder
        of Windows begins with `[TARGETDIR]`, since where that lies is decided on the host.

    Raises:
        MsiError: The table contradicts itself.
    """
    rows: dict[str, tuple[str | None, str]] = {}
    for row in database.table("Directory"):
        identifier, parent, stored = row.get("Directory"), row.get("Directory_Parent"), row.get("DefaultDir")
        if not isinstance(identifier, str) or isinstance(parent, int):
            raise damaged(database.name, "its Directory table has a row without identifier")
        rows[identifier] = (parent, stored if isinstance(stored, str) else ".")
    resolved: dict[str, str] = {}
    for identifier in rows:
        resolved[identifier] = _resolve(identifier, rows, properties, database.name)
    return resolved


def _resolve(
    identifier: str, rows: Mapping[str, tuple[str | None, str]], properties: Mapping[str, str], name: str
) -> str:
    below: list[str] = []
    current = identifier
    for _level in range(_MAX_DEPTH):
        root = properties.get(current) or STANDARD_FOLDERS.get(_MODULE_SUFFIX.sub("", current))
        if root is None and current not in rows:
            raise damaged(name, f"its Directory table names {current}, which is not there")
        if root is None:
            parent, stored = rows[current]
            if parent is None or parent == current:
                root = f"[{current}]"
            else:
                target = long_name(stored.partition(":")[0])
                if target != ".":
                    below.append(target)
                current = parent
                continue
        return "\\".join([root.rstrip("\\"), *reversed(below)])
    raise damaged(name, f"its Directory table runs in a circle at {identifier}")
