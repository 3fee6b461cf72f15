# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module pcns_queue: whether password changes wait on a domain controller for targets of PCNS."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import DeadlineExceeded
from ansible_collections.entsso.password_sync.plugins.module_utils._names import (
    EVENT_LOG_LEVEL_VALUE,
    NOTIFICATION_PACKAGE,
    PCNS_PARAMETERS_KEY,
    PCNS_SERVICE,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._pcns_queue import (
    LATER_EVENTS,
    PROVIDER,
    START_EVENTS,
    QueueState,
    Waiting,
    judge_queue,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._eventlog import Event, EventQuery
from ansible_collections.entsso.password_sync.plugins.plugin_utils._action import WindowsAction
from ansible_collections.entsso.password_sync.plugins.plugin_utils._resource import Task
from ansible_collections.entsso.password_sync.plugins.plugin_utils._system import (
    System,
    read_system,
    require_domain_controller,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._deadline import Deadline
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host, open_host
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._services import ServiceRunState

_DEFAULT_LEVEL = 1
"""EventLogLevel where nothing is set (pcns.md 1)."""

_INTERVAL = 1.0


class PcnsQueueAction(WindowsAction):
    """Looks at the queue of one domain controller; restarts its service where that is asked for."""

    def _perform(self, task: Task, task_vars: Mapping[str, Any]) -> dict[str, Any]:
        targets = [str(name) for name in task.arguments["targets"]]
        with open_host(self._connection, task_vars, name=task.subject) as host:
            system = read_system(host)
            require_domain_controller(task.subject, system)
            queue = _Queue(host, task, system)
            answers = queue.answers(targets)
            if task.arguments["restart_service"] and queue.running and _doubtful(answers):
                answers = queue.after_restart(targets)
        stamp = f"{queue.looked_at:%Y-%m-%dT%H:%M:%SZ}"
        states = [QueueState(name, system.name, *answer, stamp) for name, answer in answers.items()]
        return {
            "changed": queue.restarts,
            "msg": "; ".join(f"{state.target}: {_SAID[state.waiting]} ({state.evidence})" for state in states)
            or "no target was named",
            "queues": [state.to_json() for state in states],
        }


_SAID = {
    Waiting.NONE: "no change waits",
    Waiting.SOME: "changes wait",
    Waiting.UNKNOWN: "whether changes wait is not known",
    Waiting.AFTER_RESTART: "a restart of the service will tell",
}

_Answers = dict[str, tuple[Waiting, str]]


class _Queue:
    """The queue of one domain controller."""

    def __init__(self, host: Host, task: Task, system: System) -> None:
        self._host = host
        self._task = task
        self._system = system
        self.looked_at = system.local_time
        self.restarts = False
        service = host.services.get(PCNS_SERVICE)
        self._installed = service is not None or _has_filter(host, system)
        self.running = service is not None and service.state is ServiceRunState.RUNNING

    def answers(self, targets: Sequence[str]) -> _Answers:
        """Returns what the events tell now."""
        if not self._installed:
            return dict.fromkeys(targets, (Waiting.NONE, "PCNS is not installed there"))
        if not self.running:
            return dict.fromkeys(targets, (Waiting.UNKNOWN, f"the service {PCNS_SERVICE} does not run"))
        return self._judged(targets, None)

    def after_restart(self, targets: Sequence[str]) -> _Answers:
        """Restarts the service, which then tells how much it found; in check mode returns that it would."""
        self.restarts = True
        if self._task.check_mode:
            return dict.fromkeys(targets, (Waiting.AFTER_RESTART, "the service will be restarted, and then tells"))
        seconds = float(self._task.arguments["deadline"])
        self._task.say("restarting PCNS, so that it tells what waits in its queue")
        before = self._newest_record()
        self._host.services.stop(PCNS_SERVICE, seconds)
        self._host.services.start(PCNS_SERVICE, seconds)
        deadline = Deadline(seconds, time.monotonic)
        while True:
            events = self._events()
            started = [item for item in events if item.event_id in START_EVENTS and item.record_id > before]
            if started:
                self.looked_at = started[-1].time
                return self._judged(targets, started[-1].time, events)
            if deadline.passed:
                raise DeadlineExceeded(
                    self._task.subject,
                    f"service {PCNS_SERVICE}",
                    f"it was restarted, and within {seconds:g} seconds no event {' or '.join(map(str, START_EVENTS))} "
                    "told what it found in its queue",
                    "Look at the events of PCNSSVC there",
                )
            time.sleep(min(_INTERVAL, max(0.0, deadline.left)))

    def _judged(
        self, targets: Sequence[str], started: datetime | None, events: Sequence[Event] | None = None
    ) -> _Answers:
        known = self._events() if events is None else events
        level = self._host.registry.dword(PCNS_PARAMETERS_KEY, EVENT_LOG_LEVEL_VALUE)
        return {
            name: judge_queue(
                name,
                known,
                event_log_level=_DEFAULT_LEVEL if level is None else level,
                started_by_us=started,
            )
            for name in targets
        }

    def _newest_record(self) -> int:
        return max((item.record_id for item in self._events()), default=0)

    def _events(self) -> tuple[Event, ...]:
        query = EventQuery(
            "Application",
            provider=PROVIDER,
            event_ids=(*START_EVENTS, *LATER_EVENTS),
            since=self._system.boot_time,
        )
        reading = self._host.events.read([query])
        return () if reading.unreadable else reading.events


def _has_filter(host: Host, system: System) -> bool:
    """Whether the capture component is there without its service: it queues by itself (pcns.md 5)."""
    return host.files.stat(rf"{system.system_directory}\{NOTIFICATION_PACKAGE}.dll") is not None


def _doubtful(answers: _Answers) -> bool:
    return any(waiting is not Waiting.NONE for waiting, _evidence in answers.values())
