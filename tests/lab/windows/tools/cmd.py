# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""cmd: runs a line as `cmd /c` does, and batch files line by line. How it reads them is in `command_line`.

Not simulated: parentheses, `for`, `if`, `goto`, `call`, delayed expansion, arguments of batch files.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lab.windows.command_line import (
    LINE_LIMIT,
    Command,
    after_c,
    commands,
    expand,
    expand_in_batch,
    split_program,
)
from lab.windows.console import Input, Invocation, Job, Program
from lab.windows.files import DiskFull, normal
from lab.windows.tools.builtins import BUILTINS

if TYPE_CHECKING:
    from lab.windows.host import SimulatedHost

_BATCH = (".cmd", ".bat")
_KEEPS_ERRORLEVEL = frozenset({"echo", "rem", "setlocal", "set", "cd", "chdir"})


def run_line(
    host: SimulatedHost,
    line: str,
    folder: str,
    environment: dict[str, str],
    stdin: Input,
    write_out: Callable[[bytes], None],
    write_error: Callable[[bytes], None],
    program_of: Callable[[str], Program | None],
    user: str = "",
) -> Job:
    """Runs a line as `cmd /c` does; returns the exit code of the last command that ran.

    Args:
        host: The machine.
        line: What stands behind `/c`.
        folder: Working directory.
        environment: Variables, names in upper case.
        stdin: Standard input of the first command that reads.
        write_out: Takes standard output.
        write_error: Takes standard error.
        program_of: Gives the program of a path, None when the file is no program that the lab knows.
        user: Who runs it; the operator where nothing else is said.
    """
    session = _Session(host, folder, environment, stdin, write_out, write_error, program_of, user or host.session_user)
    if len(line) > LINE_LIMIT:
        write_error(b"The command line is too long.\r\n")
        return 1
    stripped = after_c(line, lambda name: host.find_program(name, folder) is not None)
    return (yield from session.line(expand(stripped, environment)))


@dataclass
class _Session:
    """One cmd: where it is, what its variables are, where its streams go."""

    host: SimulatedHost
    folder: str
    environment: dict[str, str]
    stdin: Input
    write_out: Callable[[bytes], None]
    write_error: Callable[[bytes], None]
    program_of: Callable[[str], Program | None]
    user: str
    error_level: int = 0
    ended: bool = field(default=False, init=False)
    """Whether `exit` was run."""

    def line(self, line: str) -> Job:
        """Runs a line whose variables are replaced; returns the last exit code."""
        piped: bytearray | None = None
        for command in commands(line):
            if (command.joined_by == "&&" and self.error_level) or (command.joined_by == "||" and not self.error_level):
                continue
            captured = bytearray()
            feed = Input(bytes(piped), closed=True) if piped is not None else self.stdin
            piped = captured if ("|>", "") in command.redirections else None
            context = Invocation(
                self.host, "", "", self.folder, self.environment, feed, self.write_out, self.write_error, self.user
            )
            yield from self._redirected(command, context, captured)
            if self.ended:
                break
        return self.error_level

    def batch(self, path: str) -> Job:
        """Runs a batch file to its end; its text is read as UTF-8."""
        file = self.host.files.get(path)
        for text in (file.content or b"" if file else b"").decode(errors="replace").splitlines():
            variables = {**self.environment, "ERRORLEVEL": str(self.error_level)}
            stripped = expand_in_batch(text, variables).strip().removeprefix("@")
            if not stripped or stripped.lower() in ("echo off", "echo on"):
                continue
            yield from self.line(stripped)
            if self.ended:
                break
        return self.error_level

    def _redirected(self, command: Command, context: Invocation, captured: bytearray) -> Job:
        host = self.host
        sinks: list[tuple[str, bool, bytearray]] = []
        for operator, target in command.redirections:
            if operator == "<":
                context.stdin = Input(closed=True)
                file = host.files.get(normal(target, context.folder))
                if target.lower() != "nul" and (file is None or file.content is None):
                    return self._fail(context, "The system cannot find the file specified.", 1)
                if file is not None and file.content is not None:
                    context.stdin = Input(file.content, closed=True)
            elif operator == "|>":
                context.write_out = captured.extend
            elif operator == "2>&":
                context.write_error = context.write_out
            else:
                sink = bytearray()
                if operator.startswith("2"):
                    context.write_error = sink.extend
                else:
                    context.write_out = sink.extend
                if target.lower() != "nul":
                    sinks.append((normal(target, context.folder), operator.endswith(">>"), sink))
        for path, _append, _sink in sinks:
            if not host.files.is_folder(path.rpartition("\\")[0]):
                return self._fail(context, "The system cannot find the path specified.", 1)
        code = yield from self._run(command.text, context)
        for path, append, sink in sinks:
            before = host.files.get(path) if append else None
            try:
                host.files.write(path, (before.content or b"" if before else b"") + bytes(sink), host.now())
            except DiskFull:
                return self._fail(context, "There is not enough space on the disk.", 112)
            except FileNotFoundError:
                return self._fail(context, "The system cannot find the path specified.", 1)
        return code

    def _fail(self, context: Invocation, message: str, code: int) -> int:
        context.error(message)
        self.error_level = code
        return code

    def _run(self, text: str, context: Invocation) -> Job:
        name, tail = split_program(text)
        plain = "" if text.startswith('"') else name.lower()
        if "/" in plain and plain.partition("/")[0] in BUILTINS:
            plain, _unused, option = plain.partition("/")
            tail = f"/{option} {tail}".strip()
        context.tail = tail
        context.__post_init__()
        code = yield from self._started(plain, name, context)
        if plain not in _KEEPS_ERRORLEVEL:
            self.error_level = code
        return code

    def _started(self, plain: str, name: str, context: Invocation) -> Job:
        if plain in ("cd", "chdir"):
            return self._change_folder(context)
        if plain == "set":
            variable, found, value = context.tail.strip('"').partition("=")
            self.environment.update({variable.upper(): value} if found else {})
            return 0
        if plain in BUILTINS:
            self.ended = plain == "exit"
            return (yield from BUILTINS[plain](context))
        path = self.host.find_program(name, context.folder)
        if path is not None and path.lower().endswith(_BATCH):
            inner = _Session(
                self.host,
                self.folder,
                dict(self.environment),
                context.stdin,
                context.write_out,
                context.write_error,
                self.program_of,
                self.user,
            )
            return (yield from inner.batch(path))
        program = self.program_of(path) if path else None
        if path is None or program is None:
            context.error(f"'{name}' is not recognized as an internal or external command,")
            context.error("operable program or batch file.")
            return self.host.settings.windows.unknown_command_exit_code
        context.program = path
        return (yield from program(context))

    def _change_folder(self, context: Invocation) -> int:
        target = re.sub(r"^/d\s+", "", context.tail, flags=re.IGNORECASE)
        path = normal(target, self.folder)
        if not self.host.files.is_folder(path):
            context.error("The system cannot find the path specified.")
            self.error_level = 1
            return 1
        self.folder = path
        return 0
