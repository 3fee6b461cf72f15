# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry over a scripted exchange: every getter and setter, and what return values mean."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    AccessDenied,
    ConnectionLost,
    OperationFailed,
    OutcomeUnknown,
    UnreadableOutput,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._registry import Registry, ValueType
from ansible_collections.entsso.password_sync.tests.unit.plugin_utils.scripted import ScriptedExchange, Step, output

LSA = r"SYSTEM\CurrentControlSet\Control\Lsa"


def _registry(method: str, *contains: str, **values: object) -> tuple[Registry, ScriptedExchange]:
    exchange = ScriptedExchange(Step(f"/{method}", output("StdRegProv", method, **values), contains))
    return Host("dc01", exchange).registry, exchange


def test_multi_string() -> None:
    registry, exchange = _registry(
        "GetMultiStringValue",
        "root/cimv2/StdRegProv",
        "<p:hDefKey>2147483650</p:hDefKey>",
        f"<p:sSubKeyName>{LSA}</p:sSubKeyName>",
        "<p:sValueName>Notification Packages</p:sValueName>",
        sValue=("scecli", "PCNSFLT"),
        ReturnValue=0,
    )
    assert registry.multi_string(LSA, "Notification Packages") == ("scecli", "PCNSFLT")
    assert exchange.done()


@pytest.mark.parametrize(
    ("method", "get", "values", "expected"),
    [
        ("GetStringValue", Registry.string, {"sValue": "a"}, "a"),
        ("GetStringValue", Registry.string, {"sValue": ""}, ""),
        ("GetExpandedStringValue", Registry.expand_string, {"sValue": r"C:\Windows"}, r"C:\Windows"),
        ("GetMultiStringValue", Registry.multi_string, {}, ()),
        ("GetMultiStringValue", Registry.multi_string, {"sValue": "one"}, ("one",)),
        ("GetDWORDValue", Registry.dword, {"uValue": 4294967295}, 4294967295),
        ("GetQWORDValue", Registry.qword, {"uValue": 1 << 63}, 1 << 63),
        ("GetBinaryValue", Registry.binary, {"uValue": (0, 255, 16)}, b"\x00\xff\x10"),
    ],
)
def test_getters(
    method: str, get: Callable[[Registry, str, str], object], values: dict[str, object], expected: object
) -> None:
    registry, _exchange = _registry(method, **values, ReturnValue=0)
    assert get(registry, "K", "V") == expected
    for absent in (1, 2):
        registry, _exchange = _registry(method, ReturnValue=absent)
        assert get(registry, "K", "V") is None
    registry, _exchange = _registry(method, ReturnValue=5)
    with pytest.raises(AccessDenied, match=r"registry value HKLM\\K\\V on dc01: it may not be read"):
        get(registry, "K", "V")
    registry, _exchange = _registry(method, ReturnValue=2147749893)
    with pytest.raises(UnreadableOutput, match="another type"):
        get(registry, "K", "V")
    registry, _exchange = _registry(method, ReturnValue=6)
    with pytest.raises(OperationFailed, match="StdRegProv returned 6"):
        get(registry, "K", "V")


def test_keys_and_values() -> None:
    registry, _exchange = _registry("EnumKey", sNames=("A", "B"), ReturnValue=0)
    assert registry.keys("K") == ("A", "B")
    registry, _exchange = _registry("EnumKey", ReturnValue=0)
    assert registry.keys("K") == ()
    registry, _exchange = _registry("EnumKey", ReturnValue=2)
    assert registry.keys("K") is None
    registry, _exchange = _registry("EnumValues", sNames=("A", ""), Types=(7, 1), ReturnValue=0)
    assert registry.values("K") == {"A": ValueType.MULTI_STRING, "": ValueType.STRING}
    registry, _exchange = _registry("EnumValues", sNames=("A", "B"), Types=(7,), ReturnValue=0)
    with pytest.raises(UnreadableOutput, match="2 value names came with 1 types"):
        registry.values("K")


def test_writes_say_what_they_write() -> None:
    registry, _exchange = _registry(
        "SetMultiStringValue", "<p:sValue>a</p:sValue><p:sValue>b</p:sValue>", ReturnValue=0
    )
    registry.set_multi_string("K", "V", ["a", "b"])
    registry, _exchange = _registry(
        "SetStringValue", "<p:sValueName>V</p:sValueName><p:sValue>a</p:sValue>", ReturnValue=0
    )
    registry.set_string("K", "V", "a")
    registry, _exchange = _registry("SetDWORDValue", "<p:uValue>7</p:uValue>", ReturnValue=0)
    registry.set_dword("K", "V", 7)
    registry, _exchange = _registry("CreateKey", "<p:sSubKeyName>K</p:sSubKeyName></p:CreateKey_INPUT>", ReturnValue=0)
    registry.create_key("K")
    registry, _exchange = _registry("DeleteValue", ReturnValue=0)
    assert registry.delete_value("K", "V") is True
    registry, _exchange = _registry("DeleteValue", ReturnValue=2)
    assert registry.delete_value("K", "V") is False


def test_a_write_to_a_missing_key_is_an_error() -> None:
    registry, _exchange = _registry("SetDWORDValue", ReturnValue=2)
    with pytest.raises(OperationFailed, match="could not be written"):
        registry.set_dword("K", "V", 1)


def test_what_can_not_be_written_is_refused_before_anything_is_sent() -> None:
    exchange = ScriptedExchange()
    registry = Host("dc01", exchange).registry
    for data in ([], ["a", ""], "text"):
        with pytest.raises(ValueError, match="one string or more"):
            registry.set_multi_string("K", "V", data)
    with pytest.raises(ValueError, match="32-bit"):
        registry.set_dword("K", "V", 1 << 32)
    assert exchange.requests == []


def test_a_lost_answer_to_a_write_is_an_unknown_outcome() -> None:
    exchange = ScriptedExchange(Step("/SetDWORDValue", ConnectionLost("reset")))
    with pytest.raises(OutcomeUnknown):
        Host("dc01", exchange).registry.set_dword("K", "V", 1)


@pytest.mark.parametrize(
    ("values", "granted"),
    [
        ({"bGranted": True, "ReturnValue": 0}, True),
        ({"bGranted": False, "ReturnValue": 0}, False),
        ({"bGranted": False, "ReturnValue": 5}, False),
        ({"ReturnValue": 5}, False),
    ],
)
def test_whether_values_may_be_set_is_asked_and_not_tried(values: dict[str, object], granted: bool) -> None:
    registry, exchange = _registry("CheckAccess", "<p:uRequired>2</p:uRequired>", **values)
    assert registry.may_set_values(LSA) is granted
    assert exchange.done()


def test_rights_on_a_key_that_is_not_there_are_an_error() -> None:
    registry, _exchange = _registry("CheckAccess", ReturnValue=2)
    with pytest.raises(OperationFailed, match="could not be looked at"):
        registry.may_set_values(LSA)
