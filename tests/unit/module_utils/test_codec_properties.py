# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every codec: whatever bytes come, no exception but our own; whatever value is written, it is read as it was.

The replies are written here by hand, with no help of the codecs.
"""

from __future__ import annotations

import base64
import contextlib
import xml.etree.ElementTree as ET
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from xml.sax.saxutils import escape, quoteattr

from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    HostError,
    Unquotable,
    UnreadableOutput,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._pcnscfg import ListingError
from ansible_collections.entsso.password_sync.plugins.module_utils._pcnscfg import parse_list as parse_pcnscfg
from ansible_collections.entsso.password_sync.plugins.module_utils._sso_adapter import AdapterListError
from ansible_collections.entsso.password_sync.plugins.module_utils._sso_adapter import parse_list as parse_ssops
from ansible_collections.entsso.password_sync.plugins.module_utils.codec import _cim as cim
from ansible_collections.entsso.password_sync.plugins.module_utils.codec import _eventlog as eventlog
from ansible_collections.entsso.password_sync.plugins.module_utils.codec import _soap as soap
from ansible_collections.entsso.password_sync.plugins.module_utils.codec import _winrs as winrs
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._cim_instance import CimInstance, CimReference

quick = settings(max_examples=30, deadline=None)

SOAP = "http://www.w3.org/2003/05/soap-envelope"
CLASS = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/C"
NIL = '<p:{0} xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/>'
EVENT = "http://schemas.microsoft.com/win/2004/08/events/event"
ENUMERATION = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"

CONTROLS = "".join(map(chr, range(32)))
TEXT = st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters=CONTROLS + "\ufffe\uffff")
    | st.sampled_from("\t\n\r<&]"),
    max_size=16,
)
NAME = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,12}", fullmatch=True)
MOMENT = st.datetimes(datetime(1601, 1, 1), datetime(9998, 1, 1))
ZONE = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


def data(text: str) -> str:
    return escape(text, {"\r": "&#13;"})


def attribute(text: str) -> str:
    return quoteattr(text, {"\r": "&#13;", "\n": "&#10;", "\t": "&#9;"})


def reply(body: str) -> bytes:
    return f'<s:Envelope xmlns:s="{SOAP}"><s:Body>{body}</s:Body></s:Envelope>'.encode()


def instance(cells: str) -> CimInstance:
    return cim.parse_instance(reply(f'<p:C xmlns:p="{CLASS}">{cells}</p:C>'))


class TestCim:
    @quick
    @given(st.dictionaries(NAME.map(str.lower), st.lists(TEXT | st.none(), min_size=1, max_size=3), max_size=5))
    def test_properties(self, values: dict[str, list[str | None]]) -> None:
        cells = "".join(
            NIL.format(name) if item is None else f"<p:{name}>{data(item)}</p:{name}>"
            for name, items in values.items()
            for item in items
        )
        found = instance(cells)
        assert {name: list(items) for name, items in found.properties.items()} == values
        for name, items in values.items():
            assert list(found.items_of(name.upper())) == items
            if None not in items:
                assert list(found.strings(name)) == items

    @quick
    @given(st.lists(st.integers(-(2**63), 2**64 - 1), min_size=1, max_size=5))
    def test_integers(self, numbers: list[int]) -> None:
        found = instance("".join(f"<p:N>{number}</p:N>" for number in numbers) + f"<p:One>{numbers[0]}</p:One>")
        assert list(found.integers("N")) == numbers
        assert found.integer("One") == numbers[0]

    @quick
    @given(MOMENT, ZONE, st.sampled_from(["cim:", ""]), st.sampled_from([0, 3, 6]))
    def test_times(self, moment: datetime, zone: timezone, prefix: str, digits: int) -> None:
        exact = moment.replace(microsecond=moment.microsecond // 10 ** (6 - digits) * 10 ** (6 - digits), tzinfo=zone)
        fraction = f".{exact.microsecond:06d}"[: digits + 1] if digits else ""
        offset = "Z" if zone == UTC else f"{exact:%z}"[:3] + ":" + f"{exact:%z}"[3:5]
        written = f"{exact.year:04d}{exact:-%m-%dT%H:%M:%S}{fraction}{offset}"
        declared = ' xmlns:cim="http://schemas.dmtf.org/wbem/wscim/1/common"' if prefix else ""
        found = instance(f"<p:T><{prefix}Datetime{declared}>{written}</{prefix}Datetime></p:T>")
        assert found.time("T") == exact

    @quick
    @given(st.integers(0, 10**6), st.integers(0, 23), st.integers(0, 59), st.integers(0, 59), st.integers(0, 999_999))
    def test_intervals(self, days: int, hours: int, minutes: int, seconds: int, micro: int) -> None:
        found = instance(f"<p:I><Interval>P{days}DT{hours}H{minutes}M{seconds}.{micro:06d}S</Interval></p:I>")
        expected = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds, microseconds=micro)
        assert found.optional_interval("I") == expected

    @quick
    @given(TEXT.map(str.strip), st.dictionaries(TEXT, TEXT, max_size=3))
    def test_references(self, uri: str, selectors: dict[str, str]) -> None:
        chosen = "".join(f"<w:Selector Name={attribute(n)}>{data(v)}</w:Selector>" for n, v in selectors.items())
        found = instance(
            f'<p:R><a:ReferenceParameters xmlns:a="{ADDRESSING}" xmlns:w="{WSMAN}"><w:ResourceURI>{data(uri)}'
            f"</w:ResourceURI><w:SelectorSet>{chosen}</w:SelectorSet></a:ReferenceParameters></p:R>"
        )
        assert found.reference("R") == CimReference(uri, selectors)

    @quick
    @given(
        st.lists(st.dictionaries(NAME.map(str.lower), TEXT, min_size=1, max_size=3), max_size=4), TEXT.map(str.strip)
    )
    def test_pages(self, rows: list[dict[str, str]], context: str) -> None:
        items = "".join(
            "<w:XmlFragment>" + "".join(f"<{n}>{data(v)}</{n}>" for n, v in row.items()) + "</w:XmlFragment>"
            for row in rows
        )
        more = f"<n:EnumerationContext>{data(context)}</n:EnumerationContext>" if context else "<n:EndOfSequence/>"
        page = cim.parse_page(
            reply(
                f'<n:PullResponse xmlns:n="{ENUMERATION}" xmlns:w="{WSMAN}">{more}<n:Items>{items}</n:Items>'
                "</n:PullResponse>"
            )
        )
        assert [{name: row.string(name) for name in row.properties} for row in page.items] == rows
        assert (page.context, page.end) == (context, not context)

    @quick
    @given(
        st.dictionaries(
            NAME.map(str.lower),
            TEXT | st.integers() | st.booleans() | st.none() | st.lists(TEXT, min_size=1, max_size=3),
            max_size=4,
        )
    )
    def test_parameters(self, parameters: dict[str, cim.CimParameter]) -> None:
        root = ET.fromstring(cim.invoke_request("C", "M", parameters))
        (sent,) = root.iter(f"{{{CLASS}}}M_INPUT")
        expected: list[tuple[str, str | None]] = []
        for name, value in parameters.items():
            for item in value if isinstance(value, list) else [value]:
                text = str(item).lower() if isinstance(item, bool) else str(item)
                expected.append((name, None if item is None else text))
        nil = "{http://www.w3.org/2001/XMLSchema-instance}nil"
        assert [(e.tag.rpartition("}")[2], None if e.get(nil) else e.text or "") for e in sent] == expected


class TestWinrs:
    @quick
    @given(st.lists(st.tuples(st.sampled_from(["stdout", "stderr"]), st.binary(max_size=40)), max_size=6))
    def test_output(self, pieces: list[tuple[str, bytes]]) -> None:
        streams = "".join(
            f'<r:Stream Name="{name}" CommandId="c">{base64.encodebytes(piece).decode()}</r:Stream>'
            for name, piece in pieces
        )
        found = winrs.parse_received(reply(f'<r:ReceiveResponse xmlns:r="{SHELL}">{streams}</r:ReceiveResponse>'), "C")
        assert found.stdout == b"".join(piece for name, piece in pieces if name == "stdout")
        assert found.stderr == b"".join(piece for name, piece in pieces if name == "stderr")
        assert (found.done, found.exit_code) == (False, None)

    @quick
    @given(st.integers(0, 2**32 - 1), st.booleans())
    def test_exit_codes(self, code: int, negative: bool) -> None:
        written = code - 2**32 if negative and code >= 2**31 else code
        state = f'<r:CommandState State="{SHELL}/CommandState/Done"><r:ExitCode>{written}</r:ExitCode></r:CommandState>'
        found = winrs.parse_received(reply(f'<r:ReceiveResponse xmlns:r="{SHELL}">{state}</r:ReceiveResponse>'), "C")
        assert (found.done, found.exit_code) == (True, code)

    @quick
    @given(TEXT, TEXT, TEXT)
    def test_requests(self, shell: str, command: str, line: str) -> None:
        root = ET.fromstring(winrs.command_request(shell, line))
        assert (next(root.iter(f"{{{WSMAN}}}Selector")).text or "") == shell
        assert (next(root.iter(f"{{{SHELL}}}Command")).text or "") == line
        root = ET.fromstring(winrs.receive_request(shell, command))
        assert next(root.iter(f"{{{SHELL}}}DesiredStream")).get("CommandId") == command


class TestEvents:
    @quick
    @given(
        TEXT.map(str.strip),
        TEXT,
        st.integers(0, 65535),
        st.integers(0, 5),
        st.integers(0, 2**64 - 1),
        MOMENT,
        st.lists(st.tuples(st.none() | NAME, TEXT), max_size=4),
    )
    def test_an_event(
        self,
        channel: str,
        provider: str,
        number: int,
        level: int,
        record: int,
        moment: datetime,
        values: list[tuple[str | None, str]],
    ) -> None:
        cells = "".join(f"<Data{f' Name={attribute(n)}' if n else ''}>{data(v)}</Data>" for n, v in values)
        item = (
            f'<Event xmlns="{EVENT}"><System><Provider Name={attribute(provider)}/><EventID>{number}</EventID>'
            f'<Level>{level}</Level><TimeCreated SystemTime="{moment.isoformat(timespec="microseconds")}000Z"/>'
            f"<EventRecordID>{record}</EventRecordID><Channel>{data(channel)}</Channel><Computer>dc01</Computer></System>"
            f"<EventData>{cells}</EventData></Event>"
        )
        page = eventlog.parse_events(
            reply(
                f'<n:PullResponse xmlns:n="{ENUMERATION}"><n:EnumerationContext>c</n:EnumerationContext>'
                f"<n:Items>{item}</n:Items></n:PullResponse>"
            )
        )
        (event,) = page.events
        assert event == eventlog.Event(
            channel,
            provider,
            number,
            level,
            record,
            moment.replace(tzinfo=UTC),
            "dc01",
            tuple(value for _name, value in values),
            {name: value for name, value in values if name},
        )

    @quick
    @given(TEXT, TEXT.filter(lambda name: "'" not in name), st.frozensets(st.integers(0, 65535), max_size=40))
    def test_a_query(self, channel: str, provider: str, ids: frozenset[int]) -> None:
        selects = list(
            ET.fromstring(eventlog.query_list([eventlog.EventQuery(channel, provider, tuple(ids))])).iter("Select")
        )
        assert {select.get("Path") for select in selects} == {channel}
        asked = [part for select in selects for part in (select.text or "").split("EventID=")[1:]]
        assert sorted(int(part.partition(" ")[0].rstrip(")]")) for part in asked) == sorted(ids)
        if provider:
            assert all(f"Provider[@Name='{provider}']" in (select.text or "") for select in selects)


class TestFaults:
    @quick
    @given(
        st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=4),
        TEXT,
        NAME,
        st.lists(TEXT, min_size=4, max_size=4),
        st.lists(TEXT, min_size=4, max_size=4),
    )
    def test_a_fault(
        self, codes: list[int], reason: str, subcode: str, messages: list[str], machines: list[str]
    ) -> None:
        nested = ""
        for code, words, machine in reversed(list(zip(codes, messages, machines, strict=False))):
            nested = (
                f'<f:WSManFault xmlns:f="urn:f" Code="{code}" Machine={attribute(machine)}>'
                f"<f:Message>{data(words)}</f:Message>{nested}</f:WSManFault>"
            )
        written = reply(
            f"<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>x:{subcode}</s:Value></s:Subcode></s:Code>"
            f"<s:Reason><s:Text>{data(reason)}</s:Text></s:Reason><s:Detail>{nested}</s:Detail></s:Fault>"
        )
        found = soap.fault_of(written)
        assert found is not None
        assert found.codes == tuple(dict.fromkeys(codes))
        assert found.subcode == subcode
        said = [" ".join(words.split()) for words in (*reversed(messages[: len(codes)]), reason)]
        assert found.messages == tuple(dict.fromkeys(words for words in said if words))
        inner = [name.strip() for name in machines[1 : len(codes)]]
        assert found.machines == tuple(dict.fromkeys(name for name in inner if name))
        assert str(soap.fault_error(found, "dc01", "x")).startswith("x on dc01: ")


VALID = [
    reply(f'<p:C xmlns:p="{CLASS}"><p:A>1</p:A><p:T><Datetime>2013-04-15T16:28:43.488171Z</Datetime></p:T></p:C>'),
    reply(
        f'<n:PullResponse xmlns:n="{ENUMERATION}"><n:EnumerationContext>c</n:EnumerationContext><n:Items>'
        f'<Event xmlns="{EVENT}"><System><EventID>1</EventID><TimeCreated SystemTime="2013-04-15T16:28:43Z"/></System>'
        "<EventData><Data>x</Data></EventData></Event></n:Items></n:PullResponse>"
    ),
    reply(
        f'<r:ReceiveResponse xmlns:r="{SHELL}"><r:Stream Name="stdout" CommandId="C">aGk=</r:Stream>'
        f'<r:CommandState CommandId="C" State="{SHELL}/CommandState/Done"><r:ExitCode>0</r:ExitCode></r:CommandState>'
        "</r:ReceiveResponse>"
    ),
    reply(
        "<s:Fault><s:Code><s:Subcode><s:Value>w:X</s:Value></s:Subcode></s:Code><s:Detail><f:WSManFault "
        'xmlns:f="urn:f" Code="5" Machine="m"><f:Message>No</f:Message></f:WSManFault><p:MSFT_WmiError xmlns:p="urn:p">'
        "<p:error_Code>1</p:error_Code><p:MessageID>HRESULT 0x5</p:MessageID></p:MSFT_WmiError></s:Detail></s:Fault>"
    ),
]

READERS: tuple[Callable[[bytes], object], ...] = (
    cim.parse_page,
    cim.parse_instance,
    lambda document: cim.parse_output(document, "M"),
    winrs.parse_created,
    winrs.parse_command,
    lambda document: winrs.parse_received(document, "C"),
    eventlog.parse_subscription,
    eventlog.parse_events,
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A valid reply in which pieces were replaced by arbitrary bytes, doubled, or lost; in any encoding."""
    document = bytearray(draw(st.sampled_from(VALID)))
    for _time in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(document)))
        end = min(len(document), start + draw(st.integers(0, 60)))
        piece = draw(st.binary(max_size=12) | st.just(bytes(document[start:end]) * 3) | st.sampled_from(WORDS))
        document[start:end] = piece
    if draw(st.integers(0, 9)) == 0:
        with contextlib.suppress(UnicodeDecodeError):
            return bytes(document).decode().encode("utf-16")
    return bytes(document)


WORDS = [
    b'xsi:nil="true"',
    b"<p:A/>",
    b"-1",
    b"9" * 40,
    b"<![CDATA[",
    b"]]>",
    b"<!--",
    b"&lt;",
    b"\xc2\xa0",
    b"1_0",
    b"\xef\xbc\x91",
]


class TestAnything:
    @settings(max_examples=150, deadline=None)
    @given(damaged() | st.binary(max_size=60))
    def test_no_exception_but_our_own(self, document: bytes) -> None:
        for read in READERS:
            with contextlib.suppress(HostError):
                _use(read(document))
        soap.fault_of(document)

    @quick
    @given(st.text(max_size=80))
    def test_output_of_tools(self, text: str) -> None:
        with contextlib.suppress(ListingError):
            parse_pcnscfg(text)
        with contextlib.suppress(AdapterListError):
            parse_ssops(text)

    @quick
    @given(st.text(max_size=30), st.text(max_size=30))
    def test_what_can_not_be_sent_is_refused_by_us(self, one: str, other: str) -> None:
        for build in (
            lambda: cim.get_request(one, {one: other}, other),
            lambda: cim.enumerate_request(one, other),
            lambda: winrs.command_request(one, other),
            lambda: winrs.create_request(one),
        ):
            try:
                ET.fromstring(build())
            except (UnreadableOutput, Unquotable):
                continue


def _use(value: object) -> None:
    """Asks an instance for every property as everything."""
    if isinstance(value, cim.Page):
        for item in value.items:
            _use(item)
    if not isinstance(value, CimInstance):
        return
    for name in value.properties:
        for ask in (
            value.string,
            value.integer,
            value.boolean,
            value.time,
            value.optional_interval,
            value.strings,
            value.integers,
            value.reference,
        ):
            with contextlib.suppress(UnreadableOutput):
                ask(name)
