# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Installation media: checked on the control node, brought to the host only when the plan needs it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ntpath import basename
from pathlib import Path

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import OperationFailed
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import PlanError
from ansible_collections.entsso.password_sync.plugins.module_utils.msi._msi import MsiError
from ansible_collections.entsso.password_sync.plugins.module_utils.transfer._second_hop import explain
from ansible_collections.entsso.password_sync.plugins.plugin_utils._msi_identity import MsiIdentity, identify
from ansible_collections.entsso.password_sync.plugins.plugin_utils._resource import Task
from ansible_collections.entsso.password_sync.plugins.plugin_utils._system import read_system
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host
from ansible_collections.entsso.password_sync.plugins.plugin_utils.transfer._download import (
    check_url,
    download,
    file_name,
    is_url,
    require_curl,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.transfer._staging import staged, tidy
from ansible_collections.entsso.password_sync.plugins.plugin_utils.transfer._transfer import deliver

_SHA256 = re.compile(r"[0-9A-F]{64}\Z")


@dataclass(frozen=True)
class Media:
    """A file to install from.

    Attributes:
        path: On the control node, or on the host when `remote`; or an https URL.
        sha256: Pinned, upper case hex.
        remote: Whether the host has the file, or gets it itself.
    """

    path: str
    sha256: str
    remote: bool

    @property
    def url(self) -> bool:
        """Whether the host fetches it."""
        return is_url(self.path)

    @property
    def staged(self) -> bool:
        """Whether a copy of ours lies on the host while it is used."""
        return self.url or not self.remote


def describe_media(task: Task, path: str, sha256: str, remote: bool) -> tuple[Media, MsiIdentity | None]:
    """Checks media as far as the control node can, and reads the package's identity.

    Returns:
        The media, and what the MSI says of itself; `None` when the control node does not have it.

    Raises:
        PlanError: The file does not have the pinned hash, is no usable MSI, or may not be fetched.
    """
    pinned = sha256.strip().upper()
    if (remote or is_url(path)) and not _SHA256.match(pinned):
        raise PlanError(task.subject, "`sha256` is not 64 hexadecimal digits.", "Give the SHA-256 of the file.")
    if is_url(path):
        check_url(task.subject, path)
        return Media(path, pinned, True), None
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


def check_host(host: Host, media: Media | None) -> None:
    """Refuses a host that can't get the media in the way they are given, before anything is planned.

    Raises:
        OperationFailed: It has no curl.exe.
        HostError: It could not be asked.
    """
    if media is not None and media.url:
        require_curl(host, read_system(host))


@contextmanager
def on_host(host: Host, task: Task, media: Media) -> Iterator[str]:
    """Gives the path of the media on the host, hash-checked there; a copy of ours is removed afterwards.

    Raises:
        PlanError: The file on the host is missing or has another hash.
        HostError: It could not be brought there.
    """
    if not media.staged:
        _check_remote(host, task, media)
        yield media.path
        return

    def bring(target: str) -> None:
        if media.url:
            download(host, task, media.path, target, media.sha256)
        else:
            deliver(host, task, media.path, target, media.sha256)

    name = file_name(media.path) if media.url else Path(media.path).name
    size = None if media.url else Path(media.path).stat().st_size
    with staged(host, task, name, media.sha256, size, bring) as path:
        yield path


def tidy_media(host: Host, task: Task, media: Media | None) -> None:
    """Removes what killed runs have left of media that this run does not need.

    Raises:
        HostError: The host could not be asked.
    """
    if media is not None and media.staged:
        tidy(host, task, media.sha256)


def _check_remote(host: Host, task: Task, media: Media) -> None:
    try:
        actual = host.files.sha256(media.path)
    except OperationFailed as error:
        raise PlanError(
            task.subject,
            f"{media.path} can't be read by the account of this run on {task.subject}: {error.reason.rstrip('.')}.",
            explain(media.path, error.code),
        ) from None
    if actual.upper() != media.sha256:
        raise PlanError(
            task.subject,
            f"{basename(media.path)} on {task.subject} has SHA-256 {actual.upper()}, and {media.sha256} was given.",
            "Nothing was executed. Find out which is right, then correct the file or the hash.",
        )
