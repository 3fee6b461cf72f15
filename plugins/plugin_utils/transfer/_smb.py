# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file over SMB: written beside its name in blocks that overlap on the way, and renamed when its hash is right."""

from __future__ import annotations

import ctypes
import os
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import HostError, OperationFailed
from ansible_collections.entsso.password_sync.plugins.module_utils.transfer import _smb_status as smb_status
from ansible_collections.entsso.password_sync.plugins.module_utils.transfer._transfer import (
    BLOCK,
    CREDIT,
    OUTSTANDING,
    below_share,
    block_size,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.transfer._smb_session import (
    SILENCE,
    ConnectionCut,
    Server,
    Session,
    open_session,
    translated,
)

Progress = Callable[[int, int], None]

_SPARE_CREDITS = 64
"""Credits asked for with each block beyond its own, so that the next ones need not wait."""


class SmbShare:
    """An open share that shows drive C:. Paths are those of the host."""

    def __init__(self, server: Server, session: Session) -> None:
        self._server = server
        self._session = session
        self._tree = session.tree
        self._connection = session.tree.session.connection

    def write(self, local_path: str, path: str, progress: Progress | None = None) -> None:
        """Writes a local file to a new file, which nobody else can open or delete while it grows.

        Raises:
            ConnectionCut: The connection broke; what was written may still be there.
            HostError: The host refused it.
        """
        from smbprotocol.open import CreateDisposition, CreateOptions, FilePipePrinterAccessMask

        total = os.stat(local_path).st_size
        _keep_memory()
        with self._explained(f"file {path}"):
            opened = self._open(
                path,
                FilePipePrinterAccessMask.GENERIC_WRITE | FilePipePrinterAccessMask.FILE_READ_ATTRIBUTES,
                CreateDisposition.FILE_CREATE,
                CreateOptions.FILE_NON_DIRECTORY_FILE | CreateOptions.FILE_SEQUENTIAL_ONLY,
                shared=False,
            )
            try:
                for done in self._blocks(opened, local_path):
                    if progress is not None:
                        progress(done, total)
            except BaseException:
                # Nobody can delete the file while it is open; an error here must not hide the one that led here.
                with suppress(Exception):
                    opened.close()
                raise
            opened.close()

    def rename(self, path: str, new_path: str) -> None:
        """Gives a file another name, over a file that has it already.

        Raises:
            ConnectionCut: The connection broke.
            HostError: The host refused it.
        """
        from smbprotocol.file_info import FileRenameInformation

        renaming = FileRenameInformation()
        renaming["replace_if_exists"] = True
        renaming["file_name"] = below_share(new_path)
        with self._explained(f"file {path}"):
            self._set(path, renaming)

    def remove(self, path: str) -> None:
        """Deletes a file of ours where that is possible; an error here must not hide the one that led here."""
        from smbprotocol.file_info import FileDispositionInformation

        removal = FileDispositionInformation()
        removal["delete_pending"] = True
        with suppress(HostError, ConnectionCut), self._explained(f"file {path}"):
            self._set(path, removal)

    def _set(self, path: str, information: Any) -> None:
        from smbprotocol.open import CreateDisposition, CreateOptions, FilePipePrinterAccessMask, SMB2SetInfoRequest

        opened = self._open(
            path,
            FilePipePrinterAccessMask.DELETE | FilePipePrinterAccessMask.FILE_READ_ATTRIBUTES,
            CreateDisposition.FILE_OPEN,
            CreateOptions.FILE_NON_DIRECTORY_FILE,
            shared=True,
        )
        try:
            request = SMB2SetInfoRequest()
            request["info_type"] = information.INFO_TYPE
            request["file_info_class"] = information.INFO_CLASS
            request["file_id"] = opened.file_id
            request["buffer"] = information.pack()
            self._answer(self._send(request))
        finally:
            opened.close()

    def _open(self, path: str, access: int, disposition: int, options: int, *, shared: bool) -> Any:
        from smbprotocol.open import ImpersonationLevel, Open, ShareAccess

        everything = ShareAccess.FILE_SHARE_READ | ShareAccess.FILE_SHARE_WRITE | ShareAccess.FILE_SHARE_DELETE
        opened = Open(self._tree, below_share(path))
        opened.create(ImpersonationLevel.Impersonation, access, 0, everything if shared else 0, disposition, options)
        self._session.watchdog.alive()
        return opened

    def _blocks(self, opened: Any, local_path: str) -> Iterator[int]:
        """Writes block by block, some of them on their way at once; yields how many bytes have arrived."""
        waiting: deque[tuple[Any, Callable[[Any], int], int]] = deque()
        offset = arrived = 0
        with open(local_path, "rb") as file:
            while True:
                if len(waiting) == OUTSTANDING or (waiting and self._free_credits() * CREDIT < self._block):
                    arrived += self._arrived(waiting.popleft())
                    yield arrived
                    continue
                data = file.read(block_size(self._connection.max_write_size, self._free_credits()))
                if not data:
                    break
                message, answer = opened.write(data, offset, send=False)
                waiting.append((self._send(message, _credits(len(data)) + _SPARE_CREDITS), answer, len(data)))
                offset += len(data)
        while waiting:
            arrived += self._arrived(waiting.popleft())
            yield arrived

    @property
    def _block(self) -> int:
        return block_size(self._connection.max_write_size, 1 << 16)

    def _free_credits(self) -> int:
        window = self._connection.sequence_window
        return int(window["high"] - window["low"])

    def _arrived(self, waiting: tuple[Any, Callable[[Any], int], int]) -> int:
        request, answer, size = waiting
        written = answer(request)
        self._session.watchdog.alive()
        if written != size:
            raise OperationFailed(
                self._server.host,
                self._server.subject,
                f"the server took {written} of {size} bytes",
                "Check that the disk has room, and run again",
            )
        return size

    def _send(self, message: Any, credit_request: int | None = None) -> Any:
        session = self._tree.session
        return self._connection.send(
            message, session.session_id, self._tree.tree_connect_id, credit_request=credit_request
        )

    def _answer(self, request: Any) -> Any:
        reply = self._connection.receive(request)
        self._session.watchdog.alive()
        return reply

    @contextmanager
    def _explained(self, subject: str) -> Iterator[None]:
        try:
            with translated(self._server, self._session.watchdog):
                yield
        except OperationFailed as error:
            if error.code is None:
                raise
            meaning = smb_status.of_file(error.code)
            raise OperationFailed(
                self._server.host,
                subject,
                f"the SMB server refused it ({smb_status.number(error.code)}): {meaning.reason}",
                meaning.remedy,
                code=error.code,
            ) from None


@contextmanager
def open_share(
    server: Server, guarded: Callable[[Callable[[], Any]], Any], *, silence: float = SILENCE
) -> Iterator[SmbShare]:
    """Opens a share; see `open_session`."""
    with open_session(server, guarded, silence=silence) as session:
        yield SmbShare(server, session)


def _keep_memory() -> None:
    """Lets glibc keep freed blocks instead of giving them back to the kernel and asking for them again.

    Each block on its way is copied several times by the library. Without this, page faults cost the control node more
    than the encryption does (`make bench` shows it); the process is a task's own and ends with it.
    """
    mmap_threshold, trim_threshold = -3, -1
    with suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(mmap_threshold, 16 * BLOCK)
        libc.mallopt(trim_threshold, 64 * BLOCK)


def _credits(size: int) -> int:
    return -(-size // CREDIT)
