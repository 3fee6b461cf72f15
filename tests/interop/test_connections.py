# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every way to authenticate, over both connections of Ansible, against a real KDC and a host that it knows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import AccessDenied, AuthenticationRejected
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host
from ansible_collections.entsso.password_sync.tests.unit.lab.endpoint_kit import new_address
from ansible_collections.entsso.password_sync.tests.unit.plugin_utils.exchange_kit import KINDS
from lab.endpoint import EndpointSettings, TlsListener
from lab.endpoint.authority import Authority
from lab.samba.directory import Domain

from .place import PASSWORD, Place, placed

pytestmark = pytest.mark.needs("samba", "kinit", "root", "kerberos", "gssapi", "krb5", "pypsrp")


@pytest.fixture(scope="module")
def place(domain: Domain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A domain and a host in it."""
    with placed(domain, tmp_path_factory.mktemp("place")) as made:
        yield made


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Each connection in turn."""
    return str(request.param)


@pytest.fixture(autouse=True)
def _no_tickets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{tmp_path}/cache")
    monkeypatch.delenv("KRB5_CLIENT_KTNAME", raising=False)


def _reads(host: Host) -> tuple[str, str]:
    system = host.wmi.get("Win32_OperatingSystem")
    assert system is not None
    assert system.string("BuildNumber") == "20348"
    return host.authentication, host.encrypted


class TestKerberos:
    def test_with_the_users_own_ticket(self, place: Place, kind: str, tmp_path: Path) -> None:
        account = place.account()
        place.domain.kinit(account.partition("@")[0], PASSWORD, cache=tmp_path / "cache")
        with place.open(kind, tmp_path, account, mechanism="kerberos", ansible_password=None) as host:
            assert _reads(host) == ("kerberos", "message")
            assert host.run("x").exit_code == 0
            assert host.credentials is not None
            assert host.credentials.ticket_cache == f"FILE:{tmp_path}/cache"

    def test_with_a_keytab(self, place: Place, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        account = place.account()
        monkeypatch.setenv("KRB5_CLIENT_KTNAME", str(place.domain.keytab(account.partition("@")[0])))
        with place.open(kind, tmp_path, account, mechanism="kerberos", ansible_password=None) as host:
            assert _reads(host) == ("kerberos", "message")

    @pytest.mark.parametrize("mode", [None, "managed"])
    def test_with_the_password(self, place: Place, kind: str, tmp_path: Path, mode: str | None) -> None:
        given = {"ansible_winrm_kinit_mode": mode, "ansible_winrm_kinit_args": "-l 1h"} if mode else {}
        account = place.account()
        with place.open(kind, tmp_path, account, mechanism="kerberos", **given) as host:
            assert _reads(host) == ("kerberos", "message")
            credentials = host.credentials
            assert credentials is not None
            assert (credentials.account, credentials.password) == (account, PASSWORD)
            assert (credentials.host_name, credentials.kerberos) == (place.name, True)
            if kind == "winrm":
                assert credentials.ticket_cache
                assert "cache" not in credentials.ticket_cache

    @pytest.mark.parametrize("encryption", ["auto", "always", "never"])
    def test_over_https_with_channel_binding(self, place: Place, kind: str, tmp_path: Path, encryption: str) -> None:
        given = {**place.secure, "encryption": encryption, "mechanism": "kerberos"}
        with place.open(kind, tmp_path, place.account(), **given) as host:
            assert _reads(host) == ("kerberos", "message" if encryption == "always" else "TLS")

    def test_a_name_that_the_kdc_does_not_know(self, place: Place, kind: str, tmp_path: Path) -> None:
        given = {"mechanism": "kerberos", "host_name": "dc99.corp.example"}
        with (
            pytest.raises(AuthenticationRejected, match=r"the KDC knows no service for dc99\.corp\.example") as caught,
            place.open(kind, tmp_path, place.account(), **given) as host,
        ):
            _reads(host)
        assert "to the host's full name in the domain" in str(caught.value)
        assert not caught.value.credentials_presented

    def test_no_ticket_at_all(self, place: Place, kind: str, tmp_path: Path) -> None:
        with (
            pytest.raises(AuthenticationRejected, match=r"there is no Kerberos ticket .*KRB5_CLIENT_KTNAME"),
            place.open(kind, tmp_path, place.account(), mechanism="kerberos", ansible_password=None) as host,
        ):
            _reads(host)


class TestInTurn:
    def _both(self, kind: str) -> dict[str, Any]:
        return {"mechanism": ["kerberos", "ntlm"] if kind == "winrm" else "negotiate"}

    def test_kerberos_comes_first(self, place: Place, kind: str, tmp_path: Path) -> None:
        with place.open(kind, tmp_path, place.account(), **self._both(kind)) as host:
            assert _reads(host) == ("kerberos", "message")

    def test_a_host_that_has_no_kerberos(self, place: Place, kind: str, tmp_path: Path) -> None:
        """It is in no domain: no keys, so it refuses tickets and takes NTLM; one logon, none rejected twice."""
        account = place.account()
        alone = place.server.add(new_address(), place.endpoint.backend)
        with place.open(kind, tmp_path, account, **self._both(kind), ansible_host=alone.address) as host:
            assert _reads(host) == ("ntlm", "message")
            assert alone.statistics.logons == 1
            before = alone.statistics.http_requests
            host.reset()
            assert _reads(host) == ("ntlm", "message")
            # What has worked stays: NTLM's three messages and ours, no second try of Kerberos.
            assert alone.statistics.http_requests - before <= 4

    def test_ntlm_is_not_for_protected_users(self, place: Place, kind: str, tmp_path: Path) -> None:
        account = place.account()
        settings = EndpointSettings(protected_users=(account,))
        strict = place.server.add(new_address(), place.endpoint.backend, settings=settings, keytab=place.keytab)
        with place.open(kind, tmp_path / "a", account, **self._both(kind), ansible_host=strict.address) as host:
            assert _reads(host)[0] == "kerberos"
        with (
            pytest.raises(AuthenticationRejected, match="a member of Protected Users needs Kerberos"),
            place.open(kind, tmp_path / "b", account, mechanism="ntlm", ansible_host=strict.address) as host,
        ):
            _reads(host)


class TestWithoutTickets:
    def test_ntlm(self, place: Place, kind: str, tmp_path: Path) -> None:
        account = place.account()
        with place.open(kind, tmp_path, account) as host:
            assert _reads(host) == ("ntlm", "message")
        with place.open(kind, tmp_path, account, **place.secure) as host:
            assert _reads(host) == ("ntlm", "TLS")

    def test_basic_over_tls(self, place: Place, kind: str, tmp_path: Path) -> None:
        mechanism = "basic" if kind == "psrp" else "ssl"
        with place.open(kind, tmp_path, place.account(), **place.secure, mechanism=mechanism) as host:
            assert _reads(host) == ("basic", "TLS")

    def test_a_client_certificate(self, place: Place, kind: str, tmp_path: Path) -> None:
        account = place.account()
        users = Authority("User CA")
        certificate, key = users.user(account)
        (tmp_path / "user.pem").write_bytes(certificate)
        (tmp_path / "user.key").write_bytes(key)
        given = {"certificate": f"{tmp_path}/user.pem", "certificate_key": f"{tmp_path}/user.key"}
        own = Authority("Server CA")
        address = new_address()
        (tmp_path / "ca.pem").write_bytes(own.certificate)
        tls = TlsListener(*own.server([address]), client_authorities=users.certificate)
        mapping = {account.lower(): account}
        nobody = {"ansible_user": None, "ansible_password": None, "ansible_host": address}
        given |= {**place.secure, **nobody, "authority": f"{tmp_path}/ca.pem", "mechanism": "certificate"}
        # Who is mapped to nobody gets in and may do nothing (MS-WSMV 3.1.4.1.35).
        for settings, refusal in (
            (EndpointSettings(certificate=True, certificate_mapping=mapping), None),
            (EndpointSettings(certificate=True), AccessDenied),
            (EndpointSettings(), AuthenticationRejected),
        ):
            endpoint = place.server.add(address, place.endpoint.backend, tls=tls, settings=settings)
            with place.open(kind, tmp_path, "", **given) as host:
                if refusal is None:
                    assert _reads(host) == ("certificate", "TLS")
                else:
                    with pytest.raises(refusal) as caught:
                        _reads(host)
            endpoint.down()
        assert "client certificate on" in str(caught.value)
        assert "the host rejected it. Map it to an account" in str(caught.value)


class TestWrongPassword:
    """What the directory has counted in the end is what would lock the account out."""

    def test_the_kdc_sees_it_once_in_a_run(self, place: Place, kind: str, tmp_path: Path) -> None:
        account = place.account()
        other = next(name for name in KINDS if name != kind)
        both = {"winrm": {"mechanism": ["kerberos", "ntlm"]}, "psrp": {"mechanism": "negotiate"}}
        rejected = place.endpoint.statistics.rejected_logons
        for used, reason in ((kind, "the KDC gave no ticket"), (other, "not tried"), (kind, "not tried")):
            with (
                pytest.raises(AuthenticationRejected, match=reason),
                place.open(used, tmp_path, account, ansible_password="wrong", **both[used]) as host,
            ):
                _reads(host)
        assert place.wrong_passwords(account) == 1
        assert place.endpoint.statistics.rejected_logons == rejected

    def test_ntlm_is_not_tried_on_another_host(self, place: Place, kind: str, tmp_path: Path) -> None:
        account = place.account()
        second = place.server.add(new_address(), place.endpoint.backend, keytab=place.keytab)
        rejected = place.endpoint.statistics.rejected_logons
        for address in (place.endpoint.address, second.address):
            with (
                pytest.raises(AuthenticationRejected),
                place.open(kind, tmp_path, account, ansible_password="wrong", ansible_host=address) as host,
            ):
                _reads(host)
        assert place.endpoint.statistics.rejected_logons == rejected + 1
        assert second.statistics.http_requests == 0
