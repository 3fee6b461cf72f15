# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Registry and StdRegProv: types, case, return values (wsman.md 1.8)."""

from __future__ import annotations

import pytest

from lab.forest import Forest
from lab.windows.registry import Registry, ValueType
from lab.windows.wmi_registry import HKLM, invoke

KEY = r"SOFTWARE\Contoso\App"


def call(registry: Registry, method: str, value: str = "", **more: list[str]) -> dict[str, object]:
    """Calls StdRegProv as the endpoint does."""
    parameters = {"hDefKey": [str(HKLM)], "sSubKeyName": [KEY], "sValueName": [value], **more}
    return dict(invoke(registry, method, parameters))


def test_names_are_found_in_any_case_and_keep_theirs() -> None:
    registry = Registry()
    registry.set_string(r"Software\Contoso\App", "Path", "a")
    registry.set_string(r"SOFTWARE\CONTOSO\APP", "PATH", "b")
    assert registry.string(KEY, "path") == "b"
    assert registry.keys("software") == ("Contoso",)
    assert [value.name for value in registry.values(KEY) or ()] == ["Path"]


@pytest.mark.parametrize(
    ("setter", "getter", "sent", "expected"),
    [
        ("SetStringValue", "GetStringValue", {"sValue": ["a b"]}, ("sValue", "a b")),
        (
            "SetExpandedStringValue",
            "GetExpandedStringValue",
            {"sValue": [r"%SystemRoot%\x"]},
            ("sValue", r"C:\Windows\x"),
        ),
        ("SetMultiStringValue", "GetMultiStringValue", {"sValue": ["a", "b"]}, ("sValue", ("a", "b"))),
        ("SetMultiStringValue", "GetMultiStringValue", {}, ("sValue", ())),
        ("SetDWORDValue", "GetDWORDValue", {"uValue": ["4294967295"]}, ("uValue", 4294967295)),
        ("SetQWORDValue", "GetQWORDValue", {"uValue": ["18446744073709551615"]}, ("uValue", 18446744073709551615)),
        ("SetBinaryValue", "GetBinaryValue", {"uValue": ["0", "255"]}, ("uValue", [0, 255])),
    ],
)
def test_what_is_set_is_read_back(
    setter: str, getter: str, sent: dict[str, list[str]], expected: tuple[str, object]
) -> None:
    registry = Registry()
    registry.create_key(KEY)
    assert call(registry, setter, "v", **sent) == {"ReturnValue": 0}
    assert call(registry, getter, "v") == {expected[0]: expected[1], "ReturnValue": 0}


def test_absence_and_wrong_type_have_their_codes() -> None:
    registry = Registry()
    assert call(registry, "GetStringValue", "v") == {"sValue": None, "ReturnValue": 2}
    registry.set_dword(KEY, "v", 1)
    assert call(registry, "GetDWORDValue", "w") == {"uValue": None, "ReturnValue": 1}
    assert call(registry, "GetStringValue", "v") == {"sValue": None, "ReturnValue": 2147749893}
    assert call(registry, "DeleteValue", "w") == {"ReturnValue": 2}
    assert call(registry, "EnumKey", hDefKey=["1"]) == {"ReturnValue": 6}


def test_enumeration_and_deletion() -> None:
    registry = Registry()
    registry.set_multi_string(KEY, "m", ["x"])
    registry.set(KEY, "b", ValueType.BINARY, b"\x01")
    registry.create_key(KEY + r"\Sub")
    assert call(registry, "EnumValues") == {"sNames": ["b", "m"], "Types": [3, 7], "ReturnValue": 0}
    assert call(registry, "EnumKey") == {"sNames": ("Sub",), "ReturnValue": 0}
    assert call(registry, "DeleteKey") == {"ReturnValue": 5}
    assert call(registry, "DeleteKey", sSubKeyName=[KEY + r"\Sub"]) == {"ReturnValue": 0}
    assert call(registry, "EnumKey") == {"sNames": (), "ReturnValue": 0}


def test_a_checkpoint_brings_everything_back() -> None:
    registry = Registry()
    registry.set_string(KEY, "v", "before")
    checkpoint = registry.checkpoint()
    registry.set_string(KEY, "v", "after")
    registry.create_key(r"SOFTWARE\New")
    registry.restore(checkpoint)
    assert registry.string(KEY, "v") == "before"
    assert registry.key(r"SOFTWARE\New") is None


def test_only_stdregprov_methods_exist() -> None:
    host = Forest().host("dc01")
    with pytest.raises(LookupError):
        host.wmi_invoke("root/cimv2", "StdRegProv", "GetstringValue", None, {})
    assert host.wmi_instances("root/cimv2", "Win32_Nothing") is None
    assert host.wmi_instances("root/nothing", "Win32_Service") is None
