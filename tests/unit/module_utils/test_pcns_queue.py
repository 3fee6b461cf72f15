# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the events of PCNSSVC prove about a queue: nothing less than that nothing waits counts as proved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entsso.password_sync.plugins.module_utils._pcns_queue import (
    QueueState,
    Waiting,
    judge_queue,
    unproved,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._eventlog import Event

START = datetime(2026, 11, 20, 2, 10, tzinfo=UTC)
ONE, TWO, USER = (f"{digit * 8}-1111-4111-8111-111111111111" for digit in "123")


def events(*described: tuple[int, *tuple[str, ...]]) -> list[Event]:
    return [
        Event("Application", "PCNSSVC", number, 4, index, START + timedelta(seconds=index), "dc01", tuple(data))
        for index, (number, *data) in enumerate(described, start=1)
    ]


def judged(*described: tuple[int, *tuple[str, ...]], level: int = 1, restarted: bool = False) -> tuple[Waiting, str]:
    found = events(*described)
    return judge_queue(
        "ENTSSO", found, event_log_level=level, started_by_us=found[0].time if restarted and found else None
    )


EMPTY: tuple[int, *tuple[str, ...]] = (2004, "0", "0", "0", "0")


@pytest.mark.parametrize(
    ("described", "level", "restarted", "waiting", "evidence"),
    [
        ([], 3, False, Waiting.UNKNOWN, "no event tells what the service found"),
        ([(2003,)], 1, True, Waiting.NONE, "event 2003 of 2026-11-20T02:10:01Z), which was just now"),
        ([EMPTY], 1, True, Waiting.NONE, "was empty when the service started (event 2004"),
        ([EMPTY], 3, False, Waiting.NONE, "every change since has been delivered"),
        ([EMPTY], 2, False, Waiting.UNKNOWN, "is not logged at event log level 2"),
        ([(2004, "3", "0", "0", "3")], 3, True, Waiting.SOME, "3 waited when the service started"),
        ([(2004, "3", "0", "0", "3"), (2100, ONE, USER)], 3, False, Waiting.UNKNOWN, "how many have been delivered"),
        ([(2004, "what is this")], 3, True, Waiting.UNKNOWN, "does not tell how many changes wait"),
        ([(2004, "1 read, 0 expired, 0 have no targets, 0 queued")], 1, True, Waiting.NONE, "was empty"),
        ([EMPTY, (6001, "saved")], 3, False, Waiting.UNKNOWN, "event 6001"),
        ([EMPTY, (2201, ONE, USER, "CORP\\a")], 3, False, Waiting.SOME, "event 2201"),
        ([EMPTY, (2201, ONE, USER), (2100, TWO, USER)], 3, False, Waiting.SOME, "event 2201"),
        ([EMPTY, (2201, ONE, USER), (2100, ONE, USER)], 3, False, Waiting.NONE, "delivered"),
        ([EMPTY, (2201, ONE, USER), (2303, ONE, USER)], 3, False, Waiting.NONE, "delivered"),
        ([EMPTY, (4003, "1", ONE, USER, "CORP\\a", "ENTSSO", "1")], 3, True, Waiting.SOME, "event 4003"),
        ([EMPTY, (4003, "1", ONE, USER, "CORP\\a", "Other", "1")], 3, True, Waiting.NONE, "just now"),
        ([EMPTY, (4003, "1", ONE, USER, "a", "ENTSSO", "1"), (2100, ONE, USER)], 3, False, Waiting.NONE, "empty"),
        ([EMPTY, (4005, "ENTSSO"), (2005, "ENTSSO")], 3, False, Waiting.NONE, "empty"),
        ([EMPTY, (4005, "ENTSSO")], 3, False, Waiting.SOME, "event 4005"),
        ([EMPTY, (4100, ONE, USER)], 1, True, Waiting.SOME, "event 4100"),
        ([EMPTY, (6025, "ENTSSO", "clock")], 3, True, Waiting.SOME, "event 6025"),
    ],
)
def test_what_events_prove(
    described: list[tuple[int, *tuple[str, ...]]], level: int, restarted: bool, waiting: Waiting, evidence: str
) -> None:
    answer = judged(*described, level=level, restarted=restarted)
    assert answer[0] is waiting
    assert evidence in answer[1]


def test_an_older_start_is_no_answer_to_a_restart() -> None:
    later = START + timedelta(minutes=5)
    answer = judge_queue("ENTSSO", events(EMPTY), event_log_level=3, started_by_us=later)
    assert answer == (Waiting.UNKNOWN, "the service was restarted and has not told yet what it found in its queue")


_KINDS = st.sampled_from([2003, 2004, 6001, 2005, 2100, 2201, 2303, 4003, 4004, 4005, 4100, 6025, 6027])
_DATA = st.lists(st.sampled_from([ONE, TWO, USER, "ENTSSO", "Other", "0", "2", "CORP\\a", ""]), max_size=5)


@given(st.lists(st.tuples(_KINDS, _DATA), max_size=12), st.integers(0, 3), st.booleans())
def test_proved_means_an_empty_start_and_nothing_open(
    described: list[tuple[int, list[str]]], level: int, restarted: bool
) -> None:
    found = events(*[(number, *data) for number, data in described])
    starts = [item for item in found if item.event_id in (2003, 2004, 6001)]
    waiting, evidence = judge_queue(
        "ENTSSO", found, event_log_level=level, started_by_us=starts[-1].time if restarted and starts else None
    )
    assert evidence
    if waiting is Waiting.NONE:
        assert starts
        assert starts[-1].event_id != 6001
        since = [item for item in found if item.record_id > starts[-1].record_id]
        assert restarted or level == 3
        open_ids = [item for item in since if item.event_id == 2201]
        ends = [set(item.data) for item in since if item.event_id in (2100, 2303)]
        ids = [{text for text in item.data if text in (ONE, TWO, USER)} for item in open_ids]
        assert all(any(wanted <= end for end in ends) for wanted in ids)


class TestUnproved:
    def state(self, server: str, waiting: Waiting = Waiting.NONE, minutes: int = 0) -> QueueState:
        stamp = f"{START + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}"
        return QueueState("ENTSSO", server, waiting, "because", stamp)

    def test_every_server_needs_a_fresh_proof(self) -> None:
        states = [self.state("a"), self.state("b", Waiting.SOME), self.state("c", minutes=-31), self.state("e")]
        assert unproved("entsso", ["A", "b", "c", "d"], states, START) == {
            "b": "because",
            "c": "its queue was looked at too long ago, at 2026-11-20T01:39:00Z",
            "d": "nobody looked at its queue",
        }
        assert unproved("Other", ["a"], states, START) == {"a": "nobody looked at its queue"}

    def test_check_mode_trusts_the_restart_to_come(self) -> None:
        assert unproved("ENTSSO", ["a"], [self.state("a", Waiting.AFTER_RESTART)], START) == {}

    def test_through_json(self) -> None:
        state = self.state("a", Waiting.UNKNOWN)
        assert QueueState.from_json(state.to_json()) == state
        with pytest.raises(ValueError, match="it has no server"):
            QueueState.from_json({"target": "ENTSSO"})
        with pytest.raises(ValueError, match="maybe"):
            QueueState.from_json({**state.to_json(), "waiting": "maybe"})
