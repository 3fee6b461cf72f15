# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A scripted exchange: what a host is asked, in order, and what it answers. Answers are data in the form of Windows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from xml.sax.saxutils import escape

SOAP = "http://www.w3.org/2003/05/soap-envelope"
FAULT = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
WMI = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/"
SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
ENUMERATION = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
EVENTING = "http://schemas.xmlsoap.org/ws/2004/08/eventing"
WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
EVENT = "http://schemas.microsoft.com/win/2004/08/events/event"


@dataclass(frozen=True)
class Step:
    """One expected exchange.

    Attributes:
        action: End of the WS-Addressing action, for example `/Get`.
        answer: HTTP status and XML, or the error that the exchange raises.
        contains: Texts that the request must hold.
    """

    action: str
    answer: tuple[int, bytes] | Exception
    contains: tuple[str, ...] = ()


class ScriptedExchange:
    """Answers the expected requests in order, and fails at any other."""

    def __init__(self, *steps: Step) -> None:
        self.left = list(steps)
        self.requests: list[str] = []
        self.resets = 0
        self.closed = False

    def exchange(self, body: bytes) -> tuple[int, bytes]:
        text = body.decode()
        self.requests.append(text)
        assert self.left, f"nothing more was expected, and this came: {text}"
        step = self.left.pop(0)
        assert action_of(text).endswith(step.action), f"expected {step.action}, got {action_of(text)}"
        for part in step.contains:
            assert part in text, f"{part!r} is not in {text}"
        if isinstance(step.answer, Exception):
            raise step.answer
        return step.answer

    def reset(self) -> None:
        self.resets += 1

    def close(self) -> None:
        self.closed = True

    def done(self) -> bool:
        """Whether everything expected has come."""
        return not self.left


class Clock:
    """A clock that only moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def action_of(request: str) -> str:
    """Returns the action of a request."""
    found = re.search(r"<a:Action[^>]*>([^<]*)<", request)
    assert found
    return found[1]


def envelope(body: str) -> bytes:
    """Returns a SOAP envelope."""
    return f'<s:Envelope xmlns:s="{SOAP}" xml:lang="en-US"><s:Header/><s:Body>{body}</s:Body></s:Envelope>'.encode()


def ok(body: str) -> tuple[int, bytes]:
    """Returns a good answer."""
    return 200, envelope(body)


def fault(code: int, message: str = "No.", subcode: str = "w:InternalError") -> tuple[int, bytes]:
    """Returns a fault as Windows writes it (wsman.md 1.9)."""
    return 500, envelope(
        f"<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>{subcode}</s:Value></s:Subcode></s:Code>"
        f"<s:Reason><s:Text>{message}</s:Text></s:Reason><s:Detail>"
        f'<f:WSManFault xmlns:f="{FAULT}" Code="{code}" Machine="dc01"><f:Message>{message}</f:Message></f:WSManFault>'
        "</s:Detail></s:Fault>"
    )


NOT_FOUND = fault(2150858752, "The service cannot find the resource.", "a:DestinationUnreachable")
TIMED_OUT = fault(2150858793, "The operation did not complete in time.", "w:TimedOut")


def _cells(values: dict[str, object], prefix: str) -> str:
    out = ""
    for name, value in values.items():
        for item in value if isinstance(value, tuple) else (value,):
            if item is None:
                out += f'<{prefix}{name} xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/>'
            else:
                out += f"<{prefix}{name}>{escape(str(item))}</{prefix}{name}>"
    return out


def instance(class_name: str, **values: object) -> tuple[int, bytes]:
    """Returns the answer to a Get."""
    return ok(f'<p:{class_name} xmlns:p="{WMI}{class_name}">{_cells(values, "p:")}</p:{class_name}>')


def output(class_name: str, method: str, **values: object) -> tuple[int, bytes]:
    """Returns the answer to an Invoke."""
    return ok(f'<p:{method}_OUTPUT xmlns:p="{WMI}{class_name}">{_cells(values, "p:")}</p:{method}_OUTPUT>')


def page(rows: Iterable[dict[str, object]], context: str = "", *, first: bool = False) -> tuple[int, bytes]:
    """Returns a part of an enumeration of a projection; the last one where there is no context."""
    items = "".join(f"<w:XmlFragment>{_cells(row, '')}</w:XmlFragment>" for row in rows)
    kind, prefix = ("Enumerate", "w") if first else ("Pull", "n")
    more = f"<n:EnumerationContext>{context}</n:EnumerationContext>" if context else ""
    end = "" if context else f"<{prefix}:EndOfSequence/>"
    return ok(
        f'<n:{kind}Response xmlns:n="{ENUMERATION}" xmlns:w="{WSMAN}">{more}'
        f"<{prefix}:Items>{items}</{prefix}:Items>{end}</n:{kind}Response>"
    )


def subscribed(identifier: str = "S", context: str = "c0") -> tuple[int, bytes]:
    """Returns the answer to a Subscribe."""
    return ok(
        f'<e:SubscribeResponse xmlns:e="{EVENTING}" xmlns:n="{ENUMERATION}"><e:Identifier>{identifier}</e:Identifier>'
        f"<n:EnumerationContext>{context}</n:EnumerationContext></e:SubscribeResponse>"
    )


def events(*ids: int, channel: str = "System", context: str = "c1") -> tuple[int, bytes]:
    """Returns the answer to a Pull of events."""
    items = "".join(
        f'<Event xmlns="{EVENT}"><System><Provider Name="P"/><EventID>{number}</EventID><Level>4</Level>'
        f'<TimeCreated SystemTime="2026-11-22T10:00:00.000000000Z"/><EventRecordID>{number}</EventRecordID>'
        f"<Channel>{channel}</Channel><Computer>dc01</Computer></System></Event>"
        for number in ids
    )
    return ok(
        f'<n:PullResponse xmlns:n="{ENUMERATION}"><n:EnumerationContext>{context}</n:EnumerationContext>'
        f"<n:Items>{items}</n:Items></n:PullResponse>"
    )


def shell_created(shell: str = "SHELL") -> tuple[int, bytes]:
    """Returns the answer to a Create."""
    return ok(f'<rsp:Shell xmlns:rsp="{SHELL}"><rsp:ShellId>{shell}</rsp:ShellId></rsp:Shell>')


def command_started(command: str = "CMD") -> tuple[int, bytes]:
    """Returns the answer to a Command."""
    return ok(f'<r:CommandResponse xmlns:r="{SHELL}"><r:CommandId>{command}</r:CommandId></r:CommandResponse>')


def received(stdout: bytes = b"", stderr: bytes = b"", exit_code: int | None = None) -> tuple[int, bytes]:
    """Returns the answer to a Receive."""
    import base64

    streams = "".join(
        f'<r:Stream Name="{name}" CommandId="CMD">{base64.b64encode(data).decode()}</r:Stream>'
        for name, data in (("stdout", stdout), ("stderr", stderr))
        if data
    )
    state = (
        f'<r:CommandState CommandId="CMD" State="{SHELL}/CommandState/Running"/>'
        if exit_code is None
        else f'<r:CommandState CommandId="CMD" State="{SHELL}/CommandState/Done"><r:ExitCode>{exit_code}</r:ExitCode>'
        "</r:CommandState>"
    )
    return ok(f'<r:ReceiveResponse xmlns:r="{SHELL}">{streams}{state}</r:ReceiveResponse>')


SENT = ok(f'<r:SendResponse xmlns:r="{SHELL}"/>')
SIGNALLED = ok(f'<r:SignalResponse xmlns:r="{SHELL}"/>')
NOTHING = ok("")
