# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder of our own on a host, for files that are gone again when they have been used."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import HostError
from ansible_collections.entsso.password_sync.plugins.module_utils._quoting import cmd_path
from ansible_collections.entsso.password_sync.plugins.plugin_utils._host import Host
from ansible_collections.entsso.password_sync.plugins.plugin_utils._resource import Task

STAGING_DIRECTORY = r"C:\Windows\Temp"


@contextmanager
def staged(host: Host, task: Task, local_path: str, name: str, sha256: str) -> Iterator[str]:
    """Puts a local file into a new folder on the host and gives its path; folder and file are removed afterwards.

    Args:
        host: The host.
        task: Hears what could not be removed.
        local_path: File on the control node.
        name: File name on the host.
        sha256: Expected hash, compared on the host before the path is given.

    Raises:
        HostError: It could not be brought there.
    """
    folder = rf"{STAGING_DIRECTORY}\entsso-{secrets.token_hex(8)}"
    target = rf"{folder}\{name}"
    host.files.make_directory(folder)
    try:
        host.files.push(local_path, target, sha256)
        yield target
    finally:
        try:
            host.run(f"rmdir /s /q {cmd_path(folder)}", deadline=60)
        except HostError as error:
            task.warn(f"The folder {folder} could not be removed and should be deleted by hand: {error}")


def read_text(host: Host, path: str, limit: int) -> str:
    """Returns what `type` prints of a text file, at most `limit` bytes; empty when there is none.

    `type` also shows the UTF-16 that Windows Installer writes its logs in.
    """
    result = host.run(f"type {cmd_path(path)}", deadline=120, output_limit=limit)
    return result.stdout if result.exit_code == 0 else ""
