# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds out what an account may do on a host by trying the smallest thing that needs each right. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    AccessDenied,
    AuthenticationRejected,
    HostError,
    HostUnreachable,
    NotWindows,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._names import LSA_KEY, UNINSTALL_KEYS
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._eventlog import EventQuery
from ansible_collections.entsso.password_sync.plugins.module_utils.connection import _connection_rights as rights
from ansible_collections.entsso.password_sync.plugins.module_utils.connection._connection_rights import (
    Outcome,
    Right,
    RightStanding,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host

ENDS = (HostUnreachable, AuthenticationRejected, NotWindows)
"""Errors after which nothing more is asked: with a rejected account every question would count towards a lockout."""

_CIMV2 = "root/cimv2"
_NAMESPACES = {
    rights.DEFAULT: "root/default",
    rights.ACTIVE_DIRECTORY: "root/MicrosoftActiveDirectory",
    rights.DFS: "root/MicrosoftDFS",
}
_CHANNELS = {rights.APPLICATION: "Application", rights.SYSTEM: "System", rights.SECURITY: "Security"}
_ALWAYS_THERE = "WinRM"
"""A service that every host has that answers here."""
_NO_SUCH_EVENT = 65535
_QUIET = 0.5


def probe_rights(
    host: Host, now: datetime, *, shell: bool, share: Callable[[], RightStanding]
) -> tuple[RightStanding, ...]:
    """Tries every right, in the order of `RIGHTS`.

    Args:
        host: The host.
        now: The time there, or here when that is not known.
        shell: Whether a command shell may be opened and deleted.
        share: Tries the administrative share.
    """
    probes: dict[Right, Callable[[], RightStanding]] = {
        rights.CIMV2: lambda: _namespace(host, rights.CIMV2, _CIMV2),
        **{right: _bound_namespace(host, right, name) for right, name in _NAMESPACES.items()},
        rights.METHODS: lambda: _methods(host),
        rights.LSA: lambda: _keys(host, rights.LSA, (LSA_KEY,)),
        rights.UNINSTALL: lambda: _keys(host, rights.UNINSTALL, UNINSTALL_KEYS),
        rights.SERVICES: lambda: _services(host),
        **{right: _bound_channel(host, right, name, now) for right, name in _CHANNELS.items()},
        rights.SHELL: lambda: _shell(host, allowed=shell),
        rights.SHARE: share,
    }
    found: list[RightStanding] = []
    for right in rights.RIGHTS:
        try:
            found.append(_tried(right, probes[right]))
        except ENDS as error:
            found.extend(untried(rights.RIGHTS[len(found) :], f"not tried: {error}"))
            break
    return tuple(found)


def untried(some: Sequence[Right], why: str) -> tuple[RightStanding, ...]:
    """Returns rights that nothing is known of."""
    return tuple(RightStanding(right, Outcome.UNKNOWN, why) for right in some)


def _tried(right: Right, probe: Callable[[], RightStanding]) -> RightStanding:
    try:
        return probe()
    except AccessDenied as error:
        return RightStanding(right, Outcome.DENIED, error.reason)
    except ENDS:
        raise
    except HostError as error:
        return RightStanding(right, Outcome.UNKNOWN, error.reason)


def _bound_namespace(host: Host, right: Right, name: str) -> Callable[[], RightStanding]:
    return lambda: _namespace(host, right, name)


def _namespace(host: Host, right: Right, name: str) -> RightStanding:
    """Every namespace has the class of its child namespaces (learn.microsoft.com, Get-CimInstance, example 2)."""
    host.wmi.query("SELECT Name FROM __NAMESPACE", name)
    return RightStanding(right, Outcome.OK)


def _methods(host: Host) -> RightStanding:
    """Whether StdRegProv is called at all; what the registry then answers is another right."""
    host.wmi.invoke("StdRegProv", "EnumKey", {"hDefKey": 2147483650, "sSubKeyName": LSA_KEY}, read_only=True)
    return RightStanding(rights.METHODS, Outcome.OK)


def _keys(host: Host, right: Right, keys: Sequence[str]) -> RightStanding:
    for key in keys:
        host.registry.keys(key)
    return RightStanding(right, Outcome.OK)


def _services(host: Host) -> RightStanding:
    if host.services.get(_ALWAYS_THERE) is None:
        return RightStanding(rights.SERVICES, Outcome.UNKNOWN, f"the host shows no service {_ALWAYS_THERE}")
    return RightStanding(rights.SERVICES, Outcome.OK)


def _bound_channel(host: Host, right: Right, name: str, now: datetime) -> Callable[[], RightStanding]:
    return lambda: _channel(host, right, name, now)


def _channel(host: Host, right: Right, name: str, now: datetime) -> RightStanding:
    reading = host.events.read([EventQuery(name, event_ids=(_NO_SUCH_EVENT,), since=now)], quiet=_QUIET)
    if not reading.unreadable:
        return RightStanding(right, Outcome.OK)
    outcome = Outcome.DENIED if name in reading.denied else Outcome.UNKNOWN
    return RightStanding(right, outcome, reading.unreadable[name])


def _shell(host: Host, *, allowed: bool) -> RightStanding:
    if not allowed:
        return RightStanding(rights.SHELL, Outcome.UNKNOWN, "not tried: set probe_shell to true to open and delete one")
    host.try_shell()
    return RightStanding(rights.SHELL, Outcome.OK)
