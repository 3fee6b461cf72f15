# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Event log subscriptions in pull mode."""

from __future__ import annotations

import threading
import time
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from xml.sax.saxutils import escape

import pytest
from unit.lab.endpoint_kit import (
    EVENT_LOG,
    EVENTING,
    NS,
    RECORDINGS,
    Machine,
    message,
    needs_recordings,
    pull_message,
    pywinrm,
    refused,
    send,
    serving,
    shape,
)
from winrm.protocol import Protocol

from lab.backend import ChannelUnreadable, EventRecord
from lab.endpoint import EndpointSettings
from lab.endpoint.event_node import event_node
from lab.endpoint.event_xpath import XPathError, compile_xpath

BEGIN = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)  # an hour before the clock of the machine


def record(
    number: int,
    event_id: int,
    provider: str = "PCNSSVC",
    channel: str = "Application",
    data: tuple[tuple[str | None, str], ...] | None = None,
) -> EventRecord:
    """One event, a minute after the one before."""
    moment = BEGIN + timedelta(minutes=number)
    texts = data or ((None, f"text {number} & <more>"),)
    return EventRecord(provider, event_id, 4, number, moment, channel, "DC01.corp.example", texts)


def machine_with_events() -> Machine:
    """An application log, a system log, and a security log that can't be read."""
    return Machine(
        channels={
            "Application": [record(1, 2100), record(2, 4003), record(3, 1040, "MsiInstaller"), record(4, 2100)],
            "System": [record(1, 7036, "Service Control Manager", "System", data=(("param1", "PCNS"),))],
            "Security": ChannelUnreadable("Access is denied. ", 5),
        }
    )


def subscribe_message(
    selects: dict[str, str], *, options: dict[str, str] | None = None, extra: str = "", mode: str = "Pull"
) -> str:
    """Write a Subscribe."""
    chosen = {"ReadExistingEvents": "true", "ContentFormat": "Raw"} if options is None else options
    set_ = "".join(f'<m:Option Name="{name}">{value}</m:Option>' for name, value in chosen.items())
    parts = "".join(f'<Select Path="{path}">{escape(xpath)}</Select>' for path, xpath in selects.items())
    body = (
        f'<v:Subscribe xmlns:v="{EVENTING}"><v:Delivery Mode="http://schemas.dmtf.org/wbem/wsman/1/wsman/{mode}"/>'
        '<m:Filter Dialect="http://schemas.microsoft.com/win/2004/08/events/eventquery">'
        f'<QueryList><Query Id="0">{parts}</Query></QueryList></m:Filter>{extra}</v:Subscribe>'
    )
    return message(f"{EVENTING}/Subscribe", EVENT_LOG, body, header=f"<m:OptionSet>{set_}</m:OptionSet>")


def pull_all(client: Protocol, body: ET.Element, most: int = 100) -> list[tuple[str, str]]:
    """Pull until Items is empty; return channel and record number of every event."""
    found: list[tuple[str, str]] = []
    while True:
        body = send(client, pull_message(context_of(body), resource=EVENT_LOG, most=most))
        events = body.findall(".//ev:Event", NS)
        if not events:
            return found
        found += [
            (event.findtext("ev:System/ev:Channel", "", NS), event.findtext("ev:System/ev:EventRecordID", "", NS))
            for event in events
        ]


def context_of(body: ET.Element) -> str:
    """Return the newest context."""
    return body.findtext(".//n:EnumerationContext", "", NS)


def test_existing_events_of_several_channels_come_in_order_of_time() -> None:
    selects = {"Application": "*[System[Provider[@Name='PCNSSVC'] and (EventID=2100 or EventID=4003)]]", "System": "*"}
    with serving(machine_with_events()) as endpoint:
        client = pywinrm(endpoint.address)
        found = pull_all(client, send(client, subscribe_message(selects)))
        assert found == [("Application", "1"), ("System", "1"), ("Application", "2"), ("Application", "4")]
        assert endpoint.statistics.requests == 3
        assert endpoint.statistics.processes_started == 0


@needs_recordings
def test_the_conversation_has_the_recorded_shape() -> None:
    selects = {"Application": "*[System[EventRecordID=1]]"}
    request = subscribe_message(
        selects, options={"ReadExistingEvents": "true", "ContentFormat": "RenderedText"}, extra="<m:SendBookmarks/>"
    )
    with serving(machine_with_events()) as endpoint:
        client = pywinrm(endpoint.address)
        answers = [ET.fromstring(client.transport.send_message(request))]
        for _pull in range(2):
            pull = pull_message(context_of(answers[-1]), resource=EVENT_LOG)
            answers.append(ET.fromstring(client.transport.send_message(pull)))
    names = ("subscribe_resp.xml", "pull_resp_01.xml", "pull_resp_02.xml")
    for answer, name in zip(answers, names, strict=True):
        recorded = ET.parse(RECORDINGS / "eventlog" / name).getroot()
        for root in (answer, recorded):  # the lab has no message files and no user of an event
            for event in root.iter(f"{{{NS['ev']}}}Event"):
                for element in event.iter():
                    if element.tag.endswith(("}RenderingInfo", "}Security")):
                        element.clear()
        assert shape(answer) == shape(recorded)


def test_each_pull_voids_the_context_before() -> None:
    with serving(machine_with_events()) as endpoint:
        client = pywinrm(endpoint.address)
        first = context_of(send(client, subscribe_message({"Application": "*"})))
        second = context_of(send(client, pull_message(first, resource=EVENT_LOG, most=1)))
        assert second != first
        assert refused(client, pull_message(first, resource=EVENT_LOG)).code == 2150858779
        assert len(send(client, pull_message(second, resource=EVENT_LOG, most=1)).findall(".//ev:Event", NS)) == 1


def test_only_new_events_come_without_read_existing() -> None:
    machine = machine_with_events()
    with serving(machine) as endpoint:
        client = pywinrm(endpoint.address)
        body = send(client, subscribe_message({"Application": "*"}, options={}))
        application = machine.channels["Application"]
        assert isinstance(application, list)
        application.append(record(5, 2100))
        assert pull_all(client, body) == [("Application", "5")]


def test_pulls_are_cut_by_count_and_by_size() -> None:
    machine = Machine(channels={"Application": [record(number, 2100) for number in range(1, 41)]})
    with serving(machine) as endpoint:
        client = pywinrm(endpoint.address)
        wanted = [("Application", str(number)) for number in range(1, 41)]
        assert pull_all(client, send(client, subscribe_message({"Application": "*"})), most=7) == wanted
        body = send(client, subscribe_message({"Application": "*"}))
        answer = client.transport.send_message(pull_message(context_of(body), resource=EVENT_LOG, size=16384))
        assert len(answer) < 8192
        assert 5 < len(ET.fromstring(answer).findall(".//ev:Event", NS)) < 40


def test_a_bookmark_continues_where_the_last_read_ended() -> None:
    with serving(machine_with_events()) as endpoint:
        client = pywinrm(endpoint.address)
        body = send(client, subscribe_message({"Application": "*"}, extra="<m:SendBookmarks/>"))
        answer = ET.fromstring(
            client.transport.send_message(pull_message(context_of(body), resource=EVENT_LOG, most=2))
        )
        marks = answer.find("s:Header/w:Bookmark/BookmarkList", NS)
        assert marks is not None
        extra = f"<m:Bookmark>{ET.tostring(marks).decode()}</m:Bookmark>"
        body = send(client, subscribe_message({"Application": "*"}, options={}, extra=extra))
        assert pull_all(client, body) == [("Application", "3"), ("Application", "4")]


def test_an_unreadable_channel_fails_the_subscription_unless_told_otherwise() -> None:
    selects = {"Application": "*", "Security": "*", "Nothing": "*"}
    with serving(machine_with_events()) as endpoint:
        client = pywinrm(endpoint.address)
        fault = refused(client, subscribe_message(selects))
        assert (fault.code, fault.subcode, fault.text) == (5, "w:AccessDenied", "Access is denied. ")
        tolerant = {"ReadExistingEvents": "true", "IgnoreChannelError": ""}
        assert len(pull_all(client, send(client, subscribe_message(selects, options=tolerant)))) == 4
        assert refused(client, subscribe_message({"Nothing": "*"}, options=tolerant)).code == 15007


def test_unsubscribe_ends_a_subscription() -> None:
    with serving(machine_with_events()) as endpoint:
        client = pywinrm(endpoint.address)
        body = send(client, subscribe_message({"Application": "*"}))
        identifier = body.findtext(".//e:Identifier", "", NS)
        assert endpoint.open_subscriptions == 1
        header = f'<v:Identifier xmlns:v="{EVENTING}">{identifier}</v:Identifier>'
        send(client, message(f"{EVENTING}/Unsubscribe", EVENT_LOG, header=header))
        assert endpoint.open_subscriptions == 0
        assert refused(client, pull_message(context_of(body), resource=EVENT_LOG)).code == 2150858779


def test_the_end_can_be_a_time_out() -> None:
    """wsman.md 1.12: both ends are seen; a client must take either."""
    settings = EndpointSettings(event_end_is_timeout=True, event_wait=0.2)
    with serving(machine_with_events(), settings=settings) as endpoint:
        client = pywinrm(endpoint.address)
        body = send(client, subscribe_message({"System": "*"}))
        body = send(client, pull_message(context_of(body), resource=EVENT_LOG))
        pull = pull_message(context_of(body), resource=EVENT_LOG)
        assert refused(client, pull).code == 2150858793
        assert refused(client, pull).code == 2150858793  # the context is still good


def test_a_pull_can_wait_for_an_event() -> None:
    machine = machine_with_events()
    with serving(machine, settings=EndpointSettings(event_wait=5)) as endpoint:
        client = pywinrm(endpoint.address)
        body = send(client, subscribe_message({"Application": "*"}, options={}))
        application = machine.channels["Application"]
        assert isinstance(application, list)
        threading.Timer(0.2, application.append, [record(5, 2100)]).start()
        began = time.monotonic()
        body = send(client, pull_message(context_of(body), resource=EVENT_LOG))
        assert len(body.findall(".//ev:Event", NS)) == 1
        assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (subscribe_message({"Application": "*"}, mode="Events"), 2150858782),
        (subscribe_message({"Application": "*[System[EventID="}), 2150858786),
        (subscribe_message({}), 2150858786),
        (subscribe_message({"Application": "*"}).replace("eventquery", "else"), 2150858786),
        (subscribe_message({"Application": "*"}, extra="<m:Bookmark><x/></m:Bookmark>"), 2150858808),
    ],
)
def test_what_is_refused(text: str, code: int) -> None:
    with serving(machine_with_events()) as endpoint:
        assert refused(pywinrm(endpoint.address), text).code == code


@pytest.mark.parametrize(
    ("xpath", "expected"),
    [
        ("*", True),
        ("*[System]", True),
        ("*[System[EventID=2100]]", True),
        ("*[System[(EventID=1 or EventID=2)]]", False),
        ("*[System[(EventID >= 2000 and EventID <= 2999) and Level=4]]", True),
        ("*[System[Provider[@Name='PCNSSVC' or @Name='MsiInstaller']]]", True),
        ("*[System[Provider[@Name='Else']]]", False),
        ("*[System[not(Provider[@Name='Else'])]]", True),
        ("*[System[TimeCreated[@SystemTime>='2026-11-22T09:01:00.000Z']]]", True),
        ("*[System[TimeCreated[@SystemTime>'2026-11-22T09:01:00.000000000Z']]]", False),
        ("*[System[TimeCreated[@SystemTime>='2026-11-22T09:00:30Z' and @SystemTime<='2026-11-22T09:02:00Z']]]", True),
        ("*[System[TimeCreated[timediff(@SystemTime) <= 3600000]]]", True),
        ("*[System[TimeCreated[timediff(@SystemTime) <= 60000]]]", False),
        ("Event/System/EventID=2100", True),
        ("*[EventData[Data='value']]", True),
        ("*[EventData[Data[@Name='user']='value']]", True),
        ("*[EventData[Data[@Name='other']='value']]", False),
        ("*[System[EventID=2100] and EventData[Data[@Name='user']]]", True),
        ("*[System[Channel!='Application']]", False),
    ],
)
def test_event_queries(xpath: str, expected: bool) -> None:
    event = event_node(record(1, 2100, data=(("user", "value"),)))
    test = compile_xpath(xpath, lambda: BEGIN + timedelta(hours=1))
    assert test(event) is expected


@pytest.mark.parametrize("xpath", ["", "*[", "*[System[EventID=]]", "*]", "*[nope(x)]", "*[System[@=1]]", "a b", "#"])
def test_what_is_no_event_query(xpath: str) -> None:
    with pytest.raises(XPathError):
        compile_xpath(xpath, lambda: BEGIN)
