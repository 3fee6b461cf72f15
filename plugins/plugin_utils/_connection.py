# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bridge to Ansible's connections; the only file that touches their private attributes.

What the inventory says about a host is read by the `winrm` connection plugin itself, so every variable works as it does
for any other module, `delegate_to` included. Its own `_connect` is not used, since that opens a command shell on the
host (ansible.md 4.1). The private names used here are the same in ansible-core 2.19, 2.20 and 2.21.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlunsplit

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import UnsupportedConnection

_TESTED = "2.19, 2.20 and 2.21"
_PRIVATE_METHODS = ("_build_winrm_kwargs", "_kerb_auth")
_PRIVATE_VALUES = (
    "_winrm_host",
    "_winrm_port",
    "_winrm_scheme",
    "_winrm_path",
    "_winrm_user",
    "_winrm_pass",
    "_winrm_transport",
    "_winrm_kwargs",
    "_winrm_connection_timeout",
    "_kerb_managed",
)
_EXPOSING = {
    "basic": "it hands the password to the host",
    "plaintext": "it hands the password to the host",
    "ssl": "without a client certificate it hands the password to the host",
    "credssp": "it hands the password to the host",
}


@dataclass(frozen=True)
class WinrmSettings:
    """How to reach a host's WinRM service, as the inventory says.

    Attributes:
        endpoint: URL of the service.
        address: Host name or address in it.
        port: TCP port.
        account: Account name; empty when the transport needs none.
        transports: pywinrm transports to try, in this order.
        arguments: Further arguments of `winrm.Protocol`, user name and password included.
        connect_timeout: Seconds to wait for a connection; None for the default.
        managed_kerberos: Whether a ticket is to be got with the password.
        connection: The Ansible connection, for `get_ticket` only.
    """

    endpoint: str
    address: str
    port: int
    account: str
    transports: tuple[str, ...]
    arguments: Mapping[str, Any] = field(repr=False)
    connect_timeout: int | None
    managed_kerberos: bool
    connection: Any = field(repr=False)

    def get_ticket(self) -> None:
        """Gets a Kerberos ticket into a cache of this process, as Ansible's plugin does it.

        Raises:
            ansible.errors.AnsibleConnectionFailure: kinit could not be run, or failed.
        """
        self.connection._kerb_auth(self.connection._winrm_user, self.connection._winrm_pass)


def winrm_settings(connection: Any, host: str, *, allow_exposing: bool) -> WinrmSettings:
    """Reads the settings of an Ansible connection; nothing is sent.

    Args:
        connection: The connection of the task.
        host: The host's name in the inventory.
        allow_exposing: Whether transports are allowed that hand the password to the host.

    Raises:
        UnsupportedConnection: With these settings the host can't be reached; says what to set.
    """
    _check_kind(connection, host)
    _check_private(connection, host, _PRIVATE_METHODS)
    connection._build_winrm_kwargs()
    _check_private(connection, host, _PRIVATE_VALUES)
    arguments = {str(name): _plain(value) for name, value in connection._winrm_kwargs.items()}
    transports = tuple(str(transport) for transport in connection._winrm_transport)
    if not allow_exposing:
        _check_exposure(transports, arguments, host)
    address, port = str(connection._winrm_host), int(connection._winrm_port)
    timeout = connection._winrm_connection_timeout
    return WinrmSettings(
        endpoint=urlunsplit(
            (str(connection._winrm_scheme), f"{_bracketed(address)}:{port}", str(connection._winrm_path), "", "")
        ),
        address=address,
        port=port,
        account=str(connection._winrm_user or ""),
        transports=transports,
        arguments=arguments,
        connect_timeout=int(timeout) if timeout else None,
        managed_kerberos=bool(connection._kerb_managed),
        connection=connection,
    )


def _check_kind(connection: Any, host: str) -> None:
    kind = str(getattr(connection, "transport", type(connection).__name__))
    if kind == "psrp":
        raise _unsupported(host, "connection psrp is not supported yet", "Set ansible_connection: winrm for this host")
    if kind != "winrm":
        raise _unsupported(
            host,
            f"connection {kind} does not reach the WinRM service of a Windows host",
            "Set ansible_connection: winrm for this host",
        )
    if getattr(connection, "become", None) is not None:
        raise _unsupported(
            host,
            "become has no effect on what goes over WS-Management, so it would be ignored silently",
            "Set become: false for this task, and connect with the account that has the rights",
        )


def _check_private(connection: Any, host: str, names: tuple[str, ...]) -> None:
    """Says in one plain sentence that this ansible-core is another one than was tested."""
    missing = [name for name in names if not hasattr(connection, name)]
    if missing:
        raise _unsupported(
            host,
            f"the winrm connection of this ansible-core has no {', '.join(missing)}",
            f"Use one of the tested versions of ansible-core: {_TESTED}",
        )


def _check_exposure(transports: tuple[str, ...], arguments: Mapping[str, Any], host: str) -> None:
    for transport in transports:
        if transport == "ssl" and arguments.get("cert_pem"):
            continue
        if transport in _EXPOSING:
            raise _unsupported(
                host,
                f"transport {transport} is not used with a domain controller: {_EXPOSING[transport]}",
                "Set ansible_winrm_transport: kerberos (or ntlm), or password_sync_allow_exposed_password: true",
            )


def _plain(value: Any) -> Any:
    """Takes Ansible's tags off text, which C libraries may refuse (ansible.md 4.6)."""
    return str(value) if isinstance(value, str) else value


def _bracketed(address: str) -> str:
    try:
        ipaddress.IPv6Address(address)
    except ValueError:
        return address
    return f"[{address}]"


def _unsupported(host: str, reason: str, remedy: str) -> UnsupportedConnection:
    return UnsupportedConnection(host, "connection", reason, remedy)
