# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may write into a folder: as much of access control as tests of what SYSTEM executes need.

Below `Windows` and `Program Files` ordinary users may not write, below `Windows\\Temp` and elsewhere they may add
files, until somebody sets other access. The lab's own simplification, not a statement about any Windows.
"""

from __future__ import annotations

from lab.windows.files import normal

SYSTEM = "S-1-5-18"
ADMINISTRATORS = "S-1-5-32-544"
USERS = "S-1-5-32-545"
_CLOSED = ("c:\\windows", "c:\\program files", "c:\\program files (x86)")
_OPEN = ("c:\\windows\\temp",)


class FolderAccess:
    """Access of ordinary users to the folders of one machine."""

    def __init__(self) -> None:
        """Starts as a fresh machine is."""
        self._set: dict[str, tuple[frozenset[str], bool]] = {}

    def grant(self, folder: str, sids: frozenset[str], *, inherits: bool) -> None:
        """Sets who is named in a folder's list, and whether it has what the folders above give as well."""
        self._set[normal(folder).lower()] = (sids, inherits)

    def users_may_write(self, path: str) -> bool:
        """Whether an ordinary user may put a file into the folder of that path, or replace what is there."""
        name = normal(path).lower()
        while "\\" in name:
            name = name.rpartition("\\")[0]
            if name in self._set:
                sids, inherits = self._set[name]
                if USERS in sids or not inherits:
                    return USERS in sids
            if name in _OPEN:
                return True
            if name in _CLOSED:
                return False
        return True

    def users_may_read(self, path: str) -> bool:
        """Whether an ordinary user may read the files of that path's folder: everywhere but where access was cut."""
        name = normal(path).lower()
        while "\\" in name:
            name = name.rpartition("\\")[0]
            if name in self._set:
                sids, inherits = self._set[name]
                if USERS in sids or not inherits:
                    return USERS in sids
        return True
