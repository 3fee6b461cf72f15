# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Registry table: what its rows write and what is taken away again ("Registry Table" of Windows Installer)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ansible_collections.entsso.password_sync.plugins.module_utils.msi._msi import MsiRow
from lab.windows.lsa import VALUE
from lab.windows.msi.package import Component, Package, formatted, number, text
from lab.windows.registry import ValueType

if TYPE_CHECKING:
    from lab.windows.host import SimulatedHost

WINDOWS_OWN = ("rassfm", "scecli")
CLASSES_ROOT, LOCAL_MACHINE, PER_MACHINE = 0, 2, -1


class RegistryRows:
    """Writes and removes the rows of a package."""

    def __init__(
        self, host: SimulatedHost, package: Package, properties: Mapping[str, str], file_paths: Mapping[str, str]
    ) -> None:
        """Takes the machine, the package, the properties in force, and where its files go."""
        self._host = host
        self._package = package
        self._properties = properties
        self._file_paths = file_paths

    def write(self, component: Component) -> None:
        """Writes the rows of a component."""
        registry = self._host.registry
        for row in self._rows(component):
            key, name, value = self._key(row, component), self._text(row, "Name"), self._text(row, "Value")
            if not value and name in ("+", "*"):
                registry.create_key(key)
            elif "[~]" in value:
                registry.set_multi_string(key, name, self._merged(key, name, value))
            elif not (not value and name == "-"):
                self._write_single(key, name, value)

    def remove(self, component: Component) -> None:
        """Takes away what the rows of a component wrote; keys that are empty then go too."""
        registry = self._host.registry
        for row in self._rows(component):
            key, name, value = self._key(row, component), self._text(row, "Name"), self._text(row, "Value")
            if not value and name in ("-", "*"):
                registry.delete_key(key, recursive=True)
                continue
            if "[~]" in value and not self._replaces(value):
                if name.lower() == VALUE.lower() and self._host.settings.pcns.uninstall_rewrites_entries:
                    registry.set_multi_string(key, name, WINDOWS_OWN)
                    continue
                if name.lower() == VALUE.lower() and not self._host.settings.pcns.uninstall_removes_entry:
                    continue
                own = {item.lower() for item in value.split("[~]") if item}
                left = [item for item in registry.multi_string(key, name) or () if item.lower() not in own]
                registry.set_multi_string(key, name, left)
                continue
            registry.delete_value(key, name)
            self._remove_empty(key)

    def _rows(self, component: Component) -> list[MsiRow]:
        rows = self._package.rows("Registry")
        known = (CLASSES_ROOT, LOCAL_MACHINE, PER_MACHINE)
        return [row for row in rows if text(row, "Component_") == component.name and number(row, "Root") in known]

    def _key(self, row: MsiRow, component: Component) -> str:
        key = self._text(row, "Key")
        if number(row, "Root") == CLASSES_ROOT:
            key = rf"SOFTWARE\Classes\{key}"
        if not component.is_64_bit and key.lower().startswith("software\\"):
            key = rf"SOFTWARE\Wow6432Node\{key[9:]}"
        return key

    def _text(self, row: MsiRow, column: str) -> str:
        return formatted(text(row, column), self._properties, self._file_paths)

    def _merged(self, key: str, name: str, value: str) -> list[str]:
        strings = [item for item in value.split("[~]") if item]
        if self._replaces(value):
            return strings
        own = {item.lower() for item in strings}
        existing = [item for item in self._host.registry.multi_string(key, name) or () if item.lower() not in own]
        return existing + strings if value.startswith("[~]") else strings + existing

    @staticmethod
    def _replaces(value: str) -> bool:
        return value.startswith("[~]") == value.endswith("[~]")

    def _write_single(self, key: str, name: str, value: str) -> None:
        registry = self._host.registry
        if value.startswith("##") or not value.startswith("#"):
            registry.set_string(key, name, value.removeprefix("#") if value.startswith("##") else value)
        elif value.startswith("#x"):
            registry.set(key, name, ValueType.BINARY, bytes.fromhex(value[2:]))
        elif value.startswith("#%"):
            registry.set_expand_string(key, name, value[2:])
        else:
            registry.set_dword(key, name, int(value[1:]))

    def _remove_empty(self, key: str) -> None:
        registry = self._host.registry
        while "\\" in key:
            found = registry.key(key)
            if found is None or found.values or found.subkeys:
                return
            registry.delete_key(key)
            key = key.rpartition("\\")[0]
