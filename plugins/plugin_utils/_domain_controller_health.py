# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module domain_controller_health: looks until every gate has passed, one can't pass, or the time is up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    AuthenticationRejected,
    HostError,
    UnsupportedConnection,
    WrongMachine,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import PlanError
from ansible_collections.entsso.password_sync.plugins.module_utils.health._gate import Gate, GateName, Verdict
from ansible_collections.entsso.password_sync.plugins.module_utils.health._health import Health, State, without
from ansible_collections.entsso.password_sync.plugins.plugin_utils._action import WindowsAction
from ansible_collections.entsso.password_sync.plugins.plugin_utils._resource import Task
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory import Directory
from ansible_collections.entsso.password_sync.plugins.plugin_utils.health._directory_reading import (
    GATES as DIRECTORY_GATES,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.health._directory_reading import DirectoryLook
from ansible_collections.entsso.password_sync.plugins.plugin_utils.health._host_reading import (
    look_at_host,
    read_neighbours,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._deadline import Deadline
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host, open_host

LOOKS_AT_UNKNOWN = 3
"""Looks after which what can't be read is taken to stay so."""

_GATES_NAMED = len(DIRECTORY_GATES)
"""Gates that are named for one sentence; more have it only where the host does not answer at all."""

_FINAL = (AuthenticationRejected, UnsupportedConnection, WrongMachine)
"""Errors that waiting does not mend, or that must not be repeated."""


@dataclass(frozen=True)
class Wanted:
    """What the task asks for.

    Attributes:
        booted_after: Start of Windows before the restart.
        since: From when on errors are new.
        skipped: Gates that are left out.
        accepted: Gates that may be unknown.
    """

    booted_after: datetime | None
    since: datetime | None
    skipped: frozenset[GateName]
    accepted: frozenset[GateName]


@dataclass
class Progress:
    """What came of looking so far."""

    health: Health = field(default_factory=lambda: Health(()))
    booted: str = ""
    looks: int = 0
    unknown: int = 0

    def add(self, health: Health, booted: str) -> None:
        """Keeps one look."""
        self.health = health
        self.booted = booted or self.booted
        self.looks += 1
        self.unknown = self.unknown + 1 if health.state is State.UNKNOWN else 0

    @property
    def settled(self) -> bool:
        """Whether looking again is of no use."""
        state = self.health.state
        return state in (State.HEALTHY, State.FAILED) or self.unknown >= LOOKS_AT_UNKNOWN


class DomainControllerHealthAction(WindowsAction):
    """Waits for one domain controller, and changes nothing."""

    def _perform(self, task: Task, task_vars: Mapping[str, Any]) -> dict[str, Any]:
        wanted = _wanted(task)
        directory = self._directory_or_none(task_vars)
        asks = set(DIRECTORY_GATES) - wanted.skipped
        if directory is None and asks:
            task.warn(
                "Whether it answers over LDAP, is synchronized and advertised is not checked, since no directory is "
                "configured (password_sync_ldap_domain)."
            )
        with directory or nullcontext(), open_host(self._connection, task_vars, name=task.subject) as host:
            progress = _wait(host, directory, task, wanted)
            statistics = {"requests": host.statistics.requests, "bytes_sent": host.statistics.bytes_sent}
            result = _result(task, progress, statistics)
            if progress.health.healthy or task.check_mode:
                _warn(task, progress.health)
                return result
        raise self._failure(
            result["msg"],
            f"{progress.health.remedies()} No further domain controller is to be touched before that; then run again, "
            "and what is done is not done again.",
            {name: value for name, value in result.items() if name not in ("changed", "msg")},
        )


def _wait(host: Host, directory: Directory | None, task: Task, wanted: Wanted) -> Progress:
    """Looks until looking again is of no use; says what it waits for whenever that changes."""
    seconds = 0.0 if task.check_mode else float(task.arguments["deadline"])
    deadline = Deadline(seconds, host.clock)
    by_directory = DirectoryLook(directory, lambda: read_neighbours(host), wanted.since)
    progress = Progress()
    seen = ""
    while True:
        try:
            _look(host, by_directory, task.subject, wanted, progress)
        except _FINAL:
            raise
        except HostError as error:
            if seconds <= 0:
                raise
            host.reset()
            progress.add(Health(without(wanted.skipped, _silent(error)), wanted.accepted), "")
        if progress.settled or deadline.passed:
            break
        told = _waited_for(progress.health)
        if told != seen:
            task.say(f"waiting for {told}")
            seen = told
        host.sleep(max(0.0, min(float(task.arguments["interval"]), deadline.left)))
    if progress.health.healthy and seen:
        task.say(f"is healthy after {seconds - deadline.left:.0f} s")
    return progress


def _look(host: Host, by_directory: DirectoryLook, subject: str, wanted: Wanted, progress: Progress) -> None:
    seen = look_at_host(host, subject, wanted.booted_after, wanted.since)
    gates = seen.gates
    if set(DIRECTORY_GATES) - wanted.skipped:
        gates += by_directory.gates(seen.system, serves=seen.serves)
    progress.add(Health(without(wanted.skipped, gates), wanted.accepted), f"{seen.system.boot_time:%Y-%m-%dT%H:%M:%SZ}")


def _silent(error: HostError) -> tuple[Gate, ...]:
    reason = error.reason.split(".")[0][:200]
    return tuple(
        Gate(name, Verdict.WAITING, f"it does not answer over WinRM ({reason})", "Look at its console")
        for name in GateName
    )


def _waited_for(health: Health) -> str:
    """Returns what is waited for, each sentence once with the gates that it is of."""
    names: dict[str, list[str]] = {}
    for gate in health.open:
        names.setdefault(gate.sentence, []).append(gate.name.value)
    return "; ".join(
        f"{', '.join(gates) if len(gates) <= _GATES_NAMED else 'everything'}: {sentence}"
        for sentence, gates in names.items()
    )


def _result(task: Task, progress: Progress, statistics: Mapping[str, int]) -> dict[str, Any]:
    health = progress.health
    waited = f" after {task.arguments['deadline']} s" if health.state is State.WAITING and not task.check_mode else ""
    message = (
        f"{task.subject} is healthy."
        if health.healthy
        else f"{task.subject} is not healthy{waited}: {_waited_for(health)}."
    )
    return {
        "changed": False,
        "msg": message,
        "healthy": health.healthy,
        "state": health.state.value,
        "gates": [gate.to_json() for gate in health.gates],
        "waiting_for": [gate.name.value for gate in health.open],
        "boot_time": progress.booted,
        "looks": progress.looks,
        "statistics": dict(statistics),
    }


def _warn(task: Task, health: Health) -> None:
    for gate in health.taken_as_passed:
        task.warn(f"The gate {gate.name.value} is unknown, and accepted as such: {gate.sentence}.")
    if not health.healthy:
        task.warn(f"It is not healthy as it is now: {_waited_for(health)}. {health.remedies()}")


def _wanted(task: Task) -> Wanted:
    return Wanted(
        booted_after=_time(task, "booted_after"),
        since=_time(task, "since"),
        skipped=frozenset(GateName(name) for name in task.arguments["skip"]),
        accepted=frozenset(GateName(name) for name in task.arguments["accept_unknown"]),
    )


def _time(task: Task, option: str) -> datetime | None:
    given = task.arguments[option]
    if not given:
        return None
    read: Callable[[str], datetime] = datetime.fromisoformat
    try:
        found = read(str(given))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise PlanError(
            task.subject,
            f"The option `{option}` is {str(given)[:60]!r}, which is no time with a time zone.",
            "Give one such as 2026-11-20T02:10:31Z.",
        )
    return found
