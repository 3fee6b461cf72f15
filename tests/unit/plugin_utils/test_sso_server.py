# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""sso_server: switches that can be written and not read back, weighed with markers and events."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from unit.lab.estate_kit import install_feature
from unit.lab_host import Lab, changes, observed, running, settings

from lab.forest import Forest
from lab.settings import SsoSettings, SyncAgeDisplay
from lab.windows.entsso import SsoServer
from lab.windows.eventlog import Level

MARKERS = r"SOFTWARE\entsso.password_sync\Markers"


@contextmanager
def server(sso: SsoSettings | None = None) -> Iterator[Lab]:
    forest = Forest(settings(sso=sso))
    assert install_feature(forest.host("sso01")) == 0
    with running(forest) as started:
        yield started


@pytest.fixture
def lab() -> Iterator[Lab]:
    with server() as started:
        yield started


def real(lab: Lab) -> SsoServer:
    found = lab.simulated("sso01").sso_server
    assert found is not None
    return found


def told(lab: Lab, event_id: int) -> None:
    lab.simulated("sso01").events.write("Application", "ENTSSO", event_id, Level.INFORMATION, ("DC01$",))


def writes(lab: Lab) -> list[str]:
    lines = [line.partition("ssoconfig.exe")[2].strip('" ') for line in lab.simulated("sso01").process_log]
    return [line for line in lines if line and line != "-syncage"]


class TestAllowPcns:
    def test_written_once_and_remembered(self, lab: Lab) -> None:
        done = lab.converge("sso_server", "sso01", allow_pcns=True)
        assert changes(done) == [("sso_server", "update", {"allow_pcns": True})]
        assert real(lab).allow_pcns
        assert writes(lab) == ["-allowPS PCNS yes"]
        state = observed(done, "sso_server")
        assert state["allow_pcns_proved"] is False
        assert state["allow_pcns_evidence"].startswith("set by us on ")
        assert state["allow_pcns_evidence"].endswith("Z, no evidence yet")
        assert "sso_server_allow_pcns" in lab.simulated("sso01").registry.dump()[MARKERS]

    def test_an_event_proves_it(self, lab: Lab) -> None:
        lab.run("sso_server", "sso01", allow_pcns=True)
        told(lab, 10662)
        again = lab.run("sso_server", "sso01", allow_pcns=True)
        assert again["changed"] is False
        state = observed(again, "sso_server")
        assert state["allow_pcns_proved"] is True
        assert state["allow_pcns_evidence"].startswith("event 10662 of ")

    def test_a_later_refusal_is_drift_and_is_mended(self, lab: Lab) -> None:
        lab.run("sso_server", "sso01", allow_pcns=True)
        told(lab, 10662)
        real(lab).allow_pcns = False
        told(lab, 11069)
        done = lab.converge("sso_server", "sso01", allow_pcns=True)
        assert done["changes"][0]["old"] == {"allow_pcns": False}
        assert real(lab).allow_pcns
        # The marker is newer than the refusal now: not proved, and not written again.
        assert observed(done, "sso_server")["allow_pcns_proved"] is False

    def test_an_event_alone_is_enough(self, lab: Lab) -> None:
        real(lab).allow_pcns = True
        told(lab, 10662)
        assert lab.run("sso_server", "sso01", allow_pcns=True)["changed"] is False
        assert writes(lab) == []

    def test_no(self, lab: Lab) -> None:
        lab.converge("sso_server", "sso01", allow_pcns=False)
        assert writes(lab) == ["-allowPS PCNS no"]

    def test_no_that_is_not_understood(self) -> None:
        with server(SsoSettings(allow_ps_no=False)) as lab:
            error = lab.refused("sso_server", "sso01", allow_pcns=False)
            assert r"ssoconfig.exe -allowPS on sso01.corp.example: it ended with 1" in str(error)
            assert "0x80070057" in str(error)
            assert MARKERS not in lab.simulated("sso01").registry.dump()

    def test_a_failure_with_exit_code_0_is_seen(self) -> None:
        with server(SsoSettings(allow_ps_no=False, failure_exit_code=0)) as lab:
            error = str(lab.refused("sso_server", "sso01", allow_pcns=False))
            assert "0x80070057" in error
            assert MARKERS not in lab.simulated("sso01").registry.dump()

    def test_a_clock_that_is_wrong_does_not_hide_an_event(self, lab: Lab) -> None:
        lab.simulated("sso01").faults.clock_offset_seconds = 900
        lab.run("sso_server", "sso01", allow_pcns=True)
        told(lab, 11069)
        assert lab.run("sso_server", "sso01", check=True, allow_pcns=True)["changed"] is True

    def test_nothing_given_nothing_done(self, lab: Lab) -> None:
        assert lab.run("sso_server", "sso01")["changed"] is False
        assert lab.simulated("sso01").process_log == [
            line for line in lab.simulated("sso01").process_log if "ssoconfig" not in line
        ]


class TestSyncAge:
    def test_displayed(self, lab: Lab) -> None:
        done = lab.converge("sso_server", "sso01", password_sync_age=48)
        assert done["changes"][0]["old"] == {"password_sync_age": 24}
        assert real(lab).sync_age_hours == 48
        state = observed(done, "sso_server")
        assert (state["password_sync_age_proved"], state["password_sync_age_evidence"]) == (True, "ssoconfig -syncage")

    @pytest.mark.parametrize("localised", [False, True])
    def test_not_displayed(self, localised: bool) -> None:
        with server(SsoSettings(sync_age_display=SyncAgeDisplay.ERROR, localised=localised)) as lab:
            done = lab.converge("sso_server", "sso01", password_sync_age=48)
            assert done["changes"][0]["old"] == {"password_sync_age": None}
            assert writes(lab) == ["-syncage 48"]
            state = observed(done, "sso_server")
            assert state["password_sync_age_proved"] is False
            assert state["password_sync_age_evidence"].endswith("ssoconfig does not show it")

    def test_localised(self) -> None:
        with server(SsoSettings(localised=True)) as lab:
            assert lab.run("sso_server", "sso01", password_sync_age=24)["changed"] is False

    @pytest.mark.parametrize("printed", [b"", b"between 1 and 720 hours: 24\r\n", b"0x80004005"])
    def test_what_is_not_one_number_is_no_age(self, lab: Lab, printed: bytes) -> None:
        lab.simulated("sso01").faults.tool_output["ssoconfig"] = printed
        state = observed(lab.run("sso_server", "sso01", check=True, password_sync_age=48), "sso_server")
        assert state["password_sync_age"] == 48
        lab.forget()
        assert lab.run("sso_server", "sso01", check=True, password_sync_age=48)["changes"][0]["old"] == {
            "password_sync_age": None
        }

    def test_both_switches_in_one_task(self, lab: Lab) -> None:
        lab.converge("sso_server", "sso01", allow_pcns=True, password_sync_age=12)
        assert writes(lab) == ["-allowPS PCNS yes", "-syncage 12"]


def test_a_host_without_entsso(lab: Lab) -> None:
    given: dict[str, Any] = {"allow_pcns": True, "password_sync_age": 12}
    before = lab.snapshot()
    for check in (True, False):
        error = str(lab.refused("sso_server", "dc01", check=check, **given))
        assert "dc01.corp.example" in error
    assert lab.snapshot() == before
