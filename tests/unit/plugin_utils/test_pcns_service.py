# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pcns_service against the services of the lab."""

from __future__ import annotations

from collections.abc import Iterator
from unittest.mock import patch

import pytest
from ansible.errors import AnsibleActionFail
from unit.lab_host import Lab, changes, observed, running

from ansible_collections.entsso.password_sync.plugins.module_utils._plan import Change, Unknown
from ansible_collections.entsso.password_sync.plugins.plugin_utils._pcns_service import PcnsServiceResource
from lab.directory import PcnsConfiguration, PcnsObjects
from lab.windows.pcns import PARAMETERS
from lab.windows.services import StartMode


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """A lab whose DC has PCNS with its configuration; each test begins with the service as it likes."""
    with running() as started:
        started.forest.directory.set_pcns(PcnsObjects(PcnsConfiguration()))
        started.install("dc01")
        yield started


@pytest.fixture
def service(lab: Lab) -> Iterator[Lab]:
    host = lab.simulated("dc01")
    host.services.set_start_mode("PCNSSVC", StartMode.AUTO)
    host.services.start("PCNSSVC")
    host.registry.delete_value(PARAMETERS, "EventLogLevel")
    lab.forget()
    yield lab
    host.faults.services_that_fail.clear()
    lab.endpoint("dc01").faults.clear()


def running_since(lab: Lab) -> int:
    """Returns how many times the service has been started."""
    return len(lab.simulated("dc01").events.find("PCNSSVC", 2001))


def test_as_wanted(service: Lab) -> None:
    assert service.run("pcns_service", "dc01")["changed"] is False


def test_stopped_and_started(service: Lab) -> None:
    done = service.converge("pcns_service", "dc01", state="stopped")
    assert changes(done) == [("pcns_service", "update", {"state": "stopped"})]
    assert not service.simulated("dc01").services.is_running("PCNSSVC")
    done = service.converge("pcns_service", "dc01", state="running")
    assert service.simulated("dc01").services.is_running("PCNSSVC")
    assert done["changes"][0]["old"] == {"state": "stopped"}


@pytest.mark.parametrize("mode", ["manual", "disabled"])
def test_start_mode(service: Lab, mode: str) -> None:
    done = service.converge("pcns_service", "dc01", start_mode=mode)
    assert changes(done) == [("pcns_service", "update", {"start_mode": mode})]
    assert observed(done, "pcns_service")["start_mode"] == mode
    assert service.simulated("dc01").services.is_running("PCNSSVC")
    assert service.converge("pcns_service", "dc01")["changes"][0]["new"] == {"start_mode": "auto"}


def test_a_disabled_service_is_enabled_before_it_is_started(service: Lab) -> None:
    host = service.simulated("dc01")
    host.services.stop("PCNSSVC")
    host.services.set_start_mode("PCNSSVC", StartMode.DISABLED)
    done = service.converge("pcns_service", "dc01")
    assert done["changes"][0]["new"] == {"start_mode": "auto", "state": "running"}


def test_a_new_event_log_level_restarts_a_running_service(service: Lab) -> None:
    before = running_since(service)
    done = service.converge("pcns_service", "dc01", event_log_level=3)
    assert done["changes"][0]["old"] == {"event_log_level": 1}
    assert done["changes"][0]["implies"] == ["service restart"]
    assert service.simulated("dc01").registry.dword(PARAMETERS, "EventLogLevel") == 3
    assert running_since(service) == before + 1


def test_a_stopped_service_gets_its_level_and_stays_stopped(service: Lab) -> None:
    service.simulated("dc01").services.stop("PCNSSVC")
    service.converge("pcns_service", "dc01", state="stopped", event_log_level=2)
    assert not service.simulated("dc01").services.is_running("PCNSSVC")


def test_the_default_level_need_not_be_written(service: Lab) -> None:
    assert service.run("pcns_service", "dc01", event_log_level=1)["changed"] is False
    assert service.run("pcns_service", "dc01")["changed"] is False
    service.run("pcns_service", "dc01", event_log_level=0)
    assert service.run("pcns_service", "dc01", event_log_level=0)["changed"] is False
    assert service.simulated("dc01").registry.dword(PARAMETERS, "EventLogLevel") == 0


def test_a_service_that_does_not_exist(service: Lab) -> None:
    for check in (True, False):
        error = str(service.refused("pcns_service", "dc02", check=check))
        assert "The service PCNSSVC does not exist on dc02.corp.example" in error
        assert "entsso.password_sync.msi_package" in error


def test_in_check_mode_a_service_that_is_yet_to_be_installed_is_planned(service: Lab) -> None:
    from unit.plugin_utils.test_msi_package import ALL

    service.run("msi_package", "dc02", check=True, **ALL)
    planned = service.run("pcns_service", "dc02", check=True, event_log_level=3)
    assert changes(planned) == [("pcns_service", "update", {"event_log_level": 3})]
    assert observed(planned, "pcns_service")["state"] == "(known after apply)"


def test_windows_refuses_to_start_it(service: Lab) -> None:
    host = service.simulated("dc01")
    host.services.stop("PCNSSVC")
    host.faults.services_that_fail["pcnssvc"] = 15
    error = service.refused("pcns_service", "dc01")
    assert "service PCNSSVC on dc01.corp.example: StartService returned 15: its account could not log on" in str(error)
    assert error.result["changed"] is False  # type: ignore[attr-defined]


def test_a_service_that_ends_at_once_for_want_of_its_configuration() -> None:
    with running() as lab:
        lab.install("dc01")
        assert lab.simulated("dc01").events.find("PCNSSVC", 6000)
        error = str(lab.refused("pcns_service", "dc01"))
        assert "service PCNSSVC on dc01.corp.example: it started and stopped again" in error
        assert "Application and System event logs" in error


def test_one_that_stops_by_itself_later_is_not_taken_for_running(service: Lab) -> None:
    """Verification observes anew: what ran when it was started and is gone then is named."""
    host = service.simulated("dc01")
    host.services.stop("PCNSSVC")
    action = service.action("pcns_service", "dc01")

    class EndsLater(PcnsServiceResource):
        def apply(self, change: Change) -> None:
            super().apply(change)
            host.services.end("PCNSSVC", 1067)

    with patch.object(type(action), "resource", EndsLater), pytest.raises(AnsibleActionFail) as caught:
        action.run(None, service.variables("dc01"))
    assert "pcns_service pcnssvc on dc01.corp.example: state should be running and is stopped" in str(caught.value)


def test_a_service_that_may_not_be_queried_is_not_taken_for_absent(service: Lab) -> None:
    service.endpoint("dc01").faults.fault(5, "Access is denied.", action="transfer/Get")
    with service.open("dc01") as opened:
        (found,) = PcnsServiceResource(opened, service.task("pcns_service", "dc01")).observe().values()
    assert isinstance(found, Unknown)
    service.endpoint("dc01").faults.fault(5, "Access is denied.", action="transfer/Get")
    error = str(service.refused("pcns_service", "dc01"))
    assert "The service PCNSSVC could not be read on dc01.corp.example: " in error


def test_levels_that_pcns_does_not_have(service: Lab) -> None:
    error = str(service.refused("pcns_service", "dc01", event_log_level=4))
    assert "value of event_log_level must be one of: 0, 1, 2, 3" in error
