# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scratch copies of the collection in the folder layout that Ansible's tools insist on."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from gates.gate import Workspace


def known_files(workspace: Workspace) -> list[str]:
    """Return the files of the repository that git knows or would add, as paths below its root."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=workspace.root,
        env=workspace.environment(),
        check=True,
        capture_output=True,
    ).stdout.decode()
    # A file that is deleted but not yet committed is still listed.
    return [name for name in dict.fromkeys(listed.split("\0")) if name and os.path.lexists(workspace.root / name)]


def collection_copy(workspace: Workspace, purpose: str) -> Path:
    """Copy the known files into .../ansible_collections/entsso/password_sync, and return that folder.

    The copy is a git work tree of its own, since ansible-test and ansible-lint ask git for the list of files. A tool
    finds there what a clone would have, and what it leaves behind stays out of the repository.
    """
    target = workspace.copy(purpose)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for name in known_files(workspace):
        destination = target / name
        destination.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(workspace.root / name, destination, follow_symlinks=False)
    for command in (["git", "init", "--quiet"], ["git", "add", "--all"]):
        subprocess.run(command, cwd=target, env=workspace.environment(), check=True, capture_output=True)
    return target
