# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The part of HTTP/1.1 that a WinRM service speaks: requests with a Content-Length on a kept connection."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import formatdate

MAX_HEAD = 64 * 1024
MAX_BODY = 8 * 1024 * 1024

_REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "",  # HTTP.sys sends 401 for WinRM with an empty phrase; clients must not need one
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    411: "Length Required",
    413: "Request Entity Too Large",
    425: "Too Early",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    500: "",
    501: "Not Implemented",
    503: "Service Unavailable",
}


class HttpError(Exception):
    """A request that can't be read: answer with the status, then close the connection."""

    def __init__(self, status: int) -> None:
        """Keep the status to answer with."""
        super().__init__(f"HTTP status {status}")
        self.status = status


@dataclass(frozen=True)
class HttpRequest:
    """One request; header names are lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    size: int
    keep_alive: bool


async def read_request(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    before_body: Callable[[int], Awaitable[None]] | None = None,
) -> HttpRequest | None:
    """Read one request.

    Args:
        reader: What the client sends.
        writer: What it gets.
        before_body: Called with the length of a body that is about to be read.

    Returns:
        The request, or None when the client closed the connection.

    Raises:
        HttpError: It is no request, or breaks a limit. A chunked body is refused (wsman.md 1.3).
    """
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial.strip():
            raise HttpError(400) from error
        return None
    except asyncio.LimitOverrunError as error:
        raise HttpError(431) from error
    method, target, version, headers = _parse_head(head)
    if "transfer-encoding" in headers:
        raise HttpError(501)
    length = _content_length(headers)
    if length > MAX_BODY:
        raise HttpError(413)
    if length and headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    if length and before_body is not None:
        await before_body(length)
    try:
        body = await reader.readexactly(length) if length else b""
    except asyncio.IncompleteReadError:
        return None
    connection = headers.get("connection", "").lower()
    keep_alive = connection != "close" if version == "HTTP/1.1" else connection == "keep-alive"
    return HttpRequest(method, target, headers, body, len(head) + length, keep_alive)


def render_response(
    status: int, body: bytes = b"", *, headers: Sequence[tuple[str, str]] = (), close: bool = False
) -> bytes:
    """Return the bytes of a response as HTTP.sys would frame it."""
    lines = [f"HTTP/1.1 {status} {_REASONS.get(status, '')}"]
    lines += [f"{name}: {value}" for name, value in headers]
    if not any(name.lower() == "server" for name, _value in headers):
        lines.append("Server: Microsoft-HTTPAPI/2.0")
    lines.append(f"Date: {formatdate(usegmt=True)}")
    if close:
        lines.append("Connection: close")
    lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def _parse_head(head: bytes) -> tuple[str, str, str, dict[str, str]]:
    lines = head[:-4].decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3 or words[2] not in ("HTTP/1.1", "HTTP/1.0"):
        raise HttpError(400)
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        key = name.lower()
        if not colon or not name or name != name.strip() or (key == "content-length" and key in headers):
            raise HttpError(400)
        headers[key] = value.strip()
    return words[0], words[1], words[2], headers


def _content_length(headers: Mapping[str, str]) -> int:
    text = headers.get("content-length", "0")
    if not (text.isascii() and text.isdigit()):
        raise HttpError(400)
    return int(text)
