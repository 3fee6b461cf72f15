# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts over real connections of Ansible, of either kind, for tests of what both must do alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._authentication_guard import (
    AuthenticationGuard,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._connection import connection_settings
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._credentials import credentials_of
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._http_exchange import HttpExchange
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host
from ansible_collections.entsso.password_sync.tests.unit.lab.endpoint_kit import PASSWORD, USER
from ansible_collections.entsso.password_sync.tests.unit.plugin_utils.ansible_connection import connection

KINDS = ("winrm", "psrp")

_NAMES = {
    "winrm": {
        "mechanism": "ansible_winrm_transport",
        "scheme": "ansible_winrm_scheme",
        "authority": "ansible_winrm_ca_trust_path",
        "encryption": "ansible_winrm_message_encryption",
        "host_name": "ansible_winrm_kerberos_hostname_override",
        "certificate": "ansible_winrm_cert_pem",
        "certificate_key": "ansible_winrm_cert_key_pem",
        "proxy": "ansible_winrm_proxy",
    },
    "psrp": {
        "mechanism": "ansible_psrp_auth",
        "scheme": "ansible_psrp_protocol",
        "authority": "ansible_psrp_ca_cert",
        "encryption": "ansible_psrp_message_encryption",
        "host_name": "ansible_psrp_negotiate_hostname_override",
        "certificate": "ansible_psrp_certificate_pem",
        "certificate_key": "ansible_psrp_certificate_key_pem",
        "proxy": "ansible_psrp_proxy",
    },
}


def variables(kind: str, address: str, /, **given: Any) -> dict[str, Any]:
    """Returns the variables of a host; what the two connections call differently is given by one name."""
    found: dict[str, Any] = {
        "ansible_host": address,
        "ansible_port": 5985,
        "ansible_user": USER,
        "ansible_password": PASSWORD,
        _NAMES[kind]["mechanism"]: "ntlm",
    }
    found.update({_NAMES[kind].get(name, name): value for name, value in given.items()})
    return {name: value for name, value in found.items() if value is not None}


def opened(kind: str, address: str, folder: Path, /, *, name: str = "dc01", **given: Any) -> Host:
    """Opens a host as `open_host` does, with an account guard of this test; use it as a context manager."""
    used = connection(kind, **variables(kind, address, **given))
    settings = connection_settings(used, name)
    exchange = HttpExchange(settings, name, AuthenticationGuard(folder, settings.account))
    return Host(name, exchange, credentials=lambda: credentials_of(used, name), sleep=lambda _seconds: None)
