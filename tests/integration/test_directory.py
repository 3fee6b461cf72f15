# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""directory.yml and go_live.yml, each alone: written, enabled when every DC works, drained, then disabled."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from integration.estate import ALLOWED, Estate, failure, findings, fqdn, message, says, small_forest
from unit.lab.estate_kit import install, restart
from unit.lab_host import wait_for

from lab.directory import PcnsTarget
from lab.playbooks import Run
from lab.tracking import Outcome

WRITER = fqdn("dc01")
NAME = "ENTSSO/sso01.corp.example"
QUICK = {"pcns_directory_replication_timeout": 5, "pcns_directory_service_account": "CORP\\svc-entsso"}


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    """Both domain controllers have PCNS, and nobody has written anything into the directory."""
    forest = small_forest(2)
    for name in ("dc01", "dc02"):
        install(forest.host(name))
        restart(forest, forest.host(name))
    forest.directory.service_principal_names.clear()
    with Estate(forest, tmp_path_factory.mktemp("directory")) as started:
        started.groups["domain_controllers"] |= QUICK
        started.write()
        yield started


def target(estate: Estate) -> PcnsTarget:
    found = estate.forest.directory.pcns().target("ENTSSO")
    assert found is not None
    return found


def with_target(estate: Estate, **values: Any) -> Mapping[str, Any]:
    """Returns variables in which the target is wanted differently."""
    wanted = dict(estate.groups["domain_controllers"]["pcns_directory_targets"][0])
    return {"pcns_directory_targets": [{**wanted, **values}]}


def made(run: Run) -> list[str]:
    """Returns what a run changed, or would change, without what its looking tasks foresaw."""
    compared = ("subject", "resource", "name", "operation", "new")
    return sorted(
        json.dumps({key: change[key] for key in compared}, sort_keys=True)
        for result in run.changed
        for change in result.changes
    )


def item_failure(run: Run) -> str:
    """Returns why the first item of a loop failed."""
    return message(next(item for item in run.results if item.status == "failed"))


def test_written_by_one_and_seen_by_all(estate: Estate) -> None:
    before = estate.forest.snapshot()
    predicted = estate.run("directory.yml", "--check")
    assert estate.forest.snapshot() == before
    done = estate.run("directory.yml")
    assert (done.exit_code, made(done)) == (0, made(predicted))
    assert len(made(done)) == 3
    assert estate.forest.directory.spn_accounts(NAME) == ("svc-entsso",)
    assert target(estate).disabled
    assert {item.host for item in done.changed} == {WRITER}
    (written,) = [item for item in done.results if item.action.endswith("pcns_configuration")]
    assert written.result["seen_by"] == [fqdn("dc01"), fqdn("dc02")]
    again = estate.run("directory.yml")
    assert (again.exit_code, made(again), again.changed) == (0, [], [])


def test_live_when_every_domain_controller_works(estate: Estate) -> None:
    estate.forest.add_domain_controller("DC09", "Paris")
    run = estate.run("go_live.yml")
    says(message(failure(run, "dc01")), fqdn("dc09"), "the directory knows it, and this run did not look at it")
    assert target(estate).disabled
    estate.forest.demote("DC09")
    for name in ("dc01", "dc02"):
        # It ended when it found no configuration (event 6000).
        estate.host(name).services.start("PCNSSVC")
    live = estate.run("go_live.yml")
    assert live.exit_code == 0, live.output
    assert not target(estate).disabled


def test_nothing_that_waits_is_lost(estate: Estate) -> None:
    """A change waits on dc02: the target is neither disabled nor deleted until it has been delivered."""
    estate.host("sso01").services.stop("ENTSSO")
    waiting = estate.forest.change_password("dc02", "alice")
    assert waiting.outcome is Outcome.QUEUED
    off = with_target(estate, enabled=False)
    gone = with_target(estate, state="absent")
    ask = {"pcns_directory_drain_restart_service": True}
    for wanted in (off, gone):
        refused = item_failure(estate.run("directory.yml", variables={**wanted, **ask}))
        says(refused, "loses the password changes that wait for it", f"({fqdn('dc02')}: 1 waited when", "discard_queue")
    assert not target(estate).disabled
    assert waiting.outcome is Outcome.QUEUED
    # Once it is delivered, it is proved by a restart of the service that nothing waits; without one it is not.
    estate.host("sso01").services.start("ENTSSO")
    wait_for(lambda: waiting.outcome is not Outcome.QUEUED)
    silent = item_failure(estate.run("directory.yml", variables=off))
    says(silent, "not logged at event log level", "pcns_directory_drain_restart_service")
    done = estate.run("directory.yml", variables={**off, **ask})
    assert (done.exit_code, target(estate).disabled) == (0, True)
    assert estate.run("directory.yml", variables=gone).exit_code == 0
    assert estate.forest.directory.pcns().targets == ()


def test_where_one_domain_controller_has_pcns_it_is_the_one_that_is_asked(tmp_path: Path) -> None:
    """Between two waves of a rollout: dc01 comes first, and pcnscfg is on dc02 only."""
    forest = small_forest(2)
    install(forest.host("dc02"))
    restart(forest, forest.host("dc02"))
    with Estate(forest, tmp_path) as estate:
        estate.groups["domain_controllers"] |= QUICK
        estate.write()
        assert estate.run("domain_controllers.yml", "--limit", fqdn("dc02"), variables=ALLOWED).exit_code == 0
        done = estate.run("directory.yml")
        assert done.exit_code == 0, done.output
        assert {item.host for item in done.of("pcns_configuration")} == {fqdn("dc02")}
        estate.run("compliance.yml")
        found = {item["control"]: item["status"] for item in findings(estate.report(), "corp.example")}
        assert (found["PCNS-007"], found["PCNS-011"]) == ("compliant", "compliant")
