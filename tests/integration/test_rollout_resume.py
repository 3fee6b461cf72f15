# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rollout that is killed at every step, one after the other, ends as one that nobody disturbs.

domain_controllers.yml is started again and again on one estate. Each run is killed (SIGKILL, with its workers) at the
first change at which none was killed yet, before the host has answered the request that made the change. A step is a
change of anything that the lab's snapshots hold, or a program that goes on running; what merely reads is none. On the
second domain controller runs are killed at the steps that the first one had not, and at those that end in a restart.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from integration.estate import ALLOWED, Estate, fqdn, rows, small_forest

from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._protected_folder import PROTECTED_ROOT
from lab.playbooks import Run
from lab.settings import LabSettings, WindowsSettings
from lab.watch import ChangeWatch, differences
from lab.windows.host import SimulatedHost

NAMES = ("dc01", "dc02")
QUICK = LabSettings(windows=WindowsSettings(install_seconds=0.3, reboot_seconds=0.1, time_scale=0.01))
"""An installation outlives the run that began it, and the next one meets it."""
MOST_RUNS = 60
VARIABLES = {
    **ALLOWED,
    # What only reads makes each of the runs a second longer: preflight.yml has said go, and no directory is asked.
    "pcns_preflight": {"go": True, "checks": []},
    "password_sync_ldap_domain": "",
    "password_sync_ldap_server": "",
}
AGAIN = ('+/running/"msiexec.exe', "=/restart_scheduled")
"""Steps of the second domain controller at which a run is killed although one was at the same step of the first."""
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.\d]*(Z|\+00:00)?")

Step = tuple[str, str]
"""Host, empty for the directory; what changed."""


@dataclass
class Steps:
    """The steps of an estate, and the run that is to be killed at the next new one."""

    kill: Callable[[], None] | None = None
    killing: bool = False
    alive: set[Step] = field(default_factory=set)
    """What changed while a run was alive."""
    killed_at: list[Step] = field(default_factory=list)

    def noticed(self, host: str, what: str) -> None:
        """Takes a change, and kills the run that made it when it is the first of its kind."""
        kill, step = self.kill, (host, what)
        if kill is None:
            return
        known = {old for _host, old in self.alive}
        new = what not in known or (step not in self.alive and any(part in what for part in AGAIN))
        self.alive.add(step)
        if new and self.killing:
            self.kill = None
            self.killed_at.append(step)
            kill()

    def began(self, kill: Callable[[], None]) -> None:
        """Takes the way to kill a run that has just started."""
        self.kill = kill


@dataclass(frozen=True)
class Outcome:
    """What came out of the runs on one estate.

    Attributes:
        runs: All runs, the last of which was not killed.
        steps: The steps.
        state: What lasts of the estate's state.
        report: The report of a run of observe.yml afterwards, where runs were killed.
        boots: How often each machine restarted.
        shutdowns: How often each was told to restart.
        left: What is left of runs on the hosts: folders, tasks.
    """

    runs: Sequence[Run]
    steps: Steps
    state: Mapping[str, Any]
    report: Mapping[str, Any]
    boots: Mapping[str, int]
    shutdowns: Mapping[str, int]
    left: Mapping[str, Sequence[str]]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return _rolled_out(tmp_path_factory.mktemp("undisturbed"), killing=False)


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return _rolled_out(tmp_path_factory.mktemp("killed"), killing=True)


def _rolled_out(folder: Path, *, killing: bool) -> Outcome:
    steps, runs = Steps(killing=killing), list[Run]()
    with Estate(small_forest(len(NAMES), QUICK), folder) as estate:
        with ChangeWatch(estate.forest, steps.noticed):
            while not runs or (runs[-1].exit_code == -9 and len(runs) < MOST_RUNS):
                runs.append(estate.run("domain_controllers.yml", variables=VARIABLES, on_start=steps.began))
                steps.kill = None
                _wait_for_restarts(estate)
        state = _lasting(estate)
        if killing:
            estate.run("observe.yml", "--limit", "domain_controllers", variables=VARIABLES)
            # Nor has a run that was killed left the password anywhere.
            estate.hides(estate.forest.operator_password)
        hosts = {name: estate.host(name) for name in NAMES}
        return Outcome(
            runs,
            steps,
            state,
            estate.report() if killing else {},
            {name: estate.boots()[name] for name in NAMES},
            {name: sum("shutdown" in line for line in host.process_log) for name, host in hosts.items()},
            {name: _left(host) for name, host in hosts.items()},
        )


def _wait_for_restarts(estate: Estate) -> None:
    """Who starts again while a machine restarts is told that it can't be reached, and starts again."""
    hosts = [estate.host(name) for name in NAMES]
    while any(host.power.scheduled or not estate.forest.endpoints[host.identity.fqdn].is_up for host in hosts):
        time.sleep(0.01)


def _lasting(estate: Estate) -> Mapping[str, Any]:
    """Returns the estate's state without times, logs, the lock and one remark: how often it was tried is no state.

    The lock of a run that was killed when all was done stays until the next rollout that has work, or until it expires.
    What an installation made of Notification Packages is remarked only by a run that sees its end; what was there
    before it is written down before it begins.
    """
    snapshot: Any = estate.forest.snapshot()
    for host in snapshot["hosts"].values():
        del host["boot_time"], host["events"]
        host["registry"] = {path: value for path, value in host["registry"].items() if "RolloutLock" not in path}
        markers = host["registry"].get(r"SOFTWARE\entsso.password_sync\Markers", {})
        markers.pop("notification_package_PCNSFLT_previous", None)
        host["files"]["folders"] = [path for path in host["files"]["folders"] if "rollout-lock" not in path]
        files = host["files"]["files"]
        host["files"]["files"] = {path: values[1] for path, values in files.items() if not path.endswith(".log")}
    return dict(_timeless(snapshot))


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _timeless(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_timeless(item) for item in value]
    return _TIME.sub("at some time", value) if isinstance(value, str) else value


def _left(host: SimulatedHost) -> Sequence[str]:
    folders = [path for path in host.files.folders if path.startswith(f"{PROTECTED_ROOT}\\")]
    kept = ("\\logs", "\\rollout-lock")
    return [path for path in folders if not path.endswith(kept) and "lock\\" not in path] + list(host.tasks.tasks)


def test_it_gets_to_its_end(undisturbed: Outcome, killed: Outcome) -> None:
    assert [run.exit_code for run in undisturbed.runs] == [0], undisturbed.runs[-1].output
    assert {run.exit_code for run in killed.runs[:-1]} == {-9}
    assert killed.runs[-1].exit_code == 0, killed.runs[-1].output
    assert not any("PLAY RECAP" in run.output for run in killed.runs[:-1])


def test_a_run_was_killed_at_every_step(undisturbed: Outcome, killed: Outcome) -> None:
    kills = killed.steps.killed_at
    assert len(kills) == len(killed.runs) - 1
    assert {what for _host, what in kills} == {what for _host, what in killed.steps.alive}
    first = [what for host, what in kills if host == fqdn(NAMES[0])]
    for moment in ("RolloutLock/", "rollout-lock", '+/running/"findstr', *AGAIN):
        assert any(moment in what for what in first), (moment, first)
    assert any("/pcns/targets" in what for host, what in kills if not host)
    assert [host for host, what in kills if any(part in what for part in AGAIN)] == [
        fqdn(name) for name in NAMES for _part in AGAIN
    ]


def test_the_end_is_the_same(undisturbed: Outcome, killed: Outcome) -> None:
    assert list(differences(undisturbed.state, killed.state)) == []


def test_each_restarted_once_in_all(undisturbed: Outcome, killed: Outcome) -> None:
    for outcome in (undisturbed, killed):
        assert outcome.boots == dict.fromkeys(NAMES, 1)
        assert outcome.shutdowns == dict.fromkeys(NAMES, 1)


def test_nothing_of_the_runs_is_left(undisturbed: Outcome, killed: Outcome) -> None:
    assert undisturbed.left == killed.left == {name: [] for name in NAMES}


def test_the_report_says_that_both_work(killed: Outcome) -> None:
    states = {name: row["capture_state"] for name, row in rows(killed.report).items()}
    assert states == dict.fromkeys(NAMES, "working")
