# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rollout_plan: from what a run observed to a plan."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from ansible.errors import AnsibleActionFail
from unit.plugin_utils.rollout_kit import DIRECTORY, Runner, Variables, bare, bare_forest, entry, fqdn, observed, waves

from ansible_collections.entsso.password_sync.plugins.plugin_utils import _rollout_plan
from ansible_collections.entsso.password_sync.plugins.plugin_utils._compliance_report import DC_OBSERVATION
from ansible_collections.entsso.password_sync.tests.unit.module_utils.rollout_strategies import possible


@pytest.fixture
def hosts() -> Variables:
    """Four bare domain controllers, and a read-only one that nobody looked at."""
    return bare_forest()


@pytest.fixture
def run() -> Runner:
    return Runner()


class TestPlanning:
    def test_one_after_the_other_site_by_site_and_the_pdc_emulator_last(self, run: Runner, hosts: Variables) -> None:
        result = run(hosts)
        assert waves(result) == [["dc03"], ["dc04"], ["dc02"], ["dc01"]]
        assert result["changed"] is False
        assert result["lower_bound"] == 4
        assert result["msg"] == (
            "4 domain controllers in 4 waves, 4 restarts, at most 12 h 8 min; nothing is done on 1 more."
        )
        assert result["waves"][0]["worst_case_seconds"] == 10920

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
        assert "dc04.corp.example: dc03.corp.example does not answer, and `max_unavailable_total` is 1; " in told

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

    def test_one_that_the_preflight_says_no_to(self, run: Runner, hosts: Variables) -> None:
        hosts[fqdn("dc02")]["pcns_preflight"] = {"go": False, "msg": "No-go for dc02:\n the disk is full."}
        hosts[fqdn("dc03")]["pcns_preflight"] = {"go": True, "msg": "Go."}
        hosts[fqdn("dc04")] = {**observed("dc04"), "pcns_preflight": {"go": False, "msg": "its backup is old"}}
        told = run.refused(hosts)
        assert told == (
            "No rollout can be planned as it is: dc02.corp.example: the preflight says no: No-go for dc02: the disk is "
            "full. Mend that, or exempt it with a reason."
        )

    def test_one_that_may_not_restart(self, run: Runner, hosts: Variables) -> None:
        """Refused before the first is touched, but not in check mode, and not where nothing would restart."""
        for name in ("dc01", "dc02", "dc03"):
            hosts[fqdn(name)]["pcns_restart_allowed"] = "yes"
        told = run.refused(hosts, require_permission=True)
        assert "dc04.corp.example: it must restart, and may not (pcns_restart_allowed is false). Set" in told
        assert "dc01" not in told
        assert waves(run(hosts, require_permission=True, check=True))
        assert waves(run(hosts))
        hosts[fqdn("dc04")] = observed("dc04", *possible(fqdn("dc04")))
        assert waves(run(hosts, require_permission=True))

    def test_a_slice_of_awx(self, hosts: Variables) -> None:
        """A slice's workflow job has the name of the job template; a workflow of the user's has its own."""
        sliced = Runner(awx_job_template_name="Rollout", awx_workflow_job_name="Rollout")
        told = sliced.refused(hosts)
        assert "AWX seems to run a slice of the job template Rollout" in told
        assert "(job_slice_count) to 1" in told
        assert waves(Runner(awx_job_template_name="Rollout", awx_workflow_job_name="Approval")(hosts))
        assert waves(Runner(awx_job_template_name="Rollout")(hosts))


class TestWithoutDirectory:
    @pytest.fixture
    def hosts(self) -> Variables:
        sites = {"dc01": "Paris", "dc02": "Paris", "dc03": "Lyon", "dc04": ""}
        return {fqdn(name): {**bare(name), "pcns_site": site} for name, site in sites.items()}

    def test_sites_are_what_the_inventory_says_and_roles_are_not_known(self, run: Runner, hosts: Variables) -> None:
        result = run(hosts, directory=None, policy={"max_unavailable_total": 3})
        # dc01 and dc02 share a site; nothing else keeps anybody apart.
        assert sorted(len(wave) for wave in waves(result)) == [2, 2]
        assert all({"dc01", "dc02"} - set(wave) for wave in waves(result))
        (warning,) = run.spoken.warned
        assert "The directory is not configured (password_sync_ldap_domain), so operations masters" in warning
        members = [item for wave in json.loads(result["plan"])["waves"] for item in wave["domain_controllers"]]
        (member,) = [item for item in members if item["name"] == fqdn("dc04")]
        assert (member["roles"], member["global_catalog"], member["site"]) == (None, None, "(not known)")
        assert "not known" in result["table"][1]

    def test_one_by_one_is_the_default(self, run: Runner, hosts: Variables) -> None:
        assert sorted(waves(run(hosts, directory=None))) == [["dc01"], ["dc02"], ["dc03"], ["dc04"]]

    def test_those_of_the_inventory_that_are_not_in_the_run_count_as_answering(
        self, run: Runner, hosts: Variables
    ) -> None:
        limited: Variables = {name: {"pcns_site": "Paris"} for name in hosts} | {fqdn("dc03"): hosts[fqdn("dc03")]}
        given = {"directory": None, "domain_controllers": [fqdn("dc03")], "inventory": list(hosts)}
        assert waves(run(limited, **given)) == [["dc03"]]
        told = run.refused(limited, **given, policy={"assume_available": False})
        assert "known to answer (not known or down: dc01.corp.example" in told

    def test_one_that_does_not_answer_stops_it(self, run: Runner, hosts: Variables) -> None:
        hosts[fqdn("dc02")] = {DC_OBSERVATION: {"unreachable": True, "msg": "it is down"}, "pcns_site": "Paris"}
        assert "dc02.corp.example: what there is to do on it is not known: it is down. " in run.refused(
            hosts, directory=None
        )

    def test_such_a_plan_can_be_approved(self, run: Runner, hosts: Variables, tmp_path: Path) -> None:
        dest = str(tmp_path / "plan.json")
        sha256 = run(hosts, directory=None, dest=dest)["sha256"]
        assert waves(run(hosts, directory=None, src=dest, approved_plan=sha256))


class TestWhatTheRunNeeds:
    def test_the_lock_lasts_longer_than_the_longest_wave(self, run: Runner, hosts: Variables) -> None:
        assert run(hosts, worst_case_seconds=601)["lock_minutes"] == 11 + 30

    def test_the_host_of_the_lock_does_not_depend_on_the_limit(self, run: Runner, hosts: Variables) -> None:
        hosts[fqdn("dc01")]["pcns_exempt"] = "is demoted in May"
        inventory = [fqdn(name) for name in ("dc01", "dc02", "dc03", "dc04")]
        known = [{**item, "available": True} for item in DIRECTORY]
        for names in ([fqdn("dc04")], inventory):
            result = run(hosts, domain_controllers=names, inventory=inventory, directory=known)
            assert result["lock_host"] == fqdn("dc02")

    def test_the_first_of_each_domain_writes_its_settings(self, run: Runner, hosts: Variables) -> None:
        assert run(hosts)["domain_writers"] == [fqdn("dc03")]
        child = [*DIRECTORY, {**entry("dc05", "Rome", "pdc_emulator"), "domain": "emea.corp.example"}]
        hosts[fqdn("dc05")] = bare("dc05")
        assert sorted(run(hosts, directory=child)["domain_writers"]) == [fqdn("dc03"), fqdn("dc05")]

    def test_when_the_window_ends(self, run: Runner, hosts: Variables) -> None:
        assert run(hosts)["window_ends"] == ""
        assert run(hosts, window_ends="2026-11-23 04:00:00+01:00")["window_ends"] == "2026-11-23T03:00:00Z"
        assert run(hosts, window_ends="2026-11-23T04:00")["window_ends"] == "2026-11-23T04:00:00Z"
        begun = datetime.now(UTC)
        ends = datetime.fromisoformat(run(hosts, policy={"window_seconds": 20000})["window_ends"])
        assert timedelta(seconds=19999) <= ends - begun <= timedelta(seconds=20060)
        told = run.refused(hosts, window_ends="tonight")
        assert told == (
            "The end of the maintenance window is 'tonight', which is no time. "
            "Give it as ISO 8601 in UTC, for example 2026-11-22T04:00:00Z."
        )
