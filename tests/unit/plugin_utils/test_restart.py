# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""domain_controller_restart against hosts of the lab that really go down and come up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from unit.lab_host import Lab, changes, observed, running, settings
from unit.plugin_utils.test_msi_package import ALL

from lab.windows.services import StartMode

QUICK: dict[str, Any] = {"interval": 0.05, "deadline": 20, "delay": 5}


@pytest.fixture
def lab() -> Iterator[Lab]:
    with running() as started:
        started.install("dc01", restart=False)
        yield started


def restart(lab: Lab, name: str = "dc01", **more: Any) -> dict[str, Any]:
    return lab.run("domain_controller_restart", name, **{**QUICK, "allowed": True, **more})


def refused(lab: Lab, name: str = "dc01", **more: Any) -> Any:
    return lab.refused("domain_controller_restart", name, **{**QUICK, "allowed": True, **more})


def shutdowns(lab: Lab, name: str = "dc01") -> list[str]:
    return [line for line in lab.simulated(name).process_log if "shutdown" in line]


class TestRestarting:
    def test_it_ends_when_the_filter_is_loaded(self, lab: Lab) -> None:
        host = lab.simulated("dc01")
        boots = host.boot_count
        done = lab.converge("domain_controller_restart", "dc01", **QUICK, allowed=True)
        assert changes(done) == [("domain_controller_restart", "restart", {"loads": "PCNSFLT"})]
        assert done["changes"][0]["implies"] == ["host restart"]
        assert observed(done, "notification_package")["loaded"] == "yes"
        assert host.boot_count == boots + 1
        assert host.lsa.is_loaded("PCNSFLT")
        assert "restarting to load PCNSFLT; last boot " in lab.said
        assert "serves again after" in lab.said
        (line,) = shutdowns(lab)
        assert "/r /t 5 /d p:4:1 /c" in line

    def test_users_are_told_why_and_have_the_time_that_is_given(self, lab: Lab) -> None:
        restart(lab, delay=7, comment="Change 4711: capture & more")
        (line,) = shutdowns(lab)
        assert "/r /t 7 /d p:4:1 /c" in line
        assert '"Change 4711: capture & more"' in line
        host = lab.simulated("dc01")
        assert (host.boot_count, host.lsa.is_loaded("PCNSFLT")) == (2, True), "the comment is one argument"

    def test_a_comment_that_no_command_line_can_hold(self, lab: Lab) -> None:
        for check in (True, False):
            error = lab.refused("domain_controller_restart", "dc01", check=check, allowed=True, comment='a "quote"')
            assert 'it holds " and a quote would end the quoting of cmd' in str(error)
        assert shutdowns(lab) == []

    def test_a_machine_that_answers_before_it_goes_down_is_not_taken_for_restarted(self, lab: Lab) -> None:
        host = lab.simulated("dc01")
        boots: list[int] = []

        def note(text: str, color: str | None = None) -> None:
            lab.spoken.said.append(text)
            if "waiting for the restart to begin" in text:
                boots.append(host.boot_count)

        lab.spoken.display = note  # type: ignore[method-assign]
        assert restart(lab, delay=20)["changed"] is True
        assert boots == [1], "it answered over WinRM, with the boot time from before"
        assert host.boot_count == 2

    def test_nothing_to_load_nothing_to_do(self, lab: Lab) -> None:
        assert restart(lab, "dc02")["changed"] is False
        assert shutdowns(lab, "dc02") == []

    def test_a_service_that_takes_its_time_is_waited_for(self, lab: Lab) -> None:
        host = lab.simulated("dc01")
        host.services.set_start_mode("W32Time", StartMode.MANUAL)
        began: list[float] = []

        def start_it(text: str) -> None:
            lab.spoken.said.append(text)
            if "the services W32Time" in text and not began:
                began.append(1)
                host.services.start("W32Time")

        lab.spoken.display = lambda text, color=None: start_it(text)  # type: ignore[method-assign]
        restart(lab, required_services=["NTDS", "W32Time"])
        assert began
        assert "waiting for the services W32Time" in lab.said

    def test_a_service_that_this_host_does_not_have_is_not_waited_for(self, lab: Lab) -> None:
        assert restart(lab, required_services=["NTDS", "NoSuchService"])["changed"] is True

    def test_somebody_elses_restart_is_waited_for(self, lab: Lab) -> None:
        host = lab.simulated("dc01")
        host.run("shutdown /r /t 30000")

        def now(text: str, color: str | None = None) -> None:
            lab.spoken.said.append(text)
            if "waiting for the restart to begin" in text:
                with lab.forest.scheduler.lock:
                    host.power.restart()

        lab.spoken.display = now  # type: ignore[method-assign]
        assert restart(lab)["changed"] is True
        assert "Somebody else's shutdown is already on its way (1190); it is left alone and waited for." in lab.warned
        assert host.boot_count == 2
        # It is never aborted, and nothing is ordered beside it.
        assert [line.split()[1] for line in shutdowns(lab)] == ["/r", "/r"]

    def test_a_restart_that_has_begun_is_waited_for(self, lab: Lab) -> None:
        host = lab.simulated("dc01")
        host.faults.tool_exit_code["shutdown"] = 1115
        assert restart(lab)["changed"] is True
        assert "already on its way (1115)" in lab.warned

    def test_a_host_that_is_gone_before_it_answers(self, lab: Lab) -> None:
        """The boot time tells, not the answer of shutdown.exe."""
        lab.endpoint("dc01").faults.fault(5, "Gone.", action="shell/Receive", times=1)
        assert restart(lab)["changed"] is True
        assert "the answer of shutdown.exe was lost (" in lab.said
        assert lab.simulated("dc01").boot_count == 2

    def test_an_account_that_may_not(self, lab: Lab) -> None:
        host = lab.simulated("dc01")
        host.faults.tool_exit_code["shutdown"] = 5
        error = refused(lab, delay=3000)
        assert "shutdown.exe on dc01.corp.example: it ended with 5" in str(error)
        assert "right to shut the system down" in str(error)
        assert error.result["changed"] is False


class TestNotAllowed:
    def test_a_run_stops(self, lab: Lab) -> None:
        error = str(refused(lab, allowed=False))
        assert "dc01.corp.example must restart to load PCNSFLT, and may not (pcns_restart_allowed is false)" in error
        assert "Set pcns_restart_allowed" in error
        assert shutdowns(lab) == []

    def test_it_is_not_allowed_unless_said(self, lab: Lab) -> None:
        lab.refused("domain_controller_restart", "dc01")
        assert shutdowns(lab) == []

    def test_check_mode_warns_and_predicts(self, lab: Lab) -> None:
        planned = lab.run("domain_controller_restart", "dc01", check=True)
        assert changes(planned) == [("domain_controller_restart", "restart", {"loads": "PCNSFLT"})]
        assert "dc01.corp.example: A run would stop before this restart. " in lab.warned

    def test_check_mode_restarts_what_is_yet_to_be_installed(self, lab: Lab) -> None:
        lab.run("msi_package", "dc02", check=True, **ALL)
        planned = lab.run("domain_controller_restart", "dc02", check=True, allowed=True)
        assert changes(planned) == [("domain_controller_restart", "restart", {"loads": "PCNSFLT"})]
        assert lab.run("domain_controller_restart", "dc02", check=True, allowed=True)["changed"] is False


class TestWhatGoesWrong:
    def test_lsa_refuses_the_filter(self, lab: Lab) -> None:
        host = lab.simulated("dc01")
        host.faults.filter_blocked_error = 577
        error = refused(lab)
        text = str(error)
        assert "LSA on dc01.corp.example refused to load PCNSFLT at the last boot (event 16953 of " in text
        assert "Another restart does not help" in text
        assert host.boot_count == 2
        # The next run does not restart it in vain.
        text = str(refused(lab))
        assert "LSA on dc01.corp.example refused to load PCNSFLT at the last boot (event 16953 of " in text
        assert "577" in text
        assert host.boot_count == 2

    def test_a_host_that_does_not_come_back(self, lab: Lab) -> None:
        lab.simulated("dc01").faults.restart_never_returns = True
        error = refused(lab, deadline=1)
        assert "restart on dc01.corp.example: after 1 s it still waits for WinRM (" in str(error)
        assert "No further domain controller is touched" in str(error)
        assert "waiting for WinRM (" in lab.said

    def test_a_restart_that_does_not_begin(self, lab: Lab) -> None:
        assert "after 1 s it still waits for the restart to begin" in str(refused(lab, delay=3000, deadline=1))

    def test_a_service_that_does_not_start(self, lab: Lab) -> None:
        lab.simulated("dc01").services.set_start_mode("Netlogon", StartMode.DISABLED)
        error = str(refused(lab, deadline=1, required_services=["NTDS", "Netlogon"]))
        assert "after 1 s it still waits for the services Netlogon" in error

    def test_another_machine_at_the_address(self, lab: Lab) -> None:
        host, other = lab.simulated("dc01"), lab.simulated("dc02")
        said: list[str] = []

        def swap(text: str, color: str | None = None) -> None:
            said.append(text)
            if "restarting" in text:
                host.wmi_instances = other.wmi_instances  # type: ignore[method-assign]

        lab.spoken.display = swap  # type: ignore[method-assign]
        error = str(refused(lab, deadline=1))
        assert "it still waits for dc01.corp.example (the machine that answers calls itself DC02, not dc01)" in error

    def test_no_evidence_that_it_is_loaded(self) -> None:
        with running(settings(audit_security_system_extension=False)) as lab:
            lab.install("dc01")
            lab.simulated("dc01").remove_notification_package("PCNSFLT")
            lab.run("notification_package", "dc01")
            error = str(refused(lab))
            assert "Whether LSA on dc01.corp.example runs PCNSFLT is not known: the entry was put back" in error
            assert "event 4614" in error
            assert lab.simulated("dc01").boot_count == 2

    def test_a_member_server(self, lab: Lab) -> None:
        assert "is not a domain controller" in str(refused(lab, "sso01"))

    def test_wmi_that_is_not_ready_yet_is_waited_for(self, lab: Lab) -> None:
        """After a boot WinRM may answer before the services behind it do."""
        endpoint = lab.endpoint("dc01")

        def not_ready(text: str, color: str | None = None) -> None:
            lab.spoken.said.append(text)
            if "restarting" in text:
                endpoint.faults.fault(2150859002, "WMI is starting.", action="StdRegProv/GetMultiStringValue", times=2)

        lab.spoken.display = not_ready  # type: ignore[method-assign]
        assert restart(lab)["changed"] is True
        assert endpoint.faults.pending == 0
        assert "WMI is starting" in lab.said

    def test_a_registry_that_stays_closed_is_named(self, lab: Lab) -> None:
        endpoint = lab.endpoint("dc01")

        def closed(text: str, color: str | None = None) -> None:
            lab.spoken.said.append(text)
            if "restarting" in text:
                endpoint.faults.fault(5, "Access is denied.", action="StdRegProv/GetMultiStringValue", times=None)

        lab.spoken.display = closed  # type: ignore[method-assign]
        assert "after 1 s it still waits for " in str(refused(lab, deadline=1))


@pytest.mark.parametrize("jump", [-3600.0, 3600.0])
def test_a_clock_that_jumps_while_it_restarts(lab: Lab, jump: float) -> None:
    """The markers of a clock that was set back lie in the future; what LSA logged since the restart tells."""
    assert lab.run("msi_package", "dc02", **ALL)["changed"] is True
    host = lab.simulated("dc02")
    host.faults.clock_jump_at_boot = jump
    assert restart(lab, "dc02")["changed"] is True
    assert host.boot_count == 2
    lab.forget()
    assert restart(lab, "dc02")["changed"] is False
