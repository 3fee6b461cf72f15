# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Observes a domain controller: packages, notification packages and the PCNS service. Nothing runs on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ansible_collections.entsso.password_sync.plugins.module_utils import (
    _notification_package,
    _pcns_service,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._errors import AccessDenied, WsmanFault
from ansible_collections.entsso.password_sync.plugins.module_utils._load_evidence import (
    BLOCKED_EVENT,
    LOADED_EVENT,
    RECEIVED_EVENT,
    grade_load,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._names import (
    EVENT_LOG_LEVEL_VALUE,
    LSA_KEY,
    NOTIFICATION_PACKAGES_VALUE,
    PCNS_PARAMETERS_KEY,
    UNINSTALL_KEYS,
    UPGRADE_CODES_KEY,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._package import DesiredPackage, PackageState
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import (
    Absent,
    Key,
    Observation,
    Present,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._previous_packages import restoration, without
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._eventlog import EventQuery
from ansible_collections.entsso.password_sync.plugins.module_utils.msi._packed_guid import pack_guid, unpack_guid
from ansible_collections.entsso.password_sync.plugins.plugin_utils._markers import read_marker
from ansible_collections.entsso.password_sync.plugins.plugin_utils._previous_packages import read_previous
from ansible_collections.entsso.password_sync.plugins.plugin_utils._resource import unknown
from ansible_collections.entsso.password_sync.plugins.plugin_utils._system import System
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._events import EventReading
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host

REGISTERED_MARKER, INSTALLED_MARKER = "notification_package_{}_registered", "notification_package_{}_installed"
TAKEN_OUT_MARKER = "notification_package_{}_taken_out"


def observe_package(host: Host, package: DesiredPackage, upgrade_code: str = "") -> Observation:
    """Observes one MSI package through its uninstall key: one read when installed, up to four when not.

    Args:
        host: The host.
        package: The package; its product code must be known.
        upgrade_code: When given, another version of the same product is found as well.
    """
    try:
        state = _installed(host, package.product_code)
        if state is None and upgrade_code:
            key = rf"{UPGRADE_CODES_KEY}\{pack_guid(upgrade_code)}"
            for packed in host.registry.values(key) or ():
                related = unpack_guid(packed)
                state = _installed(host, related) if related else None
                if state is not None:
                    break
    except (AccessDenied, WsmanFault) as error:
        return unknown(error)
    return Absent() if state is None else Present(state)


def _installed(host: Host, product_code: str) -> PackageState | None:
    for key in UNINSTALL_KEYS:
        version = host.registry.string(rf"{key}\{product_code}", "DisplayVersion")
        if version is not None:
            return PackageState(product_code.upper(), version)
    return None


def observe_notification_packages(
    host: Host,
    subject: str,
    names: Sequence[str],
    system: System,
    reading: EventReading | None = None,
    *,
    removing: bool = False,
) -> dict[Key, Observation]:
    """Observes entries of `Notification Packages` and whether LSA has loaded them.

    Args:
        host: The host.
        subject: Its name in plans.
        names: Entries, without extension.
        system: From `read_system`.
        reading: Events of `load_queries` when they were read already.
        removing: Whether the entries are to be taken out, so that what was there before them matters.
    """
    keys = {name: _notification_package.key(subject, name) for name in names}
    try:
        listed = host.registry.multi_string(LSA_KEY, NOTIFICATION_PACKAGES_VALUE) or ()
        if reading is None:
            reading = host.events.read(load_queries(system))
        states = {name: _entry_state(host, name, listed, system, reading) for name in names}
        if removing:
            states = {name: _with_restoration(host, name, listed, state) for name, state in states.items()}
        return {keys[name]: Present(state) for name, state in states.items()}
    except (AccessDenied, WsmanFault) as error:
        return {key: unknown(error) for key in keys.values()}


def _entry_state(
    host: Host, name: str, listed: Sequence[str], system: System, reading: EventReading
) -> _notification_package.NotificationPackageState:
    file = host.files.stat(rf"{system.system_directory}\{name}.dll")
    registered = name.lower() in (entry.lower() for entry in listed)
    # An entry that is there needs no remark on when it was taken out.
    wanted = () if file is None else (REGISTERED_MARKER, INSTALLED_MARKER, *(() if registered else (TAKEN_OUT_MARKER,)))
    markers = {marker: read_marker(host, marker.format(name)) for marker in wanted}
    times = {marker: remembered.set_at for marker, remembered in markers.items() if remembered is not None}
    load = grade_load(
        name,
        registered=registered,
        installed=file is not None,
        boot_time=system.boot_time,
        file_created=file.created if file is not None else None,
        registered_by_us=times.get(REGISTERED_MARKER),
        installed_by_us=times.get(INSTALLED_MARKER),
        taken_out_by_us=times.get(TAKEN_OUT_MARKER),
        refusals_readable="System" not in reading.unreadable,
        events=reading.events,
    )
    return _notification_package.NotificationPackageState(
        registered=registered,
        installed=file is not None,
        loaded=load.loaded,
        blocked=load.blocked,
        grade=load.grade,
        evidence=load.evidence,
        others=without(listed, name),
        version=file.version if file is not None else "",
    )


def _with_restoration(
    host: Host, name: str, listed: Sequence[str], state: _notification_package.NotificationPackageState
) -> _notification_package.NotificationPackageState:
    found = restoration(listed, name, read_previous(host, name))
    return replace(state, restored=found.entries, kept=found.kept)


def load_queries(system: System) -> tuple[EventQuery, ...]:
    """Returns the queries for the events that tell whether LSA loaded a package since the last boot."""
    return (
        EventQuery("Security", event_ids=(LOADED_EVENT,), since=system.boot_time),
        EventQuery("System", event_ids=(BLOCKED_EVENT,), since=system.boot_time),
        EventQuery("Application", provider="PCNSSVC", event_ids=(RECEIVED_EVENT,), since=system.boot_time),
    )


def observe_service(host: Host, name: str) -> Observation:
    """Observes the PCNS service and its event log level: two reads."""
    try:
        service = host.services.get(name)
        if service is None:
            return Absent()
        level = host.registry.dword(PCNS_PARAMETERS_KEY.replace("PCNSSVC", name), EVENT_LOG_LEVEL_VALUE)
    except (AccessDenied, WsmanFault) as error:
        return unknown(error)
    return Present(
        _pcns_service.ServiceState(
            state=service.state.value.lower(),
            start_mode=service.start_mode.value.lower(),
            event_log_level=level,
            account=service.account or "",
        )
    )
