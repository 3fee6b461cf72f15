# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one plan: check mode predicts apply, applying twice changes nothing, compliance agrees."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.estates import SUBJECT, Windows, desired_services, estates, package_sets

from ansible_collections.entsso.password_sync.plugins.module_utils._capture import capture
from ansible_collections.entsso.password_sync.plugins.module_utils._package import DesiredPackage, PackageState
from ansible_collections.entsso.password_sync.plugins.module_utils._pcns_service import DesiredService
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import (
    KNOWN_AFTER_APPLY,
    Absent,
    Change,
    Effect,
    Estate,
    Key,
    Operation,
    Present,
    Unknown,
    differences,
    overlay,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._plan_domain_controller import plan_domain_controller
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._finding import Status
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._judge_domain_controller import (
    Judged,
    judge_domain_controller,
)


@st.composite
def cases(draw: st.DrawFn) -> tuple[tuple[DesiredPackage, ...], DesiredService, Estate, Windows]:
    packages = draw(package_sets)
    estate = draw(estates(packages))
    windows = Windows(estate, draw(st.sampled_from(["running", "stopped"])))
    return packages, draw(desired_services), estate, windows


def identities(changes: Iterable[Change]) -> Counter[str]:
    """What makes changes the same: subject, resource, name, operation and new values (design, "One plan").

    Values are taken one by one, and the state of the service is left out: Windows decides it at the installation
    (`KNOWN_AFTER_APPLY`), so check mode does not claim to know whether the service must be started.
    """
    return Counter(
        json.dumps([change.subject, change.resource, change.name, change.operation.value, name, value])
        for change in changes
        for name, value in change.new.items()
        if (change.resource, name) != ("pcns_service", "state")
    )


@given(cases())
def test_check_predicts_apply(case: tuple[tuple[DesiredPackage, ...], DesiredService, Estate, Windows]) -> None:
    packages, service, estate, windows = case
    predicted, _problems = plan_domain_controller(SUBJECT, packages, service, estate)
    made: list[Change] = []
    # Apply plans each step on what is really there by then, as the modules of a run do one after the other.
    while changes := plan_domain_controller(SUBJECT, packages, service, windows.observe())[0]:
        windows.carry_out(changes[0])
        made.append(changes[0])
    assert identities(made) == identities(predicted)


@given(cases())
def test_applying_twice_changes_nothing(
    case: tuple[tuple[DesiredPackage, ...], DesiredService, Estate, Windows],
) -> None:
    packages, service, _estate, windows = case
    for _unused in range(2):
        changes, _problems = plan_domain_controller(SUBJECT, packages, service, windows.observe())
        for change in changes:
            windows.carry_out(change)
    again, _problems = plan_domain_controller(SUBJECT, packages, service, windows.observe())
    assert again == ()


@given(cases())
def test_what_is_projected_is_what_is_observed(
    case: tuple[tuple[DesiredPackage, ...], DesiredService, Estate, Windows],
) -> None:
    packages, service, estate, windows = case
    changes, _problems = plan_domain_controller(SUBJECT, packages, service, estate)
    projected = estate
    for change in changes:
        projected = change.project(projected)
        windows.carry_out(change)
    assert differences(projected, windows.observe(), changes) == ()


@given(cases())
def test_compliance_agrees_with_the_plan(
    case: tuple[tuple[DesiredPackage, ...], DesiredService, Estate, Windows],
) -> None:
    packages, _service, estate, _windows = case
    changes, problems = plan_domain_controller(SUBJECT, packages, DesiredService(), estate)
    judged = Judged(
        subject=SUBJECT,
        site="",
        systems=(),
        packages=packages,
        notification_package="PCNSFLT",
        capture=capture(SUBJECT, packages, "PCNSFLT", "PCNSSVC", estate),
        estate=estate,
        changes=changes,
        problems=problems,
        observed_at="",
    )
    findings = judge_domain_controller(judged)
    passes = all(finding.status.passes for finding in findings)
    assert passes == (not changes and not problems)
    if any(isinstance(estate.get(key), Unknown) for key in estate.objects()):
        assert not passes
    for finding in findings:
        assert (finding.status is Status.DRIFT) <= bool(finding.repair)


def test_an_object_nobody_looked_at_is_unknown() -> None:
    assert isinstance(Estate({}).get(Key("dc01", "msi_package", "PCNS")), Unknown)


def test_effects_survive_the_way_through_host_facts() -> None:
    key = Key("dc01", "msi_package", "PCNS")
    leaves = (Effect(Key("dc01", "tool", "t"), None),)
    change = Change("dc01", "msi_package", "PCNS", Operation.INSTALL, new={"version": "1.0"}, leaves=leaves)
    effects = [Effect.from_json(json.loads(json.dumps(effect.to_json()))) for effect in change.effects]
    estate = Estate({key: Absent()}, {"msi_package": PackageState})
    assert overlay(estate, effects) == change.project(estate)
    assert change.project(estate).get(key) == Present(PackageState("", "1.0"))


@pytest.mark.parametrize(
    ("after", "count"),
    [
        (Present(PackageState("{A}", "1.0")), 0),
        (Present(PackageState("{A}", "0.9")), 1),
        (Absent(), 1),
        (Unknown("gone"), 1),
    ],
)
def test_verification_names_what_differs(after: Present[PackageState] | Absent | Unknown, count: int) -> None:
    key = Key("dc01", "msi_package", "PCNS")
    change = Change("dc01", "msi_package", "PCNS", Operation.INSTALL, new={"product_code": "{A}", "version": "1.0"})
    projected = change.project(Estate({key: Absent()}, {"msi_package": PackageState}))
    assert len(differences(projected, Estate({key: after}), [change])) == count


def test_what_windows_assigns_is_not_verified() -> None:
    key = Key("dc01", "msi_package", "PCNS")
    change = Change("dc01", "msi_package", "PCNS", Operation.INSTALL, new={"version": KNOWN_AFTER_APPLY})
    projected = change.project(Estate({key: Absent()}, {"msi_package": PackageState}))
    assert differences(projected, Estate({key: Present(PackageState("", "7"))}), [change]) == ()
