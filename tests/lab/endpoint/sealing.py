# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Message encryption: the multipart/encrypted body of MS-WSMV 2.2.9.1."""

from __future__ import annotations

import re
from enum import Enum

from spnego.exceptions import SpnegoError

from .authentication import ConnectionAuthentication

_BOUNDARY = b"--Encrypted Boundary"
_CREDSSP_BLOCK = 16 * 1024
"""CredSSP seals longer messages in blocks of this size (wsman.md 2.2), each in two parts (MS-WSMV 2.2.9.1.3.2)."""
# A tab must be before the headers of a part, as nowhere else in MIME (MS-WSMV 2.2.9.1.3.1.2.1); pywinrm insists on it.
_PART = re.compile(
    rb"--Encrypted Boundary\r\n\s*Content-Type:\s*(application/HTTP-[A-Za-z]+-session-encrypted)\r\n"
    rb"\s*OriginalContent:\s*type=[^\r\n]*?;Length=(\d+)\r\n"
    rb"--Encrypted Boundary\r\n\s*Content-Type:\s*application/octet-stream\r\n",
    re.IGNORECASE,
)


class Sealing(Enum):
    """The three forms, by the media type that a client announces and is answered with."""

    SPNEGO = "application/HTTP-SPNEGO-session-encrypted"
    KERBEROS = "application/HTTP-Kerberos-session-encrypted"
    CREDSSP = "application/HTTP-CredSSP-session-encrypted"


class UnsealError(Exception):
    """The body can't be decrypted here; Windows answers HTTP 400 without a body (wsman.md 2.3)."""


def is_sealed(content_type: str) -> bool:
    """Whether a Content-Type announces an encrypted message."""
    return content_type.lower().startswith(("multipart/encrypted", "multipart/x-multi-encrypted"))


def unseal(body: bytes, context: ConnectionAuthentication) -> tuple[bytes, Sealing]:
    """Return the XML of an encrypted body, and how it was sealed.

    Raises:
        UnsealError: It is malformed, or sealed with another context.
    """
    parts = list(_PART.finditer(body))
    end = body.rfind(_BOUNDARY + b"--")
    if not parts or parts[0].start() != 0 or end < parts[-1].end():
        raise UnsealError
    message = b""
    for part, limit in zip(parts, [*(later.start() for later in parts[1:]), end], strict=True):
        message += _open(body[part.end() : limit], int(part[2]), context)
    sealing = next((known for known in Sealing if known.value.lower() == parts[0][1].decode().lower()), None)
    if sealing is None or (sealing is Sealing.CREDSSP) != (context.scheme == "credssp"):
        raise UnsealError
    return message, sealing


def seal(message: bytes, context: ConnectionAuthentication, sealing: Sealing) -> tuple[str, bytes]:
    """Return Content-Type and body of an answer, sealed as its request was."""
    size = _CREDSSP_BLOCK if sealing is Sealing.CREDSSP else max(len(message), 1)
    blocks = [message[start : start + size] for start in range(0, max(len(message), 1), size)]
    kind = "multipart/encrypted" if len(blocks) == 1 else "multipart/x-multi-encrypted"
    body = b"".join(_close(block, context, sealing) for block in blocks) + _BOUNDARY + b"--\r\n"
    return f'{kind};protocol="{sealing.value}";boundary="Encrypted Boundary"', body


def _open(sealed: bytes, length: int, context: ConnectionAuthentication) -> bytes:
    size = int.from_bytes(sealed[:4], "little")
    try:
        message = context.unwrap(sealed[4 : 4 + size], sealed[4 + size :])
    except SpnegoError as error:
        raise UnsealError from error
    if len(message) != length:
        raise UnsealError
    return message


def _close(block: bytes, context: ConnectionAuthentication, sealing: Sealing) -> bytes:
    signature, data, padding = context.wrap(block)
    head = (
        _BOUNDARY
        + f"\r\n\tContent-Type: {sealing.value}\r\n"
        f"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length={len(block) + padding}\r\n".encode()
        + _BOUNDARY
        + b"\r\n\tContent-Type: application/octet-stream\r\n"
    )
    return head + len(signature).to_bytes(4, "little") + signature + data
