# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""icacls, as far as `folder /inheritance:r /grant:r *SID:(OI)(CI)F ...` (windows-commands/icacls.md)."""

from __future__ import annotations

import re

from lab.windows.console import Invocation, instant
from lab.windows.files import normal

_GRANT = re.compile(r"\*(S-1-[0-9-]+):((?:\([A-Z]+\))*)([A-Z]+)")
FAILED = 2
"""icacls.md documents no exit code."""


@instant
def icacls(call: Invocation) -> int:
    """Sets a folder's list."""
    arguments = list(call.arguments)
    if not arguments:
        return 0
    folder = normal(arguments.pop(0), call.folder)
    if not call.host.files.is_folder(folder):
        call.error(f"{folder}: The system cannot find the file specified.")
        return FAILED
    sids: set[str] = set()
    inherits, granting, quiet = True, False, False
    for argument in arguments:
        option = argument.lower()
        grant = _GRANT.fullmatch(argument)
        if option == "/inheritance:r":
            inherits, granting = False, False
        elif option in ("/grant", "/grant:r"):
            granting = True
        elif option == "/q":
            quiet, granting = True, False
        elif granting and grant is not None and "(OI)(CI)" in grant[2]:
            sids.add(grant[1])
        else:
            call.error(f'Invalid parameter "{argument}"')
            return 87
    call.host.access.grant(folder, frozenset(sids), inherits=inherits)
    if not quiet:
        call.out(f"processed file: {folder}")
    call.out("Successfully processed 1 files; Failed processing 0 files")
    return 0
