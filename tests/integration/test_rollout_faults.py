# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults that meet a rollout one after the other on one estate: each ends in a clean stop or in recovery.

dc01 worked until its entry was taken out of the registry, and its target is enabled; dc02, dc03 and dc04 come before,
since dc01 is the PDC emulator. ENTSSO is down throughout, so that what the
DCs capture waits in their queues. In the end everything that was captured before, between and after the faults arrives.
Failed and refused installations (1603), a restart that never comes back and a filter that LSA refuses are in
test_rollout_stops.py; every fault of one host alone in test_host_faults.py.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from integration.estate import ALLOWED, FAILURES, Estate, findings, fqdn, message, says, small_forest
from unit.lab.estate_kit import add_system, install, install_feature, pcnscfg, restart, sso

from lab.example import ADAPTERS
from lab.forest import Forest
from lab.playbooks import Run
from lab.tracking import Outcome, Tracking
from lab.watch import ChangeWatch

NAMES = ("dc02", "dc03", "dc04", "dc01")
"""In the order of the rollout."""
TARGET = (
    "addtarget /N:ENTSSO /A:sso01.corp.example /S:ENTSSO/sso01.corp.example /F:3 /I:60 /WL:100 /WI:30 "
    r'/FI:"CORP\Domain Users" /FE:"CORP\Domain Admins"'
)


@dataclass(frozen=True)
class Case:
    """One fault.

    Attributes:
        name: The DC that has it.
        begin: Lets it happen.
        end: Takes it away.
        told: What the failure names; empty where the run recovers from it.
        restarts: How often the DC restarts in the run.
        variables: Host variables of the DC in the run.
    """

    name: str
    begin: Callable[[Estate], object]
    end: Callable[[Estate], object]
    told: tuple[str, ...]
    restarts: int = 0
    variables: Mapping[str, Any] = field(default_factory=dict)


def _fault(dc: str, name: str, value: object) -> Callable[[Estate], None]:
    return lambda estate: setattr(estate.host(dc).faults, name, value)


def _hold_replication(estate: Estate, *, held: bool) -> None:
    directory = estate.forest.directory
    (directory.hold_replication if held else directory.release_replication)("dc02")
    estate.host("dc02").faults.replication_error = 8606 if held else 0


CASES = {
    "Windows Installer stays busy (1618)": Case(
        "dc02",
        _fault("dc02", "installer_busy", 1000),
        _fault("dc02", "installer_busy", 0),
        ("PCNS on dc02.corp.example", "another installation", "Wait until it has ended"),
        variables={"pcns_busy_wait": 1},
    ),
    "the disk is full": Case(
        "dc02",
        _fault("dc02", "disk_full", True),
        _fault("dc02", "disk_full", False),
        ("dc02.corp.example", "no-go", "MiB free", "Make room on it"),
    ),
    "replication is stuck": Case(
        "dc02",
        lambda estate: _hold_replication(estate, held=True),
        lambda estate: _hold_replication(estate, held=False),
        ("dc02.corp.example", "no-go", "replic"),
    ),
    # The DC restarts here, and never again.
    "the service stops again": Case(
        "dc02",
        _fault("dc02", "services_that_stop", {"pcnssvc": 0.0}),
        _fault("dc02", "services_that_stop", {}),
        ("PCNSSVC", "dc02.corp.example"),
        restarts=1,
    ),
    "the clock jumps back": Case(
        "dc03",
        _fault("dc03", "clock_jump_at_boot", -3600.0),
        _fault("dc03", "clock_offset_seconds", 0.0),
        ("dc03.corp.example is not healthy", "run again"),
        restarts=1,
    ),
}
"""In this order on one estate."""


@dataclass(frozen=True)
class Met:
    """A run that met a fault.

    Attributes:
        run: The run.
        before: State of the later DCs before.
        after: And after.
        boots: How often each machine restarted in it.
    """

    run: Run
    before: Mapping[str, object]
    after: Mapping[str, object]
    boots: Mapping[str, int]


@dataclass(frozen=True)
class Story:
    """All runs, and what was captured on the way.

    Attributes:
        estate: The estate after all of it.
        met: The runs that met a fault of CASES.
        moving: The run of site.yml while dc04 is demoted and dc05 promoted.
        report: Its report.
        last: The last run, with an inventory that is right again.
        captured: Password changes by where they were made.
        outcomes: What had become of them before ENTSSO was started again.
    """

    estate: Estate
    met: Mapping[str, Met]
    moving: Met
    report: Mapping[str, Any]
    last: Met
    captured: Mapping[str, Tracking]
    outcomes: Mapping[str, Outcome]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    forest = small_forest(4)
    _make_live(forest)
    captured = {"dc01, before the faults": forest.change_password("dc01", "alice")}
    _lose_the_entry(forest)
    with Estate(forest, tmp_path_factory.mktemp("faults")) as estate:
        met = {}
        for name, case in CASES.items():
            estate.hosts[case.name] = dict(case.variables)
            estate.write()
            case.begin(estate)
            # The lock is on dc01, and the last of all is not reached in any of these runs: see how often it restarts.
            later = NAMES[NAMES.index(case.name) + 1 : -1]
            met[name] = _observed(estate, later, lambda: estate.run("domain_controllers.yml", variables=ALLOWED))
            case.end(estate)
            if name == "the service stops again":
                # Somebody starts it by hand, and it goes on.
                forest.host("dc02").services.start("PCNSSVC")
                captured["dc02, between the faults"] = forest.change_password("dc02", "bob")
        moving = _observed(estate, (), lambda: _run_while_domain_controllers_move(estate))
        report = estate.report()
        captured["dc03, after the faults"] = forest.change_password("dc03", "carol")
        # An inventory from the directory has dc05 and no dc04.
        estate.write()
        last = _observed(estate, (), lambda: estate.run("domain_controllers.yml", variables=ALLOWED))
        captured["dc05, after all"] = forest.change_password("dc05", "alice")
        outcomes = {name: item.outcome for name, item in captured.items()}
        forest.host("sso01").services.start("ENTSSO")
        _wait_for(captured)
        yield Story(estate, met, moving, report, last, captured, outcomes)


def _make_live(forest: Forest) -> None:
    """Brings dc01 and the SSO server to work by hand; ENTSSO is stopped then."""
    server, host = forest.host("sso01"), forest.host("dc01")
    assert install_feature(server) == 0
    assert sso(server, "ssoconfig", "-allowPS PCNS yes")[0] == 0
    for name in ADAPTERS:
        add_system(server, name, mapped=("alice", "bob", "carol"))
    assert server.services.stop("ENTSSO") == 0
    assert install(host) == 3010
    restart(forest, host)
    for line in (TARGET, "service /A:604800 /I:60"):
        assert pcnscfg(host, line)[0] == 0
    assert host.services.start("PCNSSVC") == 0


def _lose_the_entry(forest: Forest) -> None:
    """A security baseline takes PCNSFLT out of the registry, and the DC restarts: the rollout has to restart it."""
    host = forest.host("dc01")
    host.remove_notification_package("PCNSFLT")
    restart(forest, host)


def _observed(estate: Estate, later: tuple[str, ...], run: Callable[[], Run]) -> Met:
    before, boots = estate.snapshots(*later), estate.boots()
    done = run()
    after = {name: count - boots.get(name, 0) for name, count in estate.boots().items()}
    return Met(done, before, estate.snapshots(*later), {name: count for name, count in after.items() if count})


def _run_while_domain_controllers_move(estate: Estate) -> Run:
    forest, moved = estate.forest, list[str]()

    def move() -> None:
        forest.demote("dc04", at_once=True)
        forest.add_domain_controller("dc05", "Lyon")

    def noticed(_host: str, what: str) -> None:
        # The plan is made by then, and dc04 is its first.
        if not moved:
            moved.append(what)
            forest.scheduler.after(0, move, locked=False)

    with ChangeWatch(forest, noticed):
        return estate.run("site.yml", "--limit", "domain_controllers", variables=ALLOWED)


def _wait_for(captured: Mapping[str, Tracking]) -> None:
    end = time.monotonic() + 10
    while time.monotonic() < end and any(item.outcome is Outcome.QUEUED for item in captured.values()):
        time.sleep(0.05)


@pytest.mark.parametrize("name", CASES)
def test_a_fault_stops_the_rollout_and_says_why(story: Story, name: str) -> None:
    case, run = CASES[name], story.met[name].run
    assert run.exit_code == 2, run.output
    failed = [item for item in run.results if item.status in FAILURES and fqdn(case.name) in message(item)]
    assert failed, run.output
    says(message(failed[0]), *case.told)


@pytest.mark.parametrize("name", CASES)
def test_no_further_domain_controller_is_touched(story: Story, name: str) -> None:
    met, case = story.met[name], CASES[name]
    assert met.before == met.after
    assert met.boots == ({case.name: case.restarts} if case.restarts else {})


def test_no_restart_is_repeated(story: Story) -> None:
    """Each restarts once in all seven runs."""
    counts = Counter[str]()
    for met in (*story.met.values(), story.moving, story.last):
        counts.update(met.boots)
    del counts["dc04"], counts["sso01"]
    assert counts == {"dc01": 1, "dc02": 1, "dc03": 1, "dc05": 1}


def test_a_demoted_domain_controller_stops_the_rollout(story: Story) -> None:
    run = story.moving.run
    assert run.exit_code == 2
    failed = [item for item in run.results if item.status in FAILURES and fqdn("dc04") in message(item)]
    says(message(failed[0]), "dc04.corp.example", "domain controller")
    log = story.estate.host("dc04").process_log
    assert log == [], log
    assert any("dc04.corp.example" in note for note in story.report["notes"]), story.report["notes"]


def test_a_promoted_domain_controller_is_reported(story: Story) -> None:
    (finding,) = [item for item in findings(story.report, fqdn("dc05")) if item["control"] == "PCNS-001"]
    assert (finding["severity"], finding["status"]) == ("critical", "manual")
    assert "the inventory does not have it" in str(finding["message"])
    assert "are being lost" in story.moving.run.output
    assert story.estate.boots()["dc05"] == story.last.boots["dc05"]


def test_the_run_after_the_faults_converges(story: Story) -> None:
    assert story.last.run.exit_code == 0, story.last.run.output
    for name in ("dc01", "dc02", "dc03", "dc05"):
        host = story.estate.host(name)
        assert host.lsa.is_loaded("PCNSFLT"), name
        assert host.services.is_running("PCNSSVC"), name


def test_no_captured_change_is_lost(story: Story) -> None:
    """They waited in the queues of their DCs, one of which was restarted by the rollout, and all arrive."""
    assert set(story.outcomes.values()) == {Outcome.QUEUED}, story.outcomes
    lost = {
        name: (item.outcome, item.reason) for name, item in story.captured.items() if item.outcome.value != "delivered"
    }
    assert not lost
    for adapter in ADAPTERS:
        arrived = {item.tracking_id: item.sha256 for item in story.estate.forest.arrived(adapter)}
        assert arrived == {item.change.tracking_id: item.change.sha256 for item in story.captured.values()}
