# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module connection_info: how a host is reached, or why not, and what the account may do there."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ansible.module_utils.common.parameters import remove_values

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    HostError,
    UnsupportedConnection,
    WrongMachine,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._cim_instance import CimInstance
from ansible_collections.entsso.password_sync.plugins.module_utils.connection._connection_report import (
    Clock,
    ConnectionReport,
    PortState,
    Standing,
    Target,
    shortened,
    ticket_text,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.connection._connection_rights import (
    RIGHTS,
    RightStanding,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils._action import WindowsAction
from ansible_collections.entsso.password_sync.plugins.plugin_utils._resource import Task
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._connection import (
    connection_settings,
    ticket_cache,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._connection_rights import (
    ENDS,
    probe_rights,
    untried,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._connection_settings import (
    ConnectionSettings,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._connection_share import (
    not_tried,
    try_share,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._control_node import (
    control_node,
    probe_ports,
    read_tickets,
    resolve,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host, open_host

_HTTP, _HTTPS = 5985, 5986
_SMB = "SMB"
_SYSTEM = "Win32_OperatingSystem"


class ConnectionInfoAction(WindowsAction):
    """Finds out; never fails because of what it finds."""

    def _perform(self, task: Task, task_vars: Mapping[str, Any]) -> dict[str, Any]:
        deadline = max(0.1, float(task.arguments["deadline"]))
        settings = _settings(self._connection, task.subject)
        target = _target(self._connection, settings, task_vars)
        smb_port = int(task.arguments["smb_port"])
        ports = probe_ports(target.address, _ports(target, smb_port), deadline)
        standing = self._standing(task, task_vars, ports)
        report = ConnectionReport(
            host=task.subject,
            made_at=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            node=control_node(),
            target=target,
            resolutions=resolve((task.subject, target.address, target.host_name), deadline),
            ports=ports,
            # After the host was asked: only then is there a cache that kinit filled for this task.
            tickets=read_tickets(ticket_cache(self._connection)),
            standing=standing,
        )
        redact = bool(task.arguments["redact"])
        summary = shortened(report.summary, report.names) if redact else report.summary
        text = ticket_text(report, redact=redact)
        result = {"changed": False, "msg": summary, **report.to_json(), "report": text}
        # What others say in their errors is not ours to vouch for.
        secrets = {settings.password} if settings is not None and settings.password else set()
        censored: dict[str, Any] = remove_values(result, secrets)
        return censored

    def _standing(self, task: Task, task_vars: Mapping[str, Any], ports: tuple[PortState, ...]) -> Standing:
        try:
            host = open_host(self._connection, task_vars, name=task.subject)
            try:
                return _ask(host, task, ports)
            finally:
                host.close()
        except HostError as error:
            return Standing(False, str(error), "", "", "", (), Clock(), untried(RIGHTS, "the host was not reached"))


def _settings(connection: Any, host: str) -> ConnectionSettings | None:
    """Returns how the host is reached; None for a connection that is none of ours."""
    try:
        return connection_settings(connection, host, checked=False)
    except UnsupportedConnection:
        return None


def _target(connection: Any, settings: ConnectionSettings | None, task_vars: Mapping[str, Any]) -> Target:
    if settings is None:
        name = str(task_vars.get("ansible_host") or task_vars.get("inventory_hostname") or "")
        kind = str(getattr(connection, "transport", type(connection).__name__))
        return Target(kind, "", name, None, "", (), "")
    return Target(
        connection=settings.kind.value,
        endpoint=settings.endpoint,
        address=settings.address,
        port=settings.port,
        account=settings.account,
        mechanisms=settings.mechanisms,
        host_name=settings.host_name,
    )


def _ports(target: Target, smb_port: int) -> list[tuple[int, str]]:
    ports = [(_HTTP, "WinRM over http"), (_HTTPS, "WinRM over https"), (smb_port, _SMB)]
    if target.port is not None and target.port not in (_HTTP, _HTTPS, smb_port):
        ports.insert(0, (target.port, "WinRM as the inventory says"))
    return ports


def _ask(host: Host, task: Task, ports: tuple[PortState, ...]) -> Standing:
    """Asks the host; the first question shows whether it lets the account in, and whether it is the one meant.

    Raises:
        HostError: It does not, or is another one.
    """
    system: CimInstance | None = None
    problem = ""
    try:
        system = host.wmi.get(_SYSTEM)
        clock = _clock(host)
    except (*ENDS, UnsupportedConnection, WrongMachine):
        raise
    except HostError as error:
        problem = f"{error.subject}: {error.reason}"
        clock = Clock(problem=problem)
    now = datetime.now(UTC) + timedelta(seconds=clock.ahead or 0.0)
    standing = probe_rights(
        host, now, shell=bool(task.arguments["probe_shell"]), share=lambda: _share(host, task, ports)
    )
    return Standing(
        reachable=True,
        problem=problem,
        authentication=host.authentication,
        encrypted=host.encrypted,
        system=_described(system),
        names=_named(system),
        clock=clock,
        rights=standing,
    )


def _clock(host: Host) -> Clock:
    """Compares clocks with a question of its own, since the first one authenticated too."""
    before, started = datetime.now(UTC), time.monotonic()
    system = host.wmi.get(_SYSTEM)
    took = time.monotonic() - started
    if system is None:
        return Clock(problem="the host does not tell its time")
    ahead = (system.time("LocalDateTime") - (before + timedelta(seconds=took / 2))).total_seconds()
    return Clock(round(ahead, 3), round(took, 4))


def _described(system: CimInstance | None) -> str:
    if system is None:
        return ""
    parts = [system.optional_string(name) or "" for name in ("CSName", "Caption", "Version")]
    return ", ".join(part for part in parts if part)


def _named(system: CimInstance | None) -> tuple[str, ...]:
    name = system.optional_string("CSName") if system is not None else None
    return (name,) if name else ()


def _share(host: Host, task: Task, ports: tuple[PortState, ...]) -> RightStanding:
    (smb,) = (port for port in ports if port.purpose == _SMB)
    if smb.state != "open" or not task.arguments["probe_share"]:
        return not_tried(smb.state)
    return try_share(host, smb.port)
