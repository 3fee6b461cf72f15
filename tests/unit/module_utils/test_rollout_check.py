# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checker of rollout waves: waves that break one rule are told so with its number, and only those."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._domain_controllers import Role
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_check import violations
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_policy import (
    DomainController,
    LoneDomainController,
    Policy,
    Work,
)
from ansible_collections.entsso.password_sync.tests.unit.module_utils.rollout_strategies import (
    domain_controller,
    emulator,
    idle,
)

PDC = emulator()
SCHEMA = domain_controller("schema", "Oslo", roles=frozenset({Role.SCHEMA}))
A, B, C = (domain_controller(name, site) for name, site in (("a", "Lyon"), ("b", "Lyon"), ("c", "Nice")))
WIDE = Policy(max_unavailable_total=9, max_unavailable_per_site=9)


def rules(members: Sequence[DomainController], policy: Policy, waves: Sequence[Sequence[str]]) -> list[int]:
    """Returns the numbers of the rules that are broken."""
    found = violations(members, policy, waves)
    assert all(problem.subject and problem.remedy for problem in found)
    return sorted({int(number) for problem in found for number in re.findall(r"\(rule (\d+)\)$", problem.reason)})


@pytest.mark.parametrize(
    ("members", "policy", "waves", "broken"),
    [
        # Kept.
        ([A, B, C, PDC], WIDE, [["a", "c"], ["b"]], []),
        ([A, B, C, PDC], Policy(max_unavailable_total=2), [["a", "c"], ["b"]], []),
        ([A, B, C, PDC, SCHEMA], WIDE, [["a", "c"], ["b"], ["schema"]], []),
        ([], Policy(), [], []),
        # 1: once, and only where there is something to do.
        ([A, PDC], WIDE, [], [1]),
        ([A, PDC], WIDE, [["a"], ["a"]], [1]),
        ([A, idle("d"), PDC], WIDE, [["a"], ["d"]], [1]),
        ([A, domain_controller("d", work=Work.EXEMPT), PDC], WIDE, [["a"], ["d"]], [1]),
        ([A, domain_controller("d", work=Work.UNKNOWN), PDC], WIDE, [["a"], ["d"]], [1]),
        ([A, PDC], WIDE, [["a", "stranger"]], [1]),
        # 2: in the forest, with those that are down anyway.
        ([A, C, PDC], Policy(), [["a", "c"]], [2]),
        ([A, idle("d", "Rome", available=False), PDC], Policy(), [["a"]], [2]),
        ([A, idle("d", "Rome", available=None), PDC], Policy(), [["a"]], []),
        # 3: in a site.
        ([A, B, idle("d", "Lyon"), PDC], Policy(max_unavailable_total=9), [["a", "b"]], [3]),
        ([A, idle("d", "Lyon"), idle("e", "Lyon", available=False), PDC], Policy(9), [["a"]], [3]),
        # 4: one of a site.
        ([A, B, PDC], WIDE, [["a", "b"]], [4]),
        ([A, idle("d", "Lyon", available=None), PDC], WIDE, [["a"]], [4]),
        ([A, idle("d", "Lyon", available=None), PDC], Policy(assume_available=True), [["a"]], []),
        ([A, idle("d", "Lyon", read_only=True), PDC], WIDE, [["a"]], []),
        ([A, PDC], Policy(lone_domain_controller=LoneDomainController.REFUSE), [["a"]], [4]),
        # 5: one of a domain.
        ([A, C, emulator(read_only=True)], WIDE, [["a", "c"]], [5]),
        ([A, emulator(read_only=True)], WIDE, [["a"]], []),
        # 6: one global catalog of a site and of the forest.
        (
            [domain_controller(name, global_catalog=True) for name in "ab"] + [idle("c"), PDC],
            WIDE,
            [["a", "b"]],
            [6],
        ),
        ([domain_controller("a", global_catalog=True), emulator(global_catalog=False)], WIDE, [["a"]], [6]),
        (
            [domain_controller("a", global_catalog=True), emulator(global_catalog=False)],
            Policy(keep_global_catalog=False),
            [["a"]],
            [],
        ),
        (
            [
                domain_controller("a", global_catalog=True),
                idle("rodc", global_catalog=True, read_only=True),
                emulator(global_catalog=False),
            ],
            WIDE,
            [["a"]],
            [6],
        ),
        # 7: roles alone and late, the PDC emulator last.
        ([A, SCHEMA, PDC], WIDE, [["a", "schema"]], [7]),
        ([A, SCHEMA, PDC], WIDE, [["schema"], ["a"]], [7]),
        ([A, emulator(work=Work.PENDING), idle("gc", global_catalog=True)], WIDE, [["pdc"], ["a"]], [7]),
        ([SCHEMA, emulator(work=Work.PENDING), idle("gc", global_catalog=True)], WIDE, [["pdc"], ["schema"]], [7]),
        ([SCHEMA, emulator(work=Work.PENDING), idle("gc", global_catalog=True)], WIDE, [["schema"], ["pdc"]], []),
        # 8: canaries.
        ([A, C, PDC], Policy(9, canaries=("a",)), [["a", "c"]], [8]),
        ([A, C, PDC], Policy(canaries=("a",)), [["c"], ["a"]], [8]),
        ([A, B, C, PDC], Policy(canaries=("c", "a")), [["a"], ["c"], ["b"]], [8]),
        ([A, B, C, PDC], Policy(canaries=("c", "a")), [["c"], ["a"], ["b"]], []),
        # 9: the manual order.
        ([A, C, PDC], Policy(order=("c", "a")), [["a"], ["c"]], [9]),
        ([A, C, PDC], Policy(order=("c",)), [["a"], ["c"]], [9]),
        ([A, C, PDC], Policy(9, order=("c",)), [["a", "c"]], [9]),
        ([A, C, PDC], Policy(9, order=("c", "a")), [["a", "c"]], []),
        # 10: the window.
        ([A, PDC], Policy(window_seconds=599), [["a"]], [10]),
        ([A, PDC], Policy(window_seconds=600), [["a"]], []),
    ],
)
def test_a_broken_rule_is_told_and_no_other(
    members: list[DomainController], policy: Policy, waves: list[list[str]], broken: list[int]
) -> None:
    assert rules(members, policy, waves) == broken
