# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bounds what a host may answer with, in time and in size, below the client library.

The time-out of an HTTP library starts anew with every byte that comes, so a host that sends one now and then is waited
for without end; and the library reads an answer to its end before anybody sees how long it is. Both pywinrm and pypsrp
use `requests`, whose connections are made to read through a counter here. It counts all that a connection reads: the
handshakes of authentication, the heads and the bodies.
"""

from __future__ import annotations

import functools
import http.client
import io
import time
from collections.abc import Callable
from typing import Any

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import Excess
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._untrusted_xml import MAX_SIZE

MAX_BYTES = MAX_SIZE + 64 * 1024
"""What a document that is read may have, and HTTP heads and encryption around it."""


class AnswerExcess(OSError):
    """An answer went over its limit.

    Attributes:
        excess: Which of the two.
    """

    def __init__(self, excess: Excess, text: str) -> None:
        super().__init__(text)
        self.excess = excess


class AnswerLimit:
    """The limits of one session, counted anew from each `begin`."""

    def __init__(
        self, seconds: float, max_bytes: int = MAX_BYTES, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds = seconds
        self._max_bytes = max_bytes
        self._clock = clock
        self.begin()

    def begin(self) -> None:
        """Says that the next request is about to be sent."""
        self._end = self._clock() + self._seconds
        self._size = 0

    @property
    def left(self) -> float:
        """Seconds until the answer must be complete."""
        return self._end - self._clock()

    def count(self, size: int) -> None:
        """Counts bytes that came.

        Raises:
            AnswerExcess: They are too many.
        """
        self._size += size
        if self._size > self._max_bytes:
            raise AnswerExcess(Excess.SIZE, f"the answer has more than the {self._max_bytes:,} bytes that are read")

    def late(self) -> AnswerExcess:
        """Returns the error of an answer that did not come to its end in time."""
        return AnswerExcess(
            Excess.TIME,
            f"{self._seconds:g} seconds after the request its answer was not complete; {self._size:,} bytes had come",
        )

    def bind(self, session: Any) -> None:
        """Makes every connection that a session of `requests` will open read through this limit."""
        for adapter in session.adapters.values():
            self._bind_manager(adapter.poolmanager)
            new_proxy = adapter.proxy_manager_for
            adapter.proxy_manager_for = functools.partial(self._proxy, new_proxy)

    def _proxy(self, new_proxy: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        manager = new_proxy(*arguments, **named)
        self._bind_manager(manager)
        return manager

    def _bind_manager(self, manager: Any) -> None:
        classes = manager.pool_classes_by_scheme
        manager.pool_classes_by_scheme = {
            scheme: kind if isinstance(kind, functools.partial) else functools.partial(self._pool, kind)
            for scheme, kind in classes.items()
        }

    def _pool(self, kind: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        pool = kind(*arguments, **named)
        pool.ConnectionCls = functools.partial(self._connection, pool.ConnectionCls)
        return pool

    def _connection(self, kind: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        connection = kind(*arguments, **named)
        connection.response_class = functools.partial(_LimitedResponse, limit=self)
        return connection


class _LimitedResponse(http.client.HTTPResponse):
    """An answer that is read through a limit."""

    def __init__(self, sock: Any, *arguments: Any, limit: AnswerLimit, **named: Any) -> None:
        super().__init__(sock, *arguments, **named)
        self.fp = io.BufferedReader(_LimitedReader(self.fp.detach(), sock, limit))

    def begin(self) -> None:
        """Reads the head. A body that is packed is left as it is: unpacked it could have any size."""
        super().begin()
        del self.headers["Content-Encoding"]


class _LimitedReader(io.RawIOBase):
    def __init__(self, raw: Any, sock: Any, limit: AnswerLimit) -> None:
        super().__init__()
        self._raw = raw
        self._sock = sock
        self._limit = limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._limit.left
        if left <= 0:
            raise self._limit.late()
        timeout = self._sock.gettimeout()
        if timeout is None or left < timeout:
            self._sock.settimeout(left)
        try:
            size: int | None = self._raw.readinto(buffer)
        except TimeoutError:
            if self._limit.left > 0:
                raise
            size = None
        finally:
            self._sock.settimeout(timeout)
        if self._limit.left <= 0:
            raise self._limit.late()
        self._limit.count(size or 0)
        return size

    def close(self) -> None:
        self._raw.close()
        super().close()
