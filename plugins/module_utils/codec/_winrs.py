# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The WinRS command shell over WS-Management: Create, Command, Send, Receive, Signal and Delete.

Forms: MS-WSMV 3.1.4.1.32 to 3.1.4.1.35 and the recorded conversations (wsman.md 3.1). Nothing here does I/O.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.entsso.password_sync.plugins.module_utils.codec import _soap as soap

RESOURCE = f"{soap.SHELL}/cmd"
CODE_PAGE = 65001
RECEIVE_TIMEOUT = 20.0
"""Seconds that one Receive waits for output; silence is then fault 2150858793 and means: ask again."""

STDIN_CHUNK = 333216
"""Bytes of standard input in one Send: 444,288 characters of base64, below MaxEnvelopeSize with the envelope around it,
and as much as Ansible's own put_file sends to the same limit (ansible.md 4.1)."""

_SHELL = {"r": soap.SHELL}
_STATE = f"{soap.SHELL}/CommandState/"
_EXIT_CODES = 1 << 32
_NUMBER = re.compile(r"[+-]?[0-9]{1,20}")


def create_request(working_directory: str | None = None, environment: Mapping[str, str] | None = None) -> bytes:
    """Builds a Create of a shell with UTF-8 output; the profile is loaded, as Ansible's own shells do it."""
    variables = "".join(
        f"<r:Variable Name={soap.attribute(name)}>{soap.text(value)}</r:Variable>"
        for name, value in (environment or {}).items()
    )
    variables = f"<r:Environment>{variables}</r:Environment>" if variables else ""
    directory = f"<r:WorkingDirectory>{soap.text(working_directory)}</r:WorkingDirectory>" if working_directory else ""
    body = (
        f"<r:Shell>{variables}{directory}<r:InputStreams>stdin</r:InputStreams>"
        "<r:OutputStreams>stdout stderr</r:OutputStreams></r:Shell>"
    )
    options = {"WINRS_NOPROFILE": "FALSE", "WINRS_CODEPAGE": str(CODE_PAGE)}
    return soap.envelope(f"{soap.TRANSFER}/Create", RESOURCE, body, options=options, namespaces=_SHELL)


def parse_created(reply: bytes, host: str = "", subject: str = "") -> str:
    """Returns the identifier of the new shell.

    Raises:
        UnreadableOutput: The reply names none.
        HostError: A fault.
    """
    body = soap.body_of(reply, host, subject)
    for selector in body.iter(f"{{{soap.WSMAN}}}Selector"):
        if selector.get("Name", "").lower() == "shellid" and (selector.text or "").strip():
            return (selector.text or "").strip()
    for element in body.iter(f"{{{soap.SHELL}}}ShellId"):
        if (element.text or "").strip():
            return (element.text or "").strip()
    raise soap.unreadable(host, subject, "the answer names no shell")


def command_request(shell: str, command_line: str) -> bytes:
    """Builds a Command. The line is what `cmd /c` gets; wrapping is the caller's (`_quoting.wrap`)."""
    body = f"<r:CommandLine><r:Command>{soap.text(command_line)}</r:Command></r:CommandLine>"
    return _request("Command", shell, body, {"WINRS_SKIP_CMD_SHELL": "FALSE"})


def parse_command(reply: bytes, host: str = "", subject: str = "") -> str:
    """Returns the identifier of the started command; errors as `parse_created`."""
    body = soap.body_of(reply, host, subject)
    for element in body.iter(f"{{{soap.SHELL}}}CommandId"):
        if (element.text or "").strip():
            return (element.text or "").strip()
    raise soap.unreadable(host, subject, "the answer names no command")


def send_request(shell: str, command: str, data: bytes, *, end: bool) -> bytes:
    """Builds a Send of standard input; `end` closes it."""
    body = (
        f'<r:Send><r:Stream Name="stdin" CommandId={soap.attribute(command)}{_END if end else ""}>'
        f"{base64.b64encode(data).decode()}</r:Stream></r:Send>"
    )
    return _request("Send", shell, body)


_END = ' End="true"'


def receive_request(shell: str, command: str, timeout: float = RECEIVE_TIMEOUT) -> bytes:
    """Builds a Receive that waits up to `timeout` seconds for output."""
    body = (
        f"<r:Receive><r:DesiredStream CommandId={soap.attribute(command)}>stdout stderr</r:DesiredStream></r:Receive>"
    )
    return _request("Receive", shell, body, {"WSMAN_CMDSHELL_OPTION_KEEPALIVE": "TRUE"}, timeout)


@dataclass(frozen=True)
class Received:
    """What one Receive brought.

    Attributes:
        stdout: Bytes of standard output.
        stderr: Bytes of standard error.
        done: Whether the command has ended.
        exit_code: Unsigned 32-bit exit code, None while it runs.
    """

    stdout: bytes
    stderr: bytes
    done: bool
    exit_code: int | None


def parse_received(reply: bytes, command: str, host: str = "", subject: str = "") -> Received:
    """Reads a ReceiveResponse, as far as it is about `command`.

    Raises:
        UnreadableOutput: No such response, output that is no base64, or an end without a readable exit code.
        HostError: A fault; `DeadlineExceeded` says that there was no output in time.
    """
    body = soap.body_of(reply, host, subject)
    response = body.find(f"{{{soap.SHELL}}}ReceiveResponse")
    if response is None:
        raise soap.unreadable(host, subject, "the answer is no ReceiveResponse")
    streams: dict[str, list[bytes]] = {"stdout": [], "stderr": []}
    for stream in response.iterfind(f"{{{soap.SHELL}}}Stream"):
        if _concerns(stream.get("CommandId"), command) and (name := stream.get("Name", "")) in streams:
            try:
                streams[name].append(base64.b64decode("".join((stream.text or "").split()), validate=True))
            except (binascii.Error, ValueError) as error:
                raise soap.unreadable(host, subject, f"{name} is no base64") from error
    done, exit_code = False, None
    for state in response.iterfind(f"{{{soap.SHELL}}}CommandState"):
        if _concerns(state.get("CommandId"), command) and state.get("State", "") == f"{_STATE}Done":
            done = True
            exit_code = _exit_code(soap.child_text(state, f"{{{soap.SHELL}}}ExitCode"), host, subject)
    return Received(b"".join(streams["stdout"]), b"".join(streams["stderr"]), done, exit_code)


def _concerns(theirs: str | None, ours: str) -> bool:
    return theirs is None or theirs.lower() == ours.lower()


def _exit_code(value: str, host: str, subject: str) -> int:
    """Exit codes are decimal and, in practice, unsigned; negative ones are the same number (wsman.md 3.1)."""
    if not _NUMBER.fullmatch(value):
        raise soap.unreadable(host, subject, f"the command ended with exit code {value[:40]!r}")
    number = int(value)
    if not -_EXIT_CODES // 2 <= number < _EXIT_CODES:
        raise soap.unreadable(host, subject, f"the command ended with exit code {number}")
    return number % _EXIT_CODES


def terminate_request(shell: str, command: str) -> bytes:
    """Builds a Signal that ends a command, or that releases one which has ended."""
    body = f"<r:Signal CommandId={soap.attribute(command)}><r:Code>{soap.SHELL}/signal/terminate</r:Code></r:Signal>"
    return _request("Signal", shell, body)


def delete_request(shell: str) -> bytes:
    """Builds a Delete of the shell, which ends every process in it (wsman.md 3.1)."""
    return soap.envelope(f"{soap.TRANSFER}/Delete", RESOURCE, selectors={"ShellId": shell})


def _request(
    verb: str,
    shell: str,
    body: str,
    options: dict[str, str | None] | None = None,
    timeout: float = soap.OPERATION_TIMEOUT,
) -> bytes:
    return soap.envelope(
        f"{soap.SHELL}/{verb}",
        RESOURCE,
        body,
        selectors={"ShellId": shell},
        options=options,
        namespaces=_SHELL,
        timeout=timeout,
    )
