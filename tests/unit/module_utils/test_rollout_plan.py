# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rollout plan: the policy holds in every wave, everybody is in one, and no plan is much shorter."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import example, given, settings

from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._domain_controllers import Role
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_check import violations
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_plan import plan_rollout
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_policy import (
    DomainController,
    LoneDomainController,
    Policy,
    Work,
)
from ansible_collections.entsso.password_sync.tests.unit.module_utils.rollout_strategies import (
    QUICK,
    Forest,
    dense_forests,
    domain_controller,
    emulator,
    forests,
    idle,
    large_forest,
    waves_of,
)

PAIRS = (
    emulator("pdc", domain="four", global_catalog=False),
    emulator("pdc3", domain="three", read_only=True, global_catalog=False),
    emulator("pdc5", domain="five", read_only=True, global_catalog=False),
    domain_controller("a", "Lyon", domain="three", global_catalog=True),
    domain_controller("b", "Nice", domain="three"),
    domain_controller("c", "Nice", domain="five", global_catalog=True),
)
"""Two waves would have to part a from c (global catalogs), a from b (their domain) and b from c (site Nice)."""


def without(forest: Forest, named: set[str]) -> list[DomainController]:
    """Returns a forest in which nothing is to be done on those that could not be planned."""
    return [replace(item, work=Work.NOTHING) if item.name in named else item for item in forest.domain_controllers]


def planned(*members: DomainController, **policy: object) -> list[list[str]]:
    """Plans, with an idle PDC emulator besides; there is no problem."""
    plan = plan_rollout([*members, emulator()], Policy(**policy))  # type: ignore[arg-type]
    assert plan.problems == ()
    return waves_of(plan)


def refused(*members: DomainController, **policy: object) -> dict[str, str]:
    """Plans, with an idle PDC emulator besides; returns what is told about whom."""
    plan = plan_rollout([*members, emulator()], Policy(**policy))  # type: ignore[arg-type]
    for problem in plan.problems:
        assert problem.remedy
        assert not problem.reason.endswith(".")
        assert str(problem).count(". ") == 1, str(problem)
    return {problem.subject: f"{problem.reason}. {problem.remedy}." for problem in plan.problems}


@QUICK
@given(forests())
def test_everybody_is_planned_once_or_named_and_the_policy_holds(forest: Forest) -> None:
    plan = plan_rollout(forest.domain_controllers, forest.policy)
    named = {problem.subject for problem in plan.problems}
    waved = [name for wave in plan.waves for name in wave.names]
    assert len(waved) == len(set(waved))
    for item in forest.domain_controllers:
        if item.work is Work.UNKNOWN:
            assert item.name in named
        elif item.work is Work.PENDING:
            assert (item.name in waved) != (item.name in named)
        else:
            assert item.name not in waved
    # What could not be planned has been told; the waves of the others keep to the policy.
    others = without(forest, named)
    assert violations(others, forest.policy, waves_of(plan)) == ()


@QUICK
@given(forests(healthy=True))
def test_number_of_waves_is_within_one_of_the_lower_bound(forest: Forest) -> None:
    plan = plan_rollout(forest.domain_controllers, forest.policy)
    assert plan.lower_bound <= len(plan.waves) <= plan.lower_bound + 1


@settings(QUICK, max_examples=250)
@given(dense_forests())
def test_tight_limits_are_kept_within_one_wave_of_the_lower_bound(forest: Forest) -> None:
    plan = plan_rollout(forest.domain_controllers, forest.policy)
    named = {problem.subject for problem in plan.problems}
    others = without(forest, named)
    assert violations(others, forest.policy, waves_of(plan)) == ()
    assert plan.lower_bound <= len(plan.waves) <= plan.lower_bound + 1


@QUICK
@given(forests())
def test_order_of_the_input_does_not_matter(forest: Forest) -> None:
    plan = plan_rollout(forest.domain_controllers, forest.policy)
    turned = tuple(reversed(forest.domain_controllers))
    assert plan_rollout(turned, forest.policy) == plan
    assert plan_rollout(sorted(turned, key=lambda item: item.site), forest.policy) == plan


@QUICK
@given(forests(most=6, healthy=True))
@example(Forest(PAIRS, Policy(max_unavailable_total=4)))
def test_no_plan_has_fewer_waves_than_the_lower_bound(forest: Forest) -> None:
    """Every possible plan of a small forest is tried, with the checker alone as judge."""
    plan = plan_rollout(forest.domain_controllers, forest.policy)
    named = {problem.subject for problem in plan.problems}
    others = without(forest, named)
    pending = [item.name for item in others if item.work is Work.PENDING]
    for number in range(plan.lower_bound):
        assert not any(violations(others, forest.policy, waves) == () for waves in _partitions(pending, number))


def _partitions(names: Sequence[str], number: int) -> Iterator[list[list[str]]]:
    """All ways to put names into waves in order, none of them empty."""
    if not number:
        if not names:
            yield []
        return
    for size in range(1, len(names) - number + 2):
        for wave in combinations(names, size):
            rest = [name for name in names if name not in wave]
            for others in _partitions(rest, number - 1):
                yield [list(wave), *others]


def test_one_wave_above_the_lower_bound_is_sometimes_the_best_plan() -> None:
    policy = Policy(max_unavailable_total=4)
    plan = plan_rollout(PAIRS, policy)
    assert plan.problems == ()
    assert (plan.lower_bound, len(plan.waves)) == (2, 3)
    assert violations(PAIRS, policy, waves_of(plan)) == ()
    pending = [item.name for item in PAIRS if item.work is Work.PENDING]
    assert not any(violations(PAIRS, policy, waves) == () for waves in _partitions(pending, 2))


def test_one_at_a_time_is_the_default() -> None:
    assert planned(*(domain_controller(f"dc{number}", f"site{number}") for number in range(4))) == [
        ["dc0"],
        ["dc1"],
        ["dc2"],
        ["dc3"],
    ]


def test_sites_are_worked_on_at_the_same_time_where_the_total_allows() -> None:
    members = [domain_controller(f"{site}{number}", site) for site in ("lyon", "nice", "paris") for number in range(3)]
    assert planned(*members, max_unavailable_total=3) == [
        ["lyon0", "nice0", "paris0"],
        ["lyon1", "nice1", "paris1"],
        ["lyon2", "nice2", "paris2"],
    ]


def test_done_and_exempt_ones_are_in_no_wave_and_named() -> None:
    members = [domain_controller("a"), idle("b"), idle("c", work=Work.EXEMPT, reason="loop breaker"), emulator()]
    plan = plan_rollout(members, Policy())
    assert waves_of(plan) == [["a"]]
    assert [item.name for item in plan.left_out] == ["b", "c", "pdc"]


def test_roles_come_late_and_alone_and_the_pdc_emulator_last() -> None:
    members = [
        emulator("a", work=Work.PENDING),
        domain_controller("b", "Lyon", roles=frozenset({Role.SCHEMA, Role.NAMING})),
        domain_controller("c", "Nice", roles=frozenset({Role.RID})),
        domain_controller("y", "Oslo"),
        domain_controller("z", "Rome"),
        idle("catalog", "Bonn", global_catalog=True),
    ]
    plan = plan_rollout(members, Policy(max_unavailable_total=9))
    assert waves_of(plan) == [["y", "z"], ["b"], ["c"], ["a"]]
    ordered = plan_rollout(members, Policy(max_unavailable_total=9, order=("c", "b")))
    assert waves_of(ordered) == [["y", "z"], ["c"], ["b"], ["a"]]


def test_canaries_come_first_each_alone_in_their_order() -> None:
    members = [domain_controller(name, name) for name in "abcd"]
    assert planned(*members, max_unavailable_total=4, canaries=("d", "b")) == [["d"], ["b"], ["a", "c"]]


def test_manual_order_is_kept_and_filled() -> None:
    members = [domain_controller(name, site) for name, site in zip("abcde", ("x", "x", "y", "y", "z"), strict=True)]
    waves = planned(*members, max_unavailable_total=2, order=("c", "b", "a", "d"))
    assert waves == [["b", "c"], ["a", "d"], ["e"]]


def test_one_global_catalog_of_a_site_stays_up() -> None:
    members = [domain_controller("a", global_catalog=True), domain_controller("b", global_catalog=True), idle("c")]
    given_policy = {"max_unavailable_total": 2, "max_unavailable_per_site": 2}
    assert planned(*members, **given_policy) == [["a"], ["b"]]
    assert planned(*members, **given_policy, keep_global_catalog=False) == [["a", "b"]]


def test_global_catalogs_of_a_site_are_parted_whatever_their_names() -> None:
    members = [domain_controller(name, global_catalog=name != "b") for name in "abc"]
    waves = planned(*members, idle("d"), max_unavailable_total=2, max_unavailable_per_site=2)
    assert len(waves) == 2
    assert ["a", "c"] not in waves


def test_the_catalogs_of_all_sites_are_not_down_together() -> None:
    members = [
        idle("pdc", "Headquarters", roles=frozenset({Role.PDC})),
        *(domain_controller(f"{site}{number}", site, global_catalog=not number) for site in "xy" for number in (0, 1)),
    ]
    plan = plan_rollout(members, Policy(max_unavailable_total=2))
    assert sorted(waves_of(plan)) in ([["x0", "y1"], ["x1", "y0"]], [["x1", "y0"], ["x0", "y1"]])


def test_a_domain_is_never_wholly_down() -> None:
    members = [
        emulator("pdc1", domain="one"),
        *(domain_controller(f"c{number}", f"s{number}", domain="child") for number in range(3)),
        emulator("pdc2", domain="child", read_only=True),
    ]
    assert waves_of(plan_rollout(members, Policy(max_unavailable_total=9))) in (
        [["c0", "c2"], ["c1"]],
        [["c0"], ["c1", "c2"]],
        [["c0", "c1"], ["c2"]],
    )


def test_one_that_is_down_uses_up_the_limits() -> None:
    down = idle("down", "Lyon", available=False)
    told = refused(domain_controller("a"), down)
    assert told == {
        "a": "down does not answer, and `max_unavailable_total` is 1. Bring what is down back; where it is gone for "
        "good, remove it from directory and inventory; or raise the limit."
    }
    assert planned(domain_controller("a"), down, max_unavailable_total=2) == [["a"]]
    told = refused(domain_controller("b", "Lyon"), idle("c", "Lyon"), down, max_unavailable_total=2)
    assert told["b"].startswith("down of site Lyon does not answer, and `max_unavailable_per_site` is 1. ")


def test_a_lone_domain_controller_of_a_site_goes_down_unless_that_is_refused() -> None:
    assert planned(domain_controller("a", "Branch")) == [["a"]]
    told = refused(domain_controller("a", "Branch"), lone_domain_controller=LoneDomainController.REFUSE)
    assert told["a"].startswith("it is the only writable domain controller of site Branch. ")
    assert "`lone_domain_controller` to allow" in told["a"]


def test_a_second_one_that_nobody_looked_at_does_not_count() -> None:
    members = (domain_controller("a", "Branch"), idle("b", "Branch", available=None))
    told = refused(*members)
    assert "only writable domain controller of site Branch that is known to answer (not known or down: b)" in told["a"]
    assert planned(*members, assume_available=True) == [["a"]]


def test_the_only_global_catalog_of_the_forest_is_not_taken_down() -> None:
    members = [domain_controller("a", global_catalog=True), emulator(global_catalog=False)]
    (problem,) = plan_rollout(members, Policy()).problems
    assert str(problem) == (
        "a: it is the only writable global catalog of the forest. Make another domain controller a global catalog, or "
        "set `keep_global_catalog` to false."
    )


def test_the_only_domain_controller_of_a_forest_has_no_other_to_wait_for() -> None:
    alone = domain_controller("a", roles=frozenset({Role.PDC}), global_catalog=True)
    plan = plan_rollout([alone], Policy())
    assert (plan.problems, waves_of(plan)) == ((), [["a"]])


def test_what_does_not_fit_the_window_is_named() -> None:
    told = refused(domain_controller("a", worst_case_seconds=3600), domain_controller("b"), window_seconds=1800)
    assert told == {
        "a": "it may take 3600 s, and the maintenance window has 1800 s for it. Give a longer window or, if its "
        "deadlines are longer than it needs, a shorter worst case."
    }


def test_waves_are_put_into_windows() -> None:
    members = [domain_controller(f"dc{number}", f"s{number}", worst_case_seconds=600 + number) for number in range(5)]
    plan = plan_rollout([*members, emulator()], Policy(window_seconds=1300))
    assert [(wave.number, wave.window, wave.worst_case_seconds) for wave in plan.waves] == [
        (1, 1, 600),
        (2, 1, 601),
        (3, 2, 602),
        (4, 2, 603),
        (5, 3, 604),
    ]


def test_one_that_is_not_known_is_named_with_its_reason() -> None:
    told = refused(domain_controller("a", work=Work.UNKNOWN, reason="WinRM can't be reached."))
    assert told["a"].startswith("what there is to do on it is not known: WinRM can't be reached. ")
    assert refused(domain_controller("a", available=False)).keys() == {"a"}


@pytest.mark.parametrize(
    ("policy", "members", "subject", "words"),
    [
        ({"max_unavailable_total": 0}, [], "max_unavailable_total", "nothing could ever be done"),
        ({"max_unavailable_per_site": -1}, [], "max_unavailable_per_site", "Give a number from 1"),
        ({"window_seconds": 0}, [], "window_seconds", "it is 0"),
        ({"canaries": ("nobody",)}, [], "nobody", "`canaries` names it, and there is no such domain controller"),
        ({"order": ("nobody",)}, [], "nobody", "`order` names it"),
        ({"order": ("a", "a")}, [], "a", "more than once"),
        ({"canaries": ("pdc",)}, [], "pdc", "it is a canary, so it comes first, and holds pdc_emulator"),
        ({"canaries": ("x",)}, [idle("x", work=Work.EXEMPT)], "x", "exempt"),
        ({"order": ("pdc", "a")}, [], "pdc", "puts it before a, and pdc is a PDC emulator, which come last"),
        ({"order": ("a", "b"), "canaries": ("b",)}, [], "a", "while b is a canary, which come first"),
        ({"order": ("a", "b"), "canaries": ("b", "a")}, [], "Canaries", "in a different order"),
        ({}, [domain_controller("A")], "a", "it is there twice"),
        ({}, [domain_controller("x", domain="child")], "Domain child", "no domain controller holds that role"),
        ({}, [emulator("second")], "Domain corp.example", "pdc and second holds that role"),
    ],
)
def test_a_policy_that_contradicts_itself_plans_nothing(
    policy: dict[str, object], members: list[DomainController], subject: str, words: str
) -> None:
    everyone = [domain_controller("a"), domain_controller("b"), emulator(), *members]
    plan = plan_rollout(everyone, Policy(**policy))  # type: ignore[arg-type]
    assert plan.waves == ()
    assert any(problem.subject == subject and words in str(problem) for problem in plan.problems), plan.problems


@pytest.mark.parametrize("total", [1, 10, 500])
def test_500_in_60_sites_are_planned_in_well_under_a_second(total: int) -> None:
    members = large_forest()
    started = time.process_time()
    plan = plan_rollout(members, Policy(max_unavailable_total=total, canaries=("dc100.corp.example",)))
    # CPU time, so that a busy machine does not count.
    assert time.process_time() - started < 1
    assert plan.problems == ()
    assert len(plan.waves) <= plan.lower_bound + 1
    assert violations(members, plan.policy, waves_of(plan)) == ()
