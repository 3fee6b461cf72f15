# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each mechanism that needs no KDC, with two clients that we did not write; Kerberos is in tests/interop."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import requests
import spnego
from unit.lab.endpoint_kit import PASSWORD, UPN, USER, Machine, enumerate_message, new_address, service
from unit.lab.mechanism_kit import EVERYTHING, GET, REFUSED, only, owner, site
from unit.lab.raw_client import RawClient, middleman
from winrm.exceptions import InvalidCredentialsError, WinRMTransportError

from lab.endpoint import CbtHardeningLevel, EndpointSettings, Logon
from lab.endpoint import authentication as module
from lab.endpoint.authority import Authority
from lab.endpoint.sealing import Sealing, seal
from lab.endpoint.tls import TlsListener

HTTP = ("ntlm", "credssp")
HTTPS = (*HTTP, "basic", "certificate")
WAYS = [("http", transport) for transport in HTTP] + [("https", transport) for transport in HTTPS]
MECHANISM = {"ntlm": "ntlm", "credssp": "ntlm", "negotiate": "ntlm", "basic": "basic", "certificate": "certificate"}


@pytest.mark.parametrize(("scheme", "transport"), WAYS)
def test_pywinrm(tmp_path: Path, scheme: str, transport: str) -> None:
    with site(tmp_path) as here:
        assert owner(here.pywinrm(scheme, transport)) == USER
        (logon,) = here.endpoint.statistics.who
        assert logon == Logon(USER, "negotiate" if transport == "ntlm" else transport, MECHANISM[transport])


@pytest.mark.parametrize(("scheme", "transport"), [("http", "negotiate"), ("https", "negotiate"), *WAYS])
def test_pypsrp(tmp_path: Path, scheme: str, transport: str) -> None:
    with site(tmp_path) as here:
        assert owner(here.pypsrp(scheme, transport)) == USER
        assert here.endpoint.statistics.who[-1].mechanism == MECHANISM[transport]


@pytest.mark.parametrize("client", ["pywinrm", "pypsrp"])
def test_credssp_seals_long_messages_in_blocks(tmp_path: Path, client: str) -> None:
    """MS-WSMV 2.2.9.1.3: 16 KiB each; a request and an answer of several."""
    machine = Machine(services=[service(f"S{number}", Description="x" * 500) for number in range(80)])
    query = enumerate_message(f"select Name, Description from Win32_Service where Name <> '{'y' * 40_000}'")
    with site(tmp_path, replace(EVERYTHING, first_items=None), machine) as here:
        answer = getattr(here, client)("http", "credssp")(query)
        names = [element.text for element in answer.iter("Name")]
        assert names == [f"S{number}" for number in range(80)]
        assert here.endpoint.statistics.message_bytes_received > 40_000
        assert here.endpoint.statistics.message_bytes_sent > 40_000


@pytest.mark.parametrize(
    ("sealing", "size", "kind", "lengths"),
    [
        (Sealing.CREDSSP, 40_000, "multipart/x-multi-encrypted", [16384, 16384, 7232]),
        (Sealing.CREDSSP, 16_384, "multipart/encrypted", [16384]),
        (Sealing.SPNEGO, 40_000, "multipart/encrypted", [40000]),
        (Sealing.KERBEROS, 0, "multipart/encrypted", [0]),
    ],
)
def test_only_credssp_cuts_an_answer_into_blocks(sealing: Sealing, size: int, kind: str, lengths: list[int]) -> None:
    class Context:
        def wrap(self, data: bytes) -> tuple[bytes, bytes, int]:
            return b"signature", data, 0

    content_type, body = seal(b"x" * size, Context(), sealing)  # type: ignore[arg-type]
    assert content_type == f'{kind};protocol="{sealing.value}";boundary="Encrypted Boundary"'
    assert [int(length) for length in re.findall(rb"\r\n\tOriginalContent: .*?;Length=(\d+)\r\n", body)] == lengths
    assert body.count(b"\t\0\0\0signature") == len(lengths)  # its length, little endian, then the signature
    assert body.endswith(b"--Encrypted Boundary--\r\n")


@pytest.mark.parametrize("transport", HTTPS)
def test_a_host_that_offers_one_mechanism_refuses_the_others(tmp_path: Path, transport: str) -> None:
    setting = "negotiate" if transport == "ntlm" else transport
    with site(tmp_path, only(**{setting: True})) as here:
        served = []
        for candidate in HTTPS:
            try:
                served.append(candidate if owner(here.pywinrm("https", candidate)) == USER else "")
            except REFUSED:
                continue
        assert served == [transport]


def test_the_defaults_are_those_of_windows(tmp_path: Path) -> None:
    """wsman.md 5: Kerberos and Negotiate on, Basic, CredSSP and certificates off; Kerberos needs a domain."""
    with site(tmp_path, EndpointSettings()) as here:
        for port in (5985, 5986):
            url = f"{'https' if port == 5986 else 'http'}://{here.endpoint.address}:{port}/wsman"
            answer = requests.post(url, timeout=10, verify=here.ca)
            assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Negotiate")


@pytest.mark.parametrize("installed", [True, False])
def test_kerberos_is_offered_by_a_host_with_keys_where_gssapi_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed: bool
) -> None:
    monkeypatch.setattr(module, "HAS_KERBEROS", installed)
    keytab = tmp_path / "keytab"
    keytab.write_bytes(b"\x05\x02")
    with site(tmp_path, EndpointSettings(), keytab=keytab) as here:
        answer = requests.post(f"http://{here.endpoint.address}:5985/wsman", timeout=10)
        assert answer.headers["WWW-Authenticate"] == ("Negotiate, Kerberos" if installed else "Negotiate")
        assert owner(here.pywinrm("http", "ntlm")) == USER  # what is left works


@pytest.mark.parametrize("transport", ["ntlm", "credssp", "basic"])
def test_a_wrong_password_is_refused(tmp_path: Path, transport: str) -> None:
    with site(tmp_path) as here:
        with pytest.raises(REFUSED):
            here.pywinrm("https", transport, password="wrong")(GET)
        with pytest.raises(REFUSED):
            here.pypsrp("https", transport, password="wrong")(GET)
        assert here.endpoint.statistics.rejected_logons == 2
        assert not here.endpoint.statistics.who


@pytest.mark.parametrize(
    ("settings", "upn"),
    [
        (EVERYTHING, "somebody@corp.example"),
        (replace(EVERYTHING, certificate_mapping={UPN: "CORP\\nobody"}), UPN),
    ],
    ids=["not mapped", "mapped to nobody"],
)
def test_a_certificate_that_means_nobody_is_denied_access(tmp_path: Path, settings: EndpointSettings, upn: str) -> None:
    """MS-WSMV 3.1.4.1.35."""
    with site(tmp_path, settings) as here:
        certificate, key = here.user(upn)
        with pytest.raises(WinRMTransportError) as caught:
            here.pywinrm("https", "certificate", cert_pem=certificate, cert_key_pem=key)(GET)
        assert caught.value.code == 500
        assert 'Code="5"' in caught.value.response_text
        assert not here.endpoint.statistics.who


def test_certificates_can_be_switched_off(tmp_path: Path) -> None:
    with site(tmp_path, replace(EVERYTHING, certificate=False)) as here, pytest.raises(InvalidCredentialsError):
        here.pywinrm("https", "certificate")(GET)


def test_a_certificate_of_another_authority_is_refused(tmp_path: Path) -> None:
    with site(tmp_path) as here:
        certificate, key = here.user(UPN, Authority("Somebody else"))
        with pytest.raises(requests.exceptions.RequestException):
            here.pywinrm("https", "certificate", cert_pem=certificate, cert_key_pem=key)(GET)
        assert not here.endpoint.statistics.who


def test_a_certificate_means_nothing_over_http(tmp_path: Path) -> None:
    with site(tmp_path) as here:
        with pytest.raises(WinRMTransportError) as caught:
            here.pywinrm("http", "certificate")(GET)
        assert caught.value.code == 403


def test_the_name_of_the_certificate_profile_without_a_certificate_is_refused(tmp_path: Path) -> None:
    with site(tmp_path) as here:
        headers = {"Authorization": module.CERTIFICATE_PROFILE}
        url = f"https://{here.endpoint.address}:5986/wsman"
        assert requests.post(url, GET, headers=headers, verify=here.ca, timeout=10).status_code == 403


@pytest.mark.parametrize("settings", [EndpointSettings(ntlm=False), EndpointSettings(protected_users=(USER,))])
def test_ntlm_can_be_forbidden_for_all_or_for_protected_users(tmp_path: Path, settings: EndpointSettings) -> None:
    with site(tmp_path, replace(settings, basic=True)) as here:
        with pytest.raises(InvalidCredentialsError):
            here.pywinrm("https", "ntlm")(GET)
        assert owner(here.pywinrm("https", "basic")) == USER


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
def test_channel_binding(tmp_path: Path, level: CbtHardeningLevel, sent: bool, through: bool, served: bool) -> None:
    """Somebody in the middle shows a certificate that the client trusts; only the binding tells the host."""
    with site(tmp_path, replace(EVERYTHING, cbt_hardening_level=level)) as here:
        address = new_address()
        listener = TlsListener(*here.authority.server([address]))
        target = (here.endpoint.address, 5986)
        with middleman(target, listener, address, tmp_path / "ca.pem"):
            host = address if through else here.endpoint.address
            send = here.pywinrm("https", "ntlm", endpoint=f"https://{host}:5986/wsman", send_cbt=sent)
            if served:
                assert owner(send) == USER
            else:
                with pytest.raises(InvalidCredentialsError):
                    send(GET)
                assert not here.endpoint.statistics.who


def test_a_sealed_message_is_not_served_twice(tmp_path: Path) -> None:
    with site(tmp_path) as here:
        client = RawClient(here.endpoint.address, _context())
        client.log_on()
        body = client.sealed(GET)
        assert client.send_sealed(body)[0] == 200
        assert client.send_sealed(body) == (400, b"")
        assert here.endpoint.statistics.requests == 1
        client.close()


def test_a_sealed_message_of_another_connection_is_not_served(tmp_path: Path) -> None:
    with site(tmp_path) as here:
        first, second = (RawClient(here.endpoint.address, _context()) for _number in range(2))
        first.log_on()
        second.log_on()
        assert second.send_sealed(first.sealed(GET)) == (400, b"")
        assert here.endpoint.statistics.requests == 0
        first.close()
        second.close()


def test_a_clear_body_over_http_is_refused_though_logged_on(tmp_path: Path) -> None:
    with site(tmp_path) as here:
        client = RawClient(here.endpoint.address, _context())
        assert client.log_on()[0] == 200
        assert client.send_clear(GET) == (500, b"")
        assert here.endpoint.statistics.requests == 0
        client.close()


def test_a_message_that_says_it_is_sealed_by_credssp_needs_credssp(tmp_path: Path) -> None:
    with site(tmp_path) as here:
        client = RawClient(here.endpoint.address, _context())
        client.log_on()
        body = client.sealed(GET).replace(b"HTTP-SPNEGO-", b"HTTP-CredSSP-")
        assert client.send_sealed(body)[0] == 400
        client.close()


def test_the_wrong_order_of_blocks_is_refused(tmp_path: Path) -> None:
    with site(tmp_path) as here:
        client = RawClient(here.endpoint.address, _context())
        client.log_on()
        first, second = client.sealed(GET), client.sealed(GET)
        assert client.send_sealed(second)[0] == 400
        assert client.send_sealed(first)[0] == 400
        assert here.endpoint.statistics.requests == 0
        client.close()


def _context() -> spnego.ContextProxy:
    return spnego.client(USER, PASSWORD, hostname="dc01", service="http", protocol="ntlm")
