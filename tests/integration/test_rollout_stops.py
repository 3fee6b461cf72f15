# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A domain controller that fails stops the rollout: later ones stay untouched, the report comes, the run fails last.

One that does not answer when the rollout is planned stops it before it begins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from integration.estate import ALLOWED, Estate, findings, fqdn, message, rows, says, small_forest
from integration.request_list import install

from ansible_collections.entsso.password_sync.plugins.module_utils._names import ROLLOUT_LOCK_KEY
from lab.playbooks import Run

REPORT = "entsso.password_sync.compliance_report"


@dataclass(frozen=True)
class Case:
    """One way to fail.

    Attributes:
        name: The domain controller that fails.
        break_it: Lets it fail.
        mend_it: Takes the fault away.
        told: What the failure names.
        state: What the report says of it.
        begun: Whether the rollout began.
    """

    name: str
    break_it: Callable[[Estate], object]
    mend_it: Callable[[Estate], object]
    told: tuple[str, ...]
    state: str
    begun: bool = True


def _set_fault(dc: str, name: str, value: object) -> Callable[[Estate], None]:
    return lambda estate: setattr(estate.host(dc).faults, name, value)


def _power_on(estate: Estate) -> None:
    estate.host("dc02").faults.restart_never_returns = False
    with estate.forest.scheduler.lock:
        estate.host("dc02").power_on()


CASES = {
    "unreachable": Case(
        "dc02",
        lambda estate: estate.forest.endpoints[fqdn("dc02")].down(),
        lambda estate: estate.forest.endpoints[fqdn("dc02")].up(),
        ("dc02.corp.example: what there is to do on it is not known: WinRM", "can't be reached", "exempt it with"),
        "unknown",
        begun=False,
    ),
    "installation fails": Case(
        "dc02",
        _set_fault("dc02", "msiexec_exit_code", 1603),
        _set_fault("dc02", "msiexec_exit_code", None),
        ("PCNS on dc02.corp.example", "failed and was rolled back", "Read the log"),
        "absent",
    ),
    "never returns": Case(
        "dc02",
        _set_fault("dc02", "restart_never_returns", True),
        _power_on,
        ("restart on dc02.corp.example", "after 1 s it still waits for WinRM", "run again when it serves"),
        "unknown",
    ),
    # dc02 works by now.
    "returns without the filter": Case(
        "dc03",
        _set_fault("dc03", "filter_blocked_error", 577),
        _set_fault("dc03", "filter_blocked_error", None),
        ("LSA on dc03.corp.example refused to load PCNSFLT", "event 16953", "Another restart does not help"),
        "blocked",
    ),
}
"""In this order on one estate."""

ORDER = ("dc02", "dc03", "dc04", "dc01")
"""In which the rollout comes to them: dc01 holds the operations master roles."""


def later(name: str) -> tuple[str, ...]:
    """Returns the domain controllers that a rollout would come to after the one that fails in a case."""
    case = CASES[name]
    return ORDER[ORDER.index(case.name) + 1 :] if case.begun else tuple(dc for dc in ORDER if dc != case.name)


@dataclass(frozen=True)
class Stop:
    """One rollout that stopped.

    Attributes:
        run: The run.
        report: What it reported.
        before: State of the later domain controllers before.
        after: And after.
        restarts: How often the one that failed was told to restart in this run.
    """

    run: Run
    report: Mapping[str, Any]
    before: Mapping[str, object]
    after: Mapping[str, object]
    restarts: int


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    with Estate(small_forest(4), tmp_path_factory.mktemp("rollout")) as estate:
        # What the rollout does on a domain controller that works is shown elsewhere.
        install(estate.forest, "dc01")
        # So that the lock leaves no trace on a domain controller that nobody has come to yet.
        estate.groups["all"]["pcns_rollout_lock_host"] = fqdn("sso01")
        yield estate


@pytest.fixture(scope="module")
def stops(estate: Estate) -> Mapping[str, Stop]:
    """Runs every case once."""
    found = {}
    for name, case in CASES.items():
        estate.hosts["dc02"] = {"pcns_restart_deadline": 1} if name == "never returns" else {}
        estate.write()
        case.break_it(estate)
        before, restarts = estate.snapshots(*later(name)), _restarts(estate, case.name)
        run = estate.run("site.yml", "--limit", "domain_controllers", variables=ALLOWED)
        after, restarts = estate.snapshots(*later(name)), _restarts(estate, case.name) - restarts
        found[name] = Stop(run, estate.report(), before, after, restarts)
        case.mend_it(estate)
    return found


def _restarts(estate: Estate, name: str) -> int:
    return sum("shutdown" in line.lower() for line in estate.host(name).process_log)


def _enabled(estate: Estate) -> list[bool]:
    return [not target.disabled for target in estate.forest.directory.pcns().targets]


@pytest.mark.parametrize("name", CASES)
def test_the_reason_is_told(stops: Mapping[str, Stop], name: str) -> None:
    """By the task that failed, and by the report, which also says how far the rollout has come and what to do."""
    case, stop = CASES[name], stops[name]
    (failed,) = [item for item in stop.run.results if item.status == "failed" and item.action != REPORT][-1:]
    # A callback of ansible-core 2.21 is not told which items failed; one that did has an exception.
    items = [item["msg"] for item in failed.result.get("results") or () if item.get("failed") or "exception" in item]
    says(items[0] if items else message(failed), *case.told)
    note, *progress = stop.report["notes"]
    where = f"The rollout stopped at {fqdn(case.name)}" if case.begun else "No domain controller was changed by the"
    says(note, where, *case.told)
    assert note in stop.run.output
    assert [item for item in progress if "untouched: " in item] == progress
    assert len(progress) == int(case.begun)
    for dc in later(name) if case.begun else ():
        assert fqdn(dc) in progress[0].partition("untouched: ")[2]


@pytest.mark.parametrize("name", CASES)
def test_later_domain_controllers_are_not_touched(stops: Mapping[str, Stop], name: str) -> None:
    assert stops[name].before == stops[name].after


@pytest.mark.parametrize("name", CASES)
def test_the_report_comes_last_with_the_state_of_each(stops: Mapping[str, Stop], name: str) -> None:
    case, run = CASES[name], stops[name].run
    assert run.exit_code == 2
    assert (run.results[-1].action, run.results[-1].status) == (REPORT, "failed")
    states = {dc: row["capture_state"] for dc, row in rows(stops[name].report).items()}
    earlier = ORDER[: ORDER.index(case.name)] if case.begun else ()
    assert states == {
        **dict.fromkeys(earlier, "working"),
        case.name: case.state,
        # dc01 was installed by hand; PCNS stops there as long as nobody has written its configuration.
        **{dc: "loaded" if dc == "dc01" else "absent" for dc in later(name)},
    }
    for dc in (case.name, *later(name)):
        assert findings(stops[name].report, fqdn(dc)), dc
        assert f" {fqdn(dc)} (Paris). " in run.output


@pytest.mark.parametrize("name", CASES)
def test_it_is_restarted_once_at_most(stops: Mapping[str, Stop], name: str) -> None:
    assert stops[name].restarts == int("returns" in name)


def test_the_lock_is_given_back(stops: Mapping[str, Stop], estate: Estate) -> None:
    assert len(stops) == len(CASES)
    for name, stop in stops.items():
        last = [item.changes[0]["operation"] for item in stop.run.of("rollout_lock") if item.changes][-1:]
        assert last == (["delete"] if CASES[name].begun else [])
    assert estate.host("sso01").registry.values(ROLLOUT_LOCK_KEY) == ()


def test_the_target_stays_disabled(stops: Mapping[str, Stop], estate: Estate) -> None:
    assert len(stops) == len(CASES)
    assert _enabled(estate) == [False]


def test_a_refused_filter_is_not_restarted_in_vain(stops: Mapping[str, Stop], estate: Estate) -> None:
    """Nor does domain_controllers.yml end well when it is run alone: it has no report that could fail for it."""
    assert len(stops) == len(CASES)
    before = estate.forest.snapshot()
    run = estate.run("domain_controllers.yml", variables=ALLOWED)
    assert run.exit_code == 2
    assert estate.forest.snapshot() == before
    assert not [item for item in run.results if item.result.get("changed")]
    last = [item for item in run.results if item.status == "failed"][-1]
    says(message(last), "dc03.corp.example: ", "LSA on dc03.corp.example refused to load PCNSFLT", "event 16953")


def test_only_what_is_left_is_done_next_time(stops: Mapping[str, Stop], estate: Estate) -> None:
    """Somebody mends dc03 and restarts it; the next run goes on from there."""
    assert len(stops) == len(CASES)
    estate.host("dc03").run("shutdown /r /t 0")
    while not estate.host("dc03").power.on or estate.boots()["dc03"] < 2:
        estate.forest.advance(0.1)
    boots = estate.boots()
    run = estate.run("site.yml", "--limit", "domain_controllers", variables=ALLOWED)
    assert run.exit_code == 0, run.output
    restarted = {name: count - boots[name] for name, count in estate.boots().items() if count != boots[name]}
    assert restarted == {"dc04": 1}
    assert {row["capture_state"] for row in rows(estate.report()).values()} == {"working"}
    assert _enabled(estate) == [True]
