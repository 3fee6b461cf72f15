# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A process that WinRS started: it goes on when input comes and when time passes, and is never waited for."""

from __future__ import annotations

from collections.abc import Callable

from lab.scheduler import Scheduler, Timer
from lab.windows.console import Input, Job, NeedInput, Sleep

KILLED = 1


class SimulatedProcess:
    """Implements ``lab.backend.Process`` over a job."""

    def __init__(
        self, command_line: str, process_id: int, scheduler: Scheduler, on_end: Callable[[SimulatedProcess], None]
    ) -> None:
        """Makes a process that `begin` starts.

        Args:
            command_line: As WinRS got it.
            process_id: Its identifier.
            scheduler: The lab's clock, whose lock is held in every call.
            on_end: Called once when the process has ended.
        """
        self.command_line = command_line
        self.process_id = process_id
        self.stdin = Input()
        self._scheduler = scheduler
        self._on_end = on_end
        self._output: list[tuple[str, bytes]] = []
        self._exit_code: int | None = None
        self._job: Job | None = None
        self._timer: Timer | None = None
        self._waits_for_input = False

    def begin(self, job: Job) -> None:
        """Starts to run."""
        self._job = job
        self._go_on()

    def write_out(self, data: bytes) -> None:
        """Takes standard output of the job."""
        self._write("stdout", data)

    def write_error(self, data: bytes) -> None:
        """Takes standard error of the job."""
        self._write("stderr", data)

    def write_stdin(self, data: bytes) -> None:
        """See ``Process``."""
        with self._scheduler.lock:
            self.stdin.feed(data)
            if self._waits_for_input:
                self._go_on()

    def close_stdin(self) -> None:
        """See ``Process``."""
        with self._scheduler.lock:
            self.stdin.closed = True
            if self._waits_for_input:
                self._go_on()

    def read(self) -> list[tuple[str, bytes]]:
        """See ``Process``."""
        with self._scheduler.lock:
            output, self._output = self._output, []
            return output

    @property
    def exit_code(self) -> int | None:
        """See ``Process``."""
        with self._scheduler.lock:
            return self._exit_code

    def terminate(self) -> None:
        """See ``Process``."""
        with self._scheduler.lock:
            if self._exit_code is not None:
                return
            if self._timer is not None:
                self._timer.cancel()
            job, self._job = self._job, None
            if job is not None:
                job.close()
            self._end(KILLED)

    def _write(self, stream: str, data: bytes) -> None:
        if data:
            self._output.append((stream, data))

    def _go_on(self) -> None:
        job = self._job
        if job is None:
            return
        self._timer, self._waits_for_input = None, False
        try:
            wait = next(job)
        except StopIteration as end:
            self._job = None
            self._end(int(end.value))
            return
        if isinstance(wait, Sleep):
            self._timer = self._scheduler.after(wait.seconds, self._go_on)
        elif isinstance(wait, NeedInput):
            self._waits_for_input = True

    def _end(self, exit_code: int) -> None:
        self._exit_code = exit_code
        self._on_end(self)
