# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong between a host and us, over real connections: what recovers, what is told, what runs once."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    ConnectionLost,
    EnvelopeTooLarge,
    HostError,
    HostUnreachable,
    OutcomeUnknown,
    QuotaExceeded,
    UnreadableOutput,
    WsmanFault,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.codec import _winrs as winrs
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._eventlog import EventQuery
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host
from ansible_collections.entsso.password_sync.tests.unit.lab.endpoint_kit import EchoProcess, serving
from ansible_collections.entsso.password_sync.tests.unit.plugin_utils.exchange_kit import KINDS
from ansible_collections.entsso.password_sync.tests.unit.plugin_utils.fault_kit import (
    OPERATING_SYSTEM,
    NamedMachine,
    many_services,
    opened,
    start,
)
from lab.endpoint import EndpointSettings
from lab.endpoint.wsman_fault import WMI_ERROR_NAMESPACES, WmiError, WsmanFaultError, fault

ROWS = [f"Service{number}" for number in range(300)]
QUERY = "SELECT Name FROM Win32_Service"
SMALL = EndpointSettings(max_envelope_size=16_000)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Each connection in turn."""
    return str(request.param)


def system(host: Host) -> str:
    """A read; returns the build number."""
    found = host.wmi.get(OPERATING_SYSTEM)
    assert found is not None
    return found.string("BuildNumber")


def names(host: Host) -> list[str]:
    """A read of many parts; returns the names of all services."""
    return [row.string("Name") for row in host.wmi.query(QUERY)]


class TestBrokenConnections:
    def test_half_a_request(self, kind: str, tmp_path: Path) -> None:
        machine = NamedMachine()
        with serving(machine) as endpoint, opened(kind, endpoint.address, tmp_path) as host:
            system(host)
            endpoint.faults.cut_request()
            assert system(host) == "20348"
            endpoint.faults.cut_request()
            with pytest.raises(OutcomeUnknown, match=r"StartService on dc01: it is not known .* connection broke"):
                start(host)
            assert machine.invoked == []
            assert endpoint.faults.pending == 0

    def test_half_an_answer(self, kind: str, tmp_path: Path) -> None:
        machine = NamedMachine()
        with serving(machine) as endpoint, opened(kind, endpoint.address, tmp_path) as host:
            system(host)
            endpoint.faults.cut_answer()
            assert system(host) == "20348"
            endpoint.faults.cut_answer(action="/StartService")
            with pytest.raises(OutcomeUnknown, match="Run again: the next run looks at the host first"):
                start(host)
            assert len(machine.invoked) == 1
            assert endpoint.faults.pending == 0

    def test_a_read_recovers_once_and_no_more(self, kind: str, tmp_path: Path) -> None:
        with serving() as endpoint, opened(kind, endpoint.address, tmp_path) as host:
            endpoint.faults.cut_answer(times=None)
            with pytest.raises(HostUnreachable, match="can't be reached"):
                system(host)
            assert endpoint.statistics.requests == 2

    def test_half_a_part_of_a_long_answer(self, kind: str, tmp_path: Path) -> None:
        machine = NamedMachine(services=many_services(300))
        with serving(machine, settings=SMALL) as endpoint, opened(kind, endpoint.address, tmp_path) as host:
            for inject in (endpoint.faults.cut_answer, endpoint.faults.drop_before, endpoint.faults.close_after):
                inject(2, action="/Pull")
                assert names(host) == ROWS
            assert endpoint.faults.pending == 0

    def test_an_idle_connection_that_the_host_closed(self, kind: str, tmp_path: Path) -> None:
        """HTTP 400 without a body: the host can't read what was sealed for the old connection: writes are repeated."""
        machine = NamedMachine()
        with serving(machine) as endpoint, opened(kind, endpoint.address, tmp_path) as host:
            system(host)
            endpoint.faults.close_after(1)
            system(host)
            assert start(host) == 10
            assert len(machine.invoked) == 1

    def test_401_in_the_middle_of_a_run(self, kind: str, tmp_path: Path) -> None:
        machine = NamedMachine()
        with serving(machine) as endpoint, opened(kind, endpoint.address, tmp_path) as host:
            system(host)
            endpoint.faults.forget_logon()
            assert system(host) == "20348"
            endpoint.faults.forget_logon()
            assert start(host) == 10
            assert len(machine.invoked) == 1
            assert endpoint.statistics.rejected_logons == 0


class TestStatuses:
    def test_a_service_that_starts(self, kind: str, tmp_path: Path) -> None:
        """503 instead of the handshake: nothing was sent, so that a write waits as a read does."""
        machine = NamedMachine()
        with serving(machine) as endpoint, opened(kind, endpoint.address, tmp_path) as host:
            endpoint.faults.answer_status(503, times=2)
            assert system(host) == "20348"
            host.reset()
            endpoint.faults.answer_status(503, times=2)
            assert start(host) == 10
            assert len(machine.invoked) == 1

    @pytest.mark.parametrize("after", [False, True])
    def test_503_to_a_write_says_nothing(self, kind: str, tmp_path: Path, after: bool) -> None:
        machine = NamedMachine()
        with serving(machine) as endpoint, opened(kind, endpoint.address, tmp_path) as host:
            system(host)
            endpoint.faults.refuse(503, action="/StartService", after=after)
            with pytest.raises(OutcomeUnknown, match="HTTP status 503"):
                start(host)
            assert len(machine.invoked) == after
            endpoint.faults.refuse(503, times=3)
            assert system(host) == "20348"

    @pytest.mark.parametrize("status", [425, 429])
    def test_too_early_and_too_many(self, kind: str, tmp_path: Path, status: int) -> None:
        machine = NamedMachine()
        with serving(machine) as endpoint, opened(kind, endpoint.address, tmp_path) as host:
            system(host)
            endpoint.faults.refuse(status, times=2)
            assert start(host) == 10
            assert len(machine.invoked) == 1

    def test_a_service_that_never_starts(self, kind: str, tmp_path: Path) -> None:
        machine = NamedMachine()
        with serving(machine) as endpoint, opened(kind, endpoint.address, tmp_path) as host:
            endpoint.faults.answer_status(503, times=None)
            for ask in (system, start):
                with pytest.raises(HostUnreachable, match=r"not available \(HTTP 503\)"):
                    ask(host)
            assert endpoint.statistics.http_requests == 8
            assert machine.invoked == []

    def test_413(self, kind: str, tmp_path: Path) -> None:
        machine = NamedMachine()
        with serving(machine, settings=SMALL) as endpoint, opened(kind, endpoint.address, tmp_path) as host:
            with pytest.raises(EnvelopeTooLarge, match=r"HTTP 413.*\. Raise MaxEnvelopeSizekb"):
                host.registry.set_string("K", "V", "x" * 50_000)
            with pytest.raises(EnvelopeTooLarge, match="HTTP 413"):
                host.registry.string("K" * 50_000, "V")
            assert machine.invoked == []
            assert system(host) == "20348"

    @pytest.mark.parametrize("kind", ["psrp"])
    @pytest.mark.parametrize("namespace", [*WMI_ERROR_NAMESPACES, "urn:another/MSFT_WmiError"])
    def test_500_with_an_error_of_wmi(self, kind: str, tmp_path: Path, namespace: str) -> None:
        with serving() as endpoint, opened(kind, endpoint.address, tmp_path) as host:
            error = WmiError("This user is allowed a maximum number of 5 operations. ", namespace)
            endpoint.faults.raising(WsmanFaultError(2150859175, "w:QuotaLimit", "No. ", wmi_error=error), times=4)
            with pytest.raises(QuotaExceeded, match=r"fault 2150859175 .*a maximum number of 5 operations"):
                system(host)
            assert endpoint.statistics.requests == 4


@pytest.mark.parametrize("kind", ["winrm"])
class TestCommands:
    def test_time_outs_during_a_long_receive(self, kind: str, tmp_path: Path) -> None:
        with serving() as endpoint, opened(kind, endpoint.address, tmp_path) as host:
            endpoint.faults.raising(fault("timed_out"), times=30, action="/Receive")
            result = host.run("setup.exe")
            assert (result.exit_code, result.stdout, result.truncated) == (0, "hi\r\n", False)
            assert endpoint.faults.pending == 0

    def test_time_outs_for_ever(self, kind: str, tmp_path: Path) -> None:
        process = EchoProcess([("stdout", b"step 3\r\n")], 0, reads=True)
        with serving(NamedMachine(next_process=process)) as endpoint:
            with opened(kind, endpoint.address, tmp_path) as host:
                endpoint.faults.raising(fault("timed_out"), nth=2, times=None, action="/Receive")
                began = time.monotonic()
                with pytest.raises(OutcomeUnknown, match=r"had not ended after 0\.3 seconds.*'step 3'"):
                    host.run("setup.exe", deadline=0.3)
                assert time.monotonic() - began < 3
            assert not process.terminated, "An installer is never cut short."

    def test_the_quota_of_shells(self, kind: str, tmp_path: Path) -> None:
        with serving(settings=EndpointSettings(max_shells=1)) as endpoint:
            with opened(kind, endpoint.address, tmp_path) as one, opened(kind, endpoint.address, tmp_path) as other:
                one.run("a")
                with pytest.raises(QuotaExceeded, match=r"1 concurrent shells.*MaxShellsPerUser"):
                    other.run("b")
            assert endpoint.open_shells == 0

    def test_the_quota_of_operations(self, kind: str, tmp_path: Path) -> None:
        machine = NamedMachine()
        with serving(machine) as endpoint:
            with opened(kind, endpoint.address, tmp_path) as host:
                host.run("a")
                endpoint.faults.fault(2150859174, "15 concurrent operations", action="/Command")
                assert host.run("b").exit_code == 0
                assert [line for line, _directory, _environment in machine.started] == ['"a"', '"b"']
            assert endpoint.open_shells == 0

    def test_two_megabytes_of_output(self, kind: str, tmp_path: Path) -> None:
        text = b"0123456789abcde\n" * 125_000
        process = EchoProcess(
            [("stdout", text[:1_000_000]), ("stderr", b"x"), ("stdout", text[1_000_000:])], 7, reads=False
        )
        with serving(NamedMachine(next_process=process)) as endpoint:
            with opened(kind, endpoint.address, tmp_path) as host:
                result = host.run("type big.log", output_limit=2_000_001)
            assert len(text) == 2_000_000
            assert (result.exit_code, result.stdout, result.stderr) == (7, text.decode(), "x")
            assert not result.truncated
            assert sum(action.endswith("/Receive") for action in endpoint.statistics.actions) > 8

    def test_a_start_that_may_have_been(self, kind: str, tmp_path: Path) -> None:
        with serving() as endpoint, opened(kind, endpoint.address, tmp_path) as host:
            endpoint.faults.cut_answer(action="/Command")
            with pytest.raises(OutcomeUnknown, match="not known whether the change took place"):
                host.run("setup.exe")


class TestSizes:
    def test_an_instance_that_is_too_large(self, kind: str, tmp_path: Path) -> None:
        machine = NamedMachine(services=many_services(1, Description="d" * 12_000))
        with serving(machine, settings=SMALL) as endpoint, opened(kind, endpoint.address, tmp_path) as host:
            with pytest.raises(EnvelopeTooLarge, match=r"Service0 on dc01: .*larger than the host may send"):
                host.wmi.get("Win32_Service", {"Name": "Service0"})
            with pytest.raises(EnvelopeTooLarge):
                host.wmi.query("SELECT * FROM Win32_Service")
            assert names(host) == ["Service0"]

    def test_an_answer_without_measure_is_not_read(self, kind: str, tmp_path: Path) -> None:
        with serving() as endpoint, opened(kind, endpoint.address, tmp_path) as host:
            system(host)
            endpoint.faults.reply(b"<Envelope>" + b" " * 9_000_000)
            with pytest.raises(UnreadableOutput, match=r"more than the 8,[0-9,]+ bytes that are read"):
                system(host)
            assert endpoint.statistics.requests == 2
            assert system(host) == "20348"


@pytest.mark.parametrize("kind", ["winrm"])
class TestEnumerations:
    def test_a_context_that_has_expired(self, kind: str, tmp_path: Path) -> None:
        machine = NamedMachine(services=many_services(300))
        with serving(machine, settings=SMALL) as endpoint, opened(kind, endpoint.address, tmp_path) as host:
            endpoint.faults.raising(fault("enumeration_context"), nth=2, action="/Pull")
            assert names(host) == ROWS
            assert sum(action.endswith("/Enumerate") for action in endpoint.statistics.actions) == 2

    def test_contexts_that_always_expire(self, kind: str, tmp_path: Path) -> None:
        machine = NamedMachine(services=many_services(300))
        settings = EndpointSettings(max_envelope_size=16_000, enumeration_timeout=-1.0)
        with serving(machine, settings=settings) as endpoint, opened(kind, endpoint.address, tmp_path) as host:
            with pytest.raises(WsmanFault, match=r"forgot the enumeration.*EnumerationTimeoutms"):
                names(host)
            assert sum(action.endswith("/Enumerate") for action in endpoint.statistics.actions) == 2

    def test_events_that_are_forgotten(self, kind: str, tmp_path: Path) -> None:
        with serving(NamedMachine(channels={"System": []})) as endpoint:
            with opened(kind, endpoint.address, tmp_path) as host:
                endpoint.faults.raising(fault("enumeration_context"), action="/Pull")
                reading = host.events.read([EventQuery("System")])
                assert (reading.events, dict(reading.unreadable)) == ((), {})
            assert endpoint.open_subscriptions == 0


class TestRestarts:
    def test_during_a_read(self, kind: str, tmp_path: Path) -> None:
        with serving() as endpoint, opened(kind, endpoint.address, tmp_path) as host:
            system(host)
            endpoint.faults.delay(5)
            _later(endpoint.down)
            with pytest.raises(HostUnreachable, match="can't be reached"):
                system(host)
            endpoint.up()
            assert system(host) == "20348"

    def test_during_a_write(self, kind: str, tmp_path: Path) -> None:
        machine = NamedMachine()
        with serving(machine) as endpoint, opened(kind, endpoint.address, tmp_path) as host:
            system(host)
            endpoint.faults.delay(5)
            _later(endpoint.down)
            with pytest.raises(OutcomeUnknown):
                start(host)
            endpoint.up()
            assert system(host) == "20348"
            assert machine.invoked == []

    def test_between_two_requests(self, kind: str, tmp_path: Path) -> None:
        machine = NamedMachine()
        with serving(machine) as endpoint, opened(kind, endpoint.address, tmp_path) as host:
            system(host)
            endpoint.down()
            endpoint.up()
            assert system(host) == "20348"
            endpoint.down()
            for ask in (system, start):
                with pytest.raises(HostUnreachable, match=r"Connection refused.*Check that the host is up"):
                    ask(host)
            endpoint.up()
            assert start(host) == 10
            assert len(machine.invoked) == 1

    def test_while_a_command_runs(self, kind: str, tmp_path: Path) -> None:
        machine = NamedMachine(next_process=EchoProcess([], 0, reads=True))
        with serving(machine) as endpoint, opened(kind, endpoint.address, tmp_path) as host:

            def restart() -> None:
                while not any(action.endswith("/Receive") for action in endpoint.statistics.actions):
                    time.sleep(0.01)
                endpoint.down()
                endpoint.up()

            _later(restart, 0)
            with pytest.raises(OutcomeUnknown, match="Run again when it has ended"):
                host.run("setup.exe", deadline=20)
            assert system(host) == "20348"


class TestEncodings:
    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
    def test_utf_16(self, kind: str, tmp_path: Path, encoding: str) -> None:
        soap = 'xmlns:s="http://www.w3.org/2003/05/soap-envelope"'
        good = (
            f'<s:Envelope {soap}><s:Body><p:C xmlns:p="u"><p:BuildNumber>\u00e9\u4e9c</p:BuildNumber></p:C>'
            "</s:Body></s:Envelope>"
        )
        bad = (
            f"<s:Envelope {soap}><s:Body><s:Fault><s:Code><s:Subcode><s:Value>w:AccessDenied</s:Value></s:Subcode>"
            "</s:Code><s:Reason><s:Text>Zugriff verweigert: \u00e4</s:Text></s:Reason></s:Fault></s:Body></s:Envelope>"
        )
        with serving() as endpoint, opened(kind, endpoint.address, tmp_path) as host:
            endpoint.faults.reply(good.encode(encoding))
            assert system(host) == "\u00e9\u4e9c"
            endpoint.faults.reply(bad.encode(encoding), status=500)
            with pytest.raises(HostError, match="Zugriff verweigert: \u00e4"):
                system(host)

    @pytest.mark.parametrize("status", [200, 500])
    def test_bytes_that_are_no_text(self, kind: str, tmp_path: Path, status: int) -> None:
        machine = NamedMachine()
        junk = b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope">\xff\xc3\x28</s:Envelope>'
        with serving(machine) as endpoint, opened(kind, endpoint.address, tmp_path) as host:
            system(host)
            endpoint.faults.reply(junk, status=status)
            with pytest.raises(UnreadableOutput, match="neither UTF-8 nor UTF-16"):
                system(host)
            endpoint.faults.reply(junk, status=status, action="/StartService")
            with pytest.raises(OutcomeUnknown, match="neither UTF-8 nor UTF-16"):
                start(host)
            assert len(machine.invoked) == 1

    def test_output_that_is_no_utf_8(self, kind: str, tmp_path: Path) -> None:
        process = EchoProcess([("stdout", b"ok \xff\xfe\x80 end")], 0, reads=False)
        with serving(NamedMachine(next_process=process)) as endpoint, opened(kind, endpoint.address, tmp_path) as host:
            result = host.run("x")
            assert result.stdout.startswith("ok ")
            assert result.stdout.endswith(" end")


def _later(work: object, seconds: float = 0.1) -> None:
    assert callable(work)
    threading.Timer(seconds, work).start()


def test_nothing_of_the_inner_errors_reaches_anybody(tmp_path: Path) -> None:
    """`ConnectionLost` is no HostError: whoever sees it, sees a bug."""
    assert not issubclass(ConnectionLost, HostError)
    with serving() as endpoint, opened("winrm", endpoint.address, tmp_path) as host:
        endpoint.faults.drop_after(times=None)
        for ask in (system, names, start, lambda host: host.events.read([EventQuery("System")])):
            with pytest.raises(HostError):
                ask(host)
        with pytest.raises(HostError):
            host.run("x")
    assert winrs.RECEIVE_TIMEOUT < 60
