# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows command lines: what a program, `cmd` and `msiexec` each read from the same text.

Three readers with three rules stand between us and a program (wsman.md 3.2): `cmd /c`, which WinRS always runs; the
program's own splitting, mostly CommandLineToArgvW; and msiexec, which has its own. What one of them would change is
refused instead of escaped: `%` can't be escaped on a `/c` line, and a quote would end cmd's quoting.
"""

from __future__ import annotations

import re

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import Unquotable

COMMAND_LINE_LIMIT = 8191
"""Characters that cmd.exe takes (Microsoft KB830473). The two quotes that `wrap` adds are counted; the name of cmd and
its `/c` are not, since the text speaks of the string that cmd is given."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029\ud800-\udfff\ufffe\uffff]")
"""Line ends and control characters, and what no XML can hold."""
_NEEDS_QUOTES = re.compile(r"[^A-Za-z0-9_.:/\\+-]")
_PUBLIC_PROPERTY = re.compile(r"[A-Z_][A-Z0-9_.]*\Z")
_WHY = {
    '"': "a quote would end the quoting of cmd",
    "%": "cmd replaces %NAME% even between quotes, and % can't be escaped there",
    "!": "cmd replaces !NAME! where delayed expansion is switched on",
}


def argv_quote(argument: str) -> str:
    """Quotes one argument for CommandLineToArgvW, without regard to cmd.

    Raises:
        Unquotable: It holds a control character.
    """
    _refuse_control(argument)
    if argument and not _NEEDS_QUOTES.search(argument):
        return argument
    escaped = re.sub(r'(\\*)"', r'\1\1\\"', argument)
    trailing = len(escaped) - len(escaped.rstrip("\\"))
    return f'"{escaped}{chr(92) * trailing}"'


def cmd_argument(argument: str) -> str:
    """Quotes one argument for a program that `cmd /c` starts and that splits as CommandLineToArgvW does.

    Raises:
        Unquotable: It holds what cmd would act on even between quotes.
    """
    _refuse(argument, '"%!')
    return argv_quote(argument)


def command_line(program: str, *arguments: str) -> str:
    """Returns a command line of a program and its arguments; see `cmd_argument`."""
    return " ".join(cmd_argument(part) for part in (program, *arguments))


def cmd_path(path: str) -> str:
    """Quotes a path for cmd itself (redirection, `move`, `del`): always quoted, backslashes as they are.

    Raises:
        Unquotable: It holds what cmd would act on even between quotes.
    """
    _refuse(path, '"%!')
    return f'"{path}"'


def msiexec_property(name: str, value: str) -> str:
    """Returns `NAME="value"` for msiexec, which wants inner quotes doubled and knows no backslash escapes.

    Raises:
        Unquotable: The name is no public property (upper case), or the value holds `%`, `!` or a control character.
    """
    if not _PUBLIC_PROPERTY.match(name):
        raise Unquotable(
            "", f"MSI property {name}", "it is no public property", "Use a name of upper-case letters, digits, _ and ."
        )
    _refuse(value, "%!", f"value of MSI property {name}")
    doubled = value.replace('"', '""')
    return f'{name}="{doubled}"'


def wrap(line: str) -> str:
    """Returns a line as WinRS must hand it to `cmd /c`: in one extra pair of quotes, which cmd takes away again.

    Raises:
        Unquotable: It is longer than cmd takes, or holds a control character.
    """
    _refuse_control(line, "command line")
    wrapped = f'"{line}"'
    if len(wrapped) > COMMAND_LINE_LIMIT:
        raise Unquotable(
            "",
            "command line",
            f"it has {len(wrapped)} characters with the two quotes that WinRM needs around it, "
            f"and cmd takes {COMMAND_LINE_LIMIT}",
            "Use shorter paths or fewer properties",
        )
    return wrapped


def check_variable(name: str, value: str) -> None:
    """Checks an environment variable, which reaches a program as it is.

    Raises:
        Unquotable: Windows can't have such a name, or one of them holds a control character.
    """
    _refuse_control(name, "name of an environment variable")
    _refuse_control(value, f"environment variable {name}")
    if not name or "=" in name:
        raise Unquotable("", f"environment variable {name!r}", "that is no name", "Use a name without =")


def _refuse(value: str, characters: str, what: str = "command line argument") -> None:
    _refuse_control(value, what)
    for character in characters:
        if character in value:
            raise Unquotable(
                "", what, f"it holds {character} and {_WHY[character]}", f"Use a value without {character}"
            )


def _refuse_control(value: str, what: str = "command line argument") -> None:
    if found := _CONTROL.search(value):
        raise Unquotable(
            "",
            what,
            f"it holds character U+{ord(found[0]):04X}",
            "Use a value without line ends and control characters",
        )
