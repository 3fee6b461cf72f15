# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Message encryption: the multipart/encrypted body of MS-WSMV 2.2.9.1."""

from __future__ import annotations

import re

from spnego.exceptions import SpnegoError

from .authentication import ConnectionAuthentication

_BOUNDARY = b"--Encrypted Boundary"
_PROTOCOL = "application/HTTP-SPNEGO-session-encrypted"
CONTENT_TYPE = f'multipart/encrypted;protocol="{_PROTOCOL}";boundary="Encrypted Boundary"'
_LENGTH = re.compile(rb"OriginalContent:\s*type=[^\r\n]*?;Length=(\d+)", re.IGNORECASE)
_PAYLOAD = re.compile(rb"Content-Type:\s*application/octet-stream\r\n", re.IGNORECASE)


class UnsealError(Exception):
    """The body can't be decrypted here; Windows answers HTTP 400 without a body (wsman.md 2.3)."""


def is_sealed(content_type: str) -> bool:
    """Whether a Content-Type announces an encrypted message."""
    return content_type.lower().startswith("multipart/encrypted")


def unseal(body: bytes, context: ConnectionAuthentication) -> bytes:
    """Return the XML of an encrypted body.

    Raises:
        UnsealError: It is malformed, or sealed with another context.
    """
    length = _LENGTH.search(body)
    payload = _PAYLOAD.search(body)
    end = body.rfind(_BOUNDARY + b"--")
    if length is None or payload is None or end < payload.end() + 4:
        raise UnsealError
    sealed = body[payload.end() : end]
    size = int.from_bytes(sealed[:4], "little")
    try:
        message = context.unwrap(sealed[4 : 4 + size], sealed[4 + size :])
    except SpnegoError as error:
        raise UnsealError from error
    if len(message) != int(length.group(1)):
        raise UnsealError
    return message


def seal(message: bytes, context: ConnectionAuthentication) -> bytes:
    """Return the encrypted body of an answer."""
    signature, data, padding = context.wrap(message)
    head = (
        _BOUNDARY
        + f"\r\n\tContent-Type: {_PROTOCOL}\r\n"
        f"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length={len(message) + padding}\r\n".encode()
        + _BOUNDARY
        + b"\r\n\tContent-Type: application/octet-stream\r\n"
    )
    return head + len(signature).to_bytes(4, "little") + signature + data + _BOUNDARY + b"--\r\n"
