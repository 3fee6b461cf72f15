# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A client that does what no honest client does: sends bytes again, in the clear, or through somebody in the middle."""

from __future__ import annotations

import base64
import contextlib
import http.client
import select
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import spnego

from lab.endpoint.tls import TlsListener

_SPNEGO = "application/HTTP-SPNEGO-session-encrypted"
_SOAP = "application/soap+xml;charset=UTF-8"


class RawClient:
    """One HTTP connection and one security context, each to be used as a test likes."""

    def __init__(self, address: str, context: spnego.ContextProxy) -> None:
        self._connection = http.client.HTTPConnection(address, 5985, timeout=10)
        self._context = context

    def post(self, body: bytes = b"", **headers: str) -> tuple[int, bytes, str]:
        """Send a request; return status, body and the WWW-Authenticate of the answer."""
        self._connection.request(
            "POST", "/wsman", body, {name.replace("_", "-"): value for name, value in headers.items()}
        )
        answer = self._connection.getresponse()
        return answer.status, answer.read(), answer.headers.get("WWW-Authenticate", "")

    def first_token(self, scheme: str = "Negotiate") -> str:
        """Make the first Authorization without sending it."""
        return f"{scheme} {base64.b64encode(self._context.step() or b'').decode()}"

    def log_on(self, scheme: str = "Negotiate") -> tuple[int, str]:
        """Go through the handshake; return the last status, and the first token as it was sent."""
        first = self.first_token(scheme)
        status, _body, offered = self.post(Authorization=first)
        while not self._context.complete:
            answer = base64.b64decode(offered.partition(" ")[2])
            token = self._context.step(answer)
            if token:
                status, _body, offered = self.post(Authorization=f"{scheme} {base64.b64encode(token).decode()}")
        return status, first

    def sealed(self, message: str) -> bytes:
        """Seal a message with this connection's keys."""
        wrapped = self._context.wrap_winrm(message.encode())
        return (
            (
                f"--Encrypted Boundary\r\n\tContent-Type: {_SPNEGO}\r\n"
                f"\tOriginalContent: type={_SOAP};Length={len(message.encode())}\r\n"
                "--Encrypted Boundary\r\n\tContent-Type: application/octet-stream\r\n"
            ).encode()
            + len(wrapped.header).to_bytes(4, "little")
            + wrapped.header
            + wrapped.data
            + (b"--Encrypted Boundary--\r\n")
        )

    def send_sealed(self, body: bytes) -> tuple[int, bytes]:
        """Send a sealed message, or bytes that look like one."""
        kind = f'multipart/encrypted;protocol="{_SPNEGO}";boundary="Encrypted Boundary"'
        return self.post(body, Content_Type=kind)[:2]

    def send_clear(self, message: str) -> tuple[int, bytes]:
        """Send a message as it is."""
        return self.post(message.encode(), Content_Type=_SOAP)[:2]

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


@contextlib.contextmanager
def middleman(target: tuple[str, int], listener: TlsListener, address: str, authority: Path) -> Iterator[None]:
    """End TLS at an address with another certificate, and hand on what is inside: what channel binding is against."""
    inside = ssl.create_default_context(cafile=authority)
    server = listener.context().wrap_socket(socket.create_server((address, listener.port)), server_side=True)

    def serve() -> None:
        while True:
            try:
                client, _peer = server.accept()
            except ssl.SSLError:
                continue
            except OSError:
                return
            threading.Thread(target=relay, args=(client,), daemon=True).start()

    def relay(client: ssl.SSLSocket) -> None:
        with client, socket.create_connection(target) as plain:
            onward = inside.wrap_socket(plain, server_hostname=target[0])
            pairs = {client: onward, onward: client}
            with contextlib.suppress(OSError):
                while True:
                    ready = [end for end in pairs if end.pending()] or select.select(list(pairs), [], [])[0]
                    for end in ready:
                        data = end.recv(65536)
                        if not data:
                            return
                        pairs[end].sendall(data)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(5)
