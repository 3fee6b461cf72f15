# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rollout_wave: what may have changed between the plan and a wave, and that it is then not started."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail
from unit.plugin_utils.rollout_kit import DIRECTORY, Runner, Variables, bare, entry, fqdn, observed, waves

from ansible_collections.entsso.password_sync.plugins.plugin_utils._compliance_report import DC_OBSERVATION
from ansible_collections.entsso.password_sync.tests.unit.module_utils.rollout_strategies import changes

LONG_AGO, FAR_AHEAD = "2020-01-01T00:00:00Z", "2100-01-01T00:00:00Z"
ANSWERING = [{**item, "available": True} for item in DIRECTORY]
FIRST = [fqdn("dc02"), fqdn("dc03")]


class Wave:
    """A rollout of four, in which dc02 and dc03 come first, together."""

    def __init__(self, **more: Any) -> None:
        self.run = Runner()
        self.hosts: Variables = {fqdn(name): bare(name) for name in ("dc01", "dc02", "dc03", "dc04")}
        self.rollout = self.run(self.hosts, directory=ANSWERING, policy={"max_unavailable_total": 2}, **more)
        assert waves(self.rollout) == [["dc02", "dc03"], ["dc04"], ["dc01"]]

    def __call__(self, *, check: bool = False, names: list[str] | None = None, **given: Any) -> dict[str, Any]:
        arguments = {
            "domain_controllers": FIRST if names is None else names,
            "rollout": self.rollout,
            "directory": ANSWERING,
            **given,
        }
        return self.run.task("rollout_wave", self.hosts, arguments, check=check)

    def refused(self, **given: Any) -> str:
        with pytest.raises(AnsibleActionFail) as caught:
            self(**given)
        return str(caught.value)


@pytest.fixture
def wave() -> Wave:
    return Wave()


def _without(name: str) -> list[Mapping[str, Any]]:
    return [{**item, "available": item["dns_name"] != fqdn(name)} for item in DIRECTORY]


def test_it_starts_and_says_so(wave: Wave) -> None:
    result = wave()
    assert (result["changed"], result["number"]) == (False, 1)
    assert result["msg"] == ("Wave 1 of 3 starts: dc02.corp.example, dc03.corp.example. It takes at most 3 h 2 min.")
    assert wave.run.spoken.said[-1] == result["msg"]
    assert wave(names=[fqdn("dc01")])["number"] == 3


def test_what_is_no_wave(wave: Wave) -> None:
    assert wave.refused(names=[fqdn("dc02")]).startswith(
        "dc02.corp.example would be worked on together, and that is no wave of the plan. Run playbooks/"
    )
    assert "that is no wave" in wave.refused(names=[*FIRST, fqdn("dc04")])


def test_one_that_went_down_meanwhile(wave: Wave) -> None:
    """dc04 answered when the run began; nobody could stand in for dc03 now."""
    told = wave.refused(directory=_without("dc04"))
    assert told.startswith("Wave 1 must not start: Wave of dc02.corp.example, dc03.corp.example: 3 domain controllers")
    assert "no writable domain controller of site Lyon would be known to answer (rule 4)" in told
    assert told.endswith("Bring back what is down and run again: what is done stays done.")
    assert wave(directory=_without("dc02"), names=[fqdn("dc04")])["number"] == 2


def test_one_of_the_wave_that_can_not_be_observed_any_more(wave: Wave) -> None:
    wave.hosts[fqdn("dc03")] = {DC_OBSERVATION: {"failed": True, "msg": "Task failed: WinRM can't be reached."}}
    assert "dc03.corp.example: what there is to do on it is not known: WinRM can't be reached. Mend" in wave.refused()


def test_one_that_needs_something_else_by_now(wave: Wave) -> None:
    wave.hosts[fqdn("dc02")] = observed("dc02", *changes(fqdn("dc02"), "6.0"))
    assert "would now set version to '6.0', and approved is '5.0.1'. Plan anew" in wave.refused()


def test_less_than_planned_is_fine(wave: Wave) -> None:
    wave.hosts[fqdn("dc02")] = observed("dc02")
    wave.hosts[fqdn("dc03")] = observed("dc03", *changes(fqdn("dc03"))[1:])
    assert wave()["number"] == 1


def test_a_role_that_was_moved(wave: Wave) -> None:
    moved = [{**item, "roles": ["rid_master"] if item["dns_name"] == fqdn("dc02") else []} for item in ANSWERING]
    assert "dc02.corp.example should be alone, being an operations master, and shares" in wave.refused(directory=moved)


def test_one_that_was_promoted_or_demoted_meanwhile(wave: Wave) -> None:
    assert wave(directory=[*ANSWERING, {**entry("dc09", "Rome"), "available": True}])["number"] == 1
    gone = [item for item in ANSWERING if item["dns_name"] != fqdn("dc03")]
    assert "Active Directory does not list dc03.corp.example" in wave.refused(directory=gone)


class TestWindow:
    def test_what_does_not_fit_is_not_started(self) -> None:
        late = Wave(window_ends=LONG_AGO)
        told = late.refused()
        assert (
            "dc02.corp.example: the maintenance window ends at 2020-01-01T00:00:00Z, in 0 min, and it may take "
            "3 h 2 min. Run again in the next window: what is done stays done, and an approved plan still holds."
            in told
        )
        assert late(check=True)["number"] == 1

    def test_what_fits_is(self) -> None:
        assert Wave(window_ends=FAR_AHEAD)()["number"] == 1


class TestWithoutDirectory:
    def test_those_that_answered_at_the_beginning_count(self) -> None:
        run = Runner()
        hosts = {fqdn(name): {**bare(name), "pcns_site": "Paris"} for name in ("dc01", "dc02", "dc03")}
        rollout = run(hosts, directory=None)
        first = rollout["waves"][0]["domain_controllers"]
        given = {"domain_controllers": first, "rollout": rollout, "inventory": list(hosts)}
        assert run.task("rollout_wave", hosts, given)["number"] == 1
        for name in hosts:
            if name not in first:
                hosts[name] = {DC_OBSERVATION: {"unreachable": True}, "pcns_site": "Paris"}
        with pytest.raises(AnsibleActionFail, match=r"no writable domain controller of site Paris"):
            run.task("rollout_wave", hosts, given)
