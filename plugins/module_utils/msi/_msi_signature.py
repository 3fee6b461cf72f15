# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who signed a package, as its Authenticode signature says: a PKCS #7 SignedData (RFC 2315 9). Nothing is verified."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography import x509

_CODE_SIGNING = "1.3.6.1.5.5.7.3.3"
"""Extended key usage of certificates that sign programs (RFC 5280 4.2.1.12)."""


def read_signer(signature: bytes) -> str:
    """Returns the subject of the certificate that a signature names; empty when it can't be read.

    A signature carries the certificates above the signer's too, and may carry those of a time stamp.

    Args:
        signature: Content of the stream `DigitalSignature`.
    """
    try:
        from cryptography.hazmat.primitives.serialization import pkcs7
    except ImportError:
        return ""
    try:
        certificates = pkcs7.load_der_pkcs7_certificates(signature)
        issuers = {item.issuer for item in certificates if item.issuer != item.subject}
        last = [item for item in certificates if item.subject not in issuers]
        signers = [item for item in last if _signs_code(item)] or last
        names = [item.subject.rfc4514_string() for item in signers]
    except Exception:
        # The bytes are untrusted, and what the library raises on them is not documented as a whole.
        return ""
    return " and ".join(_printable(names))


def _signs_code(certificate: x509.Certificate) -> bool:
    from cryptography import x509

    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return any(usage.dotted_string == _CODE_SIGNING for usage in usages)


def _printable(names: Sequence[str]) -> list[str]:
    return ["".join(character if character.isprintable() else "?" for character in name) for name in names]
