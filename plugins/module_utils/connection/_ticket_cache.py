# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a Kerberos credential cache of type FILE: whose tickets it holds, for what, and until when.

Format: MIT Kerberos documentation, "Credential cache file format", version 4 (big-endian; what every release writes by
default). Keys and tickets in it are passed over.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

_VERSION_4 = b"\x05\x04"
_CONFIGURATION = "X-CACHECONF:"
_MOST = 10_000_000


class UnreadableCache(Exception):
    """The bytes are no credential cache of version 4."""


@dataclass(frozen=True)
class CachedTicket:
    """A ticket in a cache.

    Attributes:
        client: Principal that it was given to.
        server: Principal of the service that it is for.
        ends: When it expires, in seconds since 1970.
    """

    client: str
    server: str
    ends: int


def tickets(data: bytes) -> tuple[CachedTicket, ...]:
    """Returns the tickets of a cache, in its order.

    Raises:
        UnreadableCache: It is none of version 4, or cut short.
    """
    reader = _Reader(data[:_MOST])
    if reader.take(2) != _VERSION_4:
        raise UnreadableCache("no credential cache of version 4")
    reader.take(reader.number(2))
    reader.principal()
    found = []
    while reader.more:
        ticket = reader.credential()
        if not ticket.server.endswith(f"@{_CONFIGURATION}"):
            found.append(ticket)
    return tuple(found)


def end_of_ticket(data: bytes) -> int | None:
    """Returns until when a cache is of use; None when it holds no ticket.

    That is until the ticket expires that all others are got with; in a cache without one, until the last one expires.

    Raises:
        UnreadableCache: It is none of version 4, or cut short.
    """
    found = tickets(data)
    ends = [ticket.ends for ticket in found if ticket.server.startswith("krbtgt/")] or [item.ends for item in found]
    return max(ends) if ends else None


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def more(self) -> bool:
        return self._at < len(self._data)

    def take(self, size: int) -> bytes:
        taken = self._data[self._at : self._at + size]
        if len(taken) != size:
            raise UnreadableCache("the credential cache is cut short")
        self._at += size
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def text(self) -> str:
        return self.take(self.number(4)).decode("utf-8", errors="replace")

    def principal(self) -> str:
        self.take(4)
        count = self.number(4)
        realm = self.text()
        if count > len(self._data):
            raise UnreadableCache("the credential cache is cut short")
        return "/".join(self.text() for _part in range(count)) + f"@{realm}"

    def credential(self) -> CachedTicket:
        client, server = self.principal(), self.principal()
        self.take(2)
        self.take(self.number(4))
        _authenticated, _starts, ends, _renewable = struct.unpack(">4I", self.take(16))
        self.take(1 + 4)
        for _list in ("addresses", "authorization data"):
            for _item in range(self.number(4)):
                self.take(2)
                self.take(self.number(4))
        for _ticket in ("ticket", "second ticket"):
            self.take(self.number(4))
        return CachedTicket(client, server, ends)
