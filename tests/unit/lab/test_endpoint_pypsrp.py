# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The endpoint with a second client that we did not write: pypsrp."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from pypsrp.exceptions import AuthenticationError, WSManFaultError
from pypsrp.shell import Process, SignalCode, WinRS
from pypsrp.wsman import NAMESPACES, SelectorSet, WSMan
from unit.lab.endpoint_kit import CIMV2, NS, PASSWORD, USER, EchoProcess, Machine, serving

WSEN = NAMESPACES["wsen"]
WSMAN = NAMESPACES["wsman"]


def connect(address: str, auth: str = "ntlm", password: str = PASSWORD) -> WSMan:
    """Return pypsrp's client with message encryption."""
    return WSMan(
        address,
        port=5985,
        ssl=False,
        auth=auth,
        username=USER,
        password=password,
        encryption="always",
        reconnection_retries=0,
    )


@pytest.mark.parametrize("auth", ["ntlm", "negotiate"])
def test_get(auth: str) -> None:
    with serving() as endpoint, connect(endpoint.address, auth) as client:
        body = client.get(f"{CIMV2}Win32_OperatingSystem")
        assert body.findtext(f".//{{{CIMV2}Win32_OperatingSystem}}BuildNumber") == "20348"
        selectors = SelectorSet()
        selectors.add_option("Name", "PCNSSVC")
        body = client.get(f"{CIMV2}Win32_Service", selector_set=selectors)
        assert body.findtext(f".//{{{CIMV2}Win32_Service}}Name") == "PCNSSVC"
        assert endpoint.statistics.logons == 1


@pytest.mark.parametrize("auth", ["ntlm", "negotiate"])
def test_a_wrong_password(auth: str) -> None:
    with serving() as endpoint, connect(endpoint.address, auth, "wrong") as client:
        with pytest.raises(AuthenticationError):
            client.get(f"{CIMV2}Win32_OperatingSystem")
        assert endpoint.statistics.requests == 0


def test_enumerate_and_pull() -> None:
    request = ET.Element(f"{{{WSEN}}}Enumerate")
    ET.SubElement(request, f"{{{WSMAN}}}OptimizeEnumeration")
    ET.SubElement(request, f"{{{WSMAN}}}MaxElements").text = "100"
    query = ET.SubElement(request, f"{{{WSMAN}}}Filter", Dialect="http://schemas.microsoft.com/wbem/wsman/1/WQL")
    query.text = "select Name from Win32_Service"
    with serving() as endpoint, connect(endpoint.address) as client:
        first = client.enumerate(f"{CIMV2}*", request)
        pull = ET.Element(f"{{{WSEN}}}Pull")
        ET.SubElement(pull, f"{{{WSEN}}}EnumerationContext").text = first.findtext(".//n:EnumerationContext", "", NS)
        ET.SubElement(pull, f"{{{WSEN}}}MaxElements").text = "100"
        second = client.pull(f"{CIMV2}*", pull)
    assert [name.text for body in (first, second) for name in body.iter("Name")] == ["PCNSSVC", "W32Time"]


def test_invoke() -> None:
    uri = f"{CIMV2}StdRegProv"
    request = ET.Element(f"{{{uri}}}GetMultiStringValue_INPUT")
    ET.SubElement(request, f"{{{uri}}}sValueName").text = "Notification Packages"
    with serving() as endpoint, connect(endpoint.address) as client:
        body = client.invoke(f"{uri}/GetMultiStringValue", uri, request)
    assert [element.text for element in body.iter(f"{{{uri}}}sValue")] == ["rassfm", "scecli"]


def test_a_fault_is_read_as_one_of_windows() -> None:
    selectors = SelectorSet()
    selectors.add_option("Name", "nothing")
    with serving() as endpoint, connect(endpoint.address) as client, pytest.raises(WSManFaultError) as caught:
        client.get(f"{CIMV2}Win32_Service", selector_set=selectors)
    assert caught.value.code == 2150858752
    assert caught.value.provider == "WMI Provider"


def test_a_process_with_input() -> None:
    machine = Machine(next_process=EchoProcess([("stderr", b"note")], 7, reads=True))
    with serving(machine) as endpoint, connect(endpoint.address) as client:
        with WinRS(client, environment={"A": "1"}, working_directory="C:\\t") as shell:
            process = Process(shell, "findstr", ["^"])
            process.begin_invoke()
            process.send(b"\x00\xff" * 5000, end=True)
            process.end_invoke()
            process.signal(SignalCode.CTRL_C)
        assert endpoint.open_shells == 0
    assert (process.stdout, process.stderr, process.rc) == (b"\x00\xff" * 5000, b"note", 7)
    assert machine.started == [("findstr ^", "C:\\t", {"A": "1"})]
