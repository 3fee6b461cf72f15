# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kerberos' credential caches: read as MIT documents them, and nothing but our own error for anything else."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entsso.password_sync.plugins.module_utils.connection._ticket_cache import (
    CachedTicket,
    UnreadableCache,
    end_of_ticket,
    tickets,
)

CLIENT = ("CORP.EXAMPLE", "svc-ansible")
TGT = ("CORP.EXAMPLE", "krbtgt", "CORP.EXAMPLE")
HTTP = ("CORP.EXAMPLE", "HTTP", "dc01.corp.example")
CONFIGURATION = ("X-CACHECONF:", "krb5_ccache_conf_data", "fast_avail")


def _counted(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def _principal(realm: str, *parts: str) -> bytes:
    names = b"".join(_counted(part.encode()) for part in (realm, *parts))
    return struct.pack(">II", 1, len(parts)) + names


def _credential(server: tuple[str, ...], ends: int) -> bytes:
    """One credential with an address and an element of authorization data, which real ones rarely have."""
    key = struct.pack(">H", 18) + _counted(bytes(32))
    times = struct.pack(">4I", 1_700_000_000, 1_700_000_001, ends, ends + 7)
    more = struct.pack(">BIIH", 0, 0x40E10000, 1, 2) + _counted(bytes(4)) + struct.pack(">IH", 1, 1) + _counted(b"x")
    return _principal(*CLIENT) + _principal(*server) + key + times + more + _counted(b"ticket") + _counted(b"")


def _cache(*credentials: bytes) -> bytes:
    # The one header field in use: what the KDC's clock is ahead (tag 1).
    header = struct.pack(">HHII", 1, 8, 0, 0)
    return b"\x05\x04" + struct.pack(">H", len(header)) + header + _principal(*CLIENT) + b"".join(credentials)


def test_tickets() -> None:
    data = _cache(_credential(TGT, 1_800_000_000), _credential(CONFIGURATION, 0), _credential(HTTP, 1_900_000_000))
    client = "svc-ansible@CORP.EXAMPLE"
    assert tickets(data) == (
        CachedTicket(client, "krbtgt/CORP.EXAMPLE@CORP.EXAMPLE", 1_800_000_000),
        CachedTicket(client, "HTTP/dc01.corp.example@CORP.EXAMPLE", 1_900_000_000),
    )
    assert end_of_ticket(data) == 1_800_000_000


def test_a_cache_without_a_ticket_for_others_ends_with_its_last() -> None:
    assert end_of_ticket(_cache(_credential(HTTP, 7), _credential(HTTP, 9))) == 9
    assert end_of_ticket(_cache()) is None


@pytest.mark.parametrize("data", [b"", b"\x05\x03", b"\x05\x04", b"keytab", _cache(_credential(TGT, 1))[:-1]])
def test_what_is_no_cache(data: bytes) -> None:
    with pytest.raises(UnreadableCache):
        tickets(data)


@given(st.binary(max_size=400), st.integers(0, 400))
def test_anything_else_is_our_own_error(junk: bytes, cut: int) -> None:
    for data in (junk, b"\x05\x04" + junk, _cache(_credential(TGT, 1))[:cut] + junk):
        try:
            tickets(data)
        except UnreadableCache:
            continue
