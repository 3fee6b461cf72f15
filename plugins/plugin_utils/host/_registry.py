# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`host.registry`: HKEY_LOCAL_MACHINE through StdRegProv.

StdRegProv is used in root/cimv2, so that a least-privileged account needs one namespace only (wsman.md 1.2). Names of
methods and parameters, return values and value types: wsman.md 1.8.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    AccessDenied,
    OperationFailed,
    UnreadableOutput,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.codec import _soap as soap
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._cim import CimParameter
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._cim_instance import CimInstance
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._wmi import Wmi

HKEY_LOCAL_MACHINE = 2147483650

KEY_SET_VALUE = 2
"""Right to create, change and delete the values of a key (learn.microsoft.com, StdRegProv.CheckAccess)."""

_OK = 0
_ABSENT = (1, 2)
_ACCESS_DENIED = 5
_TYPE_MISMATCH = 0x80041005


class ValueType(IntEnum):
    """Registry value types as EnumValues numbers them; others exist."""

    STRING = 1
    EXPAND_STRING = 2
    BINARY = 3
    DWORD = 4
    MULTI_STRING = 7
    QWORD = 11


class Registry:
    """HKLM of one host, the 64-bit view. A 32-bit key is read by its path below `Wow6432Node` (wsman.md 1.3).

    Keys are given without the hive, for example `SYSTEM\\CurrentControlSet\\Control\\Lsa`; the value name `""` is
    the key's default value. Getters return None when the value, or its key, does not exist, and raise
    `UnreadableOutput` when the value has another type, `AccessDenied` when it may not be read.
    """

    def __init__(self, wmi: Wmi, host: str) -> None:
        self._wmi = wmi
        self._host = host

    def string(self, key: str, value: str) -> str | None:
        """Returns a REG_SZ."""
        output = self._value("GetStringValue", key, value)
        return None if output is None else output.optional_string("sValue") or ""

    def expand_string(self, key: str, value: str) -> str | None:
        """Returns a REG_EXPAND_SZ with its variables expanded by the host."""
        output = self._value("GetExpandedStringValue", key, value)
        return None if output is None else output.optional_string("sValue") or ""

    def multi_string(self, key: str, value: str) -> tuple[str, ...] | None:
        """Returns a REG_MULTI_SZ; empty when it has no strings."""
        output = self._value("GetMultiStringValue", key, value)
        return None if output is None else output.strings("sValue")

    def dword(self, key: str, value: str) -> int | None:
        """Returns a REG_DWORD, unsigned."""
        output = self._value("GetDWORDValue", key, value)
        return None if output is None else output.integer("uValue")

    def qword(self, key: str, value: str) -> int | None:
        """Returns a REG_QWORD, unsigned."""
        output = self._value("GetQWORDValue", key, value)
        return None if output is None else output.integer("uValue")

    def binary(self, key: str, value: str) -> bytes | None:
        """Returns a REG_BINARY."""
        output = self._value("GetBinaryValue", key, value)
        if output is None:
            return None
        try:
            return bytes(output.integers("uValue"))
        except ValueError as error:
            raise soap.unreadable(self._host, _name(key, value), "a byte of the value is out of range") from error

    def keys(self, key: str) -> tuple[str, ...] | None:
        """Returns the names of the keys below a key, None when the key does not exist."""
        output = self._read("EnumKey", _name(key), {"sSubKeyName": key})
        return None if output is None else output.strings("sNames")

    def values(self, key: str) -> Mapping[str, int] | None:
        """Returns the names of a key's values and their types (`ValueType`), None when the key does not exist."""
        output = self._read("EnumValues", _name(key), {"sSubKeyName": key})
        if output is None:
            return None
        names, types = output.strings("sNames"), output.integers("Types")
        if len(names) != len(types):
            raise soap.unreadable(self._host, _name(key), f"{len(names)} value names came with {len(types)} types")
        return dict(zip(names, types, strict=True))

    def may_set_values(self, key: str) -> bool:
        """Returns whether the account may create, change and delete the values of a key; tries none of it."""
        names: dict[str, CimParameter] = {"sSubKeyName": key, "uRequired": KEY_SET_VALUE}
        output = self._wmi.invoke("StdRegProv", "CheckAccess", {"hDefKey": HKEY_LOCAL_MACHINE, **names}, read_only=True)
        result = output.integer("ReturnValue")
        if result == _ACCESS_DENIED:
            return False
        self._check(result, _name(key), "looked at")
        return output.boolean("bGranted")

    def set_string(self, key: str, value: str, data: str) -> None:
        """Writes a REG_SZ."""
        self._write("SetStringValue", key, value, {"sValue": data})

    def set_multi_string(self, key: str, value: str, data: Sequence[str]) -> None:
        """Writes a REG_MULTI_SZ of at least one string.

        Raises:
            ValueError: No strings, or an empty one, which would end the list in the registry.
        """
        if not data or isinstance(data, str) or not all(data):
            raise ValueError("a REG_MULTI_SZ is written with one string or more, none of them empty")
        self._write("SetMultiStringValue", key, value, {"sValue": tuple(data)})

    def set_dword(self, key: str, value: str, data: int) -> None:
        """Writes a REG_DWORD.

        Raises:
            ValueError: Not within 32 bits.
        """
        if not 0 <= data < 1 << 32:
            raise ValueError(f"{data} is no 32-bit unsigned number")
        self._write("SetDWORDValue", key, value, {"uValue": data})

    def create_key(self, key: str) -> None:
        """Creates a key with those above it; a key that exists stays as it is."""
        self._write("CreateKey", key, None, {})

    def delete_key(self, key: str) -> bool:
        """Deletes a key that has no keys below it; returns False when it did not exist.

        Raises:
            AccessDenied: The account may not, or there are keys below it.
        """
        return self._write("DeleteKey", key, None, {}, absent_allowed=True)

    def delete_value(self, key: str, value: str) -> bool:
        """Deletes a value; returns False when it, or its key, did not exist."""
        return self._write("DeleteValue", key, value, {}, absent_allowed=True)

    def _value(self, method: str, key: str, value: str) -> CimInstance | None:
        return self._read(method, _name(key, value), {"sSubKeyName": key, "sValueName": value})

    def _read(self, method: str, subject: str, names: Mapping[str, CimParameter]) -> CimInstance | None:
        output = self._wmi.invoke("StdRegProv", method, {"hDefKey": HKEY_LOCAL_MACHINE, **names}, read_only=True)
        result = output.integer("ReturnValue")
        if result in _ABSENT:
            return None
        self._check(result, subject, "read")
        return output

    def _write(
        self,
        method: str,
        key: str,
        value: str | None,
        data: Mapping[str, CimParameter],
        *,
        absent_allowed: bool = False,
    ) -> bool:
        names: dict[str, CimParameter] = {"sSubKeyName": key}
        if value is not None:
            names["sValueName"] = value
        output = self._wmi.invoke("StdRegProv", method, {"hDefKey": HKEY_LOCAL_MACHINE, **names, **data})
        result = output.integer("ReturnValue")
        if result in _ABSENT and absent_allowed:
            return False
        self._check(result, _name(key, value), "written")
        return True

    def _check(self, result: int, subject: str, done: str) -> None:
        if result == _OK:
            return
        if result == _ACCESS_DENIED:
            raise AccessDenied(
                self._host,
                subject,
                f"it may not be {done} by this account",
                "Give the account rights on the key, or connect with another account",
            )
        if result == _TYPE_MISMATCH:
            raise UnreadableOutput(
                self._host, subject, "the value has another type than expected", "Look at the value on the host"
            )
        raise OperationFailed(
            self._host,
            subject,
            f"it could not be {done}, StdRegProv returned {result} (0x{result & 0xFFFFFFFF:08X})",
            "Look the number up in Microsoft's list of system errors",
            code=result,
        )


def _name(key: str, value: str | None = None) -> str:
    return f"registry value HKLM\\{key}\\{value or '(default)'}" if value is not None else f"registry key HKLM\\{key}"
