# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The https listener of a host."""

from __future__ import annotations

import datetime
import ssl
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from .authority import general_name, private_pem


@dataclass(frozen=True)
class TlsListener:
    """An https listener: its port, and the certificate and key in PEM."""

    certificate: bytes
    key: bytes
    port: int = 5986
    client_authorities: bytes = b""
    """Whose certificates of users are trusted, in PEM; without any no user is asked for one."""

    @property
    def der(self) -> bytes:
        """The certificate in DER."""
        return x509.load_pem_x509_certificate(self.certificate).public_bytes(serialization.Encoding.DER)

    def context(self) -> ssl.SSLContext:
        """Return the server side of TLS with this identity."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory(prefix="lab-tls-") as folder:
            path = Path(folder) / "identity.pem"
            path.touch(mode=0o600)
            path.write_bytes(self.key + self.certificate)
            context.load_cert_chain(path)
        if self.client_authorities:
            context.load_verify_locations(cadata=self.client_authorities.decode())
            context.verify_mode = ssl.CERT_OPTIONAL
        return context


def self_signed(names: Sequence[str], port: int = 5986) -> TlsListener:
    """Make a listener with a new self-signed certificate.

    Args:
        names: Host names and addresses that the certificate is for; the first is its subject.
        port: Port of the listener.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([general_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return TlsListener(certificate.public_bytes(serialization.Encoding.PEM), private_pem(key), port)
