# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Password Change Notification Service of one DC. Events and their meaning: pcns.md 6a; behaviour: pcns.md 5."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.directory import PcnsObjects, PcnsTarget, User
from lab.scheduler import Timer
from lab.settings import Rejection
from lab.sso_delivery import Caller
from lab.tracking import Outcome, Tracking
from lab.windows.entsso import SERVICE, SERVICE_ACCOUNT
from lab.windows.eventlog import Level

if TYPE_CHECKING:
    from lab.windows.host import SimulatedHost

NAME = "PCNSSVC"
FILTER = "PCNSFLT"
PARAMETERS = rf"SYSTEM\CurrentControlSet\Services\{NAME}\Parameters"
QUEUE = r"C:\Windows\System32\pcns"
CLOCK_SKEW_LIMIT = 300.0
_ALWAYS = frozenset({2001, 2002})


@dataclass
class QueuedChange:
    """A change that waits for a target, in the queue file of its DC."""

    tracking: Tracking
    target: str
    attempts: int = 1
    last_reason: str = ""


class PcnsService:
    """The running service."""

    def __init__(self, host: SimulatedHost) -> None:
        """Takes the DC."""
        self._host = host
        self._objects = PcnsObjects()
        self._disabled_here: set[str] = set()
        self._pending = host.pcns_queue
        self._timer: Timer | None = None

    def started(self) -> int | None:
        """Starts: reads the configuration, and ends when there is none (event 6000)."""
        host = self._host
        self._log(2001, Level.INFORMATION)
        queue = rf"{QUEUE}\pcns.dat"
        found = host.files.get(queue) is not None
        if not found:
            host.files.make_folder(QUEUE)
            host.files.put(queue, 4096, "0" * 64, host.now())
            self._pending.clear()
            self._log(2003, Level.INFORMATION)
        if not host.lsa.is_loaded(FILTER) and host.settings.pcns.handshake_event:
            self._log(6002, Level.ERROR)
        self._objects = self._read()
        if found:
            self._log(2004, Level.INFORMATION, *self._read_queue())
        if self._objects.configuration is None:
            self._log(6000, Level.ERROR)
            self._log(2002, Level.INFORMATION)
            return 0
        directory = host.surroundings.directory_of(host.identity.domain)
        for target in self._objects.targets:
            sids = [target.inclusion_sid, *([target.exclusion_sid] if target.exclusion_sid else [])]
            if any(sid not in directory.groups for sid in sids):
                self._log(6032, Level.ERROR, target.name)
        if not self._active():
            self._log(4001, Level.WARNING)
        if self._pending:
            self._schedule()
        return None

    def stopped(self) -> None:
        """Stops; the queue stays on the disk (pcns.md 1)."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._log(2002, Level.INFORMATION)

    def refresh(self) -> None:
        """Sees a changed configuration in the directory."""
        if not self._host.settings.pcns.refresh_at_once:
            return
        before, self._objects = self._objects, self._read()
        if before == self._objects:
            return
        self._disabled_here.clear()
        if self._objects.configuration is None:
            self._log(6000, Level.ERROR)
            self._host.services.end(NAME, 0)
        elif not self._active():
            self._log(4002, Level.WARNING)

    def notify(self, tracking: Tracking, user: User) -> None:
        """Takes a change from the filter, and sends it to every active target."""
        change = tracking.change
        self._log(2201, Level.INFORMATION, change.tracking_id, change.user_guid, change.account)
        targets = self._active()
        if not targets:
            tracking.outcome, tracking.reason = Outcome.NOT_SENT, "there is no active target"
            return
        wanted = [item for item in targets if self._wants(item, user)]
        if not wanted:
            self._log(2303, Level.INFORMATION, change.tracking_id, change.user_guid, change.account)
            tracking.outcome, tracking.reason = Outcome.FILTERED, "the inclusion and exclusion groups filter this user"
            return
        delivered = [self._deliver(tracking, target, 1) for target in wanted]
        if all(delivered):
            self._delivered(tracking)
        else:
            self._log(4100, Level.WARNING, change.tracking_id, change.user_guid, change.account)

    def dump(self) -> list[object]:
        """Returns what waits to be delivered, in a form for JSON."""
        return [[item.tracking.change.tracking_id, item.target] for item in self._pending]

    def _read_queue(self) -> tuple[str, ...]:
        """Drops what is too old; returns how many changes were read, have expired, have no target, are queued."""
        configuration = self._objects.configuration
        age = configuration.max_queue_age if configuration else 0
        now, read = self._host.now(), len(self._pending)
        expired = [
            item for item in self._pending if age and (now - item.tracking.change.occurred_at).total_seconds() > age
        ]
        for item in expired:
            self._pending.remove(item)
            item.tracking.outcome, item.tracking.reason = Outcome.NOT_SENT, "it waited longer than the queue keeps it"
        homeless = [item for item in self._pending if self._objects.target(item.target) is None]
        return tuple(str(count) for count in (read, len(expired), len(homeless), len(self._pending)))

    def _read(self) -> PcnsObjects:
        identity = self._host.identity
        return self._host.surroundings.directory_of(identity.domain).pcns(identity.name)

    def _active(self) -> list[PcnsTarget]:
        return [
            item for item in self._objects.targets if not item.disabled and item.name.lower() not in self._disabled_here
        ]

    def _wants(self, target: PcnsTarget, user: User) -> bool:
        directory = self._host.surroundings.directory_of(self._host.identity.domain)
        sids = [target.inclusion_sid, *([target.exclusion_sid] if target.exclusion_sid else [])]
        if any(sid not in directory.groups for sid in sids):
            # A group that is gone filters everything (pcns.md 5).
            return False
        excluded = target.exclusion_sid is not None and directory.is_member(user, target.exclusion_sid)
        return directory.is_member(user, target.inclusion_sid) and not excluded

    def _delivered(self, tracking: Tracking) -> None:
        change = tracking.change
        self._log(2100, Level.INFORMATION, change.tracking_id, change.user_guid, change.account)
        tracking.outcome = Outcome.DELIVERED

    def _deliver(self, tracking: Tracking, target: PcnsTarget, attempt: int) -> bool:
        """Sends one change to one target; True when PCNS counts it as delivered."""
        host, change = self._host, tracking.change
        server = host.surroundings.find_host(target.server)
        if server is None and host.settings.pcns.unresolvable_server_disables_target:
            self._log(6027, Level.ERROR, target.name)
            self._disabled_here.add(target.name.lower())
            tracking.outcome, tracking.reason = Outcome.NOT_SENT, "the target's server can't be found; target disabled"
            return False
        trouble = self._authentication_trouble(server, target)
        if server is None or trouble:
            return self._wait(tracking, target, attempt, 6025, trouble or "the target's server can't be found")
        if not server.power.on or not server.services.is_running(SERVICE) or server.sso_server is None:
            return self._wait(tracking, target, attempt, 4003, "the SSO server does not answer")
        caller = Caller(host.identity.account, host.identity.domain)
        receipt = server.sso_server.receive(change, caller, target.user_name_format)
        tracking.reason = receipt.reason
        tracking.adapters += [name for name in receipt.adapters if name not in tracking.adapters]
        if receipt.accepted or host.settings.pcns.on_rejection is Rejection.REPORT_DELIVERED:
            return True
        if host.settings.pcns.on_rejection is Rejection.RETRY:
            return self._wait(tracking, target, attempt, 4003, receipt.reason)
        tracking.outcome = Outcome.REJECTED
        return False

    def _authentication_trouble(self, server: SimulatedHost | None, target: PcnsTarget) -> str:
        """Why Kerberos refuses, after the causes of event 6025 (pcns.md 4)."""
        if server is None:
            return ""
        directory = self._host.surroundings.directory_of(self._host.identity.domain)
        accounts = directory.spn_accounts(target.spn)
        if len(accounts) != 1:
            return f"the SPN {target.spn} is on {len(accounts)} accounts"
        if accounts[0] != SERVICE_ACCOUNT:
            return f"the SPN {target.spn} is not on the account that the target runs as"
        skew = abs((server.now() - self._host.now()).total_seconds())
        return "the clocks differ by more than five minutes" if skew > CLOCK_SKEW_LIMIT else ""

    def _wait(self, tracking: Tracking, target: PcnsTarget, attempt: int, event_id: int, reason: str) -> bool:
        """Keeps a change for later. The same trouble is recorded once, however often it is tried again."""
        change = tracking.change
        tracking.outcome, tracking.reason = Outcome.QUEUED, reason
        known = next((item for item in self._pending if item.tracking is tracking and item.target == target.name), None)
        if known is None:
            known = QueuedChange(tracking, target.name)
            self._pending.append(known)
        known.attempts = attempt
        if known.last_reason != reason:
            known.last_reason = reason
            data = (change.tracking_id, change.user_guid, change.account, target.name, str(attempt))
            if event_id == 4003:
                self._log(4003, Level.WARNING, "1", *data)
            else:
                self._log(6025, Level.ERROR, target.name, reason)
        if self._timer is None:
            self._schedule()
        return False

    def _schedule(self) -> None:
        configuration = self._objects.configuration
        seconds = configuration.retry_interval if configuration else 60
        scale = self._host.settings.pcns.retry_interval_scale
        self._timer = self._host.surroundings.scheduler.after(seconds * scale, self._retry)

    def _retry(self) -> None:
        self._timer = None
        for item in tuple(self._pending):
            target = self._objects.target(item.target)
            if target is None or target.disabled:
                # A disabled or deleted target loses what waits for it (pcns.md 3).
                item.tracking.outcome, item.tracking.reason = Outcome.NOT_SENT, "the target is disabled"
                self._pending.remove(item)
                continue
            if self._deliver(item.tracking, target, item.attempts + 1):
                self._pending.remove(item)
                self._delivered(item.tracking)
            elif item.tracking.outcome is not Outcome.QUEUED:
                self._pending.remove(item)
        if self._pending and self._timer is None:
            self._schedule()

    def _log(self, event_id: int, level: Level, *data: str) -> None:
        configured = self._host.registry.dword(PARAMETERS, "EventLogLevel")
        log_level = 1 if configured is None else configured
        if level is Level.INFORMATION and event_id not in _ALWAYS:
            needed = self._host.settings.pcns.success_event_level if event_id in (2100, 2201, 2303) else 1
            if log_level < needed:
                return
        self._host.events.write("Application", NAME, event_id, level, data)
