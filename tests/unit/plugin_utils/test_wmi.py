# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances, queries and methods over a scripted exchange."""

from __future__ import annotations

import pytest

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    AccessDenied,
    ConnectionLost,
    HostUnreachable,
    OutcomeUnknown,
    UnreadableOutput,
    WsmanFault,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host
from ansible_collections.entsso.password_sync.tests.unit.plugin_utils.scripted import (
    NOT_FOUND,
    NOTHING,
    ScriptedExchange,
    Step,
    fault,
    instance,
    output,
    page,
)

LOST = ConnectionLost("reset by peer")


def _host(*steps: Step) -> tuple[Host, ScriptedExchange]:
    exchange = ScriptedExchange(*steps)
    return Host("dc01", exchange), exchange


def test_get_is_one_exchange() -> None:
    host, exchange = _host(Step("/Get", instance("Win32_Service", Name="PCNSSVC"), ('Name="Name">PCNSSVC<',)))
    found = host.wmi.get("Win32_Service", {"Name": "PCNSSVC"})
    assert found is not None
    assert found.string("Name") == "PCNSSVC"
    assert found.host == "dc01"
    assert host.statistics.requests == 1
    assert exchange.done()


def test_absent_is_told_from_unreadable() -> None:
    host, _exchange = _host(
        Step("/Get", NOT_FOUND), Step("/Get", fault(2150859012)), Step("/Get", fault(2150859002, "Singleton."))
    )
    assert host.wmi.get("Win32_Service", {"Name": "x"}) is None
    with pytest.raises(AccessDenied, match="Win32_Service x on dc01"):
        host.wmi.get("Win32_Service", {"Name": "x"})
    with pytest.raises(WsmanFault):
        host.wmi.get("Win32_Service", {"Name": "x"})


def test_query_pulls_everything_with_the_newest_context() -> None:
    host, exchange = _host(
        Step("/Enumerate", page([{"A": 1}], "c1", first=True), ("select A from B",)),
        Step("/Pull", page([{"A": 2}, {"A": 3}], "c2"), ("EnumerationContext>c1<",)),
        Step("/Pull", page([{"A": 4}]), ("EnumerationContext>c2<",)),
    )
    assert [row.integer("A") for row in host.wmi.query("select A from B")] == [1, 2, 3, 4]
    assert exchange.done()


def test_query_starts_again_after_a_lost_pull() -> None:
    host, exchange = _host(
        Step("/Enumerate", page([{"A": 1}], "c1", first=True)),
        Step("/Pull", LOST),
        Step("/Enumerate", page([{"A": 1}], "d1", first=True)),
        Step("/Pull", page([{"A": 2}]), ("EnumerationContext>d1<",)),
    )
    assert [row.integer("A") for row in host.wmi.query("q")] == [1, 2]
    assert exchange.done()


def test_query_gives_up_after_the_second_loss() -> None:
    host, _exchange = _host(
        *[Step("/Enumerate", page([{"A": 1}], "c1", first=True)), Step("/Pull", LOST)] * 2,
    )
    with pytest.raises(HostUnreachable, match="broke twice"):
        host.wmi.query("q")


def test_stopping_early_releases() -> None:
    host, exchange = _host(
        Step("/Enumerate", page([{"A": 1}], "c1", first=True)), Step("/Release", NOTHING, ("EnumerationContext>c1<",))
    )
    rows = host.wmi.iterate("q")
    assert next(rows).integer("A") == 1
    rows.close()  # type: ignore[attr-defined]
    assert exchange.done()


def test_a_fault_in_the_middle_gives_no_partial_result() -> None:
    host, exchange = _host(
        Step("/Enumerate", page([{"A": 1}], "c1", first=True)),
        Step("/Pull", fault(995)),
        Step("/Release", fault(995)),
    )
    with pytest.raises(WsmanFault):
        host.wmi.query("q")
    assert exchange.done()


def test_a_forgotten_enumeration_starts_anew_and_gives_no_row_twice() -> None:
    host, exchange = _host(
        Step("/Enumerate", page([{"A": 1}], "c1", first=True)),
        Step("/Pull", page([{"A": 2}], "c2")),
        Step("/Pull", fault(2150858779)),
        Step("/Enumerate", page([{"A": 1}], "d1", first=True)),
        Step("/Pull", page([{"A": 2}, {"A": 3}])),
    )
    assert [row.integer("A") for row in host.wmi.query("q")] == [1, 2, 3]
    assert exchange.done()


def test_an_enumeration_that_is_always_forgotten_ends() -> None:
    steps = [Step("/Enumerate", page([{"A": 1}], "c1", first=True)), Step("/Pull", fault(2150858779))]
    host, exchange = _host(*steps * 2)
    with pytest.raises(WsmanFault, match="the host forgot the enumeration"):
        host.wmi.query("q")
    assert exchange.done()


def test_an_endless_enumeration_ends() -> None:
    host, _exchange = _host(
        Step("/Enumerate", page([], "c", first=True)), *[Step("/Pull", page([], "c"))] * 20, Step("/Release", NOTHING)
    )
    with pytest.raises(UnreadableOutput, match="21 parts"):
        host.wmi.query("q")


def test_invoke_reads_are_repeated_and_writes_are_not() -> None:
    answer = output("StdRegProv", "EnumKey", ReturnValue=0)
    host, _exchange = _host(Step("/EnumKey", LOST), Step("/EnumKey", answer))
    assert host.wmi.invoke("StdRegProv", "EnumKey", read_only=True).integer("ReturnValue") == 0
    host, _exchange = _host(Step("/CreateKey", LOST))
    with pytest.raises(OutcomeUnknown, match=r"StdRegProv\.CreateKey on dc01"):
        host.wmi.invoke("StdRegProv", "CreateKey")
