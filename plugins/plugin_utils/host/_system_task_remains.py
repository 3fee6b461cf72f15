# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What scheduled tasks of ours leave on a host: whether their commands still run, and their removal."""

from __future__ import annotations

import re
from ntpath import join
from typing import TYPE_CHECKING

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import OperationFailed
from ansible_collections.entsso.password_sync.plugins.module_utils._quoting import cmd_path
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._cim import wql_string
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._command import CommandResult
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._protected_folder import PROTECTED_ROOT

if TYPE_CHECKING:
    from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host

_NAME = re.compile(r"system-task-[0-9a-f]{16}")
_STEP = 60.0


def check_sight(host: Host) -> None:
    """Sees to it that the account sees what SYSTEM runs: Windows shows its command lines to administrators only.

    Raises:
        OperationFailed: It does not.
    """
    if not host.wmi.query("SELECT ProcessId FROM Win32_Process WHERE CommandLine LIKE '%svchost%'"):
        raise OperationFailed(
            host.name,
            "run_as system_task",
            "the account does not see the command lines of services, so it could not see whether a command as SYSTEM "
            "still runs; nothing was done",
            "Connect with an account that is a local administrator",
        )


def remove_leftovers(host: Host, own: str) -> None:
    """Removes what killed runs have left.

    Raises:
        OperationFailed: A command of one of them still runs, or something could not be removed.
    """
    listed = host.run(f"dir /b /ad {cmd_path(PROTECTED_ROOT)}", deadline=_STEP)
    for name in listed.stdout.split():
        if name == own or not _NAME.fullmatch(name):
            continue
        if running(host, name):
            raise OperationFailed(
                host.name,
                f"scheduled task {name}",
                "an earlier run of this collection was cut off, and its command still runs as SYSTEM",
                f"Wait until it has ended, then run again; what it prints is in {join(PROTECTED_ROOT, name)}",
            )
        remove(host, name)


def remove(host: Host, name: str) -> None:
    """Removes task and folder. The folder stays as long as the task is there, so that the next run finds both.

    Raises:
        OperationFailed: One of them is still there.
    """
    folder = join(PROTECTED_ROOT, name)
    deleted = host.run(f"schtasks /delete /tn {name} /f", deadline=_STEP)
    if deleted.exit_code != 0 and host.run(f"schtasks /query /tn {name}", deadline=_STEP).exit_code == 0:
        raise OperationFailed(
            host.name,
            f"scheduled task {name}",
            f"it could not be removed ({said(deleted)})",
            f"Remove it and {folder}",
        )
    removed = host.run(f"rmdir /s /q {cmd_path(folder)}", deadline=_STEP)
    if removed.exit_code != 0:
        raise OperationFailed(host.name, f"folder {folder}", f"it could not be removed ({said(removed)})", "Remove it")


def running(host: Host, name: str) -> bool:
    """Whether a process of the host has the name of a task in its command line."""
    pattern = wql_string(f"%{name}%")
    return bool(host.wmi.query(f"SELECT ProcessId FROM Win32_Process WHERE CommandLine LIKE {pattern}"))


def said(result: CommandResult) -> str:
    """What a command printed, in one line, for the sentences of errors."""
    return " ".join(f"{result.stderr} {result.stdout}".split())[-300:].rstrip(". ") or "it printed nothing"
