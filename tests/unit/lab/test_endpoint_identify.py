# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Identify, and enumerations with references, as MS-WSMV prescribes them (3.1.4.1.17, 3.1.4.1.23)."""

from __future__ import annotations

import http.client
import xml.etree.ElementTree as ET

import pytest
from unit.lab.endpoint_kit import CIMV2, ENUMERATION, NS, message, pywinrm, refused, send, serving

from lab.endpoint import EndpointSettings

ID = "{http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd}"
IDENTIFY = (
    f'<s:Envelope xmlns:s="{NS["s"]}" xmlns:i="{ID[1:-1]}"><s:Header/><s:Body><i:Identify/></s:Body></s:Envelope>'
)
HEADER = {"WSMANIDENTIFY": "unauthenticated", "Content-Type": "application/soap+xml;charset=UTF-8"}


def _post(address: str, body: str, headers: dict[str, str]) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(address, 5985, timeout=10)
    try:
        connection.request("POST", "/wsman", body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize("basic", [True, False])
def test_the_ways_to_authenticate_are_told_to_who_has_logged_on(basic: bool) -> None:
    with serving(settings=EndpointSettings(basic=basic)) as endpoint:
        answer = send(pywinrm(endpoint.address), IDENTIFY)
    assert answer.findtext(f".//{ID}ProductVersion") == "OS: 10.0.20348 SP: 0.0 Stack: 3.0"
    named = [(item.text or "").rpartition("/")[2] for item in answer.iter(f"{ID}SecurityProfileName")]
    assert ("basic" in named) is basic
    assert named.count("spnego-kerberos") == 2


def test_a_stranger_learns_neither_version_nor_ways() -> None:
    with serving() as endpoint:
        status, body = _post(endpoint.address, IDENTIFY, HEADER)
    root = ET.fromstring(body)
    assert status == 200
    assert root.findtext(f".//{ID}ProductVersion") == "OS: 0.0.0 SP: 0.0 Stack: 3.0"
    assert root.find(f".//{ID}SecurityProfiles") is None


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (IDENTIFY, {}),
        (IDENTIFY, {"WSMANIDENTIFY": "yes"}),
        (IDENTIFY.replace("<i:Identify/>", ""), HEADER),
        (IDENTIFY.replace("<i:Identify/>", "<i:Identify/><i:Identify/>"), HEADER),
        (f"<!DOCTYPE x>{IDENTIFY}", HEADER),
        (message(f"{NS['a']}/x", f"{CIMV2}Win32_Service"), HEADER),
        ("", HEADER),
    ],
)
def test_nothing_else_is_answered_without_a_logon(body: str, headers: dict[str, str]) -> None:
    with serving() as endpoint:
        assert _post(endpoint.address, body, headers)[0] == 401
        assert endpoint.statistics.requests == 0


def _enumerate(mode: str) -> str:
    body = (
        f'<k:Enumerate xmlns:k="{ENUMERATION}"><m:OptimizeEnumeration/><m:MaxElements>32000</m:MaxElements>'
        f"<m:EnumerationMode>{mode}</m:EnumerationMode></k:Enumerate>"
    )
    return message(f"{ENUMERATION}/Enumerate", f"{CIMV2}Win32_Service", body)


@pytest.mark.parametrize(("mode", "whole"), [("EnumerateEPR", 0), ("EnumerateObjectAndEPR", 2)])
def test_references_name_class_and_keys(mode: str, whole: int) -> None:
    with serving(settings=EndpointSettings(first_items=None)) as endpoint:
        answer = send(pywinrm(endpoint.address), _enumerate(mode))
    references = answer.findall(".//a:EndpointReference", NS)
    assert [item.findtext(".//w:Selector[@Name='Name']", "", NS) for item in references] == ["PCNSSVC", "W32Time"]
    assert {item.findtext(".//w:ResourceURI", "", NS) for item in references} == {f"{CIMV2}Win32_Service"}
    assert len(answer.findall(f".//{{{CIMV2}Win32_Service}}Win32_Service")) == whole
    assert len(answer.findall(".//w:Item", NS)) == whole


def test_a_mode_that_is_none_is_refused() -> None:
    with serving() as endpoint:
        fault = refused(pywinrm(endpoint.address), _enumerate("EnumerateEverything"))
    assert (fault.code, fault.subcode) == (2150858818, "w:UnsupportedFeature")
    detail = fault.root.findtext(".//w:FaultDetail", "", NS)
    assert detail.endswith("/EnumerationMode")
