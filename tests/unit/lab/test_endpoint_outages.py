# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Restarts, injected faults, and the limits of HTTP."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress

import pytest
import requests
from unit.lab.endpoint_kit import (
    CIMV2,
    NS,
    TRANSFER,
    EchoProcess,
    Machine,
    invoke_message,
    message,
    pywinrm,
    refused,
    send,
    serving,
)
from winrm.exceptions import InvalidCredentialsError, WinRMTransportError

GET = message(f"{TRANSFER}/Get", f"{CIMV2}Win32_OperatingSystem")
START = invoke_message("Win32_Service", "StartService", {}, selectors={"Name": "PCNSSVC"})
LOST = (requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError)


def test_a_host_goes_down_and_comes_back_with_nothing_left_open() -> None:
    process = EchoProcess([], 0, reads=True)
    with serving(Machine(next_process=process)) as endpoint:
        client = pywinrm(endpoint.address)
        shell = client.open_shell()
        client.run_command(shell, "x")
        endpoint.down()
        assert not endpoint.is_up
        assert process.terminated
        with pytest.raises(LOST):
            client.transport.send_message(GET)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((endpoint.address, 5985), timeout=2)
        endpoint.up()
        assert endpoint.open_shells == 0
        client = pywinrm(endpoint.address)
        assert len(send(client, GET)) == 1
        delete = message(f"{TRANSFER}/Delete", f"{NS['rsp']}/cmd", selectors={"ShellId": shell})
        assert refused(client, delete).code == 2150858843


def _connect_often(address: str, port: int, opened: list[socket.socket]) -> None:
    """Connects until it is refused."""
    with suppress(OSError):
        for _number in range(30):
            opened.append(socket.create_connection((address, port), timeout=2))


def test_whoever_connects_while_a_host_goes_down_is_not_left_waiting() -> None:
    """What asyncio had accepted, and not yet handed on when the port was closed, was open for ever."""
    with serving() as endpoint:
        for attempt in range(10):
            opened: list[socket.socket] = []
            client = threading.Thread(target=_connect_often, args=(endpoint.address, endpoint.port, opened))
            client.start()
            time.sleep(0.0005 * (attempt % 4))
            endpoint.down()
            client.join()
            for connection in opened:
                connection.settimeout(5)
                with suppress(ConnectionError):
                    assert connection.recv(1) == b""
                connection.close()
            endpoint.up()
        assert endpoint.errors == []


def test_a_restart_breaks_a_waiting_receive() -> None:
    with serving(Machine(next_process=EchoProcess([], 0, reads=True))) as endpoint:
        client = pywinrm(endpoint.address)
        shell = client.open_shell()
        command = client.run_command(shell, "shutdown")
        threading.Timer(0.2, endpoint.down).start()
        began = time.monotonic()
        with pytest.raises(LOST):
            client.get_command_output_raw(shell, command)
        assert time.monotonic() - began < 5


def test_a_backend_may_take_its_own_host_down() -> None:
    """Called from the server's thread, as a simulated shutdown does."""

    class SelfStopping(Machine):
        def wmi_invoke(self, *arguments: object) -> dict[str, int]:
            endpoint.down()
            return {"ReturnValue": 0}

    with serving(SelfStopping()) as endpoint:
        client = pywinrm(endpoint.address)
        send(client, START)
        deadline = time.monotonic() + 5
        while endpoint.is_up and time.monotonic() < deadline:
            time.sleep(0.01)
        with pytest.raises(LOST):
            client.transport.send_message(GET)


def test_without_power_nothing_is_handled_or_answered_though_the_ports_are_still_open() -> None:
    machine = Machine()
    with serving(machine) as endpoint:

        def power_fails() -> None:
            machine.powered = False

        client = pywinrm(endpoint.address)
        send(client, GET)
        endpoint.faults.when_handled = power_fails
        for _message in range(2):
            with pytest.raises((*LOST, WinRMTransportError)):
                client.transport.send_message(START)
            client = pywinrm(endpoint.address)
        assert endpoint.is_up
        assert len(machine.invoked) == 1


def test_a_connection_dropped_before_has_no_effect_and_after_has() -> None:
    machine = Machine()
    with serving(machine) as endpoint:
        for inject, effects in ((endpoint.faults.drop_before, 0), (endpoint.faults.drop_after, 1)):
            client = pywinrm(endpoint.address)
            send(client, GET)
            inject(action="/StartService")
            send(client, GET)
            with pytest.raises((*LOST, WinRMTransportError)):
                client.transport.send_message(START)
            assert len(machine.invoked) == effects
        assert endpoint.faults.pending == 0


def test_the_nth_message_is_hit_and_only_as_often_as_asked() -> None:
    with serving() as endpoint:
        client = pywinrm(endpoint.address)
        endpoint.faults.fault(2150859174, "busy", nth=2, times=2)
        codes = []
        for _message in range(4):
            try:
                send(client, GET)
                codes.append(200)
            except WinRMTransportError as error:
                codes.append(error.code)
        assert codes == [200, 500, 500, 200]


def test_a_delay_is_a_delay() -> None:
    with serving() as endpoint:
        client = pywinrm(endpoint.address)
        send(client, GET)
        endpoint.faults.delay(0.4, action="/Get")
        began = time.monotonic()
        send(client, GET)
        assert time.monotonic() - began >= 0.4


def test_a_starting_service_answers_503() -> None:
    with serving() as endpoint:
        endpoint.faults.answer_status(503)
        with pytest.raises(WinRMTransportError) as caught:
            pywinrm(endpoint.address).transport.send_message(GET)
        assert caught.value.code == 503
        assert len(send(pywinrm(endpoint.address), GET)) == 1


@pytest.mark.parametrize("status", [200, 404, 405])
def test_a_web_server_that_is_not_windows(status: int) -> None:
    with serving() as endpoint:
        endpoint.faults.foreign_server(status)
        answer = requests.post(f"http://{endpoint.address}:5985/wsman", timeout=10)
        assert (answer.status_code, answer.headers["Server"]) == (status, "nginx")
        assert "WWW-Authenticate" not in answer.headers
        with pytest.raises(Exception):  # noqa: B017, PT011  (what pywinrm raises here is its own business)
            pywinrm(endpoint.address).transport.send_message(GET)
        assert endpoint.statistics.requests == 0
        endpoint.faults.clear()
        assert len(send(pywinrm(endpoint.address), GET)) == 1


def test_a_request_over_the_envelope_limit_is_413() -> None:
    with serving() as endpoint:
        client = pywinrm(endpoint.address)
        send(client, GET)
        with pytest.raises(WinRMTransportError) as caught:
            client.transport.send_message(GET.replace("<q:Body>", "<q:Body>" + " " * 512000))
        assert caught.value.code == 413
        assert len(send(client, GET)) == 1


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /wsman HTTP/1.1\r\nHost: x\r\n\r\n", 405),
        (b"POST /else HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 404),
        (b"POST /wsman HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501),
        (b"POST /wsman HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n", 413),
        (b"POST /wsman HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST /wsman HTTP/1.1\r\nbad header\r\n\r\n", 400),
        (b"nonsense\r\n\r\n", 400),
        (b"POST /wsman HTTP/1.1\r\nX: " + b"x" * 70000 + b"\r\n\r\n", 431),
        (b"POST /wsman HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 401),
        (b"POST /wsman HTTP/1.1\r\nHost: x\r\nAuthorization: Negotiate !!!\r\nContent-Length: 0\r\n\r\n", 401),
        (b"POST /wsman HTTP/1.1\r\nHost: x\r\nAuthorization: Negotiate AAAA\r\nContent-Length: 0\r\n\r\n", 401),
        (b"POST /wsman HTTP/1.1\r\nHost: x\r\nAuthorization: Kerberos AAAA\r\nContent-Length: 0\r\n\r\n", 401),
    ],
)
def test_raw_requests(request_: bytes, status: int) -> None:
    with serving() as endpoint, socket.create_connection((endpoint.address, 5985), timeout=5) as connection:
        connection.sendall(request_)
        assert connection.recv(65536).startswith(f"HTTP/1.1 {status} ".encode())


def test_a_connection_is_kept_for_requests_sent_at_once() -> None:
    with serving() as endpoint, socket.create_connection((endpoint.address, 5985), timeout=5) as connection:
        one = b"POST /wsman HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
        connection.sendall(one + one.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
        assert received.count(b"HTTP/1.1 401 ") == 2
        assert endpoint.statistics.connections == 1


def test_a_lost_logon_is_not_a_rejected_one() -> None:
    with serving() as endpoint:
        with pytest.raises(InvalidCredentialsError):
            pywinrm(endpoint.address, "wrong").transport.send_message(GET)
        endpoint.down()
        with pytest.raises(LOST):
            pywinrm(endpoint.address, "wrong").transport.send_message(GET)
        assert endpoint.statistics.rejected_logons == 1
