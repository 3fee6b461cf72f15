# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a rollout: which domain controller is changed in which wave; pure.

The policy is written out in `_rollout_policy.py`. What can't be planned is named with a reason and a way out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_limits import (
    Limit,
    Rule,
    fits,
    limits,
    lower_bound,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_policy import (
    DomainController,
    Policy,
    Problem,
    Stage,
    Work,
    contradictions,
    window_problem,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_spread import Item, spread


@dataclass(frozen=True)
class Wave:
    """The domain controllers that may be down at the same time.

    Attributes:
        number: From 1.
        window: The maintenance window that it falls into when every wave takes its worst case; from 1.
        domain_controllers: In the order of their names.
    """

    number: int
    window: int
    domain_controllers: tuple[DomainController, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names in it."""
        return tuple(item.name for item in self.domain_controllers)

    @property
    def worst_case_seconds(self) -> int:
        """How long it may take, when its domain controllers are worked on at the same time."""
        return max((item.worst_case_seconds for item in self.domain_controllers), default=0)


@dataclass(frozen=True)
class RolloutPlan:
    """What a rollout will do, or why it can't be planned.

    Attributes:
        policy: What it keeps to.
        waves: One after the other.
        left_out: Domain controllers on which there is nothing to do or that are exempt, by name.
        problems: What can't be planned; no rollout starts while there is one.
        lower_bound: No plan with this policy has fewer waves.
    """

    policy: Policy
    waves: tuple[Wave, ...]
    left_out: tuple[DomainController, ...]
    problems: tuple[Problem, ...]
    lower_bound: int


def plan_rollout(domain_controllers: Sequence[DomainController], policy: Policy) -> RolloutPlan:
    """Plans a rollout; the order in which the domain controllers are given does not matter.

    The lower bound is the sum of: one for each canary and each holder of a role, since each is alone; for the domain
    controllers named in `order`, the number of waves that filling one after the other takes, which is the fewest since
    every part of an allowed wave is allowed; and for the rest the largest quotient of `_rollout_limits.lower_bound`.
    These never share a wave, so their sum holds for every plan. The plan has at most one wave more.

    Args:
        domain_controllers: All of the forest, also those on which there is nothing to do: they may have to stay up.
        policy: What to keep to.
    """
    everyone = sorted(domain_controllers, key=lambda item: item.name)
    left_out = tuple(item for item in everyone if item.work in (Work.NOTHING, Work.EXEMPT))
    problems = contradictions(everyone, policy)
    if problems:
        return RolloutPlan(policy, (), left_out, problems, 0)
    given = limits(everyone, policy)
    pending = [item for item in everyone if item.work is Work.PENDING]
    problems = (
        *(unknown_problem(item) for item in everyone if item.work is Work.UNKNOWN),
        *(found for item in pending for found in _single(item, policy, given)),
    )
    stopped = {problem.subject for problem in problems}
    ready = [item for item in pending if item.name not in stopped]
    waves, bound = _waves(ready, policy, given)
    known = {item.name: item for item in ready}
    return RolloutPlan(
        policy=policy,
        waves=_in_windows([[known[name] for name in wave] for wave in waves], policy.window_seconds),
        left_out=left_out,
        problems=problems,
        lower_bound=bound,
    )


def unknown_problem(item: DomainController) -> Problem:
    """Returns why nothing can be planned for a domain controller of which too little is known."""
    return Problem(
        item.name,
        f"what there is to do on it is not known: {item.reason.strip().rstrip('.') or 'nobody looked at it'}",
        "Mend that and plan again, or exempt it with a reason",
    )


def _single(item: DomainController, policy: Policy, given: Sequence[Limit]) -> list[Problem]:
    """Why a domain controller can't be in any wave, not even alone."""
    if item.available is not True:
        return [
            Problem(item.name, "it does not answer", "Bring it to answer and plan again, or exempt it with a reason")
        ]
    if item.refused is not None:
        return [item.refused]
    found = [
        Problem(item.name, limit.because, _WAYS_OUT[limit.rule])
        for limit in given
        if limit.most == 0 and item.name in limit.names
    ]
    late = window_problem(item, policy.window_seconds)
    return [*found, late] if late is not None else found


_BUDGET = (
    "Bring what is down back; where it is gone for good, remove it from directory and inventory; or raise the limit"
)
_WAYS_OUT = {
    Rule.TOTAL: _BUDGET,
    Rule.SITE: _BUDGET,
    Rule.SITE_KEEPS_ONE: "Bring another one of the site to answer or add one; where the site has no other and clients "
    "may use another site meanwhile, set `lone_domain_controller` to allow",
    Rule.DOMAIN_KEEPS_ONE: "Bring another one of the domain to answer; one that nobody looked at must be observed",
    Rule.SITE_KEEPS_CATALOG: "Bring another one of the site to answer, or set `keep_global_catalog` to false",
    Rule.FOREST_KEEPS_CATALOG: "Make another domain controller a global catalog, or set `keep_global_catalog` to false",
}


def _waves(ready: Sequence[DomainController], policy: Policy, given: Sequence[Limit]) -> tuple[list[list[str]], int]:
    """Returns the names wave by wave, and the lower bound."""
    rank = {name: number for number, name in enumerate(policy.order)}
    unlisted = len(rank)
    canary = {name: number for number, name in enumerate(policy.canaries)}

    def turn(item: DomainController) -> tuple[int, int, int, str]:
        return policy.stage(item), canary.get(item.name, 0), rank.get(item.name, unlisted), item.name

    waves: list[list[str]] = []
    bound = 0
    for stage, group in groupby(sorted(ready, key=turn), key=policy.stage):
        members = list(group)
        if stage is not Stage.ORDINARY:
            waves += [[item.name] for item in members]
            bound += len(members)
            continue
        chain = _filled([item.name for item in members if item.name in rank], given)
        rest = [item for item in members if item.name not in rank]
        needed = lower_bound([item.name for item in rest], given)
        waves += chain + _spread(rest, needed, given)
        bound += len(chain) + needed
    return waves, bound


def _filled(names: Sequence[str], given: Sequence[Limit]) -> list[list[str]]:
    """Fills waves one after the other without changing the order."""
    waves: list[list[str]] = []
    for name in names:
        if waves and fits([*waves[-1], name], given):
            waves[-1].append(name)
        else:
            waves.append([name])
    return waves


def _spread(members: Sequence[DomainController], number: int, given: Sequence[Limit]) -> list[list[str]]:
    names = {item.name for item in members}
    critical = {
        rule: [limit.names for limit in given if limit.rule is rule and len(names & limit.names) > limit.most]
        for rule in (Rule.DOMAIN_KEEPS_ONE, Rule.FOREST_KEEPS_CATALOG)
    }
    catalogs = frozenset[str]().union(*critical[Rule.FOREST_KEEPS_CATALOG])
    # False sorts first: within a site the writable ones, and within these the global catalogs, stand together.
    items = [
        Item((item.site, item.read_only, item.read_only or not item.global_catalog), item.name) for item in members
    ]
    return spread(items, number, critical[Rule.DOMAIN_KEEPS_ONE], catalogs)


def _in_windows(waves: Sequence[Sequence[DomainController]], seconds: int | None) -> tuple[Wave, ...]:
    """Numbers the waves, and puts each into the window that it falls into when all take their worst case."""
    found: list[Wave] = []
    window, used = 1, 0
    for number, members in enumerate(waves, 1):
        wave = Wave(number, window, tuple(sorted(members, key=lambda item: item.name)))
        if seconds is not None and found and used + wave.worst_case_seconds > seconds:
            window, used = window + 1, 0
            wave = Wave(number, window, wave.domain_controllers)
        used += wave.worst_case_seconds
        found.append(wave)
    return tuple(found)
