# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole way through Ansible's connections and their libraries to a real HTTP endpoint: alike for winrm and psrp."""

from __future__ import annotations

import base64
import contextlib
import http.server
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import spnego

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    AuthenticationRejected,
    HostError,
    HostUnreachable,
    NotWindows,
    OutcomeUnknown,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._eventlog import EventQuery
from ansible_collections.entsso.password_sync.tests.unit.lab.endpoint_kit import (
    PASSWORD,
    USER,
    EchoProcess,
    Machine,
    new_address,
    service,
    serving,
)
from ansible_collections.entsso.password_sync.tests.unit.plugin_utils.exchange_kit import KINDS, opened
from lab.backend import ChannelUnreadable, EventRecord
from lab.endpoint import Endpoint, EndpointServer, EndpointSettings, self_signed
from lab.endpoint.credentials import shared_store


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Each connection in turn."""
    return str(request.param)


def _forgotten(endpoint: Endpoint) -> None:
    """Waits until the endpoint has told the client that the kept connection has ended."""
    end = time.monotonic() + 10
    while endpoint.open_connections:
        assert time.monotonic() < end
        time.sleep(0.005)


class TestAgainstTheEndpoint:
    def test_reads(self, kind: str, tmp_path: Path) -> None:
        machine = Machine(services=[service(f"Service{number}", StartName="LocalSystem") for number in range(40)])
        with serving(machine) as endpoint, opened(kind, endpoint.address, tmp_path) as host:
            system = host.wmi.get("Win32_OperatingSystem")
            assert system is not None
            assert system.string("BuildNumber") == "20348"
            assert system.strings("Nothing") == ()
            assert system.optional_string("CSDVersion") is None
            assert len(host.wmi.query("SELECT Name FROM Win32_Service")) == 40
            assert host.wmi.get("Win32_Service", {"Name": "none"}) is None
            assert host.registry.multi_string("K", "Notification Packages") == ("rassfm", "scecli")
            assert host.registry.multi_string("K", "None") is None
            state = host.services.get("Service7")
            assert state is not None
            assert state.display_name == "Service7 & more"
            assert host.statistics.requests == endpoint.statistics.requests == 7
            assert host.statistics.bytes_sent == endpoint.statistics.message_bytes_received
            assert endpoint.statistics.logons == 1
            assert endpoint.open_shells == endpoint.open_enumerations == 0
            assert machine.started == []

    def test_commands_and_their_shell(self, kind: str, tmp_path: Path) -> None:
        machine = Machine(next_process=EchoProcess([("stderr", b"note\r\n")], 3010, reads=True))
        with serving(machine) as endpoint:
            with opened(kind, endpoint.address, tmp_path) as host:
                data = bytes(range(256)) * 3000
                result = host.run("sort", stdin=data, output_limit=10_000_000)
                assert result.exit_code == 3010
                assert result.stdout == data.decode("utf-8", errors="replace")
                assert result.stderr == "note\r\n"
                assert endpoint.open_shells == 1
                assert machine.started[0][0] in ("sort", '"sort"')
            assert endpoint.open_shells == 0

    def test_events(self, kind: str, tmp_path: Path) -> None:
        from datetime import UTC, datetime

        record = EventRecord(
            "PCNSSVC", 2201, 4, 1, datetime(2026, 11, 22, tzinfo=UTC), "Application", "DC01", ((None, "a & b"),)
        )
        machine = Machine(channels={"Application": [record], "Security": ChannelUnreadable("Access is denied. ")})
        queries = [EventQuery("Application", "PCNSSVC", (2201, 2100)), EventQuery("Security")]
        for end_is_timeout in (False, True):
            settings = EndpointSettings(event_end_is_timeout=end_is_timeout)
            with serving(machine, settings=settings) as endpoint, opened(kind, endpoint.address, tmp_path) as host:
                reading = host.events.read(queries)
                assert [(event.event_id, event.data) for event in reading.events] == [(2201, ("a & b",))]
                assert list(reading.unreadable) == ["Security"]
                assert endpoint.open_subscriptions == 0

    def test_a_closed_keep_alive_connection_is_not_noticed(self, kind: str, tmp_path: Path) -> None:
        with serving() as endpoint, opened(kind, endpoint.address, tmp_path) as host:
            endpoint.faults.close_after(1)
            assert host.wmi.get("Win32_OperatingSystem") is not None
            _forgotten(endpoint)
            endpoint.faults.close_after(2)
            for _number in range(2):
                assert host.wmi.get("Win32_OperatingSystem") is not None
            _forgotten(endpoint)
            # Sealed with a key of the old connection, so it can't have run, and is sent again: a write as well.
            result = host.wmi.invoke("Win32_Service", "StartService", selectors={"Name": "PCNSSVC"})
            assert result.integer("ReturnValue") == 10

    def test_a_write_whose_answer_is_lost_is_not_repeated(self, kind: str, tmp_path: Path) -> None:
        machine = Machine()
        with serving(machine) as endpoint, opened(kind, endpoint.address, tmp_path) as host:
            host.wmi.get("Win32_OperatingSystem")
            endpoint.faults.drop_after(1, action="/StartService")
            with pytest.raises(OutcomeUnknown, match=r"Win32_Service PCNSSVC\.StartService on dc01"):
                host.wmi.invoke("Win32_Service", "StartService", selectors={"Name": "PCNSSVC"})
            assert len(machine.invoked) == 1
            assert host.wmi.get("Win32_OperatingSystem") is not None

    def test_a_read_whose_answer_is_lost_is_repeated(self, kind: str, tmp_path: Path) -> None:
        with serving() as endpoint, opened(kind, endpoint.address, tmp_path) as host:
            for drop in (endpoint.faults.drop_before, endpoint.faults.drop_after):
                host.wmi.get("Win32_OperatingSystem")
                drop(1)
                assert host.wmi.get("Win32_OperatingSystem") is not None

    def test_a_restart_in_between(self, kind: str, tmp_path: Path) -> None:
        with serving() as endpoint, opened(kind, endpoint.address, tmp_path) as host:
            host.wmi.get("Win32_OperatingSystem")
            endpoint.down()
            with pytest.raises(HostUnreachable, match="can't be reached"):
                host.wmi.get("Win32_OperatingSystem")
            endpoint.up()
            assert host.wmi.get("Win32_OperatingSystem") is not None

    def test_a_service_that_is_starting(self, kind: str, tmp_path: Path) -> None:
        with serving() as endpoint, opened(kind, endpoint.address, tmp_path) as host:
            endpoint.faults.answer_status(503, times=2)
            assert host.wmi.get("Win32_OperatingSystem") is not None

    def test_a_wrong_password_is_tried_once(self, kind: str, tmp_path: Path) -> None:
        machine = Machine()
        with serving(machine) as endpoint:
            for attempt in (1, 2, 3):
                reason = "the host rejected it" if attempt == 1 else "was rejected by dc01 in this run"
                with (
                    pytest.raises(AuthenticationRejected, match=reason),
                    opened(kind, endpoint.address, tmp_path, ansible_password="wrong") as host,
                ):
                    host.wmi.get("Win32_OperatingSystem")
            assert endpoint.statistics.rejected_logons == 1
            assert endpoint.statistics.http_requests == 3  # one handshake: without, negotiate, authenticate

    def test_a_password_that_is_changed_in_the_middle(self, kind: str, tmp_path: Path) -> None:
        machine = Machine()
        with serving(machine) as endpoint, opened(kind, endpoint.address, tmp_path) as host:
            host.wmi.get("Win32_OperatingSystem")
            machine.known.clear()
            host.reset()
            with pytest.raises(AuthenticationRejected):
                host.wmi.get("Win32_OperatingSystem")
            with pytest.raises(AuthenticationRejected, match="not tried"):
                host.wmi.get("Win32_OperatingSystem")

    def test_a_password_that_is_changed_behind_a_closed_connection(self, kind: str, tmp_path: Path) -> None:
        machine = Machine()
        with serving(machine) as endpoint:
            with opened(kind, endpoint.address, tmp_path) as host:
                endpoint.faults.close_after(1)
                host.wmi.get("Win32_OperatingSystem")
                _forgotten(endpoint)
                machine.known.clear()
                with pytest.raises(AuthenticationRejected, match="the host rejected it"):
                    host.wmi.get("Win32_OperatingSystem")
            with (
                pytest.raises(AuthenticationRejected, match="was rejected by dc01 in this run"),
                opened(kind, endpoint.address, tmp_path) as host,
            ):
                host.wmi.get("Win32_OperatingSystem")
            assert endpoint.statistics.rejected_logons == 1

    def test_tls(self, kind: str, tmp_path: Path) -> None:
        with _secure(address := new_address(), tmp_path, EndpointSettings()) as (_endpoint, secure):
            distrusted = {**secure, "authority": None}
            with (
                pytest.raises(
                    HostUnreachable, match=r"TLS certificate of https://.* on dc01: it is not trusted"
                ) as caught,
                opened(kind, address, tmp_path, **distrusted) as host,
            ):
                host.wmi.get("Win32_OperatingSystem")
            assert ("ansible_winrm_ca_trust_path" if kind == "winrm" else "ansible_psrp_ca_cert") in str(caught.value)
            for encryption, told in (("auto", "TLS"), ("always", "message"), ("never", "TLS")):
                with opened(kind, address, tmp_path, **secure, encryption=encryption) as host:
                    assert host.wmi.get("Win32_OperatingSystem") is not None
                    assert host.run("x").exit_code == 0
                    assert (host.authentication, host.encrypted) == ("ntlm", told)

    def test_a_401_in_the_middle_of_a_run_is_no_wrong_password(self, kind: str, tmp_path: Path) -> None:
        with serving() as endpoint, opened(kind, endpoint.address, tmp_path) as host:
            host.wmi.get("Win32_OperatingSystem")
            endpoint.faults.forget_logon(1)
            assert host.wmi.get("Win32_OperatingSystem") is not None
            assert endpoint.statistics.rejected_logons == 0

    def test_how_the_account_got_in(self, kind: str, tmp_path: Path) -> None:
        with serving() as endpoint, opened(kind, endpoint.address, tmp_path) as host:
            assert (host.authentication, host.encrypted) == ("", "")
            host.wmi.get("Win32_OperatingSystem")
            assert (host.authentication, host.encrypted) == ("ntlm", "message")
            host.reset()
            assert host.authentication == "ntlm"

    def test_basic_only_goes_over_tls(self, kind: str, tmp_path: Path) -> None:
        basic = {"mechanism": "basic" if kind == "psrp" else "ssl"}
        address = new_address()
        settings = EndpointSettings(basic=True)
        with _secure(address, tmp_path, settings) as (endpoint, secure):
            with opened(kind, address, tmp_path, **secure, **basic) as host:
                assert host.wmi.get("Win32_OperatingSystem") is not None
                assert (host.authentication, host.encrypted) == ("basic", "TLS")
            for attempt in (1, 2):
                reason = "the host rejected it" if attempt == 1 else "was rejected by dc01 in this run"
                with (
                    pytest.raises(AuthenticationRejected, match=reason),
                    opened(kind, address, tmp_path, **secure, **basic, ansible_password="wrong") as host,
                ):
                    host.wmi.get("Win32_OperatingSystem")
            assert endpoint.statistics.rejected_logons == 1

    def test_credssp(self, kind: str, tmp_path: Path) -> None:
        """A wrong password does not show in HTTP, but in CredSSP's own messages."""
        with serving(settings=EndpointSettings(credssp=True)) as endpoint:
            with opened(kind, endpoint.address, tmp_path, mechanism="credssp") as host:
                assert host.wmi.get("Win32_OperatingSystem") is not None
                assert (host.authentication, host.encrypted) == ("credssp", "message")
            for reason in ("the host rejected it", "was rejected by dc01 in this run"):
                with (
                    pytest.raises(AuthenticationRejected, match=reason),
                    opened(kind, endpoint.address, tmp_path, mechanism="credssp", ansible_password="wrong") as host,
                ):
                    host.wmi.get("Win32_OperatingSystem")
            assert endpoint.statistics.rejected_logons == 1
        with (
            serving() as endpoint,
            pytest.raises(AuthenticationRejected, match="CredSSP being an available") as caught,
            opened(kind, endpoint.address, tmp_path / "other", mechanism="credssp") as host,
        ):
            host.wmi.get("Win32_OperatingSystem")
        assert not caught.value.credentials_presented

    def test_a_rejected_password_stops_the_other_connection_as_well(self, kind: str, tmp_path: Path) -> None:
        other = next(name for name in KINDS if name != kind)
        with serving() as endpoint, serving() as second:
            with (
                pytest.raises(AuthenticationRejected),
                opened(kind, endpoint.address, tmp_path, ansible_password="wrong") as host,
            ):
                host.wmi.get("Win32_OperatingSystem")
            with (
                pytest.raises(AuthenticationRejected, match="was rejected by dc01 in this run; it was not tried"),
                opened(other, second.address, tmp_path, name="dc02") as host,
            ):
                host.wmi.get("Win32_OperatingSystem")
            assert endpoint.statistics.rejected_logons == 1
            assert second.statistics.http_requests == 0

    def test_a_method_that_the_host_does_not_offer_is_no_wrong_password(self, kind: str, tmp_path: Path) -> None:
        with _secure(address := new_address(), tmp_path, EndpointSettings()) as (endpoint, secure):
            basic = {"mechanism": "basic" if kind == "psrp" else "plaintext"}
            with pytest.raises(HostError) as caught, opened(kind, address, tmp_path, **secure, **basic) as host:
                host.wmi.get("Win32_OperatingSystem")
            assert endpoint.statistics.logons == 0
            assert "transport" in str(caught.value)


@contextlib.contextmanager
def _secure(address: str, folder: Path, settings: EndpointSettings) -> Iterator[tuple[Endpoint, dict[str, Any]]]:
    """Serves https, and tells the variables that lead there."""
    tls = self_signed([address])
    authority = folder / "ca.pem"
    authority.write_bytes(tls.certificate)
    with EndpointServer() as server:
        endpoint = server.add(address, Machine(), tls=tls, settings=settings)
        yield endpoint, {"ansible_port": 5986, "scheme": "https", "authority": str(authority)}


class _Plain(http.server.BaseHTTPRequestHandler):
    status = 404
    body = b"<html>not here</html>"
    headers_: tuple[tuple[str, str], ...] = ()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(self.status)
        for name, value in self.headers_:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_arguments: Any) -> None:
        return


@contextlib.contextmanager
def _web_server(
    status: int, body: bytes, *headers: tuple[str, str], base: type[_Plain] = _Plain
) -> Iterator[tuple[str, int]]:
    handler = type("Handler", (base,), {"status": status, "body": body, "headers_": headers})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield "127.0.0.1", server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _asked(kind: str, address: str, port: int, folder: Path) -> HostError:
    given: dict[str, Any] = {"ansible_port": port, "scheme": "http"}
    with pytest.raises(HostError) as caught, opened(kind, address, folder, **given) as host:
        host.wmi.get("Win32_OperatingSystem")
    return caught.value


class TestOthers:
    @pytest.mark.parametrize(("status", "body"), [(404, b"<html/>"), (200, b"hello"), (405, b""), (200, b"")])
    def test_a_web_server_is_not_windows(self, kind: str, tmp_path: Path, status: int, body: bytes) -> None:
        with _web_server(status, body) as (address, port):
            error = _asked(kind, address, port, tmp_path)
        assert isinstance(error, NotWindows)
        assert "ansible_port" in str(error)

    def test_a_server_that_offers_something_else(self, kind: str, tmp_path: Path) -> None:
        with _web_server(401, b"", ("WWW-Authenticate", 'Basic realm="x"')) as (address, port):
            error = _asked(kind, address, port, tmp_path)
            assert isinstance(error, AuthenticationRejected)
            assert not error.credentials_presented
            assert 'offer it, but Basic realm="x"' in str(error)
            assert not isinstance(_asked(kind, address, port, tmp_path), NotWindows)

    def test_what_does_not_speak_http(self, kind: str, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:

            def greet() -> None:
                with contextlib.suppress(OSError):
                    while True:
                        accepted, _address = listener.accept()
                        if accepted.recv(10000):
                            accepted.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")
                        accepted.close()

            thread = threading.Thread(target=greet, daemon=True)
            thread.start()
            error = _asked(kind, "127.0.0.1", listener.getsockname()[1], tmp_path)
        assert isinstance(error, NotWindows)
        assert "does not speak HTTP" in str(error)

    def test_nothing_listens(self, kind: str, tmp_path: Path) -> None:
        error = _asked(kind, new_address(), 5985, tmp_path)
        assert isinstance(error, HostUnreachable)
        assert "Connection refused" in str(error)

    @pytest.mark.parametrize("status", [200, 500])
    def test_an_unencrypted_answer_is_not_used(self, kind: str, tmp_path: Path, status: int) -> None:
        """A server that lets NTLM happen and then answers in the clear, as someone in the middle would."""
        with _in_the_middle(status, b"<s:Envelope>anything</s:Envelope>") as (address, port):
            error = _asked(kind, address, port, tmp_path)
        assert isinstance(error, HostUnreachable)
        assert "without the encryption that was agreed on" in str(error)

    def test_an_unencrypted_answer_of_another_kind_is_not_believed(self, kind: str, tmp_path: Path) -> None:
        with _in_the_middle(404, b"<s:Envelope>anything</s:Envelope>") as (address, port):
            error = _asked(kind, address, port, tmp_path)
        assert isinstance(error, NotWindows)
        assert "HTTP status 404" in str(error)


class _Middle(_Plain):
    protocol_version = "HTTP/1.1"
    context: spnego.ContextProxy | None = None

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        _scheme, _space, token = self.headers.get("Authorization", "").partition(" ")
        if body or not token:
            self._answer(self.status if body else 401, self.body if body else b"", "Negotiate")
            return
        with shared_store().presented({USER: PASSWORD}):
            self.context = self.context or spnego.server(protocol="ntlm")
            answer = self.context.step(base64.b64decode(token))
        self._answer(
            200 if self.context.complete else 401, b"", f"Negotiate {base64.b64encode(answer or b'').decode()}"
        )

    def _answer(self, status: int, body: bytes, header: str) -> None:
        self.send_response(status)
        self.send_header("WWW-Authenticate", header)
        self.send_header("Content-Type", "application/soap+xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _in_the_middle(status: int, body: bytes) -> contextlib.AbstractContextManager[tuple[str, int]]:
    return _web_server(status, body, base=_Middle)
