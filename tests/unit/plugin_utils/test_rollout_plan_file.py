# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rollout_plan: the file with the plan, and from an approved plan to what is left of it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from unit.plugin_utils.rollout_kit import DIRECTORY, Runner, Variables, bare_forest, fqdn, observed, waves

from ansible_collections.entsso.password_sync.tests.unit.module_utils.rollout_strategies import changes, possible


@pytest.fixture
def hosts() -> Variables:
    """Four bare domain controllers, and a read-only one that nobody looked at."""
    return bare_forest()


@pytest.fixture
def run() -> Runner:
    return Runner()


class TestFile:
    def test_it_is_written_once(self, run: Runner, hosts: Variables, tmp_path: Path) -> None:
        dest = tmp_path / "plans" / "rollout.json"
        assert run(hosts, dest=str(dest), check=True)["changed"] is True
        assert not dest.parent.exists()
        result = run(hosts, dest=str(dest), diff=True)
        assert (result["changed"], result["dest"]) == (True, str(dest))
        assert hashlib.sha256(dest.read_bytes()).hexdigest() == result["sha256"]
        assert (result["diff"][0]["before"], result["diff"][0]["after"]) == ("", dest.read_text())
        assert [path.name for path in dest.parent.iterdir()] == ["rollout.json"]
        stamp = dest.stat().st_mtime_ns
        assert run(hosts, dest=str(dest))["changed"] is False
        assert run(hosts, dest=str(dest), check=True)["changed"] is False
        assert dest.stat().st_mtime_ns == stamp
        hosts[fqdn("dc02")] = observed("dc02")
        assert run(hosts, dest=str(dest))["changed"] is True

    def test_nothing_is_written_when_it_fails(self, run: Runner, hosts: Variables, tmp_path: Path) -> None:
        hosts[fqdn("dc02")] = {}
        run.refused(hosts, dest=str(tmp_path / "plan.json"))
        assert list(tmp_path.iterdir()) == []

    def test_a_place_that_can_not_be_written(self, run: Runner, hosts: Variables, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("in the way")
        told = run.refused(hosts, dest=str(tmp_path / "file" / "plan.json"))
        assert told.startswith(f"The plan can't be written to {tmp_path}/file/plan.json: ")


class TestApproval:
    @pytest.fixture
    def plan(self, run: Runner, hosts: Variables, tmp_path: Path) -> dict[str, Any]:
        """The arguments of a run that is held to a plan in which two may be down."""
        dest = tmp_path / "rollout.json"
        result = run(hosts, dest=str(dest), policy={"max_unavailable_total": 2})
        assert waves(result) == [["dc02", "dc03"], ["dc04"], ["dc01"]]
        return {"src": str(dest), "approved_plan": result["sha256"]}

    def test_the_approved_waves_are_taken_with_their_policy(
        self, run: Runner, hosts: Variables, plan: dict[str, Any]
    ) -> None:
        result = run(hosts, **plan)
        assert waves(result) == [["dc02", "dc03"], ["dc04"], ["dc01"]]
        assert (result["changed"], result["sha256"]) == (False, plan["approved_plan"])

    def test_what_is_done_is_left_out(self, run: Runner, hosts: Variables, plan: dict[str, Any]) -> None:
        hosts[fqdn("dc02")] = observed("dc02")
        hosts[fqdn("dc03")] = observed("dc03", *possible(fqdn("dc03")))
        hosts[fqdn("dc01")] = observed("dc01")
        result = run(hosts, **plan)
        assert [(wave["number"], wave["domain_controllers"]) for wave in result["waves"]] == [
            (1, [fqdn("dc03")]),
            (2, [fqdn("dc04")]),
        ]

    def test_a_part_of_the_inventory_is_refused(self, run: Runner, hosts: Variables, plan: dict[str, Any]) -> None:
        """As in a job slice: the others are not left to another run that nobody sees."""
        part = {name: values for name, values in hosts.items() if name not in (fqdn("dc02"), fqdn("dc04"))}
        told = run.refused(part, **plan, domain_controllers=[fqdn("dc01"), fqdn("dc03")])
        assert (
            "dc04.corp.example: the approved plan changes it, and the inventory of this run does not have it. " in told
        )
        assert "without job slices (`job_slice_count: 1` in AWX)" in told

    def test_a_limited_run_is_not(self, run: Runner, hosts: Variables, plan: dict[str, Any]) -> None:
        known = [{**item, "available": True} for item in DIRECTORY]
        limited: Variables = {name: {} for name in hosts} | {fqdn("dc03"): hosts[fqdn("dc03")]}
        assert waves(run(limited, **plan, domain_controllers=[fqdn("dc03")], directory=known)) == [["dc03"]]

    def test_one_that_the_preflight_says_no_to(self, run: Runner, hosts: Variables, plan: dict[str, Any]) -> None:
        hosts[fqdn("dc02")]["pcns_preflight"] = {"go": False, "msg": "the disk is full"}
        assert "dc02.corp.example: the preflight says no: the disk is full. " in run.refused(hosts, **plan)

    def test_another_version_is_refused(self, run: Runner, hosts: Variables, plan: dict[str, Any]) -> None:
        hosts[fqdn("dc04")] = observed("dc04", *changes(fqdn("dc04"), "6.0"))
        told = run.refused(hosts, **plan)
        assert told.startswith("The approved plan does not cover what this run would do: dc04.corp.example: ")
        assert ": install msi_package PCNS would now set version to '6.0', and approved is '5.0.1'. " in told

    def test_another_policy_is_refused(self, run: Runner, hosts: Variables, plan: dict[str, Any]) -> None:
        assert waves(run(hosts, **plan, policy={"max_unavailable_total": 2}))
        told = run.refused(hosts, **plan, policy={"max_unavailable_total": 3})
        assert "max_unavailable_total is 3, approved is 2. Leave `policy` out" in told

    def test_another_file_is_refused(self, run: Runner, hosts: Variables, plan: dict[str, Any]) -> None:
        path = Path(plan["src"])
        path.write_text(path.read_text().replace('"max_unavailable_total": 2', '"max_unavailable_total": 4'))
        told = run.refused(hosts, **plan)
        assert f"The plan file {path} has the SHA-256 " in told
        assert "or was changed since. Fetch the file whose SHA-256 is " in told
        path.unlink()
        assert f"The plan file {path} can't be read: No such file or directory. " in run.refused(hosts, **plan)

    @pytest.mark.parametrize(
        "given", [{"approved_plan": "0"}, {"src": "x"}, {"approved_plan": "0", "src": "x", "dest": "y"}]
    )
    def test_arguments_that_do_not_go_together(self, run: Runner, hosts: Variables, given: dict[str, str]) -> None:
        assert any(words in run.refused(hosts, **given) for words in ("required together", "mutually exclusive"))
