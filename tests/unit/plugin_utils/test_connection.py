# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of real Ansible connections: what is understood, and the sentences for what is refused."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.plugins.loader import become_loader

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import UnsupportedConnection
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection import _connection
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._connection import connection_settings
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._connection_settings import (
    ConnectionSettings,
    Exposure,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._credentials import (
    Credentials,
    credentials_of,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import open_host
from ansible_collections.entsso.password_sync.tests.unit.plugin_utils.ansible_connection import connection
from ansible_collections.entsso.password_sync.tests.unit.plugin_utils.exchange_kit import KINDS, variables

ADDRESS = "192.0.2.10"


def _settings(kind: str, exposure: Exposure = Exposure.NOBODY, **given: Any) -> ConnectionSettings:
    given = {"ansible_user": "CORP\\admin", "ansible_password": "pass word", **given}
    return connection_settings(connection(kind, **variables(kind, ADDRESS, **given)), "dc01", exposure=exposure)


def _refused(kind: str, exposure: Exposure = Exposure.NOBODY, **given: Any) -> str:
    with pytest.raises(UnsupportedConnection) as caught:
        _settings(kind, exposure, **given)
    assert str(caught.value).startswith("connection on dc01: ")
    return str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
class TestBoth:
    def test_variables_of_the_inventory(self, kind: str) -> None:
        found = _settings(kind, **{f"ansible_{kind}_connection_timeout": 7})
        assert found.endpoint == "http://192.0.2.10:5985/wsman"
        assert (found.address, found.port, found.tls) == (ADDRESS, 5985, False)
        assert found.mechanisms == ("ntlm",)
        assert (found.account, found.password) == ("CORP\\admin", "pass word")
        assert found.connect_timeout == 7
        assert not found.managed_kerberos
        assert all(value.__class__ is str for value in found.arguments.values() if isinstance(value, str))

    def test_defaults_of_ansible(self, kind: str) -> None:
        assert _settings(kind, ansible_port=None).endpoint == "https://192.0.2.10:5986/wsman"
        assert _settings(kind, ansible_port=None, scheme="http").port == (5986 if kind == "winrm" else 5985)
        assert _settings(kind, ansible_host="2001:db8::1").endpoint == "http://[2001:db8::1]:5985/wsman"

    def test_no_secret_in_the_representation(self, kind: str) -> None:
        assert "pass word" not in repr(_settings(kind))
        used = connection(kind, **variables(kind, ADDRESS, ansible_password="pass word"))
        assert "pass word" not in repr(credentials_of(used, "dc01"))

    def test_proxies(self, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("http_proxy", "HTTP_PROXY", "no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.delenv(name, raising=False)
        assert not _settings(kind).proxied
        assert _settings(kind, proxy="http://proxy:3128").proxied
        monkeypatch.setenv("http_proxy", "http://proxy:3128")
        assert _settings(kind).proxied
        assert not _settings("psrp", ansible_psrp_ignore_proxy=True).proxied

    def test_become_is_refused(self, kind: str) -> None:
        used = connection(kind, **variables(kind, ADDRESS))
        used.set_become_plugin(become_loader.get("runas"))
        with pytest.raises(UnsupportedConnection, match=r"become has no effect .* Set become: false"):
            connection_settings(used, "dc01")

    def test_another_ansible_core_is_named_in_one_sentence(self, kind: str) -> None:
        for bare in (SimpleNamespace(transport=kind, get_option=lambda _name: "Microsoft.PowerShell"),):
            with pytest.raises(UnsupportedConnection) as caught:
                connection_settings(bare, "dc01")
            assert f"the {kind} connection of this ansible-core has no _build_" in str(caught.value)
            assert "tested versions of ansible-core: 2.19, 2.20 and 2.21" in str(caught.value)

    def test_every_private_name_is_looked_for(self, kind: str) -> None:
        used = connection(kind, **variables(kind, ADDRESS))
        build = "_build_winrm_kwargs" if kind == "winrm" else "_build_kwargs"
        setattr(used, build, lambda: None)
        with pytest.raises(UnsupportedConnection, match="has no _winrm_host, " if kind == "winrm" else "_psrp_conn_kw"):
            connection_settings(used, "dc01")
        used._psrp_conn_kwargs = {"server": ADDRESS}
        if kind == "psrp":
            with pytest.raises(UnsupportedConnection, match="has no port, username"):
                connection_settings(used, "dc01")

    def test_basic_over_http_is_refused_for_every_host(self, kind: str) -> None:
        basic = {"mechanism": "basic" if kind == "psrp" else "plaintext", "encryption": "never"}
        for exposure in (Exposure.NOBODY, Exposure.HOST):
            said = _refused(kind, exposure, **basic)
            assert "over http shows the password and every message to anybody on the way" in said
            assert "AllowUnencrypted" in said
            assert (
                "Set ansible_winrm_scheme: https" if kind == "winrm" else "Set ansible_psrp_protocol: https"
            ) in said
        assert not _settings(kind, Exposure.ANYBODY, **basic).tls

    @pytest.mark.parametrize("mechanism", ["basic", "credssp"])
    def test_a_domain_controller_does_not_get_the_password(self, kind: str, mechanism: str) -> None:
        named = "ssl" if (kind, mechanism) == ("winrm", "basic") else mechanism
        given = {"mechanism": named, "scheme": "https", "ansible_port": 5986}
        said = _refused(kind, **given)
        assert f"{named} is not used with a domain controller" in said
        assert "hands the password to the host" in said
        assert "password_sync_allow_exposed_password: true" in said
        assert _settings(kind, Exposure.HOST, **given).mechanisms == (named,)

    def test_open_messages_do_not_go_to_a_domain_controller(self, kind: str) -> None:
        assert f"Set ansible_{kind}_message_encryption: auto" in _refused(kind, encryption="never")
        assert not _settings(kind, Exposure.HOST, encryption="never").seals("ntlm")
        secure = _settings(kind, encryption="never", scheme="https", ansible_port=5986)
        assert secure.tls

    def test_a_client_certificate_exposes_nothing_and_needs_https(self, kind: str) -> None:
        given: dict[str, Any] = {"mechanism": "certificate", "certificate": "/c", "certificate_key": "/k"}
        found = _settings(kind, **given, scheme="https", ansible_port=5986)
        assert found.authentication("certificate") == "certificate"
        assert not found.uses_password("certificate")
        assert "a client certificate needs https" in _refused(kind, Exposure.ANYBODY, **given)

    @pytest.mark.parametrize(
        ("encryption", "tls", "seals"),
        [
            *((*pair, True) for pair in itertools.product(("auto", "always"), (False,))),
            ("always", True, True),
            ("auto", True, False),
            ("never", True, False),
        ],
    )
    def test_when_messages_are_sealed(self, kind: str, encryption: str, tls: bool, seals: bool) -> None:
        given = {"scheme": "https", "ansible_port": 5986} if tls else {}
        found = _settings(kind, encryption=encryption, **given)
        assert [found.seals(name) for name in ("ntlm", "kerberos", "credssp")] == [seals] * 3
        assert not found.seals("certificate")


class TestWinrm:
    def test_a_list_of_transports_keeps_its_order(self) -> None:
        found = _settings("winrm", mechanism=["kerberos", "ntlm"])
        assert found.mechanisms == ("kerberos", "ntlm")
        assert found.managed_kerberos

    def test_who_uses_the_password(self) -> None:
        managed = _settings("winrm", mechanism="kerberos")
        assert managed.uses_password("kerberos")
        manual = _settings("winrm", mechanism="kerberos", ansible_winrm_kinit_mode="manual")
        assert not manual.uses_password("kerberos")

    def test_ssl_with_a_client_certificate_is_one(self) -> None:
        found = _settings(
            "winrm", mechanism="ssl", certificate="/c", certificate_key="/k", scheme="https", ansible_port=5986
        )
        assert found.authentication("ssl") == "certificate"

    def test_a_transport_that_is_unknown(self) -> None:
        assert "does not support transport(s) ['psychic']" in _refused("winrm", mechanism="psychic")

    def test_what_is_given_for_pywinrm(self) -> None:
        found = _settings("winrm", ansible_winrm_server_cert_validation="ignore", ansible_winrm_read_timeout_sec=200)
        assert found.arguments["server_cert_validation"] == "ignore"
        assert found.read_timeout == 200


class TestPsrp:
    def test_negotiate_is_kerberos_first(self) -> None:
        assert _settings("psrp", mechanism="negotiate").mechanisms == ("kerberos", "ntlm")
        assert _settings("psrp", mechanism=None).mechanisms == ("kerberos", "ntlm")

    def test_a_configuration_is_refused(self) -> None:
        said = _refused("psrp", ansible_psrp_configuration_name="JEA.Helpdesk")
        assert "the configuration JEA.Helpdesk restricts PowerShell, which is not used here" in said
        assert "Unset ansible_psrp_configuration_name" in said
        _settings("psrp", ansible_psrp_configuration_name="Microsoft.PowerShell")

    def test_what_is_given_for_pypsrp(self) -> None:
        found = _settings(
            "psrp",
            host_name="dc01.corp.example",
            ansible_psrp_cert_validation="ignore",
            ansible_psrp_read_timeout=200,
            ansible_psrp_negotiate_service="HTTP",
        )
        assert found.arguments["cert_validation"] is False
        assert found.arguments["negotiate_service"] == "HTTP"
        assert found.read_timeout == 200
        assert found.host_name == "dc01.corp.example"

    def test_the_service_in_the_spn_is_that_of_this_ansible_core(self) -> None:
        """WSMAN before 2.21, host since: both are in Windows' host name aliases, only the text differs."""
        from ansible.release import __version__

        release = tuple(int(part) for part in __version__.split(".")[:2])
        expected = "host" if release >= (2, 21) else "WSMAN"
        assert _settings("psrp").arguments["negotiate_service"] == expected


def test_private_names_are_used_in_one_file_only() -> None:
    private = re.compile(r"\b_(?:winrm|psrp|kerb)_(?!link)\w+|\b_build_(?:winrm_)?kwargs\b")
    plugins = Path(_connection.__file__).parents[1]
    users = {path.name for path in plugins.rglob("*.py") if private.search(path.read_text(encoding="utf-8"))}
    assert users == {"_connection.py"}


@pytest.mark.parametrize("kind", ["ssh", "local"])
def test_other_connections(kind: str) -> None:
    with pytest.raises(UnsupportedConnection) as caught:
        connection_settings(connection(kind, ansible_host=ADDRESS), "dc01")
    assert str(caught.value) == (
        f"connection on dc01: connection {kind} does not reach the WinRM service of a Windows host. "
        "Set ansible_connection: winrm (or psrp) for this host."
    )


class TestCredentials:
    def _of(self, kind: str, **given: Any) -> Credentials:
        return credentials_of(connection(kind, **variables(kind, ADDRESS, **given)), "dc01")

    @pytest.mark.parametrize("kind", KINDS)
    def test_of_ntlm(self, kind: str) -> None:
        found = self._of(kind, ansible_user="CORP\\admin", ansible_password="pass word")
        assert found == Credentials("CORP\\admin", "pass word", False, None, ADDRESS, ADDRESS)

    @pytest.mark.parametrize("kind", KINDS)
    def test_of_the_users_own_tickets(self, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
        own = {"mechanism": "kerberos", "ansible_password": None, "host_name": "dc01.corp.example"}
        monkeypatch.setenv("KRB5CCNAME", "FILE:/tickets")
        found = self._of(kind, **own)
        assert (found.password, found.kerberos, found.ticket_cache) == (None, True, "FILE:/tickets")
        assert (found.host_name, found.address) == ("dc01.corp.example", ADDRESS)
        monkeypatch.delenv("KRB5CCNAME")
        assert self._of(kind, **own).ticket_cache is None

    def test_a_password_that_the_connection_does_not_use_is_not_handed_on(self) -> None:
        assert self._of("winrm", mechanism="kerberos", ansible_winrm_kinit_mode="manual").password is None
        certificate = {"certificate": "/c", "certificate_key": "/k", "scheme": "https", "ansible_port": 5986}
        assert self._of("psrp", mechanism="certificate", **certificate).password is None

    @pytest.mark.parametrize("kind", KINDS)
    def test_what_is_refused_for_winrm_has_an_account_all_the_same(self, kind: str) -> None:
        assert self._of(kind, mechanism="credssp").password is not None


class TestOpenHost:
    CREDSSP = variables("winrm", ADDRESS, mechanism="credssp")

    def _vars(self, **more: Any) -> dict[str, Any]:
        return {"inventory_hostname": "dc01", "group_names": ["domain_controllers"], "groups": {}, **more}

    @pytest.mark.parametrize("kind", KINDS)
    def test_name_and_nothing_sent(self, kind: str) -> None:
        with open_host(connection(kind, **variables(kind, ADDRESS)), self._vars()) as host:
            assert host.name == "dc01"
            assert host.statistics.requests == 0
            assert host.credentials is not None

    def test_a_domain_controller_does_not_get_the_password(self) -> None:
        with pytest.raises(UnsupportedConnection, match="password_sync_allow_exposed_password: true"):
            open_host(connection(**self.CREDSSP), self._vars())
        open_host(connection(**self.CREDSSP), self._vars(password_sync_allow_exposed_password=True))
        open_host(connection(**self.CREDSSP), self._vars(group_names=["sso_servers"]))

    def test_nobody_gets_it_over_http_unless_it_is_said(self) -> None:
        clear = variables("winrm", ADDRESS, mechanism="plaintext")
        servers = self._vars(group_names=["sso_servers"])
        with pytest.raises(UnsupportedConnection, match="AllowUnencrypted"):
            open_host(connection(**clear), servers)
        open_host(connection(**clear), {**servers, "password_sync_allow_exposed_password": "true"})

    def test_delegation_to_a_domain_controller_counts(self) -> None:
        given = self._vars(inventory_hostname="sso01", group_names=[], groups={"domain_controllers": ["dc02"]})
        with pytest.raises(UnsupportedConnection, match="on dc02"):
            open_host(connection(**self.CREDSSP), given, name="dc02")
        assert open_host(connection(**self.CREDSSP), given).name == "sso01"
