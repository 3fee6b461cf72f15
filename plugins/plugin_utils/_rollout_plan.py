# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module rollout_plan: computes, shows and saves a plan, or holds a run to one that was approved."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible import context
from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.entsso.password_sync.plugins.module_utils._hosts import exempt_hosts
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import PlanError
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_approval import (
    compare_with_approved,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_file import (
    PlanFile,
    PlanFileError,
    canonical,
    digest,
    policy_from_json,
    policy_json,
    read_plan,
    render_plan,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_input import (
    Seen,
    collect,
    collect_without_directory,
    without_permission,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_plan import Wave, plan_rollout
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_policy import (
    UNLISTED,
    DomainController,
    Policy,
    Work,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_table import (
    summary_line,
    table_lines,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_window import window_end
from ansible_collections.entsso.password_sync.plugins.plugin_utils._action import WindowsAction, display
from ansible_collections.entsso.password_sync.plugins.plugin_utils._resource import Task
from ansible_collections.entsso.password_sync.plugins.plugin_utils._rollout_variables import HostVariables, refuse

_LOCK_SPARE = 30
"""Minutes that the lock lasts beyond the worst case of a wave."""

_PERMISSION = "pcns_restart_allowed"

_NO_DIRECTORY = (
    "The directory is not configured (password_sync_ldap_domain), so operations masters, global catalogs and domain "
    "controllers that the inventory lacks are not known, sites are what pcns_site says, and domain controllers that "
    "this run does not look at count as answering."
)


class RolloutPlanAction(WindowsAction):
    """Asks no host: everything is in the arguments and in the variables that the run registered."""

    def _perform(self, task: Task, task_vars: Mapping[str, Any]) -> dict[str, Any]:
        _refuse_slices(task_vars)
        arguments = task.arguments
        seen = Seen(HostVariables(task_vars["hostvars"]), arguments["worst_case_seconds"])
        if arguments["directory"] is None:
            task.warn(_NO_DIRECTORY)
            domain_controllers = collect_without_directory(
                arguments["domain_controllers"], arguments["inventory"], seen
            )
        else:
            domain_controllers = collect(arguments["domain_controllers"], arguments["directory"], seen)
        if arguments["require_permission"] and not task.check_mode:
            domain_controllers = without_permission(
                domain_controllers, lambda name: boolean(seen.variables[name].get(_PERMISSION, False), strict=False)
            )
        unlisted = [item.name for item in domain_controllers if item.reason == UNLISTED and not item.read_only]
        if unlisted:
            task.warn(
                f"{', '.join(unlisted)}: {UNLISTED}. Password changes made there are lost; "
                f"add {'it' if len(unlisted) == 1 else 'them'} to the inventory, exempt if that is on purpose."
            )
        plan = self._planned if arguments["approved_plan"] is None else self._approved
        inventory = arguments["inventory"] or arguments["domain_controllers"]
        exempt = exempt_hosts(inventory, seen.variables)
        stable = next((name for name in inventory if name not in exempt), "")
        return {**plan(task, domain_controllers), "lock_host": stable}

    def _planned(self, task: Task, domain_controllers: Sequence[DomainController]) -> dict[str, Any]:
        policy = _policy(task.arguments, domain_controllers)
        plan = plan_rollout(domain_controllers, policy)
        if plan.problems:
            refuse("No rollout can be planned as it is", plan.problems)
        text = render_plan(plan)
        result = self._result(task, plan.waves, text, policy, domain_controllers)
        result["lower_bound"] = plan.lower_bound
        dest = task.arguments["dest"]
        if dest is not None:
            result.update(self._written(Path(dest).absolute(), text, task.check_mode))
        return result

    def _approved(self, task: Task, domain_controllers: Sequence[DomainController]) -> dict[str, Any]:
        text, approved = self._read(task.arguments["src"], task.arguments["approved_plan"])
        if task.arguments["policy"] is not None:
            wanted, written = (
                policy_json(policy) for policy in (_policy(task.arguments, domain_controllers), approved.policy)
            )
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
            refuse("The approved plan does not cover what this run would do", approval.refused)
        return self._result(task, approval.waves, text, approved.policy, domain_controllers)

    def _read(self, src: str, approved: str) -> tuple[str, PlanFile]:
        try:
            content = Path(src).absolute().read_bytes()
            plan = read_plan(content, approved)
            return canonical(json.loads(content.decode("utf-8-sig"))), plan
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

    def _result(
        self,
        task: Task,
        waves: Sequence[Wave],
        text: str,
        policy: Policy,
        domain_controllers: Sequence[DomainController],
    ) -> dict[str, Any]:
        largest = max((len(wave.domain_controllers) for wave in waves), default=0)
        forks = int(context.CLIARGS.get("forks") or 0)
        if forks and largest > forks:
            task.warn(
                f"The largest wave has {largest} domain controllers and Ansible works on {forks} at a time, so it may "
                f"take longer than its worst case. Run with at least {largest} forks, or lower max_unavailable_total."
            )
        done = sum(item.work in (Work.NOTHING, Work.EXEMPT) for item in domain_controllers)
        ends = window_end(task.arguments["window_ends"], policy.window_seconds, datetime.now(UTC))
        table = table_lines(waves) if waves else []
        summary = summary_line(waves, done)
        for line in [*table, summary, f"SHA-256 of the plan: {digest(text)}"]:
            display.display(line)
        return {
            "changed": False,
            "msg": summary,
            "sha256": digest(text),
            "plan": text,
            "table": table,
            "window_ends": ends,
            "lock_minutes": _LOCK_SPARE + max((-(-wave.worst_case_seconds // 60) for wave in waves), default=0),
            "domain_writers": _writers(waves),
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


def _policy(arguments: Mapping[str, Any], domain_controllers: Sequence[DomainController]) -> Policy:
    """Returns the policy, with names as the inventory writes them."""
    given = arguments["policy"]
    policy = policy_from_json(given) if given is not None else Policy()
    if arguments["directory"] is None and (given is None or given["assume_available"] is None):
        policy = replace(policy, assume_available=True)
    names = {item.name.lower(): item.name for item in domain_controllers}
    return replace(
        policy,
        canaries=tuple(names.get(name.lower(), name) for name in policy.canaries),
        order=tuple(names.get(name.lower(), name) for name in policy.order),
    )


def _writers(waves: Sequence[Wave]) -> list[str]:
    """Returns the first domain controller of each domain."""
    found: dict[str, str] = {}
    for wave in waves:
        for item in wave.domain_controllers:
            found.setdefault(item.domain, item.name)
    return list(found.values())


def _refuse_slices(task_vars: Mapping[str, Any]) -> None:
    """Refuses a job slice of AWX, of which each would plan as if its part of the inventory were all.

    AWX tells a job nothing of slices. But it wraps them in a workflow job that has the name of the job template
    (`JobTemplate.create_unified_job` of AWX copies it), and tells both names.
    """
    template = str(task_vars.get("awx_job_template_name") or "")
    if template and template == str(task_vars.get("awx_workflow_job_name") or ""):
        raise PlanError(
            "Rollout",
            f"AWX seems to run a slice of the job template {template}, and a rollout must see the whole inventory.",
            "Set the job slicing of the template (job_slice_count) to 1; where that is so already and a workflow has "
            "the same name, give it another one.",
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
