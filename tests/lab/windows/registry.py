# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HKEY_LOCAL_MACHINE: keys, typed values, names without regard to case."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

Data = str | int | bytes | tuple[str, ...]


class ValueType(IntEnum):
    """Types of values, with the numbers of StdRegProv.EnumValues (wsman.md 1.8)."""

    SZ = 1
    EXPAND_SZ = 2
    BINARY = 3
    DWORD = 4
    MULTI_SZ = 7
    QWORD = 11


@dataclass(frozen=True)
class Value:
    """One value. The empty name is the default value of its key."""

    name: str
    type: ValueType
    data: Data


@dataclass
class Key:
    """One key with its values and subkeys, both by lower-case name."""

    name: str
    values: dict[str, Value] = field(default_factory=dict)
    subkeys: dict[str, Key] = field(default_factory=dict)


class Registry:
    """The hive HKEY_LOCAL_MACHINE of one machine; paths have backslashes and no leading one."""

    def __init__(self) -> None:
        """Makes an empty hive."""
        self._root = Key("")

    def key(self, path: str) -> Key | None:
        """Returns a key, None when it is absent."""
        current = self._root
        for part in _parts(path):
            found = current.subkeys.get(part.lower())
            if found is None:
                return None
            current = found
        return current

    def create_key(self, path: str) -> Key:
        """Returns a key, made with all keys above it when absent."""
        current = self._root
        for part in _parts(path):
            current = current.subkeys.setdefault(part.lower(), Key(part))
        return current

    def delete_key(self, path: str, *, recursive: bool = False) -> bool:
        """Deletes a key; False when it is absent, or has subkeys and `recursive` is not set."""
        above, _unused, name = path.strip("\\").rpartition("\\")
        parent = self.key(above)
        found = parent.subkeys.get(name.lower()) if parent is not None else None
        if parent is None or found is None or (found.subkeys and not recursive):
            return False
        del parent.subkeys[name.lower()]
        return True

    def keys(self, path: str) -> tuple[str, ...] | None:
        """Returns the names of the subkeys in order, None when the key is absent."""
        found = self.key(path)
        return None if found is None else tuple(found.subkeys[name].name for name in sorted(found.subkeys))

    def values(self, path: str) -> tuple[Value, ...] | None:
        """Returns all values of a key in order of name, None when the key is absent."""
        found = self.key(path)
        return None if found is None else tuple(found.values[name] for name in sorted(found.values))

    def get(self, path: str, name: str) -> Value | None:
        """Returns a value, None when it or its key is absent."""
        found = self.key(path)
        return None if found is None else found.values.get(name.lower())

    def set(self, path: str, name: str, value_type: ValueType, data: Data) -> None:
        """Writes a value; its key is made when absent."""
        values = self.create_key(path).values
        before = values.get(name.lower())
        values[name.lower()] = Value(before.name if before else name, value_type, data)

    def set_string(self, path: str, name: str, data: str) -> None:
        """Writes a REG_SZ."""
        self.set(path, name, ValueType.SZ, data)

    def set_expand_string(self, path: str, name: str, data: str) -> None:
        """Writes a REG_EXPAND_SZ."""
        self.set(path, name, ValueType.EXPAND_SZ, data)

    def set_multi_string(self, path: str, name: str, data: Sequence[str]) -> None:
        """Writes a REG_MULTI_SZ."""
        self.set(path, name, ValueType.MULTI_SZ, tuple(data))

    def set_dword(self, path: str, name: str, data: int) -> None:
        """Writes a REG_DWORD."""
        self.set(path, name, ValueType.DWORD, data)

    def delete_value(self, path: str, name: str) -> bool:
        """Deletes a value; False when it is absent."""
        found = self.key(path)
        return found is not None and found.values.pop(name.lower(), None) is not None

    def string(self, path: str, name: str) -> str | None:
        """Returns a REG_SZ or REG_EXPAND_SZ, None when absent or of another type."""
        value = self.get(path, name)
        return value.data if value is not None and isinstance(value.data, str) else None

    def multi_string(self, path: str, name: str) -> tuple[str, ...] | None:
        """Returns a REG_MULTI_SZ, None when absent or of another type."""
        value = self.get(path, name)
        return value.data if value is not None and isinstance(value.data, tuple) else None

    def dword(self, path: str, name: str) -> int | None:
        """Returns a REG_DWORD or REG_QWORD, None when absent or of another type."""
        value = self.get(path, name)
        return value.data if value is not None and isinstance(value.data, int) else None

    def dump(self) -> dict[str, dict[str, list[object]]]:
        """Returns every key with every value as [type, data], in a form for JSON."""
        return {path: {v.name: [v.type.name, _jsonable(v.data)] for v in _sorted(key)} for path, key in self._walk()}

    def checkpoint(self) -> Key:
        """Returns a copy of everything, for `restore`."""
        return copy.deepcopy(self._root)

    def restore(self, checkpoint: Key) -> None:
        """Goes back to what `checkpoint` returned."""
        self._root = copy.deepcopy(checkpoint)

    def _walk(self) -> Iterator[tuple[str, Key]]:
        stack = [("", self._root)]
        while stack:
            path, key = stack.pop()
            if path:
                yield path, key
            prefix = f"{path}\\" if path else ""
            stack.extend(
                (prefix + key.subkeys[name].name, key.subkeys[name]) for name in sorted(key.subkeys, reverse=True)
            )


def _parts(path: str) -> list[str]:
    return [part for part in path.split("\\") if part]


def _sorted(key: Key) -> list[Value]:
    return [key.values[name] for name in sorted(key.values)]


def _jsonable(data: Data) -> object:
    if isinstance(data, bytes):
        return data.hex()
    return list(data) if isinstance(data, tuple) else data
