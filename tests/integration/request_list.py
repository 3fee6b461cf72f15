# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every request that `pcns_info` or `domain_controller_preflight` sends to a domain controller of the lab, in order.

`python -m integration.request_list` prints them; docs/requests.md says why each is made, and a test compares the two.
"""

from __future__ import annotations

import hashlib
import re
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unit.plugin_utils.ansible_connection import connection

from ansible_collections.entsso.password_sync.plugins.action import domain_controller_preflight as preflight_action
from ansible_collections.entsso.password_sync.plugins.action import pcns_info as pcns_info_action
from ansible_collections.entsso.password_sync.plugins.plugin_utils import _domain_controller_preflight, _pcns_info
from ansible_collections.entsso.password_sync.plugins.plugin_utils._resource import Task
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._authentication_guard import (
    AuthenticationGuard,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._connection import connection_settings
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._connection_settings import Exposure
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._http_exchange import HttpExchange
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._wsman import Exchange
from lab.backend import ChannelUnreadable
from lab.forest import Forest

ROOT = Path(__file__).resolve().parents[2]
MEDIA = ROOT / "tests" / "lab" / "media"
ALL_IN_ONE = "pcns-all-in-one.msi"
TWO = ("capture-component.msi", "pcns-service.msi")


@dataclass(frozen=True)
class Request:
    """One request: what it does to which object, and its size in bytes of XML."""

    operation: str
    subject: str
    size: int


@dataclass(frozen=True)
class Listing:
    """What one task cost.

    Attributes:
        state: What it reported: the capture state, or go or no-go.
        requests: The requests, in order.
        received: Bytes of XML that came back.
        processes: Processes that were started on the host meanwhile.
        logon: HTTP requests that authentication took beside them.
    """

    state: str
    requests: Sequence[Request]
    received: int
    processes: int
    logon: int

    @property
    def sent(self) -> int:
        """Bytes of XML that were sent."""
        return sum(request.size for request in self.requests)


class _Recorder:
    """An exchange that remembers what it hands on."""

    authentication = "recorded"

    def __init__(self, inner: Exchange) -> None:
        self._inner = inner
        self.sent: list[bytes] = []

    def exchange(self, body: bytes) -> tuple[int, bytes]:
        self.sent.append(body)
        return self._inner.exchange(body)

    def reset(self) -> None:
        self._inner.reset()

    def close(self) -> None:
        self._inner.close()


def pcns_info(forest: Forest, name: str, media: Sequence[str] = (ALL_IN_ONE,)) -> Listing:
    """Runs `pcns_info` against a domain controller of a forest that is started, without Ansible around it."""
    return _listing(
        forest,
        name,
        _Call(
            pcns_info_action.ActionModule,
            _pcns_info,
            {"packages": _packages(media), "state": "present", "event_log_level": None, "site": "", "systems": []},
            lambda result: str(result["capture_state"]),
        ),
    )


def preflight(forest: Forest, name: str, media: Sequence[str] = (ALL_IN_ONE,)) -> Listing:
    """Runs `domain_controller_preflight` in the same way, without a directory."""
    arguments = {
        "packages": _packages(media),
        "directory_answer": None,
        "minimum_free_bytes": 0,
        "allow_unsupported_os": False,
        "backup_max_age_days": 30,
        "accept": {},
    }
    call = _Call(
        preflight_action.ActionModule,
        _domain_controller_preflight,
        arguments,
        lambda result: "go" if result["go"] else "no-go",
    )
    return _listing(forest, name, call)


@dataclass(frozen=True)
class _Call:
    """A task: its action, the module that opens the host for it, its arguments, and how its result is told."""

    action: Any
    opener: Any
    arguments: Mapping[str, Any]
    told: Callable[[Mapping[str, Any]], str]


def _listing(forest: Forest, name: str, call: _Call) -> Listing:
    host = forest.host(name)
    endpoint = forest.endpoints[host.identity.fqdn]
    settings = connection_settings(
        connection(
            ansible_host=endpoint.address,
            ansible_port=endpoint.port,
            ansible_winrm_scheme="http",
            ansible_winrm_transport=["ntlm"],
            ansible_user=forest.operator,
            ansible_password=forest.operator_password,
        ),
        host.identity.fqdn,
        exposure=Exposure.NOBODY,
    )
    processes, http = endpoint.statistics.processes_started, endpoint.statistics.http_requests
    with tempfile.TemporaryDirectory() as folder:
        recorder = _Recorder(HttpExchange(settings, name, AuthenticationGuard(folder, settings.account)))
        result, received = _perform(recorder, host.identity.fqdn, call)
    requests = [_described(body) for body in recorder.sent]
    counters = endpoint.statistics
    return Listing(
        state=call.told(result),
        requests=requests,
        received=received,
        processes=counters.processes_started - processes,
        logon=counters.http_requests - http - len(requests),
    )


def _packages(media: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "path": str(MEDIA / name),
            "sha256": hashlib.sha256((MEDIA / name).read_bytes()).hexdigest(),
            "remote_src": False,
        }
        for name in media
    ]


def _perform(recorder: _Recorder, subject: str, call: _Call) -> tuple[Mapping[str, Any], int]:
    """Calls the action as Ansible would, with a host that is opened over the recorder."""
    opened: list[Host] = []

    def open_recorded(*_arguments: Any, **_named: Any) -> Host:
        opened.append(Host(subject, recorder))
        return opened[0]

    action = call.action.__new__(call.action)
    action._connection = None
    task = Task(subject, call.arguments, False, lambda _text: None, lambda _text: None, lambda path: path)
    original = call.opener.open_host
    call.opener.open_host = open_recorded
    try:
        return action._perform(task, {}), opened[0].statistics.bytes_received
    finally:
        call.opener.open_host = original


def _described(body: bytes) -> Request:
    """Reads a request with nothing but text search, so that no codec of ours judges itself."""
    text = body.decode()
    action = _one(r"<a:Action[^>]*>([^<]*)</a:Action>", text)
    resource = _one(r"<w:ResourceURI[^>]*>([^<]*)</w:ResourceURI>", text)
    operation, kind = action.rsplit("/", 1)[-1], resource.rsplit("/", 1)[-1]
    if kind == "StdRegProv":
        key = _one(r"<p:sSubKeyName>([^<]*)<", text)
        value = _one(r"<p:sValueName>([^<]*)<", text)
        return Request(operation, "HKLM\\" + key + (f"\\{value}" if value else ""), len(body))
    if kind == "*":
        return Request(operation, _one(r"\bFROM (\w+)", text), len(body))
    selector = _one(r"<w:Selector Name=[^>]*>([^<]*)<", text)
    return Request(operation, f"{kind} {selector}".strip(), len(body))


def _one(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return found[1] if found else ""


def install(forest: Forest, name: str, media: Sequence[str] = (ALL_IN_ONE,)) -> None:
    """Brings packages of the lab to a domain controller as somebody does by hand, and restarts it."""
    host = forest.host(name)
    for package in media:
        path = rf"C:\Windows\Temp\{package}"
        host.files.write(path, (MEDIA / package).read_bytes(), host.now())
        code, output, errors = host.run(f'msiexec.exe /i "{path}" /qn /norestart ACCEPT_EULA="1"')
        if code not in (0, 3010):
            raise RuntimeError(f"msiexec ended with {code}: {output} {errors}")
    boots = host.boot_count
    host.run("shutdown /r /t 0")
    for _unused in range(200):
        if host.boot_count > boots and host.power.on:
            return
        forest.advance(0.05)
    raise TimeoutError(f"{name} did not restart")


def close_security_log(forest: Forest, name: str) -> None:
    """Lets a host refuse the Security log, as for an account without the right to read it."""
    forest.host(name).events.unreadable["security"] = ChannelUnreadable("Access is denied.", 5)


def text(title: str, listing: Listing) -> str:
    """Returns a listing for people."""
    lines = [f"{title}: {listing.state}"]
    lines += [
        f"{number:3} {item.size:6} {item.operation} {item.subject}"
        for number, item in enumerate(listing.requests, start=1)
    ]
    lines.append(
        f"    {len(listing.requests)} requests, {listing.sent:,} bytes sent, {listing.received:,} bytes received, "
        f"{listing.processes} processes, {listing.logon} requests to log on"
    )
    return "\n".join(lines)


def main() -> int:
    """Prints the requests for a domain controller in each of its main states."""
    with Forest() as forest:
        print(text("nothing installed, one package wanted", pcns_info(forest, "dc01")))
        print(text("nothing installed, two packages wanted", pcns_info(forest, "dc01", TWO)))
        print(text("preflight, nothing installed, one package wanted", preflight(forest, "dc01")))
        install(forest, "dc02")
        print(text("one package installed", pcns_info(forest, "dc02")))
        install(forest, "dc03", TWO)
        print(text("two packages installed", pcns_info(forest, "dc03", TWO)))
        close_security_log(forest, "dc01")
        print(text("nothing installed, two packages wanted, Security log not readable", pcns_info(forest, "dc01", TWO)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
