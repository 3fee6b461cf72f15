# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small machine in memory, and real clients to talk to its endpoint."""

from __future__ import annotations

import contextlib
import itertools
import os
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest
from winrm.exceptions import WinRMTransportError
from winrm.protocol import Protocol

from lab.backend import ChannelUnreadable, CimValue, EventRecord, Process, WmiProviderError
from lab.endpoint import Endpoint, EndpointServer

RECORDINGS = Path(os.environ.get("ENTSSO_RECORDINGS", Path(__file__).parents[4] / "shared" / "recordings"))
"""Real servers' answers."""

needs_recordings = pytest.mark.skipif(
    not RECORDINGS.is_dir(),
    reason=f"left out: the recordings of real servers are not in {RECORDINGS} (ENTSSO_RECORDINGS)",
)

USER, PASSWORD = "CORP\\admin", "Correct horse 1"
UPN = "admin@corp.example"

WMI = "http://schemas.microsoft.com/wbem/wsman/1/wmi/"
CIMV2 = f"{WMI}root/cimv2/"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
ENUMERATION = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
EVENTING = "http://schemas.xmlsoap.org/ws/2004/08/eventing"
EVENT_LOG = "http://schemas.microsoft.com/wbem/wsman/1/windows/EventLog"
WQL = "http://schemas.microsoft.com/wbem/wsman/1/WQL"

NS = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "n": ENUMERATION,
    "w": "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd",
    "e": EVENTING,
    "rsp": "http://schemas.microsoft.com/wbem/wsman/1/windows/shell",
    "f": "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault",
    "ev": "http://schemas.microsoft.com/win/2004/08/events/event",
}
XSI_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"

_addresses = itertools.count(1)


def new_address() -> str:
    """Return a loopback address that no other test of this machine uses, most likely."""
    block, number = divmod(next(_addresses), 250)
    process = os.getpid()
    return f"127.{64 + process % 128}.{process // 128 % 16 * 16 + block % 16}.{number + 1}"


class EchoProcess:
    """Writes what it was told to, echoes its input, ends when its input does or at once."""

    def __init__(self, output: Sequence[tuple[str, bytes]], code: int, *, reads: bool) -> None:
        self._output = list(output)
        self._code = code
        self._reads = reads
        self.terminated = False

    def write_stdin(self, data: bytes) -> None:
        self._output.append(("stdout", data))

    def close_stdin(self) -> None:
        self._reads = False

    def read(self) -> list[tuple[str, bytes]]:
        output, self._output = self._output, []
        return output

    @property
    def exit_code(self) -> int | None:
        return None if self._reads and not self.terminated else self._code

    def terminate(self) -> None:
        self.terminated = True


def service(name: str, **more: CimValue) -> dict[str, CimValue]:
    """One Win32_Service."""
    return {
        "Name": name,
        "DisplayName": f"{name} & more",
        "State": "Running",
        "StartMode": "Auto",
        "ProcessId": 712,
        "Started": True,
        "InstallDate": None,
        "Description": "",
        **more,
    }


@dataclass
class Machine:
    """The backend of these tests."""

    computer_name: str = "DC01"
    known: dict[str, str] = field(default_factory=lambda: {USER: PASSWORD, UPN: PASSWORD})
    services: list[dict[str, CimValue]] = field(default_factory=lambda: [service("PCNSSVC"), service("W32Time")])
    channels: dict[str, list[EventRecord] | ChannelUnreadable] = field(default_factory=dict)
    values: dict[str, CimValue] = field(default_factory=lambda: {"Notification Packages": ["rassfm", "scecli"]})
    invoked: list[tuple[str, str, Mapping[str, CimValue] | None, Mapping[str, Sequence[str]]]] = field(
        default_factory=list
    )
    processes: list[EchoProcess] = field(default_factory=list)
    started: list[tuple[str, str | None, Mapping[str, str]]] = field(default_factory=list)
    next_process: EchoProcess | None = None
    powered: bool = True

    def is_on(self) -> bool:
        return self.powered

    def accounts(self) -> Mapping[str, str]:
        return self.known

    def wmi_instances(self, namespace: str, class_name: str) -> Sequence[Mapping[str, CimValue]] | None:
        if namespace.lower() not in ("root/cimv2", "root/default"):
            return None
        tables: dict[str, Sequence[Mapping[str, CimValue]]] = {
            "win32_service": self.services,
            "win32_operatingsystem": [
                {
                    "Version": "10.0.20348",
                    "BuildNumber": "20348",
                    "LastBootUpTime": datetime(2026, 11, 1, 6, 30, 5, 488171, UTC),
                    "LocalDateTime": datetime(2026, 11, 22, 10, 0, 0, 913000, UTC),
                    "InstallDate": datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC),
                    "MUILanguages": ["en-US"],
                    "Roles": ["LM_Server", "NT"],
                    "Nothing": [],
                    "FreePhysicalMemory": 8589934464,
                    "CSDVersion": None,
                    "Caption": 'Tom & "Jerry\'s" <Server>\x01',
                }
            ],
            "stdregprov": [],
            "win32_denied": [],
        }
        return tables.get(class_name.lower())

    def wmi_key_names(self, namespace: str, class_name: str) -> Sequence[str]:
        return ("Name",) if class_name.lower() == "win32_service" else ()

    def wmi_invoke(
        self,
        namespace: str,
        class_name: str,
        method: str,
        instance: Mapping[str, CimValue] | None,
        parameters: Mapping[str, Sequence[str]],
    ) -> Mapping[str, CimValue]:
        if class_name == "Win32_Denied":
            raise WmiProviderError(2150859012, "The WMI service returned an 'access denied' error. ")
        if class_name == "Win32_OperatingSystem":
            raise RuntimeError("a bug of the lab")
        if method not in ("GetMultiStringValue", "StartService"):
            raise LookupError(method)
        self.invoked.append((class_name, method, instance, parameters))
        if method == "StartService":
            return {"ReturnValue": 10}
        value = self.values.get(parameters["sValueName"][0])
        return {"ReturnValue": 1, "sValue": None} if value is None else {"ReturnValue": 0, "sValue": value}

    def event_channel(self, channel: str) -> Sequence[EventRecord] | ChannelUnreadable:
        return self.channels.get(channel, ChannelUnreadable("The specified channel could not be found. ", 15007))

    def start_process(
        self, command_line: str, working_directory: str | None, environment: Mapping[str, str]
    ) -> Process:
        self.started.append((command_line, working_directory, environment))
        process = self.next_process or EchoProcess([("stdout", b"hi\r\n")], 0, reads=False)
        self.processes.append(process)
        return process


def pywinrm(address: str, password: str = PASSWORD, user: str = USER, **more: object) -> Protocol:
    """Return pywinrm's own client, NTLM with message encryption unless told otherwise."""
    arguments: dict[str, Any] = {
        "endpoint": f"http://{address}:5985/wsman",
        "transport": "ntlm",
        "username": user,
        "password": password,
        "message_encryption": "always",
        "read_timeout_sec": 20,
        "operation_timeout_sec": 10,
        "ca_trust_path": None,
        **more,
    }
    return Protocol(**arguments)


def message(
    action: str,
    resource: str,
    body: str = "",
    *,
    selectors: Mapping[str, str] | None = None,
    header: str = "",
    size: int = 512000,
    timeout: str = "PT10S",
) -> str:
    """Write a request as lean as MS-WSMV allows; the prefixes are deliberately not those of the server."""
    chosen = "".join(
        f'<m:Selector Name="{name}">{escape(value)}</m:Selector>' for name, value in (selectors or {}).items()
    )
    chosen = f"<m:SelectorSet>{chosen}</m:SelectorSet>" if chosen else ""
    return (
        f'<q:Envelope xmlns:q="{NS["s"]}" xmlns:b="{NS["a"]}" xmlns:m="{NS["w"]}"><q:Header>'
        f"<b:To>http://x:5985/wsman</b:To><b:ReplyTo><b:Address>{NS['a']}/role/anonymous</b:Address></b:ReplyTo>"
        f"<b:Action>{action}</b:Action><b:MessageID>uuid:{uuid.uuid4()}</b:MessageID>"
        f"<m:ResourceURI>{resource}</m:ResourceURI><m:MaxEnvelopeSize>{size}</m:MaxEnvelopeSize>"
        f"<m:OperationTimeout>{timeout}</m:OperationTimeout>{chosen}{header}"
        f"</q:Header><q:Body>{body}</q:Body></q:Envelope>"
    )


def enumerate_message(wql: str, *, size: int = 512000, most: int = 32000, optimised: bool = True) -> str:
    """Write an Enumerate with a WQL filter."""
    optimise = "<m:OptimizeEnumeration/>" if optimised else ""
    body = (
        f'<k:Enumerate xmlns:k="{ENUMERATION}">{optimise}<m:MaxElements>{most}</m:MaxElements>'
        f'<m:Filter Dialect="{WQL}">{escape(wql)}</m:Filter></k:Enumerate>'
    )
    return message(f"{ENUMERATION}/Enumerate", f"{CIMV2}*", body, size=size)


def pull_message(context: str, *, resource: str = f"{CIMV2}*", size: int = 512000, most: int = 32000) -> str:
    """Write a Pull."""
    body = (
        f'<k:Pull xmlns:k="{ENUMERATION}"><k:EnumerationContext>{context}</k:EnumerationContext>'
        f"<k:MaxElements>{most}</k:MaxElements></k:Pull>"
    )
    return message(f"{ENUMERATION}/Pull", resource, body, size=size)


def invoke_message(class_name: str, method: str, parameters: Mapping[str, str], **more: object) -> str:
    """Write an Invoke."""
    uri = CIMV2 + class_name
    children = "".join(f"<c:{name}>{escape(value)}</c:{name}>" for name, value in parameters.items())
    body = f'<c:{method}_INPUT xmlns:c="{uri}">{children}</c:{method}_INPUT>'
    return message(f"{uri}/{method}", uri, body, **more)  # type: ignore[arg-type]


def send(client: Protocol, text: str) -> ET.Element:
    """Send a message through pywinrm's transport and return the answer's Body."""
    body = ET.fromstring(client.transport.send_message(text)).find("s:Body", NS)
    assert body is not None
    return body


@dataclass(frozen=True)
class Refusal:
    """A fault as a client sees it."""

    status: int
    code: int
    subcode: str
    text: str
    root: ET.Element


def refused(client: Protocol, text: str) -> Refusal:
    """Send a message that must be answered with a fault."""
    with pytest.raises(WinRMTransportError) as caught:
        client.transport.send_message(text)
    root = ET.fromstring(caught.value.response_text)
    element = root.find(".//f:WSManFault", NS)
    return Refusal(
        caught.value.code,
        int(element.get("Code", "0")) if element is not None else 0,
        root.findtext(".//s:Subcode/s:Value", "", NS),
        root.findtext(".//s:Reason/s:Text", "", NS),
        root,
    )


def shape(element: ET.Element) -> tuple[str, tuple[str, ...], tuple[object, ...]]:
    """Return the structure of an element: names, attribute names, children; consecutive equals count once."""
    children: list[object] = []
    for child in element:
        inner = shape(child)
        if not children or children[-1] != inner:
            children.append(inner)
    return element.tag, tuple(sorted(element.attrib)), tuple(children)


@contextlib.contextmanager
def serving(machine: Machine | None = None, **more: Any) -> Iterator[Endpoint]:
    """Serve a machine at an address of its own; a bug of the endpoint or the machine fails the test."""
    with EndpointServer() as server:
        endpoint = server.add(new_address(), machine or Machine(), **more)
        with no_bugs(endpoint):
            yield endpoint


@contextlib.contextmanager
def no_bugs(*endpoints: Endpoint) -> Iterator[None]:
    """Raise what went wrong in the lab itself while the body of the ``with`` statement ran."""
    yield
    for endpoint in endpoints:
        if endpoint.errors:
            raise endpoint.errors[0]


def recorded_items(path: Path) -> list[dict[str, CimValue]]:
    """Return the instances of a recorded answer, every value as text or None, arrays as lists."""
    found: list[dict[str, CimValue]] = []
    for holder in ET.parse(path).getroot().iter():
        if not holder.tag.endswith("}Items"):
            continue
        for item in holder:
            values: dict[str, list[str | None]] = {}
            class_name = item.tag.rpartition("}")[2]
            if class_name != "XmlFragment":
                values["__CLASS"] = [class_name]
            for child in item:
                text = None if child.get(XSI_NIL) == "true" else child.text or ""
                values.setdefault(child.tag.rpartition("}")[2], []).append(text)
            found.append(
                {name: list_[0] if len(list_) == 1 else [str(one) for one in list_] for name, list_ in values.items()}
            )
    return found
