# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small file for a tool on the host, which is gone again when the tool has read it."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ansible_collections.entsso.password_sync.plugins.plugin_utils._resource import Task
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host
from ansible_collections.entsso.password_sync.plugins.plugin_utils.transfer._staging import staged


@contextmanager
def text_file(host: Host, task: Task, name: str, content: bytes) -> Iterator[str]:
    """Puts a file into a folder of its own on the host and gives its path; both are removed afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        local = Path(folder) / name
        local.write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()

        def bring(target: str) -> None:
            host.files.push(str(local), target, digest)

        with staged(host, task, name, digest, len(content), bring) as path:
            yield path
