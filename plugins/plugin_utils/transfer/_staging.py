# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder of our own on a host, for files that are gone again when they have been used.

Its name follows from the file's content. So a run that was killed leaves nothing that is not found: the next one that
needs the file goes on with what is there, and one that does not need it any more removes it (`tidy`). Two runs that
use the same file on the same host at the same time do not disturb each other while they write or read, since Windows
lets nobody delete an open file; one that comes back to a file that the other has removed fails and says so.
"""

from __future__ import annotations

import ntpath
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import HostError
from ansible_collections.entsso.password_sync.plugins.module_utils._quoting import cmd_path
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._cim import wql_string
from ansible_collections.entsso.password_sync.plugins.module_utils.transfer._transfer import FOLDER_PREFIX, folder_name
from ansible_collections.entsso.password_sync.plugins.plugin_utils._resource import Task
from ansible_collections.entsso.password_sync.plugins.plugin_utils._system import read_system
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._protected_folder import (
    PROTECTED_ROOT,
    protected_folder,
)

_SURELY_OVER = timedelta(days=1)
"""Age from which nobody can still be using a file: longer than any installer may take."""


@contextmanager
def staged(
    host: Host, task: Task, name: str, sha256: str, size: int | None, bring: Callable[[str], None]
) -> Iterator[str]:
    """Gives the path of a file in its folder on the host; folder and file are removed afterwards.

    Args:
        host: The host.
        task: Hears what could not be removed.
        name: File name on the host.
        sha256: Hash of the file.
        size: Its size in bytes; None when that is not known.
        bring: Brings it to the path that it is given, with its hash compared. Called only when the host does not hold
            the file already.

    Raises:
        HostError: It could not be brought there.
    """
    folder = protected_folder(host, folder_name(sha256))
    target = rf"{folder}\{name}"
    try:
        if not _holds(host, target, sha256, size):
            bring(target)
        yield target
    finally:
        _remove(host, task, folder)


def tidy(host: Host, task: Task, sha256: str) -> None:
    """Removes what killed runs have left on a host where a file is not needed: one request where there is nothing.

    Folders of other files go only when everything in them is old, since another run may be using them.

    Raises:
        HostError: The host could not be asked.
    """
    for folder in _folders(host):
        if ntpath.basename(folder).lower() == folder_name(sha256) or _is_old(host, folder):
            task.say(f"removing {folder}, which a run that was killed has left")
            _remove(host, task, folder)


def read_text(host: Host, path: str, limit: int) -> str:
    """Returns what `type` prints of a text file, at most `limit` bytes; empty when there is none.

    `type` also shows the UTF-16 that Windows Installer writes its logs in.
    """
    result = host.run(f"type {cmd_path(path)}", deadline=120, output_limit=limit)
    return result.stdout if result.exit_code == 0 else ""


def _holds(host: Host, path: str, sha256: str, size: int | None) -> bool:
    """Whether a killed run has left the whole file. Only administrators can write there, so it stays what it is."""
    found = host.files.stat(path)
    if found is None or (size is not None and found.size != size):
        return False
    return host.files.sha256(path) == sha256.lower()


def _folders(host: Host) -> list[str]:
    found = host.wmi.query(f"SELECT Name FROM Win32_Directory WHERE {_inside(PROTECTED_ROOT)}")
    names = [item.string("Name") for item in found]
    return [name for name in names if ntpath.basename(name).lower().startswith(FOLDER_PREFIX)]


def _is_old(host: Host, folder: str) -> bool:
    files = host.wmi.query(f"SELECT Name, LastModified FROM CIM_DataFile WHERE {_inside(folder)}")
    times = [file.optional_time("LastModified") for file in files]
    before = read_system(host).local_time - _SURELY_OVER if times else None
    return before is not None and all(time is not None and time < before for time in times)


def _inside(folder: str) -> str:
    """Returns the condition by which WMI finds what is in a folder without searching the disk (wsman.md 4)."""
    drive, path = ntpath.splitdrive(folder)
    return f"Drive = {wql_string(drive)} AND Path = {wql_string(path + chr(92))}"


def _remove(host: Host, task: Task, folder: str) -> None:
    """Removes a folder, and the one above where nothing else is in it; an error must not hide the one that led here."""
    remedy = "The next run for this file removes it"
    try:
        # The exit code is the second command's, which fails where logs are kept; so what counts is what the first says.
        result = host.run(f"rmdir /s /q {cmd_path(folder)} & rmdir {cmd_path(PROTECTED_ROOT)} 2>nul", deadline=60)
    except HostError as error:
        task.warn(f"The folder {folder} could not be removed: {error.reason.rstrip('.')}. {remedy}.")
        return
    if said := " ".join(result.stderr.split()):
        task.warn(f"The folder {folder} could not be removed: {said[-300:].rstrip('.')}. {remedy}.")
