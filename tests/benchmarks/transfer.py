# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How quickly files come to a host: over SMB beside Debian's smbclient, and over the WinRS stream."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from unit.lab_host import running

from ansible_collections.entsso.password_sync.plugins.module_utils.transfer._transfer import Login
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._credentials import Credentials
from ansible_collections.entsso.password_sync.plugins.plugin_utils.transfer._smb import open_share
from ansible_collections.entsso.password_sync.plugins.plugin_utils.transfer._smb_session import Server
from lab.samba.file_server import FileServer

ADDRESS = "127.83.48.10"
ACCOUNT, PASSWORD = r"CORP\svc-pcns", "Lab-only smb 1"
PROMISED_RATIO = 0.6
PROMISED_STREAM = 3.0
MB = 1_000_000
_SPEED = re.compile(r"\(([\d.]+) kb/s\)")


@dataclass(frozen=True)
class Speed:
    """Megabytes a second, best of several rounds; what is measured is the transfer without connecting.

    Attributes:
        ours: Of this collection.
        theirs: Of smbclient.
    """

    ours: float
    theirs: float

    @property
    def ratio(self) -> float:
        """Ours as a part of theirs."""
        return self.ours / self.theirs


def best(speeds: Sequence[Speed]) -> Speed:
    """Returns the best of each side."""
    return Speed(max(speed.ours for speed in speeds), max(speed.theirs for speed in speeds))


def lines(folder: Path) -> Iterator[str]:
    """Measures and tells."""
    missing = [name for name in ("smbd", "smbpasswd", "smbclient") if shutil.which(name) is None]
    if missing or os.geteuid() != 0:
        yield f"SMB left out: it takes root and {', '.join(missing) or 'smbd'}"
    else:
        speed = smb(folder, 200 * MB, rounds=5)
        yield (
            f"SMB, 200 MB to the same smbd, signing required, encrypted, NTLM: this collection {speed.ours:.0f} MB/s, "
            f"smbclient {speed.theirs:.0f} MB/s, that is {speed.ratio:.0%} (at least {PROMISED_RATIO:.0%} is promised)"
        )
    quick = stream(folder, 30 * MB)
    yield f"WinRS stream, 30 MB to the lab: {quick:.1f} MB/s (at least {PROMISED_STREAM:g} are promised)"


def smb(folder: Path, size: int, rounds: int) -> Speed:
    """Pushes one file with both clients in turn, with the same settings, to the same server."""
    source = _source(folder, size)
    options = {"server signing": "mandatory", "smb encrypt": "required"}
    ours, theirs = [], []
    with FileServer.start(ADDRESS, ACCOUNT, PASSWORD, options=options) as smbd:
        for number in range(rounds):
            theirs.append(_smbclient(smbd, source, folder))
            ours.append(_collection(smbd, source, size, number))
            for file in smbd.drive.iterdir():
                file.unlink()
    return Speed(max(ours), max(theirs))


def stream(folder: Path, size: int, rounds: int = 2) -> float:
    """Pushes a file over the WinRS stream; what decodes it on the host is simulated, and in this process as well."""
    source = _source(folder, size)
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    speeds = []
    with running() as lab, lab.open("dc01") as host:
        for _round in range(rounds):
            started = time.perf_counter()
            host.files.push(str(source), r"C:\Windows\Temp\file", digest)
            speeds.append(size / MB / (time.perf_counter() - started))
    return max(speeds)


def _collection(smbd: FileServer, source: Path, size: int, number: int) -> float:
    account = Credentials(ACCOUNT, PASSWORD, False, None, "dc01.corp.example", smbd.address)
    server = Server("dc01", smbd.port, "C$", account, Login("ntlm", with_password=True))
    with open_share(server, lambda attempt: attempt()) as share:
        started = time.perf_counter()
        share.write(str(source), rf"C:\ours-{number}")
        return size / MB / (time.perf_counter() - started)


def _smbclient(smbd: FileServer, source: Path, folder: Path) -> float:
    """What smbclient says of itself; its kb are 1,024 bytes."""
    domain, _separator, name = ACCOUNT.partition("\\")
    account = folder / "account"
    account.write_text(f"username = {name}\npassword = {PASSWORD}\ndomain = {domain}\n", encoding="utf-8")
    account.chmod(0o600)
    command = ["smbclient", f"//{smbd.address}/C$", "-p", str(smbd.port), "-A", str(account), "-m", "SMB3"]
    command += ["--client-protection=encrypt", "-c", f"put {source} theirs"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = _SPEED.search(done.stdout + done.stderr)
    if done.returncode or found is None:
        raise RuntimeError(f"smbclient failed: {done.stdout}{done.stderr}")
    return float(found[1]) * 1024 / MB


def _source(folder: Path, size: int) -> Path:
    path = folder / f"source-{size}"
    if not path.exists():
        path.write_bytes(os.urandom(size))
    return path
