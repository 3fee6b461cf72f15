# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bridge to Ansible's connections; the only file that touches their private attributes.

What the inventory says about a host is read by the connection plugin itself, so every variable works as it does for any
other module, `delegate_to` included. Its own `_connect` is not used: it opens a command shell (winrm) or starts
PowerShell (psrp) on the host (ansible.md 4.1, 4.2). The private names used here are the same in the tested versions of
ansible-core; the default of `ansible_psrp_negotiate_service` is not (WSMAN before 2.21, host since).
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlunsplit

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import UnsupportedConnection
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._connection_settings import (
    ConnectionSettings,
    Exposure,
    Kind,
    check_exposure,
)

TESTED = "2.19, 2.20 and 2.21"
_SET_WINRM = "Set ansible_connection: winrm (or psrp) for this host"
_POWERSHELL = "Microsoft.PowerShell"

_WINRM_METHODS = ("_build_winrm_kwargs", "_kerb_auth")
_WINRM_VALUES = (
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
_PSRP_METHODS = ("_build_kwargs",)
_PSRP_VALUES = ("_psrp_conn_kwargs",)
_PSRP_KEYS = ("server", "port", "username", "password", "ssl", "path", "auth", "encryption", "proxy", "no_proxy")

_CONNECT_TIMEOUT = 30
_READ_TIMEOUT = 75
"""Above the operation time-out that every request names (60 seconds), so that the host answers first."""


def connection_settings(
    connection: Any, host: str, *, exposure: Exposure = Exposure.ANYBODY, checked: bool = True
) -> ConnectionSettings:
    """Reads the settings of an Ansible connection; nothing is sent.

    Args:
        connection: The connection of the task.
        host: The host's name in the inventory.
        exposure: To whom the password may be shown.
        checked: Whether settings are refused that can't or must not be used.

    Raises:
        UnsupportedConnection: With these settings the host can't be reached; says what to set.
    """
    kind = _kind(connection, host)
    settings = _psrp(connection, host, checked) if kind is Kind.PSRP else _winrm(connection, host)
    if checked:
        _check_become(connection, host)
        check_exposure(settings, host, exposure)
    return settings


def get_ticket(connection: Any) -> None:
    """Gets a Kerberos ticket with the password, as the winrm plugin does it: into a new cache of this process.

    Raises:
        ansible.errors.AnsibleConnectionFailure: kinit could not be run, or failed.
    """
    connection._kerb_auth(connection._winrm_user, connection._winrm_pass)


def ticket_cache(connection: Any) -> str | None:
    """Returns the name of the cache that `get_ticket` filled; None before."""
    cache = getattr(connection, "_kerb_ccache", None)
    return f"FILE:{cache.name}" if cache is not None and os.path.exists(cache.name) else None


def _kind(connection: Any, host: str) -> Kind:
    name = str(getattr(connection, "transport", type(connection).__name__))
    try:
        return Kind(name)
    except ValueError:
        raise _unsupported(
            host, f"connection {name} does not reach the WinRM service of a Windows host", _SET_WINRM
        ) from None


def _check_become(connection: Any, host: str) -> None:
    if getattr(connection, "become", None) is not None:
        raise _unsupported(
            host,
            "become has no effect on what goes over WS-Management, so it would be ignored silently",
            "Set become: false for this task, and connect with the account that has the rights",
        )


def _winrm(connection: Any, host: str) -> ConnectionSettings:
    _check_private(connection, host, "winrm", _WINRM_METHODS)
    _build(connection._build_winrm_kwargs, host)
    _check_private(connection, host, "winrm", _WINRM_VALUES)
    arguments = _plain_values(connection._winrm_kwargs)
    address, port = str(connection._winrm_host), int(connection._winrm_port)
    scheme, account = str(connection._winrm_scheme), str(connection._winrm_user or "")
    proxy = arguments.get("proxy", "legacy_requests")
    return ConnectionSettings(
        kind=Kind.WINRM,
        endpoint=_url(scheme, address, port, str(connection._winrm_path)),
        address=address,
        port=port,
        account=account,
        password=_text(connection._winrm_pass),
        mechanisms=tuple(str(transport) for transport in connection._winrm_transport),
        arguments=arguments,
        message_encryption=str(arguments.get("message_encryption", "auto")),
        host_name=str(arguments.get("kerberos_hostname_override") or address),
        connect_timeout=_seconds(connection._winrm_connection_timeout) or _CONNECT_TIMEOUT,
        read_timeout=max(_READ_TIMEOUT, _seconds(arguments.get("read_timeout_sec"))),
        proxied=_proxied(None if proxy == "legacy_requests" else proxy, proxy is None, scheme, address, port),
        managed_kerberos=bool(connection._kerb_managed),
        connection=connection,
    )


def _psrp(connection: Any, host: str, checked: bool) -> ConnectionSettings:
    _check_private(connection, host, "psrp", _PSRP_METHODS)
    configuration = str(connection.get_option("configuration_name"))
    if checked and configuration != _POWERSHELL:
        raise _unsupported(
            host,
            f"the configuration {configuration} restricts PowerShell, which is not used here, so it would be ignored",
            "Unset ansible_psrp_configuration_name for this host",
        )
    _build(connection._build_kwargs, host)
    _check_private(connection, host, "psrp", _PSRP_VALUES)
    arguments = _plain_values(connection._psrp_conn_kwargs)
    missing = [name for name in _PSRP_KEYS if name not in arguments]
    if missing:
        raise _other_core(host, "psrp", missing)
    address, port = str(arguments["server"]), int(arguments["port"])
    scheme = "https" if arguments["ssl"] else "http"
    auth = str(arguments["auth"])
    return ConnectionSettings(
        kind=Kind.PSRP,
        endpoint=_url(scheme, address, port, f"/{arguments['path']}"),
        address=address,
        port=port,
        account=str(arguments["username"] or ""),
        password=_text(arguments["password"]),
        # Negotiate of the library would show a password that the KDC has rejected to the host as well.
        mechanisms=("kerberos", "ntlm") if auth == "negotiate" else (auth,),
        arguments=arguments,
        message_encryption=str(arguments["encryption"]),
        host_name=str(arguments.get("negotiate_hostname_override") or address),
        connect_timeout=_seconds(arguments.get("connection_timeout")) or _CONNECT_TIMEOUT,
        read_timeout=max(_READ_TIMEOUT, _seconds(arguments.get("read_timeout"))),
        proxied=_proxied(arguments["proxy"], bool(arguments["no_proxy"]), scheme, address, port),
        managed_kerberos=False,
        connection=connection,
    )


def _build(build: Any, host: str) -> None:
    from ansible.errors import AnsibleError

    try:
        build()
    except AnsibleError as error:
        raise _unsupported(host, f"its settings can't be used ({error})", "Correct them") from error


def _check_private(connection: Any, host: str, kind: str, names: tuple[str, ...]) -> None:
    missing = [name for name in names if not hasattr(connection, name)]
    if missing:
        raise _other_core(host, kind, missing)


def _other_core(host: str, kind: str, missing: list[str]) -> UnsupportedConnection:
    """Says in one plain sentence that this ansible-core is another one than was tested."""
    return _unsupported(
        host,
        f"the {kind} connection of this ansible-core has no {', '.join(missing)}",
        f"Use one of the tested versions of ansible-core: {TESTED}",
    )


def _proxied(proxy: str | None, ignore_environment: bool, scheme: str, address: str, port: int) -> bool:
    if proxy:
        return True
    if ignore_environment:
        return False
    from requests.utils import get_environ_proxies

    return bool(get_environ_proxies(_url(scheme, address, port, "")))


def _url(scheme: str, address: str, port: int, path: str) -> str:
    return urlunsplit((scheme, f"{_bracketed(address)}:{port}", path, "", ""))


def _bracketed(address: str) -> str:
    try:
        ipaddress.IPv6Address(address)
    except ValueError:
        return address
    return f"[{address}]"


def _plain_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Takes Ansible's tags off text, which C libraries may refuse (ansible.md 4.6)."""
    return {str(name): str(value) if isinstance(value, str) else value for name, value in values.items()}


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _seconds(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        return 0


def _unsupported(host: str, reason: str, remedy: str) -> UnsupportedConnection:
    return UnsupportedConnection(host, "connection", reason, remedy)
