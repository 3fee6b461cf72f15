# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""WinRS: command shells and what runs in them (wsman.md 3.1, recordings/winrs)."""

from __future__ import annotations

import asyncio
import base64
import binascii
import time
import xml.etree.ElementTree as ET
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from lab.backend import Backend, Process

from . import names
from .counters import Statistics
from .request_context import Call
from .soap import envelope, escape, new_uuid, parse_duration
from .wsman_fault import fault, shell_quota_fault

_STATE = f"{names.SHELL}/CommandState"
_PREFIXES = "s a x w rsp p"
_RECEIVE_PREFIXES = "s a w rsp p"
_PIECE = 24_000
"""Bytes of output in one rsp:Stream; a multiple of three."""
_FIRST_POLL = 0.002
_SLOWEST_POLL = 0.1


@dataclass
class _Command:
    process: Process
    waiting: deque[tuple[str, bytes]] = field(default_factory=deque)
    aborted: bool = False

    def collect(self) -> int | None:
        """Fetch new output; return the exit code once the process has ended and everything was fetched."""
        code = self.process.exit_code  # before reading: what is written between the two is then fetched next time
        for name, data in self.process.read():
            for start in range(0, len(data), _PIECE):
                self.waiting.append((name, data[start : start + _PIECE]))
        return code


@dataclass
class _Shell:
    environment: Mapping[str, str]
    working_directory: str | None
    owner: str
    idle_timeout: float
    commands: dict[str, _Command] = field(default_factory=dict)
    touched: float = field(default_factory=time.monotonic)


class ShellService:
    """The cmd shells of one endpoint."""

    def __init__(self, backend: Backend, statistics: Statistics) -> None:
        """Start without a shell."""
        self._backend = backend
        self._statistics = statistics
        self._shells: dict[str, _Shell] = {}

    @property
    def open_shells(self) -> int:
        """How many shells are open."""
        return len(self._shells)

    async def handle(self, call: Call) -> str:
        """Answer a request for the shell resource.

        Raises:
            WsmanFaultError: It is refused, or Receive found nothing in time.
        """
        self.close_idle()
        match call.request.action.removeprefix(f"{names.SHELL}/"):
            case names.CREATE:
                return self._create(call)
            case "Command":
                return self._command(call)
            case "Send":
                return self._send(call)
            case "Receive":
                return await self._receive(call)
            case "Signal":
                return self._signal(call)
            case names.DELETE:
                return self._delete(call)
        raise fault("action_not_supported")

    def close_all(self) -> None:
        """Close every shell with all that runs in it."""
        while self._shells:
            self._close(next(iter(self._shells)))

    def close_idle(self) -> None:
        """Close the shells whose idle time is over."""
        now = time.monotonic()
        for shell_id, shell in list(self._shells.items()):
            if now - shell.touched > shell.idle_timeout:
                self._close(shell_id)

    def _create(self, call: Call) -> str:
        if sum(shell.owner == call.user for shell in self._shells.values()) >= call.settings.max_shells:
            raise shell_quota_fault(call.settings.max_shells)
        wanted = _payload(call, "Shell")
        variables = wanted.findall(f"{{{names.SHELL}}}Environment/{{{names.SHELL}}}Variable")
        idle_text = wanted.findtext(f"{{{names.SHELL}}}IdleTimeOut") or wanted.findtext(f"{{{names.SHELL}}}IdleTimeout")
        try:
            idle = parse_duration(idle_text) if idle_text else call.settings.shell_idle_timeout
        except ValueError as error:
            raise fault("schema") from error
        shell = _Shell(
            {variable.get("Name", ""): variable.text or "" for variable in variables},
            wanted.findtext(f"{{{names.SHELL}}}WorkingDirectory"),
            call.user,
            idle,
        )
        shell_id = new_uuid()
        self._shells[shell_id] = shell
        return envelope(f"{names.CREATE}Response", call.request.message_id, _created(call, shell_id, shell), _PREFIXES)

    def _command(self, call: Call) -> str:
        shell = self._shell(call)
        line = _payload(call, "CommandLine")
        parts = [line.findtext(f"{{{names.SHELL}}}Command") or ""]
        parts += [argument.text or "" for argument in line.findall(f"{{{names.SHELL}}}Arguments")]
        command_id = line.get("CommandId") or new_uuid()
        process = self._backend.start_process(" ".join(parts), shell.working_directory, shell.environment)
        self._statistics.processes_started += 1
        shell.commands[command_id] = _Command(process)
        body = f"<rsp:CommandResponse><rsp:CommandId>{escape(command_id)}</rsp:CommandId></rsp:CommandResponse>"
        return envelope(f"{names.SHELL}/CommandResponse", call.request.message_id, body, _PREFIXES)

    def _send(self, call: Call) -> str:
        shell = self._shell(call)
        for stream in _payload(call, "Send").findall(f"{{{names.SHELL}}}Stream"):
            command = _find_command(shell, stream.get("CommandId"))
            try:
                data = base64.b64decode("".join((stream.text or "").split()), validate=True)
            except binascii.Error as error:
                raise fault("schema") from error
            if data:
                command.process.write_stdin(data)
            if stream.get("End", "").lower() in ("true", "1"):
                command.process.close_stdin()
        return envelope(f"{names.SHELL}/SendResponse", call.request.message_id, "<rsp:SendResponse/>", _PREFIXES)

    async def _receive(self, call: Call) -> str:
        shell = self._shell(call)
        desired = _payload(call, "Receive").find(f"{{{names.SHELL}}}DesiredStream")
        if desired is None:
            raise fault("schema")
        command_id = desired.get("CommandId", "")
        command = _find_command(shell, command_id)
        end = time.monotonic() + call.timeout
        pause = _FIRST_POLL
        while True:
            shell.touched = time.monotonic()
            code = command.collect()
            if command.aborted:
                raise fault("aborted")
            if command.waiting or code is not None:
                body = _received(escape(command_id), command, code, call.character_limit)
                action = f"{names.SHELL}/ReceiveResponse"
                return envelope(action, call.request.message_id, body, _RECEIVE_PREFIXES)
            left = end - time.monotonic()
            if left <= 0:
                raise fault("timed_out")
            await asyncio.sleep(min(pause, left))
            pause = min(pause * 2, _SLOWEST_POLL)

    def _signal(self, call: Call) -> str:
        shell = self._shell(call)
        signal = _payload(call, "Signal")
        command_id = signal.get("CommandId", "")
        command = _find_command(shell, command_id)
        command.process.terminate()
        if (signal.findtext(f"{{{names.SHELL}}}Code") or "").strip().lower().endswith("/signal/terminate"):
            command.aborted = True
            del shell.commands[command_id]
        return envelope(f"{names.SHELL}/SignalResponse", call.request.message_id, "<rsp:SignalResponse/>", _PREFIXES)

    def _delete(self, call: Call) -> str:
        self._shell(call)
        self._close(call.request.selectors["ShellId"])
        return envelope(f"{names.DELETE}Response", call.request.message_id, "", "s a w p")

    def _shell(self, call: Call) -> _Shell:
        shell = self._shells.get(call.request.selectors.get("ShellId", ""))
        if shell is None:
            raise fault("unexpected_selectors")
        shell.touched = time.monotonic()
        return shell

    def _close(self, shell_id: str) -> None:
        shell = self._shells.pop(shell_id)
        for command in shell.commands.values():
            command.aborted = True
            command.process.terminate()


def _payload(call: Call, name: str) -> ET.Element:
    payload = call.request.payload
    if payload is None or payload.tag != f"{{{names.SHELL}}}{name}":
        raise fault("schema")
    return payload


def _find_command(shell: _Shell, command_id: str | None) -> _Command:
    command = shell.commands.get(command_id or "")
    if command is None:
        raise fault("unexpected_selectors")
    return command


def _received(command_id: str, command: _Command, code: int | None, limit: int) -> str:
    room = limit - 2048
    streams: list[str] = []
    while command.waiting:
        name, data = command.waiting[0]
        text = base64.b64encode(data).decode()
        room -= len(text) + 120
        if room < 0 and streams:
            break
        command.waiting.popleft()
        streams.append(f'<rsp:Stream Name="{name}" CommandId="{command_id}">{text}</rsp:Stream>')
    if code is None or command.waiting:
        state = f'<rsp:CommandState CommandId="{command_id}" State="{_STATE}/Running"></rsp:CommandState>'
    else:
        streams += [
            f'<rsp:Stream Name="{name}" CommandId="{command_id}" End="true"></rsp:Stream>'
            for name in ("stdout", "stderr")
        ]
        state = (
            f'<rsp:CommandState CommandId="{command_id}" State="{_STATE}/Done">'
            f"<rsp:ExitCode>{code}</rsp:ExitCode></rsp:CommandState>"
        )
    return f"<rsp:ReceiveResponse>{''.join(streams)}{state}</rsp:ReceiveResponse>"


def _created(call: Call, shell_id: str, shell: _Shell) -> str:
    return (
        f"<x:ResourceCreated><a:Address>{escape(call.request.to)}</a:Address><a:ReferenceParameters>"
        f'<w:ResourceURI>{names.SHELL_RESOURCE}</w:ResourceURI><w:SelectorSet><w:Selector Name="ShellId">{shell_id}'
        "</w:Selector></w:SelectorSet></a:ReferenceParameters></x:ResourceCreated>"
        f'<rsp:Shell xmlns:rsp="{names.SHELL}"><rsp:ShellId>{shell_id}</rsp:ShellId>'
        f"<rsp:ResourceUri>{names.SHELL_RESOURCE}</rsp:ResourceUri><rsp:Owner>{escape(shell.owner)}</rsp:Owner>"
        f"<rsp:ClientIP>{escape(call.client_address)}</rsp:ClientIP>"
        f"<rsp:IdleTimeOut>PT{shell.idle_timeout:.3f}S</rsp:IdleTimeOut><rsp:InputStreams>stdin</rsp:InputStreams>"
        "<rsp:OutputStreams>stdout stderr</rsp:OutputStreams><rsp:ShellRunTime>P0DT0H0M0S</rsp:ShellRunTime>"
        "<rsp:ShellInactivity>P0DT0H0M0S</rsp:ShellInactivity></rsp:Shell>"
    )
