# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How Windows reads a command line: cmd, then the program's own splitting, or msiexec's.

Written from Microsoft's texts alone, and shared with nothing that is tested by it:

* `cmd /c`: windowsserverdocs, windows-commands/cmd.md (the outer quotes, special characters), `cmd /?`; 8,191
  characters: KB830473. Between quotes `& | < > ^` stand for themselves and `%NAME%` does not (wsman.md 3.2).
* Programs: win32, CommandLineToArgvW; "Parsing C command-line arguments".
* msiexec: win32, desktop-src/Msi/command-line-options.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

LINE_LIMIT = 8191
"""Characters that cmd takes in one line."""

_SPECIAL = frozenset("&<>()@^|")
_BLANKS = " \t"
_BETWEEN = " \t,;="
"""What ends the name of a command for cmd."""
_VARIABLE = re.compile(r"%([^%]+)%")
_BATCH_VARIABLE = re.compile(r"%%|%([^%]+)%|%")
_MSI_PROPERTY = re.compile(r"([A-Za-z_][A-Za-z0-9_.]*)=(.*)", re.DOTALL)


@dataclass
class Command:
    """One command of a line: its text without redirections, and what joins it to the one before."""

    joined_by: str
    text: str = ""
    redirections: list[tuple[str, str]] = field(default_factory=list)


class NotMsiexec(ValueError):
    """msiexec does not understand its command line (exit code 1639)."""


def after_c(line: str, is_program: Callable[[str], bool]) -> str:
    """Returns what `cmd /c` runs: the line without its first and its last quote when it begins with one.

    They stay only when the line has exactly two, no special character and a blank between them, and what they enclose
    is the name of a program.
    """
    stripped = line.strip()
    if not stripped.startswith('"'):
        return stripped
    enclosed = stripped[1:].partition('"')[0]
    kept = (
        stripped.count('"') == 2
        and not _SPECIAL & set(enclosed)
        and any(blank in enclosed for blank in _BLANKS)
        and is_program(enclosed)
    )
    last = stripped.rfind('"')
    if kept or last == 0:
        return stripped if kept else stripped[1:]
    return stripped[1:last] + stripped[last + 1 :]


def expand(line: str, environment: Mapping[str, str]) -> str:
    """Replaces %NAME% everywhere, also within quotes; an unknown name stays as it stands. Names are in upper case."""
    done = ""
    while match := _VARIABLE.search(line):
        value = environment.get(match[1].upper())
        done += line[: match.start()] + ("%" if value is None else value)
        line = line[match.start() + 1 if value is None else match.end() :]
    return done + line


def expand_in_batch(line: str, environment: Mapping[str, str]) -> str:
    """As `expand` for a line of a batch file: an unknown name is nothing, `%%` is one `%`, a lonely one is lost."""

    def value(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%"
        return environment.get(match[1].upper(), "") if match[1] else ""

    return _BATCH_VARIABLE.sub(value, line)


def commands(line: str) -> list[Command]:
    """Splits a line into commands with their redirections. Blocks in parentheses are not simulated."""
    found = [Command("")]
    quoted = False
    index = 0
    while index < len(line):
        char, pair = line[index], line[index : index + 2]
        current = found[-1]
        if char == '"':
            quoted = not quoted
        if quoted or char == '"':
            current.text += char
            index += 1
        elif char == "^":
            current.text += line[index + 1 : index + 2]
            index += 2
        elif pair in ("&&", "||"):
            found.append(Command(pair))
            index += 2
        elif char == "&":
            found.append(Command("&"))
            index += 1
        elif char == "|":
            current.redirections.append(("|>", ""))
            found.append(Command("|"))
            index += 1
        elif char in "<>":
            index = _redirection(line, index, current)
        else:
            current.text += char
            index += 1
    return [replace(command, text=command.text.strip(_BLANKS)) for command in found if command.text.strip(_BLANKS)]


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


def split_program(text: str) -> tuple[str, str]:
    """Splits a command into the name that cmd looks for and the rest of the line, which the program gets as it is."""
    text = text.lstrip(_BETWEEN + "@")
    name, quoted = "", False
    for at, char in enumerate(text):
        if char == '"':
            quoted = not quoted
        elif char in _BETWEEN and not quoted:
            return name, text[at:].strip(_BLANKS)
        else:
            name += char
    return name, ""


def split_arguments(tail: str) -> tuple[str, ...]:
    """Splits what follows the program's name, as CommandLineToArgvW does.

    2n backslashes and a quote are n backslashes, and the quote begins or ends a quoted part; 2n+1 and a quote are n
    backslashes and the quote itself; backslashes elsewhere are themselves. A doubled quote within a quoted part is one
    quote and ends nothing.
    """
    arguments: list[str] = []
    current: list[str] = []
    started = quoted = False
    index = 0
    while index < len(tail):
        char = tail[index]
        if char == "\\":
            run = len(tail) - index - len(tail[index:].lstrip("\\"))
            index += run
            if tail[index : index + 1] == '"':
                current.append("\\" * (run // 2))
                if run % 2:
                    current.append('"')
                    index += 1
            else:
                current.append("\\" * run)
            started = True
            continue
        if char == '"':
            if quoted and tail[index + 1 : index + 2] == '"':
                current.append('"')
                index += 1
            else:
                quoted = not quoted
            started = True
        elif char in _BLANKS and not quoted:
            if started:
                arguments.append("".join(current))
            current, started = [], False
        else:
            current.append(char)
            started = True
        index += 1
    if started:
        arguments.append("".join(current))
    return tuple(arguments)


def msiexec_words(tail: str) -> list[str]:
    """Splits what follows `msiexec`: at blanks outside quotes; within quotes a doubled quote is one, and a backslash
    is a backslash.

    Raises:
        NotMsiexec: A quote is not closed.
    """
    words: list[str] = []
    current: list[str] = []
    quoted = started = False
    index = 0
    while index < len(tail):
        char = tail[index]
        if char == '"' and quoted and tail[index + 1 : index + 2] == '"':
            current.append('"')
            index += 1
        elif char == '"':
            quoted, started = not quoted, True
        elif char in _BLANKS and not quoted:
            if started:
                words.append("".join(current))
            current, started = [], False
        else:
            current.append(char)
            started = True
        index += 1
    if quoted:
        raise NotMsiexec(tail)
    if started:
        words.append("".join(current))
    return [word for word in words if word]


def msiexec_property(word: str) -> tuple[str, str]:
    """Reads `NAME=value`; only public properties, in upper case, can be set.

    Raises:
        NotMsiexec: It is none.
    """
    match = _MSI_PROPERTY.fullmatch(word)
    if match is None or match[1] != match[1].upper():
        raise NotMsiexec(word)
    return match[1], match[2]
