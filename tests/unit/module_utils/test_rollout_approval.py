# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An approved plan: less is fine, anything else is refused with what differs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entsso.password_sync.plugins.module_utils._plan import Change, Implication, Operation
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._domain_controllers import Role
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_approval import (
    Approval,
    compare_with_approved,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_file import (
    PlanFile,
    digest,
    read_plan,
    render_plan,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_plan import plan_rollout
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_policy import (
    DomainController,
    Policy,
    Work,
)
from ansible_collections.entsso.password_sync.tests.unit.module_utils.rollout_strategies import (
    FEW,
    Forest,
    changes,
    domain_controller,
    emulator,
    forests,
    idle,
    possible,
)


def bare(name: str, site: str) -> DomainController:
    return domain_controller(name, site, changes=changes(name), possible=possible(name))


MEMBERS = (bare("a", "Lyon"), bare("b", "Lyon"), bare("c", "Nice"), idle("d", "Nice"), emulator())
POLICY = Policy(max_unavailable_total=2)


def approved(members: Sequence[DomainController] = MEMBERS, policy: Policy = POLICY) -> PlanFile:
    text = render_plan(plan_rollout(members, policy))
    return read_plan(text.encode(), digest(text))


def now(**different: DomainController) -> list[DomainController]:
    return [different.get(item.name, item) for item in MEMBERS]


def left(approval: Approval) -> list[tuple[int, tuple[str, ...]]]:
    return [(wave.number, wave.names) for wave in approval.waves]


def refusals(*changed: Change, name: str = "c", **more: object) -> list[str]:
    """Returns what is told when one domain controller needs these changes now."""
    item = replace(next(item for item in MEMBERS if item.name == name), changes=changed, **more)  # type: ignore[arg-type]
    return [str(problem) for problem in compare_with_approved(approved(), now(**{name: item})).refused]


INSTALL, RESTART = changes("c")
(START,) = possible("c")


def test_what_was_approved_is_done() -> None:
    approval = compare_with_approved(approved(), MEMBERS)
    assert approval.refused == ()
    assert left(approval) == [(1, ("a", "c")), (2, ("b",))]


def test_done_ones_are_left_out_and_the_other_waves_keep_their_numbers() -> None:
    approval = compare_with_approved(approved(), now(a=idle("a", "Lyon"), c=idle("c", "Nice")))
    assert approval.refused == ()
    assert left(approval) == [(2, ("b",))]
    everything = [idle(item.name, item.site) if item.work is Work.PENDING else item for item in MEMBERS]
    assert compare_with_approved(approved(), everything) == Approval((), ())


@FEW
@given(forests(healthy=True), st.data())
def test_any_part_of_a_plan_is_covered_by_it(forest: Forest, data: st.DataObject) -> None:
    """A rollout that was stopped anywhere, with some done and some half done, goes on."""
    everyone = [
        replace(item, changes=changes(item.name), possible=possible(item.name)) for item in forest.domain_controllers
    ]
    plan = plan_rollout(everyone, forest.policy)
    if plan.problems or not plan.waves:
        return
    text = render_plan(plan)
    states = data.draw(st.lists(st.sampled_from(("same", "restart", "start", "done")), min_size=len(everyone)))
    later = []
    for item, state in zip(everyone, states, strict=False):
        granted = {"same": item.changes, "restart": item.changes[1:], "start": item.possible, "done": ()}[state]
        done = item.work is Work.PENDING and state == "done"
        later.append(replace(item, changes=granted, possible=(), work=Work.NOTHING if done else item.work))
    approval = compare_with_approved(read_plan(text.encode(), digest(text)), later)
    assert approval.refused == ()
    assert sorted(item.name for wave in approval.waves for item in wave.domain_controllers) == sorted(
        item.name for item in later if item.work is Work.PENDING
    )


@pytest.mark.parametrize("needed", [(INSTALL, RESTART), (RESTART,), (START,), (RESTART, START), (INSTALL,)])
def test_less_than_was_approved_is_fine(needed: tuple[Change, ...]) -> None:
    assert refusals(*needed) == []


def test_fewer_values_than_were_approved_are_fine() -> None:
    both = Change("c", "pcns_service", "PCNSSVC", Operation.UPDATE, new={"state": "running", "start_mode": "auto"})
    members = now(c=domain_controller("c", "Nice", changes=(both,)))
    fewer = now(c=domain_controller("c", "Nice", changes=(replace(both, new={"start_mode": "auto"}),)))
    assert compare_with_approved(approved(members), fewer).refused == ()
    more = now(c=domain_controller("c", "Nice", changes=(replace(both, new={**both.new, "event_log_level": 3}),)))
    (told,) = compare_with_approved(approved(members), more).refused
    assert str(told) == (
        "c: update pcns_service PCNSSVC would now set event_log_level to 3, and the approved plan does not change it. "
        "Plan anew and have the new plan approved, or undo what changed since."
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            replace(INSTALL, new={**INSTALL.new, "version": "6.0"}),
            "c: install msi_package PCNS would now set version to '6.0', and approved is '5.0.1'. ",
        ),
        (
            replace(INSTALL, operation=Operation.UPGRADE),
            "c: the approved plan does not have upgrade msi_package PCNS (product_code={0}, version=5.0.1). ",
        ),
        (
            Change("c", "notification_package", "PCNSFLT", Operation.CREATE, new={"registered": True}),
            "c: the approved plan does not have create notification_package PCNSFLT (registered=true). ",
        ),
        (
            replace(INSTALL, implies=frozenset({Implication.HOST_RESTART})),
            "now makes a host restart necessary, which the approved plan does not have. ",
        ),
    ],
)
def test_more_or_other_is_refused_with_the_difference(change: Change, words: str) -> None:
    (told,) = refusals(change, RESTART)
    assert words in told
    assert told.endswith(" Plan anew and have the new plan approved, or undo what changed since.")


def test_one_that_the_plan_does_not_have_is_refused() -> None:
    members = now(d=bare("d", "Nice"))
    (told,) = compare_with_approved(approved(), members).refused
    assert str(told) == (
        "d: the approved plan does not change it, and now it needs: install msi_package PCNS (product_code={0}, "
        "version=5.0.1); restart domain_controller_restart d (loads=PCNSFLT). Plan anew and have the new plan "
        "approved, or undo what changed since."
    )


def test_one_that_is_not_known_any_more_is_refused() -> None:
    members = now(b=domain_controller("b", "Lyon", work=Work.UNKNOWN, reason="WinRM can't be reached", available=False))
    told = [str(problem) for problem in compare_with_approved(approved(), members).refused]
    assert told[0].startswith("b: what there is to do on it is not known: WinRM can't be reached. ")
    assert any("2 domain controllers of site Lyon would be down" in line for line in told)


def test_a_role_that_moved_since_is_refused() -> None:
    moved = [replace(item, roles=frozenset({Role.PDC}) if item.name == "a" else frozenset()) for item in MEMBERS]
    told = [str(problem) for problem in compare_with_approved(approved(), moved).refused]
    assert any("a should be alone, being an operations master" in line for line in told)
    assert any("a PDC emulator comes before another domain controller" in line for line in told)


def test_one_that_is_down_now_is_refused() -> None:
    told = [
        str(problem) for problem in compare_with_approved(approved(), now(d=idle("d", "Nice", available=False))).refused
    ]
    assert any("2 domain controllers of site Nice would be down: c, d" in line for line in told)
