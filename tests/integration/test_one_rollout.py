# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two rollouts at once: the second says who holds the lock, touches nothing and leaves; the first goes on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from integration.estate import ALLOWED, FAILURES, Estate, message, says, small_forest

from lab.playbooks import Run

NAMES = ("dc01", "dc02")
VARIABLES = {**ALLOWED, "pcns_busy_wait": 600}


@dataclass(frozen=True)
class Both:
    """Two runs, what the first had started on the hosts before the second came and after it had left."""

    first: Run
    second: Run
    before: dict[str, list[str]]
    after: dict[str, list[str]]
    boots: dict[str, int]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """The first run waits for another installation (1618) until the second has ended."""
    with Estate(small_forest(len(NAMES)), tmp_path_factory.mktemp("both")) as estate, ThreadPoolExecutor() as threads:
        # dc01 is the PDC emulator, so dc02 comes first.
        host = estate.host("dc02")
        host.faults.installer_busy = 10**6
        first = threads.submit(estate.run, "domain_controllers.yml", variables=VARIABLES)
        try:
            while not any("msiexec" in line for line in host.process_log) and not first.done():
                time.sleep(0.05)
            before = _started(estate)
            second = estate.run("domain_controllers.yml", variables=VARIABLES)
            after, boots = _started(estate), estate.boots()
        finally:
            host.faults.installer_busy = 0
        yield Both(first.result(), second, before, after, boots)


def _started(estate: Estate) -> dict[str, list[str]]:
    """Returns what was started on the hosts, other than the tries of the first run to install."""
    return {name: [line for line in estate.host(name).process_log if "msiexec" not in line] for name in NAMES}


def test_the_second_says_who_is_at_work_and_leaves(both: Both) -> None:
    assert both.second.exit_code == 2, both.second.output
    failed = [item for item in both.second.results if item.status in FAILURES]
    says(message(failed[0]), "Another rollout has the rollout lock", "holds it until", "process", "Wait for its end")


def test_the_second_touches_nothing(both: Both) -> None:
    assert both.before == both.after
    assert set(both.boots.values()) == {0}
    assert not both.second.changed


def test_the_first_goes_on(both: Both) -> None:
    assert both.first.exit_code == 0, both.first.output
    assert "waits" in both.first.output or "waiting" in both.first.output
