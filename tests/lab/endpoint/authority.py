# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A certification authority of the lab, for servers' and users' certificates."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Identity = tuple[bytes, bytes]
"""Certificate and private key in PEM."""

_UPN = x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")


class Authority:
    """Signs certificates that strict clients accept (key identifiers, no negative serials; samba.md 1)."""

    def __init__(self, name: str) -> None:
        """Make the authority's own key and certificate."""
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._subject = _name(name)
        key_usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        self._certificate = (
            self._draft(self._subject, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(key_usage, critical=True)
            .sign(self._key, hashes.SHA256())
        )

    @property
    def certificate(self) -> bytes:
        """What to trust, in PEM."""
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    def server(self, names: Sequence[str]) -> Identity:
        """Return an identity for a server.

        Args:
            names: Host names and addresses; the first is the subject.
        """
        alternatives = x509.SubjectAlternativeName([general_name(name) for name in names])
        return self._issue(names[0], alternatives, ExtendedKeyUsageOID.SERVER_AUTH)

    def user(self, upn: str) -> Identity:
        """Return an identity for a user, whose principal name is in the subjectAltName as Windows expects it."""
        length = len(upn.encode())
        if length > 127:
            raise ValueError("The lab writes no principal name of more than 127 bytes.")
        value = bytes((0x0C, length)) + upn.encode()  # DER of a UTF8String
        alternatives = x509.SubjectAlternativeName([x509.OtherName(_UPN, value)])
        return self._issue(upn, alternatives, ExtendedKeyUsageOID.CLIENT_AUTH)

    def _issue(self, name: str, alternatives: x509.SubjectAlternativeName, usage: x509.ObjectIdentifier) -> Identity:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            self._draft(_name(name), key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(alternatives, critical=False)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return certificate.public_bytes(serialization.Encoding.PEM), private_pem(key)

    def _draft(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=30))
            .add_extension(issuer, critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        )


def general_name(name: str) -> x509.GeneralName:
    """Return a host name or address in the form of a subjectAltName."""
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def upn_of(certificate: bytes) -> str:
    """Return the principal name in a certificate (DER), empty when it has none."""
    try:
        extension = x509.load_der_x509_certificate(certificate).extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
    except x509.ExtensionNotFound:
        return ""
    for other in extension.value.get_values_for_type(x509.OtherName):
        if other.type_id == _UPN:
            return other.value[2:].decode()
    return ""


def private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return a private key in PEM, unencrypted."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
