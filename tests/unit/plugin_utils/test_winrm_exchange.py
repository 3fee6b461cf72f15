# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole way through Ansible's connection and pywinrm to a real HTTP endpoint with NTLM and message encryption."""

from __future__ import annotations

import contextlib
import http.server
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    AuthenticationRejected,
    HostError,
    HostUnreachable,
    NotWindows,
    OutcomeUnknown,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._eventlog import EventQuery
from ansible_collections.entsso.password_sync.plugins.plugin_utils._authentication_guard import AuthenticationGuard
from ansible_collections.entsso.password_sync.plugins.plugin_utils._connection import winrm_settings
from ansible_collections.entsso.password_sync.plugins.plugin_utils._host import Host
from ansible_collections.entsso.password_sync.plugins.plugin_utils._winrm_exchange import WinrmExchange
from ansible_collections.entsso.password_sync.tests.unit.lab.endpoint_kit import (
    PASSWORD,
    USER,
    EchoProcess,
    Machine,
    new_address,
    service,
    serving,
)
from ansible_collections.entsso.password_sync.tests.unit.plugin_utils.ansible_connection import connection
from lab.backend import ChannelUnreadable, EventRecord
from lab.endpoint import EndpointSettings, self_signed


def _host(address: str, folder: Path, *, account: str = USER, password: str = PASSWORD, **variables: Any) -> Host:
    used = connection(
        **{
            "ansible_host": address,
            "ansible_port": 5985,
            "ansible_user": account,
            "ansible_password": password,
            "ansible_winrm_transport": "ntlm",
            **variables,
        }
    )
    settings = winrm_settings(used, "dc01", allow_exposing=True)
    exchange = WinrmExchange(settings, "dc01", AuthenticationGuard(folder, settings.account))
    return Host("dc01", exchange, sleep=lambda _seconds: None)


class TestAgainstTheEndpoint:
    def test_reads(self, tmp_path: Path) -> None:
        machine = Machine(services=[service(f"Service{number}", StartName="LocalSystem") for number in range(40)])
        with serving(machine) as endpoint, _host(endpoint.address, tmp_path) as host:
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

    def test_commands_and_their_shell(self, tmp_path: Path) -> None:
        machine = Machine(next_process=EchoProcess([("stderr", b"note\r\n")], 3010, reads=True))
        with serving(machine) as endpoint:
            with _host(endpoint.address, tmp_path) as host:
                data = bytes(range(256)) * 3000
                result = host.run("sort", stdin=data, output_limit=10_000_000)
                assert result.exit_code == 3010
                assert result.stdout == data.decode("utf-8", errors="replace")
                assert result.stderr == "note\r\n"
                assert endpoint.open_shells == 1
                assert machine.started[0][0] in ("sort", '"sort"')
            assert endpoint.open_shells == 0

    def test_events(self, tmp_path: Path) -> None:
        from datetime import UTC, datetime

        record = EventRecord(
            "PCNSSVC", 2201, 4, 1, datetime(2026, 11, 22, tzinfo=UTC), "Application", "DC01", ((None, "a & b"),)
        )
        machine = Machine(channels={"Application": [record], "Security": ChannelUnreadable("Access is denied. ")})
        queries = [EventQuery("Application", "PCNSSVC", (2201, 2100)), EventQuery("Security")]
        for end_is_timeout in (False, True):
            settings = EndpointSettings(event_end_is_timeout=end_is_timeout)
            with serving(machine, settings=settings) as endpoint, _host(endpoint.address, tmp_path) as host:
                reading = host.events.read(queries)
                assert [(event.event_id, event.data) for event in reading.events] == [(2201, ("a & b",))]
                assert list(reading.unreadable) == ["Security"]
                assert endpoint.open_subscriptions == 0

    def test_a_closed_keep_alive_connection_is_not_noticed(self, tmp_path: Path) -> None:
        with serving() as endpoint, _host(endpoint.address, tmp_path) as host:
            endpoint.faults.close_after(1)
            for _number in range(3):
                assert host.wmi.get("Win32_OperatingSystem") is not None
            endpoint.faults.close_after(1)
            assert host.wmi.get("Win32_OperatingSystem") is not None
            # Sealed with a key of the old connection, so it can't have run, and is sent again: a write as well.
            result = host.wmi.invoke("Win32_Service", "StartService", selectors={"Name": "PCNSSVC"})
            assert result.integer("ReturnValue") == 10

    def test_a_write_whose_answer_is_lost_is_not_repeated(self, tmp_path: Path) -> None:
        machine = Machine()
        with serving(machine) as endpoint, _host(endpoint.address, tmp_path) as host:
            host.wmi.get("Win32_OperatingSystem")
            endpoint.faults.drop_after(1, action="/StartService")
            with pytest.raises(OutcomeUnknown, match=r"Win32_Service PCNSSVC\.StartService on dc01"):
                host.wmi.invoke("Win32_Service", "StartService", selectors={"Name": "PCNSSVC"})
            assert len(machine.invoked) == 1
            assert host.wmi.get("Win32_OperatingSystem") is not None

    def test_a_read_whose_answer_is_lost_is_repeated(self, tmp_path: Path) -> None:
        with serving() as endpoint, _host(endpoint.address, tmp_path) as host:
            for drop in (endpoint.faults.drop_before, endpoint.faults.drop_after):
                host.wmi.get("Win32_OperatingSystem")
                drop(1)
                assert host.wmi.get("Win32_OperatingSystem") is not None

    def test_a_restart_in_between(self, tmp_path: Path) -> None:
        with serving() as endpoint, _host(endpoint.address, tmp_path) as host:
            host.wmi.get("Win32_OperatingSystem")
            endpoint.down()
            with pytest.raises(HostUnreachable, match="can't be reached"):
                host.wmi.get("Win32_OperatingSystem")
            endpoint.up()
            assert host.wmi.get("Win32_OperatingSystem") is not None

    def test_a_service_that_is_starting(self, tmp_path: Path) -> None:
        with serving() as endpoint, _host(endpoint.address, tmp_path) as host:
            endpoint.faults.answer_status(503, times=2)
            assert host.wmi.get("Win32_OperatingSystem") is not None

    def test_a_wrong_password_is_tried_once(self, tmp_path: Path) -> None:
        machine = Machine()
        with serving(machine) as endpoint:
            for attempt in (1, 2, 3):
                reason = "the host rejected it" if attempt == 1 else "was rejected by dc01 in this run"
                with (
                    pytest.raises(AuthenticationRejected, match=reason),
                    _host(endpoint.address, tmp_path, password="wrong") as host,
                ):
                    host.wmi.get("Win32_OperatingSystem")
            assert endpoint.statistics.rejected_logons == 1
            assert endpoint.statistics.http_requests == 3  # one handshake: without, negotiate, authenticate

    def test_a_password_that_is_changed_in_the_middle(self, tmp_path: Path) -> None:
        machine = Machine()
        with serving(machine) as endpoint, _host(endpoint.address, tmp_path) as host:
            host.wmi.get("Win32_OperatingSystem")
            machine.known.clear()
            host.reset()
            with pytest.raises(AuthenticationRejected):
                host.wmi.get("Win32_OperatingSystem")
            with pytest.raises(AuthenticationRejected, match="not tried"):
                host.wmi.get("Win32_OperatingSystem")

    def test_a_password_that_is_changed_behind_a_closed_connection(self, tmp_path: Path) -> None:
        machine = Machine()
        with serving(machine) as endpoint:
            with _host(endpoint.address, tmp_path) as host:
                endpoint.faults.close_after(1)
                host.wmi.get("Win32_OperatingSystem")
                machine.known.clear()
                with pytest.raises(AuthenticationRejected, match="the host rejected it"):
                    host.wmi.get("Win32_OperatingSystem")
            with (
                pytest.raises(AuthenticationRejected, match="was rejected by dc01 in this run"),
                _host(endpoint.address, tmp_path) as host,
            ):
                host.wmi.get("Win32_OperatingSystem")
            assert endpoint.statistics.rejected_logons == 1

    @pytest.mark.parametrize(
        ("said", "stops"),
        [
            ("kinit: Password incorrect while getting initial credentials", True),
            ("kinit: Preauthentication failed while getting initial credentials", True),
            ("kinit: Cannot contact any KDC for realm 'CORP.EXAMPLE' while getting initial credentials", False),
        ],
    )
    def test_a_ticket_that_is_not_given(self, tmp_path: Path, said: str, stops: bool) -> None:
        kinit = tmp_path / "kinit"
        kinit.write_text(f'#!/bin/sh\ncat > /dev/null\necho x >> {tmp_path}/calls\necho "{said}" >&2\nexit 1\n')
        kinit.chmod(0o755)
        managed: dict[str, Any] = {
            "ansible_winrm_transport": ["kerberos", "ntlm"],
            "ansible_winrm_kinit_cmd": str(kinit),
        }
        with serving() as endpoint:
            for _attempt in range(2):
                with _host(endpoint.address, tmp_path, **managed) as host:
                    if stops:
                        with pytest.raises(AuthenticationRejected, match=r"no Kerberos ticket|not tried on this host"):
                            host.wmi.get("Win32_OperatingSystem")
                    else:
                        assert host.wmi.get("Win32_OperatingSystem") is not None
            assert (tmp_path / "calls").read_text().count("x") == (1 if stops else 2)
            assert endpoint.statistics.logons == (0 if stops else 2)

    def test_tls(self, tmp_path: Path) -> None:
        address = new_address()
        tls = self_signed([address])
        authority = tmp_path / "ca.pem"
        authority.write_bytes(tls.certificate)
        from lab.endpoint import EndpointServer

        with EndpointServer() as server:
            server.add(address, Machine(), tls=tls)
            secure: dict[str, Any] = {"ansible_port": 5986, "ansible_winrm_scheme": "https"}
            with (
                pytest.raises(
                    HostUnreachable, match=r"TLS certificate of https://.* on dc01: it is not trusted"
                ) as caught,
                _host(address, tmp_path, **secure) as host,
            ):
                host.wmi.get("Win32_OperatingSystem")
            assert "ansible_winrm_ca_trust_path" in str(caught.value)
            with _host(address, tmp_path, **secure, ansible_winrm_ca_trust_path=str(authority)) as host:
                assert host.wmi.get("Win32_OperatingSystem") is not None
                assert host.run("x").exit_code == 0

    def test_transports_are_tried_in_turn(self, tmp_path: Path) -> None:
        # pykerberos is not installed here, or there is no ticket: either way the next transport is tried.
        manual: dict[str, Any] = {
            "ansible_winrm_transport": ["kerberos", "ntlm"],
            "ansible_winrm_kerberos_mode": "manual",
        }
        with serving() as endpoint, _host(endpoint.address, tmp_path, **manual) as host:
            try:
                assert host.wmi.get("Win32_OperatingSystem") is not None
            except AuthenticationRejected as error:
                pytest.fail(str(error))

    def test_a_method_that_the_host_does_not_offer_is_no_wrong_password(self, tmp_path: Path) -> None:
        with serving() as endpoint:
            basic = {"ansible_winrm_transport": "plaintext"}
            with pytest.raises(HostError), _host(endpoint.address, tmp_path / "a", **basic) as host:
                host.wmi.get("Win32_OperatingSystem")


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
def _web_server(status: int, body: bytes, *headers: tuple[str, str]) -> Iterator[tuple[str, int]]:
    handler = type("Handler", (_Plain,), {"status": status, "body": body, "headers_": headers})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield "127.0.0.1", server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _asked(address: str, port: int, folder: Path, **more: Any) -> HostError:
    variables: dict[str, Any] = {"ansible_port": port, "ansible_winrm_scheme": "http", **more}
    with pytest.raises(HostError) as caught, _host(address, folder, **variables) as host:
        host.wmi.get("Win32_OperatingSystem")
    return caught.value


class TestOthers:
    @pytest.mark.parametrize(("status", "body"), [(404, b"<html/>"), (200, b"hello"), (405, b""), (200, b"")])
    def test_a_web_server_is_not_windows(self, tmp_path: Path, status: int, body: bytes) -> None:
        with _web_server(status, body) as (address, port):
            error = _asked(address, port, tmp_path)
        assert isinstance(error, NotWindows)
        assert "ansible_port" in str(error)

    def test_a_server_that_offers_something_else(self, tmp_path: Path) -> None:
        with _web_server(401, b"", ("WWW-Authenticate", 'Basic realm="x"')) as (address, port):
            error = _asked(address, port, tmp_path)
            assert isinstance(error, AuthenticationRejected)
            assert not error.credentials_presented
            assert 'offer it, but Basic realm="x"' in str(error)
            assert not isinstance(_asked(address, port, tmp_path), NotWindows)

    def test_what_does_not_speak_http(self, tmp_path: Path) -> None:
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
            error = _asked("127.0.0.1", listener.getsockname()[1], tmp_path)
        assert isinstance(error, NotWindows)
        assert "does not speak HTTP" in str(error)

    def test_nothing_listens(self, tmp_path: Path) -> None:
        error = _asked(new_address(), 5985, tmp_path)
        assert isinstance(error, HostUnreachable)
        assert "Connection refused" in str(error)

    def test_an_unencrypted_answer_is_not_used(self, tmp_path: Path) -> None:
        """A web server that lets NTLM happen and then answers in the clear, as someone in the middle would."""
        from ansible_collections.entsso.password_sync.plugins.plugin_utils._winrm_exchange import _NotSealed, _SealWatch

        class Answer:
            def __init__(self, status: int, kind: str, content: bytes) -> None:
                self.status_code, self.headers, self.content = status, {"Content-Type": kind}, content

        watch = _SealWatch()
        sealed = (
            'multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted";boundary="Encrypted Boundary"'
        )
        watch(Answer(200, sealed, b"x"))
        watch(Answer(401, "text/html", b"x"))
        watch(Answer(200, "", b""))
        assert not watch.broken
        for status in (200, 500):
            with pytest.raises(_NotSealed):
                watch(Answer(status, "application/soap+xml", b"<s:Envelope/>"))
        watch(Answer(404, "text/html", b"<s:Envelope/>"))
        assert watch.broken
