# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rollout_plan: from what a run observed to a plan, and from an approved plan to what is left of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from ansible.errors import AnsibleActionFail
from ansible.parsing.dataloader import DataLoader
from unit.lab_host import HostVariables, Spoken, module_class

from ansible_collections.entsso.password_sync.plugins.plugin_utils import _action, _rollout_plan
from ansible_collections.entsso.password_sync.plugins.plugin_utils._compliance_report import DC_OBSERVATION
from ansible_collections.entsso.password_sync.tests.unit.module_utils.rollout_strategies import changes, possible

Variables = dict[str, dict[str, Any]]
UNUSED = SimpleNamespace(_shell=SimpleNamespace(tmpdir="/none"))
"""A connection that can do nothing."""


def fqdn(name: str) -> str:
    return f"{name}.corp.example"


def entry(name: str, site: str, *roles: str, **more: Any) -> dict[str, Any]:
    """Returns a domain controller as `domain_controller_info` does; what the plan does not need is there too."""
    return {
        "dns_name": fqdn(name),
        "site": site,
        "domain": "corp.example",
        "roles": list(roles),
        "global_catalog": True,
        "read_only": False,
        "operating_system": "Windows Server 2022 Standard",
        **more,
    }


def observed(name: str, *planned: Any, **more: Any) -> dict[str, Any]:
    """Returns the variables of a host on which `pcns_info` was registered."""
    result = {
        "planned": [change.to_json() for change in planned],
        "possible": [],
        "problems": {},
        "system": {"name": fqdn(name)},
        **more,
    }
    return {DC_OBSERVATION: result}


def bare(name: str) -> dict[str, Any]:
    return observed(name, *changes(fqdn(name)), possible=[item.to_json() for item in possible(fqdn(name))])


DIRECTORY = [
    entry("dc01", "Paris", "pdc_emulator", "schema_master"),
    entry("dc02", "Paris"),
    entry("dc03", "Lyon"),
    entry("dc04", "Lyon"),
    entry("rodc", "Lyon", read_only=True),
]


@pytest.fixture
def hosts() -> Variables:
    """Four bare domain controllers, and a read-only one that nobody looked at."""
    return {**{fqdn(name): bare(name) for name in ("dc01", "dc02", "dc03", "dc04")}, fqdn("rodc"): {}}


class Runner:
    """Runs the action as Ansible does, and keeps what was said."""

    def __init__(self) -> None:
        self.spoken = Spoken()

    def __call__(self, hosts: Variables, *, check: bool = False, diff: bool = False, **given: Any) -> dict[str, Any]:
        names = [name for name in hosts if not name.startswith("rodc")]
        arguments = {"domain_controllers": names, "directory": DIRECTORY, **given}
        task = SimpleNamespace(
            action="entsso.password_sync.rollout_plan",
            args={name: value for name, value in arguments.items() if value is not None},
            check_mode=check,
            diff=diff,
            async_val=0,
            delegate_to=None,
        )
        action = module_class("rollout_plan")(task, UNUSED, None, DataLoader(), None)
        action._load_name = "rollout_plan"
        variables = {"inventory_hostname": "localhost", "hostvars": HostVariables(hosts)}
        with patch.object(_action, "display", self.spoken), patch.object(_rollout_plan, "display", self.spoken):
            result: dict[str, Any] = action.run(None, variables)
        json.dumps(result)
        return result

    def refused(self, hosts: Variables, **given: Any) -> str:
        with pytest.raises(AnsibleActionFail) as caught:
            self(hosts, **given)
        return str(caught.value)


@pytest.fixture
def run() -> Runner:
    return Runner()


def waves(result: Mapping[str, Any]) -> list[list[str]]:
    return [[name.partition(".")[0] for name in wave["domain_controllers"]] for wave in result["waves"]]


class TestPlanning:
    def test_one_after_the_other_site_by_site_and_the_pdc_emulator_last(self, run: Runner, hosts: Variables) -> None:
        result = run(hosts)
        assert waves(result) == [["dc03"], ["dc04"], ["dc02"], ["dc01"]]
        assert result["changed"] is False
        assert result["lower_bound"] == 4
        assert result["msg"] == (
            "4 domain controllers in 4 waves, 4 restarts, at most 11 h 8 min; nothing is done on 1 more."
        )
        assert result["waves"][0]["worst_case_seconds"] == 10020

    def test_it_is_shown(self, run: Runner, hosts: Variables) -> None:
        result = run(hosts)
        assert run.spoken.said == [*result["table"], result["msg"], f"SHA-256 of the plan: {result['sha256']}"]
        assert "install PCNS 5.0.1; restart; if needed update PCNSSVC (state=running)" in result["table"][1]

    def test_the_policy_is_kept(self, run: Runner, hosts: Variables) -> None:
        policy = {"max_unavailable_total": 2, "canaries": ["DC04.corp.example"], "window_seconds": 20000}
        result = run(hosts, policy=policy)
        assert waves(result) == [["dc04"], ["dc02", "dc03"], ["dc01"]]
        assert [wave["window"] for wave in result["waves"]] == [1, 2, 3]

    def test_a_host_has_its_own_worst_case(self, run: Runner, hosts: Variables) -> None:
        hosts[fqdn("dc02")]["pcns_worst_case_seconds"] = "60"
        result = run(hosts, worst_case_seconds=600)
        assert [wave["worst_case_seconds"] for wave in result["waves"]] == [600, 600, 60, 600]
        hosts[fqdn("dc02")]["pcns_worst_case_seconds"] = "an hour"
        assert "The worst case of dc02.corp.example is an hour, which is no number of seconds." in run.refused(hosts)

    def test_done_and_exempt_ones_are_in_no_wave(self, run: Runner, hosts: Variables) -> None:
        hosts[fqdn("dc02")] = observed("dc02")
        hosts[fqdn("dc03")]["pcns_exempt"] = "is demoted in May"
        assert waves(run(hosts)) == [["dc04"], ["dc01"]]

    def test_nothing_to_do(self, run: Runner, hosts: Variables) -> None:
        result = run({**{name: observed(name.partition(".")[0]) for name in hosts}, fqdn("rodc"): {}})
        assert (result["waves"], result["table"]) == ([], [])
        assert result["msg"] == "Nothing to do on 5 domain controllers."

    def test_few_forks_are_warned_of(self, run: Runner, hosts: Variables) -> None:
        wide = {"max_unavailable_total": 3}
        with patch.object(_rollout_plan.context, "CLIARGS", {"forks": 1}):
            run(hosts, policy=wide)
        assert "Run with at least 2 forks, or lower max_unavailable_total." in run.spoken.warned[0]

    def test_one_that_the_inventory_does_not_have_is_warned_of(self, run: Runner, hosts: Variables) -> None:
        run(hosts, directory=[*DIRECTORY, entry("dc05", "Rome")])
        (warning,) = run.spoken.warned
        assert warning == (
            "localhost: dc05.corp.example: Active Directory knows it and the inventory does not. "
            "Password changes made there are lost; add it to the inventory, exempt if that is on purpose."
        )

    def test_inventories_with_short_names(self, run: Runner, hosts: Variables) -> None:
        short = {name.partition(".")[0].upper(): values for name, values in hosts.items()}
        result = run(short, policy={"order": ["dc04"]}, domain_controllers=["DC01", "DC02", "DC03", "DC04"])
        assert [wave["domain_controllers"] for wave in result["waves"]] == [["DC04"], ["DC03"], ["DC02"], ["DC01"]]


class TestWhatCanNotBePlanned:
    def test_one_that_could_not_be_observed(self, run: Runner, hosts: Variables) -> None:
        hosts[fqdn("dc03")] = {
            DC_OBSERVATION: {"unreachable": True, "msg": "Task failed: the host can't be reached.\n"}
        }
        told = run.refused(hosts)
        assert told.startswith("No rollout can be planned as it is: ")
        assert "dc03.corp.example: what there is to do on it is not known: the host can't be reached. Mend that" in told
        # It is down, so nothing else may go down either.
        assert "dc04.corp.example: dc03.corp.example does not answer, and `max_unavailable_total` is 1. " in told

    def test_one_that_nobody_looked_at(self, run: Runner, hosts: Variables) -> None:
        hosts[fqdn("dc03")] = {}
        told = run.refused(hosts)
        assert "dc03.corp.example: what there is to do on it is not known: this run did not look at it. " in told

    def test_one_that_can_not_be_changed(self, run: Runner, hosts: Variables) -> None:
        problems = {"domain_controller_restart": "LSA refused to load PCNSFLT."}
        hosts[fqdn("dc02")] = observed("dc02", problems=problems)
        assert "dc02.corp.example: what there is to do on it is not known: LSA refused to load" in run.refused(hosts)

    def test_another_machine_that_answers(self, run: Runner, hosts: Variables) -> None:
        hosts[fqdn("dc02")] = bare("dc03")
        assert "dc03.corp.example answered in its place; correct its address in the inventory. " in run.refused(hosts)

    def test_all_problems_are_in_the_result_and_the_first_ones_in_the_message(self, run: Runner) -> None:
        names = [f"dc{number:02}" for number in range(1, 15)]
        directory = [entry(name, "Paris", *(["pdc_emulator"] if name == "dc01" else [])) for name in names]
        with pytest.raises(AnsibleActionFail) as caught:
            run({fqdn(name): {} for name in names}, directory=directory)
        assert "dc10.corp.example: " in str(caught.value)
        assert str(caught.value).endswith(" 4 more problems: see `problems`.")
        problems = caught.value._result["problems"]  # type: ignore[attr-defined]
        assert len(problems) == 14
        assert set(problems[0]) == {"subject", "reason", "remedy"}

    def test_one_that_the_directory_does_not_list(self, run: Runner, hosts: Variables) -> None:
        told = run.refused({**hosts, "stranger": bare("stranger")})
        assert told.startswith("Active Directory does not list stranger, so site and roles are not known. Name domain")

    @pytest.mark.parametrize(
        ("changed", "words"),
        [
            ({"dns_name": None}, "An entry of `directory` has no dns_name."),
            ({"site": None}, "dc01.corp.example of `directory` has no site."),
            ({"roles": ["king"]}, "'king' is not a valid Role"),
        ],
    )
    def test_a_directory_that_can_not_be_understood(
        self, run: Runner, hosts: Variables, changed: dict[str, Any], words: str
    ) -> None:
        assert words in run.refused(hosts, directory=[{**DIRECTORY[0], **changed}, *DIRECTORY[1:]])

    def test_a_run_of_a_part_of_the_forest_needs_to_know_the_rest(self, run: Runner, hosts: Variables) -> None:
        """As with `--limit`: nobody looked at the others."""
        limited: Variables = {name: {} for name in hosts} | {fqdn("dc03"): hosts[fqdn("dc03")]}
        only = [fqdn("dc03")]
        told = run.refused(limited, domain_controllers=only)
        assert "only writable domain controller of site Lyon that is known to answer (not known or down: dc04" in told
        assert waves(run(limited, domain_controllers=only, policy={"assume_available": True})) == [["dc03"]]
        known = [{**item, "available": True} for item in DIRECTORY]
        assert waves(run(limited, domain_controllers=only, directory=known)) == [["dc03"]]
        down = [{**item, "available": item["dns_name"] != fqdn("dc04")} for item in DIRECTORY]
        assert "dc04.corp.example does not answer" in run.refused(limited, domain_controllers=only, directory=down)


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
