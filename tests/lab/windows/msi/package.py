# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A package as the installer uses it: features, components, where they go, and what belongs to them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from ansible_collections.entsso.password_sync.plugins.module_utils.msi._msi import (
    MsiDatabase,
    MsiError,
    MsiRow,
    read_msi,
)

STANDARD_FOLDERS: Mapping[str, str] = {
    "SystemFolder": r"C:\Windows\SysWOW64",
    "System64Folder": r"C:\Windows\System32",
    "WindowsFolder": r"C:\Windows",
    "ProgramFilesFolder": r"C:\Program Files (x86)",
    "ProgramFiles64Folder": r"C:\Program Files",
    "CommonFilesFolder": r"C:\Program Files (x86)\Common Files",
    "CommonFiles64Folder": r"C:\Program Files\Common Files",
    "CommonAppDataFolder": r"C:\ProgramData",
    "TempFolder": r"C:\Windows\Temp",
    "WindowsVolume": "C:",
}
"""Folders of a 64-bit Windows, by the property that names them."""

SIXTY_FOUR_BIT = 0x100


class BadPackage(Exception):
    """The file is no package that can be installed (exit code 1620)."""


@dataclass(frozen=True)
class Component:
    """One component."""

    name: str
    folder: str
    attributes: int
    condition: str
    key_path: str

    @property
    def is_64_bit(self) -> bool:
        """Whether it goes to the 64-bit side."""
        return bool(self.attributes & SIXTY_FOUR_BIT)


@dataclass(frozen=True)
class PackageFile:
    """One file of a package."""

    key: str
    component: str
    name: str
    size: int
    version: str | None


class Package:
    """One package file, read."""

    def __init__(self, database: MsiDatabase) -> None:
        """Takes a database whose tables decode."""
        self._database = database
        self.properties = {text(row, "Property"): text(row, "Value") for row in database.table("Property")}
        self.package_code = database.summary.package_code
        self.platforms = database.summary.platforms
        self.components = {item.name: item for item in map(self._component, database.table("Component"))}
        self.files = {item.key: item for item in map(_file, database.table("File"))}

    @property
    def product_code(self) -> str:
        """ProductCode, upper case."""
        return self.properties.get("ProductCode", "").upper()

    @property
    def name(self) -> str:
        """ProductName."""
        return self.properties.get("ProductName", "")

    @property
    def version(self) -> str:
        """ProductVersion."""
        return self.properties.get("ProductVersion", "")

    def rows(self, table: str) -> tuple[MsiRow, ...]:
        """Returns the rows of a table, none when it is absent."""
        return self._database.table(table)

    def components_of(self, feature: str) -> list[str]:
        """Returns the names of a feature's components."""
        rows = self.rows("FeatureComponents")
        return [text(row, "Component_") for row in rows if text(row, "Feature_") == feature]

    def folder(self, key: str, overrides: Mapping[str, str]) -> str:
        """Returns the path of an entry of the Directory table.

        Args:
            key: Its name.
            overrides: Properties of the same name given on the command line win.
        """
        if overrides.get(key):
            return overrides[key].rstrip("\\")
        if key in STANDARD_FOLDERS:
            return STANDARD_FOLDERS[key]
        row = next((row for row in self.rows("Directory") if text(row, "Directory") == key), None)
        parent = text(row, "Directory_Parent") if row is not None else ""
        if row is None or not parent or parent == key:
            return "C:"
        name = text(row, "DefaultDir").partition(":")[0].rpartition("|")[2]
        above = self.folder(parent, overrides)
        return above if name in ("", ".") else f"{above}\\{name}"

    def _component(self, row: MsiRow) -> Component:
        return Component(
            text(row, "Component"),
            text(row, "Directory_"),
            number(row, "Attributes"),
            text(row, "Condition"),
            text(row, "KeyPath"),
        )


def _file(row: MsiRow) -> PackageFile:
    return PackageFile(
        text(row, "File"),
        text(row, "Component_"),
        text(row, "FileName").rpartition("|")[2],
        number(row, "FileSize"),
        text(row, "Version") or None,
    )


def text(row: MsiRow, column: str) -> str:
    """Returns a column as text, empty for null."""
    value = row.get(column)
    return "" if value is None else str(value)


def number(row: MsiRow, column: str) -> int:
    """Returns a column as a number, 0 for null."""
    value = row.get(column)
    return int(value) if value not in (None, "") else 0


@lru_cache(maxsize=32)
def load(content: bytes) -> Package:
    """Reads a package; many hosts install the same one.

    Raises:
        BadPackage: The content is no intact package.
    """
    try:
        database = read_msi(content)
        database.check()
    except MsiError as error:
        raise BadPackage(str(error)) from error
    return Package(database)


def formatted(value: str, properties: Mapping[str, str], file_paths: Mapping[str, str]) -> str:
    """Replaces `[Property]`, `[#File]`, `[!File]` and `[\\x]` in a Formatted text; `[~]` stays."""

    def replace(match: re.Match[str]) -> str:
        inner = match[1]
        if inner == "~":
            return "[~]"
        if inner[0] in "#!":
            return file_paths.get(inner[1:], "")
        if inner[0] == "\\":
            return inner[1:2]
        return properties.get(inner, "")

    return re.sub(r"\[([^\[\]{}]+)\]", replace, value)


def compare_versions(left: str, right: str) -> int:
    """Compares the first three fields, as Windows Installer does; negative when `left` is older."""
    first, second = (tuple(int(part) for part in re.findall(r"\d+", item)[:3]) for item in (left, right))
    return (first > second) - (first < second)
