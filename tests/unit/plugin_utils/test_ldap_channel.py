# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection below LDAP: whole messages, limits, deadlines."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    DeadlineExceeded,
    DirectoryUnreachable,
    UnreadableOutput,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory import _ldap_channel
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._ldap_channel import Channel, Wait, connect


@pytest.fixture
def pair() -> Iterator[tuple[Channel, socket.socket]]:
    ours, theirs = socket.socketpair()
    channel = Channel(ours, "dc1")
    yield channel, theirs
    channel.close()
    theirs.close()


def soon(seconds: float = 5) -> Wait:
    return Wait(seconds, "dc1", "search of DC=x")


def message(body: bytes) -> bytes:
    """Returns a sequence (X.690 8.1.3): the length in the short form where it fits."""
    if len(body) < 128:
        return bytes([0x30, len(body)]) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([0x30, 0x80 + len(size)]) + size + body


class Reversing:
    """Seals so that a test can see it."""

    def seal(self, data: bytes) -> bytes:
        return data[::-1]

    def open(self, data: bytes) -> bytes:
        if data == b"bad":
            raise ValueError("it was changed on its way")
        return data[::-1]


@given(st.lists(st.binary(max_size=400), min_size=1, max_size=5), st.integers(1, 50), st.booleans())
def test_messages_come_whole_however_they_are_cut(bodies: list[bytes], size: int, sealed: bool) -> None:
    messages = [message(body) for body in bodies]
    data = b"".join(messages)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        channel = Channel(ours, "dc1")
        if sealed:
            channel.seal_with(Reversing())
            cut = [data[index : index + size] for index in range(0, len(data), size)]
            data = b"".join(len(part).to_bytes(4, "big") + part[::-1] for part in cut)
        for index in range(0, len(data), 97):
            theirs.sendall(data[index : index + 97])
        assert [channel.receive(soon()) for _message in messages] == messages


def test_what_is_sent_is_sealed(pair: tuple[Channel, socket.socket]) -> None:
    channel, theirs = pair
    channel.send(b"abc", soon())
    channel.seal_with(Reversing())
    channel.send(b"abc", soon())
    assert theirs.recv(100) == b"abc\0\0\0\x03cba"


@pytest.mark.parametrize(
    ("sent", "sealed", "reason"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n", False, "its answer begins with 48 54 54 50"),
        (b"\x30\x84\x7f\xff\xff\xff", False, "it announced a message of 2147483653 bytes"),
        (b"\x30\x89" + b"\xff" * 9, False, "it announced a message of"),
        (b"\x7f\xff\xff\xff", True, "it announced 2147483647 sealed bytes"),
        (b"\0\0\0\x03bad", True, "its answer can't be unsealed (it was changed on its way)"),
    ],
)
def test_what_is_no_ldap(pair: tuple[Channel, socket.socket], sent: bytes, sealed: bool, reason: str) -> None:
    channel, theirs = pair
    if sealed:
        channel.seal_with(Reversing())
    theirs.sendall(sent)
    with pytest.raises(UnreadableOutput) as caught:
        channel.receive(soon())
    assert f"LDAP on dc1: what answers does not speak LDAP: {reason}" in str(caught.value)


def test_a_server_that_answers_nothing(pair: tuple[Channel, socket.socket]) -> None:
    channel, _theirs = pair
    with pytest.raises(DeadlineExceeded) as caught:
        channel.receive(soon(0.05))
    assert str(caught.value) == (
        "search of DC=x on dc1: the answer had not come after 0.05 seconds; the last thing seen was nothing. "
        "Look at this domain controller, raise `timeout`, or name another one in `server`."
    )


def test_a_server_that_drips(pair: tuple[Channel, socket.socket]) -> None:
    """Each byte comes in time; the message does not."""
    channel, theirs = pair
    theirs.sendall(b"\x30\x7f")
    ticks = iter(range(100))

    def clock() -> float:
        theirs.sendall(b"x")
        return next(ticks) / 10

    wait = Wait(0.5, "dc1", "x", clock=clock)
    with pytest.raises(DeadlineExceeded):
        channel.receive(wait)


def test_a_server_that_takes_nothing(pair: tuple[Channel, socket.socket]) -> None:
    channel, _theirs = pair
    with pytest.raises(DeadlineExceeded):
        channel.send(bytes(16 * 1024 * 1024), soon(0.05))


def test_a_connection_that_ends(pair: tuple[Channel, socket.socket]) -> None:
    channel, theirs = pair
    theirs.close()
    with pytest.raises(DirectoryUnreachable, match=r"the connection broke \(the domain controller closed it\)"):
        channel.receive(soon())
    with pytest.raises(DirectoryUnreachable, match=r"the connection broke \(Broken pipe\)"):
        channel.send(b"x", soon())


def test_tls_with_a_server_that_has_none(pair: tuple[Channel, socket.socket]) -> None:
    channel, theirs = pair
    theirs.sendall(b"\x30\x0c\x02\x01\x01a\x07\n\x01\x00\x04\x00\x04\x00")
    with pytest.raises(DirectoryUnreachable, match=r"TLS on dc1: the handshake failed \(.*\). Check that"):
        channel.wrap_tls(ssl.create_default_context(), soon())


def test_tls_with_a_server_that_answers_nothing(pair: tuple[Channel, socket.socket]) -> None:
    channel, _theirs = pair
    started = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        channel.wrap_tls(ssl.create_default_context(), soon(0.05))
    assert time.monotonic() - started < 2


def test_the_next_address_is_tried(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        channel = connect("dc1", ("127.0.0.2", "127.0.0.1"), listener.getsockname()[1], 2)
        channel.close()


def test_no_address_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(_address: object, _seconds: float) -> socket.socket:
        raise TimeoutError

    monkeypatch.setattr(_ldap_channel.socket, "create_connection", silent)
    with pytest.raises(DirectoryUnreachable) as caught:
        connect("dc1", ("192.0.2.1",), 389, 5)
    assert "it can't be reached (192.0.2.1 port 389 did not answer within 5 seconds)" in str(caught.value)
    with pytest.raises(DirectoryUnreachable, match="it has no address"):
        connect("dc1", (), 389, 5)
