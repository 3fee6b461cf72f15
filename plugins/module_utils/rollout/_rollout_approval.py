# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares what a rollout would do now with the plan that was approved; pure.

Less than was approved is fine, since a rollout may have been stopped half-way. Anything else is refused: another domain
controller, another change, another value, and a wave that no longer keeps to the policy because a role moved
or a domain controller is down.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ansible_collections.entsso.password_sync.plugins.module_utils._plan import Change
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_check import violations
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_file import PlanFile
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_plan import (
    Wave,
    unknown_problem,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_policy import (
    UNLISTED,
    DomainController,
    Problem,
    Work,
)

_APPROVE_ANEW = "Plan anew and have the new plan approved, or undo what changed since"


@dataclass(frozen=True)
class Approval:
    """What is left of an approved plan.

    Attributes:
        waves: The approved waves with those on which there is still something to do, as they are now; waves that are
            done are left out, the others keep their numbers.
        refused: What is not in the approved plan, or no longer keeps to its policy. No rollout starts while
            there is any.
    """

    waves: tuple[Wave, ...]
    refused: tuple[Problem, ...]


def compare_with_approved(approved: PlanFile, domain_controllers: Sequence[DomainController]) -> Approval:
    """Returns what is left to do of an approved plan, and what must not be done.

    Args:
        approved: The plan that was approved.
        domain_controllers: All of the forest, as they are now.
    """
    now = {item.name: item for item in sorted(domain_controllers, key=lambda item: item.name)}
    pending = {name: item for name, item in now.items() if item.work is Work.PENDING}
    then = {item.name: item for wave in approved.waves for item in wave.domain_controllers}
    refused = [unknown_problem(item) for item in now.values() if item.work is Work.UNKNOWN]
    refused += [_not_in_inventory(name) for name in then if name not in now or now[name].reason == UNLISTED]
    for name, item in pending.items():
        refused += not_approved(item, then.get(name))
        refused += [item.refused] if item.refused is not None else []
    left = [
        replace(wave, domain_controllers=members)
        for wave in approved.waves
        if (members := tuple(pending[name] for name in wave.names if name in pending))
    ]
    # Those that the plan does not have at all have been named above.
    known = [item if item.name in then else replace(item, work=Work.NOTHING) for item in now.values()]
    refused += violations(known, approved.policy, [wave.names for wave in left])
    return Approval(tuple(left), tuple(refused))


def _not_in_inventory(name: str) -> Problem:
    return Problem(
        name,
        "the approved plan changes it, and the inventory of this run does not have it",
        "Run with the whole inventory and without job slices (`job_slice_count: 1` in AWX), or plan anew where it was "
        "demoted",
    )


def not_approved(item: DomainController, then: DomainController | None) -> Iterator[Problem]:
    """Returns what would be done to a domain controller now and was not approved.

    Args:
        item: As it is now.
        then: As it is in the approved plan; `None` when it is not in it.
    """
    if then is None:
        needed = "; ".join(change.sentence() for change in item.changes)
        yield Problem(item.name, f"the approved plan does not change it, and now it needs: {needed}", _APPROVE_ANEW)
        return
    granted = [*then.changes, *then.possible]
    for change in (*item.changes, *item.possible):
        difference = _difference(change, granted)
        if difference:
            yield Problem(item.name, difference, _APPROVE_ANEW)


def _difference(change: Change, granted: Iterable[Change]) -> str:
    """Returns how a change goes beyond what was granted; empty when it does not."""
    same = [
        item
        for item in granted
        if (item.resource, item.name.lower(), item.operation)
        == (change.resource, change.name.lower(), change.operation)
    ]
    if not same:
        return f"the approved plan does not have {change.sentence()}"
    for name, value in change.new.items():
        values = [item.new[name] for item in same if name in item.new]
        if value not in values:
            approved = (
                f"approved is {', '.join(map(repr, values))}" if values else "the approved plan does not change it"
            )
            what = f"{change.operation.value} {change.resource} {change.name}"
            return f"{what} would now set {name} to {value!r}, and {approved}"
    implied = change.implies - frozenset[object]().union(*(item.implies for item in same))
    if implied:
        what = ", ".join(sorted(item.value for item in implied))
        return f"{change.sentence()} now makes a {what} necessary, which the approved plan does not have"
    return ""
