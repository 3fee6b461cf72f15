# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command line tools on a host."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import HostError, UnreadableOutput
from ansible_collections.entsso.password_sync.plugins.module_utils._package import ToolState
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import Absent, Observation, Present
from ansible_collections.entsso.password_sync.plugins.module_utils._quoting import command_line
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host


def observe_tool(host: Host, path: str) -> Observation:
    """Observes whether a tool is there, without running it."""
    return Absent() if host.files.stat(path) is None else Present(ToolState(path))


def run_tool(host: Host, path: str, arguments: Sequence[str], *, deadline: float = 120) -> str:
    """Runs a tool of ENTSSO or PCNS and returns what it printed: on standard error only where that is all there is.

    None of these tools has documented exit codes (entsso.md 2, pcns.md 3), so the code is not judged; whoever
    called observes the result.

    Raises:
        HostError: The command could not be run.
        UnreadableOutput: The output was longer than is sensible for these tools.
    """
    result = host.run(command_line(path, *arguments), deadline=deadline)
    if result.truncated:
        raise UnreadableOutput(host.name, path, "it printed more than 2 MB", "Run it by hand and see what it prints")
    return result.stdout if result.stdout.strip() else result.stderr


def run_writing_tool(host: Host, path: str, arguments: Sequence[str], *, deadline: float = 120) -> None:
    """Runs a tool that changes something, and fails with what it printed when it says that it failed.

    A non-zero exit code is taken as failure, and so is a printed error, since no exit code is documented (entsso.md 2):
    what can be read back is verified in any case, and the switches of ENTSSO can't be.

    Raises:
        HostError: The exit code was not zero, or it printed an error.
    """
    result = host.run(command_line(path, *arguments), deadline=deadline)
    if result.exit_code != 0 or tool_error(result.stdout) or tool_error(result.stderr):
        told = " ".join((result.stderr or result.stdout).split())[:300] or "nothing"
        raise HostError(
            host.name,
            f"{path} {arguments[0] if arguments else ''}".strip(),
            f"it ended with {result.exit_code} and printed: {told}",
            "Look the message up in the documentation of the tool, mend its cause, then run again",
        )


def tool_error(output: str) -> str:
    """Returns the error that a tool printed, empty when it printed none.

    The hexadecimal number is the part that is not translated (entsso.md 2).
    """
    for line in output.splitlines():
        text = line.strip()
        if ": 0x" in text[:40] or text.upper().startswith("ERROR"):
            return text[:160]
    return ""
