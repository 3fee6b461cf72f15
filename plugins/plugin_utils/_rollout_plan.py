# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module rollout_plan: computes, shows and saves a plan, or holds a run to one that was approved."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from ansible import context

from ansible_collections.entsso.password_sync.plugins.module_utils.report._printable import count
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_approval import (
    compare_with_approved,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_file import (
    PlanFile,
    PlanFileError,
    digest,
    policy_from_json,
    policy_json,
    read_plan,
    render_plan,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_input import UNLISTED, collect
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_plan import Wave, plan_rollout
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_policy import (
    DomainController,
    Policy,
    Problem,
    Work,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_table import (
    summary_line,
    table_lines,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils._action import WindowsAction, display
from ansible_collections.entsso.password_sync.plugins.plugin_utils._compliance_report import DC_OBSERVATION
from ansible_collections.entsso.password_sync.plugins.plugin_utils._resource import Task

_MOST_TOLD = 10


class RolloutPlanAction(WindowsAction):
    """Asks no host: everything is in the arguments and in the variables that the run registered."""

    def _perform(self, task: Task, task_vars: Mapping[str, Any]) -> dict[str, Any]:
        arguments = task.arguments
        hosts = _Variables(task_vars["hostvars"])
        domain_controllers = collect(
            arguments["domain_controllers"],
            arguments["directory"],
            hosts,
            arguments["worst_case_seconds"],
            DC_OBSERVATION,
        )
        unlisted = [item.name for item in domain_controllers if item.reason == UNLISTED and not item.read_only]
        if unlisted:
            task.warn(
                f"{', '.join(unlisted)}: {UNLISTED}. Password changes made there are lost; "
                f"add {'it' if len(unlisted) == 1 else 'them'} to the inventory, exempt if that is on purpose."
            )
        if arguments["approved_plan"] is not None:
            return self._approved(task, domain_controllers)
        return self._planned(task, domain_controllers)

    def _planned(self, task: Task, domain_controllers: Sequence[DomainController]) -> dict[str, Any]:
        policy = _policy(task.arguments["policy"], domain_controllers)
        plan = plan_rollout(domain_controllers, policy)
        left_out = len(plan.left_out)
        if plan.problems:
            self._refuse("No rollout can be planned as it is", plan.problems)
        text = render_plan(plan)
        result = self._result(task, plan.waves, digest(text), summary_line(plan.waves, left_out))
        result["lower_bound"] = plan.lower_bound
        dest = task.arguments["dest"]
        if dest is not None:
            result.update(self._written(Path(dest).absolute(), text, task.check_mode))
        return result

    def _approved(self, task: Task, domain_controllers: Sequence[DomainController]) -> dict[str, Any]:
        approved = self._read(task.arguments["src"], task.arguments["approved_plan"])
        given = task.arguments["policy"]
        if given is not None:
            wanted, written = policy_json(_policy(given, domain_controllers)), policy_json(approved.policy)
            different = sorted(name for name in wanted if wanted[name] != written[name])
            if different:
                told = "; ".join(f"{name} is {wanted[name]!r}, approved is {written[name]!r}" for name in different)
                raise self._failure(
                    f"The policy of this run is not the one of the approved plan: {told}.",
                    "Leave `policy` out, since the approved plan has its own, or plan anew.",
                    {},
                )
        approval = compare_with_approved(approved, domain_controllers)
        if approval.refused:
            self._refuse("The approved plan does not cover what this run would do", approval.refused)
        done = sum(item.work in (Work.NOTHING, Work.EXEMPT) for item in domain_controllers)
        return self._result(task, approval.waves, approved.sha256, summary_line(approval.waves, done))

    def _read(self, src: str, approved: str) -> PlanFile:
        try:
            return read_plan(Path(src).absolute().read_bytes(), approved)
        except OSError as error:
            raise self._failure(
                f"The plan file {src} can't be read: {error.strerror}.", "Give the file that was approved.", {}
            ) from None
        except PlanFileError as error:
            raise self._failure(
                f"The plan file {src} {error}.",
                f"Fetch the file whose SHA-256 is {approved}, or plan anew and have that plan approved.",
                {},
            ) from None

    def _result(self, task: Task, waves: Sequence[Wave], sha256: str, summary: str) -> dict[str, Any]:
        largest = max((len(wave.domain_controllers) for wave in waves), default=0)
        forks = int(context.CLIARGS.get("forks") or 0)
        if forks and largest > forks:
            task.warn(
                f"The largest wave has {largest} domain controllers and Ansible works on {forks} at a time, so it may "
                f"take longer than its worst case. Run with at least {largest} forks, or lower max_unavailable_total."
            )
        table = table_lines(waves) if waves else []
        for line in [*table, summary, f"SHA-256 of the plan: {sha256}"]:
            display.display(line)
        return {
            "changed": False,
            "msg": summary,
            "sha256": sha256,
            "table": table,
            "waves": [
                {
                    "number": wave.number,
                    "window": wave.window,
                    "worst_case_seconds": wave.worst_case_seconds,
                    "domain_controllers": list(wave.names),
                }
                for wave in waves
            ],
        }

    def _written(self, dest: Path, text: str, check_mode: bool) -> dict[str, Any]:
        """Writes the plan file when its content differs; returns what that adds to the result."""
        try:
            before = dest.read_bytes().decode("utf-8", "replace") if dest.exists() else ""
            if before != text and not check_mode:
                dest.parent.mkdir(parents=True, exist_ok=True)
                _replace(dest, text)
        except OSError as error:
            raise self._failure(
                f"The plan can't be written to {dest}: {error.strerror}.",
                "Give a `dest` on the control node that this user may write to.",
                {},
            ) from None
        found: dict[str, Any] = {"changed": before != text, "dest": str(dest)}
        if self._task.diff:
            found["diff"] = [{"before_header": str(dest), "after_header": str(dest), "before": before, "after": text}]
        return found

    def _refuse(self, what: str, problems: Sequence[Problem]) -> NoReturn:
        told = " ".join(str(problem) for problem in problems[:_MOST_TOLD])
        more = len(problems) - _MOST_TOLD
        raise self._failure(
            f"{what}: {told}" + (f" {count(more, 'more problem')}: see `problems`." if more > 0 else ""),
            "",
            {
                "problems": [
                    {"subject": problem.subject, "reason": problem.reason, "remedy": problem.remedy}
                    for problem in problems
                ]
            },
        )


class _Variables(Mapping[str, Mapping[str, Any]]):
    """Ansible's `hostvars` as a mapping that is asked only for the hosts that matter."""

    def __init__(self, hostvars: Any) -> None:
        self._hostvars = hostvars
        self._names = dict.fromkeys(str(name) for name in hostvars)

    def __getitem__(self, name: str) -> Mapping[str, Any]:
        if name not in self._names:
            raise KeyError(name)
        found: Mapping[str, Any] = self._hostvars[name]
        return found

    def __iter__(self) -> Any:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def _policy(given: Mapping[str, Any] | None, domain_controllers: Sequence[DomainController]) -> Policy:
    """Returns the policy, with names as the inventory writes them."""
    policy = policy_from_json(given) if given is not None else Policy()
    names = {item.name.lower(): item.name for item in domain_controllers}
    return replace(
        policy,
        canaries=tuple(names.get(name.lower(), name) for name in policy.canaries),
        order=tuple(names.get(name.lower(), name) for name in policy.order),
    )


def _replace(dest: Path, text: str) -> None:
    """Writes a file so that nobody ever sees half of it."""
    handle, name = tempfile.mkstemp(dir=dest.parent, prefix=f".{dest.name}.")
    try:
        with os.fdopen(handle, "w", encoding="ascii", newline="\n") as stream:
            stream.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(dest)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
