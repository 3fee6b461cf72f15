# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A relay in front of a server: counts what passes, and breaks connections as a bad network does."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from types import TracebackType


class Relay:
    """Listens on an address and passes every connection on; use it as a context manager.

    Attributes:
        address: Where it listens.
        port: On which port.
        connections: How many connections have come.
        sent: Bytes that went to the server, of all connections.
        cut_at: Byte of a connection at which it is reset; None for never.
        cuts: How many connections are still to be cut.
        hold_at: Byte of a connection from which nothing passes any more, without a word; None for never.
        wait_at: Byte of a connection at which it stands still until `go_on` is set; None for never.
        waiting: Set while one stands still there.
        go_on: See `wait_at`.
    """

    def __init__(self, address: str, server: tuple[str, int]) -> None:
        """Starts to listen."""
        self._server = server
        self._listener = socket.create_server((address, 0))
        self.address, self.port = address, int(self._listener.getsockname()[1])
        self.connections = 0
        self.sent = 0
        self.cut_at: int | None = None
        self.cuts = 1
        self.hold_at: int | None = None
        self.wait_at: int | None = None
        self.waiting = threading.Event()
        self.go_on = threading.Event()
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Relay:
        """Begins to pass on."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stops, with every connection."""
        self.go_on.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for end in self._open:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            server = socket.create_connection(self._server)
            self._open += [client, server]
            threading.Thread(target=self._pass_up, args=(client, server), daemon=True).start()
            threading.Thread(target=self._pass_down, args=(server, client), daemon=True).start()

    def _pass_up(self, client: socket.socket, server: socket.socket) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while data := client.recv(1 << 18):
                passed += len(data)
                self.sent += len(data)
                if self.cut_at is not None and passed > self.cut_at and self.cuts > 0:
                    self.cuts -= 1
                    self._reset(client, server)
                    return
                if self.wait_at is not None and passed > self.wait_at:
                    self.waiting.set()
                    self.go_on.wait(60)
                    self.waiting.clear()
                if self.hold_at is None or passed <= self.hold_at:
                    server.sendall(data)
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_WR)

    def _pass_down(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(1 << 18):
                client.sendall(data)
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_WR)

    @staticmethod
    def _reset(*ends: socket.socket) -> None:
        """Closes without a farewell: the other side sees a reset connection."""
        for end in ends:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
