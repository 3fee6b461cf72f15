# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`host.run`: command lines on a host, through the WinRS command shell.

Deleting a shell ends every process in it (wsman.md 3.1). So a shell whose command may still run is never deleted here:
an installer is not cut short by a time-out of ours.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import partial

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    ConnectionLost,
    DeadlineExceeded,
    HostError,
    HostUnreachable,
    OutcomeUnknown,
    Unquotable,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._quoting import check_variable, wrap
from ansible_collections.entsso.password_sync.plugins.module_utils.codec import _soap as soap
from ansible_collections.entsso.password_sync.plugins.module_utils.codec import _winrs as winrs
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._console_text import decoded
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._wsman import Repeat, Wsman

DEADLINE = 600.0
OUTPUT_LIMIT = 2_000_000

_SHELL = "WinRS shell"
_LOSS_PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds between attempts to reach a host again on which a command runs: a minute in all."""
_SHELL_IS_USED_UP = (soap.UNEXPECTED_SELECTORS, soap.TOO_MANY_OPERATIONS)


class RunAs(Enum):
    """As whom a command runs.

    CONNECTION: As the account of the connection, with the network logon of WinRM.
    SYSTEM_TASK: As SYSTEM, in a scheduled task (`_system_task`).
    """

    CONNECTION = "connection"
    SYSTEM_TASK = "system_task"


@dataclass(frozen=True)
class CommandResult:
    """What a command left.

    Attributes:
        exit_code: Unsigned 32-bit exit code.
        stdout: Standard output; what is no UTF-8 is read in the host's OEM code page (`_console_text`).
        stderr: Standard error, likewise.
        truncated: Whether output is missing: beyond the limit, or lost with a connection.
    """

    exit_code: int
    stdout: str
    stderr: str
    truncated: bool


@dataclass(frozen=True)
class _ShellKey:
    """What a shell was opened with."""

    working_directory: str | None
    environment: tuple[tuple[str, str], ...]


class _Output:
    """Collects output up to a limit over both streams."""

    def __init__(self, limit: int) -> None:
        self.stdout = bytearray()
        self.stderr = bytearray()
        self.truncated = False
        self._left = limit

    def add(self, received: winrs.Received) -> None:
        for kept, data in ((self.stdout, received.stdout), (self.stderr, received.stderr)):
            kept += data[: self._left]
            self.truncated = self.truncated or len(data) > self._left
            self._left -= min(len(data), self._left)


class CommandRunner:
    """Runs commands on one host in one shell, which is opened when first needed.

    Working directory and environment belong to a shell, so each other pair takes a shell of its own.
    """

    def __init__(
        self,
        client: Wsman,
        *,
        oem_code_page: Callable[[], int | None] = lambda: None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._oem_code_page = oem_code_page
        self._sleep = sleep
        self._clock = clock
        self._shells: dict[_ShellKey, str] = {}

    def run(
        self,
        command_line: str,
        *,
        stdin: Iterable[bytes] | None = None,
        deadline: float = DEADLINE,
        output_limit: int = OUTPUT_LIMIT,
        working_directory: str | None = None,
        environment: Mapping[str, str] | None = None,
        terminate_on_deadline: bool = False,
    ) -> CommandResult:
        """Runs a command line and waits for its end.

        Args:
            command_line: What cmd shall run, quoted by the caller (`_quoting`).
            stdin: Standard input in pieces of any size; None leaves it open and empty.
            deadline: Seconds to wait.
            output_limit: Bytes of output to keep.
            working_directory: Where to run; None for the account's profile directory.
            environment: Variables that the command has beside its account's. cmd replaces %NAME% in the line by them.
            terminate_on_deadline: Whether to end the command at the deadline, and whenever its end can't be awaited;
                only for what does no harm half done. False leaves it running.

        Raises:
            OutcomeUnknown: It was started, or may have been, and its end was not seen.
            Unquotable: The line can't be given to cmd.
            HostError: It could not be started.
        """
        subject = f"command {command_line.split(' ', 1)[0]}"
        end = self._clock() + deadline
        try:
            wrapped = wrap(command_line)
            for name, value in (environment or {}).items():
                check_variable(name, value)
        except Unquotable as error:
            error.host, error.subject = self._client.host, " of ".join((error.subject, subject))
            raise
        key = _ShellKey(working_directory, tuple(sorted((environment or {}).items())))
        shell, command = self._started(wrapped, key, subject)
        # From here on the command may run whatever happens to us, so the shell is out of our hands until it has ended.
        self._shells.pop(key, None)
        output = _Output(output_limit)
        try:
            self._feed(shell, command, stdin, subject)
            exit_code = self._collected(shell, command, output, end, deadline, subject)
        except BaseException:
            if terminate_on_deadline:
                self._quietly(winrs.terminate_request(shell, command), subject)
                self._quietly(winrs.delete_request(shell), _SHELL)
            raise
        self._shells[key] = shell
        self._quietly(winrs.terminate_request(shell, command), subject)
        return CommandResult(
            exit_code,
            decoded(bytes(output.stdout), self._oem_code_page, cut=output.truncated),
            decoded(bytes(output.stderr), self._oem_code_page, cut=output.truncated),
            output.truncated,
        )

    def close(self) -> None:
        """Deletes the shells in which nothing runs any more; a host that does not answer does so by itself."""
        if self._client.broken:
            self._shells.clear()
        while self._shells:
            _key, shell = self._shells.popitem()
            self._quietly(winrs.delete_request(shell), _SHELL)

    def try_shell(self) -> None:
        """Opens a shell and deletes it again; nothing runs in it.

        Raises:
            HostError: The host opened none.
        """
        self._shell(_ShellKey(None, ()))
        self.close()

    def _shell(self, key: _ShellKey) -> str:
        if key not in self._shells:
            request = winrs.create_request(key.working_directory, dict(key.environment))
            reply = self._client.read(request, _SHELL)
            self._shells[key] = winrs.parse_created(reply, self._client.host, _SHELL)
        return self._shells[key]

    def _started(self, wrapped: str, key: _ShellKey, subject: str) -> tuple[str, str]:
        """Starts the command; a shell that is gone or used up is replaced once, since nothing was started then.

        Windows does not count an ended command down, so a shell is used up in time (wsman.md 3.1).
        """
        for last in (False, True):
            shell = self._shell(key)
            reply = self._client.write(winrs.command_request(shell, wrapped), subject)
            try:
                started = partial(winrs.parse_command, reply, self._client.host, subject)
                return shell, self._client.judged(subject, started)
            except soap.FaultAnswer as error:
                if last or not set(error.fault.codes) & set(_SHELL_IS_USED_UP):
                    raise
                del self._shells[key]
                self._quietly(winrs.delete_request(shell), _SHELL)
        raise AssertionError("unreachable")

    def _feed(self, shell: str, command: str, stdin: Iterable[bytes] | None, subject: str) -> None:
        """Sends standard input. A command that no longer reads is no error here: its exit code tells."""
        if stdin is None:
            return
        pending: bytes | None = None
        for chunk in _pieces(stdin, winrs.STDIN_CHUNK):
            if pending is not None and not self._sent(shell, command, pending, subject, end=False):
                return
            pending = chunk
        self._sent(shell, command, pending or b"", subject, end=True)

    def _sent(self, shell: str, command: str, data: bytes, subject: str, *, end: bool) -> bool:
        reply = self._client.write(winrs.send_request(shell, command, data, end=end), subject)
        try:
            soap.body_of(reply, self._client.host, subject)
        except DeadlineExceeded:
            # Under load Windows takes the input and says so too late (seen live by the authors of Ansible's plugin).
            return True
        except soap.FaultAnswer:
            return False
        return True

    def _collected(self, shell: str, command: str, output: _Output, end: float, deadline: float, subject: str) -> int:
        """Receives until the command ends; returns its exit code."""
        losses = 0
        while (left := end - self._clock()) > 0:
            request = winrs.receive_request(shell, command, max(0.5, min(winrs.RECEIVE_TIMEOUT, left)))
            try:
                reply = self._client.read(request, subject, Repeat.NEVER)
                received = winrs.parse_received(reply, command, self._client.host, subject)
            except DeadlineExceeded:
                losses = 0
                continue
            except (ConnectionLost, HostUnreachable) as error:
                # What this Receive would have brought is gone; the command goes on.
                output.truncated = True
                if losses == len(_LOSS_PAUSES):
                    raise self._unknown(subject, f"the connection was lost ({error})", output) from error
                self._sleep(_LOSS_PAUSES[losses])
                losses += 1
                continue
            except soap.FaultAnswer as error:
                raise self._unknown(subject, _told(error), output) from error
            except HostError as error:
                raise self._unknown(subject, error.reason, output) from error
            losses = 0
            output.add(received)
            if received.done and received.exit_code is not None:
                return received.exit_code
        raise self._unknown(subject, f"it had not ended after {deadline:g} seconds", output)

    def _unknown(self, subject: str, reason: str, output: _Output) -> OutcomeUnknown:
        return OutcomeUnknown(
            self._client.host,
            subject,
            f"its outcome is not known: {reason}; its last output was {_last(output)}",
            "Run again when it has ended: the next run looks at the host first and goes on from there",
        )

    def _quietly(self, request: bytes, subject: str) -> None:
        """Sends what tidies up; a host that can't be tidied up closes idle shells by itself."""
        try:
            self._client.read(request, subject, Repeat.NEVER)
        except (HostError, ConnectionLost):
            return


def _told(error: soap.FaultAnswer) -> str:
    if soap.UNEXPECTED_SELECTORS in error.fault.codes:
        return (
            "the host no longer knows the shell that it ran in, and Windows ends what runs in a shell together with it "
            f"({error.reason})"
        )
    return error.reason


def _pieces(data: Iterable[bytes], size: int) -> Iterable[bytes]:
    """Yields the same bytes in pieces of `size`, the last one smaller."""
    buffer = bytearray()
    for chunk in data:
        buffer += chunk
        while len(buffer) >= size:
            yield bytes(buffer[:size])
            del buffer[:size]
    if buffer:
        yield bytes(buffer)


def _last(output: _Output) -> str:
    """The last line that was said, for the sentences of errors."""
    text = bytes(output.stderr[-400:] or output.stdout[-400:]).decode("utf-8", errors="replace").split("\n")
    said = [line.strip() for line in text if line.strip()]
    return repr(said[-1][-200:]) if said else "nothing"
