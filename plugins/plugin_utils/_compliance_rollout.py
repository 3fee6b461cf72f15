# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the report says of a rollout of the same run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.entsso.password_sync.plugins.module_utils._hosts import OBSERVATION
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import Change
from ansible_collections.entsso.password_sync.plugins.module_utils.report._printable import one_line
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_file import (
    change_from_json,
    read_plan,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_input import NOT_OBSERVED
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_policy import (
    DomainController,
    Policy,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_progress import (
    Progress,
    Rollout,
    Step,
    next_step,
    progress_sentence,
    step_of,
)

ROLLOUT, FAILURE = "pcns_rollout", "pcns_rollout_failure"
"""Variables in which a rollout records its plan, and why it stopped at a host."""


def rollout_of(names: Sequence[str], hostvars: Mapping[str, Mapping[str, Any]]) -> Rollout | None:
    """Returns the rollout of this run and how far it has come; `None` when there was none, or it had nothing to do.

    Args:
        names: The domain controllers of the run.
        hostvars: Ansible's variables of all hosts.
    """
    variables = {name: hostvars[name] for name in names}
    failures = {name: str(values[FAILURE]) for name, values in variables.items() if FAILURE in values}
    planned = next((values[ROLLOUT] for values in variables.values() if "plan" in (values.get(ROLLOUT) or {})), None)
    if planned is None:
        refused = next(iter(failures.values()), "")
        return Rollout(Policy(), (), refused=one_line(refused)) if refused else None
    plan = read_plan(str(planned["plan"]).encode(), str(planned["sha256"]))
    if not planned["waves"] and not failures:
        return None
    members = [item for wave in plan.waves for item in wave.domain_controllers]
    steps = [_step(item, variables.get(item.name) or {}, failures.get(item.name, "")) for item in members]
    # A host that no wave has can only say why none was begun.
    known = {item.name for item in members}
    others = [Step(name, Progress.STOPPED, one_line(why)) for name, why in failures.items() if name not in known]
    return Rollout(plan.policy, plan.waves, len(names) - len(known & set(names)), (*steps, *others))


def rollout_notes(rollout: Rollout | None) -> list[str]:
    """Returns what a reader must know of a rollout that has not come to its end."""
    if rollout is None:
        return []
    if rollout.refused:
        return [f"{progress_sentence(rollout)}: {rollout.refused}"]
    stopped = [step for step in rollout.steps if step.progress is Progress.STOPPED]
    notes = [f"The rollout stopped at {step.name}: {step.why}" for step in stopped]
    if any(step.progress is not Progress.DONE for step in rollout.steps):
        notes.append(f"{progress_sentence(rollout)}. Next: {next_step(rollout)}")
    return notes


def _step(item: DomainController, variables: Mapping[str, Any], failure: str) -> Step:
    observed = variables.get(OBSERVATION)
    result: Mapping[str, Any] = observed if isinstance(observed, Mapping) else {}
    now: list[Change] | None = None
    if "planned" in result and not result.get("problems"):
        now = [change_from_json(change) for change in result["planned"]]
    unseen = " ".join(str(text) for text in (result.get("problems") or {}).values())
    unseen = unseen or str(result.get("msg") or NOT_OBSERVED)
    return step_of(item, now, failure, unseen.removeprefix("Task failed: "))
