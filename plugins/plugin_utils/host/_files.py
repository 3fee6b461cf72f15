# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`host.files`: what is on a host's disks, and files put there over the WinRS stream.

Looking is WMI and starts nothing. Hashing and pushing start programs of Windows (certutil, findstr), which is for
changes only: endpoint protection may report certutil (wsman.md 6).
"""

from __future__ import annotations

import base64
import hashlib
import ntpath
import os
import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    HostError,
    OperationFailed,
    UnreadableOutput,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._quoting import cmd_path
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._cim import wql_string
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._command import CommandResult, CommandRunner
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._wmi import Wmi

_ABSOLUTE = re.compile(r"[A-Za-z]:\\(?:[^\\/:*?\"<>|]+\\)*[^\\/:*?\"<>|]*\Z")
_UNC = re.compile(r"\\\\(?:[^\\/:*?\"<>|]+\\){2,}[^\\/:*?\"<>|]+\Z")
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_LINE_BYTES = 57
"""Bytes in one line of 76 characters of base64, the width that certutil writes itself and that Python's encoder has."""

_PUSH_WARNING = (
    "the file is sent over the WinRS stream, which is slow, and decoded on the host with certutil, which endpoint "
    "protection may report; let the control node reach the host's SMB port, or put the file on the host beforehand"
)


@dataclass(frozen=True)
class FileState:
    """One file.

    Attributes:
        path: Full path as the host writes it.
        size: Bytes.
        version: File version of its version resource; empty when it has none.
        created: When it was created, UTC; None when the host does not tell.
        modified: When it was last written, UTC; None when the host does not tell.
    """

    path: str
    size: int
    version: str
    created: datetime | None
    modified: datetime | None


class Progress(Protocol):
    """Hears how far a push is, in bytes of the file."""

    def __call__(self, done: int, total: int) -> None: ...


class Files:
    """The files of one host. Paths are absolute, with backslashes, and on a drive of the host unless said otherwise."""

    def __init__(self, wmi: Wmi, runner: CommandRunner, host: str) -> None:
        self._wmi = wmi
        self._runner = runner
        self._host = host

    def stat(self, path: str) -> FileState | None:
        """Returns what is known of a file, None when there is none at this path; a directory is no file.

        Through CIM_DataFile, found by its whole name so that the host need not search the disk (wsman.md 4).

        Raises:
            OperationFailed: Not an absolute path.
            HostError: It could not be read.
        """
        wql = (
            "SELECT Name, FileSize, Version, CreationDate, LastModified FROM CIM_DataFile "
            f"WHERE Name = {wql_string(self._absolute(path))}"
        )
        found = self._wmi.query(wql)
        if not found:
            return None
        return FileState(
            path=found[0].string("Name"),
            size=found[0].integer("FileSize"),
            version=found[0].optional_string("Version") or "",
            created=found[0].optional_time("CreationDate"),
            modified=found[0].optional_time("LastModified"),
        )

    def sha256(self, path: str, deadline: float = 600) -> str:
        """Returns a file's SHA-256 in lower-case hexadecimal; starts certutil on the host.

        Args:
            path: The file; a UNC path too, which the host reads with what its logon may do there.
            deadline: Seconds to wait.

        Raises:
            OperationFailed: certutil could not read the file.
            UnreadableOutput: Its output holds no hash.
            HostError: It could not be run.
        """
        result = self._runner.run(
            f"certutil -hashfile {cmd_path(path if _UNC.match(path) else self._absolute(path))} SHA256",
            deadline=deadline,
            terminate_on_deadline=True,
        )
        self._succeeded(result, f"file {path}", "be hashed")
        # The text around the hash is in the host's language; older systems put spaces between the bytes.
        for line in result.stdout.splitlines():
            if _SHA256.match(digest := line.replace(" ", "").strip().lower()):
                return digest
        raise UnreadableOutput(
            self._host, f"file {path}", "certutil wrote no SHA-256", "Run certutil -hashfile on the host and look"
        )

    def expect(self, path: str, sha256: str, deadline: float = 600) -> None:
        """Compares the SHA-256 of a file that has come to the host, on the host, with what it must be.

        Raises:
            UnreadableOutput: It is another one.
            HostError: As `sha256`.
        """
        if (found := self.sha256(path, deadline)) != sha256.lower():
            raise UnreadableOutput(
                self._host,
                f"file {path}",
                f"what arrived has SHA-256 {found} instead of {sha256.lower()}",
                "Nothing was executed. Run again; if it stays so, put the file on the host in another way",
            )

    def push(
        self,
        local_path: str,
        remote_path: str,
        sha256: str,
        *,
        progress: Progress | None = None,
        warn: Callable[[str], None] | None = None,
        deadline: float = 3600,
    ) -> None:
        """Puts a local file on the host, byte for byte, over the WinRS stream; the last resort.

        The content arrives under another name in the same directory, is compared with `sha256`, and only then takes its
        name, so nobody ever sees half a file. What lies between is removed in every case, and where the host can't be
        reached for that, `warn` hears what is left.

        Args:
            local_path: File on the control node, not empty.
            remote_path: Where to put it; its directory exists; a file there is replaced.
            sha256: Expected SHA-256, hexadecimal.
            progress: Hears how far it is.
            warn: Hears why this way is the last resort.
            deadline: Seconds for each of its steps.

        Raises:
            OperationFailed: The local file has another hash, or the host could not write or decode it.
            UnreadableOutput: What arrived has another hash.
            HostError: The host could not be asked.
        """
        subject = f"file {remote_path}"
        target = cmd_path(self._absolute(remote_path))
        size = self._checked_locally(local_path, sha256, subject)
        if warn is not None:
            warn(_PUSH_WARNING)
        stem = ntpath.join(ntpath.dirname(remote_path), f"~{uuid.uuid4().hex}")
        encoded, arrived = f"{stem}.b64", f"{stem}.tmp"
        try:
            written = self._runner.run(
                f'findstr "^" > {cmd_path(encoded)}',
                stdin=_base64_lines(local_path, size, progress),
                deadline=deadline,
                terminate_on_deadline=True,
            )
            self._succeeded(written, subject, "be written")
            decoded = self._runner.run(
                f"certutil -decode {cmd_path(encoded)} {cmd_path(arrived)}",
                deadline=deadline,
                terminate_on_deadline=True,
            )
            self._succeeded(decoded, subject, "be decoded")
            self.expect(arrived, sha256, deadline)
            self._succeeded(self._runner.run(f"move /y {cmd_path(arrived)} {target}"), subject, "take its name")
        finally:
            self._tidy(warn, encoded, arrived)

    def make_directory(self, path: str) -> None:
        """Creates a directory with those above it, and proves that it can be written to; one that exists stays.

        `mkdir` fails where the directory exists, in words of the host's language. So a directory of a new name is made
        inside it, which makes all above it, and is removed again.

        Raises:
            OperationFailed: The host could not create it, or the account may not write there.
            HostError: The host could not be asked.
        """
        probe = cmd_path(ntpath.join(self._absolute(path), f"~{uuid.uuid4().hex}"))
        result = self._runner.run(f"mkdir {probe} && rmdir {probe}")
        self._succeeded(result, f"directory {path}", "be created or written to")

    def remove(self, path: str) -> bool:
        """Deletes a file; returns False when there was none.

        Raises:
            OperationFailed: It is still there.
            HostError: The host could not be asked.
        """
        if self.stat(path) is None:
            return False
        result = self._runner.run(f"del /f /q {cmd_path(path)}")
        if self.stat(path) is not None:
            raise OperationFailed(
                self._host,
                f"file {path}",
                f"it could not be deleted: {_said(result) or 'no reason given'}",
                "Find out on the host what holds it open",
                code=result.exit_code,
            )
        return True

    def _checked_locally(self, local_path: str, sha256: str, subject: str) -> int:
        if not _SHA256.match(sha256.lower()):
            reason = "the expected SHA-256 is not 64 hexadecimal digits"
            raise OperationFailed(self._host, subject, reason, "Correct it")
        digest = hashlib.sha256()
        try:
            size = os.stat(local_path).st_size
            with open(local_path, "rb") as file:
                while chunk := file.read(1 << 20):
                    digest.update(chunk)
        except OSError as error:
            reason = f"{local_path} on the control node can't be read ({error.strerror})"
            raise OperationFailed(self._host, subject, reason, "Check the path") from error
        if size == 0:
            raise OperationFailed(self._host, subject, f"{local_path} is empty", "Check the path")
        if digest.hexdigest() != sha256.lower():
            raise OperationFailed(
                self._host,
                subject,
                f"{local_path} has SHA-256 {digest.hexdigest()} instead of {sha256.lower()}",
                "Use the right file, or correct the hash if you trust the file",
            )
        return size

    def _absolute(self, path: str) -> str:
        if _ABSOLUTE.match(path):
            return path
        raise OperationFailed(
            self._host,
            f"path {path!r}",
            "it is no absolute path with a drive letter and backslashes",
            r"Write it in full, for example C:\Windows\Temp\file.msi",
        )

    def _succeeded(self, result: CommandResult, subject: str, wanted: str) -> None:
        if result.exit_code == 0:
            return
        raise OperationFailed(
            self._host,
            subject,
            f"it could not {wanted}, exit code {result.exit_code} (0x{result.exit_code:08X}): "
            f"{_said(result) or 'no output'}",
            "Check that the directory exists, that the disk has room and that the account may write there",
            code=result.exit_code,
        )

    def _tidy(self, warn: Callable[[str], None] | None, *paths: str) -> None:
        """Removes temporary files; an error here must not hide the one that led here."""
        try:
            self._runner.run("del /f /q " + " ".join(cmd_path(path) for path in paths), deadline=60)
        except HostError as error:
            if warn is not None:
                warn(f"{' and '.join(paths)} may be left on {self._host} and can be deleted: {error.reason}")


def _said(result: CommandResult) -> str:
    return " ".join(f"{result.stderr} {result.stdout}".split())[-300:]


def _base64_lines(local_path: str, size: int, progress: Progress | None) -> Iterator[bytes]:
    """Yields a file as base64 text in lines with CR LF, some hundred kilobytes at a time."""
    lines = 4096
    done = 0
    with open(local_path, "rb") as file:
        while data := file.read(_LINE_BYTES * lines):
            yield base64.encodebytes(data).replace(b"\n", b"\r\n")
            done += len(data)
            if progress is not None:
                progress(done, size)
