# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Child processes of the gates: output into a log, a deadline, and none left behind after Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DEADLINE = 1200.0
"""Seconds after which a gate counts as hung. The slowest one takes about two minutes on two cores."""


@dataclass(frozen=True)
class Finished:
    """How a command ended: its exit code, and all that it printed (both streams in the order they came)."""

    exit_code: int
    output: str


class Processes:
    """Starts commands in process groups of their own, so that all their children can be ended with them."""

    def __init__(self, deadline: float = DEADLINE) -> None:
        """Give every command at most this many seconds."""
        self._deadline = deadline
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._closed = False

    def run(self, command: list[str], *, cwd: Path, environment: Mapping[str, str], log: Path) -> Finished:
        """Run a command to its end, append its output to the log, and return both.

        A command that can't be started or passes the deadline is an exit code other than 0 with a sentence in the log.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as stream:
            stream.write(f"$ {shlex.join(command)}\n".encode())
            stream.flush()
            start = stream.tell()
            try:
                exit_code = self._run(command, cwd, environment, stream.fileno())
            except OSError as error:
                stream.write(f"{command[0]} could not be started: {error.strerror}.\n".encode())
                exit_code = 127
            except subprocess.TimeoutExpired:
                stream.write(f"\nStopped after {self._deadline:.0f} s without an end.\n".encode())
                exit_code = 124
        with log.open("rb") as stream:
            stream.seek(start)
            return Finished(exit_code, stream.read().decode(errors="replace"))

    def _run(self, command: list[str], cwd: Path, environment: Mapping[str, str], output: int) -> int:
        with self._lock:
            if self._closed:
                return 130
            process = subprocess.Popen(
                command,
                cwd=cwd,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self._running.add(process)
        try:
            return process.wait(self._deadline)
        finally:
            _end(process)
            with self._lock:
                self._running.discard(process)

    def close(self) -> None:
        """End what is still running, and start nothing more."""
        with self._lock:
            self._closed = True
            running = tuple(self._running)
        for process in running:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a command's whole process group, also what a finished command left behind."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
