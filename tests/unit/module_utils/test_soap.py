# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Envelopes, faults and hostile XML."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    AccessDenied,
    DeadlineExceeded,
    HostError,
    QuotaExceeded,
    UnreadableOutput,
    WsmanFault,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.codec import _soap as soap
from ansible_collections.entsso.password_sync.tests.unit import recordings

F = f'xmlns:f="{soap.WSMAN_FAULT}"'


def _fault(code: str, subcode: str, detail: str, reason: str = "Something is wrong. ") -> bytes:
    return (
        f'<s:Envelope xmlns:s="{soap.SOAP}" xmlns:w="{soap.WSMAN}" xmlns:a="{soap.ADDRESSING}"><s:Body><s:Fault>'
        f"<s:Code><s:Value>{code}</s:Value><s:Subcode><s:Value>{subcode}</s:Value></s:Subcode></s:Code>"
        f'<s:Reason><s:Text xml:lang="en-US">{reason}</s:Text></s:Reason><s:Detail>{detail}</s:Detail>'
        "</s:Fault></s:Body></s:Envelope>"
    ).encode()


# Shapes quoted in wsman.md 1.9 (a) and (c): microsoft/omi test_wsmanparser.cpp, WinRb wmi_error_v2.xml; shortened.
MISSING_INSTANCE = _fault(
    "s:Sender",
    "a:DestinationUnreachable",
    "<w:FaultDetail>http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail/InvalidResourceURI</w:FaultDetail>"
    f'<f:WSManFault {F} Code="2150858752" Machine="10.68.240.26"><f:Message><f:ProviderFault provider="WMI Provider">'
    f'<f:WSManFault {F} Code="2150858752" Machine="W12R2"><f:Message>The service cannot find the resource. </f:Message>'
    '</f:WSManFault><f:ExtendedError><p:__ExtendedStatus xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xmlns:p="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/__ExtendedStatus"><p:Operation>GetObject</p:Operation>'
    '<p:StatusCode xsi:nil="true"/></p:__ExtendedStatus></f:ExtendedError></f:ProviderFault></f:Message>'
    "</f:WSManFault>",
)


def _wmi_error(space: str, status: int = 27, code: int = 2150859173, message_id: str = "HRESULT 0x803381a5") -> bytes:
    return _fault(
        "s:Sender",
        "w:QuotaLimit",
        f'<p:MSFT_WmiError xmlns:p="{space}/MSFT_WmiError"><p:CIMStatusCode>{status}</p:CIMStatusCode>'
        f"<p:Message>This user is allowed a maximum number of 30 concurrent shells. </p:Message>"
        f"<p:MessageID>{message_id}</p:MessageID><p:error_Code>{code}</p:error_Code></p:MSFT_WmiError>",
    )


def _raised(reply: bytes) -> HostError:
    with pytest.raises(HostError) as caught:
        soap.body_of(reply, "dc01", "Win32_Service PCNSSVC")
    return caught.value


@recordings.needed
def test_recorded_fault_of_an_invalid_class() -> None:
    error = _raised(recordings.read("faults/soap_fault_v2.xml"))
    assert isinstance(error, soap.FaultAnswer)
    assert error.code == 2150858778
    assert error.subcode == "CannotProcessFilter"
    assert error.message == "The specified class does not exist in the given namespace."
    assert not error.fault.not_found
    assert str(error).startswith("Win32_Service PCNSSVC on dc01: WMI on the host does not know the class")
    assert "fault 2150858778 (0x8033801A), CannotProcessFilter: The specified class does not exist" in str(error)
    assert error.fault.machines == ("vagrant-2008R2",)


@recordings.needed
def test_recorded_time_out() -> None:
    faults = [message for message in recordings.conversation("operation_timeout") if message.status == 500]
    assert len(faults) == 2
    for message in faults:
        assert isinstance(_raised(message.response), DeadlineExceeded)


def test_a_missing_instance_is_told_from_a_missing_class() -> None:
    error = _raised(MISSING_INSTANCE)
    assert isinstance(error, soap.FaultAnswer)
    assert error.fault.not_found
    with_class = MISSING_INSTANCE.replace(b'<p:StatusCode xsi:nil="true"/>', b"<p:StatusCode>2147749904</p:StatusCode>")
    error = _raised(with_class)
    assert isinstance(error, soap.FaultAnswer)
    assert error.fault.codes == (2150858752, 0x80041010)
    assert not error.fault.not_found


@pytest.mark.parametrize(
    "space",
    [
        "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2",
        "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/standardcimv2",
        "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/microsoft/windows/storage",
    ],
)
def test_errors_of_wmi_itself_in_every_namespace(space: str) -> None:
    error = _raised(_wmi_error(space))
    assert isinstance(error, soap.FaultAnswer)
    assert isinstance(error, QuotaExceeded)
    assert error.code == 2150859173
    assert error.subcode == "QuotaLimit"
    assert "30 concurrent shells" in error.message


@pytest.mark.parametrize("code", [5, 2150859012, 2150859013, 2150859014, 2147942405, 2147749891])
def test_access_denied_by_number(code: int) -> None:
    reply = _fault(
        "s:Sender", "w:InternalError", f'<f:WSManFault {F} Code="{code}"><f:Message>No.</f:Message></f:WSManFault>'
    )
    error = _raised(reply)
    assert isinstance(error, AccessDenied)
    assert re.search(r"access was denied.* \(No\)\. .*, or connect with another account\.", str(error))


def test_access_denied_by_subcode_only() -> None:
    assert isinstance(_raised(_fault("s:Sender", "w:AccessDenied", "")), AccessDenied)


def test_a_fault_without_detail() -> None:
    error = _raised(_fault("s:Receiver", "", ""))
    assert isinstance(error, WsmanFault)
    assert error.code is None
    assert "a fault without a number: Something is wrong" in str(error)


def test_numbers_that_are_no_hresult_are_not_taken_for_windows_errors() -> None:
    """`MI RESULT 5` is an invalid class; 5 alone would be an access that was denied."""
    space = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/microsoft/windows/storage"
    reply = _wmi_error(space, status=5, code=5, message_id="MI RESULT 5").replace(
        b"<p:error_Code>", b"<p:error_Type>MI</p:error_Type><p:error_Code>"
    )
    error = _raised(reply)
    assert isinstance(error, soap.FaultAnswer)
    assert error.fault.codes == ()
    assert "does not know the class" in str(error)


ENTITY = '<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'


@pytest.mark.parametrize(
    "document",
    [
        ENTITY.encode(),
        b"\xef\xbb\xbf" + ENTITY.encode(),
        ENTITY.encode("utf-16"),
        b"\xfe\xff" + ENTITY.encode("utf-16-be"),
        b'<?xml version="1.0" encoding="UTF-8"?>' + ENTITY.encode(),
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>',
    ],
)
def test_document_types_are_refused(document: bytes) -> None:
    with pytest.raises(UnreadableOutput, match="document type"):
        soap.parse(document)


@pytest.mark.parametrize("encoding", ["cp037", "utf-7", "utf-16-le", "utf-32"])
def test_no_encoding_hides_a_document_type(encoding: str) -> None:
    declared = f'<?xml version="1.0" encoding="{encoding}"?>'.encode()
    for document in (declared + ENTITY.encode(encoding), (declared.decode() + ENTITY).encode(encoding)):
        with pytest.raises(UnreadableOutput):
            soap.parse(document)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_is_read_with_and_without_a_byte_order_mark(encoding: str) -> None:
    root = soap.parse('<?xml version="1.0" encoding="utf-16"?><x>\u00e9</x>'.encode(encoding))
    assert root.text == "\u00e9"


def test_what_is_no_envelope_is_named() -> None:
    with pytest.raises(UnreadableOutput, match="no SOAP envelope but 'html'"):
        soap.body_of(b"<html><body/></html>", "dc01")


@given(
    st.binary()
    | st.text().map(str.encode)
    | st.just(MISSING_INSTANCE).flatmap(
        lambda data: st.tuples(st.integers(0, len(data)), st.binary(max_size=20)).map(
            lambda cut: data[: cut[0]] + cut[1] + data[cut[0] :]
        )
    )
)
def test_arbitrary_bytes_raise_our_errors_only(data: bytes) -> None:
    with pytest.raises(HostError):
        soap.body_of(data, "dc01", "x")


@given(st.text(), st.text())
def test_options_and_selectors_keep_any_text(name: str, value: str) -> None:
    try:
        request = soap.envelope("urn:a", "urn:r", selectors={name: value}, options={name: value, name + "x": None})
    except UnreadableOutput:
        return
    root = ET.fromstring(request)
    (selector,) = root.iter(f"{{{soap.WSMAN}}}Selector")
    option, empty = root.iter(f"{{{soap.WSMAN}}}Option")
    assert selector.get("Name") == option.get("Name") == name
    assert (selector.text or "") == (option.text or "") == value
    assert soap.is_nil(empty)


def test_every_request_has_its_own_message_identifier() -> None:
    assert soap.envelope("a", "b") != soap.envelope("a", "b")
