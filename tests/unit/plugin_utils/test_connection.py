# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of real Ansible connections: what is understood, and the sentences for what is refused."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import UnsupportedConnection
from ansible_collections.entsso.password_sync.plugins.plugin_utils._connection import WinrmSettings, winrm_settings
from ansible_collections.entsso.password_sync.plugins.plugin_utils._host import open_host
from ansible_collections.entsso.password_sync.tests.unit.plugin_utils.ansible_connection import connection

BASE = {
    "ansible_host": "192.0.2.10",
    "ansible_user": "CORP\\admin",
    "ansible_password": "pass word",
    "ansible_winrm_transport": "ntlm",
}


def _settings(allow_exposing: bool = False, **variables: Any) -> WinrmSettings:
    return winrm_settings(connection(**{**BASE, **variables}), "dc01", allow_exposing=allow_exposing)


def test_variables_of_the_inventory() -> None:
    found = _settings(
        ansible_port=5985, ansible_winrm_server_cert_validation="ignore", ansible_winrm_connection_timeout=7
    )
    assert found.endpoint == "http://192.0.2.10:5985/wsman"
    assert (found.address, found.port) == ("192.0.2.10", 5985)
    assert found.transports == ("ntlm",)
    assert found.account == "CORP\\admin"
    assert found.connect_timeout == 7
    assert not found.managed_kerberos
    assert found.arguments == {
        "username": "CORP\\admin",
        "password": "pass word",
        "server_cert_validation": "ignore",
    }
    assert all(value.__class__ is str for value in found.arguments.values())


def test_defaults_of_ansible() -> None:
    assert _settings().endpoint == "https://192.0.2.10:5986/wsman"
    assert _settings(ansible_host="2001:db8::1", ansible_port=5985).endpoint == "http://[2001:db8::1]:5985/wsman"


def test_a_list_of_transports_keeps_its_order() -> None:
    found = _settings(ansible_winrm_transport=["kerberos", "ntlm"])
    assert found.transports == ("kerberos", "ntlm")
    assert found.managed_kerberos


def test_no_secret_in_the_representation() -> None:
    assert "pass word" not in repr(_settings())


@pytest.mark.parametrize("transport", ["plaintext", "ssl", "basic", "credssp"])
def test_what_hands_the_password_over_is_refused(transport: str) -> None:
    fake = connection(**BASE)
    fake._build_winrm_kwargs()
    fake._winrm_transport = [transport]
    fake._build_winrm_kwargs = lambda: None
    with pytest.raises(UnsupportedConnection, match=rf"connection on dc01: transport {transport} is not used"):
        winrm_settings(fake, "dc01", allow_exposing=False)
    assert winrm_settings(fake, "dc01", allow_exposing=True).transports == (transport,)


def test_a_client_certificate_exposes_nothing() -> None:
    found = _settings(ansible_winrm_transport="ssl", ansible_winrm_cert_pem="/c", ansible_winrm_cert_key_pem="/k")
    assert found.arguments["cert_pem"] == "/c"


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("psrp", "connection psrp is not supported yet. Set ansible_connection: winrm for this host."),
        ("local", "connection local does not reach the WinRM service of a Windows host. Set ansible_connection: winrm"),
    ],
)
def test_other_connections(kind: str, sentence: str) -> None:
    other = SimpleNamespace(transport=kind)
    with pytest.raises(UnsupportedConnection) as caught:
        winrm_settings(other, "dc01", allow_exposing=False)
    assert sentence in str(caught.value)


def test_become_is_refused() -> None:
    used = connection(**BASE)
    used.become = object()
    with pytest.raises(UnsupportedConnection, match=r"become has no effect .* Set become: false"):
        winrm_settings(used, "dc01", allow_exposing=False)


def test_another_ansible_core_is_named_in_one_sentence() -> None:
    with pytest.raises(UnsupportedConnection) as caught:
        winrm_settings(SimpleNamespace(transport="winrm"), "dc01", allow_exposing=False)
    assert "has no _build_winrm_kwargs, _kerb_auth" in str(caught.value)
    assert "tested versions of ansible-core: 2.19, 2.20 and 2.21" in str(caught.value)
    stripped = connection(**BASE)
    stripped._build_winrm_kwargs = lambda: None
    with pytest.raises(UnsupportedConnection, match="has no _winrm_host"):
        winrm_settings(stripped, "dc01", allow_exposing=False)


class TestOpenHost:
    def _vars(self, **more: Any) -> dict[str, Any]:
        return {"inventory_hostname": "dc01", "group_names": ["domain_controllers"], "groups": {}, **more}

    def test_name_and_nothing_sent(self) -> None:
        with open_host(connection(**BASE), self._vars()) as host:
            assert host.name == "dc01"
            assert host.statistics.requests == 0

    def test_a_domain_controller_does_not_get_the_password(self) -> None:
        exposing = {**BASE, "ansible_winrm_transport": "credssp"}
        with pytest.raises(UnsupportedConnection, match="password_sync_allow_exposed_password: true"):
            open_host(connection(**exposing), self._vars())
        open_host(connection(**exposing), self._vars(password_sync_allow_exposed_password=True))
        open_host(connection(**exposing), self._vars(group_names=["sso_servers"]))

    def test_delegation_to_a_domain_controller_counts(self) -> None:
        exposing = {**BASE, "ansible_winrm_transport": "credssp"}
        variables = self._vars(inventory_hostname="sso01", group_names=[], groups={"domain_controllers": ["dc02"]})
        with pytest.raises(UnsupportedConnection, match="on dc02"):
            open_host(connection(**exposing), variables, name="dc02")
        assert open_host(connection(**exposing), variables).name == "sso01"
