# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module rollout_wave: whether a wave of the plan may start now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_approval import (
    not_approved,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_check import wave_violations
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_file import PlanFile, read_plan
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_input import (
    Seen,
    collect,
    collect_without_directory,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_plan import (
    Wave,
    unknown_problem,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_policy import (
    DomainController,
    Problem,
    Work,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_table import duration
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_window import late_problems
from ansible_collections.entsso.password_sync.plugins.plugin_utils._action import WindowsAction, display
from ansible_collections.entsso.password_sync.plugins.plugin_utils._resource import Task
from ansible_collections.entsso.password_sync.plugins.plugin_utils._rollout_variables import HostVariables, refuse


class RolloutWaveAction(WindowsAction):
    """Asks no host: what was observed a moment ago is in the variables of the run."""

    def _perform(self, task: Task, task_vars: Mapping[str, Any]) -> dict[str, Any]:
        names = task.arguments["domain_controllers"]
        rollout = task.arguments["rollout"]
        plan = read_plan(str(rollout["plan"]).encode(), str(rollout["sha256"]))
        entry = self._entry(names, rollout)
        wave = _wave(plan, int(entry["number"]))
        everyone = _everyone(task, task_vars, wave)
        members = {item.name: item for item in everyone if item.name in names}
        problems = list(_changed_since(wave, members))
        problems += wave_violations(everyone, plan.policy, names)
        if not task.check_mode:
            left = Wave(wave.number, wave.window, tuple(members.values()))
            problems += late_problems(left, str(rollout["window_ends"]), datetime.now(UTC))
        if problems:
            refuse(f"Wave {wave.number} must not start", problems)
        last = rollout["waves"][-1]["number"]
        told = f"Wave {wave.number} of {last} starts: {', '.join(names)}. It takes at most {_longest(members)}."
        display.display(told)
        return {"changed": False, "msg": told, "number": wave.number}

    def _entry(self, names: list[str], rollout: Mapping[str, Any]) -> Mapping[str, Any]:
        for entry in rollout["waves"]:
            if set(entry["domain_controllers"]) == set(names):
                found: Mapping[str, Any] = entry
                return found
        raise self._failure(
            f"{', '.join(names)} would be worked on together, and that is no wave of the plan.",
            "Run playbooks/domain_controllers.yml as it is, without a `serial` or `order` of your own.",
            {},
        )


def _wave(plan: PlanFile, number: int) -> Wave:
    return next(wave for wave in plan.waves if wave.number == number)


def _everyone(task: Task, task_vars: Mapping[str, Any], wave: Wave) -> tuple[DomainController, ...]:
    """Returns every domain controller of the forest as it is now.

    Where the directory says who answers, nothing else matters of those that are not in the wave.
    """
    names, directory = task.arguments["domain_controllers"], task.arguments["directory"]
    worst = max(item.worst_case_seconds for item in wave.domain_controllers)
    if directory is None:
        seen = Seen(HostVariables(task_vars["hostvars"]), worst)
        return collect_without_directory(names, task.arguments["inventory"], seen)
    told = any(entry.get("available") is not None for entry in directory)
    seen = Seen(HostVariables(task_vars["hostvars"], only=names if told else None), worst, directory_first=True)
    return collect(names, directory, seen)


def _changed_since(wave: Wave, now: Mapping[str, DomainController]) -> Iterator[Problem]:
    """What the plan does not have, although it did when the run began."""
    then = {item.name: item for item in wave.domain_controllers}
    for name, item in now.items():
        if item.work is Work.UNKNOWN:
            yield unknown_problem(item)
        elif item.work is Work.PENDING:
            yield from not_approved(item, then.get(name))


def _longest(members: Mapping[str, DomainController]) -> str:
    return duration(max(item.worst_case_seconds for item in members.values()))
