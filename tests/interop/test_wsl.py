# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Debian's `wsl` against the lab's endpoint: what it gets is what the simulated machine holds, read past WinRM."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest
from unit.lab.endpoint_kit import new_address

from lab.endpoint import EndpointServer, EndpointSettings, self_signed
from lab.forest import Forest
from lab.windows.lsa import LSA, VALUE

from .wsl_client import SOAP, Wsl

pytestmark = pytest.mark.needs("wsl", "curl", "xmllint")

IDENTITY = "{http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd}"
WSMAN = "{http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd}"
ADDRESSING = "{http://schemas.xmlsoap.org/ws/2004/08/addressing}"
CIMV2 = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2"
SERVICE = f"{CIMV2}/Win32_Service"
WQL = "http://schemas.microsoft.com/wbem/wsman/1/WQL"
PROFILES = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/"


@pytest.fixture
def wsl(tmp_path: Path) -> Iterator[Wsl]:
    forest = Forest()
    host = forest.host("dc01")
    with EndpointServer() as server:
        address = new_address()
        tls = self_signed([address])
        endpoint = server.add(address, host, tls=tls, settings=EndpointSettings(basic=True))
        yield Wsl(tmp_path, endpoint, tls.port, tls.certificate, host, forest.operator, forest.operator_password)
        assert endpoint.errors == []


def test_identify_tells_who_logged_on_what_it_is(wsl: Wsl) -> None:
    answer = wsl.body("identify", "check").find(f"{IDENTITY}IdentifyResponse")
    assert answer is not None
    told = {child.tag.removeprefix(IDENTITY): (child.text or "").strip() for child in answer}
    assert told["ProtocolVersion"] == "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
    assert told["ProductVendor"] == "Microsoft Corporation"
    assert told["ProductVersion"] == f"OS: {wsl.host.identity.version} SP: 0.0 Stack: 3.0"
    assert [child.text for child in answer.iter(f"{IDENTITY}SecurityProfileName")] == [
        PROFILES + way for way in ("http/basic", "https/basic", "http/spnego-kerberos", "https/spnego-kerberos")
    ]
    assert wsl.endpoint.statistics.logons == 1


@pytest.mark.parametrize("https", [True, False])
def test_identify_tells_a_stranger_nothing_but_that_it_is_there(wsl: Wsl, https: bool) -> None:
    """MS-WSMV 3.1.4.1.23: only with this header, and without SecurityProfiles."""
    answer = wsl.body("identify", "check", curl='anyauth\nheader = "WSMANIDENTIFY: unauthenticated"\n', https=https)
    assert answer.findtext(f".//{IDENTITY}ProductVersion") == "OS: 0.0.0 SP: 0.0 Stack: 3.0"
    assert answer.find(f".//{IDENTITY}SecurityProfiles") is None
    assert wsl.endpoint.statistics.logons == 0


def test_a_stranger_gets_nothing_else_with_that_header(wsl: Wsl) -> None:
    header = 'header = "WSMANIDENTIFY: unauthenticated"\n'
    told = wsl.run("get", SERVICE, "Name=W32Time", curl=f"anyauth\n{header}", environment={"WSPASS": "wrong"})
    assert "verify credentials" in told
    assert wsl.endpoint.statistics.requests == 0


def test_identify_without_the_header_needs_a_logon(wsl: Wsl) -> None:
    assert "verify credentials" in wsl.run("identify", "check", environment={"WSPASS": "wrong"})
    assert wsl.endpoint.statistics.rejected_logons > 0


def test_nothing_goes_over_http_in_the_clear(wsl: Wsl) -> None:
    """AllowUnencrypted is false, and Basic is not even offered without TLS."""
    assert "verify credentials" in wsl.run("get", SERVICE, "Name=W32Time", https=False)
    assert (wsl.endpoint.statistics.requests, wsl.endpoint.statistics.logons) == (0, 0)


def test_get_of_an_instance(wsl: Wsl) -> None:
    instance = wsl.body("get", SERVICE, "Name=w32time")[0]
    assert instance.tag == f"{{{SERVICE}}}Win32_Service"
    told = {child.tag.removeprefix(f"{{{SERVICE}}}"): child.text for child in instance}
    service = next(item for item in wsl.host.services if item.name == "W32Time")
    assert told["Name"] == "W32Time"
    assert told["State"] == service.state
    assert told["StartMode"] == service.start_mode.value
    assert told["ProcessId"] == str(service.process_id)
    assert told["PathName"] == service.path


def test_get_of_a_singleton(wsl: Wsl) -> None:
    """wsl sends an empty SelectorSet."""
    answer = wsl.body("get", f"{CIMV2}/Win32_OperatingSystem")[0]
    assert answer.findtext(f"{{{CIMV2}/Win32_OperatingSystem}}Version") == wsl.host.identity.version
    assert answer.findtext(f"{{{CIMV2}/Win32_OperatingSystem}}CSName") == "DC01"


def test_get_of_what_is_not_there_is_a_fault(wsl: Wsl) -> None:
    fault = wsl.body("get", SERVICE, "Name=NoSuchService").find(f"{SOAP}Fault")
    assert fault is not None
    assert fault.findtext(f"{SOAP}Code/{SOAP}Subcode/{SOAP}Value") == "a:DestinationUnreachable"


@pytest.mark.parametrize("most", ["512", "7"])
def test_enumerate_a_class_to_its_end(wsl: Wsl, most: str) -> None:
    wsl.run("enum", SERVICE, "-opti", most)
    answers = wsl.answers()
    listed = {
        instance.findtext(f"{{{SERVICE}}}Name"): instance.findtext(f"{{{SERVICE}}}State")
        for answer in answers
        for instance in answer.iter(f"{{{SERVICE}}}Win32_Service")
    }
    assert listed == wsl.host.services.dump()
    full, rest = divmod(len(listed) - 1, int(most))
    assert len(answers) == 1 + full + bool(rest)
    assert wsl.endpoint.open_enumerations == 0


def test_enumerate_a_query(wsl: Wsl) -> None:
    query = "select Name, StartMode from Win32_Service where State='Running'"
    wsl.run("enum", f"{CIMV2}/*", "-dialect", WQL, "-filter", query)
    found = [{child.tag: child.text for child in item} for root in wsl.answers() for item in _fragments(root)]
    assert found
    assert {row["Name"]: row["StartMode"] for row in found} == {
        service.name: service.start_mode.value for service in wsl.host.services if service.state == "Running"
    }


def test_enumerate_both_instance_and_reference(wsl: Wsl) -> None:
    wsl.run("enum", SERVICE, "-mode", "objepr")
    items = [item for root in wsl.answers() for item in root.iter(f"{WSMAN}Item")]
    assert len(items) == len(wsl.host.services.dump())
    for item in items:
        assert item[0].findtext(f"{{{SERVICE}}}Name") == item[1].findtext(f".//{WSMAN}Selector")
        assert item[1].tag == f"{ADDRESSING}EndpointReference"


def test_invoke_a_static_method(wsl: Wsl) -> None:
    """The registry, where the capture component is registered."""
    uri = f"{CIMV2}/StdRegProv"
    reference = _reference(wsl, uri, "<wsman:SelectorSet/>")
    output = wsl.body(
        "invoke",
        uri,
        "GetMultiStringValue",
        "hDefKey=2147483650",
        rf"sSubKeyName={LSA}",
        f"sValueName={VALUE}",
        "-inst",
        reference,
    )[0]
    assert output.tag == f"{{{uri}}}GetMultiStringValue_OUTPUT"
    assert output.findtext(f"{{{uri}}}ReturnValue") == "0"
    assert [child.text for child in output.iter(f"{{{uri}}}sValue")] == list(
        wsl.host.registry.multi_string(LSA, VALUE) or ()
    )


def test_invoke_a_method_of_an_instance_by_its_reference(wsl: Wsl) -> None:
    """wsl pastes a reference as it came into an envelope that declares `wsman` and not the `w` of Windows' answers
    (wsman.md 1.5), so the prefix is changed here; it would have to be with real Windows too."""
    assert wsl.host.services.dump()["W32Time"] == "Running"
    query = "select * from Win32_Service where Name='W32Time'"
    wsl.run("enum", f"{CIMV2}/*", "-dialect", WQL, "-filter", query, "-mode", "epr")
    answer = (wsl.folder / "response.xml").read_text(encoding="utf-8")
    assert '<w:Selector Name="Name">W32Time</w:Selector>' in answer
    reference = wsl.folder / "reference.xml"
    reference.write_text(re.sub(r"(</?)w:", r"\1wsman:", answer), encoding="utf-8")
    output = wsl.body("invoke", SERVICE, "StopService", "-inst", str(reference))[0]
    assert (output.tag, output.findtext(f"{{{SERVICE}}}ReturnValue")) == (f"{{{SERVICE}}}StopService_OUTPUT", "0")
    assert wsl.host.services.dump()["W32Time"] == "Stopped"


def _fragments(root: ET.Element) -> Iterator[ET.Element]:
    return root.iter(f"{WSMAN}XmlFragment")


def _reference(wsl: Wsl, uri: str, selectors: str) -> str:
    """Write a reference in the form that wsl reads: line by line."""
    path = wsl.folder / "static.xml"
    path.write_text(
        "<wsa:ReferenceParameters>\n"
        f"<wsman:ResourceURI>{uri}</wsman:ResourceURI>\n{selectors}\n"
        "</wsa:ReferenceParameters>\n",
        encoding="utf-8",
    )
    return str(path)
