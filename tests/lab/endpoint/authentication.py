# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is at the other end of one TCP connection: Negotiate and NTLM through pyspnego, Basic over TLS."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

import spnego
from spnego.exceptions import SpnegoError

from .credentials import CredentialStore

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Verdict:
    """What to do with a request: go on when ``accepted``, else answer 401 with the headers."""

    accepted: bool
    headers: Headers = ()
    logged_on: bool = False
    rejected: bool = False


class ConnectionAuthentication:
    """The security context of one connection; as with Windows it lasts as long as the connection does."""

    def __init__(self, store: CredentialStore, *, basic: bool) -> None:
        """Start without a user.

        Args:
            store: Where pyspnego finds the accounts.
            basic: Offer Basic (the caller must have TLS).
        """
        self._store = store
        self._basic = basic
        self._context: spnego.ContextProxy | None = None
        self._user: str | None = None
        self.offers: Headers = (("WWW-Authenticate", "Negotiate"),)
        if basic:
            self.offers += (("WWW-Authenticate", 'Basic realm="WSMAN"'),)

    @property
    def user(self) -> str | None:
        """Name of who logged on, None before."""
        return self._user

    def judge(self, authorization: str | None, accounts: Mapping[str, str]) -> Verdict:
        """Take the Authorization header of a request, None when there is none.

        Args:
            authorization: The header's value.
            accounts: Who may log on now, with passwords.
        """
        if authorization is None:
            return Verdict(True) if self._user is not None else Verdict(False, self.offers)
        scheme, _space, text = authorization.partition(" ")
        try:
            token = base64.b64decode(text, validate=True)
        except binascii.Error:
            return self._reject()
        if scheme.lower() in ("negotiate", "ntlm"):
            return self._negotiate(scheme, token, accounts)
        if scheme.lower() == "basic" and self._basic:
            return self._check_basic(token, accounts)
        return self._reject()

    def wrap(self, data: bytes) -> tuple[bytes, bytes, int]:
        """Seal a message: signature, sealed bytes, padding length."""
        result = self._established().wrap_winrm(data)
        return result.header, result.data, result.padding_length

    def unwrap(self, signature: bytes, data: bytes) -> bytes:
        """Open a sealed message.

        Raises:
            SpnegoError: It was not sealed in this context, or not in this order.
        """
        return self._established().unwrap_winrm(signature, data)

    @property
    def can_seal(self) -> bool:
        """Whether there is a context with session keys."""
        return self._context is not None and self._context.complete

    def _established(self) -> spnego.ContextProxy:
        if self._context is None or not self._context.complete:
            raise SpnegoError(context_msg="There is no security context on this connection")
        return self._context

    def _negotiate(self, scheme: str, token: bytes, accounts: Mapping[str, str]) -> Verdict:
        with self._store.presented(accounts):
            if self._context is None or self._context.complete:
                self._user = None
                protocol = "ntlm" if token.startswith(b"NTLMSSP\0") else "negotiate"
                self._context = spnego.server(hostname="unspecified", service="http", protocol=protocol)
            try:
                answer = self._context.step(token)
            except (SpnegoError, ValueError, KeyError, IndexError):
                return self._reject()
        headers: Headers = ()
        if answer:
            headers = (("WWW-Authenticate", f"{scheme} {base64.b64encode(answer).decode()}"),)
        if not self._context.complete:
            return Verdict(False, headers)
        self._user = self._context.client_principal or ""
        return Verdict(True, headers, logged_on=True)

    def _check_basic(self, token: bytes, accounts: Mapping[str, str]) -> Verdict:
        name, _colon, password = token.decode("utf-8", "replace").partition(":")
        wanted = next((known for user, known in accounts.items() if user.lower() == name.lower()), None)
        if wanted is None or not hmac.compare_digest(wanted.encode(), password.encode()):
            return self._reject()
        first = self._user is None
        self._user = name
        return Verdict(True, logged_on=first)

    def _reject(self) -> Verdict:
        self._context = None
        self._user = None
        return Verdict(False, self.offers, rejected=True)
