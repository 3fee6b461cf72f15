# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an SSO server does with a Windows password change from PCNS: accept or refuse, then hand it to adapters.

Every event with its insertion parameters: entsso.md 6.1. Rules: entsso.md 4.1, 4.2, 4.5, 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from lab.sso import Adapter, Mapping
from lab.tracking import Arrival, PasswordChange, Receipt
from lab.windows.eventlog import Level

if TYPE_CHECKING:
    from lab.windows.host import SimulatedHost

USER_NAME_TYPE_NT4 = 3
ACCESS_DENIED = "0x80070005"
DAMPING = timedelta(minutes=10)
RPC_UNAVAILABLE = "0x800706BA"


@dataclass(frozen=True)
class Caller:
    """The DC that delivers."""

    account: str
    """DOMAIN\\NAME$."""
    domain: str
    """DNS name of its domain."""


class Delivery:
    """Receives changes on one SSO server."""

    def __init__(self, host: SimulatedHost) -> None:
        """Takes the server."""
        self._host = host
        self._history: dict[str, tuple[str, datetime]] = {}

    def reset_damping(self) -> None:
        """Forgets the changes of the last ten minutes (`ssops -reset damping`)."""
        self._history.clear()

    def receive(self, change: PasswordChange, caller: Caller, user_name_format: int) -> Receipt:
        """Takes or refuses a change, records it, and hands it to adapters."""
        refused = self._refusal(change, caller, user_name_format)
        if refused is not None:
            return refused
        self._log(10662, Level.INFORMATION, change.tracking_id, change.account, "", caller.account)
        if change.length == 0:
            self._log(11071, Level.WARNING, change.tracking_id, change.account, caller.account)
            return Receipt(accepted=True, event_id=11071, reason="the password is empty")
        now = self._host.now()
        before = self._history.get(change.account.lower())
        if before is not None and before[0] == change.sha256 and now - before[1] < DAMPING:
            self._log(10710, Level.INFORMATION, change.tracking_id, change.account, caller.account)
            return Receipt(accepted=True, event_id=10710, reason="damped as a duplicate")
        self._history[change.account.lower()] = (change.sha256, now)
        return self._spread(change, caller)

    def _refusal(self, change: PasswordChange, caller: Caller, user_name_format: int) -> Receipt | None:
        host, tracking = self._host, change.tracking_id
        server = host.sso_server
        if server is None or not server.receives_from_pcns:
            return Receipt(
                accepted=False, event_id=0, reason="Password Synchronization is not running on the SSO server"
            )
        if user_name_format != USER_NAME_TYPE_NT4:
            self._log(10750, Level.ERROR, str(user_name_format), caller.account, "0x80070057")
            return Receipt(accepted=False, event_id=10750, reason="the target's user name format is not NT4")
        if not server.allow_pcns:
            self._log(11069, Level.WARNING, tracking, caller.account)
            return Receipt(accepted=False, event_id=11069, reason="the server does not allow changes from PCNS")
        if caller.domain.lower() != host.identity.domain.lower():
            sid = (
                f"{next(iter(host.surroundings.directory_of(host.identity.domain).groups), '').rpartition('-')[0]}-516"
            )
            self._log(10709, Level.WARNING, tracking, caller.account, host.identity.netbios_domain, sid, ACCESS_DENIED)
            return Receipt(accepted=False, event_id=10709, reason="the DC is not in the access domain")
        if not host.surroundings.sso.enabled or not host.surroundings.sso.windows_sync:
            self._log(10708, Level.WARNING, tracking, caller.account)
            return Receipt(accepted=False, event_id=10708, reason="password sync from Windows is off in the SSO system")
        return None

    def _spread(self, change: PasswordChange, caller: Caller) -> Receipt:
        sso = self._host.surroundings.sso
        mappings = sso.mappings_of(change.domain, change.user)
        if not mappings:
            self._log(11030, Level.INFORMATION, change.tracking_id, change.account, caller.account)
            return Receipt(accepted=True, event_id=11030, reason="there are no mappings for this account")
        reached: list[str] = []
        targets: dict[str, tuple[Adapter, list[Mapping]]] = {}
        for mapping in mappings:
            adapter = self._adapter_for(change, mapping, caller)
            if adapter is not None:
                targets.setdefault(adapter.name.lower(), (adapter, []))[1].append(mapping)
        for adapter, mapped in targets.values():
            if self._conflict(change, adapter, mapped):
                continue
            if self._too_old(change, adapter) or not self._reachable(change, adapter):
                continue
            for mapping in mapped:
                windows = change.account.split("\\")
                self._log(10734, Level.INFORMATION, change.tracking_id, adapter.name, mapping.external_user, *windows)
                sso.arrivals.append(
                    Arrival(
                        adapter.name,
                        mapping.application,
                        mapping.external_user,
                        change.account,
                        change.tracking_id,
                        change.sha256,
                    )
                )
                self._log(
                    10736,
                    Level.INFORMATION,
                    change.tracking_id,
                    adapter.name,
                    mapping.application,
                    mapping.external_user,
                )
            reached.append(adapter.name)
        return Receipt(accepted=True, event_id=10662, reason="received", adapters=tuple(reached))

    def _adapter_for(self, change: PasswordChange, mapping: Mapping, caller: Caller) -> Adapter | None:
        sso = self._host.surroundings.sso
        common = (change.tracking_id, change.account, mapping.application, mapping.external_user, caller.account)
        application = sso.applications[mapping.application.lower()]
        if not mapping.enabled:
            self._log(11032, Level.INFORMATION, *common)
            return None
        if not application.enabled:
            self._log(11033, Level.INFORMATION, *common)
            return None
        if application.kind not in ("Individual", "Group"):
            self._log(11034, Level.INFORMATION, *common)
            return None
        if application.flags.get("directPasswordSync"):
            self._log(
                11058, Level.INFORMATION, change.tracking_id, application.name, change.account, mapping.external_user
            )
            return None
        adapter = sso.adapter_of(application.name)
        if adapter is None:
            self._log(11035, Level.INFORMATION, *common)
            return None
        counts_as_down = self._host.settings.sso.disabled_adapter_counts_as_not_running
        if not adapter.flags["syncToAdapter"] or (not adapter.enabled and not counts_as_down):
            self._log(
                11036,
                Level.INFORMATION,
                change.tracking_id,
                change.account,
                application.name,
                adapter.name,
                caller.account,
            )
            return None
        return adapter

    def _conflict(self, change: PasswordChange, adapter: Adapter, mapped: list[Mapping]) -> bool:
        if len({item.external_user.lower() for item in mapped}) < 2:
            return False
        allowed = adapter.flags["allowMappingConflicts"]
        first, second = mapped[0].external_user, mapped[1].external_user
        self._log(
            10671 if allowed else 10672,
            Level.INFORMATION if allowed else Level.WARNING,
            change.tracking_id,
            adapter.name,
            change.account,
            first,
            second,
        )
        return not allowed

    def _too_old(self, change: PasswordChange, adapter: Adapter) -> bool:
        server = self._host.sso_server
        hours = server.sync_age_hours if server is not None else 0
        if self._host.now() - change.occurred_at <= timedelta(hours=hours):
            return False
        # What "Notification Type" and "Additional Data" hold is not published.
        self._log(10712, Level.WARNING, change.tracking_id, adapter.name, "", "")
        return True

    def _reachable(self, change: PasswordChange, adapter: Adapter) -> bool:
        computer = self._host.surroundings.find_host(adapter.computer)
        if computer is None or not computer.power.on or not computer.services.is_running("ENTSSO"):
            self._log(10749, Level.WARNING, change.tracking_id, adapter.name, adapter.computer, RPC_UNAVAILABLE)
            return False
        if not adapter.enabled or adapter.name.lower() in computer.faults.adapters_stopped:
            self._log(10748, Level.WARNING, change.tracking_id, adapter.name, adapter.computer, RPC_UNAVAILABLE)
            return False
        return True

    def _log(self, event_id: int, level: Level, *data: str) -> None:
        self._host.events.write("Application", "ENTSSO", event_id, level, data)
