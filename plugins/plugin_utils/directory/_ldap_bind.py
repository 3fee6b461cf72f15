# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logging on to a directory with Kerberos or NTLM, whose security context seals what follows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import AuthenticationRejected, HostError
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_result import bind_failure
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_settings import LdapSettings, Protocol
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._ldap_kerberos import (
    kerberos_unusable,
    logon_failure,
)

if TYPE_CHECKING:
    from spnego import ContextProxy

MECHANISM = "GSS-SPNEGO"
"""The SASL mechanism for both; a DC tells by the token which one it is (MS-ADTS 3.1.1.3.4.5.2)."""


@dataclass(frozen=True)
class Answer:
    """A server's answer to a bind.

    Attributes:
        complete: Whether the server is content.
        token: What it wants to tell the security context.
    """

    complete: bool
    token: bytes | None


Exchange = Callable[[bytes], Answer]
"""Sends a token to the server; raises `BindRefused` when it refuses."""


class BindRefused(Exception):
    """The server refused a bind. Internal to LDAP: `bind_failure` says what it means.

    Attributes:
        code: LDAP result code.
        name: Its name.
        text: The server's own words.
    """

    def __init__(self, code: int, name: str, text: str) -> None:
        super().__init__(code, name, text)
        self.code = code
        self.name = name
        self.text = text


class SealingContext:
    """Seals with the security context of the logon (RFC 4752 3.1, layer with confidentiality)."""

    def __init__(self, context: ContextProxy) -> None:
        self._context = context

    def seal(self, data: bytes) -> bytes:
        """Returns sealed bytes."""
        return self._context.wrap(data, encrypt=True).data

    def open(self, data: bytes) -> bytes:
        """Returns what was sealed; see `Sealing`."""
        from spnego.exceptions import SpnegoError

        try:
            result = self._context.unwrap(data)
        except SpnegoError as error:
            raise ValueError(str(error)) from error
        if not result.encrypted:
            raise ValueError("it is not encrypted")
        return result.data


def log_on(settings: LdapSettings, host: str, exchange: Exchange) -> tuple[SealingContext, str]:
    """Logs on.

    `negotiate` takes NTLM only where Kerberos can't be tried at all, which is known before any password has been
    checked: so a wrong one counts once.

    Args:
        settings: Account and protocol.
        host: Name of the domain controller, which is in its SPN.
        exchange: Sends tokens.

    Returns:
        What seals from now on, and the protocol that was used.

    Raises:
        AuthenticationRejected: The account was not let in.
        HostError: It could not be tried.
    """
    if settings.protocol is not Protocol.NTLM:
        try:
            return _log_on(settings, host, "kerberos", exchange), "kerberos"
        except AuthenticationRejected as error:
            possible = settings.protocol is Protocol.NEGOTIATE and settings.password is not None
            if not possible or not kerberos_unusable(error):
                raise
    return _log_on(settings, host, "ntlm", exchange), "ntlm"


def _log_on(settings: LdapSettings, host: str, protocol: str, exchange: Exchange) -> SealingContext:
    try:
        context = _context(settings, host, protocol)
        token = context.step()
    except Exception as error:
        raise logon_failure(error, host, settings) from error
    while True:
        try:
            answer = exchange(token or b"")
        except BindRefused as error:
            by_ticket = protocol == Protocol.KERBEROS
            raise bind_failure(
                host, settings.account, error.code, error.name, error.text, by_ticket=by_ticket
            ) from None
        if not context.complete:
            try:
                token = context.step(answer.token)
            except Exception as error:
                raise logon_failure(error, host, settings) from error
        if answer.complete:
            break
    if not context.complete:
        raise HostError(
            host,
            f"LDAP logon of {settings.account}",
            "the server let the account in without proving who it is itself",
            "Check that `server` is a domain controller",
        )
    return SealingContext(context)


def _context(settings: LdapSettings, host: str, protocol: str) -> ContextProxy:
    import spnego

    credential: str | spnego.KerberosCCache | None = settings.username or None
    if settings.password is None and settings.ticket_cache:
        credential = spnego.KerberosCCache(settings.ticket_cache, principal=settings.username or None)
    return spnego.client(
        credential,
        settings.password,
        hostname=host,
        service="ldap",
        protocol=protocol,
        context_req=spnego.ContextReq.mutual_auth
        | spnego.ContextReq.replay_detect
        | spnego.ContextReq.sequence_detect
        | spnego.ContextReq.confidentiality
        | spnego.ContextReq.integrity,
    )
