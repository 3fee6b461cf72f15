# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The event log codec against a recorded subscription on a Windows server, and against the form of wsman.md 1.12."""

from __future__ import annotations

import contextlib
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import HostError, UnreadableOutput
from ansible_collections.entsso.password_sync.plugins.module_utils.codec import _eventlog as eventlog
from ansible_collections.entsso.password_sync.plugins.module_utils.codec import _soap as soap
from ansible_collections.entsso.password_sync.tests.unit import recordings


@recordings.needed
class TestRecordedSubscription:
    def test_subscription(self) -> None:
        found = eventlog.parse_subscription(recordings.read("eventlog/subscribe_resp.xml"))
        assert found == eventlog.Subscription(
            "885E9924-235C-44EB-9834-B3440B7DCD38", "uuid:00A69F40-AF0D-4E6D-93BD-EFE6AADC3F51"
        )

    def test_event(self) -> None:
        page = eventlog.parse_events(recordings.read("eventlog/pull_resp_01.xml"))
        assert page.context == "uuid:05071354-C4AD-4745-AA80-1127029F660E"
        assert page.events == (
            eventlog.Event(
                channel="Application",
                provider="EventCreate",
                event_id=1,
                level=2,
                record_id=3847,
                time=datetime(2013, 4, 25, 21, 23, 39, tzinfo=UTC),
                computer="AMAZONA-Q2R281F",
                data=("test_from_gilroy_cmd_003",),
            ),
        )

    def test_no_more_events(self) -> None:
        page = eventlog.parse_events(recordings.read("eventlog/pull_resp_02.xml"))
        assert page == eventlog.EventPage((), "uuid:F31A07AC-3B61-4ECC-A489-1B492FA1E7D6")


def _pull(content: str) -> bytes:
    return (
        f'<s:Envelope xmlns:s="{soap.SOAP}" xmlns:n="{soap.ENUMERATION}"><s:Body><n:PullResponse>'
        f"<n:EnumerationContext>c</n:EnumerationContext><n:Items>{content}</n:Items></n:PullResponse></s:Body></s:Envelope>"
    ).encode()


def _event(system: str, data: str = "") -> str:
    return f'<Event xmlns="{eventlog.EVENT}"><System>{system}</System>{data}</Event>'


_SYSTEM = (
    '<Provider Name="P"/><EventID>2201</EventID><TimeCreated SystemTime="2026-11-22T10:00:00.1234567Z"/>'
    "<Channel>Application</Channel><Computer>dc01</Computer>"
)


class TestEvents:
    def test_named_data_and_user_data(self) -> None:
        data = '<EventData><Data Name="User">anna</Data><Data>x</Data><Data/></EventData>'
        (event,) = eventlog.parse_events(_pull(_event(_SYSTEM, data))).events
        assert event.data == ("anna", "x", "")
        assert event.named == {"User": "anna"}
        assert (event.level, event.record_id) == (0, 0)
        assert event.time == datetime(2026, 11, 22, 10, 0, 0, 123456, UTC)
        data = '<UserData><Own xmlns="urn:own"><File>a.dll</File><Code>5</Code></Own></UserData>'
        (event,) = eventlog.parse_events(_pull(_event(_SYSTEM, data))).events
        assert event.data == ("a.dll", "5")
        assert event.named == {"File": "a.dll", "Code": "5"}

    @pytest.mark.parametrize(
        "item",
        [
            "<x/>",
            _event(_SYSTEM.replace("2201", "")),
            _event(_SYSTEM.replace("2026-11-22T10:00:00.1234567Z", "today")),
            _event(_SYSTEM.replace("<TimeCreated", "<Nothing")),
        ],
    )
    def test_what_is_no_readable_event_is_an_error(self, item: str) -> None:
        with pytest.raises(UnreadableOutput):
            eventlog.parse_events(_pull(item), "dc01")

    @given(st.binary() | st.text(alphabet="<>/EventSyma= \"'").map(_pull))
    def test_arbitrary_bytes_raise_our_errors_only(self, data: bytes) -> None:
        for read in (eventlog.parse_subscription, eventlog.parse_events):
            with contextlib.suppress(HostError):
                read(data)


class TestRequests:
    def test_subscribe(self) -> None:
        since = datetime(2026, 11, 22, 12, 0, 0, 5000, timezone(timedelta(hours=2)))
        queries = [
            eventlog.EventQuery("Application", "PCNSSVC", (2201, 2100), since),
            eventlog.EventQuery("System", "Microsoft-Windows-Kernel-General", (12,)),
            eventlog.EventQuery("Security"),
        ]
        root = ET.fromstring(eventlog.subscribe_request(queries))
        assert root.findtext(f".//{{{soap.WSMAN}}}ResourceURI") == eventlog.RESOURCE
        assert root.findtext(f".//{{{soap.ADDRESSING}}}Action") == (
            "http://schemas.xmlsoap.org/ws/2004/08/eventing/Subscribe"
        )
        options = {item.get("Name"): item.text for item in root.iter(f"{{{soap.WSMAN}}}Option")}
        assert options == {"ContentFormat": "Raw", "ReadExistingEvents": "true"}
        (delivery,) = root.iter(f"{{{soap.EVENTING}}}Delivery")
        assert delivery.get("Mode") == "http://schemas.dmtf.org/wbem/wsman/1/wsman/Pull"
        (chosen,) = root.iter(f"{{{soap.WSMAN}}}Filter")
        assert chosen.get("Dialect") == "http://schemas.microsoft.com/win/2004/08/events/eventquery"
        assert [(item.get("Path"), item.text) for item in chosen.iter("Select")] == [
            (
                "Application",
                (
                    "*[System[Provider[@Name='PCNSSVC'] and (EventID=2100 or EventID=2201) and "
                    "TimeCreated[@SystemTime>='2026-11-22T10:00:00.005Z']]]"
                ),
            ),
            ("System", "*[System[Provider[@Name='Microsoft-Windows-Kernel-General'] and (EventID=12)]]"),
            ("Security", "*"),
        ]

    def test_many_identifiers_are_spread_over_selects(self) -> None:
        root = ET.fromstring(eventlog.query_list([eventlog.EventQuery("System", event_ids=tuple(range(40)))]))
        texts = [item.text or "" for item in root.iter("Select")]
        assert len(texts) == 3
        assert sum(text.count("EventID=") for text in texts) == 40

    @pytest.mark.parametrize(
        "query",
        [eventlog.EventQuery("A", "it's"), eventlog.EventQuery("A", since=datetime(2026, 1, 1))],
    )
    def test_what_cannot_be_written_is_refused(self, query: eventlog.EventQuery) -> None:
        with pytest.raises(ValueError, match=r"quoted|zone"):
            eventlog.subscribe_request([query])

    def test_unsubscribe_names_the_subscription_in_a_header(self) -> None:
        root = ET.fromstring(eventlog.unsubscribe_request("885E"))
        assert root.findtext(f"{{{soap.SOAP}}}Header/{{{soap.EVENTING}}}Identifier") == "885E"
        assert root.find(f"{{{soap.SOAP}}}Body/{{{soap.EVENTING}}}Unsubscribe") is not None
