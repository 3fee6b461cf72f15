# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ends an SMB connection on which nothing has come for too long; smbprotocol itself would wait for ever."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType


class Watchdog:
    """Shuts a socket down after a silence, while somebody waits for an answer; use it as a context manager.

    Attributes:
        bitten: Whether it has.
    """

    def __init__(self, connected: socket.socket, seconds: float) -> None:
        self._socket = connected
        self._seconds = seconds
        self._news = threading.Event()
        self._watching = False
        self._over = False
        self.bitten = False
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def alive(self) -> None:
        """Says that something has come."""
        self._news.set()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watches for as long as this lasts: a connection that nobody uses may be silent."""
        self._watching = True
        self._news.set()
        try:
            yield
        finally:
            self._watching = False

    def __enter__(self) -> Watchdog:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over = True
        self._news.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over:
            if self._news.wait(self._seconds):
                self._news.clear()
            elif self._watching:
                self.bitten = True
                # The socket is not closed: the library's threads still hold it, and are told by its end.
                with suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)
                return
