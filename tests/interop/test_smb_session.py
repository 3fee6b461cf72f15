# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SMB sessions and files against Samba's smbd: what arrives, what is refused, and what a broken connection leaves."""

from __future__ import annotations

import hashlib
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    AuthenticationRejected,
    OperationFailed,
    TransferUnavailable,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.transfer._transfer import Login
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._authentication_guard import (
    AuthenticationGuard,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._credentials import Credentials
from ansible_collections.entsso.password_sync.plugins.plugin_utils.transfer import _smb_session
from ansible_collections.entsso.password_sync.plugins.plugin_utils.transfer._smb import open_share
from ansible_collections.entsso.password_sync.plugins.plugin_utils.transfer._smb_session import ConnectionCut, Server
from lab.samba.file_server import FileServer
from lab.samba.relay import Relay

pytestmark = pytest.mark.needs("smbd", "smbpasswd", "root", "smbprotocol")

ADDRESS = "127.83.44.10"
ACCOUNT, PASSWORD = r"CORP\svc-pcns", "Lab-only smb 1"
TARGET = r"C:\Windows\pkg.msi"
MIB = 1 << 20


@pytest.fixture(scope="module")
def smbd() -> Iterator[FileServer]:
    # Encryption is offered and not asked for, so that whether it is used is ours to say.
    options = {"server signing": "mandatory", "smb encrypt": "if_required"}
    with FileServer.start(ADDRESS, ACCOUNT, PASSWORD, options=options) as started:
        (started.drive / "Windows").mkdir()
        yield started


@pytest.fixture
def relay(smbd: FileServer) -> Iterator[Relay]:
    with Relay(ADDRESS, (smbd.address, smbd.port)) as started:
        yield started
    for left in (smbd.drive / "Windows").iterdir():
        left.unlink()


def server_of(port: int, **credentials: Any) -> Server:
    account = Credentials(
        **{
            "account": ACCOUNT,
            "password": PASSWORD,
            "kerberos": False,
            "ticket_cache": None,
            "host_name": "dc01.corp.example",
            "address": ADDRESS,
            **credentials,
        }
    )
    return Server("dc01", port, "C$", account, Login("ntlm", with_password=True))


def unguarded(attempt: Callable[[], Any]) -> Any:
    return attempt()


@contextmanager
def watched(seconds: float) -> Iterator[None]:
    started = time.monotonic()
    yield
    assert time.monotonic() - started < seconds


@pytest.mark.parametrize("size", [1, 65_535, 65_537, MIB - 1, MIB, MIB + 1, 9 * MIB + 17])
def test_every_byte_arrives(smbd: FileServer, relay: Relay, tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    (tmp_path / "source").write_bytes(data)
    seen: list[tuple[int, int]] = []
    with open_share(server_of(relay.port), unguarded) as share:
        share.write(str(tmp_path / "source"), TARGET, lambda done, total: seen.append((done, total)))
        share.rename(TARGET, TARGET + ".new")
    assert (smbd.drive / "Windows" / "pkg.msi.new").read_bytes() == data
    assert seen[-1] == (size, size)
    assert [done for done, _total in seen] == sorted(done for done, _total in seen)
    assert relay.connections == 1


def test_it_is_encrypted_on_the_wire(smbd: FileServer, tmp_path: Path) -> None:
    """What passes is looked at: the content is nowhere in it, nor the account's password, and nothing is in clear
    after the session has begun."""
    data = b"This would be readable. " * 100_000
    (tmp_path / "source").write_bytes(data)
    with (
        Recorder(ADDRESS, (smbd.address, smbd.port)) as recorder,
        open_share(server_of(recorder.port), unguarded) as share,
    ):
        share.write(str(tmp_path / "source"), TARGET)
    (smbd.drive / "Windows" / "pkg.msi").unlink()
    passed = bytes(recorder.passed)
    assert len(passed) > len(data)
    assert b"This would be readable." not in passed
    assert PASSWORD.encode() not in passed
    assert PASSWORD.encode("utf-16-le") not in passed
    commands = [int.from_bytes(message[12:14], "little") for message in messages(passed) if message[:4] == b"\xfeSMB"]
    assert set(commands) <= {0, 1}, "negotiation and session setup; the rest must be encrypted"


def test_the_library_logs_no_password(relay: Relay, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Ansible's log_path takes what libraries log."""
    caplog.set_level(logging.DEBUG)
    (tmp_path / "source").write_bytes(b"x")
    with open_share(server_of(relay.port), unguarded) as share:
        share.write(str(tmp_path / "source"), TARGET)
    assert "smbprotocol" in {record.name.partition(".")[0] for record in caplog.records}
    for form in (
        PASSWORD,
        PASSWORD.encode("utf-16-le").hex(),
        PASSWORD.encode().hex(),
        repr(PASSWORD.encode("utf-16-le")),
    ):
        assert form not in caplog.text.replace(" ", "") + caplog.text


class Recorder(Relay):
    """A relay that keeps what goes to the server."""

    passed = bytearray()

    def _pass_up(self, client: Any, server: Any) -> None:
        self.passed = bytearray()
        while data := client.recv(1 << 18):
            self.passed += data
            server.sendall(data)


def messages(passed: bytes) -> Iterator[bytes]:
    """Splits what passed into SMB messages (MS-SMB2 2.1)."""
    while passed:
        length = int.from_bytes(passed[:4], "big")
        yield passed[4 : 4 + length]
        passed = passed[4 + length :]


def test_nobody_else_can_touch_a_file_while_it_grows(relay: Relay, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(bytes(3 * MIB))
    server = server_of(relay.port)
    refused: list[str] = []
    with open_share(server, unguarded) as share, open_share(server, unguarded) as other:

        def meddle(_done: int, _total: int) -> None:
            with pytest.raises(OperationFailed) as caught:
                other.rename(TARGET, TARGET + ".stolen")
            refused.append(str(caught.value))

        share.write(str(tmp_path / "source"), TARGET, meddle)
        share.remove(TARGET)
    assert len(refused) == 3
    assert "0xC0000043" in refused[0]
    assert "another program or run has it open" in refused[0]


def test_what_fails_half_way_can_be_removed_at_once(smbd: FileServer, relay: Relay, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(bytes(3 * MIB))
    with open_share(server_of(relay.port), unguarded) as share:
        with pytest.raises(ZeroDivisionError):
            share.write(str(tmp_path / "source"), TARGET, lambda done, _total: done // 0)
        share.remove(TARGET)
        assert list((smbd.drive / "Windows").iterdir()) == []


class TestRefusals:
    def test_nothing_listens(self) -> None:
        with watched(0.5), pytest.raises(TransferUnavailable) as caught, open_share(server_of(9), unguarded):
            pass
        text = str(caught.value)
        assert (
            r"SMB share \\dc01.corp.example\C$ on dc01: nothing speaks SMB on 127.83.44.10:9 (Connection refused)."
            in text
        )
        assert "Let the control node reach TCP port 9 of the host, or set transfer: stream." in text

    def test_a_name_that_nobody_knows(self) -> None:
        server = server_of(445, address="dc01.invalid")
        with (
            pytest.raises(TransferUnavailable, match=r"nothing speaks SMB on dc01\.invalid:445"),
            open_share(server, unguarded),
        ):
            pass

    def test_no_such_share(self, relay: Relay) -> None:
        server = replace(server_of(relay.port), share="D$")
        with pytest.raises(TransferUnavailable, match=r"0xC00000CC.*no such share"), open_share(server, unguarded):
            pass

    def test_a_server_without_encryption_never_sees_the_account(self, tmp_path: Path) -> None:
        with (
            FileServer.start(ADDRESS, ACCOUNT, PASSWORD, options={"smb encrypt": "off"}) as plain,
            Recorder(ADDRESS, (plain.address, plain.port)) as recorder,
            pytest.raises(TransferUnavailable, match="does not offer encryption"),
            open_share(server_of(recorder.port), unguarded),
        ):
            pass
        commands = [int.from_bytes(message[12:14], "little") for message in messages(bytes(recorder.passed))]
        assert commands == [0], "nothing but the negotiation"

    def test_an_account_without_rights(self) -> None:
        with (
            FileServer.start(ADDRESS, ACCOUNT, PASSWORD, admitted=False) as closed,
            pytest.raises(TransferUnavailable, match=r"0xC0000022.*which is for administrators"),
            open_share(server_of(closed.port), unguarded),
        ):
            pass

    def test_a_wrong_password_is_tried_once_and_never_again_in_this_run(self, relay: Relay, tmp_path: Path) -> None:
        server = server_of(relay.port, password="wrong")
        guard = AuthenticationGuard(tmp_path, ACCOUNT)
        with (
            pytest.raises(AuthenticationRejected) as caught,
            open_share(server, lambda attempt: guard.attempt("dc01", attempt)),
        ):
            pass
        assert "the SMB server refused the account, which WinRM had let in (0xC000006D)" in str(caught.value)
        assert "wrong" not in str(caught.value).replace("is wrong", "")
        with pytest.raises(AuthenticationRejected, match="was rejected by dc01 in this run; it was not tried"):
            guard.attempt("dc02", lambda: pytest.fail("tried again"))

    def test_a_guest_is_nobody(self) -> None:
        options = {"map to guest": "bad user", "guest account": "nobody"}
        with FileServer.start(ADDRESS, ACCOUNT, PASSWORD, options=options) as lax:
            server = server_of(lax.port, account=r"CORP\nobody-knows-me")
            with pytest.raises(AuthenticationRejected), open_share(server, unguarded):
                pass


class TestBrokenConnections:
    @pytest.mark.parametrize("at", [10, 2_000, 3_000_000])
    def test_a_reset_is_told_as_such(self, relay: Relay, tmp_path: Path, at: int) -> None:
        (tmp_path / "source").write_bytes(bytes(9 * MIB))
        relay.cut_at = at
        with (
            watched(5),
            pytest.raises((ConnectionCut, TransferUnavailable)) as caught,
            open_share(server_of(relay.port), unguarded) as share,
        ):
            share.write(str(tmp_path / "source"), TARGET)
        # Only before the session has begun does it count as a way that is closed.
        assert isinstance(caught.value, TransferUnavailable) == (at == 10)

    @pytest.mark.parametrize("at", [2_000, 3_000_000])
    def test_silence_ends(self, relay: Relay, tmp_path: Path, at: int) -> None:
        """Whether we wait for an answer or for room to send, a network that says nothing is given up."""
        (tmp_path / "source").write_bytes(bytes(40 * MIB))
        relay.hold_at = at
        with (
            watched(8),
            pytest.raises(ConnectionCut, match="nothing was heard of the server for too long"),
            open_share(server_of(relay.port), unguarded, silence=0.5) as share,
        ):
            share.write(str(tmp_path / "source"), TARGET)

    def test_a_session_that_nobody_uses_may_be_silent(self, smbd: FileServer, relay: Relay, tmp_path: Path) -> None:
        """While the host hashes what has arrived, nothing passes."""
        (tmp_path / "source").write_bytes(b"x")
        with open_share(server_of(relay.port), unguarded, silence=0.2) as share:
            share.write(str(tmp_path / "source"), TARGET)
            time.sleep(0.7)
            share.rename(TARGET, TARGET + ".new")
        assert (smbd.drive / "Windows" / "pkg.msi.new").exists()

    def test_a_server_that_hangs_before_the_session(self, relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_smb_session, "CONNECT_TIMEOUT", 1.0)
        relay.hold_at = 0
        with watched(5), pytest.raises(TransferUnavailable), open_share(server_of(relay.port), unguarded):
            pass


def test_smbd_ends_with_its_owner() -> None:
    with FileServer.start(ADDRESS, ACCOUNT, PASSWORD) as short:
        digest = hashlib.sha256(short.configuration.read_bytes()).hexdigest()
    assert digest
    assert not short.configuration.exists()
    with pytest.raises(TransferUnavailable), open_share(server_of(short.port), unguarded):
        pass
