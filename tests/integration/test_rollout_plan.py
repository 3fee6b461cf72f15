# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""plan.yml and domain_controllers.yml: planned, approved, refused when something differs, and run wave by wave."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from integration.estate import ALLOWED, Estate, fqdn, message, says
from integration.request_list import install

from ansible_collections.entsso.password_sync.plugins.module_utils._names import ROLLOUT_LOCK_FOLDER, ROLLOUT_LOCK_KEY
from lab.forest import Forest
from lab.playbooks import Run, TaskResult, identities
from lab.windows.lsa import LSA, VALUE
from lab.windows.registry import ValueType

SITES = {"dc01": "Paris", "dc02": "Paris", "dc03": "Lyon", "dc04": "Lyon"}
POLICY = {"max_unavailable_total": 2}
ROLLOUT = "domain_controllers.yml"
CLAIM = "7 other.corp.example"
SOMEBODY = {
    "node": "other.corp.example",
    "process": 1,
    "started": 1,
    "owner": "deploy on other.corp.example (process 1, 1)",
    "expires": "2100-01-01T00:00:00Z",
}


@dataclass(frozen=True)
class Rollout:
    """What happened, one run after the other.

    Attributes:
        checked: plan.yml in check mode.
        planned: plan.yml.
        text: The plan file.
        refused: The rollout with the approved plan, after somebody broke dc04.
        locked: The rollout while another one holds the lock.
        late: The rollout with less time left than a domain controller may take.
        untouched: Whether none of these changed anything on a domain controller.
        done: The rollout.
        restarts: Restarts by the rollout.
        again: Another run of it.
        locks: What is left of locks.
    """

    checked: Run
    planned: Run
    text: str
    refused: Run
    locked: Run
    late: Run
    untouched: bool
    done: Run
    restarts: Mapping[str, int]
    again: Run
    locks: list[str]


@pytest.fixture(scope="module")
def rollout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rollout]:
    """On dc04 only the service stands still; after the approval somebody installs and restarts dc03 by hand."""
    folder = tmp_path_factory.mktemp("rollout-plan")
    dest = folder / "plan" / "rollout.json"
    forest = Forest(populate=False)
    for name, site in SITES.items():
        forest.add_domain_controller(name.upper(), site)
    forest.add_sso_server("SSO01", "Paris")
    with Estate(forest, folder) as estate:
        install(estate.forest, "dc04")
        before = estate.snapshots(*SITES)
        wanted = {"pcns_rollout_plan": str(dest), "pcns_rollout_worst_case_seconds": 600}
        checked = estate.run("plan.yml", "--check", variables={**wanted, "pcns_rollout_policy": POLICY})
        assert not dest.exists()
        planned = estate.run("plan.yml", variables={**wanted, "pcns_rollout_policy": POLICY})
        untouched = estate.snapshots(*SITES) == before
        approved = {**wanted, "pcns_rollout_approved": hashlib.sha256(dest.read_bytes()).hexdigest(), **ALLOWED}
        refused, same = _broken(estate, approved)
        untouched = untouched and same and estate.snapshots(*SITES) == before
        locked, same = _locked(estate, approved)
        untouched = untouched and same
        late = estate.run(ROLLOUT, variables={**approved, "pcns_rollout_window_ends": "2026-01-01T00:00:00Z"})
        untouched = untouched and all("msiexec" not in str(estate.host(name).process_log) for name in ("dc01", "dc02"))
        install(estate.forest, "dc03")
        boots = estate.boots()
        done = estate.run(ROLLOUT, "--forks", "5", variables=approved)
        after = estate.boots()
        again = estate.run(ROLLOUT, variables=approved)
        yield Rollout(
            checked=checked,
            planned=planned,
            text=dest.read_text(encoding="ascii"),
            refused=refused,
            locked=locked,
            late=late,
            untouched=untouched,
            done=done,
            restarts={name: after[name] - boots[name] for name in SITES},
            again=again,
            locks=_locks(estate),
        )


def _broken(estate: Estate, approved: Mapping[str, Any]) -> tuple[Run, bool]:
    """A run while somebody has removed the entry of dc04, and whether it left everything as it was."""
    registry = estate.host("dc04").registry
    packages = registry.get(LSA, VALUE)
    assert packages is not None
    registry.set(LSA, VALUE, ValueType.MULTI_SZ, ["scecli"])
    before = estate.snapshots(*SITES)
    run = estate.run(ROLLOUT, variables=approved)
    same = estate.snapshots(*SITES) == before
    registry.set(LSA, VALUE, packages.type, packages.data)
    return run, same


def _locked(estate: Estate, approved: Mapping[str, Any]) -> tuple[Run, bool]:
    """A run while another control node holds the lock on dc01, and whether it left everything as it was."""
    host = estate.host("dc01")
    host.files.make_folder(rf"{ROLLOUT_LOCK_FOLDER}\7")
    host.registry.create_key(ROLLOUT_LOCK_KEY)
    host.registry.set_string(ROLLOUT_LOCK_KEY, CLAIM, json.dumps(SOMEBODY))
    before = estate.snapshots(*SITES)
    run = estate.run(ROLLOUT, variables=approved)
    same = estate.snapshots(*SITES) == before
    assert _locks(estate) == [rf"{ROLLOUT_LOCK_FOLDER}\7", CLAIM]
    host.files.remove_folder(rf"{ROLLOUT_LOCK_FOLDER}\7")
    host.registry.delete_value(ROLLOUT_LOCK_KEY, CLAIM)
    return run, same


def _locks(estate: Estate) -> list[str]:
    host = estate.host("dc01")
    folders = [path for path in host.files.folders if path.startswith(ROLLOUT_LOCK_FOLDER + "\\")]
    return [*folders, *(item.name for item in host.registry.values(ROLLOUT_LOCK_KEY) or ())]


def _result(run: Run) -> Mapping[str, Any]:
    (found,) = [item.result for item in run.of("rollout_plan")]
    return found


def _failure(run: Run) -> TaskResult:
    return [item for item in run.results if item.status == "failed"][-1]


def _names(result: Mapping[str, Any]) -> list[list[str]]:
    return [[name.partition(".")[0] for name in wave["domain_controllers"]] for wave in result["waves"]]


def test_check_mode_plans_the_same_and_writes_nothing(rollout: Rollout) -> None:
    checked, planned = _result(rollout.checked), _result(rollout.planned)
    for name in ("changed", "waves", "sha256", "table", "dest"):
        assert checked[name] == planned[name], name
    assert checked["changed"] is True
    assert (rollout.checked.exit_code, rollout.planned.exit_code) == (0, 0)


def test_the_plan_is_shown_and_saved_with_its_sum(rollout: Rollout) -> None:
    result = _result(rollout.planned)
    assert _names(result) == [["dc02", "dc03"], ["dc04"], ["dc01"]]
    assert hashlib.sha256(rollout.text.encode()).hexdigest() == result["sha256"]
    for line in (*result["table"], f"SHA-256 of the plan: {result['sha256']}"):
        assert line in rollout.planned.output
    assert result["msg"] == "4 domain controllers in 3 waves, 3 restarts, at most 30 min."


def test_roles_and_sites_come_from_the_directory(rollout: Rollout) -> None:
    members = [item for wave in json.loads(rollout.text)["waves"] for item in wave["domain_controllers"]]
    assert {item["name"].partition(".")[0]: item["site"] for item in members} == SITES
    assert {item["name"] for item in members if "pdc_emulator" in item["roles"]} == {fqdn("dc01")}
    assert all(item["global_catalog"] for item in members)


def test_the_file_holds_the_changes_that_each_domain_controller_needs(rollout: Rollout) -> None:
    observed = {item.host: item.result["planned"] for item in rollout.planned.of("pcns_info")}
    document = json.loads(rollout.text)
    written = {item["name"]: item["changes"] for wave in document["waves"] for item in wave["domain_controllers"]}
    assert written == {name: changes for name, changes in observed.items() if changes}
    assert [change["resource"] for change in written[fqdn("dc02")]] == ["msi_package", "domain_controller_restart"]
    assert [change["new"] for change in written[fqdn("dc04")]] == [{"state": "running"}]


def test_nobody_is_touched_by_a_plan_nor_by_what_is_refused(rollout: Rollout) -> None:
    assert rollout.untouched
    for run in (rollout.checked, rollout.planned, rollout.refused, rollout.locked, rollout.late):
        assert not run.of("msi_package")
        assert not run.of("domain_controller_restart")


def test_what_was_not_approved_is_refused(rollout: Rollout) -> None:
    assert rollout.refused.exit_code == 2
    (problem,) = _result(rollout.refused)["problems"]
    assert problem["subject"] == fqdn("dc04")
    assert problem["reason"] == (
        "the approved plan does not have update notification_package PCNSFLT (registered=true)"
    )
    assert problem["reason"] in " ".join(rollout.refused.output.split())
    assert not rollout.refused.of("rollout_lock")


def test_a_second_rollout_says_so_and_leaves(rollout: Rollout) -> None:
    assert rollout.locked.exit_code == 2
    last = _failure(rollout.locked)
    says(
        message(last),
        "Another rollout has the rollout lock on dc01.corp.example",
        str(SOMEBODY["owner"]),
        "Wait for its end",
    )


def test_what_does_not_fit_the_window_is_not_started(rollout: Rollout) -> None:
    assert rollout.late.exit_code == 2
    told = message(_failure(rollout.late))
    says(
        told,
        "Wave 1 must not start: dc02.corp.example: the maintenance window ends",
        "it may take 10 min",
        "next window",
    )


def test_the_waves_run_one_after_the_other_and_do_what_was_approved(rollout: Rollout) -> None:
    assert rollout.done.exit_code == 0, rollout.done.output
    # dc03 has been done by hand: less than was approved is fine, and dc04 is looked at only once dc02 is well.
    order = [(item.host, item.action.rpartition(".")[2]) for item in rollout.done.results]
    restarted = [host for host, action in order if action == "domain_controller_restart"]
    assert sorted(restarted[:2]) == [fqdn("dc02"), fqdn("dc03")]
    assert restarted[2:] == [fqdn("dc04"), fqdn("dc01")]
    assert rollout.restarts == {"dc01": 1, "dc02": 1, "dc03": 0, "dc04": 0}
    healthy = order.index((fqdn("dc02"), "domain_controller_health"))
    assert order.index((fqdn("dc02"), "domain_controller_restart")) < healthy
    assert healthy < order.index((fqdn("dc04"), "domain_controller_restart"))
    document = json.loads(rollout.text)
    members = [item for wave in document["waves"] for item in wave["domain_controllers"]]
    granted = identities([change for item in members for change in (*item["changes"], *item["possible"])])
    own = {"pcns_configuration", "pcns_target", "rollout_lock"}
    made = identities([change for change in rollout.done.changes if change["resource"] not in own])
    assert made <= granted, made - granted


def test_the_lock_is_held_from_the_first_wave_to_the_last_and_given_back(rollout: Rollout) -> None:
    tasks = [item for item in rollout.done.results if item.action == "entsso.password_sync.rollout_lock"]
    assert [len(item.changes) for item in tasks] == [1, *([0] * (len(tasks) - 2)), 1]
    assert (tasks[0].changes[0]["operation"], tasks[-1].changes[0]["operation"]) == ("create", "delete")
    assert rollout.locks == []


def test_with_nothing_to_do_there_is_no_lock_and_no_wave(rollout: Rollout) -> None:
    assert rollout.again.exit_code == 0, rollout.again.output
    assert not rollout.again.changed
    assert not rollout.again.of("rollout_lock")
    assert not rollout.again.of("rollout_wave")
    assert len(rollout.again.of("pcns_info")) == len(SITES)
