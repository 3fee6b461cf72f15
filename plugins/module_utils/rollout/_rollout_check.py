# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks waves against the policy of a rollout, rule by rule as `_rollout_policy.py` writes them.

It shares no code with the planner: it proves the planner in tests, and in a rollout it says whether waves that were
approved earlier still keep to the policy now that a role may have moved or a domain controller may be down.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._domain_controllers import Role
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_policy import (
    DomainController,
    LoneDomainController,
    Policy,
    Problem,
    Work,
)

_PLAN_ANEW = "Plan anew and have the new plan approved"
_BRING_BACK = "Bring back what is down and run again: what is done stays done"


def violations(
    domain_controllers: Sequence[DomainController], policy: Policy, waves: Sequence[Sequence[str]]
) -> tuple[Problem, ...]:
    """Returns what the waves break, with the number of the rule; empty when they keep to the policy.

    Args:
        domain_controllers: All of the forest, as they are now.
        policy: The policy.
        waves: Names, wave by wave.
    """
    known = {item.name: item for item in domain_controllers}
    found = list(_rule_1(domain_controllers, waves))
    members = [[known[name] for name in wave if name in known] for wave in waves]
    for wave in members:
        found += _wave_problems(domain_controllers, policy, wave, _PLAN_ANEW)
    found += [Problem("Waves", reason, _PLAN_ANEW) for reason in _sequence(members, policy)]
    return tuple(found)


def wave_violations(
    domain_controllers: Sequence[DomainController], policy: Policy, names: Sequence[str]
) -> tuple[Problem, ...]:
    """Returns what one wave would break if it started now; empty when it may start.

    Args:
        domain_controllers: All of the forest, as they are now.
        policy: The policy.
        names: Those of the wave.
    """
    wave = [item for item in domain_controllers if item.name in names]
    shared = [Problem(f"Wave of {', '.join(names)}", reason, _PLAN_ANEW) for reason in _sequence([wave], policy)]
    return (*_wave_problems(domain_controllers, policy, wave, _BRING_BACK), *shared)


def _wave_problems(
    everyone: Sequence[DomainController], policy: Policy, wave: Sequence[DomainController], remedy: str
) -> Iterator[Problem]:
    names = _names({item.name for item in wave})
    for rule, reason in _while_it_runs(everyone, policy, wave):
        yield Problem(f"Wave of {names}", f"{reason} (rule {rule})", remedy)


def _rule_1(domain_controllers: Sequence[DomainController], waves: Sequence[Sequence[str]]) -> Iterator[Problem]:
    planned = [name for wave in waves for name in wave]
    for item in domain_controllers:
        times = planned.count(item.name)
        wanted = 1 if item.work is Work.PENDING else 0
        if times != wanted:
            reason = f"it is in {times} waves and should be in {wanted} (rule 1)"
            yield Problem(item.name, reason, _PLAN_ANEW)
    for name in sorted(set(planned) - {item.name for item in domain_controllers}):
        yield Problem(name, "it is in a wave, and nobody knows it (rule 1)", _PLAN_ANEW)


def _while_it_runs(
    everyone: Sequence[DomainController], policy: Policy, wave: Sequence[DomainController]
) -> Iterator[tuple[int, str]]:
    """Rules 2 to 6 and 10: what is the case while one wave runs."""
    down = {item.name for item in wave} | {item.name for item in everyone if item.available is False}
    if len(down) > policy.max_unavailable_total:
        yield 2, f"{len(down)} domain controllers would be down: {_names(down)}"
    for site in sorted({item.site for item in wave}):
        here = down & {item.name for item in everyone if item.site == site}
        if len(here) > policy.max_unavailable_per_site:
            yield 3, f"{len(here)} domain controllers of site {site} would be down: {_names(here)}"
        writable = [item for item in everyone if item.site == site and not item.read_only]
        must = len(writable) > 1 or policy.lone_domain_controller is LoneDomainController.REFUSE
        if (
            must
            and any(item.site == site and not item.read_only for item in wave)
            and not _serving(writable, down, policy)
        ):
            yield 4, f"no writable domain controller of site {site} would be known to answer"
        catalogs = [item for item in writable if item.global_catalog]
        concerned = any(item.global_catalog and not item.read_only and item.site == site for item in wave)
        if policy.keep_global_catalog and concerned and len(catalogs) > 1 and not _serving(catalogs, down, policy):
            yield 6, f"no global catalog of site {site} would be known to answer"
    for domain in sorted({item.domain for item in wave if not item.read_only}):
        writable = [item for item in everyone if item.domain == domain and not item.read_only]
        if len(writable) > 1 and not _serving(writable, down, policy):
            yield 5, f"no writable domain controller of domain {domain} would be known to answer"
    writable = [item for item in everyone if not item.read_only]
    catalogs = [item for item in writable if item.global_catalog]
    concerned = len(writable) > 1 and any(item.global_catalog and not item.read_only for item in wave)
    if policy.keep_global_catalog and concerned and not _serving(catalogs, down, policy):
        yield 6, "no global catalog of the forest would be known to answer"
    for item in wave:
        if policy.window_seconds is not None and item.worst_case_seconds > policy.window_seconds:
            yield 10, f"{item.name} may take {item.worst_case_seconds} s, and the window has {policy.window_seconds} s"


def _serving(group: Sequence[DomainController], down: set[str], policy: Policy) -> bool:
    known = [item for item in group if item.available or (item.available is None and policy.assume_available)]
    return any(item.name not in down for item in known)


def _sequence(waves: Sequence[Sequence[DomainController]], policy: Policy) -> Iterator[str]:
    """Rules 7 to 9: who is alone, and who comes before whom."""
    at = {item.name: number for number, wave in enumerate(waves) for item in wave}
    members = [item for wave in waves for item in wave]
    for wave in waves:
        if len(wave) > 1 and any(item.roles for item in wave):
            holders = _names({item.name for item in wave if item.roles})
            yield f"{holders} should be alone, being an operations master, and shares its wave (rule 7)"
        if len(wave) > 1 and any(item.name in policy.canaries for item in wave):
            yield f"a canary shares its wave: {_names({item.name for item in wave})} (rule 8)"
    plain = [at[item.name] for item in members if not item.roles]
    holders_at = [at[item.name] for item in members if item.roles and Role.PDC not in item.roles]
    emulators_at = [at[item.name] for item in members if Role.PDC in item.roles]
    if min(holders_at + emulators_at, default=len(waves)) <= max(plain, default=-1):
        yield "an operations master comes before a domain controller without a role (rule 7)"
    if min(emulators_at, default=len(waves)) <= max(plain + holders_at, default=-1):
        yield "a PDC emulator comes before another domain controller (rule 7)"
    yield from _canaries(at, policy)
    yield from _order(members, at, policy)


def _canaries(at: dict[str, int], policy: Policy) -> Iterator[str]:
    canaries = [at[name] for name in policy.canaries if name in at]
    if canaries != sorted(canaries):
        yield "the canaries are not in their order (rule 8)"
    if max(canaries, default=-1) >= min((at[name] for name in at if name not in policy.canaries), default=len(at)):
        yield "a canary does not come first (rule 8)"


def _order(members: Sequence[DomainController], at: dict[str, int], policy: Policy) -> Iterator[str]:
    listed = [at[name] for name in policy.order if name in at]
    if listed != sorted(listed):
        yield "`order` is not kept (rule 9)"
    kinds: dict[tuple[bool, bool], list[DomainController]] = {}
    for item in members:
        if item.name not in policy.canaries:
            kinds.setdefault((bool(item.roles), Role.PDC in item.roles), []).append(item)
    for group in kinds.values():
        named = [at[item.name] for item in group if item.name in policy.order]
        others = [at[item.name] for item in group if item.name not in policy.order]
        if named and others and max(named) >= min(others):
            yield "one that `order` does not name comes before or with one that it names (rule 9)"


def _names(names: set[str]) -> str:
    return ", ".join(sorted(names))
