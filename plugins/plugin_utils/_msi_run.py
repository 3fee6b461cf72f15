# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs msiexec on a host: its log, the wait for another installation, and what a failure says."""

from __future__ import annotations

import time

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import HostError
from ansible_collections.entsso.password_sync.plugins.module_utils.msi._msiexec import (
    MsiOutcome,
    outcome_of,
    telling_lines,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils._resource import Task
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._protected_folder import protected_folder
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._system_task import SystemTask
from ansible_collections.entsso.password_sync.plugins.plugin_utils.transfer._staging import read_text

LOG_LIMIT = 8_000_000


def log_path(host: Host, name: str, operation: str) -> str:
    """Returns where the log of an operation on a package goes; makes the folder for it."""
    folder = protected_folder(host, "logs")
    return rf"{folder}\{_file_name(name)}-{operation}.log"


def run_msiexec(host: Host, task: Task, command: str, system: SystemTask | None = None) -> MsiOutcome:
    """Runs a command line of msiexec, again while another installation is in progress.

    Args:
        host: The host.
        task: Its arguments say how long: `deadline`, `busy_wait`, `busy_interval`.
        command: The command line.
        system: What runs it as SYSTEM; None where the account of the connection does.

    Raises:
        HostError: It could not be run, or its end was not seen.
    """
    run = host.run if system is None else system.run
    waited_from = time.monotonic()
    busy_wait, interval = float(task.arguments["busy_wait"]), float(task.arguments["busy_interval"])
    while True:
        result = run(command, deadline=float(task.arguments["deadline"]))
        outcome = outcome_of(result.exit_code)
        if not outcome.retry or time.monotonic() - waited_from + interval > busy_wait:
            return outcome
        task.say(f"another installation is in progress, trying again in {interval:g} s")
        time.sleep(interval)


def failure(host: Host, task: Task, name: str, outcome: MsiOutcome, log: str) -> HostError:
    """Returns the error for an outcome that is none of success, with what the log says."""
    text = read_text(host, log, LOG_LIMIT)
    lines = telling_lines(text) if text else ()
    where = f" The log {log} says: {' | '.join(lines)}" if lines else f" The log is {log}"
    return HostError(task.subject, name, f"{outcome.sentence.rstrip('.')}.{where}", outcome.remedy)


def _file_name(name: str) -> str:
    return "".join(character if character.isalnum() else "-" for character in name)
