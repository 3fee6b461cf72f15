# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the control node says of itself, with real sockets, the real resolver and cache files in their real format."""

from __future__ import annotations

import errno
import platform
import socket
import struct
import time
from pathlib import Path
from typing import NoReturn

import pytest
import yaml

from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection import _control_node
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._control_node import (
    control_node,
    probe_ports,
    read_tickets,
    resolve,
)

ROOT = Path(__file__).resolve().parents[3]


def test_versions_are_those_that_are_installed() -> None:
    import winrm  # noqa: F401  (what is reported as installed can be imported)
    from ansible.release import __version__

    node = control_node()
    assert node.collection == yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    assert node.python == platform.python_version()
    assert node.libraries["ansible-core"] == __version__
    assert node.libraries["pywinrm"]


def test_a_library_that_is_missing_has_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_control_node, "LIBRARIES", ("no-such-distribution",))
    assert control_node().libraries == {"no-such-distribution": ""}


def test_names_are_looked_up_forth_and_back() -> None:
    found = resolve(("localhost", "localhost", "", "no-such-host.invalid"), 5)
    assert [item.name for item in found] == ["localhost", "no-such-host.invalid"]
    assert "127.0.0.1" in found[0].addresses
    assert found[0].reverse["127.0.0.1"] == socket.getnameinfo(("127.0.0.1", 0), 0)[0]
    assert found[1].addresses == ()
    assert found[1].problem


def test_a_name_that_can_not_be_one_is_a_problem_and_no_error() -> None:
    (found,) = resolve(("a" * 300,), 5)
    assert found.problem


def test_a_silent_resolver_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", _silent)
    started = time.monotonic()
    (found,) = resolve(("slow.example",), 0.1)
    assert time.monotonic() - started < 2
    assert found.problem == "the resolver did not answer within 0.1 seconds"


def test_ports_are_open_or_say_why_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        open_, closed = listening.getsockname()[1], bound.getsockname()[1]
        found = probe_ports("127.0.0.1", [(open_, "this"), (closed, "that")], 5)
    assert [(item.port, item.purpose, item.state) for item in found] == [
        (open_, "this", "open"),
        (closed, "that", "connection refused"),
    ]


def test_a_port_of_a_name_that_is_not_there() -> None:
    (found,) = probe_ports("no-such-host.invalid", [(5985, "WinRM")], 5)
    assert found.state not in ("open", "")


def test_a_silent_port_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "create_connection", _silent)
    (found,) = probe_ports("127.0.0.1", [(1, "x")], 0.1)
    assert found.state == "no answer within 0.1 seconds"


def _silent(*_arguments: object, **_options: object) -> NoReturn:
    time.sleep(3)
    raise OSError(errno.ETIMEDOUT, "Connection timed out")


def _principal(*parts: str) -> bytes:
    texts = [part.encode() for part in ("CORP.EXAMPLE", *parts)]
    return struct.pack(">II", 1, len(parts)) + b"".join(struct.pack(">I", len(text)) + text for text in texts)


def _cache(ends: int, *server: str) -> bytes:
    """A credential cache of version 4, after MIT Kerberos' description of the format."""
    ticket = _principal("svc-pcns") + _principal(*server) + struct.pack(">HI", 18, 32) + bytes(32)
    ticket += struct.pack(">4I", 0, 0, ends, 0) + bytes(1 + 4 + 4 + 4)
    ticket += struct.pack(">I", 4) + b"tkt!" + struct.pack(">I", 0)
    return b"\x05\x04\x00\x00" + _principal("svc-pcns") + ticket


@pytest.mark.parametrize(("left", "problem"), [(3600, ""), (-1, "expired")])
def test_a_cache_tells_whose_and_until_when(tmp_path: Path, left: int, problem: str) -> None:
    ends = int(time.time()) + left
    (tmp_path / "cache").write_bytes(_cache(ends, "krbtgt", "CORP.EXAMPLE"))
    found = read_tickets(f"FILE:{tmp_path}/cache")
    assert found.principal == "svc-pcns@CORP.EXAMPLE"
    assert found.expires == time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ends))
    assert found.problem == problem


def test_a_cache_of_the_environment_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cache").write_bytes(_cache(2**31, "HTTP", "dc01.corp.example"))
    monkeypatch.setenv("KRB5CCNAME", str(tmp_path / "cache"))
    found = read_tickets(None)
    assert (found.name, found.problem) == (str(tmp_path / "cache"), "it holds no ticket to get others with")


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("FILE:/no/such/cache", "there is no such cache"),
        ("FILE:/", "not readable: Is a directory"),
        ("KEYRING:persistent:0", "not readable: only caches of type FILE are read, and this is KEYRING"),
        ("KCM:", "not readable: only caches of type FILE are read, and this is KCM"),
    ],
)
def test_a_cache_that_can_not_be_read_says_why(name: str, problem: str) -> None:
    assert read_tickets(name).problem == problem


def test_what_is_no_cache_is_told(tmp_path: Path) -> None:
    (tmp_path / "cache").write_bytes(b"hello")
    assert read_tickets(str(tmp_path / "cache")).problem.startswith("not readable: ")
