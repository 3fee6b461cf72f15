# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Arbitrary forests and policies for property-based tests of the rollout plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from ansible_collections.entsso.password_sync.plugins.module_utils._plan import Change, Implication, Operation
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._domain_controllers import Role
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_policy import (
    DomainController,
    LoneDomainController,
    Policy,
    Work,
)

QUICK = settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.too_slow])
FEW = settings(QUICK, max_examples=40)
FOREST_ROLES = (Role.SCHEMA, Role.NAMING)
DOMAIN_ROLES = (Role.RID, Role.INFRASTRUCTURE, Role.PDC)


@dataclass(frozen=True)
class Forest:
    """What a rollout is planned from."""

    domain_controllers: tuple[DomainController, ...]
    policy: Policy


def domain_controller(name: str, site: str = "Paris", **more: Any) -> DomainController:
    """Returns a writable domain controller on which there is something to do."""
    given: dict[str, Any] = {"domain": "corp.example", "work": Work.PENDING, "worst_case_seconds": 600, **more}
    return DomainController(name=name, site=site, **given)


def idle(name: str, site: str = "Paris", **more: Any) -> DomainController:
    """Returns one on which there is nothing to do."""
    return domain_controller(name, site, **{"work": Work.NOTHING, **more})


def emulator(name: str = "pdc", **more: Any) -> DomainController:
    """Returns the PDC emulator that every domain has, in a site of its own and with nothing to do."""
    return idle(name, "Headquarters", **{"roles": frozenset({Role.PDC}), "global_catalog": True, **more})


def changes(name: str, version: str = "5.0.1") -> tuple[Change, ...]:
    """Returns what a bare domain controller needs: a package and a restart."""
    return (
        Change(name, "msi_package", "PCNS", Operation.INSTALL, new={"product_code": "{0}", "version": version}),
        Change(
            name,
            "domain_controller_restart",
            name,
            Operation.RESTART,
            old={"loaded": "no"},
            new={"loads": "PCNSFLT"},
            implies=frozenset({Implication.HOST_RESTART}),
        ),
    )


def possible(name: str) -> tuple[Change, ...]:
    """Returns what may follow the package."""
    return (Change(name, "pcns_service", "PCNSSVC", Operation.UPDATE, new={"state": "running"}),)


def waves_of(plan: Any) -> list[list[str]]:
    """Returns the names of a plan, wave by wave."""
    return [list(wave.names) for wave in plan.waves]


def large_forest(number: int = 500, sites: int = 60) -> list[DomainController]:
    """Returns a forest of three domains in which every other one is a global catalog and all roles are set."""
    roles = {
        0: {Role.PDC, Role.SCHEMA},
        1: {Role.PDC},
        2: {Role.PDC, Role.RID},
    }
    return [
        domain_controller(
            f"dc{index:03}.corp.example",
            f"site{index % sites:02}",
            domain=f"domain{index % 3}",
            roles=frozenset(roles.get(index, ())),
            global_catalog=index % 2 == 0,
        )
        for index in range(number)
    ]


@st.composite
def forests(draw: st.DrawFn, most: int = 16, healthy: bool = False) -> Forest:
    """Forests of up to `most` domain controllers, with a policy.

    Args:
        draw: Hypothesis.
        most: Domain controllers.
        healthy: Whether everything answers, so that a plan is the rule and not the exception.
    """
    number = draw(st.integers(1, most))
    sites, domains = draw(st.integers(1, 6)), draw(st.integers(1, 3))
    works = (Work.PENDING, Work.PENDING, Work.PENDING, Work.NOTHING, Work.EXEMPT, Work.UNKNOWN)
    found = []
    for index in range(number):
        work = draw(st.sampled_from(works[:5] if healthy else works))
        found.append(
            DomainController(
                name=f"dc{index:02}",
                site=f"site{draw(st.integers(1, sites))}",
                domain=f"domain{min(draw(st.integers(1, domains)), index + 1)}",
                work=work,
                global_catalog=draw(st.booleans()),
                read_only=index >= domains and draw(st.integers(0, 5)) == 0,
                available=True if healthy or work is Work.PENDING else draw(st.sampled_from((True, True, None, False))),
                worst_case_seconds=draw(st.sampled_from((60, 600, 1800))),
            )
        )
    found = _with_roles(draw, found)
    return Forest(tuple(draw(st.permutations(found))), draw(_policies(found)))


@st.composite
def dense_forests(draw: st.DrawFn) -> Forest:
    """Forests in which nobody but those of the rollout is known to answer, so that each limit is tight.

    That is a run in which nobody looked at the PDC emulators, which would stay up in their domains otherwise.
    """
    number, domains = draw(st.integers(2, 14)), draw(st.integers(1, 5))
    places = st.tuples(st.integers(1, 4), st.integers(1, domains), st.booleans())
    members = [
        domain_controller(f"dc{index:02}", f"site{site}", domain=f"domain{domain}", global_catalog=catalog)
        for index, (site, domain, catalog) in enumerate(draw(st.lists(places, min_size=number, max_size=number)))
    ]
    emulators = [
        emulator(f"pdc{domain}", domain=domain, available=None, global_catalog=False)
        for domain in sorted({item.domain for item in members})
    ]
    return Forest((*members, *emulators), Policy(draw(st.integers(2, 8)), draw(st.integers(1, 4))))


def _with_roles(draw: st.DrawFn, members: Sequence[DomainController]) -> list[DomainController]:
    roles: dict[str, set[Role]] = {item.name: set() for item in members}
    for role in FOREST_ROLES:
        roles[draw(st.sampled_from([item.name for item in members if not item.read_only]))].add(role)
    for domain in sorted({item.domain for item in members}):
        writable = [item.name for item in members if item.domain == domain and not item.read_only]
        for role in DOMAIN_ROLES:
            roles[draw(st.sampled_from(writable or [item.name for item in members if item.domain == domain]))].add(role)
    return [replace(item, roles=frozenset(roles[item.name])) for item in members]


@st.composite
def _policies(draw: st.DrawFn, members: Sequence[DomainController]) -> Policy:
    plain = [item.name for item in members if not item.roles and item.work is not Work.EXEMPT]
    canaries = draw(st.lists(st.sampled_from(plain), unique=True, max_size=3)) if plain else []
    policy = Policy(
        max_unavailable_total=draw(st.integers(1, 8)),
        max_unavailable_per_site=draw(st.integers(1, 3)),
        lone_domain_controller=draw(st.sampled_from((*[LoneDomainController.ALLOW] * 4, LoneDomainController.REFUSE))),
        keep_global_catalog=draw(st.sampled_from((True, True, False))),
        canaries=tuple(canaries),
        window_seconds=draw(st.sampled_from((None, None, 900, 7200))),
        assume_available=draw(st.booleans()),
    )
    named = draw(
        st.lists(st.sampled_from([item for item in members if item.name not in canaries] or [None]), max_size=5)
    )
    order = dict.fromkeys(item.name for item in sorted((one for one in named if one), key=policy.stage))
    return replace(policy, order=tuple(order))
