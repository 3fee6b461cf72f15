# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps a run from locking an account out: one first attempt at a time, and none after a rejected password.

Ansible works on many hosts at once, each in a process of its own, and an account lockout policy counts every wrong
password. So the first attempt with an account is made by one worker alone. Once a host has accepted the account,
everybody goes on without waiting; once a host has rejected it, nobody tries again in this run.

The state lies in Ansible's private folder of this run, which the workers share and which goes when the run ends. It
holds the word accepted or rejected and the name of a host: no secret, and nothing derived from one. That two groups of
hosts have different passwords for one account can therefore not be seen here; give each its own account name. The
password of the directory is another variable, so that one being right says nothing of the other (`source`).
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import TypeVar

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    AuthenticationRejected,
    DeadlineExceeded,
)

T = TypeVar("T")

_POLL = 0.05


class _Known(Enum):
    NOTHING = "nothing"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class AuthenticationGuard:
    """Guards one account within one run.

    Args:
        folder: Private folder that all workers of the run share.
        account: Account name as the inventory has it; compared without regard to case.
        patience: Seconds to wait for another worker's first attempt.
        source: Where the password comes from, empty for the connection to the hosts. That the account was accepted with
            it counts only here; a rejection counts everywhere.
    """

    def __init__(
        self, folder: str | os.PathLike[str], account: str, *, patience: float = 300, source: str = ""
    ) -> None:
        name = hashlib.sha256(account.lower().encode()).hexdigest()
        self._state = Path(folder) / f"entsso-account-{name}.json"
        self._own = Path(folder) / f"entsso-account-{name}-{source}.json" if source else self._state
        self._lock = Path(folder) / f"entsso-account-{name}.lock"
        self._account = account
        self._patience = patience
        self._forgiven = 0

    def forgive(self, refusals: int) -> None:
        """Lets this worker be refused a few times, once the account has been accepted in this run.

        A domain controller that starts answers before it can check a password, and refuses the right one. The account
        has proved right, so this is no reason to stop; a number that stays below usual lockout thresholds is.
        """
        self._forgiven = refusals

    def check(self, host: str) -> bool:
        """Returns whether a host has accepted the account.

        Raises:
            AuthenticationRejected: A host has rejected it.
        """
        return self._checked(host) is _Known.ACCEPTED

    def attempt(self, host: str, attempt: Callable[[], T], accepted: Callable[[T], bool] = lambda _result: True) -> T:
        """Lets one authentication happen, or refuses it.

        Args:
            host: The host's name in the inventory.
            attempt: What authenticates; raises `AuthenticationRejected` when the host rejects the account.
            accepted: Whether a result shows that the host has let the account in.

        Returns:
            What `attempt` returned.

        Raises:
            AuthenticationRejected: This host rejected the account, or another one did before.
            DeadlineExceeded: Another worker's first attempt took too long.
            Exception: What `attempt` raises.
        """
        if self.check(host):
            return self._attempted(host, attempt)
        with self._alone(host):
            known = self._checked(host)
            result = self._attempted(host, attempt)
            if known is _Known.NOTHING and accepted(result):
                self._write(_Known.ACCEPTED, host)
        return result

    def reject(self, host: str) -> None:
        """Remembers that a host rejected the account, also after others have accepted it; see `forgive`."""
        if self._forgiven > 0 and self._known()[0] is _Known.ACCEPTED:
            self._forgiven -= 1
            return
        self._write(_Known.REJECTED, host)

    def _attempted(self, host: str, attempt: Callable[[], T]) -> T:
        try:
            return attempt()
        except AuthenticationRejected as error:
            if error.credentials_presented:
                self.reject(host)
            raise

    def _checked(self, host: str) -> _Known:
        known, by = self._known()
        if known is _Known.REJECTED:
            raise AuthenticationRejected(
                host,
                f"account {self._account}",
                f"the account was rejected by {by} in this run; it was not tried on this host",
                "Correct its name or password and run again: nothing else was tried, so as not to lock it out",
            )
        return known

    def _known(self) -> tuple[_Known, str]:
        shared = self._read(self._state)
        return shared if shared[0] is _Known.REJECTED or self._own == self._state else self._read(self._own)

    def _read(self, path: Path) -> tuple[_Known, str]:
        try:
            state = json.loads(path.read_text(encoding="utf-8"))
            return _Known(state["state"]), str(state["host"])
        except FileNotFoundError:
            return _Known.NOTHING, ""
        except (ValueError, KeyError, TypeError) as error:
            # Not written by us: better one question too many than an account locked out.
            raise AuthenticationRejected(
                "",
                f"account {self._account}",
                f"{path} can't be read ({error})",
                "Delete the file, or run again",
                credentials_presented=False,
            ) from error

    def _write(self, known: _Known, host: str) -> None:
        """Replaces the state as a whole, since others read it without the lock."""
        path = self._own if known is _Known.ACCEPTED else self._state
        fresh = path.with_suffix(f".{os.getpid()}")
        fresh.write_text(json.dumps({"state": known.value, "host": host}), encoding="utf-8")
        fresh.replace(path)

    @contextmanager
    def _alone(self, host: str) -> Iterator[None]:
        """Holds the account's lock, or goes on without it as soon as the account has been accepted."""
        self._lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        end = time.monotonic() + self._patience
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if self.check(host):
                        break
                if time.monotonic() >= end:
                    raise DeadlineExceeded(
                        host,
                        f"account {self._account}",
                        f"another worker's first authentication has not ended within {self._patience:g} seconds",
                        "Look at the host that this run is waiting for, and run again",
                    )
                time.sleep(_POLL)
            yield
        finally:
            os.close(descriptor)
