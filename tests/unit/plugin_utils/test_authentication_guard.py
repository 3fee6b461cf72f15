# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard against account lockout, with real processes as Ansible forks them."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    AuthenticationRejected,
    DeadlineExceeded,
    HostUnreachable,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._authentication_guard import (
    AuthenticationGuard,
)

ACCOUNT = "CORP\\svc-ansible"
FORK = multiprocessing.get_context("fork")


def _reject() -> str:
    raise AuthenticationRejected("dc01", "account", "rejected", "correct it")


def test_after_a_rejection_nobody_tries_again(tmp_path: Path) -> None:
    with pytest.raises(AuthenticationRejected):
        AuthenticationGuard(tmp_path, ACCOUNT).attempt("dc01", _reject)
    tried: list[str] = []
    for name in (ACCOUNT, ACCOUNT.upper()):
        with pytest.raises(
            AuthenticationRejected, match="was rejected by dc01 in this run; it was not tried on this host"
        ):
            AuthenticationGuard(tmp_path, name).attempt("dc02", lambda: tried.append("x"))
    assert tried == []
    # Another account is another matter.
    assert AuthenticationGuard(tmp_path, "CORP\\other").attempt("dc02", lambda: "in") == "in"


def test_a_host_that_never_saw_the_password_says_nothing(tmp_path: Path) -> None:
    def refuse() -> str:
        raise AuthenticationRejected("dc01", "t", "not offered", "set another", credentials_presented=False)

    guard = AuthenticationGuard(tmp_path, ACCOUNT)
    with pytest.raises(AuthenticationRejected):
        guard.attempt("dc01", refuse)
    assert guard.attempt("dc02", lambda: "in") == "in"
    assert guard.check("dc03")


def test_an_unreachable_host_says_nothing(tmp_path: Path) -> None:
    def fail() -> str:
        raise HostUnreachable("dc01", "WinRM", "down", "start it")

    guard = AuthenticationGuard(tmp_path, ACCOUNT)
    with pytest.raises(HostUnreachable):
        guard.attempt("dc01", fail)
    assert not guard.check("dc03")
    assert guard.attempt("dc02", lambda: 404, lambda status: status == 200) == 404
    assert not guard.check("dc03")


def test_a_later_rejection_counts_as_well(tmp_path: Path) -> None:
    guard = AuthenticationGuard(tmp_path, ACCOUNT)
    guard.attempt("dc01", lambda: "in")
    with pytest.raises(AuthenticationRejected):
        guard.attempt("dc02", _reject)
    with pytest.raises(AuthenticationRejected, match="rejected by dc02"):
        guard.attempt("dc01", lambda: "in")


def test_a_right_password_from_elsewhere_proves_nothing_and_a_wrong_one_counts(tmp_path: Path) -> None:
    directory, hosts = AuthenticationGuard(tmp_path, ACCOUNT, source="ldap"), AuthenticationGuard(tmp_path, ACCOUNT)
    directory.attempt("dc01", lambda: "in")
    assert directory.check("dc02")
    assert not hosts.check("dc02")
    hosts.attempt("dc02", lambda: "in")
    assert hosts.check("dc03")
    with pytest.raises(AuthenticationRejected):
        directory.attempt("dc03", _reject)
    for guard in (directory, hosts):
        with pytest.raises(AuthenticationRejected, match="rejected by dc03"):
            guard.check("dc04")


def test_nothing_secret_is_written(tmp_path: Path) -> None:
    AuthenticationGuard(tmp_path, ACCOUNT).attempt("dc01", lambda: "in")
    files = sorted(tmp_path.iterdir())
    assert [file.suffix for file in files] == [".json", ".lock"]
    assert files[0].read_text() == '{"state": "accepted", "host": "dc01"}'
    assert files[1].read_bytes() == b""
    assert ACCOUNT not in "".join(str(file) for file in files)


def test_a_state_that_can_not_be_read_lets_nobody_in(tmp_path: Path) -> None:
    guard = AuthenticationGuard(tmp_path, ACCOUNT)
    guard.attempt("dc01", lambda: "in")
    next(tmp_path.glob("*.json")).write_text("{}")
    with pytest.raises(AuthenticationRejected, match="can't be read"):
        guard.attempt("dc01", lambda: "in")


def _worker(folder: Path, log: Path, number: int, password_is_right: bool) -> None:
    def attempt() -> str:
        with log.open("a") as file:
            file.write(f"{number} begins\n")
        time.sleep(0.2)
        with log.open("a") as file:
            file.write(f"{number} ends\n")
        return "in" if password_is_right else _reject()

    try:
        AuthenticationGuard(folder, ACCOUNT).attempt(f"dc{number:02d}", attempt)
    except AuthenticationRejected:
        os._exit(7)
    os._exit(0)


def _race(folder: Path, *, right: bool, workers: int = 8) -> tuple[list[str], list[int | None]]:
    log = folder / "log"
    processes = [FORK.Process(target=_worker, args=(folder, log, number, right)) for number in range(workers)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=30)
    return log.read_text().splitlines(), [process.exitcode for process in processes]


def test_a_wrong_password_is_tried_once_by_all_workers_together(tmp_path: Path) -> None:
    lines, codes = _race(tmp_path, right=False)
    assert len(lines) == 2
    assert codes == [7] * 8


def test_a_right_password_is_tried_by_one_first_and_then_by_all_at_once(tmp_path: Path) -> None:
    lines, codes = _race(tmp_path, right=True)
    assert codes == [0] * 8
    assert len(lines) == 16
    assert lines[0].split()[0] == lines[1].split()[0]
    assert lines[1].endswith("ends")


def test_waiting_for_a_worker_that_hangs_has_an_end(tmp_path: Path) -> None:
    def hang(_folder: Path) -> None:
        AuthenticationGuard(tmp_path, ACCOUNT).attempt("dc01", lambda: time.sleep(20))

    process = FORK.Process(target=hang, args=(tmp_path,))
    process.start()
    try:
        _until(lambda: any(tmp_path.glob("*.lock")))
        time.sleep(0.2)
        with pytest.raises(DeadlineExceeded, match=r"has not ended within 0\.3 seconds"):
            AuthenticationGuard(tmp_path, ACCOUNT, patience=0.3).attempt("dc02", lambda: "in")
    finally:
        process.kill()
        process.join()


def test_a_worker_that_dies_frees_the_account(tmp_path: Path) -> None:
    process = FORK.Process(target=lambda: AuthenticationGuard(tmp_path, ACCOUNT).attempt("dc01", lambda: os._exit(1)))
    process.start()
    process.join()
    assert AuthenticationGuard(tmp_path, ACCOUNT, patience=5).attempt("dc02", lambda: "in") == "in"


def _until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_host_that_starts_may_refuse_a_proved_account_twice(tmp_path: Path) -> None:
    AuthenticationGuard(tmp_path, ACCOUNT).attempt("dc01", lambda: "in")
    guard = AuthenticationGuard(tmp_path, ACCOUNT)
    guard.forgive(2)
    for _try in range(2):
        with pytest.raises(AuthenticationRejected, match="rejected"):
            guard.attempt("dc01", _reject)
        assert AuthenticationGuard(tmp_path, ACCOUNT).check("dc02")
    with pytest.raises(AuthenticationRejected):
        guard.attempt("dc01", _reject)
    with pytest.raises(AuthenticationRejected, match="was rejected by dc01 in this run"):
        AuthenticationGuard(tmp_path, ACCOUNT).check("dc02")


def test_an_account_that_nobody_accepted_is_not_forgiven(tmp_path: Path) -> None:
    guard = AuthenticationGuard(tmp_path, ACCOUNT)
    guard.forgive(2)
    with pytest.raises(AuthenticationRejected):
        guard.attempt("dc01", _reject)
    with pytest.raises(AuthenticationRejected, match="was rejected by dc01 in this run"):
        guard.check("dc02")
