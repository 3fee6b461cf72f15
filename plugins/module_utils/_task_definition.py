# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a scheduled task needs that runs one command as SYSTEM: its definition, and the batch file that it runs.

The definition follows MS-TSCH 2.5. It has no trigger, so it starts only when it is told to. By default Windows would
not start a task on a server that reports a battery, would end it when the power fails or after three days, and gives it
less than normal priority (MS-TSCH 2.5.4): all of that is set otherwise, since an installer must not be cut short.

The command stands in a batch file because cmd waits there for programs with windows as well (`start /?`), and because
what is written behind it tells the exit code. The file is plain ASCII, since nothing public says in which code page cmd
reads a batch file that a task runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ntpath import join

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import Unquotable
from ansible_collections.entsso.password_sync.plugins.module_utils._quoting import check_variable, cmd_path, wrap
from ansible_collections.entsso.password_sync.plugins.module_utils.codec import _soap as soap

_NAMESPACE = "http://schemas.microsoft.com/windows/2004/02/mit/task"
_SETTINGS = {
    "MultipleInstancesPolicy": "IgnoreNew",
    "DisallowStartIfOnBatteries": "false",
    "StopIfGoingOnBatteries": "false",
    "AllowHardTerminate": "true",
    "StartWhenAvailable": "false",
    "RunOnlyIfNetworkAvailable": "false",
    "AllowStartOnDemand": "true",
    "Enabled": "true",
    "Hidden": "false",
    "RunOnlyIfIdle": "false",
    "WakeToRun": "false",
    "ExecutionTimeLimit": "PT0S",
    "Priority": "5",
}
"""Priority 5 is the normal one, PT0S no limit (win32 TaskSchd, TaskSettings.Priority and .ExecutionTimeLimit)."""


@dataclass(frozen=True)
class RunFiles:
    """The files of one run, all in a folder of its own."""

    folder: str

    @property
    def definition(self) -> str:
        """The definition of the task."""
        return join(self.folder, "task.xml")

    @property
    def script(self) -> str:
        """The batch file."""
        return join(self.folder, "run.cmd")

    @property
    def started(self) -> str:
        """There once the batch file runs."""
        return join(self.folder, "started")

    @property
    def exit_code(self) -> str:
        """There, whole, once the command has ended."""
        return join(self.folder, "exit_code")

    @property
    def stdout(self) -> str:
        """Standard output of the command."""
        return join(self.folder, "stdout")

    @property
    def stderr(self) -> str:
        """Standard error of the command."""
        return join(self.folder, "stderr")


def definition(files: RunFiles) -> bytes:
    """Returns the definition: ASCII without a declared encoding, as Microsoft's own examples have it."""
    arguments = (
        f'/d /c "{cmd_path(files.script)} 1>{cmd_path(files.stdout)} 2>{cmd_path(files.stderr)} <nul"'  # outer quotes
    )
    settings = "\r\n".join(f"    <{name}>{value}</{name}>" for name, value in _SETTINGS.items())
    return (
        '<?xml version="1.0"?>\r\n'
        f'<Task version="1.2" xmlns="{_NAMESPACE}">\r\n'
        "  <RegistrationInfo>\r\n"
        "    <Description>One command of entsso.password_sync as SYSTEM, removed when it has ended</Description>\r\n"
        "  </RegistrationInfo>\r\n"
        '  <Principals>\r\n    <Principal id="System">\r\n      <UserId>S-1-5-18</UserId>\r\n'
        "      <RunLevel>HighestAvailable</RunLevel>\r\n    </Principal>\r\n  </Principals>\r\n"
        f"  <Settings>\r\n{settings}\r\n  </Settings>\r\n"
        '  <Actions Context="System">\r\n    <Exec>\r\n      <Command>C:\\Windows\\System32\\cmd.exe</Command>\r\n'
        f"      <Arguments>{soap.text(arguments)}</Arguments>\r\n    </Exec>\r\n  </Actions>\r\n"
        "</Task>\r\n"
    ).encode("ascii")


def script(
    files: RunFiles, line: str, *, working_directory: str | None = None, environment: Mapping[str, str] | None = None
) -> bytes:
    """Returns the batch file for a command line.

    Raises:
        Unquotable: The line, a variable or the directory would be read otherwise in a batch file than they are written.
    """
    wrap(line)
    _plain(line, "command line")
    program = line.lstrip().lstrip('"').split('"' if line.lstrip().startswith('"') else " ", 1)[0].lower()
    if program.endswith((".cmd", ".bat")):
        raise Unquotable("", "command line", "a batch file would not come back to tell its exit code", "Run a program")
    lines = [
        "@echo off",
        "setlocal EnableExtensions DisableDelayedExpansion",
        f">{cmd_path(files.started)} echo 1",
    ]
    for name, value in (environment or {}).items():
        check_variable(name, value)
        _plain(name + value, f"environment variable {name}", '%"')
        lines.append(f'set "{name}={value}"')
    if working_directory is not None:
        _plain(working_directory, "working directory", '%"')
        line = f"cd /d {cmd_path(working_directory)} && {line}"
    new = f"{files.exit_code}.new"
    lines += [
        line,
        f">{cmd_path(new)} echo %errorlevel%",
        f"move /y {cmd_path(new)} {cmd_path(files.exit_code)} >nul",
    ]
    return "".join(f"{text}\r\n" for text in lines).encode("ascii")


def _plain(text: str, what: str, refused: str = "%") -> None:
    if not text.isascii():
        raise Unquotable(
            "",
            what,
            "it holds a character beyond ASCII, which a batch file can't be sure to be read with",
            "Use ASCII only, or run it as the connection's account (run_as: connection)",
        )
    for character in refused:
        if character in text:
            raise Unquotable("", what, f"it holds {character}, which cmd acts on in a batch file", "Leave it out")
