# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Get and Invoke: value forms, selectors, faults with the codes of wsman.md 1.9."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from unit.lab.endpoint_kit import (
    CIMV2,
    NS,
    RECORDINGS,
    TRANSFER,
    WMI,
    XSI_NIL,
    Machine,
    invoke_message,
    message,
    needs_recordings,
    pywinrm,
    refused,
    send,
    service,
    serving,
    shape,
)

from lab.endpoint import EndpointSettings

GET = f"{TRANSFER}/Get"
OS = f"{CIMV2}Win32_OperatingSystem"
SERVICE = f"{CIMV2}Win32_Service"
MULTI_STRING = {"hDefKey": "2147483650", "sSubKeyName": "SYSTEM\\Lsa", "sValueName": "Notification Packages"}


def test_get_writes_every_value_form() -> None:
    """wsman.md 1.7."""
    with serving() as endpoint:
        instance = send(pywinrm(endpoint.address), message(GET, OS))[0]
    assert instance.tag == f"{{{OS}}}Win32_OperatingSystem"
    assert instance.get("{http://www.w3.org/2001/XMLSchema-instance}type") == "p:Win32_OperatingSystem_Type"
    prefix = f"{{{OS}}}"
    names = [child.tag.removeprefix(prefix) for child in instance]
    assert names == sorted(names, key=str.lower)
    assert "Nothing" not in names  # an empty array is left out
    assert [child.text for child in instance.findall(f"{prefix}Roles")] == ["LM_Server", "NT"]
    assert instance.findtext(f"{prefix}MUILanguages") == "en-US"
    assert instance.findtext(f"{prefix}FreePhysicalMemory") == "8589934464"
    assert instance.findtext(f"{prefix}Caption") == 'Tom & "Jerry\'s" <Server>?'
    missing = instance.find(f"{prefix}CSDVersion")
    assert missing is not None
    assert missing.get(XSI_NIL) == "true"
    moment = "{http://schemas.dmtf.org/wbem/wscim/1/common}Datetime"
    assert instance.findtext(f"{prefix}LastBootUpTime/{moment}") == "2026-11-01T06:30:05.488171Z"
    assert instance.findtext(f"{prefix}LocalDateTime/{moment}") == "2026-11-22T10:00:00.913Z"
    assert instance.findtext(f"{prefix}InstallDate/{moment}") == "2025-01-02T03:04:05Z"


def test_get_by_selector_ignores_case() -> None:
    with serving() as endpoint:
        body = send(pywinrm(endpoint.address), message(GET, SERVICE, selectors={"NAME": "pcnssvc"}))
    assert body.findtext(f".//{{{SERVICE}}}Name") == "PCNSSVC"
    assert body.findtext(f".//{{{SERVICE}}}Started") == "true"
    assert body.findtext(f".//{{{SERVICE}}}DisplayName") == "PCNSSVC & more"
    assert body.findtext(f".//{{{SERVICE}}}Description") == ""


def test_get_carries_its_location_where_asked_for() -> None:
    with serving(settings=EndpointSettings(location_in_get=True)) as endpoint:
        body = send(pywinrm(endpoint.address), message(GET, SERVICE, selectors={"Name": "W32Time"}))
    location = body[0].find("{http://schemas.dmtf.org/wbem/wscim/1/common}Location")
    assert location is not None
    assert location.findtext(".//w:Selector", "", NS) == "W32Time"


def test_an_absent_instance_is_the_fault_that_windows_gives() -> None:
    with serving() as endpoint:
        fault = refused(pywinrm(endpoint.address), message(GET, SERVICE, selectors={"Name": "nothing"}))
    assert (fault.status, fault.code, fault.subcode) == (500, 2150858752, "a:DestinationUnreachable")
    assert fault.root.findtext(".//w:FaultDetail", "", NS).endswith("/faultDetail/InvalidResourceURI")
    inner = fault.root.find(".//f:ProviderFault/f:WSManFault", NS)
    assert inner is not None
    assert inner.attrib == {"Code": "2150858752", "Machine": "DC01"}
    assert 'Win32_Service.Name="nothing"' in "".join(fault.root.itertext())


@pytest.mark.parametrize(
    ("resource", "selectors", "code"),
    [
        (f"{CIMV2}Win32_Nothing", {}, 2150858752),
        (f"{WMI}root/nowhere/Win32_Service", {"Name": "x"}, 2150858752),
        (OS, {"Name": "x"}, 2150859002),
        (SERVICE, {}, 2150859002),
        (SERVICE, {"Caption": "x"}, 2150858843),
        (f"{WMI}Win32_Service", {}, 2150858811),
        ("http://schemas.example/else", {}, 2150858811),
    ],
)
def test_get_faults(resource: str, selectors: dict[str, str], code: int) -> None:
    with serving() as endpoint:
        assert refused(pywinrm(endpoint.address), message(GET, resource, selectors=selectors)).code == code
        assert endpoint.statistics.faults == 1


def test_an_answer_over_the_envelope_limit_is_refused() -> None:
    machine = Machine(services=[service("Big", PathName="x" * 5000)])
    with serving(machine) as endpoint:
        client = pywinrm(endpoint.address)
        small = message(GET, SERVICE, selectors={"Name": "Big"}, size=8192)
        assert refused(client, small).code == 2150858824
        assert len(send(client, message(GET, SERVICE, selectors={"Name": "Big"}))) == 1


def test_invoke_a_static_method() -> None:
    machine = Machine()
    with serving(machine) as endpoint:
        body = send(pywinrm(endpoint.address), invoke_message("StdRegProv", "GetMultiStringValue", MULTI_STRING))
    uri = f"{CIMV2}StdRegProv"
    assert body[0].tag == f"{{{uri}}}GetMultiStringValue_OUTPUT"
    assert [(child.tag.removeprefix(f"{{{uri}}}"), child.text) for child in body[0]] == [
        ("sValue", "rassfm"),
        ("sValue", "scecli"),
        ("ReturnValue", "0"),
    ]
    expected = {name: [value] for name, value in MULTI_STRING.items()}
    assert machine.invoked == [("StdRegProv", "GetMultiStringValue", None, expected)]


@needs_recordings
def test_invoke_answers_in_the_shape_that_was_recorded() -> None:
    recorded = ET.parse(RECORDINGS / "registry" / "EnumKey.xml").getroot()
    with serving() as endpoint:
        client = pywinrm(endpoint.address)
        answer = ET.fromstring(
            client.transport.send_message(invoke_message("StdRegProv", "GetMultiStringValue", MULTI_STRING))
        )
    for root in (recorded, answer):  # only the method and its namespace differ
        for element in root.iter():
            element.tag = (
                element.tag.replace("root/default", "root/cimv2")
                .replace("EnumKey_", "GetMultiStringValue_")
                .replace("sNames", "sValue")
            )
    assert shape(answer) == shape(recorded)


def test_invoke_on_an_instance() -> None:
    machine = Machine()
    with serving(machine) as endpoint:
        request = invoke_message("Win32_Service", "StartService", {}, selectors={"Name": "W32time"})
        body = send(pywinrm(endpoint.address), request)
    assert body.findtext(f".//{{{SERVICE}}}ReturnValue") == "10"
    assert machine.invoked[0][2] == machine.services[1]


def test_method_names_are_case_sensitive() -> None:
    with serving() as endpoint:
        request = invoke_message("StdRegProv", "getMultiStringValue", MULTI_STRING)
        assert refused(pywinrm(endpoint.address), request).code == 2150858771


@pytest.mark.parametrize(
    "body",
    [
        f'<c:GetMultiStringValue_INPUT xmlns:c="{WMI}root/default/StdRegProv"/>',
        f'<c:Else_INPUT xmlns:c="{CIMV2}StdRegProv"/>',
        f'<c:GetMultiStringValue_INPUT xmlns:c="{CIMV2}StdRegProv"><sValueName/></c:GetMultiStringValue_INPUT>',
    ],
)
def test_an_input_that_does_not_fit_the_schema_is_a_fault(body: str) -> None:
    uri = f"{CIMV2}StdRegProv"
    machine = Machine()
    with serving(machine) as endpoint:
        fault = refused(pywinrm(endpoint.address), message(f"{uri}/GetMultiStringValue", uri, body))
    assert fault.code == 2150858817
    assert machine.invoked == []


def test_a_provider_may_refuse_with_its_own_code() -> None:
    with serving() as endpoint:
        fault = refused(pywinrm(endpoint.address), invoke_message("Win32_Denied", "Do", {}))
    assert (fault.code, fault.text) == (2150859012, "The WMI service returned an 'access denied' error. ")


def test_a_bug_of_the_backend_is_seen_by_the_test() -> None:
    with pytest.raises(RuntimeError, match="a bug of the lab"), serving() as endpoint:
        refused(pywinrm(endpoint.address), invoke_message("Win32_OperatingSystem", "Reboot", {}))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("<b:MessageID>", "<b:Else>", "</b:MessageID>", "</b:Else>"), 2150858767),
        (("<b:Action>", "<b:Else>", "</b:Action>", "</b:Else>"), 2150858769),
        (("/role/anonymous", "/role/else"), 2150858769),
        ((">PT10S<", ">ten<"), 2150858767),
        ((">512000<", ">8191<"), 2150858805),
        (("<m:OperationTimeout>", '<m:Locale q:mustUnderstand="true"/><m:OperationTimeout>'), 2150858818),
        (("</q:Envelope>", ""), 2150858819),
        (("<q:Envelope", "<!DOCTYPE x><q:Envelope"), 2150858819),
        (("q:Body>", "q:Else>"), 2150858791),
        ((f"{TRANSFER}/Get", f"{TRANSFER}/Put"), 2150858771),
    ],
)
def test_header_rules(change: tuple[str, ...], code: int) -> None:
    """wsman.md 1.3."""
    text = message(GET, OS)
    for before, after in zip(change[::2], change[1::2], strict=True):
        assert before in text
        text = text.replace(before, after)
    with serving() as endpoint:
        assert refused(pywinrm(endpoint.address), text).code == code


def test_an_answer_names_the_request_it_belongs_to() -> None:
    text = message(GET, OS)
    with serving() as endpoint:
        client = pywinrm(endpoint.address)
        good = ET.fromstring(client.transport.send_message(text))
        bad = refused(client, text.replace("Win32_OperatingSystem", "Win32_Nothing")).root
    wanted = ET.fromstring(text).findtext(".//a:MessageID", "", NS)
    assert good.findtext(".//a:RelatesTo", "", NS) == wanted
    assert bad.findtext(".//a:RelatesTo", "", NS) == wanted
    assert good.findtext(".//a:Action", "", NS) == f"{GET}Response"
