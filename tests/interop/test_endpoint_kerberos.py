# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kerberos: tickets of Samba's KDC, MIT's GSS-API on both sides, pywinrm, pypsrp and curl as clients."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import spnego
from unit.lab.endpoint_kit import CIMV2, Machine, message, new_address, refused
from unit.lab.endpoint_kit import pywinrm as plain_pywinrm
from unit.lab.mechanism_kit import EVERYTHING, GET, REFUSED, Send, Site, only, owner, site
from unit.lab.raw_client import RawClient, middleman

from lab.endpoint import CbtHardeningLevel, EndpointServer, EndpointSettings, Logon
from lab.endpoint.authority import Authority
from lab.endpoint.tls import TlsListener
from lab.samba.directory import Domain

pytestmark = pytest.mark.needs("samba", "kinit", "curl", "gssapi", "krb5", "kerberos", "requests_credssp", "root")

NAME, OTHER = "host1.corp.example", "host2.corp.example"
USER, PASSWORD = "carol@corp.example", "Carol-Passw0rd"
BIG = message(
    f"{CIMV2}Win32_Service/StartService",
    f"{CIMV2}Win32_Service",
    f'<c:StartService_INPUT xmlns:c="{CIMV2}Win32_Service"><c:X>{"x" * 100_000}</c:X></c:StartService_INPUT>',
    selectors={"Name": "PCNSSVC"},
)


@pytest.fixture(scope="module")
def keytabs(domain: Domain) -> dict[str, Path]:
    """Two hosts and two users; nobody knows dave."""
    domain.add_user("carol", PASSWORD)
    domain.add_user("dave", PASSWORD)
    return {name: domain.add_computer(name) for name in (NAME, OTHER)}


@pytest.fixture
def ticket(domain: Domain, keytabs: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ticket of carol's in the cache that every client of this process uses."""
    cache = domain.kinit("carol", PASSWORD)
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{cache}")
    return cache


@pytest.fixture
def here(tmp_path: Path, ticket: Path, keytabs: dict[str, Path]) -> Iterator[Site]:
    """A host that lets carol in, by every mechanism that it has."""
    with _site(tmp_path, keytabs[NAME]) as found:
        yield found


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_pywinrm(here: Site, scheme: str) -> None:
    send = here.pywinrm(scheme, "kerberos")
    assert owner(send) == USER
    send(BIG)
    assert _invoked(here) == ["StartService"]
    assert here.endpoint.statistics.who == [Logon(USER, "negotiate", "kerberos")]


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(("auth", "inside"), [("kerberos", "kerberos"), ("negotiate", "kerberos")])
def test_pypsrp(here: Site, scheme: str, auth: str, inside: str) -> None:
    send = _pypsrp(here, scheme, auth)
    assert owner(send) == USER
    send(BIG)
    assert _invoked(here) == ["StartService"]
    (logon,) = here.endpoint.statistics.who
    assert (logon.account, logon.mechanism) == (USER, inside)


def test_the_scheme_kerberos_and_messages_sealed_as_such(
    tmp_path: Path, ticket: Path, keytabs: dict[str, Path]
) -> None:
    """MS-WSMV 2.2.9.1.2: pypsrp announces HTTP-Kerberos-session-encrypted when the host offers only Kerberos."""
    with _site(tmp_path, keytabs[NAME], only(kerberos=True)) as here:
        assert owner(_pypsrp(here, "http", "kerberos")) == USER
        assert here.endpoint.statistics.who == [Logon(USER, "kerberos", "kerberos")]
        with pytest.raises(ValueError, match="auth protocol 'Kerberos' which is incompatible"):
            _pypsrp(here, "http", "ntlm", username=USER, password=PASSWORD)(GET)


def test_credssp_with_a_ticket_inside(here: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """CredSSP knows the host by its name only, which no DNS of this machine has."""
    real = socket.getaddrinfo

    def resolve(host: str, *more: Any, **named: Any) -> Any:
        return real(here.endpoint.address if host == NAME else host, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    more = {"username": "carol@CORP.EXAMPLE", "password": PASSWORD, "credssp_auth_mechanism": "kerberos"}
    assert owner(here.pypsrp("http", "credssp", server=NAME, **more)) == USER
    assert here.endpoint.statistics.who == [Logon(USER, "credssp", "kerberos")]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_curl(here: Site, domain: Domain, scheme: str) -> None:
    """Clear text inside of TLS; over http it logs on and then nothing is served."""
    port = 5986 if scheme == "https" else 5985
    command = ["curl", "-sS", "--negotiate", "-u", ":", "--cacert", here.ca, "--data-binary", "@-"]
    command += ["-H", "Content-Type: application/soap+xml;charset=UTF-8", "-w", "%{http_code}"]
    command += ["--resolve", f"{NAME}:{port}:{here.endpoint.address}", f"{scheme}://{NAME}:{port}/wsman"]
    environment = os.environ | domain.environment()
    finished = subprocess.run(
        command, input=GET, capture_output=True, text=True, env=environment, timeout=30, check=True
    )
    assert here.endpoint.statistics.who == [Logon(USER, "negotiate", "kerberos")]
    if scheme == "https":
        assert "<p:BuildNumber>20348</p:BuildNumber>" in finished.stdout
    assert finished.stdout.endswith("200" if scheme == "https" else "500")
    assert here.endpoint.statistics.requests == (1 if scheme == "https" else 0)


def test_hosts_of_one_process_have_their_own_keys(
    tmp_path: Path, domain: Domain, ticket: Path, keytabs: dict[str, Path]
) -> None:
    """Many hosts, one process: each accepts tickets for itself only, also when they log on in turn."""
    authority = Authority("Not used over http")
    with EndpointServer() as server:
        hosts = {
            name: server.add(new_address(), _machine(), keytab=keytab, settings=EndpointSettings())
            for name, keytab in keytabs.items()
        }
        for _round in range(3):
            for name, endpoint in hosts.items():
                assert owner(Site(endpoint, authority, tmp_path, name).pywinrm("http", "kerberos")) == USER
        wrong = Site(hosts[OTHER], authority, tmp_path, NAME)
        with pytest.raises(REFUSED):
            wrong.pywinrm("http", "kerberos")(GET)
        assert hosts[OTHER].statistics.rejected_logons > 0
        assert all(len(endpoint.statistics.who) == 3 for endpoint in hosts.values())


def test_a_ticket_for_another_key_is_refused(tmp_path: Path, ticket: Path, keytabs: dict[str, Path]) -> None:
    """The right name with the wrong key, as after a change of the computer's password."""
    stale = tmp_path / "stale.keytab"
    stale.write_bytes(keytabs[OTHER].read_bytes().replace(OTHER.encode(), NAME.encode()))
    with _site(tmp_path, stale) as here:
        for send in (here.pywinrm("http", "kerberos"), _pypsrp(here, "http", "kerberos")):
            with pytest.raises(REFUSED):
                send(GET)
        assert not here.endpoint.statistics.who
        assert here.endpoint.statistics.requests == 0


def test_an_expired_ticket_is_refused(
    here: Site, domain: Domain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token that was made while the ticket was good, and comes when it is not, by more than clocks may differ.

    The ticket comes without a ticket-granting one, of which Samba accepts none that ends within two minutes.
    """
    settings = tmp_path / "krb5.conf"
    settings.write_text(domain.krb5_conf.read_text().replace("[libdefaults]", "[libdefaults]\n    clockskew = 1"))
    cache = domain.kinit("carol", PASSWORD, "-l", "2s", "-S", f"HTTP/{NAME}")
    expired = time.monotonic() + 2 + 1 + 1
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{cache}")
    early, late = (RawClient(here.endpoint.address, _context()) for _number in range(2))
    token = late.first_token()
    assert early.log_on()[0] == 200
    monkeypatch.setenv("KRB5_CONFIG", str(settings))
    time.sleep(max(0.0, expired - time.monotonic()))
    assert late.post(Authorization=token)[0] == 401
    assert here.endpoint.statistics.rejected_logons == 1
    with pytest.raises(REFUSED):  # a client that looks at its ticket first does not even try
        here.pywinrm("http", "kerberos")(GET)
    early.close()
    late.close()


def test_a_token_is_not_accepted_twice(here: Site) -> None:
    first, second = RawClient(here.endpoint.address, _context()), RawClient(here.endpoint.address, _context())
    status, token = first.log_on()
    assert status == 200
    assert second.post(Authorization=token)[0] == 401
    assert here.endpoint.statistics.who == [Logon(USER, "negotiate", "kerberos")]
    first.close()
    second.close()


def test_sealed_messages_are_served_once_and_in_order_and_no_clear_ones(here: Site) -> None:
    client = RawClient(here.endpoint.address, _context())
    client.log_on()
    body = client.sealed(GET)
    assert client.send_sealed(body)[0] == 200
    assert client.send_sealed(body) == (400, b"")
    assert client.send_clear(GET) == (500, b"")
    assert here.endpoint.statistics.requests == 1
    client.close()


def test_a_user_of_the_domain_whom_the_host_does_not_know_is_denied_access(
    here: Site, domain: Domain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{domain.kinit('dave', PASSWORD)}")
    client = plain_pywinrm(
        here.endpoint.address, transport="kerberos", user=None, password=None, kerberos_hostname_override=NAME
    )
    refusal = refused(client, BIG)
    assert (refusal.status, refusal.code, refusal.subcode) == (500, 5, "w:AccessDenied")
    assert not _invoked(here)


def test_members_of_protected_users_get_in_with_a_ticket_only(
    tmp_path: Path, ticket: Path, keytabs: dict[str, Path]
) -> None:
    with _site(tmp_path, keytabs[NAME], replace(EVERYTHING, protected_users=(USER,))) as here:
        with pytest.raises(REFUSED):
            here.pywinrm("http", "ntlm", user=USER, password=PASSWORD)(GET)
        assert owner(here.pywinrm("http", "kerberos")) == USER


def test_without_keys_negotiate_falls_back_to_ntlm(tmp_path: Path, ticket: Path) -> None:
    """A host outside of the domain; pypsrp offers both, and the host has only one."""
    with site(tmp_path, EndpointSettings(), _machine(), NAME) as here:
        send = _pypsrp(here, "http", "negotiate", username=USER, password=PASSWORD)
        assert owner(send) == USER
        assert here.endpoint.statistics.who == [Logon(USER, "negotiate", "ntlm")]


@pytest.mark.parametrize(
    ("level", "sent", "through", "served"),
    [
        (CbtHardeningLevel.STRICT, True, False, True),
        (CbtHardeningLevel.STRICT, False, False, False),
        (CbtHardeningLevel.STRICT, True, True, False),
        (CbtHardeningLevel.RELAXED, True, False, True),
        (CbtHardeningLevel.RELAXED, False, False, True),
        (CbtHardeningLevel.RELAXED, True, True, False),
        (CbtHardeningLevel.NONE, True, True, True),
    ],
)
def test_channel_binding(
    tmp_path: Path,
    ticket: Path,
    keytabs: dict[str, Path],
    level: CbtHardeningLevel,
    sent: bool,
    through: bool,
    served: bool,
) -> None:
    """With pypsrp: what pywinrm sends first never has a binding, because it has not seen a certificate yet."""
    with _site(tmp_path, keytabs[NAME], replace(EVERYTHING, cbt_hardening_level=level)) as here:
        address = new_address()
        listener = TlsListener(*here.authority.server([address]))
        with middleman((here.endpoint.address, 5986), listener, address, tmp_path / "ca.pem"):
            host = address if through else here.endpoint.address
            send = _pypsrp(here, "https", "kerberos", server=host, negotiate_send_cbt=sent)
            if served:
                assert owner(send) == USER
            else:
                with pytest.raises(REFUSED):
                    send(GET)
                assert not here.endpoint.statistics.who


def test_pywinrm_binds_to_the_channel_where_the_host_insists(
    tmp_path: Path, ticket: Path, keytabs: dict[str, Path]
) -> None:
    with _site(tmp_path, keytabs[NAME], replace(EVERYTHING, cbt_hardening_level=CbtHardeningLevel.STRICT)) as here:
        assert owner(here.pywinrm("https", "kerberos")) == USER
        with pytest.raises(REFUSED):
            here.pywinrm("https", "kerberos", send_cbt=False)(GET)


def _machine() -> Machine:
    return Machine(known={USER: PASSWORD})


def _site(folder: Path, keytab: Path, settings: EndpointSettings = EVERYTHING) -> AbstractContextManager[Site]:
    return site(folder, settings, _machine(), NAME, keytab=keytab)


def _pypsrp(here: Site, scheme: str, auth: str, **more: Any) -> Send:
    options: dict[str, Any] = {
        "username": None,
        "password": None,
        "negotiate_service": "HTTP",
        "negotiate_hostname_override": NAME,
    }
    return here.pypsrp(scheme, auth, **(options | more))


def _context() -> spnego.ContextProxy:
    return spnego.client(hostname=NAME, service="HTTP", protocol="kerberos")


def _invoked(here: Site) -> list[str]:
    machine = here.endpoint.backend
    assert isinstance(machine, Machine)
    return [method for _class, method, _instance, _parameters in machine.invoked]
