# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The WMI codec against recordings of Windows Server 2003 and 2008 R2, and against the forms of the specification."""

from __future__ import annotations

import contextlib
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import HostError, UnreadableOutput
from ansible_collections.entsso.password_sync.plugins.module_utils.codec import _cim as cim
from ansible_collections.entsso.password_sync.plugins.module_utils.codec import _soap as soap
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._cim_instance import (
    CimInstance,
    CimReference,
    parse_datetime,
    parse_interval,
)
from ansible_collections.entsso.password_sync.tests.unit import recordings

# Counted by hand with grep in the recordings, so that a reader which drops rows can't agree with itself.
ROWS = {
    "server_2003/Win32_ComputerSystem_all": 1,
    "server_2003/Win32_ComputerSystem_star": 1,
    "server_2003/Win32_LogicalDisk_all": 2,
    "server_2003/Win32_LogicalDisk_star": 2,
    "server_2003/Win32_OperatingSystem_all": 1,
    "server_2003/Win32_OperatingSystem_star": 1,
    "server_2003/Win32_Service_all": 104,
    "server_2003/Win32_Service_star": 104,
    "server_2008/Win32_ComputerSystem_all": 1,
    "server_2008/Win32_ComputerSystem_star": 1,
    "server_2008/Win32_LogicalDisk_all": 2,
    "server_2008/Win32_LogicalDisk_star": 2,
    "server_2008/Win32_OperatingSystem_all": 1,
    "server_2008/Win32_OperatingSystem_star": 1,
    "server_2008/Win32_Product_all": 5,
    "server_2008/Win32_Product_star": 5,
    "server_2008/Win32_Service_all": 122,
    "server_2008/Win32_Service_star": 122,
}


def _all(enumeration: str) -> list[CimInstance]:
    return [item for page in recordings.pages(enumeration) for item in cim.parse_page(page).items]


@recordings.needed
class TestRecordedEnumerations:
    @pytest.mark.parametrize("enumeration", ROWS)
    def test_reads_every_row(self, enumeration: str) -> None:
        assert len(_all(enumeration)) == ROWS[enumeration]

    def test_no_recording_is_left_out(self) -> None:
        assert set(ROWS) <= set(recordings.enumerations())

    @pytest.mark.parametrize("enumeration", recordings.enumerations())
    def test_every_cell_is_what_another_reader_reads(self, enumeration: str) -> None:
        expected = [row for page in recordings.pages(enumeration) for row in recordings.rows(page)]
        found = [
            [(name, item) for name, items in instance.properties.items() for item in items]
            for instance in _all(enumeration)
        ]
        assert [sorted(row, key=str) for row in found] == [sorted(row, key=str) for row in expected]

    @pytest.mark.parametrize("enumeration", recordings.enumerations())
    def test_has_the_properties_of_the_class(self, enumeration: str) -> None:
        names = recordings.class_properties(enumeration)
        for instance in _all(enumeration):
            # Windows names the class of the instance itself; the Terminal Services service is of a derived class.
            derived = instance.class_name not in ("", enumeration.partition("/")[2].rpartition("_")[0])
            assert derived or set(instance.properties) <= names
            # Windows leaves empty arrays out; nothing else is missing.
            assert len(names - set(instance.properties)) <= 3

    @pytest.mark.parametrize("enumeration", recordings.enumerations())
    def test_only_the_last_message_ends_the_enumeration(self, enumeration: str) -> None:
        pages = [cim.parse_page(page) for page in recordings.pages(enumeration)]
        assert [page.end for page in pages] == [False] * (len(pages) - 1) + [True]
        assert all(page.context for page in pages[:-1])
        assert len({page.context for page in pages}) == len(pages)
        assert pages[-1].context == ""

    def test_first_message_holds_one_item_when_more_follow(self) -> None:
        sizes = [len(cim.parse_page(page).items) for page in recordings.pages("server_2008/Win32_Service_star")]
        assert sizes[0] == 1
        assert sum(sizes) == 122

    @pytest.mark.parametrize("form", ["all", "star"])
    def test_types_of_an_operating_system(self, form: str) -> None:
        (system,) = _all(f"server_2008/Win32_OperatingSystem_{form}")
        assert system.string("BuildNumber") == "7601"
        assert system.integer("ProductType") in (1, 2, 3)
        assert system.time("InstallDate") == datetime(2013, 3, 9, 3, 6, 25, tzinfo=UTC) or (
            system.time("InstallDate") == datetime(2013, 3, 11, 21, 28, 4, tzinfo=UTC)
        )
        assert system.time("LastBootUpTime").tzinfo is UTC
        assert system.time("LocalDateTime") > system.time("LastBootUpTime")
        assert system.strings("MUILanguages") == ("en-US",)
        assert system.integer("TotalVirtualMemorySize") > 0
        assert system.optional_string("CSDVersion") == "Service Pack 1"
        assert system.optional_string("LargeSystemCache") is None
        assert "LargeSystemCache" in system

    @pytest.mark.parametrize("form", ["all", "star"])
    def test_arrays_of_a_computer_system(self, form: str) -> None:
        (system,) = _all(f"server_2008/Win32_ComputerSystem_{form}")
        assert len(system.strings("Roles")) > 1
        assert "LM_Workstation" in system.strings("Roles")
        assert system.boolean("PartOfDomain") is False
        with pytest.raises(UnreadableOutput, match="values where one was expected"):
            system.string("Roles")

    @pytest.mark.parametrize("form", ["all", "star"])
    def test_sizes_beyond_32_bits(self, form: str) -> None:
        disks = _all(f"server_2008/Win32_LogicalDisk_{form}")
        assert [disk.integer("Size") for disk in disks] == [32210153472, 53683941376]
        assert [disk.string("VolumeName") for disk in disks] == ["", "New Volume"]

    def test_names_are_compared_without_regard_to_case(self) -> None:
        (system,) = _all("server_2008/Win32_OperatingSystem_star")
        assert system.string("buildnumber") == system.string("BUILDNUMBER")

    @pytest.mark.parametrize("enumeration", [name for name in recordings.enumerations() if "Service" in name])
    def test_services_have_the_states_we_know(self, enumeration: str) -> None:
        for service in _all(enumeration):
            assert service.string("Name")
            assert service.string("State") in ("Running", "Stopped", "Start Pending", "Stop Pending", "Paused")
            assert service.string("StartMode") in ("Auto", "Manual", "Disabled", "Boot", "System")
            assert service.integer("ProcessId") >= 0
            assert service.optional_boolean("DelayedAutoStart") is None

    def test_registry_keys_of_a_real_server(self) -> None:
        output = cim.parse_output(recordings.read("registry/EnumKey.xml"), "EnumKey")
        assert output.integer("ReturnValue") == 0
        assert len(output.strings("sNames")) == 26
        assert output.strings("sNames")[0] == "AddressBook"
        assert output.strings("sNames")[-1] == "{F8FBDC28-C265-4F0D-8B91-6E92913E19F6}"

    def test_output_of_another_method_is_not_taken(self) -> None:
        with pytest.raises(UnreadableOutput, match="no EnumValues_OUTPUT"):
            cim.parse_output(recordings.read("registry/EnumKey.xml"), "EnumValues")


def _reply(body: str) -> bytes:
    return f'<s:Envelope xmlns:s="{soap.SOAP}"><s:Body>{body}</s:Body></s:Envelope>'.encode()


_N = f'xmlns:n="{soap.ENUMERATION}"'
_W = f'xmlns:w="{soap.WSMAN}"'


class TestForms:
    def test_get_of_the_specification(self) -> None:
        # MS-WSMV 4.1.1, with the reference that the sample carries beside the properties.
        uri = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/mynamespace/myclass"
        found = cim.parse_instance(
            _reply(
                f'<p:myclass xmlns:p="{uri}"><p:Data1>Hello World</p:Data1><p:id>1</p:id>'
                f'<cim:Location xmlns:cim="{soap.CIM}"><x>1</x></cim:Location></p:myclass>'
            )
        )
        assert found.class_name == "myclass"
        assert dict(found.properties) == {"Data1": ("Hello World",), "id": ("1",)}

    def test_an_item_with_its_reference(self) -> None:
        page = cim.parse_page(
            _reply(
                f'<n:PullResponse {_N} {_W} xmlns:a="{soap.ADDRESSING}"><n:Items><w:Item><p:C xmlns:p="urn:c">'
                "<p:A>1</p:A></p:C><a:EndpointReference/></w:Item></n:Items><n:EndOfSequence/></n:PullResponse>"
            )
        )
        assert [(item.class_name, item.string("A")) for item in page.items] == [("C", "1")]

    @pytest.mark.parametrize("items", ["", "<w:Items/>", "<w:Items></w:Items>"])
    def test_no_rows(self, items: str) -> None:
        page = cim.parse_page(
            _reply(
                f"<n:EnumerateResponse {_N} {_W}><n:EnumerationContext/>{items}<w:EndOfSequence/></n:EnumerateResponse>"
            )
        )
        assert page == cim.Page((), "", True)

    def test_an_unfinished_reply_without_context_is_no_empty_result(self) -> None:
        with pytest.raises(UnreadableOutput, match="not complete"):
            cim.parse_page(_reply(f"<n:PullResponse {_N}><n:Items/></n:PullResponse>"))

    def test_a_reference(self) -> None:
        found = cim.parse_instance(
            _reply(
                f'<p:C xmlns:p="urn:c" xmlns:a="{soap.ADDRESSING}" {_W}><p:R><a:Address>x</a:Address>'
                "<a:ReferenceParameters><w:ResourceURI>urn:u</w:ResourceURI><w:SelectorSet>"
                '<w:Selector Name="Name">dc01</w:Selector></w:SelectorSet></a:ReferenceParameters></p:R></p:C>'
            )
        )
        assert found.reference("R") == CimReference("urn:u", {"Name": "dc01"})
        with pytest.raises(UnreadableOutput, match="is no text"):
            found.string("R")

    def test_an_embedded_instance(self) -> None:
        found = cim.parse_instance(_reply('<p:C xmlns:p="urn:c"><p:E><p:X>1</p:X><p:Y>2</p:Y></p:E></p:C>'))
        (inner,) = found.items_of("E")
        assert isinstance(inner, CimInstance)
        assert inner.integer("Y") == 2

    def test_a_method_may_return_nothing(self) -> None:
        output = cim.parse_output(_reply('<p:Enable_OUTPUT xmlns:p="urn:c"/>'), "Enable")
        assert dict(output.properties) == {}
        with pytest.raises(UnreadableOutput, match="is null"):
            output.integer("ReturnValue")

    @pytest.mark.parametrize("value", ["", "1.5", "0x10", "yes", "1_000", "\uff11", "9" * 30])
    def test_what_is_no_number_is_not_one(self, value: str) -> None:
        found = cim.parse_instance(_reply(f'<p:C xmlns:p="urn:c"><p:N>{value}</p:N></p:C>'), host="dc01")
        with pytest.raises(UnreadableOutput, match=r"C\.N on dc01: the property is no integer"):
            found.integer("N")
        with pytest.raises(UnreadableOutput, match="no boolean"):
            found.boolean("N")
        with pytest.raises(UnreadableOutput, match="no time"):
            found.time("N")

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("2013-04-15T16:28:39.5Z", datetime(2013, 4, 15, 16, 28, 39, 500000, UTC)),
            ("2013-04-15T20:27:39.84Z", datetime(2013, 4, 15, 20, 27, 39, 840000, UTC)),
            ("2013-04-15T16:28:43.488171Z", datetime(2013, 4, 15, 16, 28, 43, 488171, UTC)),
            ("2013-04-25T21:23:39.000000000Z", datetime(2013, 4, 25, 21, 23, 39, 0, UTC)),
            ("2020-01-01T08:00:00+08:00", datetime(2020, 1, 1, tzinfo=UTC)),
            ("20130415162843.488171+120", datetime(2013, 4, 15, 14, 28, 43, 488171, UTC)),
        ],
    )
    def test_times(self, text: str, expected: datetime) -> None:
        assert parse_datetime(text) == expected

    @pytest.mark.parametrize(
        "text",
        [
            "2013-04-15T16:28:39",
            "20130415",
            "",
            "now",
            "20131315162843.488171+120",
            "00010101000000.000000+720",
            "0001-01-01T00:00:00+14:00",
            "2013041516284\uff13.488171+120",
        ],
    )
    def test_what_is_no_time_or_has_no_zone(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"\S"):
            parse_datetime(text)

    def test_interval_properties_and_arrays_of_numbers(self) -> None:
        found = cim.parse_instance(
            _reply(
                f'<p:C xmlns:p="urn:c" xmlns:c="{soap.CIM}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
                "<p:T><c:Interval>P0DT0H1M40S</c:Interval></p:T><p:A>1</p:A><p:A>255</p:A>"
                '<p:B>x</p:B><p:B xsi:nil="true"/><p:N xsi:nil="true"/></p:C>'
            )
        )
        assert found.optional_interval("T") == timedelta(seconds=100)
        assert found.optional_interval("N") is None
        assert found.optional_boolean("N") is None
        assert found.integers("A") == (1, 255)
        assert found.strings("N") == ()
        for read in (found.strings, found.reference, found.optional_interval):
            with pytest.raises(UnreadableOutput):
                read("B")
        with pytest.raises(UnreadableOutput, match="no interval"):
            found.optional_interval("T2") or cim.parse_instance(
                _reply('<p:C xmlns:p="urn:c"><p:T>soon</p:T></p:C>')
            ).optional_interval("T")

    def test_intervals(self) -> None:
        assert parse_interval("P0DT0H1M40S") == timedelta(seconds=100)
        assert parse_interval("P1DT0.5S") == timedelta(days=1, milliseconds=500)
        with pytest.raises(ValueError, match="no duration"):
            parse_interval("P1Y")


class TestRequests:
    def _parsed(self, request: bytes) -> tuple[dict[str, str], ET.Element]:
        root = ET.fromstring(request)
        header = root.find(f"{{{soap.SOAP}}}Header")
        body = root.find(f"{{{soap.SOAP}}}Body")
        assert header is not None
        assert body is not None
        return {child.tag.rpartition("}")[2]: (child.text or "") for child in header}, body

    def test_get_is_lean_and_has_what_windows_demands(self) -> None:
        request = cim.get_request("Win32_Service", {"Name": "PCNSSVC"})
        header, body = self._parsed(request)
        assert len(request) < 1100
        assert header["Action"] == "http://schemas.xmlsoap.org/ws/2004/09/transfer/Get"
        assert header["ResourceURI"] == "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/Win32_Service"
        assert header["MaxEnvelopeSize"] == "512000"
        assert header["OperationTimeout"] == "PT60.000S"
        assert header["MessageID"].startswith("uuid:")
        assert len(body) == 0
        root = ET.fromstring(request)
        (selector,) = root.iter(f"{{{soap.WSMAN}}}Selector")
        assert (selector.get("Name"), selector.text) == ("Name", "PCNSSVC")
        (locale,) = root.iter(f"{{{soap.WSMAN}}}Locale")
        assert locale.get(f"{{{soap.SOAP}}}mustUnderstand") == "false"
        (address,) = root.iter(f"{{{soap.ADDRESSING}}}Address")
        assert address.text == "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"

    def test_a_singleton_has_no_selectors(self) -> None:
        assert b"SelectorSet" not in cim.get_request("Win32_OperatingSystem")

    def test_enumerate_has_the_form_that_the_recordings_were_made_with(self) -> None:
        header, body = self._parsed(cim.enumerate_request("select * from Win32_Service where Name < 'b'"))
        assert header["ResourceURI"].endswith("/wmi/root/cimv2/*")
        assert header["Action"] == "http://schemas.xmlsoap.org/ws/2004/09/enumeration/Enumerate"
        (enumerate_,) = body
        assert [child.tag for child in enumerate_] == [
            f"{{{soap.WSMAN}}}OptimizeEnumeration",
            f"{{{soap.WSMAN}}}MaxElements",
            f"{{{soap.WSMAN}}}Filter",
        ]
        assert enumerate_[2].get("Dialect") == "http://schemas.microsoft.com/wbem/wsman/1/WQL"
        assert enumerate_[2].text == "select * from Win32_Service where Name < 'b'"

    def test_pull_names_context_then_size(self) -> None:
        _header, body = self._parsed(cim.pull_request("uuid:1"))
        (pull,) = body
        assert [(child.tag.rpartition("}")[2], child.text) for child in pull] == [
            ("EnumerationContext", "uuid:1"),
            ("MaxElements", "32000"),
        ]

    def test_invoke_has_the_form_that_four_implementations_agree_on(self) -> None:
        request = cim.invoke_request(
            "StdRegProv",
            "GetMultiStringValue",
            {"hDefKey": 2147483650, "sSubKeyName": r"SYSTEM\CurrentControlSet\Control\Lsa", "sValueName": "A & B"},
        )
        header, body = self._parsed(request)
        uri = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/StdRegProv"
        assert header["ResourceURI"] == uri
        assert header["Action"] == f"{uri}/GetMultiStringValue"
        (sent,) = body
        assert sent.tag == f"{{{uri}}}GetMultiStringValue_INPUT"
        assert [(child.tag.removeprefix(f"{{{uri}}}"), child.text) for child in sent] == [
            ("hDefKey", "2147483650"),
            ("sSubKeyName", r"SYSTEM\CurrentControlSet\Control\Lsa"),
            ("sValueName", "A & B"),
        ]

    def test_parameter_forms(self) -> None:
        moment = datetime(2026, 11, 22, 12, 0, tzinfo=timezone(timedelta(hours=2)))
        request = cim.invoke_request("C", "M", {"a": ("x", "y"), "b": True, "c": None, "d": moment})
        (sent,) = self._parsed(request)[1]
        assert [child.text for child in sent][:3] == ["x", "y", "true"]
        assert sent[3].get("{http://www.w3.org/2001/XMLSchema-instance}nil") == "true"
        assert sent[4][0].text == "2026-11-22T10:00:00.000000Z"
        assert sent[4][0].tag == f"{{{soap.CIM}}}Datetime"
        with pytest.raises(ValueError, match="zone"):
            cim.invoke_request("C", "M", {"d": datetime(2026, 1, 1)})

    @given(st.text())
    def test_any_text_arrives_as_it_was_or_is_refused(self, value: str) -> None:
        try:
            request = cim.invoke_request("C", "M", {"v": value}, {"Name": value})
        except UnreadableOutput:
            with pytest.raises(ET.ParseError):
                ET.fromstring(f"<x>{''.join(f'&#{ord(c)};' for c in value)}</x>")
            return
        root = ET.fromstring(request)
        (sent,) = root.iter(f"{{{cim.resource_uri('C')}}}v")
        (selector,) = root.iter(f"{{{soap.WSMAN}}}Selector")
        assert (sent.text or "") == (selector.text or "") == value

    @given(st.text(alphabet=st.characters(codec="utf-8")))
    def test_wql_strings_can_be_taken_apart_again(self, value: str) -> None:
        literal = cim.wql_string(value)
        assert (literal[0], literal[-1]) == ("'", "'")
        found, escaped = "", False
        for character in literal[1:-1]:
            if not escaped and character == "\\":
                escaped = True
                continue
            assert escaped or character != "'"
            found += character
            escaped = False
        assert (found, escaped) == (value, False)


_XMLISH = st.one_of(
    st.binary(),
    st.text(alphabet="<>/:=\"' abcsnwp&;!-[]DOCTYPE").map(str.encode),
    st.sampled_from(
        [
            "<n:PullResponse {n}><n:Items><x/></n:Items>{x}</n:PullResponse>",
            "<n:EnumerateResponse {n}>{x}<n:EnumerationContext>1</n:EnumerationContext></n:EnumerateResponse>",
            "<s:Fault>{x}</s:Fault>",
            '<s:Fault><s:Detail><f Code="{x}"/></s:Detail></s:Fault>',
            "<x>{x}</x>",
        ]
    ).flatmap(lambda form: st.text(alphabet="<>/x ", max_size=8).map(lambda x: _reply(form.format(n=_N, x=x)))),
)


class TestArbitraryBytes:
    @given(_XMLISH)
    def test_only_our_errors(self, data: bytes) -> None:
        for read in (
            cim.parse_page,
            cim.parse_instance,
            lambda reply: cim.parse_output(reply, "M"),
        ):
            with contextlib.suppress(HostError):
                read(data)

    @recordings.needed
    @given(st.data())
    def test_a_damaged_recording(self, data: st.DataObject) -> None:
        page = bytearray(recordings.pages("server_2008/Win32_LogicalDisk_star")[0])
        start = data.draw(st.integers(0, len(page) - 1))
        page[start : start + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=40))
        with contextlib.suppress(HostError):
            cim.parse_page(bytes(page))
