# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`cmd /c`: quotes, `&&`, `||`, `&`, `|`, redirections and %VARIABLES%, as far as one line goes.

Not simulated: parentheses, `for`, `if`, delayed expansion, batch files. Sources: wsman.md 3.2 (the outer quotes, 8191
characters, what is live inside and outside quotes).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from lab.windows.console import Input, Invocation, Job, Program
from lab.windows.files import DiskFull, normal
from lab.windows.tools.builtins import BUILTINS

if TYPE_CHECKING:
    from lab.windows.host import SimulatedHost

LINE_LIMIT = 8191
_ONE_QUOTED = re.compile(r'^"([^"&<>()@^|]*\s[^"&<>()@^|]*)"[^"]*$')


@dataclass
class Command:
    """One command of a line: its text without redirections, and what joins it to the one before."""

    joined_by: str
    text: str = ""
    redirections: list[tuple[str, str]] = field(default_factory=list)


def run_line(
    host: SimulatedHost,
    line: str,
    folder: str,
    environment: dict[str, str],
    stdin: Input,
    write_out: Callable[[bytes], None],
    write_error: Callable[[bytes], None],
    program_of: Callable[[str], Program | None],
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
    """
    if len(line) > LINE_LIMIT:
        write_error(b"The command line is too long.\r\n")
        return 1
    exit_code = 0
    piped: bytearray | None = None
    stripped = strip_outer_quotes(line, lambda name: host.find_program(name, folder) is not None)
    for command in parse(expand(stripped, environment)):
        if (command.joined_by == "&&" and exit_code) or (command.joined_by == "||" and not exit_code):
            continue
        captured = bytearray()
        feed = Input(bytes(piped), closed=True) if piped is not None else stdin
        piped = captured if ("|>", "") in command.redirections else None
        context = Invocation(host, "", "", folder, environment, feed, write_out, write_error, host.session_user)
        exit_code = yield from _redirected(command, context, captured, program_of)
    return exit_code


def strip_outer_quotes(line: str, is_program: Callable[[str], bool]) -> str:
    """Takes off the first and the last quote of a line that begins with one, as `cmd /c` does.

    They stay only when the line has exactly these two, with a blank and no special character between them, and what
    they enclose is a program (`cmd /?`); so `"C:\\Program Files\\x.exe" list` works, and with a second pair it does
    not.
    """
    stripped = line.strip()
    match = _ONE_QUOTED.match(stripped)
    if not stripped.startswith('"') or (match is not None and is_program(match[1])):
        return stripped
    last = stripped.rfind('"')
    return stripped[1:last] + stripped[last + 1 :] if last > 0 else stripped


def expand(line: str, environment: dict[str, str]) -> str:
    """Replaces %NAME% everywhere, also within quotes; an unknown name is left as it stands."""
    return re.sub(r"%([^%\s]+)%", lambda match: environment.get(match[1].upper(), match[0]), line)


def parse(line: str) -> list[Command]:
    """Splits a line into commands with their redirections."""
    commands = [Command("")]
    quoted = False
    index = 0
    while index < len(line):
        char, pair = line[index], line[index : index + 2]
        current = commands[-1]
        if char == '"':
            quoted = not quoted
        if quoted or char == '"':
            current.text += char
            index += 1
        elif char == "^":
            current.text += line[index + 1 : index + 2]
            index += 2
        elif pair in ("&&", "||"):
            commands.append(Command(pair))
            index += 2
        elif char == "&":
            commands.append(Command("&"))
            index += 1
        elif char == "|":
            current.redirections.append(("|>", ""))
            commands.append(Command("|"))
            index += 1
        elif char in "<>":
            index = _redirection(line, index, current)
        else:
            current.text += char
            index += 1
    return [replace(command, text=command.text.strip()) for command in commands if command.text.strip()]


def _redirection(line: str, index: int, command: Command) -> int:
    """Reads one redirection that begins at `index`; returns where the line goes on."""
    handle = ""
    if line[index] == ">" and re.search(r"(^|\s)[12]$", command.text):
        handle, command.text = command.text[-1], command.text[:-1]
    operator = ">>" if line[index : index + 2] == ">>" else line[index]
    index += len(operator)
    if line[index : index + 2] in ("&1", "&2"):
        command.redirections.append((f"{handle}{operator}&", line[index + 1]))
        return index + 2
    while line[index : index + 1] == " ":
        index += 1
    match = re.match(r'"[^"]*"|[^\s&|<>]+', line[index:])
    target = match[0] if match else ""
    command.redirections.append((handle + operator, target.strip('"')))
    return index + len(target)


def _redirected(
    command: Command, context: Invocation, captured: bytearray, program_of: Callable[[str], Program | None]
) -> Job:
    host = context.host
    sinks: list[tuple[str, bool, bytearray]] = []
    for operator, target in command.redirections:
        if operator == "<":
            file = host.files.get(normal(target, context.folder))
            if file is None or file.content is None:
                context.error("The system cannot find the file specified.")
                return 1
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
            context.error("The system cannot find the path specified.")
            return 1
    exit_code = yield from _run(command.text, context, program_of)
    for path, append, sink in sinks:
        before = host.files.get(path) if append else None
        try:
            host.files.write(path, (before.content or b"" if before else b"") + bytes(sink), host.now())
        except DiskFull:
            context.error("There is not enough space on the disk.")
            return 112
    return exit_code


def _run(text: str, context: Invocation, program_of: Callable[[str], Program | None]) -> Job:
    match = re.match(r'"([^"]*)"|([^\s"]+)', text)
    name = (match[1] if match[1] is not None else match[2]) if match else ""
    context.tail = text[match.end() :].strip() if match else ""
    context.__post_init__()
    builtin = BUILTINS.get(name.lower()) if not text.startswith('"') else None
    if builtin is None and "/" in name and not text.startswith('"'):
        short, _unused, rest = name.partition("/")
        builtin = BUILTINS.get(short.lower())
        if builtin is not None:
            context.tail = f"/{rest} {context.tail}".strip()
            context.__post_init__()
    if builtin is not None:
        return (yield from builtin(context))
    path = context.host.find_program(name, context.folder)
    program = program_of(path) if path else None
    if path is None or program is None:
        context.error(f"'{name}' is not recognized as an internal or external command,")
        context.error("operable program or batch file.")
        return context.host.settings.windows.unknown_command_exit_code
    context.program = path
    return (yield from program(context))
