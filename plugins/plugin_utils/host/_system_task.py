# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A command as SYSTEM, in a scheduled task of our own: for installers that fail under a network logon (wsman.md 3.3).

`schtasks.exe` with an XML definition, because both are documented, and the WMI classes of the Task Scheduler are not.
Nothing rests on what `schtasks` prints, which is localised, and little on its exit codes, which no page documents: what
counts are files that the batch file leaves, and the processes that WMI shows. The program belongs to no WinRM shell, so
it outlives every connection of ours.

Task and folder share one name, and the folder exists before the task and until after it. So the folders tell the next
run what one that was killed has left.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from ntpath import basename, join
from typing import TYPE_CHECKING

from ansible_collections.entsso.password_sync.plugins.module_utils import _task_definition as task_definition
from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    ConnectionLost,
    DeadlineExceeded,
    HostError,
    HostUnreachable,
    OperationFailed,
    OutcomeUnknown,
    Unquotable,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._quoting import cmd_path
from ansible_collections.entsso.password_sync.plugins.module_utils._task_definition import RunFiles
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._command import (
    DEADLINE,
    OUTPUT_LIMIT,
    CommandResult,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._protected_folder import (
    protected_folder,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._system_task_remains import (
    check_sight,
    remove,
    remove_leftovers,
    running,
    said,
)

if TYPE_CHECKING:
    from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host

START_DEADLINE = 120.0
"""Seconds within which the Task Scheduler must have started a task."""

_STEP = 60.0
_COPY = 3600.0
_FIRST_LOOK = 0.5
_SLOWEST_LOOK = 10.0


@contextmanager
def system_task(host: Host, warn: Callable[[str], None] | None = None) -> Iterator[SystemTask]:
    """Prepares commands as SYSTEM, and removes folder and task afterwards unless a command may still run.

    Args:
        host: The host.
        warn: Hears what could not be removed.

    Raises:
        OperationFailed: An earlier command of ours still runs as SYSTEM, there is no safe folder for this one, or the
            account could not see whether it runs.
        HostError: The host could not be asked.
    """
    check_sight(host)
    name = f"system-task-{secrets.token_hex(8)}"
    task = SystemTask(host, name, protected_folder(host, name))
    try:
        remove_leftovers(host, name)
        yield task
    finally:
        if not task.may_run:
            try:
                remove(host, name)
            except HostError as error:
                if warn is not None:
                    warn(f"{task.folder} on {host.name} could not be removed; the next run does it. {error}")


class SystemTask:
    """Commands as SYSTEM on one host, one after the other.

    Attributes:
        name: Name of the task.
        folder: Its folder, which only administrators and SYSTEM may look and write into.
        may_run: Whether a command may still run, so that nothing may be removed.
    """

    def __init__(self, host: Host, name: str, folder: str) -> None:
        self.name = name
        self.folder = folder
        self.may_run = False
        self._host = host
        self._runs = 0

    def take(self, source: str, sha256: str) -> str:
        """Copies a file of the host into the protected folder and returns its path there.

        The copy is hashed, and nobody but administrators can replace it between that and its execution.

        Raises:
            OperationFailed: It could not be copied, or is not the file that was meant.
            HostError: The host could not be asked.
        """
        name = basename(source)
        target = join(self.folder, name if name.isascii() else "package.msi")
        copied = self._host.run(f"copy /y {cmd_path(source)} {cmd_path(target)}", deadline=_COPY)
        if copied.exit_code != 0:
            raise OperationFailed(
                self._host.name,
                f"file {source}",
                f"it could not be copied to {self.folder} ({said(copied)})",
                "Check that the account of the connection may read it and that the disk has room",
                code=copied.exit_code,
            )
        found = self._host.files.sha256(target, _COPY)
        if found.lower() != sha256.lower():
            raise OperationFailed(
                self._host.name,
                f"file {source}",
                f"its copy has SHA-256 {found.upper()}, and {sha256.upper()} was given; nothing was executed",
                "Find out who changes the file on the host",
            )
        return target

    def run(
        self,
        line: str,
        *,
        deadline: float = DEADLINE,
        output_limit: int = OUTPUT_LIMIT,
        working_directory: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> CommandResult:
        """Runs a command line as SYSTEM and waits for its end; never with a secret in it.

        Raises:
            OutcomeUnknown: It was started, or may have been, and how it ended was not seen.
            Unquotable: The line can't stand in a batch file.
            HostError: It was not started.
        """
        subject = f"command {line.split(' ', 1)[0]} as SYSTEM"
        end = self._host.clock() + deadline
        self._runs += 1
        files = RunFiles(join(self.folder, str(self._runs)))
        try:
            text = task_definition.script(files, line, working_directory=working_directory, environment=environment)
        except Unquotable as error:
            error.host, error.subject = self._host.name, f"{error.subject} of {subject}"
            raise
        self._host.files.make_directory(files.folder)
        self._write(files.script, text)
        self._write(files.definition, task_definition.definition(files))
        self._register(files, subject)
        self.may_run = True
        try:
            self._start(subject)
            self._wait(files, end, deadline, subject)
            result = CommandResult(self._exit_code(files, subject), *self._output(files, output_limit))
        except HostError as error:
            if error.subject == subject or not self.may_run:
                raise
            raise self._unknown(subject, error.reason.strip().rstrip(".")) from error
        self.may_run = False
        return result

    def _write(self, path: str, text: bytes) -> None:
        """Writes a file of ASCII lines, and reads it back before anything is done with it."""
        written = self._host.run(f'findstr "^" > {cmd_path(path)}', stdin=text, deadline=_STEP)
        read = self._host.run(f"type {cmd_path(path)}", deadline=_STEP)
        if written.exit_code != 0 or read.stdout.encode() != text:
            raise OperationFailed(
                self._host.name,
                f"file {path}",
                f"it could not be written as it was meant ({said(written)})",
                "Check that the disk has room",
                code=written.exit_code,
            )

    def _register(self, files: RunFiles, subject: str) -> None:
        line = f"schtasks /create /tn {self.name} /xml {cmd_path(files.definition)} /f"
        try:
            result = self._host.run(line, deadline=_STEP)
        except OutcomeUnknown:
            # The definition starts nothing by itself, so it may be given twice.
            result = self._host.run(line, deadline=_STEP)
        if result.exit_code != 0:
            raise OperationFailed(
                self._host.name,
                subject,
                f"the Task Scheduler refused the task (exit code {result.exit_code}): {said(result)}. Nothing was run",
                "Allow the account to create tasks that run as SYSTEM, or set run_as: connection",
                code=result.exit_code,
            )

    def _start(self, subject: str) -> None:
        try:
            result = self._host.run(f"schtasks /run /tn {self.name}", deadline=_STEP)
        except OutcomeUnknown:
            return  # Whether it was started is seen by waiting for it.
        except HostError:
            self.may_run = False
            raise
        if result.exit_code != 0:
            self._never_started(subject, f"schtasks said (exit code {result.exit_code}): {said(result)}")

    def _wait(self, files: RunFiles, end: float, deadline: float, subject: str) -> None:
        """Looks until the exit code is there. Looking is WMI and starts nothing on the host."""
        start_by = min(end, self._host.clock() + START_DEADLINE)
        pause, last, started = _FIRST_LOOK, "the task had not started", False
        while True:
            try:
                started = started or self._is_there(files.started)
                runs = running(self._host, self.name)
                if self._is_there(files.exit_code):
                    return
                if started and not runs:
                    # It writes its exit code before it ends, and had ended when the code was looked for.
                    self.may_run = False
                    raise self._unknown(
                        subject,
                        f"it ended without an exit code: it was killed, or {self._host.name} "
                        f"restarted meanwhile. Its last output was {self._last(files)}",
                    )
                if not (started or runs) and self._host.clock() >= start_by:
                    self._never_started(subject, f"it did not start within {min(deadline, START_DEADLINE):g} seconds")
                last = "it was running" if runs else "the task had not started"
            except (HostUnreachable, DeadlineExceeded, ConnectionLost) as error:
                last = f"the host can't be reached ({error})"
            if (left := end - self._host.clock()) <= 0:
                raise self._unknown(subject, f"it had not ended after {deadline:g} seconds; at the last look {last}")
            self._host.sleep(min(pause, left))
            pause = min(pause * 1.5, _SLOWEST_LOOK)

    def _never_started(self, subject: str, reason: str) -> None:
        """Takes the task back; fails, saying that nothing was run, unless it did start meanwhile."""
        removed = self._host.run(f"schtasks /delete /tn {self.name} /f", deadline=_STEP)
        if running(self._host, self.name) or self._is_there(RunFiles(join(self.folder, str(self._runs))).started):
            return
        if removed.exit_code != 0:
            raise self._unknown(subject, f"{reason}, and the task could not be removed: {said(removed)}")
        self.may_run = False
        raise OperationFailed(
            self._host.name,
            subject,
            f"the Task Scheduler took the task and did not run it: {reason}. The task is removed, and nothing was run",
            "See that the service Schedule runs and what its log says, or set run_as: connection",
        )

    def _is_there(self, path: str) -> bool:
        return self._host.files.stat(path) is not None

    def _exit_code(self, files: RunFiles, subject: str) -> int:
        text = self._host.run(f"type {cmd_path(files.exit_code)}", deadline=_STEP).stdout.strip()
        try:
            return int(text) & 0xFFFF_FFFF
        except ValueError:
            self.may_run = False
            raise self._unknown(subject, f"its exit code reads {text[:40]!r}") from None

    def _output(self, files: RunFiles, limit: int) -> tuple[str, str, bool]:
        """Returns standard output, standard error, and whether some of them is missing; the limit is for both."""
        stdout = self._read(files.stdout, limit)
        left = max(1, limit - len(stdout.stdout.encode()))
        stderr = self._read(files.stderr, left)
        return stdout.stdout, stderr.stdout, stdout.truncated or stderr.truncated

    def _read(self, path: str, limit: int) -> CommandResult:
        """Reads a file; once more when a connection was lost meanwhile."""
        line = f"type {cmd_path(path)}"
        result = self._host.run(line, deadline=_COPY, output_limit=limit)
        found = self._host.files.stat(path) if result.truncated else None
        if found is not None and found.size <= limit:
            result = self._host.run(line, deadline=_COPY, output_limit=limit)
        return result

    def _last(self, files: RunFiles) -> str:
        """The last line that was said, for the sentences of errors."""
        try:
            text = (self._read(files.stderr, 100_000).stdout or self._read(files.stdout, 100_000).stdout).split("\n")
        except HostError:
            return "not readable"
        lines = [line.strip() for line in text if line.strip()]
        return repr(lines[-1][-200:]) if lines else "nothing"

    def _unknown(self, subject: str, reason: str) -> OutcomeUnknown:
        stays = f" If it still runs, it does so as task {self.name}." if self.may_run else ""
        return OutcomeUnknown(
            self._host.name,
            subject,
            f"its outcome is not known: {reason}.{stays}",
            "Run again when it has ended: the next run looks at the host first, goes on from there, and removes the "
            "task",
        )
