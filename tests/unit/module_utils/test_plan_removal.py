# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The removal of a domain controller: after an installation nothing of it is left, and from any state it goes on."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from unit.estates import SUBJECT, package_sets, unknown
from unit.estates import estates as drawn_estates

from ansible_collections.entsso.password_sync.plugins.module_utils import (
    _host_remains,
    _notification_package,
    _package,
    _pcns_service,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._host_remains import HostRemainsState
from ansible_collections.entsso.password_sync.plugins.module_utils._notification_package import NotificationPackageState
from ansible_collections.entsso.password_sync.plugins.module_utils._package import DesiredPackage
from ansible_collections.entsso.password_sync.plugins.module_utils._pcns_service import DesiredService
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import (
    KNOWN_AFTER_APPLY,
    Absent,
    Change,
    Effect,
    Estate,
    Implication,
    Key,
    Observation,
    Present,
    overlay,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._plan_domain_controller import (
    plan_domain_controller,
    plan_removal,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._previous_packages import (
    after_installation,
    restoration,
    to_record,
    without,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._state_types import STATE_TYPES

NAME = "PCNSFLT"
ENTRY = _notification_package.key(SUBJECT, NAME)
SERVICE = _pcns_service.key(SUBJECT, "PCNSSVC")
OURS = _host_remains.key(SUBJECT)
ORDER = ("pcns_service", "notification_package", "domain_controller_restart", "msi_package", "host_remains")
lists = st.lists(st.sampled_from(["rassfm", "scecli", "ThirdFlt", "OTHER"]), min_size=1, max_size=5).map(tuple)


def bare(packages: tuple[DesiredPackage, ...], listed: tuple[str, ...]) -> Estate:
    """Returns a domain controller that has never seen us."""
    observations: dict[Key, Observation] = {_package.key(SUBJECT, package): Absent() for package in packages}
    observations[ENTRY] = Present(NotificationPackageState(others=listed))
    return Estate({**observations, SERVICE: Absent(), OURS: Absent()}, STATE_TYPES)


def done(estate: Estate, changes: tuple[Change, ...]) -> Estate:
    """Returns the estate after the changes, in which Windows has decided what it decides."""
    decided = {"state": "running", "loaded": "no"}
    for change in changes:
        for effect in change.effects:
            values = effect.values and {
                name: decided[name] if value == KNOWN_AFTER_APPLY else value for name, value in effect.values.items()
            }
            estate = overlay(estate, [Effect(effect.key, values)])
    return estate


def seen(estate: Estate, listed: tuple[str, ...], restored: tuple[str, ...]) -> Estate:
    """Returns what the next observation sees of the registry value."""
    entry = estate.get(ENTRY)
    assert isinstance(entry, Present)
    state = replace(entry.state, others=without(listed, NAME), restored=restored)
    return estate.merged(Estate({ENTRY: Present(state), OURS: Present(HostRemainsState())}, STATE_TYPES))


@given(package_sets, lists, st.data())
def test_after_an_installation_nothing_is_left(
    packages: tuple[DesiredPackage, ...], listed: tuple[str, ...], data: st.DataObject
) -> None:
    """Whatever was in the list, and wherever the installer put its entry."""
    before = bare(packages, listed)
    installed, problems = plan_domain_controller(SUBJECT, packages, DesiredService(event_log_level=2), before)
    assert not problems
    after = tuple(data.draw(st.permutations([*listed, NAME])))
    record = after_installation(listed, after, to_record(listed, NAME, None))
    working = seen(done(before, installed), after, restoration(after, NAME, record).entries)

    changes, problems = plan_removal(SUBJECT, packages, working)

    assert not problems
    left = done(working, changes)
    entry = left.get(ENTRY)
    assert isinstance(entry, Present)
    assert entry.state.others == listed
    assert left.merged(Estate({ENTRY: Present(replace(entry.state, restored=None))})) == before.merged(
        Estate({key: Absent() for key in left.objects() if key.resource == "tool"})
    )
    assert sum(change.resource == "domain_controller_restart" for change in changes) == 1
    assert not [change for change in changes if change.resource == "msi_package" and change.implies]
    assert plan_removal(SUBJECT, packages, left) == ((), {})


@given(package_sets.flatmap(lambda packages: st.tuples(st.just(packages), drawn_estates(packages))), st.booleans())
def test_from_any_state_it_goes_on(drawn: tuple[tuple[DesiredPackage, ...], Estate], kept: bool) -> None:
    """A removal that was cut off anywhere, a hand-made installation, half of one: the rest is planned in the one order,
    and once that is done nothing is left to do; where something is not known, only what comes before it is done."""
    packages, estate = drawn
    remains: Observation = Present(HostRemainsState()) if kept else Absent()
    estate = Estate({key: estate.get(key) for key in estate.objects()}, STATE_TYPES).merged(Estate({OURS: remains}))

    changes, problems = plan_removal(SUBJECT, packages, estate)

    places = [ORDER.index(change.resource) for change in changes]
    assert places == sorted(places)
    restarts = [change for change in changes if change.resource == "domain_controller_restart"]
    assert len(restarts) <= 1
    for change in changes:
        if Implication.HOST_RESTART in change.implies:
            assert problems or restarts
    again = plan_removal(SUBJECT, packages, done(estate, changes))
    assert again == ((), problems)
    assert len(problems) <= 1
    for stopped in problems:
        assert max(places, default=0) <= ORDER.index(stopped)


@given(package_sets, unknown)
def test_what_we_keep_and_can_not_see_is_told(packages: tuple[DesiredPackage, ...], kept: Observation) -> None:
    estate = bare(packages, ("scecli",)).merged(Estate({OURS: kept}))
    changes, problems = plan_removal(SUBJECT, packages, estate)
    assert changes == ()
    assert (
        "What this collection keeps on dc01.corp.example could not be read: access denied." in problems["host_remains"]
    )


def test_the_last_entry_is_not_taken_out() -> None:
    """An empty list can't be written, and Windows' own scecli should be there."""
    entry = Present(NotificationPackageState(registered=True, loaded="yes"))
    estate = bare((), ()).merged(Estate({ENTRY: entry}))
    assert "PCNSFLT is the only notification package" in plan_removal(SUBJECT, (), estate)[1]["notification_package"]
