# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One look at a domain controller over WinRM: what the gates of the host are judged on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ansible_collections.entsso.password_sync.plugins.module_utils import _notification_package
from ansible_collections.entsso.password_sync.plugins.module_utils._errors import AccessDenied, WsmanFault
from ansible_collections.entsso.password_sync.plugins.module_utils._names import NOTIFICATION_PACKAGE, PCNS_SERVICE
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import Absent, Unknown
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._cim_instance import CimInstance
from ansible_collections.entsso.password_sync.plugins.module_utils.health._error_events import (
    configuration_events,
    error_queries,
    events_gate,
    window,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.health._gate import Gate, GateName
from ansible_collections.entsso.password_sync.plugins.module_utils.health._host_gates import (
    SERVICES,
    SHARES,
    ServiceReading,
    ServiceSeen,
    booted_gate,
    filter_gate,
    pcns_gate,
    service_gate,
    share_gate,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.health._replication import Neighbour, past
from ansible_collections.entsso.password_sync.plugins.plugin_utils._domain_controller import (
    load_queries,
    observe_notification_packages,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils._resource import unknown
from ansible_collections.entsso.password_sync.plugins.plugin_utils._system import (
    System,
    read_system,
    require_domain_controller,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host

DIRECTORY_NAMESPACE = "root/MicrosoftActiveDirectory"

_NEIGHBOURS = (
    "SELECT NamingContextDN, SourceDsaCN, LastSyncResult, TimeOfLastSyncSuccess, SyncOnStartup, IsDeletedSourceDsa "
    "FROM MSAD_ReplNeighbor"
)


@dataclass(frozen=True)
class HostLook:
    """What was seen.

    Attributes:
        system: The machine.
        gates: Its gates.
        serves: Whether the services run that a logon over LDAP needs.
    """

    system: System
    gates: tuple[Gate, ...]
    serves: bool


def look_at_host(host: Host, subject: str, booted_after: datetime | None, since: datetime | None) -> HostLook:
    """Reads and judges everything that the host tells.

    Args:
        host: The host.
        subject: Its name in the inventory.
        booted_after: Start of Windows before the restart; None where there was none.
        since: From when on errors are new, unless Windows has started later; None for that start.

    Raises:
        PlanError: It is no domain controller.
        HostError: It does not answer.
    """
    system = read_system(host)
    require_domain_controller(subject, system)
    services = _services(host)
    replicated_files = isinstance(services["DFSR"], ServiceSeen)
    when = window(system.boot_time, since)
    reading = host.events.read(
        (*load_queries(system), *error_queries(when, replicated_files=replicated_files)),
    )
    key = _notification_package.key(subject, NOTIFICATION_PACKAGE)
    package = observe_notification_packages(host, subject, [NOTIFICATION_PACKAGE], system, reading)[key]
    names = [item.display_name for item in services.values() if isinstance(item, ServiceSeen)]
    shares = _shares(host)
    gates = [booted_gate(system.boot_time, booted_after, system.local_time, since)]
    gates += [service_gate(name, services[service]) for name, service in SERVICES.items()]
    gates += [share_gate(name, shares) for name in SHARES]
    gates += [
        filter_gate(package),
        pcns_gate(services[PCNS_SERVICE], *configuration_events(reading.events, when.begin)),
        events_gate(reading.events, reading.unreadable, when, names, replicated_files=replicated_files),
    ]
    return HostLook(system, tuple(gates), serves=_serves(services))


def read_neighbours(host: Host) -> tuple[Neighbour, ...] | Unknown:
    """Reads the partners of replication from WMI, which not every Windows may have (wsman.md 4).

    Raises:
        HostError: The host does not answer.
    """
    try:
        found = host.wmi.query(_NEIGHBOURS, DIRECTORY_NAMESPACE)
    except (AccessDenied, WsmanFault) as error:
        return Unknown(f"the WMI class MSAD_ReplNeighbor could not be read ({error.reason.strip().rstrip('.')})")
    return tuple(
        Neighbour(
            partner=item.string("SourceDsaCN"),
            context=item.string("NamingContextDN"),
            result=item.integer("LastSyncResult"),
            last_success=past(item.optional_time("TimeOfLastSyncSuccess")),
            on_startup=item.optional_boolean("SyncOnStartup") is not False,
            deleted=item.optional_boolean("IsDeletedSourceDsa") is True,
        )
        for item in found
    )


def _serves(services: Mapping[str, ServiceReading]) -> bool:
    needed: Sequence[ServiceReading] = [
        services[SERVICES[name]] for name in (GateName.NTDS, GateName.NETLOGON, GateName.KDC)
    ]
    return all(isinstance(item, ServiceSeen) and item.state == "Running" for item in needed)


def _services(host: Host) -> dict[str, ServiceReading]:
    """Reads the services in one query; each that it does not show is asked for again, since it may be hidden."""
    names = (*SERVICES.values(), PCNS_SERVICE)
    wanted = " OR ".join(f"Name='{name}'" for name in names)
    try:
        found = host.wmi.query(f"SELECT Name, DisplayName, State, StartMode FROM Win32_Service WHERE {wanted}")
    except (AccessDenied, WsmanFault) as error:
        return dict.fromkeys(names, unknown(error))
    seen = {item.string("Name").casefold(): _seen(item) for item in found}
    return {name: seen.get(name.casefold()) or _missing(host, name) for name in names}


def _seen(item: CimInstance) -> ServiceSeen:
    return ServiceSeen(
        state=item.optional_string("State") or "Unknown",
        start_mode=item.string("StartMode"),
        display_name=item.optional_string("DisplayName") or "",
    )


def _missing(host: Host, name: str) -> ServiceReading:
    try:
        service = host.services.get(name)
    except (AccessDenied, WsmanFault) as error:
        return unknown(error)
    if service is None:
        return Absent()
    return ServiceSeen(service.state.value, service.start_mode.value, service.display_name)


def _shares(host: Host) -> frozenset[str] | Unknown:
    wanted = " OR ".join(f"Name='{share}'" for share in SHARES.values())
    try:
        found = host.wmi.query(f"SELECT Name FROM Win32_Share WHERE {wanted}")
    except (AccessDenied, WsmanFault) as error:
        return unknown(error)
    return frozenset(item.string("Name").upper() for item in found)
