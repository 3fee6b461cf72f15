# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who signed a package: PKCS #7 of another library, a file that another tool signed, and bytes that are neither."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.entsso.password_sync.plugins.module_utils.msi._msi import read_msi
from ansible_collections.entsso.password_sync.plugins.module_utils.msi._msi_signature import read_signer

PACKAGE = Path(__file__).parents[2] / "lab" / "media" / "pcns-all-in-one.msi"
NOW = datetime(2026, 11, 22, tzinfo=UTC)
CODE, STAMP = ExtendedKeyUsageOID.CODE_SIGNING, ExtendedKeyUsageOID.TIME_STAMPING
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

needs_osslsigncode = pytest.mark.skipif(
    shutil.which("osslsigncode") is None, reason="left out: Debian's osslsigncode is not installed"
)


def certificate(
    name: str,
    issuer: x509.Certificate | None = None,
    issuer_key: Key | None = None,
    usage: x509.ObjectIdentifier | None = None,
    key: Key | None = None,
) -> tuple[x509.Certificate, Key]:
    """Makes a certificate, of an authority or self-signed."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=3650))
    )
    if usage is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    return builder.sign(issuer_key or key, hashes.SHA256()), key


ROOT, ROOT_KEY = certificate("Root")
SIGNER, SIGNER_KEY = certificate("Contoso, Signing", ROOT, ROOT_KEY, CODE)
STAMPER, _STAMPER_KEY = certificate("Stamps", ROOT, ROOT_KEY, STAMP)


def signed(*others: x509.Certificate) -> bytes:
    """Returns a SignedData of the signer, with further certificates in it."""
    builder = pkcs7.PKCS7SignatureBuilder().set_data(b"x").add_signer(SIGNER, SIGNER_KEY, hashes.SHA256())
    for item in others:
        builder = builder.add_certificate(item)
    return builder.sign(serialization.Encoding.DER, [pkcs7.PKCS7Options.Binary])


def test_the_signer_is_told_and_neither_its_authority_nor_the_time_stamp() -> None:
    assert read_signer(signed()) == r"CN=Contoso\, Signing"
    assert read_signer(signed(STAMPER, ROOT)) == r"CN=Contoso\, Signing"


def test_without_a_usage_the_last_of_the_chain_counts() -> None:
    plain, _key = certificate("Plain", ROOT, ROOT_KEY)
    bundle = pkcs7.serialize_certificates([ROOT, plain], serialization.Encoding.DER)
    assert read_signer(bundle) == "CN=Plain"


@settings(max_examples=50)
@given(st.binary(max_size=200))
def test_bytes_that_are_none_have_no_signer(content: bytes) -> None:
    assert read_signer(content) == ""


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 600), st.integers(1, 255))
def test_flipped_bits_never_raise(position: int, flip: int) -> None:
    content = bytearray(signed())
    content[position % len(content)] ^= flip
    assert isinstance(read_signer(bytes(content)), str)


def test_a_package_of_the_lab_is_not_signed() -> None:
    assert read_msi(PACKAGE.read_bytes()).signature == b""


@needs_osslsigncode
def test_a_package_that_another_tool_signed(tmp_path: Path) -> None:
    own, key = certificate("Contoso Packages", ROOT, ROOT_KEY, CODE, rsa.generate_private_key(65537, 2048))
    pem = serialization.Encoding.PEM
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (tmp_path / "key.pem").write_bytes(key.private_bytes(pem, *plain))
    (tmp_path / "certificates.pem").write_bytes(own.public_bytes(pem) + ROOT.public_bytes(pem))
    files = ("-certs", "certificates.pem", "-key", "key.pem")
    done = subprocess.run(
        ["osslsigncode", "sign", "-h", "sha256", *files, "-in", str(PACKAGE), "-out", "signed.msi"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    database = read_msi((tmp_path / "signed.msi").read_bytes())
    assert database.table("Property") == read_msi(PACKAGE.read_bytes()).table("Property")
    assert read_signer(database.signature) == "CN=Contoso Packages"
