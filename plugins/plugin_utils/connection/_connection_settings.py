# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a host is reached, as the inventory says, and what of it is refused because it shows a password around."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Any

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import UnsupportedConnection

KERBEROS = "kerberos"
CERTIFICATE = "certificate"
BASIC = "basic"
CREDSSP = "credssp"
_SEALING = (KERBEROS, "ntlm", CREDSSP)


class Kind(Enum):
    """The connection plugins of Ansible that reach a host's WinRM service, by the name of their `transport`."""

    WINRM = "winrm"
    PSRP = "psrp"

    @property
    def mechanism_variable(self) -> str:
        """Name of the variable that chooses the authentication."""
        return "ansible_winrm_transport" if self is Kind.WINRM else "ansible_psrp_auth"

    @property
    def scheme_variable(self) -> str:
        """Name of the variable that chooses between http and https."""
        return "ansible_winrm_scheme" if self is Kind.WINRM else "ansible_psrp_protocol"

    @property
    def authority_variable(self) -> str:
        """Name of the variable with the file of trusted issuers."""
        return "ansible_winrm_ca_trust_path" if self is Kind.WINRM else "ansible_psrp_ca_cert"

    @property
    def host_name_variable(self) -> str:
        """Name of the variable with the host's name for Kerberos."""
        return (
            "ansible_winrm_kerberos_hostname_override"
            if self is Kind.WINRM
            else "ansible_psrp_negotiate_hostname_override"
        )

    @property
    def encryption_variable(self) -> str:
        """Name of the variable that says whether messages are encrypted."""
        return f"ansible_{self.value}_message_encryption"


class Exposure(IntEnum):
    """To whom a password may be shown: to nobody, to the host itself, or to anybody on the way."""

    NOBODY = 0
    HOST = 1
    ANYBODY = 2


@dataclass(frozen=True)
class ConnectionSettings:
    """How to reach a host's WinRM service.

    Attributes:
        kind: Which of Ansible's connections.
        endpoint: URL of the service.
        address: Host name or address in it.
        port: TCP port.
        account: Account name; empty when none is set.
        password: Its password, if one is set.
        mechanisms: Names that the client library has for ways to authenticate, to be tried in this order.
        arguments: Arguments of the client library (pywinrm's `Protocol` or pypsrp's `WSMan`).
        message_encryption: auto, always or never.
        host_name: The host's name for Kerberos.
        connect_timeout: Seconds to wait for a connection.
        read_timeout: Seconds to wait for an answer.
        proxied: Whether there is a proxy on the way.
        managed_kerberos: Whether kinit is to get the ticket, with the password.
        connection: The Ansible connection, for `_connection` only.
    """

    kind: Kind
    endpoint: str
    address: str
    port: int
    account: str
    password: str | None = field(repr=False)
    mechanisms: tuple[str, ...]
    arguments: Mapping[str, Any] = field(repr=False)
    message_encryption: str
    host_name: str
    connect_timeout: int
    read_timeout: int
    proxied: bool
    managed_kerberos: bool
    connection: Any = field(repr=False)

    @property
    def answer_limit(self) -> float:
        """Seconds within which an answer must be complete, the handshake before it included."""
        return self.read_timeout + 60.0

    @property
    def tls(self) -> bool:
        """Whether the transport is encrypted."""
        return self.endpoint.lower().startswith("https")

    def authentication(self, mechanism: str) -> str:
        """Returns basic, certificate, credssp, kerberos or ntlm for a name that the client library has."""
        if mechanism == "ssl" and self.arguments.get("cert_pem"):
            return CERTIFICATE
        return BASIC if mechanism in ("ssl", "plaintext") else mechanism

    def uses_password(self, mechanism: str) -> bool:
        """Whether a mechanism shows the account's password, or something made from it, to the host or the KDC."""
        authentication = self.authentication(mechanism)
        if not self.account or authentication == CERTIFICATE:
            return False
        if authentication == KERBEROS:
            return self.managed_kerberos if self.kind is Kind.WINRM else bool(self.password)
        return True

    def seals(self, mechanism: str) -> bool:
        """Whether messages are encrypted in themselves, whatever they go over."""
        if self.message_encryption == "never" or mechanism not in _SEALING:
            return False
        return self.message_encryption == "always" or not self.tls


def check_exposure(settings: ConnectionSettings, host: str, exposure: Exposure) -> None:
    """Refuses what would show a password, or open messages, to more than is allowed.

    Raises:
        UnsupportedConnection: Says what to set.
    """
    for mechanism in settings.mechanisms:
        authentication = settings.authentication(mechanism)
        name = f"transport {mechanism}" if settings.kind is Kind.WINRM else f"auth {mechanism}"
        if authentication == CERTIFICATE and not settings.tls:
            raise UnsupportedConnection(
                host,
                "connection",
                "a client certificate needs https",
                f"Set {settings.kind.scheme_variable}: https, and the port of the host's https listener",
            )
        if authentication == BASIC and not settings.tls and exposure < Exposure.ANYBODY:
            raise _shown(
                settings,
                host,
                f"{name} over http shows the password and every message to anybody on the way, and Windows takes it "
                "only where its WinRM service is set to AllowUnencrypted",
                f"{settings.kind.scheme_variable}: https, or {settings.kind.mechanism_variable}: kerberos (or ntlm)",
            )
        if authentication in (BASIC, CREDSSP) and exposure < Exposure.HOST:
            how = "without a client certificate it hands" if mechanism == "ssl" else "it hands"
            raise _shown(
                settings,
                host,
                f"{name} is not used with a domain controller: {how} the password to the host",
                f"{settings.kind.mechanism_variable}: kerberos (or ntlm)",
            )
        if not settings.tls and not settings.seals(mechanism) and exposure < Exposure.HOST:
            raise _shown(
                settings,
                host,
                "without message encryption anybody on the way can read and change what goes to a domain controller "
                "over http, and Windows takes it only where its WinRM service is set to AllowUnencrypted",
                f"{settings.kind.encryption_variable}: auto, or {settings.kind.scheme_variable}: https",
            )


def _shown(settings: ConnectionSettings, host: str, reason: str, choices: str) -> UnsupportedConnection:
    return UnsupportedConnection(
        host, "connection", reason, f"Set {choices}, or password_sync_allow_exposed_password: true"
    )
