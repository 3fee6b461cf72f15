# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who gets in: real clients against NTLM, Negotiate, Basic, message encryption and TLS."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests
from unit.lab.endpoint_kit import (
    CIMV2,
    PASSWORD,
    TRANSFER,
    UPN,
    USER,
    Machine,
    message,
    new_address,
    pywinrm,
    send,
    serving,
)
from winrm.exceptions import InvalidCredentialsError, WinRMTransportError

from lab.endpoint import EndpointServer, EndpointSettings, self_signed

GET = message(f"{TRANSFER}/Get", f"{CIMV2}Win32_OperatingSystem")


@pytest.mark.parametrize("user", [USER, USER.lower(), UPN])
def test_ntlm_with_message_encryption_lets_a_known_account_in(user: str) -> None:
    with serving() as endpoint:
        client = pywinrm(endpoint.address, user=user)
        assert len(send(client, GET)) == 1
        assert len(send(client, GET)) == 1
        assert endpoint.statistics.logons == 1
        assert endpoint.statistics.requests == 2
        assert endpoint.statistics.connections == 1


def test_the_handshake_costs_three_exchanges_and_then_nothing() -> None:
    """wsman.md 7: empty POST, type 1, type 3, then one exchange for each message."""
    with serving() as endpoint:
        client = pywinrm(endpoint.address)
        send(client, GET)
        send(client, GET)
        assert endpoint.statistics.http_requests == 3 + 2


@pytest.mark.parametrize(
    ("user", "password"), [(USER, "wrong"), ("CORP\\nobody", PASSWORD), ("OTHER\\admin", PASSWORD)]
)
def test_a_wrong_password_or_account_is_401(user: str, password: str) -> None:
    with serving() as endpoint:
        with pytest.raises(InvalidCredentialsError):
            pywinrm(endpoint.address, password, user).transport.send_message(GET)
        assert endpoint.statistics.rejected_logons == 1
        assert endpoint.statistics.requests == 0


def test_each_host_has_its_own_accounts() -> None:
    with EndpointServer() as server:
        first = server.add(new_address(), Machine())
        second = server.add(new_address(), Machine(known={USER: "another password"}))
        assert len(send(pywinrm(first.address), GET)) == 1
        assert len(send(pywinrm(second.address, "another password"), GET)) == 1
        with pytest.raises(InvalidCredentialsError):
            pywinrm(second.address).transport.send_message(GET)


def test_a_changed_password_holds_from_the_next_logon_on() -> None:
    machine = Machine()
    with serving(machine) as endpoint:
        client = pywinrm(endpoint.address)
        send(client, GET)
        machine.known[USER] = "changed"
        send(client, GET)  # the connection was authenticated before
        with pytest.raises(InvalidCredentialsError):
            pywinrm(endpoint.address).transport.send_message(GET)
        send(pywinrm(endpoint.address, "changed"), GET)


def test_a_clear_body_over_http_is_refused() -> None:
    """AllowUnencrypted=false, the default of Windows (wsman.md 5)."""
    with serving() as endpoint:
        with pytest.raises(WinRMTransportError) as caught:
            pywinrm(endpoint.address, message_encryption="never").transport.send_message(GET)
        assert caught.value.code == 500
        assert endpoint.statistics.requests == 0


def test_a_clear_body_over_http_is_served_where_allowed() -> None:
    with serving(settings=EndpointSettings(allow_unencrypted=True)) as endpoint:
        assert len(send(pywinrm(endpoint.address, message_encryption="never"), GET)) == 1


def test_basic_is_not_offered_over_http() -> None:
    with serving(settings=EndpointSettings(basic=True)) as endpoint:
        url = f"http://{endpoint.address}:5985/wsman"
        answer = requests.post(url, data=GET, auth=(USER, PASSWORD), timeout=10)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Negotiate"


def test_tls_with_ntlm_and_a_trusted_certificate(tmp_path: Path) -> None:
    address = new_address()
    tls = self_signed([address, "dc01.corp.example"])
    (tmp_path / "ca.pem").write_bytes(tls.certificate)
    with EndpointServer() as server:
        server.add(address, Machine(), tls=tls)
        client = pywinrm(
            address,
            endpoint=f"https://{address}:5986/wsman",
            message_encryption="auto",
            ca_trust_path=str(tmp_path / "ca.pem"),
        )
        assert len(send(client, GET)) == 1


def test_an_unknown_certificate_is_not_trusted() -> None:
    address = new_address()
    with EndpointServer() as server:
        server.add(address, Machine(), tls=self_signed([address]))
        client = pywinrm(address, endpoint=f"https://{address}:5986/wsman", message_encryption="auto")
        with pytest.raises(requests.exceptions.SSLError):
            client.transport.send_message(GET)


@pytest.mark.parametrize(
    ("password", "enabled", "served"), [(PASSWORD, True, True), ("no", True, False), (PASSWORD, False, False)]
)
def test_basic_over_tls(password: str, enabled: bool, served: bool) -> None:
    address = new_address()
    with EndpointServer() as server:
        server.add(address, Machine(), tls=self_signed([address]), settings=EndpointSettings(basic=enabled))
        client = pywinrm(
            address,
            password,
            endpoint=f"https://{address}:5986/wsman",
            transport="basic",
            message_encryption="auto",
            server_cert_validation="ignore",
        )
        if served:
            assert len(send(client, GET)) == 1
        else:
            with pytest.raises(InvalidCredentialsError):
                client.transport.send_message(GET)


def test_the_end_of_a_connection_comes_with_the_end_of_the_last_answer() -> None:
    """Else what a test sees next would depend on whether the client sends before it hears of the end."""
    with serving() as endpoint:
        for _attempt in range(20):
            client = pywinrm(endpoint.address)
            endpoint.faults.close_after()
            send(client, GET)
            (pool,) = client.transport.session.get_adapter("http://").poolmanager.pools._container.values()
            assert not pool.pool.get(block=False).is_connected


def test_a_lost_keep_alive_connection_breaks_the_client_until_it_starts_anew() -> None:
    """wsman.md 2.3: pywinrm seals with the old keys, the server can't decrypt: 400 without a body, for ever."""
    with serving() as endpoint:
        client = pywinrm(endpoint.address)
        send(client, GET)
        endpoint.faults.close_after()
        send(client, GET)
        handled = endpoint.statistics.requests
        for _attempt in range(3):
            with pytest.raises(WinRMTransportError) as caught:
                client.transport.send_message(GET)
            assert (caught.value.code, caught.value.response_text) == (400, "")
        assert endpoint.statistics.requests == handled  # nothing was executed: safe to repeat
        client.transport.close_session()
        assert len(send(client, GET)) == 1
