# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether Windows waits for a restart already, and for what.

The sources have the names of `ansible.windows.win_reboot_info`. Where the first three and Server Manager's are in the
registry: Microsoft, "List of prerequisite checks for Configuration Manager", pending system restart. The computer's
name and the domain join: public PowerShell scripts that all read the same places.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Union

from ansible_collections.entsso.password_sync.plugins.module_utils.preflight._check import (
    Check,
    Name,
    Unread,
    Verdict,
    unread,
)

SERVICING_KEY = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending"
UPDATE_KEY = r"SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired"
"""Keys that are there as long as a restart is wanted."""

SESSION_MANAGER_KEY = r"SYSTEM\CurrentControlSet\Control\Session Manager"
RENAMES_VALUE = "PendingFileRenameOperations"
ACTIVE_NAME_KEY = r"SYSTEM\CurrentControlSet\Control\ComputerName\ActiveComputerName"
NEXT_NAME_KEY = r"SYSTEM\CurrentControlSet\Control\ComputerName\ComputerName"
NAME_VALUE = "ComputerName"
NETLOGON_KEY = r"SYSTEM\CurrentControlSet\Services\Netlogon"
JOIN_KEYS = ("JoinDomain", "AvoidSpnSet")
SERVER_MANAGER_KEY = r"SOFTWARE\Microsoft\ServerManager"
ATTEMPTS_VALUE = "CurrentRebootAttempts"

_NT_PREFIX = "\\??\\"


class Source(StrEnum):
    """Who waits, as `ansible.windows.win_reboot_info` calls it in `reboot_required_reasons`."""

    SERVICING = "component_based_servicing"
    UPDATE = "windows_update"
    FILE_RENAME = "pending_file_rename"
    COMPUTER_RENAME = "pending_computer_rename"
    DOMAIN_JOIN = "domain_join"
    SERVER_MANAGER = "server_manager"


@dataclass(frozen=True)
class RestartMarks:
    """What the registry says.

    Attributes:
        servicing: Whether the mark of Component Based Servicing is there.
        update: Whether that of Windows Update is.
        renames: Files that the next start moves or deletes, in pairs of old and new path.
        active_name: Computer name until the next start; None when not told.
        next_name: Computer name from then on.
        netlogon_keys: Names of the keys below that of Netlogon.
        server_manager_attempts: How often Server Manager has tried to restart; None when it waits for none.
    """

    servicing: bool
    update: bool
    renames: tuple[str, ...]
    active_name: Union[str, None]
    next_name: Union[str, None]
    netlogon_keys: tuple[str, ...]
    server_manager_attempts: Union[int, None]


@dataclass(frozen=True)
class PendingRestart:
    """One reason for a restart.

    Attributes:
        source: Who waits.
        sentence: For what.
    """

    source: Source
    sentence: str

    def to_json(self) -> dict[str, str]:
        """Returns it in the form of `win_reboot_info`."""
        return {"source": self.source.value, "description": self.sentence}


def pending_restarts(marks: RestartMarks) -> tuple[PendingRestart, ...]:
    """Returns why Windows waits for a restart; nothing when it does not."""
    found: list[PendingRestart] = []
    if marks.servicing:
        found.append(PendingRestart(Source.SERVICING, "Windows components were changed and wait for it"))
    if marks.update:
        found.append(PendingRestart(Source.UPDATE, "Windows Update has installed updates that wait for it"))
    files = [path for path in marks.renames[::2] if path]
    if files:
        first = files[0].removeprefix(_NT_PREFIX)
        rest = f" and {len(files) - 1} more" if len(files) > 1 else ""
        found.append(
            PendingRestart(Source.FILE_RENAME, f"files are moved or deleted at the next start ({first}{rest})")
        )
    if marks.active_name and marks.next_name and marks.active_name.upper() != marks.next_name.upper():
        found.append(
            PendingRestart(
                Source.COMPUTER_RENAME, f"the computer is renamed from {marks.active_name} to {marks.next_name}"
            )
        )
    joining = [name for name in marks.netlogon_keys if name.lower() in (key.lower() for key in JOIN_KEYS)]
    if joining:
        found.append(PendingRestart(Source.DOMAIN_JOIN, f"a domain join waits for it (Netlogon\\{joining[0]})"))
    if marks.server_manager_attempts:
        found.append(PendingRestart(Source.SERVER_MANAGER, "roles or features of Server Manager wait for it"))
    return tuple(found)


def judge_pending_restart(pending: Union[Sequence[PendingRestart], Unread]) -> Check:
    """Judges whether a host waits for a restart already.

    Files that are to be moved are a warning only: virus scanners and every MSI leave such entries, our own package
    among them when a run was killed before its restart.
    """
    name = Name.PENDING_RESTART
    if isinstance(pending, Unread):
        return unread(name, "Whether Windows waits for a restart is not known", pending)
    if not pending:
        return Check(name, Verdict.GO, "Windows waits for no restart.")
    told = "; ".join(f"{item.sentence} ({item.source.value})" for item in pending)
    sentence = f"Windows waits for a restart already: {told}."
    if all(item.source is Source.FILE_RENAME for item in pending):
        return Check(name, Verdict.WARNING, sentence)
    return Check(
        name,
        Verdict.NO_GO,
        sentence,
        "Restart it in a maintenance window of its own and see that it serves, so that a failure after the rollout's "
        "restart has one cause.",
    )
