# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""connection_info in a playbook: whatever is wrong with a host is a result, and the play goes on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from integration.estate import Estate, fqdn, play, small_forest

from lab.playbooks import Run, TaskResult

WRONG = "Wr0ng-and-secret"
PROBLEMS = {
    "good": (True, ""),
    "down": (False, "can't be reached"),
    "wrong": (False, "rejected"),
    "ssh": (False, "connection ssh"),
    "become": (False, "become has no effect"),
    "untrusted": (False, "not trusted"),
    "clock": (True, ""),
}
"""Host to whether it is reached, and what the problem says."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("info")
    forest = small_forest(0)
    for name in PROBLEMS:
        forest.add_domain_controller(name, "Paris")
    tasks = [{"name": "Look", "entsso.password_sync.connection_info": {"deadline": 2}}]
    with Estate(forest, folder) as estate:
        estate.down("down")
        estate.hosts["wrong"] = {"ansible_user": "CORP\\nobody", "ansible_password": WRONG}
        estate.hosts["ssh"] = {"ansible_connection": "ssh"}
        estate.hosts["become"] = {
            "ansible_become": True,
            "ansible_become_method": "runas",
            "ansible_become_user": "SYSTEM",
        }
        estate.https("untrusted")
        estate.host("clock").faults.clock_offset_seconds = 600
        estate.write()
        playbook = play(folder, "look", "domain_controllers", tasks=tasks)
        before = forest.snapshot()
        found = estate.run(playbook, "--forks", "4")
        assert forest.snapshot() == before
        estate.hides(WRONG)
        yield found


def results(run: Run) -> Mapping[str, TaskResult]:
    return {item.host: item for item in run.of("connection_info")}


def test_no_host_fails(run: Run) -> None:
    assert run.exit_code == 0
    assert {item.status for item in results(run).values()} == {"ok"}
    assert run.changed == []


@pytest.mark.parametrize("name", PROBLEMS)
def test_what_is_wrong_is_told(run: Run, name: str) -> None:
    result = results(run)[fqdn(name)].result
    reachable, problem = PROBLEMS[name]
    assert result["reachable"] is reachable
    assert problem in result["problem"]
    assert fqdn(name) in result["report"]
    assert result["control_node"]["libraries"]["ansible-core"]
    statuses = {item["status"] for item in result["rights"]}
    assert ("ok" in statuses) is reachable


def test_the_clock_is_told(run: Run) -> None:
    clock = results(run)[fqdn("clock")].result["clock"]
    assert clock["within_tolerance"] is False
    assert clock["ahead_seconds"] == pytest.approx(600, abs=5)
