# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading event logs over a scripted exchange."""

from __future__ import annotations

import pytest

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    ConnectionLost,
    DeadlineExceeded,
    HostUnreachable,
    UnreadableOutput,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._eventlog import EventQuery
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._events import EventReading
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host
from ansible_collections.entsso.password_sync.tests.unit.plugin_utils.scripted import (
    NOTHING,
    TIMED_OUT,
    ScriptedExchange,
    Step,
    events,
    fault,
    subscribed,
)

SYSTEM = EventQuery("System", event_ids=(1, 2))
SECURITY = EventQuery("Security", event_ids=(4614,))
LOST = ConnectionLost("reset by peer")


def _read(queries: list[EventQuery], *steps: Step) -> tuple[EventReading, ScriptedExchange]:
    exchange = ScriptedExchange(*steps)
    return Host("dc01", exchange).events.read(queries), exchange


@pytest.mark.parametrize("end", [events(context="c9"), TIMED_OUT])
def test_one_subscription_for_all_channels(end: tuple[int, bytes]) -> None:
    reading, exchange = _read(
        [SYSTEM, SECURITY],
        Step("/Subscribe", subscribed(), ('Path="System"', 'Path="Security"')),
        Step("/Pull", events(1, 2, context="c1"), ("EnumerationContext>c0<", "PT2.000S")),
        Step("/Pull", end, ("EnumerationContext>c1<",)),
        Step("/Unsubscribe", NOTHING, ("<e:Identifier>S<",)),
    )
    assert [event.event_id for event in reading.events] == [1, 2]
    assert reading.unreadable == {}
    assert exchange.done()


def test_a_channel_that_can_not_be_read_is_named_and_the_others_are_read() -> None:
    reading, exchange = _read(
        [SYSTEM, SECURITY],
        Step("/Subscribe", fault(5, "Access is denied.")),
        Step("/Subscribe", subscribed(), ('Path="System"',)),
        Step("/Pull", events(1)),
        Step("/Pull", TIMED_OUT),
        Step("/Unsubscribe", NOTHING),
        Step("/Subscribe", fault(5, "Access is denied."), ('Path="Security"',)),
    )
    assert [event.event_id for event in reading.events] == [1]
    assert reading.unreadable == {"Security": "access was denied (Access is denied)"}
    assert exchange.done()


def test_a_missing_channel_is_unreadable_with_its_number() -> None:
    reading, _exchange = _read([SECURITY], Step("/Subscribe", fault(15007, "The channel could not be found.")))
    assert "fault 15007" in reading.unreadable["Security"]


def test_a_host_that_is_too_slow_to_subscribe_is_no_empty_log() -> None:
    with pytest.raises(DeadlineExceeded):
        _read([SYSTEM], Step("/Subscribe", TIMED_OUT))


def test_a_lost_pull_starts_again() -> None:
    reading, exchange = _read(
        [SYSTEM],
        Step("/Subscribe", subscribed()),
        Step("/Pull", events(1)),
        Step("/Pull", LOST),
        Step("/Unsubscribe", NOTHING),
        Step("/Subscribe", subscribed("T", "d0")),
        Step("/Pull", events(1), ("EnumerationContext>d0<",)),
        Step("/Pull", events()),
        Step("/Unsubscribe", fault(5)),
    )
    assert [event.event_id for event in reading.events] == [1]
    assert exchange.done()


def test_a_second_loss_is_the_end() -> None:
    with pytest.raises(HostUnreachable, match="broke twice"):
        _read([SYSTEM], *[Step("/Subscribe", LOST)] * 2)


def test_too_many_events_are_no_partial_result() -> None:
    pulls = [Step("/Pull", events(1))] * 1000
    with pytest.raises(UnreadableOutput, match="more than 1000 events"):
        _read([SYSTEM], Step("/Subscribe", subscribed()), *pulls, Step("/Unsubscribe", NOTHING))


def test_nothing_wanted_asks_nothing() -> None:
    assert _read([])[0] == EventReading((), {})
