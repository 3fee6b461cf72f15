# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The accounts of a host in the form in which pyspnego's NTLM acceptor looks them up."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

_VARIABLE = "NTLM_USER_FILE"


class CredentialStore:
    """The one credential file of the process, which holds the accounts of the host that authenticates just now.

    pyspnego reads a file that an environment variable names, whenever a step of a handshake needs it. Hosts may know
    different accounts, or another password for the same one, so the file is written anew for each. The variable is set
    once: other threads may go through the environment at any time, and must not find it changing.
    """

    def __init__(self) -> None:
        """Make the file in a private folder and name it to pyspnego."""
        self._folder = tempfile.TemporaryDirectory(prefix="lab-accounts-")
        self._path = Path(self._folder.name) / "accounts"
        self._path.touch(mode=0o600)
        self._lock = threading.Lock()
        self._written: dict[str, str] = {}
        os.environ[_VARIABLE] = str(self._path)

    @contextlib.contextmanager
    def presented(self, accounts: Mapping[str, str]) -> Iterator[None]:
        """Have pyspnego see these accounts, and no others, in the body of the ``with`` statement.

        The body must not await.

        Raises:
            ValueError: A name or password can't be written in the file.
        """
        with self._lock:
            if self._written != accounts:
                wanted = dict(accounts)
                self._path.write_text("".join(_line(*account) for account in wanted.items()), encoding="utf-8")
                self._written = wanted
            yield


_shared: CredentialStore | None = None
_shared_lock = threading.Lock()


def shared_store() -> CredentialStore:
    """Return the store of this process; its folder goes away with the process."""
    global _shared  # pyspnego's variable is just as global
    with _shared_lock:
        if _shared is None:
            _shared = CredentialStore()
        return _shared


def _line(name: str, password: str) -> str:
    domain, _separator, user = name.rpartition("\\")
    if any(character in part for part in (domain, user, password) for character in ":\r\n"):
        raise ValueError(f"The lab's account {name!r} can't be used: a colon or line break is in its name or password.")
    return f"{domain}:{user}:{password}\n"
