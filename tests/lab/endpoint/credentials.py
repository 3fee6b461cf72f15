# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The accounts and keys of a host in the form in which the mechanisms look them up: files that variables name."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

_ACCOUNTS = "NTLM_USER_FILE"
_KEYTAB = "KRB5_KTNAME"
_EMPTY_KEYTAB = b"\x05\x02"


class CredentialStore:
    """The one account file and the one keytab of the process, which hold those of the host that authenticates just now.

    pyspnego (NTLM) and GSS-API (Kerberos) read files that environment variables name, whenever a step of a handshake
    needs them. Hosts may know different accounts, or another password for the same one, and have keys of their own, so
    the files are written anew for each. The variables are set once: other threads may go through the environment at any
    time, and must not find it changing.
    """

    def __init__(self) -> None:
        """Make the files in a private folder and name them to the mechanisms."""
        self._folder = tempfile.TemporaryDirectory(prefix="lab-accounts-")
        self._path = Path(self._folder.name) / "accounts"
        self._path.touch(mode=0o600)
        self._keytab = Path(self._folder.name) / "keytab"
        self._keytab.touch(mode=0o600)
        self._keytab.write_bytes(_EMPTY_KEYTAB)
        self._lock = threading.Lock()
        self._written: dict[str, str] = {}
        self._written_keys = b""
        os.environ[_ACCOUNTS] = str(self._path)
        os.environ[_KEYTAB] = f"FILE:{self._keytab}"

    @contextlib.contextmanager
    def presented(self, accounts: Mapping[str, str], keytab: bytes = b"") -> Iterator[None]:
        """Have the mechanisms see these accounts and keys, and no others, in the body of the ``with`` statement.

        The body must not await.

        Raises:
            ValueError: A name or password can't be written in the file.
        """
        with self._lock:
            if self._written != accounts:
                wanted = dict(accounts)
                self._path.write_text("".join(_line(*account) for account in wanted.items()), encoding="utf-8")
                self._written = wanted
            if self._written_keys != keytab:
                self._keytab.write_bytes(keytab or _EMPTY_KEYTAB)
                self._written_keys = keytab
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
