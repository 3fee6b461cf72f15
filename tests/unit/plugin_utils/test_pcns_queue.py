# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pcns_queue on hosts of the lab, and pcns_target, which believes it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from unit.lab.estate_kit import install, restart
from unit.lab_host import Lab, running, settings, wait_for
from unit.plugin_utils.test_pcns_directory import FULL, calls, target

from ansible_collections.entsso.password_sync.plugins.modules import pcns_queue
from lab.directory import PcnsObjects
from lab.forest import Forest
from lab.inventory import directory_variables
from lab.tracking import Outcome

OFF = {"name": "ENTSSO", "enabled": False}


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """dc01 has PCNS and an enabled target, dc02 has nothing."""
    forest = Forest(settings(), populate=False)
    for name in ("DC01", "DC02"):
        forest.add_domain_controller(name, "Paris")
    forest.add_sso_server("SSO01", "Paris")
    host = forest.host("dc01")
    install(host)
    restart(forest, host)
    with running(forest) as started:
        yield started


@pytest.fixture(autouse=True)
def enabled(lab: Lab) -> None:
    """Makes the target anew, enabled, with nothing that waits."""
    lab.simulated("sso01").services.start("ENTSSO")
    lab.forest.directory.set_pcns(PcnsObjects())
    lab.forget()
    lab.run("pcns_target", "dc01", **FULL, enabled=True)
    lab.simulated("dc01").services.start("PCNSSVC")


def ask(lab: Lab, host: str = "dc01", **given: Any) -> dict[str, Any]:
    (state,) = lab.run("pcns_queue", host, targets=["ENTSSO"], **given)["queues"]
    found: dict[str, Any] = state
    return found


def test_asked_without_a_restart(lab: Lab) -> None:
    before = lab.snapshot()
    state = ask(lab)
    assert state["waiting"] == "unknown"
    assert "is not logged at event log level 1" in state["evidence"]
    assert ask(lab, "dc02")["evidence"] == "PCNS is not installed there"
    assert ask(lab, restart_service=True, check=True)["waiting"] == "after_restart"
    assert lab.snapshot() == before
    lab.simulated("dc01").services.stop("PCNSSVC")
    assert ask(lab)["evidence"] == "the service PCNSSVC does not run"


def test_what_is_returned_is_what_is_documented(lab: Lab) -> None:
    documented = yaml.safe_load(pcns_queue.RETURN)
    result = lab.run("pcns_queue", "dc01", targets=["ENTSSO"])
    assert set(result) - {"changed", "failed"} == set(documented)
    assert set(result["queues"][0]) == set(documented["queues"]["contains"])


def test_a_restart_proves_it_and_the_target_is_disabled(lab: Lab) -> None:
    predicted = lab.run("pcns_queue", "dc01", targets=["ENTSSO"], restart_service=True, check=True)
    lab.run("pcns_target", "dc01", check=True, **OFF, queues=predicted["queues"])
    done = lab.run("pcns_queue", "dc01", targets=["ENTSSO"], restart_service=True)
    assert (done["changed"], done["queues"][0]["waiting"]) == (True, "none")
    # The directory knows another one, of which nothing is proved.
    variables = directory_variables(lab.forest)
    told = str(lab.refused("pcns_target", "dc01", variables=variables, **OFF, queues=done["queues"]))
    assert "(dc02.corp.example: nobody looked at its queue); nothing was changed" in told
    queues = [*done["queues"], ask(lab, "dc02")]
    lab.forget()
    lab.run("pcns_target", "dc01", variables=variables, **OFF, queues=queues)
    assert target(lab).disabled
    assert lab.warned == ""


def test_what_waits_is_not_lost(lab: Lab) -> None:
    lab.simulated("sso01").services.stop("ENTSSO")
    waiting = lab.forest.change_password("dc01", "alice")
    assert waiting.outcome is Outcome.QUEUED
    state = ask(lab, restart_service=True)
    assert state["waiting"] == "some"
    for given in (OFF, {"name": "ENTSSO", "state": "absent"}, {"name": "ENTSSO", "address": "sso02.corp.example"}):
        for check in (True, False):
            told = str(lab.refused("pcns_target", "dc01", check=check, **given, queues=[state]))
            assert "loses the password changes that wait for it, and it is not proved that none do" in told
    assert not target(lab).disabled
    assert waiting.outcome is Outcome.QUEUED
    lab.run("pcns_target", "dc01", name="ENTSSO", state="absent", discard_queue=True)
    lab.simulated("sso01").services.start("ENTSSO")
    wait_for(lambda: waiting.outcome is Outcome.NOT_SENT)


def test_a_move_disables_meanwhile(lab: Lab) -> None:
    state = ask(lab, restart_service=True)
    done = lab.run("pcns_target", "dc01", name="ENTSSO", address="sso02.corp.example", queues=[state])
    assert done["changes"][0]["new"] == {"address": "sso02.corp.example"}
    assert [line.partition(" ")[0] for line in calls(lab)[-3:]] == ["disabletarget", "modifytarget", "enabletarget"]
    assert (target(lab).server, target(lab).disabled) == ("sso02.corp.example", False)
    assert "the directory is not configured, so it is not known whether all domain controllers" in lab.warned


def test_what_is_disabled_needs_no_proof(lab: Lab) -> None:
    lab.run("pcns_target", "dc01", **OFF, discard_queue=True)
    assert lab.run("pcns_target", "dc01", **OFF)["changed"] is False
    lab.run("pcns_target", "dc01", name="ENTSSO", state="absent")
    assert lab.run("pcns_target", "dc01", **OFF)["changed"] is False
    assert "is not what pcns_queue returned" in str(lab.refused("pcns_target", "dc01", **OFF, queues=[{"a": 1}]))
