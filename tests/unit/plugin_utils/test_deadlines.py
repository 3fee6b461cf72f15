# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything ends: hosts that trickle, that say `later` for ever, and whose answers have no end."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    ConnectionLost,
    DeadlineExceeded,
    Excess,
    HostError,
    OutcomeUnknown,
    UnreadableOutput,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._eventlog import EventQuery
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._answer_limit import (
    AnswerExcess,
    AnswerLimit,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._connection_settings import (
    ConnectionSettings,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host import _events, _wmi
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._deadline import Deadline
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._wsman import REQUEST_DEADLINE, Wsman
from ansible_collections.entsso.password_sync.tests.unit.lab.endpoint_kit import new_address, serving
from ansible_collections.entsso.password_sync.tests.unit.plugin_utils.exchange_kit import KINDS
from ansible_collections.entsso.password_sync.tests.unit.plugin_utils.fault_kit import (
    OPERATING_SYSTEM,
    NamedMachine,
    many_services,
    opened,
    start,
)
from ansible_collections.entsso.password_sync.tests.unit.plugin_utils.scripted import (
    NOTHING,
    TIMED_OUT,
    Clock,
    ScriptedExchange,
    Step,
    events,
    fault,
    page,
    subscribed,
)
from lab.endpoint import EndpointSettings


class SlowExchange(ScriptedExchange):
    """Takes its time for every answer, by a clock of its own."""

    def __init__(self, clock: Clock, seconds: float, *steps: Step) -> None:
        super().__init__(*steps)
        self._clock = clock
        self._seconds = seconds

    def exchange(self, body: bytes) -> tuple[int, bytes]:
        self._clock.now += self._seconds
        return super().exchange(body)


def _slow_host(seconds: float, *steps: Step) -> tuple[Host, SlowExchange]:
    clock = Clock()
    exchange = SlowExchange(clock, seconds, *steps)
    return Host("dc01", exchange, sleep=clock.sleep, clock=clock), exchange


class TestByTheClock:
    def test_a_deadline(self) -> None:
        clock = Clock()
        deadline = Deadline(10, clock)
        assert (deadline.left, deadline.passed) == (10, False)
        clock.sleep(10)
        assert (deadline.left, deadline.passed) == (0, True)
        assert str(deadline.error("dc01", "x", "an answer", "HTTP status 503")) == (
            "x on dc01: an answer had not come after 10 seconds; the last thing seen was HTTP status 503. "
            "Look what keeps the host or the network to it busy, and run again."
        )

    @pytest.mark.parametrize("answer", [(503, b""), fault(170, "In use."), fault(2150859174, "Too many.")])
    def test_a_request_is_not_repeated_beyond_its_deadline(self, answer: tuple[int, bytes]) -> None:
        clock = Clock()
        exchange = SlowExchange(clock, 70, *[Step("", answer)] * 3)
        client = Wsman(exchange, "dc01", sleep=clock.sleep, clock=clock)
        seen = "HTTP status 503" if answer[0] == 503 else "fault "
        with pytest.raises(
            DeadlineExceeded, match=f"after {REQUEST_DEADLINE:g} seconds; the last thing seen was {seen}"
        ):
            client.read(b"<a:Action>x</a:Action>", "x")
        assert exchange.done()

    @pytest.mark.parametrize(
        ("answer", "seen"),
        [
            (ConnectionLost("reset by peer"), "a broken connection .reset by peer"),
            ((400, b""), "HTTP status 400"),
        ],
    )
    def test_a_lost_connection_is_not_recovered_beyond_the_deadline(
        self, answer: tuple[int, bytes] | Exception, seen: str
    ) -> None:
        clock = Clock()
        exchange = SlowExchange(clock, REQUEST_DEADLINE, Step("", answer))
        client = Wsman(exchange, "dc01", sleep=clock.sleep, clock=clock)
        with pytest.raises(DeadlineExceeded, match=f"an answer had not come after .*; the last thing seen was {seen}"):
            client.read(b"<a:Action>x</a:Action>", "x")
        assert exchange.done()

    def test_a_query_that_goes_on_and_on(self) -> None:
        pulls = [Step("/Pull", page([{"A": 1}], f"c{number}")) for number in range(20)]
        host, exchange = _slow_host(
            20, Step("/Enumerate", page([{"A": 1}], "c", first=True)), *pulls[:14], Step("/Release", NOTHING)
        )
        with pytest.raises(DeadlineExceeded, match=r"end of the answer had not come after 300 seconds.*was row 15"):
            host.wmi.query("SELECT A FROM B")
        assert exchange.done()

    def test_events_that_go_on_and_on(self) -> None:
        pulls = [Step("/Pull", events(1, context=f"c{number}")) for number in range(14)]
        host, exchange = _slow_host(20, Step("/Subscribe", subscribed()), *pulls, Step("/Unsubscribe", NOTHING))
        with pytest.raises(DeadlineExceeded, match="event log on dc01: the end of the events had not come after 300"):
            host.events.read([EventQuery("System")])
        assert exchange.done()

    def test_a_query_that_has_too_much(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_wmi, "MAX_ROWS", 3)
        first = Step("/Enumerate", page([{"A": 1}] * 2, "c", first=True))
        host, exchange = _slow_host(0, first, Step("/Pull", page([{"A": 1}] * 2, "d")), Step("/Release", NOTHING))
        with pytest.raises(UnreadableOutput, match="does not end after 4 rows"):
            host.wmi.query("SELECT A FROM B")
        assert exchange.done()

    def test_events_that_are_too_many(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_events, "MAX_BYTES", 100)
        host, exchange = _slow_host(
            0, Step("/Subscribe", subscribed()), Step("/Pull", events(1, 2)), Step("/Unsubscribe", NOTHING)
        )
        with pytest.raises(UnreadableOutput, match="more than 2 events match"):
            host.events.read([EventQuery("System")])
        assert exchange.done()

    @pytest.mark.parametrize("kind", ["read", "write"])
    def test_a_time_out_fault_is_asked_for_once(self, kind: str) -> None:
        host, exchange = _slow_host(60, Step("", TIMED_OUT))
        with pytest.raises(DeadlineExceeded if kind == "read" else OutcomeUnknown, match="operation time-out"):
            host.wmi.invoke("C", "M", read_only=kind == "read")
        assert exchange.done()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers must be complete within 0.2 seconds."""
    monkeypatch.setattr(ConnectionSettings, "answer_limit", 0.2)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("kind", KINDS)
class TestOverTheWire:
    def test_a_host_that_trickles(self, kind: str, tmp_path: Path) -> None:
        machine = NamedMachine()
        with serving(machine) as endpoint, opened(kind, endpoint.address, tmp_path) as host:
            host.wmi.get(OPERATING_SYSTEM)
            endpoint.faults.trickle(0.02)
            with pytest.raises(DeadlineExceeded) as caught, _within(2):
                host.wmi.get(OPERATING_SYSTEM)
            assert str(caught.value).startswith(
                "Win32_OperatingSystem on dc01: 0.2 seconds after the request its answer was not complete; "
            )
            assert "bytes had come. Look what keeps" in str(caught.value)
            assert host.wmi.get(OPERATING_SYSTEM) is not None
            endpoint.faults.trickle(0.02, action="/StartService")
            with pytest.raises(OutcomeUnknown, match=r"connection broke .*answer was not complete"), _within(2):
                start(host)
            assert len(machine.invoked) == 1
            assert host.wmi.get(OPERATING_SYSTEM) is not None

    def test_a_part_that_trickles(self, kind: str, tmp_path: Path) -> None:
        machine = NamedMachine(services=many_services(300))
        settings = EndpointSettings(max_envelope_size=16_000)
        with serving(machine, settings=settings) as endpoint, opened(kind, endpoint.address, tmp_path) as host:
            endpoint.faults.trickle(0.02, action="/Pull", times=None)
            with pytest.raises(DeadlineExceeded, match=r"WQL query .*was not complete"), _within(2):
                host.wmi.query("SELECT Name FROM Win32_Service")

    def test_a_handshake_that_trickles(self, kind: str, tmp_path: Path) -> None:
        slow = b"HTTP/1.1 401 \r\nWWW-Authenticate: Negotiate\r\nX: " + b"x" * 500
        with _drip(slow) as place:
            address, port = place
            with (
                opened(kind, address, tmp_path, ansible_port=port, scheme="http") as host,
                pytest.raises(HostError, match="was not complete"),
                _within(2),
            ):
                host.wmi.get(OPERATING_SYSTEM)


class TestAnswerLimit:
    def test_a_packed_answer_is_left_as_it_is(self) -> None:
        bomb = gzip.compress(bytes(8_000_000))
        head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
        with _drip(head, bomb) as (address, port), _session(AnswerLimit(5)) as session:
            assert session.get(f"http://{address}:{port}").content == bomb

    def test_an_answer_without_end(self) -> None:
        head = b"HTTP/1.1 200 OK\r\n\r\n"
        with (
            _drip(head, bytes(300_000)) as (address, port),
            _session(AnswerLimit(5, 100_000)) as session,
            pytest.raises(requests.RequestException, match="more than the 100,000 bytes"),
        ):
            session.get(f"http://{address}:{port}")

    def test_a_read_time_out_stays_one(self) -> None:
        with (
            socket.create_server(("127.0.0.1", 0)) as listener,
            _session(AnswerLimit(5)) as session,
            pytest.raises(requests.ReadTimeout),
        ):
            session.get(f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=0.1)

    def test_the_limit_begins_anew(self) -> None:
        clock = Clock()
        limit = AnswerLimit(10, 100, clock=clock)
        limit.count(90)
        clock.sleep(9)
        limit.begin()
        limit.count(100)
        assert limit.left == 10
        with pytest.raises(AnswerExcess) as caught:
            limit.count(1)
        assert caught.value.excess is Excess.SIZE
        assert limit.late().excess is Excess.TIME

    def test_through_a_proxy(self) -> None:
        with _drip(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 500) as (address, port), _session(AnswerLimit(0.2)) as session:
            session.proxies = {"http": f"http://{address}:{port}"}
            with pytest.raises(requests.RequestException, match="was not complete"), _within(2):
                session.get(f"http://{new_address()}/wsman")


@contextlib.contextmanager
def _session(limit: AnswerLimit) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        limit.bind(session)
        yield session


@contextlib.contextmanager
def _within(seconds: float) -> Iterator[None]:
    began = time.monotonic()
    try:
        yield
    finally:
        assert time.monotonic() - began < seconds


@contextlib.contextmanager
def _drip(slow: bytes, fast: bytes = b"") -> Iterator[tuple[str, int]]:
    """Answers any connection: byte by byte, or at once where something follows."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    accepted, _peer = listener.accept()
                    with accepted, contextlib.suppress(OSError):
                        accepted.recv(10_000)
                        if fast:
                            accepted.sendall(slow + fast)
                            continue
                        for position in range(len(slow)):
                            accepted.sendall(slow[position : position + 1])
                            time.sleep(0.02)

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[:2]
        listener.shutdown(socket.SHUT_RDWR)
