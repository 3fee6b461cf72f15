# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings a file of the control node to a host: over SMB, or over the WinRS stream as the last resort."""

from __future__ import annotations

import ntpath
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    HostError,
    OperationFailed,
    TransferUnavailable,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.transfer._transfer import (
    Transfer,
    falls_back,
    login_for,
    megabytes,
    milestone,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils._resource import Task
from ansible_collections.entsso.password_sync.plugins.plugin_utils._run_folder import run_folder
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._authentication_guard import (
    AuthenticationGuard,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._files import Progress
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host
from ansible_collections.entsso.password_sync.plugins.plugin_utils.transfer._smb import SmbShare, open_share
from ansible_collections.entsso.password_sync.plugins.plugin_utils.transfer._smb_session import ConnectionCut, Server

T = TypeVar("T")

_ATTEMPTS = 2


def deliver(host: Host, task: Task, local_path: str, target: str, sha256: str) -> None:
    """Puts a local file on a host under a name in a folder that exists.

    It arrives under another name, its SHA-256 is compared on the host, and only then it takes its name.

    Args:
        host: The host.
        task: Says with `transfer`, `smb_share` and `smb_port` how; hears which way was taken, why, and how far it is.
        local_path: The file.
        target: Where to.
        sha256: Expected hash.

    Raises:
        TransferUnavailable: SMB was asked for and is not open.
        AuthenticationRejected: The SMB server refused the account; the stream is then not tried.
        HostError: It could not be brought there.
    """
    wanted, because = Transfer(task.arguments["transfer"]), ""
    if wanted is not Transfer.STREAM:
        try:
            _over_smb(host, task, local_path, target, sha256)
            return
        except HostError as error:
            if not falls_back(wanted, error):
                raise
            because = f" It was chosen since {error.reason.rstrip('.')}."
    name, size = ntpath.basename(target), megabytes(Path(local_path).stat().st_size)
    host.files.push(
        local_path,
        target,
        sha256,
        progress=_told(task),
        warn=lambda text: task.warn(f"{name}, {size}: {text}.{because}"),
    )


def _over_smb(host: Host, task: Task, local_path: str, target: str, sha256: str) -> None:
    host.prove()
    server = _server(host, task)
    reason = ""
    for _attempt in range(_ATTEMPTS):
        try:
            with open_share(server, _guarded(host, server)) as share:
                task.say(
                    f"copying {ntpath.basename(target)} ({megabytes(Path(local_path).stat().st_size)}) over SMB "
                    f"({server.share} on port {server.port}, {server.login.protocol}, encrypted)"
                )
                _put(host, task, share, local_path, target, sha256)
            return
        except ConnectionCut as cut:
            reason = cut.reason
            task.say(f"the SMB connection broke ({reason})")
    raise OperationFailed(
        host.name,
        server.subject,
        f"the connection broke {_ATTEMPTS} times while the file was copied ({reason})",
        "Mend the network to the host and run again, or set transfer: stream",
    )


def _put(host: Host, task: Task, share: SmbShare, local_path: str, target: str, sha256: str) -> None:
    arriving = rf"{ntpath.dirname(target)}\~{uuid.uuid4().hex}.part"
    try:
        share.write(local_path, arriving, _told(task))
        host.files.expect(arriving, sha256)
        share.rename(arriving, target)
    except HostError:
        share.remove(arriving)
        raise


def _server(host: Host, task: Task) -> Server:
    credentials = host.credentials
    login = None
    if credentials is not None:
        login = login_for(
            host.authentication,
            kerberos=credentials.kerberos,
            password=credentials.password is not None,
            ticket=credentials.ticket_cache is not None,
        )
    if credentials is None or login is None:
        raise TransferUnavailable(
            host.name,
            "SMB",
            "the connection authenticates with a certificate, which SMB does not take",
            "Set transfer: stream, or connect with Kerberos or NTLM",
        )
    arguments = task.arguments
    return Server(host.name, int(arguments["smb_port"]), str(arguments["smb_share"]), credentials, login)


def _guarded(host: Host, server: Server) -> Callable[[Callable[[], T]], T]:
    """Lets the guard of the run know what becomes of the account here too."""
    guard = AuthenticationGuard(run_folder(), server.credentials.account)
    return lambda attempt: guard.attempt(host.name, attempt)


def _told(task: Task) -> Progress:
    """Returns what tells the user of each quarter of a large file."""
    told = 0

    def progress(done: int, total: int) -> None:
        nonlocal told
        reached = milestone(done, total, told)
        if reached > told:
            told = reached
            task.say(f"{megabytes(done)} of {megabytes(total)} copied")

    return progress
