# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
r"""A folder on a host into which only administrators and SYSTEM may look and write.

What SYSTEM executes, and where it writes, must not be somebody else's to prepare: in `C:\Windows\Temp` every user may
make files and folders, so a folder of a known name there can belong to a stranger before we come. Below
`C:\Program Files` only administrators may write, and the folder's own list cuts off reading as well.
"""

from __future__ import annotations

from ntpath import join
from typing import TYPE_CHECKING

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import OperationFailed
from ansible_collections.entsso.password_sync.plugins.module_utils._quoting import cmd_path

if TYPE_CHECKING:
    from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host

PROTECTED_ROOT = r"C:\Program Files\entsso.password_sync"

_ACCESS = '/inheritance:r /grant:r "*S-1-5-18:(OI)(CI)F" "*S-1-5-32-544:(OI)(CI)F" /q'
"""SYSTEM and Administrators by their SIDs, since the names are in the host's language (windows-commands/icacls.md)."""


def protected_folder(host: Host, name: str) -> str:
    """Makes a folder below `PROTECTED_ROOT` and returns its path; one that exists stays.

    Access is set on the root before the folder is made, so it never has other access.

    Raises:
        OperationFailed: Access could not be set, or the folder could not be made.
        HostError: The host could not be asked.
    """
    root = cmd_path(PROTECTED_ROOT)
    result = host.run(f"mkdir {root} 2>nul & icacls {root} {_ACCESS}", deadline=60)
    if result.exit_code != 0:
        raise OperationFailed(
            host.name,
            f"folder {PROTECTED_ROOT}",
            "its access could not be limited to administrators and SYSTEM, so nothing is executed from it "
            f"({' '.join((result.stderr or result.stdout).split())[-200:] or 'icacls said nothing'})",
            "Connect with an account that is a local administrator, and see who owns the folder",
            code=result.exit_code,
        )
    path = join(PROTECTED_ROOT, name)
    host.files.make_directory(path)
    return path
