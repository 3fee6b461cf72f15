# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a directory is to be reached and who asks: module arguments, refused where they would show a password."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import UnsupportedConnection


class Protocol(StrEnum):
    """How the account proves who it is."""

    NEGOTIATE = "negotiate"
    KERBEROS = "kerberos"
    NTLM = "ntlm"
    SIMPLE = "simple"


class TlsMode(StrEnum):
    """Where TLS begins."""

    NONE = ""
    LDAPS = "ldaps"
    START_TLS = "start_tls"


@dataclass(frozen=True)
class LdapSettings:
    """Everything that a connection to a directory needs.

    Attributes:
        domain: DNS name of the domain; empty for the one of the server.
        server: Name or address of the domain controller; empty to find one in DNS.
        port: TCP port; 0 for 636 with LDAPS and 389 otherwise.
        protocol: How to authenticate.
        tls_mode: Where TLS begins.
        username: Account; empty for the owner of the Kerberos ticket cache.
        password: Its password; None for a ticket cache.
        ticket_cache: Kerberos ticket cache; empty for the default one.
        ca_cert: File with the CA certificates to trust; empty for those of the control node.
        name_servers: DNS servers to ask; none for those of the control node.
        connection_timeout: Seconds until a connection must be there.
        timeout: Seconds until an answer must be there.
    """

    domain: str = ""
    server: str = ""
    port: int = 0
    protocol: Protocol = Protocol.NEGOTIATE
    tls_mode: TlsMode = TlsMode.NONE
    username: str = ""
    password: str | None = field(default=None, repr=False)
    ticket_cache: str = ""
    ca_cert: str = ""
    name_servers: tuple[str, ...] = ()
    connection_timeout: float = 5.0
    timeout: float = 60.0

    @property
    def tcp_port(self) -> int:
        """The port to connect to."""
        return self.port or (636 if self.tls_mode is TlsMode.LDAPS else 389)

    @property
    def account(self) -> str:
        """The account, for sentences."""
        return self.username or "the owner of the Kerberos ticket cache"


def ldap_settings(arguments: Mapping[str, Any]) -> LdapSettings:
    """Returns the settings of module arguments.

    Args:
        arguments: Validated arguments with the options of the documentation fragment `ldap`.

    Raises:
        UnsupportedConnection: They contradict each other, or would send the password unencrypted.
    """
    given = {name: value for name, value in arguments.items() if value is not None}
    settings = LdapSettings(
        domain=str(given.get("domain", "")).strip().rstrip(".").lower(),
        server=str(given.get("server", "")).strip().rstrip("."),
        port=int(given.get("port", 0)),
        protocol=Protocol(str(given.get("auth_protocol", LdapSettings.protocol))),
        tls_mode=TlsMode(str(given["tls_mode"])) if "tls_mode" in given else _usual_tls(given),
        username=str(given.get("username", "")),
        password=str(given["password"]) if given.get("password") else None,
        ticket_cache=str(given.get("ticket_cache", "")),
        ca_cert=str(given.get("ca_cert", "")),
        name_servers=tuple(str(item) for item in given.get("name_servers", ())),
        connection_timeout=float(given.get("connection_timeout", LdapSettings.connection_timeout)),
        timeout=float(given.get("timeout", LdapSettings.timeout)),
    )
    _refuse(settings)
    return settings


VARIABLES = "password_sync_ldap_"
"""Prefix of the variables that stand in for options that are not given."""

_TOGETHER = (
    frozenset({"domain", "server", "port"}),
    frozenset({"auth_protocol", "username", "password", "ticket_cache"}),
)
"""Options that belong together: where, and as whom. A task that gives one wants no variable of its neighbours."""


def with_variables(arguments: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
    """Returns options, and for those that are not given the variables that stand in for them.

    Args:
        arguments: What the task gives, by option.
        variables: What the variables say, by option.
    """
    given = {name: value for name, value in arguments.items() if value is not None}
    closed = {name for group in _TOGETHER if group & given.keys() for name in group}
    return {**{name: value for name, value in variables.items() if name not in closed}, **given}


def is_configured(arguments: Mapping[str, Any]) -> bool:
    """Whether options say where the directory is."""
    return bool(arguments.get("domain") or arguments.get("server"))


def _usual_tls(given: Mapping[str, Any]) -> TlsMode:
    """As in microsoft.ad, the port of LDAPS stands for it."""
    return TlsMode.LDAPS if given.get("port") in (636, 3269) else TlsMode.NONE


def _refuse(settings: LdapSettings) -> None:
    problem = _problem(settings)
    if problem:
        raise UnsupportedConnection(settings.server or settings.domain, "LDAP", *problem)


def _problem(settings: LdapSettings) -> tuple[str, str] | None:
    tls = settings.tls_mode is not TlsMode.NONE
    if not settings.server and not settings.domain:
        return "it is not known where the directory is", "Give `domain`, `server`, or both"
    if settings.protocol is Protocol.SIMPLE and not tls:
        return (
            "`auth_protocol` simple without TLS would send the password as it is; nothing was sent",
            "Set `tls_mode` to ldaps or start_tls, or choose kerberos or ntlm",
        )
    if settings.protocol is not Protocol.SIMPLE and tls:  # MS-ADTS 5.1.2.1
        return (
            f"`auth_protocol` {settings.protocol.value} signs and seals by itself, which is refused within TLS",
            "Leave `tls_mode` (and port 636) out, or set `auth_protocol` to simple",
        )
    if settings.protocol in (Protocol.SIMPLE, Protocol.NTLM) and not (settings.username and settings.password):
        # A simple bind with a name and no password succeeds as nobody (RFC 4513 5.1.2).
        return (
            f"`auth_protocol` {settings.protocol.value} needs an account and a password that are not empty",
            "Give `username` and `password`, or use kerberos with a ticket",
        )
    if settings.password is not None and not settings.username:
        return "there is a `password` and no `username`", "Give both, or neither to use a Kerberos ticket"
    if settings.password is not None and settings.ticket_cache:
        return "there are a `password` and a `ticket_cache`", "Give one of them"
    if settings.connection_timeout <= 0 or settings.timeout <= 0:
        return "`connection_timeout` and `timeout` must be more than 0 seconds", "Correct them, or leave them out"
    return None
