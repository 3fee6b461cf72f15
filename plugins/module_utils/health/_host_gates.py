# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gates that the host itself answers: boot, services, shares, and the capture of password changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Union

from ansible_collections.entsso.password_sync.plugins.module_utils._names import NOTIFICATION_PACKAGE, PCNS_SERVICE
from ansible_collections.entsso.password_sync.plugins.module_utils._notification_package import NotificationPackageState
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import Absent, Observation, Present, Unknown
from ansible_collections.entsso.password_sync.plugins.module_utils.health._gate import Gate, GateName, Verdict

SERVICES: Mapping[GateName, str] = {
    GateName.NTDS: "NTDS",
    GateName.NETLOGON: "Netlogon",
    GateName.KDC: "Kdc",
    GateName.DNS: "DNS",
    GateName.DFSR: "DFSR",
    GateName.W32TIME: "W32Time",
}

OPTIONAL = frozenset({GateName.DNS, GateName.DFSR})
"""What a domain controller may do without: DNS may be elsewhere, and SYSVOL may still be replicated by FRS."""

SHARES: Mapping[GateName, str] = {GateName.SYSVOL_SHARE: "SYSVOL", GateName.NETLOGON_SHARE: "NETLOGON"}

_RUNNING, _DISABLED, _AUTOMATIC = "Running", "Disabled", "Auto"

_RIGHTS = "Let the account query the services of the domain controller"


@dataclass(frozen=True)
class ServiceSeen:
    """A service as Win32_Service shows it.

    Attributes:
        state: `Win32_Service.State`.
        start_mode: `Win32_Service.StartMode`.
        display_name: Its name for people, which events name.
    """

    state: str
    start_mode: str
    display_name: str = ""


ServiceReading = Union[ServiceSeen, Absent, Unknown]


def booted_gate(booted: datetime, after: datetime | None, now: datetime, since: datetime | None = None) -> Gate:
    """Says whether Windows has started since a restart.

    A clock that was set back may make the new start earlier than the old one. How long Windows runs, by two times of
    one read, does not depend on that, and only a restart makes it less.

    Args:
        booted: When it started.
        after: The start before the restart; None where there was none. It may have lost its fraction of a second, so
            whole seconds are compared.
        now: Its clock, read together with `booted`.
        since: Its clock some time before the restart, after `after`; None where that is not known.
    """
    told = f"Windows has run since {booted:%Y-%m-%dT%H:%M:%SZ}"
    if after is None:
        return Gate(GateName.BOOTED, Verdict.NOT_CHECKED, told)
    if booted.replace(microsecond=0) > after.replace(microsecond=0):
        return Gate(GateName.BOOTED, Verdict.PASSED, told)
    if booted.replace(microsecond=0) == after.replace(microsecond=0):
        return Gate(
            GateName.BOOTED,
            Verdict.WAITING,
            f"it has not restarted: {told}",
            "Look at its console whether a restart is under way, or restart it",
        )
    restarted = since is not None and now - booted < since - after
    return Gate(
        GateName.BOOTED,
        Verdict.WAITING,
        f"{'it has restarted, and' if restarted else 'either it has not restarted, or'} its clock was set back "
        f"meanwhile: it is {now:%Y-%m-%dT%H:%M:%SZ} by it, {told}, and before had run since "
        f"{after:%Y-%m-%dT%H:%M:%SZ}",
        "Look at its clock (w32tm /query /status) and set it right"
        + ("" if restarted else ", and look at its console whether a restart is under way"),
    )


def service_gate(name: GateName, reading: ServiceReading) -> Gate:
    """Says whether one of the domain controller's services runs."""
    service = SERVICES[name]
    if isinstance(reading, Unknown):
        return Gate(name, Verdict.UNKNOWN, f"the service {service} could not be read ({reading.reason})", _RIGHTS)
    if isinstance(reading, Absent):
        if name in OPTIONAL:
            return Gate(name, Verdict.NOT_CHECKED, f"it has no service {service}")
        return Gate(
            name,
            Verdict.FAILED,
            f"it has no service {service}",
            "Find out whether it is still a domain controller",
        )
    if reading.state == _RUNNING:
        return Gate(name, Verdict.PASSED, f"the service {service} runs")
    if reading.start_mode == _DISABLED:
        return Gate(
            name,
            Verdict.FAILED,
            f"the service {service} is disabled and {reading.state}",
            "Enable and start it, or name the gate in `skip` where it is meant to be so",
        )
    return Gate(
        name,
        Verdict.WAITING,
        f"the service {service} is {reading.state}",
        "Look for its events in the System log, and start it",
    )


def share_gate(name: GateName, shares: frozenset[str] | Unknown) -> Gate:
    """Says whether one of the two shares of a domain controller is there.

    Args:
        name: The gate.
        shares: Names of all shares in upper case.
    """
    share = SHARES[name]
    if isinstance(shares, Unknown):
        return Gate(
            name,
            Verdict.UNKNOWN,
            f"its shares could not be read ({shares.reason})",
            "Let the account read Win32_Share in the WMI namespace root/cimv2",
        )
    if share in shares:
        return Gate(name, Verdict.PASSED, f"{share} is shared")
    return Gate(
        name,
        Verdict.WAITING,
        f"{share} is not shared",
        "Look at the DFS Replication log: SYSVOL is shared once it is replicated",
    )


def filter_gate(observation: Observation) -> Gate:
    """Says whether LSA has loaded the capture component."""
    name = NOTIFICATION_PACKAGE
    if not isinstance(observation, Present):
        reason = observation.reason if isinstance(observation, Unknown) else "the registry value is missing"
        return Gate(
            GateName.FILTER,
            Verdict.UNKNOWN,
            f"whether LSA runs {name} could not be read ({reason})",
            "Let the account read the registry over WMI",
        )
    state: NotificationPackageState = observation.state
    if state.blocked:
        return Gate(
            GateName.FILTER,
            Verdict.FAILED,
            f"LSA refused to load {name} ({state.evidence})",
            "Another restart does not help: look up the error of event 16953 in the System log",
        )
    if state.loaded == "yes" and state.registered:
        return Gate(GateName.FILTER, Verdict.PASSED, f"LSA has loaded {name} ({state.grade}: {state.evidence})")
    if state.loaded == "yes":
        return Gate(
            GateName.FILTER,
            Verdict.FAILED,
            f"LSA runs {name}, and its entry in Notification Packages is gone, so the next start loses it",
            "Put it back with entsso.password_sync.notification_package",
        )
    if state.loaded == "no":
        return Gate(
            GateName.FILTER,
            Verdict.FAILED,
            f"LSA has not loaded {name} ({state.grade}: {state.evidence})",
            "Install and register it if it is not, and restart with entsso.password_sync.domain_controller_restart",
        )
    return Gate(
        GateName.FILTER,
        Verdict.UNKNOWN,
        f"whether LSA runs {name} is not known ({state.evidence})",
        "Let the account read the Security log (event 4614)",
    )


def pcns_gate(reading: ServiceReading, missing_configuration: datetime | None, loaded: datetime | None) -> Gate:
    """Says whether PCNS runs with its configuration.

    Args:
        reading: The service.
        missing_configuration: Time of the last event 6000: the configuration is not in the directory, as this domain
            controller sees it, and the service stops (pcns.md 6a).
        loaded: Time of the last event that PCNS only logs with a configuration.
    """
    name = PCNS_SERVICE
    if isinstance(reading, Unknown):
        return Gate(GateName.PCNS, Verdict.UNKNOWN, f"the service {name} could not be read ({reading.reason})", _RIGHTS)
    if isinstance(reading, Absent):
        return Gate(GateName.PCNS, Verdict.FAILED, f"the service {name} is not installed", "Install PCNS")
    if missing_configuration is not None and (loaded is None or loaded < missing_configuration):
        return Gate(
            GateName.PCNS,
            Verdict.FAILED,
            f"{name} has found no configuration (event 6000 of {missing_configuration:%Y-%m-%dT%H:%M:%SZ})",
            "Wait until the PCNS configuration is replicated to it, and start the service",
        )
    if reading.state != _RUNNING:
        return Gate(
            GateName.PCNS,
            Verdict.FAILED if reading.start_mode == _DISABLED else Verdict.WAITING,
            f"the service {name} is {reading.state}",
            "Look for its last events in the Application log, and start it",
        )
    if reading.start_mode != _AUTOMATIC:
        return Gate(
            GateName.PCNS,
            Verdict.FAILED,
            f"{name} runs, and its start mode is {reading.start_mode}, so it is lost at the next start",
            "Make it start by itself with entsso.password_sync.pcns_service",
        )
    evidence = (
        f"an event of {loaded:%Y-%m-%dT%H:%M:%SZ} says that it has its configuration"
        if loaded is not None
        else "it has logged nothing against its configuration"
    )
    return Gate(GateName.PCNS, Verdict.PASSED, f"{name} runs, and {evidence}")
