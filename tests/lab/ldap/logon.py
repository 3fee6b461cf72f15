# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is at the other end of an LDAP connection: simple binds within TLS, NTLM with sealing (MS-ADTS 5.1.1.1)."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass

import sansldap
import spnego
from spnego.exceptions import SpnegoError

from lab.endpoint.credentials import shared_store

_REJECTED = "80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data 52e, v1db1"
_STRONG = "00002028: LdapErr: DSID-0C0901FC, comment: The server requires binds to turn on integrity checking"


@dataclass(frozen=True)
class Verdict:
    """What to answer a bind."""

    code: sansldap.LDAPResultCode
    text: str = ""
    token: bytes | None = None


class Logon:
    """The logon of one connection, until it is complete and after it."""

    def __init__(self, accounts: Mapping[str, str]) -> None:
        """Begin without a user.

        Args:
            accounts: Passwords by name, ``DOMAIN\\name`` or ``name@domain``.
        """
        self._accounts = accounts
        self._store = shared_store()
        self._context: spnego.ContextProxy | None = None
        self.complete = False
        self.user = ""
        """Who is logged on, by the name that was given."""
        self.rejections = 0
        """How many times a password was refused."""

    def bind(self, request: sansldap.BindRequest, *, tls: bool) -> Verdict:
        """Judge a bind."""
        self.complete = False
        credential = request.authentication
        if isinstance(credential, sansldap.SimpleCredential):
            return self._simple(request.name, credential.password, tls=tls)
        if isinstance(credential, sansldap.SaslCredential) and credential.mechanism in ("GSS-SPNEGO", "NTLM"):
            if tls:
                return Verdict(
                    sansldap.LDAPResultCode.UNWILLING_TO_PERFORM, "Sign or Seal are not allowed if TLS is used"
                )
            return self._negotiate(credential.credentials or b"")
        return Verdict(sansldap.LDAPResultCode.AUTH_METHOD_NOT_SUPPORTED)

    def seal(self, data: bytes) -> bytes:
        """Return data as it goes over the wire after the logon."""
        if self._context is None:
            return data
        sealed = self._context.wrap(data, encrypt=True).data
        return len(sealed).to_bytes(4, "big") + sealed

    def open(self, data: bytes) -> bytes:
        """Return what a client sealed.

        Raises:
            SpnegoError: It did not seal it in this context.
        """
        return self._context.unwrap(data).data if self._context is not None else data

    @property
    def sealed(self) -> bool:
        """Whether messages are sealed from now on."""
        return self.complete and self._context is not None

    def _simple(self, name: str, password: str, *, tls: bool) -> Verdict:
        if not tls:
            return Verdict(sansldap.LDAPResultCode.STRONG_AUTH_REQUIRED, _STRONG)
        wanted = next((known for user, known in self._accounts.items() if user.lower() == name.lower()), None)
        if wanted is None or not hmac.compare_digest(wanted.encode(), password.encode()):
            return self._reject()
        self.complete, self.user = True, name
        return Verdict(sansldap.LDAPResultCode.SUCCESS)

    def _negotiate(self, token: bytes) -> Verdict:
        with self._store.presented(self._accounts):
            if self._context is None:
                protocol = "ntlm" if token.startswith(b"NTLMSSP\0") else "negotiate"
                self._context = spnego.server(hostname="unspecified", service="ldap", protocol=protocol)
            try:
                answer = self._context.step(token)
            except (SpnegoError, ValueError, KeyError, IndexError):
                return self._reject()
        if not self._context.complete:
            return Verdict(sansldap.LDAPResultCode.SASL_BIND_IN_PROGRESS, token=answer)
        self.complete, self.user = True, self._context.client_principal or ""
        return Verdict(sansldap.LDAPResultCode.SUCCESS, token=answer)

    def _reject(self) -> Verdict:
        self._context = None
        self.rejections += 1
        return Verdict(sansldap.LDAPResultCode.INVALID_CREDENTIALS, _REJECTED)
