# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One handshake: pyspnego's server side of NTLM, Kerberos, Negotiate and CredSSP, bound to the TLS channel under it."""

from __future__ import annotations

import hashlib
import importlib.util
import struct
from dataclasses import dataclass

import spnego
from spnego.channel_bindings import GssChannelBindings
from spnego.exceptions import SpnegoError

from .settings import CbtHardeningLevel

HAS_KERBEROS = importlib.util.find_spec("gssapi") is not None
"""Without the Python package gssapi an endpoint offers what is left; the demo installs none."""

_PROTOCOLS = {"negotiate": "negotiate", "ntlm": "negotiate", "kerberos": "kerberos", "credssp": "credssp"}
_AUTHENTICATE = b"NTLMSSP\0\x03\0\0\0"
_CHANNEL_BOUND = 0x800  # GSS_C_CHANNEL_BOUND_FLAG of MIT krb5: the client sent bindings, and they fit
_AV_CHANNEL_BINDINGS = 10  # MsvAvChannelBindings, MS-NLMP 2.2.2.1


class RefusedError(Exception):
    """The client didn't prove who it is; the token, if any, tells it why."""

    def __init__(self, token: bytes = b"") -> None:
        """Keep the last token."""
        super().__init__()
        self.token = token


@dataclass(frozen=True)
class ChannelBinding:
    """What a client must know about the TLS connection it is on.

    Attributes:
        data: The tls-server-end-point of RFC 5929, empty without TLS.
        level: How much the service insists.
    """

    data: bytes = b""
    level: CbtHardeningLevel = CbtHardeningLevel.NONE

    @classmethod
    def of(cls, certificate: bytes, level: CbtHardeningLevel) -> ChannelBinding:
        """Bind to a server certificate in DER that is signed with SHA-256, as all of the lab's are."""
        return cls(b"tls-server-end-point:" + hashlib.sha256(certificate).digest(), level)

    @property
    def checked(self) -> bool:
        """Whether a wrong binding is refused."""
        return bool(self.data) and self.level is not CbtHardeningLevel.NONE

    @property
    def structure(self) -> GssChannelBindings:
        """What GSS-API takes."""
        return GssChannelBindings(application_data=self.data)

    @property
    def digest(self) -> bytes:
        """What an NTLM client sends: MD5 over gss_channel_bindings_struct (MS-NLMP 2.2.2.1)."""
        packed = struct.pack("<IIIII", 0, 0, 0, 0, len(self.data)) + self.data
        return hashlib.md5(packed, usedforsecurity=False).digest()


class Acceptor:
    """The service's side of one handshake, and then of the session that it made."""

    def __init__(self, scheme: str, binding: ChannelBinding) -> None:
        """Begin.

        Args:
            scheme: Authentication scheme of HTTP in lower case.
            binding: The channel.

        Raises:
            RefusedError: There is no credential for it.
        """
        self._binding = binding
        try:
            self._context = spnego.server(hostname="unspecified", service="HTTP", protocol=_PROTOCOLS[scheme])
        except (SpnegoError, ImportError) as error:
            raise RefusedError from error

    @property
    def complete(self) -> bool:
        """Whether the client is known."""
        return bool(self._context.complete)

    @property
    def user(self) -> str:
        """Who it is, as the mechanism says it: DOMAIN\\name or name@domain, name@REALM for Kerberos."""
        return self._context.client_principal or ""

    @property
    def mechanism(self) -> str:
        """``kerberos`` or ``ntlm``."""
        return self._context.negotiated_protocol or ""

    def step(self, token: bytes) -> bytes:
        """Take a token and return the answer, which may be empty.

        The accounts and keys of the host must be in place (``CredentialStore.presented``).

        Raises:
            RefusedError: The handshake failed.
        """
        ntlm = token.find(_AUTHENTICATE)
        try:
            bindings = self._binding.structure if self._binding.checked and b"NTLMSSP\0" not in token else None
            answer = self._context.step(token, channel_bindings=bindings) or b""
        except (SpnegoError, ValueError, KeyError, IndexError, struct.error, AttributeError) as error:
            raise RefusedError from error
        if self._context.get_extra_info("auth_stage") == "Authentication failure":  # CredSSP has a word for it
            raise RefusedError(answer)
        if self._binding.checked and ntlm >= 0:
            self._check_digest(_sent_digest(token[ntlm:]))
        elif self._binding.checked and self.complete and self.mechanism == "kerberos":
            self._check_flag()
        return answer

    def wrap(self, data: bytes) -> tuple[bytes, bytes, int]:
        """Seal a message: signature, sealed bytes, padding length."""
        result = self._context.wrap_winrm(data)
        return result.header, result.data, result.padding_length

    def unwrap(self, signature: bytes, data: bytes) -> bytes:
        """Open a sealed message.

        Raises:
            SpnegoError: It was not sealed in this session, or not in this order.
        """
        return self._context.unwrap_winrm(signature, data)

    def _check_digest(self, sent: bytes | None) -> None:
        absent = sent is None or sent == bytes(16)
        if self._binding.level is CbtHardeningLevel.STRICT if absent else sent != self._binding.digest:
            raise RefusedError

    def _check_flag(self) -> None:
        """Bindings that are wrong were refused by GSS-API; the flag tells whether there were any."""
        inner = getattr(self._context, "_context", None)
        context = inner if isinstance(inner, spnego.ContextProxy) else self._context
        bound = context._context_attr & _CHANNEL_BOUND  # pyspnego passes only the flags on that it has names for
        if self._binding.level is CbtHardeningLevel.STRICT and not bound:
            raise RefusedError


def _sent_digest(message: bytes) -> bytes | None:
    """Return the channel binding in an NTLM AUTHENTICATE message (MS-NLMP 2.2.1.3), None when there is none."""
    length, _allocated, offset = struct.unpack_from("<HHI", message, 20)
    response = message[offset : offset + length]
    position = 44  # of the AV pairs: 16 bytes of proof and 28 of NTLMv2_CLIENT_CHALLENGE are before them
    while position + 4 <= len(response):
        name, size = struct.unpack_from("<HH", response, position)
        if name == _AV_CHANNEL_BINDINGS:
            return response[position + 4 : position + 4 + size]
        if name == 0:
            return None
        position += 4 + size
    return None
