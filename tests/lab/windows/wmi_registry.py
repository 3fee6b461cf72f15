# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""StdRegProv: the registry through WMI. Signatures and return values: wsman.md 1.8."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from lab.backend import CimValue
from lab.windows.registry import Data, Registry, ValueType

HKLM = 2147483650
_HIVES = frozenset({2147483648, 2147483649, HKLM, 2147483651, 2147483653})
OK = 0
NO_VALUE = 1
NO_KEY = 2
ACCESS_DENIED = 5
BAD_HIVE = 6
TYPE_MISMATCH = 2147749893
_VARIABLES = {"systemroot": r"C:\Windows", "windir": r"C:\Windows", "programfiles": r"C:\Program Files"}
_GETTERS = {
    "GetStringValue": (ValueType.SZ, "sValue"),
    "GetExpandedStringValue": (ValueType.EXPAND_SZ, "sValue"),
    "GetMultiStringValue": (ValueType.MULTI_SZ, "sValue"),
    "GetDWORDValue": (ValueType.DWORD, "uValue"),
    "GetQWORDValue": (ValueType.QWORD, "uValue"),
    "GetBinaryValue": (ValueType.BINARY, "uValue"),
}
_SETTERS = {name.replace("Get", "Set"): item for name, item in _GETTERS.items()}


def invoke(registry: Registry, method: str, parameters: Mapping[str, Sequence[str]]) -> Mapping[str, CimValue]:
    """Runs one method.

    Raises:
        LookupError: StdRegProv has no such method.
    """
    hive = int(_first(parameters, "hDefKey") or HKLM)
    path = _first(parameters, "sSubKeyName")
    name = _first(parameters, "sValueName")
    if hive not in _HIVES:
        return {"ReturnValue": BAD_HIVE}
    if hive != HKLM:
        return {"ReturnValue": NO_KEY}
    if method in _GETTERS:
        return _get(registry, path, name, *_GETTERS[method])
    if method in _SETTERS:
        value_type, parameter = _SETTERS[method]
        return _set(registry, path, name, value_type, parameters.get(parameter, ()))
    if method == "EnumKey":
        keys = registry.keys(path)
        return {"ReturnValue": NO_KEY} if keys is None else {"sNames": keys, "ReturnValue": OK}
    if method == "EnumValues":
        values = registry.values(path)
        if values is None:
            return {"ReturnValue": NO_KEY}
        return {
            "sNames": [item.name for item in values],
            "Types": [int(item.type) for item in values],
            "ReturnValue": OK,
        }
    if method == "CreateKey":
        registry.create_key(path)
        return {"ReturnValue": OK}
    if method == "DeleteKey":
        if registry.key(path) is None:
            return {"ReturnValue": NO_KEY}
        return {"ReturnValue": OK if registry.delete_key(path) else ACCESS_DENIED}
    if method == "DeleteValue":
        return {"ReturnValue": OK if registry.delete_value(path, name) else NO_KEY}
    if method == "CheckAccess":
        known = registry.key(path) is not None
        return {"bGranted": known, "ReturnValue": OK if known else NO_KEY}
    raise LookupError(method)


def _first(parameters: Mapping[str, Sequence[str]], name: str) -> str:
    values = parameters.get(name, ())
    return values[0] if values else ""


def _get(registry: Registry, path: str, name: str, value_type: ValueType, output: str) -> Mapping[str, CimValue]:
    if registry.key(path) is None:
        return {output: None, "ReturnValue": NO_KEY}
    value = registry.get(path, name)
    if value is None:
        return {output: None, "ReturnValue": NO_VALUE}
    if value.type is not value_type:
        return {output: None, "ReturnValue": TYPE_MISMATCH}
    return {output: _outgoing(value.data, value_type), "ReturnValue": OK}


def _outgoing(data: Data, value_type: ValueType) -> CimValue:
    if isinstance(data, bytes):
        return list(data)
    if isinstance(data, str) and value_type is ValueType.EXPAND_SZ:
        return re.sub(r"%([^%]+)%", lambda match: _VARIABLES.get(match[1].lower(), match[0]), data)
    return data


def _set(
    registry: Registry, path: str, name: str, value_type: ValueType, items: Sequence[str]
) -> Mapping[str, CimValue]:
    if registry.key(path) is None:
        return {"ReturnValue": NO_KEY}
    data: Data
    if value_type is ValueType.MULTI_SZ:
        data = tuple(items)
    elif value_type is ValueType.BINARY:
        data = bytes(int(item) for item in items)
    elif value_type in (ValueType.DWORD, ValueType.QWORD):
        data = int(items[0]) if items else 0
    else:
        data = items[0] if items else ""
    registry.set(path, name, value_type, data)
    return {"ReturnValue": OK}
