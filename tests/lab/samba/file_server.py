# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real SMB server with an administrative share: Samba's smbd on its own, on an address and a port of its own.

It needs root, since smbd changes its user (samba.md 7 and 9). smbd ends when the pipe to its standard input is closed,
so it dies with this process whatever happens to it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_CONFIGURATION = """[global]
    netbios name = {name}
    workgroup = {workgroup}
    server role = standalone server
    interfaces = {address}/8
    bind interfaces only = yes
    smb ports = {port}
    disable netbios = yes
    server min protocol = SMB2_10
    username map = {folder}/users
    passdb backend = tdbsam:{folder}/private/passdb.tdb
    private dir = {folder}/private
    state directory = {folder}/state
    cache directory = {folder}/cache
    lock directory = {folder}/lock
    pid directory = {folder}/run
    ncalrpc dir = {folder}/ncalrpc
    log file = {folder}/log
    max log size = 0
    load printers = no
    printcap name = /dev/null
    disable spoolss = yes
{options}
[C$]
    path = {drive}
    read only = no
    valid users = {valid}
{share}
"""
_USER = "root"
"""The Unix account behind the Windows one: smbd wants one that exists."""


@dataclass(frozen=True)
class FileServer:
    """A running smbd.

    Attributes:
        address: Its address.
        port: Its port.
        drive: The folder that is shared as `C$`.
        configuration: Its smb.conf.
    """

    address: str
    port: int
    drive: Path
    configuration: Path

    @classmethod
    @contextmanager
    def start(
        cls,
        address: str,
        account: str,
        password: str,
        *,
        drive: Path | None = None,
        port: int = 0,
        options: Mapping[str, str] | None = None,
        share: Mapping[str, str] | None = None,
        admitted: bool = True,
    ) -> Iterator[FileServer]:
        r"""Starts a server, and ends it.

        Args:
            address: Loopback address to listen on.
            account: The one account that it knows, `DOMAIN\name` or a bare name.
            password: Its password.
            drive: Folder to share as `C$`; a new one when not given.
            port: Port; a free one for 0.
            options: More lines of the section `[global]`, for example `smb encrypt`.
            share: More lines of the share.
            admitted: Whether the account may use the share, as administrators may on Windows.

        Raises:
            RuntimeError: It did not start.
        """
        workgroup = account.rpartition("\\")[0]
        with tempfile.TemporaryDirectory(prefix="smbd-") as text:
            folder = Path(text)
            for part in ("private", "state", "cache", "lock", "run", "ncalrpc", "drive"):
                (folder / part).mkdir(mode=0o755)
            (folder / "users").write_text(f"{_USER} = {_spellings(account)}\n", encoding="ascii")
            server = cls(address, port or _free_port(address), drive or folder / "drive", folder / "smb.conf")
            server.configuration.write_text(
                _CONFIGURATION.format(
                    name=f"F{server.port}",
                    workgroup=workgroup or "WORKGROUP",
                    address=address,
                    port=server.port,
                    folder=folder,
                    drive=server.drive,
                    valid=_USER if admitted else "nobody",
                    options=_lines(options),
                    share=_lines(share),
                ),
                encoding="utf-8",
            )
            _set_password(server.configuration, password)
            process = subprocess.Popen(
                ["smbd", "-s", str(server.configuration), "-F", "--no-process-group"],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                # smbd's own handling of SIGTERM ends its whole process group, which is the test's (samba.md 9).
                start_new_session=True,
            )
            try:
                server._wait(process, folder)
                yield server
            finally:
                if process.stdin is not None:
                    process.stdin.close()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(1)
                process.terminate()
                process.wait(10)
                # Its helpers outlive it by a moment, and write to the folder that is to go.
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)

    def _wait(self, process: subprocess.Popen[bytes], folder: Path, seconds: float = 15) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if process.poll() is not None:
                break
            with contextlib.suppress(OSError), socket.create_connection((self.address, self.port), 1):
                return
            time.sleep(0.01)
        log = folder / "log"
        said = log.read_text(encoding="utf-8", errors="replace")[-2000:] if log.exists() else "nothing"
        raise RuntimeError(f"smbd did not start on {self.address}:{self.port}; it said: {said}")


def available() -> bool:
    """Whether the programs are there."""
    return all(shutil.which(name) for name in ("smbd", "smbpasswd"))


def _spellings(account: str) -> str:
    """Returns how smbd may see the account: NTLM brings the name, a ticket the realm as well."""
    domain, separator, name = account.rpartition("\\")
    return f"{name} {domain}{separator}{name}"


def _set_password(configuration: Path, password: str) -> None:
    """Gives the account its password, over standard input so that no command line shows it."""
    command = ["smbpasswd", "-c", str(configuration), "-a", "-s", _USER]
    done = subprocess.run(command, input=f"{password}\n{password}\n", text=True, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"smbpasswd failed: {done.stderr}")


def _free_port(address: str) -> int:
    with socket.socket() as free:
        free.bind((address, 0))
        return int(free.getsockname()[1])


def _lines(values: Mapping[str, str] | None) -> str:
    return "".join(f"    {name} = {value}\n" for name, value in (values or {}).items())
