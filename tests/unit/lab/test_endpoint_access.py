# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts with limited rights: what the lab refuses them, seen by pywinrm, and that nobody else is refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from unit.lab.endpoint_kit import (
    CIMV2,
    EVENT_LOG,
    NS,
    PASSWORD,
    TRANSFER,
    USER,
    Machine,
    enumerate_message,
    invoke_message,
    message,
    pywinrm,
    refused,
    send,
    serving,
)
from winrm.protocol import Protocol

from lab.endpoint import Endpoint, EndpointSettings
from lab.endpoint.access import WMI_REFUSALS, Access, Services

AUDITOR = "CORP\\auditor"
READ_LSA = {
    "hDefKey": "2147483650",
    "sSubKeyName": r"SYSTEM\CurrentControlSet\Control\Lsa",
    "sValueName": "Notification Packages",
}
SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"


@contextmanager
def limited(access: Access) -> Iterator[tuple[Endpoint, Protocol, Protocol]]:
    """Serve a machine; gives the endpoint, a client of the limited account and one of an administrator."""
    machine = Machine(known={USER: PASSWORD, AUDITOR: PASSWORD}, channels={"System": []})
    with serving(machine, settings=EndpointSettings(limited={AUDITOR.lower(): access})) as endpoint:
        yield endpoint, pywinrm(endpoint.address, user=AUDITOR), pywinrm(endpoint.address)


def _get_system() -> str:
    return message(f"{TRANSFER}/Get", f"{CIMV2}Win32_OperatingSystem")


@pytest.mark.parametrize("code", WMI_REFUSALS)
def test_a_namespace_is_closed_to_reads_and_methods(code: int) -> None:
    with limited(Access(namespaces=("root/CIMV2",), refusal=code)) as (_endpoint, auditor, administrator):
        for text in (_get_system(), enumerate_message("select * from Win32_Service")):
            assert refused(auditor, text).code == code
        assert refused(auditor, invoke_message("StdRegProv", "GetMultiStringValue", READ_LSA)).code == code
        assert send(administrator, _get_system()) is not None


def test_a_closed_key_is_access_denied_in_the_return_value() -> None:
    with limited(Access(keys=(r"system\currentcontrolset\CONTROL",))) as (endpoint, auditor, administrator):
        answer = send(auditor, invoke_message("StdRegProv", "GetMultiStringValue", READ_LSA))
        assert answer.findtext(f".//{{{CIMV2}StdRegProv}}ReturnValue") == "5"
        other = {**READ_LSA, "sSubKeyName": r"SYSTEM\CurrentControlSet\ControlNot"}
        answer = send(auditor, invoke_message("StdRegProv", "GetMultiStringValue", other))
        assert answer.findtext(f".//{{{CIMV2}StdRegProv}}ReturnValue") == "0"
        answer = send(administrator, invoke_message("StdRegProv", "GetMultiStringValue", READ_LSA))
        assert answer.findtext(f".//{{{CIMV2}StdRegProv}}ReturnValue") == "0"
        assert endpoint.statistics.faults == 0


def test_without_execute_methods_no_method_runs() -> None:
    with limited(Access(execute=False)) as (_endpoint, auditor, _administrator):
        assert refused(auditor, invoke_message("StdRegProv", "GetMultiStringValue", READ_LSA)).code == WMI_REFUSALS[0]
        assert send(auditor, _get_system()) is not None


@pytest.mark.parametrize(("services", "code"), [(Services.HIDDEN, 2150858752), (Services.REFUSED, WMI_REFUSALS[0])])
def test_services_are_hidden_or_refused(services: Services, code: int) -> None:
    with limited(Access(services=services)) as (_endpoint, auditor, administrator):
        get = message(f"{TRANSFER}/Get", f"{CIMV2}Win32_Service", selectors={"Name": "PCNSSVC"})
        assert refused(auditor, get).code == code
        assert send(administrator, get) is not None
        if services is Services.HIDDEN:
            answer = send(auditor, enumerate_message("select * from Win32_Service"))
            assert answer.find(".//w:EndOfSequence", NS) is not None
            assert not answer.findall(f".//{{{CIMV2}Win32_Service}}Win32_Service")


def test_a_channel_is_closed() -> None:
    with limited(Access(channels=("SYSTEM",))) as (endpoint, auditor, administrator):
        body = (
            f'<v:Subscribe xmlns:v="{NS["e"]}"><v:Delivery Mode="http://schemas.dmtf.org/wbem/wsman/1/wsman/Pull"/>'
            '<m:Filter Dialect="http://schemas.microsoft.com/win/2004/08/events/eventquery"><QueryList><Query Id="0">'
            '<Select Path="System">*</Select></Query></QueryList></m:Filter></v:Subscribe>'
        )
        text = message(f"{NS['e']}/Subscribe", EVENT_LOG, body)
        fault = refused(auditor, text)
        assert (fault.code, fault.subcode) == (5, "w:AccessDenied")
        assert endpoint.open_subscriptions == 0
        send(administrator, text)
        assert endpoint.open_subscriptions == 1


def test_a_shell_is_refused() -> None:
    with limited(Access(shell=False)) as (endpoint, auditor, administrator):
        text = message(f"{TRANSFER}/Create", f"{SHELL}/cmd", f'<h:Shell xmlns:h="{SHELL}"/>')
        fault = refused(auditor, text)
        assert (fault.code, fault.subcode) == (5, "w:AccessDenied")
        assert endpoint.open_shells == 0
        send(administrator, text)
        assert endpoint.open_shells == 1
