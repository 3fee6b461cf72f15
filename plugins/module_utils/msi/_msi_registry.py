# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a package writes to the registry: the rows of its Registry table with types and meaning."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ansible_collections.entsso.password_sync.plugins.module_utils.msi._msi import MsiDatabase
from ansible_collections.entsso.password_sync.plugins.module_utils.msi._msi_container import damaged

_ROOTS = {-1: "HKLM or HKCU", 0: "HKCR", 1: "HKCU", 2: "HKLM", 3: "HKU"}
_NULL = "[~]"


class RegistryKind(StrEnum):
    """Type of a registry value."""

    STRING = "REG_SZ"
    EXPAND_STRING = "REG_EXPAND_SZ"
    MULTI_STRING = "REG_MULTI_SZ"
    DWORD = "REG_DWORD"
    BINARY = "REG_BINARY"
    KEY = "key"
    """No value: the row only makes or removes the key."""


class RegistryAction(StrEnum):
    """What is done with the value or key."""

    SET = "set"
    APPEND = "append"
    PREPEND = "prepend"
    CREATE_KEY = "create_key"
    REMOVE_KEY = "remove_key"


@dataclass(frozen=True)
class MsiRegistryValue:
    """One row of the Registry table (Windows Installer, "Registry Table").

    Attributes:
        root: `HKLM`, `HKCU`, `HKCR`, `HKU`, or `HKLM or HKCU` where ALLUSERS decides.
        key: Path below the root.
        name: Name of the value, empty for the default value.
        kind: Its type.
        action: What is done with it.
        data: One text for `REG_SZ` and `REG_EXPAND_SZ`, the entries of `REG_MULTI_SZ`, the digits of `REG_DWORD`
            (decimal) and `REG_BINARY` (hexadecimal). References such as `[INSTALLDIR]` stand as in the package.
        component: The component it belongs to.
    """

    root: str
    key: str
    name: str
    kind: RegistryKind
    action: RegistryAction
    data: tuple[str, ...]
    component: str


def read_registry(database: MsiDatabase) -> tuple[MsiRegistryValue, ...]:
    """Reads the Registry table.

    Raises:
        MsiError: A row has no key or an unknown root.
    """
    values: list[MsiRegistryValue] = []
    for row in database.table("Registry"):
        root, key, name, value = row.get("Root"), row.get("Key"), row.get("Name"), row.get("Value")
        component = row.get("Component_")
        if not isinstance(root, int) or root not in _ROOTS or not isinstance(key, str):
            raise damaged(database.name, f"the row {row.get('Registry')} of its Registry table has no root or no key")
        text = "" if value is None else str(value)
        label = "" if name is None else str(name)
        kind, action, data = _decode(label, value is None, text)
        if kind is RegistryKind.KEY:
            label = ""
        values.append(MsiRegistryValue(_ROOTS[root], key, label, kind, action, data, str(component or "")))
    return tuple(values)


def _decode(name: str, no_value: bool, text: str) -> tuple[RegistryKind, RegistryAction, tuple[str, ...]]:
    """Tells type and action by the prefixes that the documentation of the Registry table lists."""
    if no_value and name in ("+", "*", "-"):
        action = RegistryAction.REMOVE_KEY if name == "-" else RegistryAction.CREATE_KEY
        return RegistryKind.KEY, action, ()
    if text.startswith("##"):
        return RegistryKind.STRING, RegistryAction.SET, (text[1:],)
    if text.startswith("#x"):
        return RegistryKind.BINARY, RegistryAction.SET, (text[2:],)
    if text.startswith("#%"):
        return RegistryKind.EXPAND_STRING, RegistryAction.SET, (text[2:],)
    if text.startswith("#"):
        return RegistryKind.DWORD, RegistryAction.SET, (text[1:],)
    if _NULL in text:
        entries = tuple(part for part in text.split(_NULL) if part)
        first, last = text.startswith(_NULL), text.endswith(_NULL)
        if first and not last:
            return RegistryKind.MULTI_STRING, RegistryAction.APPEND, entries
        if last and not first:
            return RegistryKind.MULTI_STRING, RegistryAction.PREPEND, entries
        return RegistryKind.MULTI_STRING, RegistryAction.SET, entries
    return RegistryKind.STRING, RegistryAction.SET, (text,)
