# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a request is repeated, and what each broken answer becomes."""

from __future__ import annotations

import pytest

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    AccessDenied,
    AuthenticationRejected,
    ConnectionLost,
    EnvelopeTooLarge,
    HostError,
    HostUnreachable,
    NotWindows,
    OutcomeUnknown,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._soap import envelope
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._wsman import Repeat, Wsman
from ansible_collections.entsso.password_sync.tests.unit.plugin_utils.scripted import Clock, ScriptedExchange, Step, ok

REQUEST = envelope("urn:x/Get", "urn:r")
GOOD = ok("<x/>")
LOST = ConnectionLost("reset by peer")
KEEP_ALIVE_GONE = (400, b"")


def _client(*answers: tuple[int, bytes] | Exception) -> tuple[Wsman, ScriptedExchange, Clock]:
    exchange, clock = ScriptedExchange(*(Step("/Get", answer) for answer in answers)), Clock()
    return Wsman(exchange, "dc01", sleep=clock.sleep), exchange, clock


@pytest.mark.parametrize("trouble", [KEEP_ALIVE_GONE, LOST])
def test_a_read_recovers_once(trouble: tuple[int, bytes] | Exception) -> None:
    client, exchange, _clock = _client(trouble, GOOD)
    assert client.read(REQUEST, "x") == GOOD[1]
    assert exchange.resets == 1
    assert client.statistics.requests == 2
    assert client.statistics.bytes_sent == 2 * len(REQUEST)
    assert client.statistics.bytes_received == len(GOOD[1])
    assert not client.broken


@pytest.mark.parametrize("trouble", [KEEP_ALIVE_GONE, LOST])
def test_a_read_recovers_only_once(trouble: tuple[int, bytes] | Exception) -> None:
    client, exchange, _clock = _client(trouble, trouble)
    with pytest.raises(HostUnreachable):
        client.read(REQUEST, "x")
    assert exchange.done()


def test_a_write_is_repeated_after_the_host_could_not_read_it() -> None:
    client, exchange, _clock = _client(KEEP_ALIVE_GONE, GOOD)
    assert client.write(REQUEST, "x") == GOOD[1]
    assert exchange.resets == 1


@pytest.mark.parametrize("trouble", [LOST, (500, b""), (502, b"<html/>"), (503, b"")])
def test_a_write_is_not_repeated_when_it_may_have_run(trouble: tuple[int, bytes] | Exception) -> None:
    client, exchange, _clock = _client(trouble)
    with pytest.raises(OutcomeUnknown, match="x on dc01: it is not known whether the change took place"):
        client.write(REQUEST, "x")
    assert exchange.done()


def test_a_write_that_never_left_has_a_known_outcome() -> None:
    client, exchange, _clock = _client(ConnectionLost("connection refused", sent=False))
    with pytest.raises(HostUnreachable, match="connection refused"):
        client.write(REQUEST, "x")
    assert client.statistics.requests == 0
    assert exchange.resets == 1
    assert client.broken


def test_what_must_not_be_repeated_is_told_to_the_caller() -> None:
    client, exchange, _clock = _client(LOST)
    with pytest.raises(ConnectionLost):
        client.read(REQUEST, "x", Repeat.NEVER)
    assert exchange.resets == 1


def test_a_starting_service_is_waited_for() -> None:
    client, _exchange, clock = _client((503, b""), (503, b"busy"), GOOD)
    assert client.read(REQUEST, "x") == GOOD[1]
    assert clock.slept == [1.0, 2.0]


def test_a_service_that_does_not_start_is_named() -> None:
    client, _exchange, _clock = _client(*[(503, b"")] * 4)
    with pytest.raises(HostUnreachable, match="not available"):
        client.read(REQUEST, "x")


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"<html>hello</html>", NotWindows),
        (404, b"", NotWindows),
        (501, b"", NotWindows),
        (401, b"", AuthenticationRejected),
        (403, b"", AccessDenied),
        (413, b"", EnvelopeTooLarge),
    ],
)
def test_kinds_of_answers(status: int, body: bytes, kind: type[HostError]) -> None:
    client, _exchange, _clock = _client((status, body))
    with pytest.raises(kind):
        client.read(REQUEST, "x")


def test_faults_are_handed_on() -> None:
    for status in (200, 400, 500):
        client, _exchange, _clock = _client((status, GOOD[1]))
        assert client.read(REQUEST, "x") == GOOD[1]
