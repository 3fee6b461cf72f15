# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The faults an endpoint can show, as pywinrm sees them: what of a message took effect, and what came back."""

from __future__ import annotations

import time

import pytest
import requests
from unit.lab.endpoint_kit import (
    CIMV2,
    TRANSFER,
    Machine,
    invoke_message,
    message,
    pywinrm,
    send,
    serving,
)
from winrm.exceptions import WinRMTransportError

from lab.endpoint.wsman_fault import WMI_ERROR_NAMESPACES, ProviderError, WmiError, WsmanFaultError

GET = message(f"{TRANSFER}/Get", f"{CIMV2}Win32_OperatingSystem")
START = invoke_message("Win32_Service", "StartService", {}, selectors={"Name": "PCNSSVC"})
LOST = (requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError)


def test_half_a_request_has_no_effect_and_half_an_answer_has() -> None:
    machine = Machine()
    with serving(machine) as endpoint:
        for inject, effects in ((endpoint.faults.cut_request, 0), (endpoint.faults.cut_answer, 1)):
            client = pywinrm(endpoint.address)
            send(client, GET)
            inject()
            with pytest.raises(LOST):
                client.transport.send_message(START)
            assert len(machine.invoked) == effects
        assert endpoint.faults.pending == 0


@pytest.mark.parametrize("after", [False, True])
def test_a_bare_status_before_and_after_the_effect(after: bool) -> None:
    machine = Machine()
    with serving(machine) as endpoint:
        client = pywinrm(endpoint.address)
        endpoint.faults.refuse(429, action="/StartService", after=after)
        send(client, GET)
        with pytest.raises(WinRMTransportError) as caught:
            client.transport.send_message(START)
        assert (caught.value.code, caught.value.response_text) == (429, "")
        assert len(machine.invoked) == after
        assert len(send(client, START)) == 1


def test_an_answer_that_the_test_wrote() -> None:
    with serving() as endpoint:
        client = pywinrm(endpoint.address)
        endpoint.faults.reply(b"anything \xff")
        assert client.transport.send_message(GET) == b"anything \xff"
        endpoint.faults.reply(b"else", status=500)
        with pytest.raises(WinRMTransportError) as caught:
            client.transport.send_message(GET)
        assert (caught.value.code, caught.value.response_text) == (500, "else")


def test_a_connection_that_is_no_longer_logged_on() -> None:
    """The client logs on again with what it had sealed for the old key: the known HTTP 400 (wsman.md 2.3)."""
    machine = Machine()
    with serving(machine) as endpoint:
        client = pywinrm(endpoint.address)
        send(client, GET)
        endpoint.faults.forget_logon()
        with pytest.raises(WinRMTransportError) as caught:
            client.transport.send_message(START)
        assert (caught.value.code, caught.value.response_text) == (400, "")
        assert (machine.invoked, endpoint.statistics.logons) == ([], 2)


def test_an_answer_that_trickles() -> None:
    with serving() as endpoint:
        client = pywinrm(endpoint.address)
        send(client, GET)
        endpoint.faults.trickle(0.0001)
        began = time.monotonic()
        assert len(send(client, GET)) == 1
        assert time.monotonic() - began > 0.1


@pytest.mark.parametrize("namespace", WMI_ERROR_NAMESPACES)
def test_an_error_of_wmi_in_its_namespaces(namespace: str) -> None:
    with serving() as endpoint:
        wmi_error = WmiError("Not there. ", namespace, 6)
        endpoint.faults.raising(WsmanFaultError(0x80041002, "", "Failed. ", wmi_error=wmi_error))
        with pytest.raises(WinRMTransportError) as caught:
            pywinrm(endpoint.address).transport.send_message(GET)
        text = caught.value.response_text
        assert f'xmlns:p="{namespace}"' in text
        assert "HRESULT 0x80041002" in text
        assert "s:Subcode" not in text


def test_the_providers_status() -> None:
    with serving() as endpoint:
        provider = ProviderError("No. ", "GetObject", "C", "WinMgmt", status=0x80041010)
        endpoint.faults.raising(WsmanFaultError(2150858752, "a:DestinationUnreachable", "No. ", provider=provider))
        with pytest.raises(WinRMTransportError) as caught:
            pywinrm(endpoint.address).transport.send_message(GET)
        assert "<p:StatusCode>2147749904</p:StatusCode>" in caught.value.response_text
