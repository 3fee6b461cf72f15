# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is at the other end of one TCP connection: what winrm/config/service/auth lets in, and as whom."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, replace

from spnego.exceptions import SpnegoError

from .acceptors import HAS_KERBEROS, Acceptor, ChannelBinding, RefusedError
from .authority import upn_of
from .credentials import CredentialStore
from .settings import EndpointSettings

Headers = tuple[tuple[str, str], ...]

CERTIFICATE_PROFILE = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
"""What a client sends as Authorization when its TLS certificate says who it is (DSP0226 annex C.3.5)."""


@dataclass(frozen=True)
class Verdict:
    """What to do with a request: go on when ``accepted``, else answer the status with the headers."""

    accepted: bool
    headers: Headers = ()
    status: int = 401
    logged_on: bool = False
    rejected: bool = False


@dataclass(frozen=True)
class Channel:
    """The TLS connection below HTTP: certificates in DER, the client's is empty when it showed none."""

    server_certificate: bytes
    client_certificate: bytes = b""


class ConnectionAuthentication:
    """The security context of one connection; as with Windows it lasts as long as the connection does."""

    def __init__(
        self,
        store: CredentialStore,
        settings: EndpointSettings,
        *,
        keytab: bytes = b"",
        channel: Channel | None = None,
    ) -> None:
        """Start without a user.

        Args:
            store: Where the mechanisms find accounts and keys.
            settings: Which mechanisms are on.
            keytab: Keys of the host's own principals; empty for a host that is in no domain.
            channel: TLS, if any.
        """
        self._store = store
        self._settings = settings
        self._keytab = keytab
        self._channel = channel
        self._acceptor: Acceptor | None = None
        self._user: str | None = None
        self._scheme = ""
        on = {
            "Negotiate": settings.negotiate,
            "Kerberos": settings.kerberos and HAS_KERBEROS and bool(keytab),
            "CredSSP": settings.credssp,
            "Basic": settings.basic and channel is not None,
        }
        self._schemes = {scheme.lower() for scheme, offered in on.items() if offered}
        if settings.negotiate:
            self._schemes.add("ntlm")
        self.offers: Headers = tuple(
            ("WWW-Authenticate", 'Basic realm="WSMAN"' if scheme == "Basic" else scheme)
            for scheme, offered in on.items()
            if offered
        )

    @property
    def user(self) -> str | None:
        """Name of who logged on, None before."""
        return self._user

    @property
    def scheme(self) -> str:
        """How: the scheme of HTTP in lower case, ``certificate`` for one of TLS, empty before."""
        return self._scheme

    @property
    def mechanism(self) -> str:
        """How a scheme that negotiates did it: ``kerberos`` or ``ntlm``; else the scheme."""
        return self._acceptor.mechanism if self._acceptor else self._scheme

    def judge(self, authorization: str | None, accounts: Mapping[str, str]) -> Verdict:
        """Take the Authorization header of a request, None when there is none.

        Args:
            authorization: The header's value.
            accounts: Who may log on now, with passwords.
        """
        if authorization is None:
            return Verdict(True) if self._user is not None else Verdict(False, self.offers)
        if authorization == CERTIFICATE_PROFILE:
            return self._check_certificate(accounts)
        scheme, _space, text = authorization.partition(" ")
        try:
            token = base64.b64decode(text, validate=True)
        except binascii.Error:
            return self._reject()
        if scheme.lower() not in self._schemes:
            return self._reject()
        if scheme.lower() == "basic":
            return self._check_basic(token, accounts)
        return self._negotiate(scheme, token, accounts)

    def wrap(self, data: bytes) -> tuple[bytes, bytes, int]:
        """Seal a message: signature, sealed bytes, padding length."""
        return self._established().wrap(data)

    def unwrap(self, signature: bytes, data: bytes) -> bytes:
        """Open a sealed message.

        Raises:
            SpnegoError: It was not sealed in this context, or not in this order.
        """
        return self._established().unwrap(signature, data)

    def _established(self) -> Acceptor:
        if self._acceptor is None or not self._acceptor.complete:
            raise SpnegoError(context_msg="There is no security context on this connection")
        return self._acceptor

    def _negotiate(self, scheme: str, token: bytes, accounts: Mapping[str, str]) -> Verdict:
        with self._store.presented(accounts, self._keytab):
            try:
                if self._acceptor is None or self._acceptor.complete:
                    self._user = None
                    self._acceptor = Acceptor(scheme.lower(), self._binding())
                    self._scheme = scheme.lower()
                answer = self._acceptor.step(token)
            except RefusedError as refusal:
                return self._reject(_header(scheme, refusal.token))
        headers = _header(scheme, answer)
        if not self._acceptor.complete:
            return Verdict(False, headers)
        if self._acceptor.mechanism == "ntlm" and not self._may_use_ntlm(self._acceptor.user):
            return self._reject()
        self._user = _account(self._acceptor.user, accounts)
        return Verdict(True, headers, logged_on=True)

    def _binding(self) -> ChannelBinding:
        if self._channel is None:
            return ChannelBinding()
        return ChannelBinding.of(self._channel.server_certificate, self._settings.cbt_hardening_level)

    def _may_use_ntlm(self, user: str) -> bool:
        protected = {name.lower() for name in self._settings.protected_users}
        return self._settings.ntlm and user.lower() not in protected

    def _check_basic(self, token: bytes, accounts: Mapping[str, str]) -> Verdict:
        name, _colon, password = token.decode("utf-8", "replace").partition(":")
        wanted = next((known for user, known in accounts.items() if user.lower() == name.lower()), None)
        if wanted is None or not hmac.compare_digest(wanted.encode(), password.encode()):
            return self._reject()
        return self._enter(name, "basic", accounts)

    def _check_certificate(self, accounts: Mapping[str, str]) -> Verdict:
        """Take who showed a certificate that TLS trusted for the account that it is mapped to.

        One that is mapped to nobody is let in as nobody, who is denied everything (MS-WSMV 3.1.4.1.35). Where there is
        none the answer is 403 (DSP0226 annex C.3.5).
        """
        if not self._settings.certificate:
            return self._reject()
        if self._channel is None or not self._channel.client_certificate:
            return replace(self._reject(), headers=(), status=403)
        account = self._settings.certificate_mapping.get(upn_of(self._channel.client_certificate).lower(), "")
        if account.lower() not in (name.lower() for name in accounts):
            self._reject()
            self._user = ""
            return Verdict(True, rejected=True)
        return self._enter(account, "certificate", accounts)

    def _enter(self, name: str, scheme: str, accounts: Mapping[str, str]) -> Verdict:
        account = _account(name, accounts)
        first = self._user != account
        self._acceptor = None
        self._user, self._scheme = account, scheme
        return Verdict(True, logged_on=first)

    def _reject(self, headers: Headers = ()) -> Verdict:
        self._acceptor = None
        self._user = None
        self._scheme = ""
        return Verdict(False, headers or self.offers, rejected=True)


def _header(scheme: str, token: bytes) -> Headers:
    return (("WWW-Authenticate", f"{scheme} {base64.b64encode(token).decode()}"),) if token else ()


def _account(principal: str, accounts: Mapping[str, str]) -> str:
    """Return the account that a name means; a Kerberos principal has its realm in capitals, an account may not."""
    return next((name for name in accounts if name.lower() == principal.lower()), principal)
