# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Installation media: checked on the control node, brought to the host only when the plan needs it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ntpath import basename
from pathlib import Path

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import OperationFailed
from ansible_collections.entsso.password_sync.plugins.module_utils._msi import MsiError
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import PlanError
from ansible_collections.entsso.password_sync.plugins.plugin_utils._host import Host
from ansible_collections.entsso.password_sync.plugins.plugin_utils._msi_identity import MsiIdentity, identify
from ansible_collections.entsso.password_sync.plugins.plugin_utils._resource import Task
from ansible_collections.entsso.password_sync.plugins.plugin_utils._staging import staged


@dataclass(frozen=True)
class Media:
    """A file to install from.

    Attributes:
        path: On the control node, or on the host when `remote`.
        sha256: Pinned, upper case hex.
        remote: Whether the path is on the host or a UNC path that the host reaches.
    """

    path: str
    sha256: str
    remote: bool


def describe_media(task: Task, path: str, sha256: str, remote: bool) -> tuple[Media, MsiIdentity | None]:
    """Checks media as far as the control node can, and reads the package's identity.

    Returns:
        The media, and what the MSI says of itself; `None` when it is on the host.

    Raises:
        PlanError: The file does not have the pinned hash, or is no usable MSI.
    """
    pinned = sha256.strip().upper()
    if remote:
        return Media(path, pinned, True), None
    local = Path(task.find_file(path))
    data = local.read_bytes()
    actual = hashlib.sha256(data).hexdigest().upper()
    if actual != pinned:
        raise PlanError(
            task.subject,
            f"{local.name} on the control node has SHA-256 {actual}, and {pinned} was given.",
            "Find out which is right: compare with the media you trust, then correct `sha256` or the file.",
        )
    try:
        package = identify(data, actual)
    except MsiError as error:
        raise PlanError(task.subject, f"{local.name} can't be installed from: {error}", "") from None
    return Media(str(local), pinned, False), package


@contextmanager
def on_host(host: Host, task: Task, media: Media) -> Iterator[str]:
    """Gives the path of the media on the host, hash-checked there; a copy of ours is removed afterwards.

    Raises:
        PlanError: The file on the host is missing or has another hash.
        HostError: It could not be brought there.
    """
    if media.remote:
        _check_remote(host, task, media)
        yield media.path
        return
    name, size = Path(media.path).name, Path(media.path).stat().st_size
    task.say(f"copying {name} ({size:,} bytes) over WinRM")
    with staged(host, task, media.path, name, media.sha256) as path:
        yield path


def _check_remote(host: Host, task: Task, media: Media) -> None:
    try:
        actual = host.files.sha256(media.path)
    except OperationFailed as error:
        raise PlanError(
            task.subject,
            f"{media.path} can't be read by the account of this run on {task.subject}: {error.reason.rstrip('.')}.",
            "Check the path there. A UNC path needs a second hop, which a network logon can't make: copy the file to "
            "the host, or let the control node push it (remote_src: false).",
        ) from None
    if actual.upper() != media.sha256:
        raise PlanError(
            task.subject,
            f"{basename(media.path)} on {task.subject} has SHA-256 {actual.upper()}, and {media.sha256} was given.",
            "Nothing was executed. Find out which is right, then correct the file or the hash.",
        )
