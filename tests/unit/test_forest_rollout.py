# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of the rollout benchmark, by hand, and the forest that it is measured on."""

from __future__ import annotations

import itertools

import pytest
from benchmarks.forest_rollout import SCALE, Machine, Rollout, build

MACHINES = {
    "pdc": Machine("Paris", 300.0),
    "dc1": Machine("Paris", 400.0),
    "dc2": Machine("Paris", 500.0),
    "dc3": Machine("Lyon", 600.0),
    "dc4": Machine("Lyon", 100.0),
}


def _rollout(*waves: tuple[str, ...]) -> Rollout:
    return Rollout(MACHINES, waves, frozenset({"pdc"}), 2, 1, 0.0, 0.0)


def test_a_wave_takes_as_long_as_its_slowest() -> None:
    assert _rollout(("dc1", "dc3"), ("dc2", "dc4"), ("pdc",)).makespan == 600 + 500 + 300


def test_one_by_one_is_the_sum() -> None:
    assert _rollout().one_by_one == 1900


def test_lower_bound_is_the_busiest_site_and_those_that_must_be_alone() -> None:
    assert _rollout().lower_bound == 400 + 500 + 300


def test_no_pairing_is_below_the_lower_bound() -> None:
    for paris, lyon in itertools.product(
        itertools.permutations(("dc1", "dc2")), itertools.permutations(("dc3", "dc4"))
    ):
        done = _rollout(*zip(paris, lyon, strict=True), ("pdc",))
        assert done.lower_bound <= done.makespan <= done.one_by_one


def test_the_forest_is_as_large_as_said_and_the_same_each_time() -> None:
    first, second = build(50, 25), build(50, 25)
    hosts = [first.hosts[name] for name in first.domain_controllers]
    assert len(hosts) == 50
    assert len({host.identity.site for host in hosts}) == 25
    seconds = [host.settings.windows.reboot_seconds / SCALE for host in hosts]
    assert min(seconds) >= 180
    assert max(seconds) <= 420
    assert len(set(seconds)) == 50
    assert seconds == pytest.approx(
        [second.hosts[name].settings.windows.reboot_seconds / SCALE for name in second.domain_controllers]
    )
