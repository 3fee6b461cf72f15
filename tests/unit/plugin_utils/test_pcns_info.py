# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pcns_info: everything on one domain controller, judged, without a process on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from unit.lab.estate_kit import working_dc
from unit.lab_host import Lab, media, running, settings
from unit.plugin_utils.test_msi_package import ALL, CAPTURE, SERVICE

from lab.backend import ChannelUnreadable
from lab.forest import Forest
from lab.windows.lsa import LSA, VALUE
from lab.windows.registry import ValueType

ONE = [ALL]
TWO = [CAPTURE, SERVICE]
MOST_REQUESTS, MOST_BYTES = 24, 60_000


@pytest.fixture(scope="module")
def prepared() -> Iterator[Lab]:
    """dc01 works, dc02 has two packages and a service without configuration, dc03 is bare."""
    forest = Forest(settings())
    with running(forest) as lab:
        lab.install("dc02", "capture-component.msi", "pcns-service.msi")
        yield lab


@pytest.fixture
def working() -> Iterator[Lab]:
    forest = Forest(settings())
    working_dc(forest)
    with running(forest) as lab:
        yield lab


def info(lab: Lab, name: str, **more: Any) -> dict[str, Any]:
    return lab.run("pcns_info", name, check=True, **{"packages": ONE, "site": "Paris", "systems": ["RACF"], **more})


def judged(result: dict[str, Any]) -> dict[str, str]:
    return {item["control"]: item["status"] for item in result["findings"]}


class TestCost:
    @pytest.mark.parametrize(("name", "packages"), [("dc03", ONE), ("dc03", TWO), ("dc02", TWO), ("dc01", ONE)])
    def test_requests_bytes_and_no_process(
        self, prepared: Lab, name: str, packages: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
    ) -> None:
        if name == "dc01" and not prepared.simulated("dc01").lsa.is_loaded("PCNSFLT"):
            prepared.install("dc01")
        endpoint = prepared.endpoint(name)
        endpoint.statistics.reset()
        log = list(prepared.simulated(name).process_log)
        result = info(prepared, name, packages=packages)
        counted = endpoint.statistics
        assert result["statistics"] == {"requests": counted.requests, "bytes_sent": counted.message_bytes_received}
        assert counted.requests <= MOST_REQUESTS
        assert counted.message_bytes_received <= MOST_BYTES
        assert counted.processes_started == 0
        assert prepared.simulated(name).process_log == log
        assert (endpoint.open_shells, endpoint.open_enumerations, endpoint.open_subscriptions) == (0, 0, 0)
        with capsys.disabled():
            print(
                f"\npcns_info {result['capture_state']}, {len(packages)} wanted: {counted.requests} requests, "
                f"{counted.message_bytes_received:,} bytes sent, {counted.message_bytes_sent:,} received"
            )

    def test_nothing_is_changed(self, prepared: Lab) -> None:
        before = prepared.snapshot()
        info(prepared, "dc02", packages=TWO)
        prepared.run("pcns_info", "dc03", packages=ONE)
        assert prepared.snapshot() == before


class TestStates:
    def test_bare(self, prepared: Lab) -> None:
        result = info(prepared, "dc03")
        assert result["capture_state"] == result["planned_capture_state"] == "absent"
        assert judged(result)["PCNS-004"] == "drift"
        assert [change["resource"] for change in result["planned"]] == ["msi_package", "domain_controller_restart"]
        # Whether the package starts the service is not known before.
        assert [(change["resource"], change["new"]) for change in result["possible"]] == [
            ("pcns_service", {"state": "running"})
        ]
        assert result["restart_needed"] is True
        assert "pcns_restart_allowed" in result["restart_refused"]
        (absent,) = [item for item in result["findings"] if item["control"] == "PCNS-004"]
        assert absent["message"] == "PCNS is absent."
        assert absent["site"] == "Paris"
        assert absent["restarts"] == 1
        assert result["versions"] == {}

    def test_working(self, working: Lab) -> None:
        result = info(working, "dc01")
        assert (result["capture_state"], result["grade"]) == ("working", "proved")
        assert result["planned"] == []
        assert set(judged(result).values()) == {"compliant"}
        assert result["versions"] == {"PCNS": "1.0.100.0"}
        assert result["msg"].startswith("dc01.corp.example: working (proved: event 4614 of ")
        assert result["system"]["domain"] == "corp.example"
        assert result["unreadable_channels"] == {}

    def test_a_notification_proves_the_load_as_well(self) -> None:
        forest = Forest(settings(audit_security_system_extension=False))
        working_dc(forest)
        with running(forest) as lab:
            assert (info(lab, "dc01")["grade"], info(lab, "dc01")["capture_state"]) == ("inferred", "working")
            forest.change_password("dc01", "alice")
            assert info(lab, "dc01")["grade"] == "proved"
            assert info(lab, "dc01")["evidence"].startswith("event 2201 of ")

    def test_the_service_does_not_run(self, working: Lab) -> None:
        working.simulated("dc01").services.stop("PCNSSVC")
        result = info(working, "dc01")
        assert result["capture_state"] == "loaded"
        assert judged(result)["PCNS-005"] == "drift"
        assert [change["new"] for change in result["planned"]] == [{"state": "running"}]

    def test_the_entry_was_removed(self, working: Lab) -> None:
        working.simulated("dc01").remove_notification_package("PCNSFLT")
        result = info(working, "dc01")
        assert result["capture_state"] == "unregistered"
        assert judged(result)["PCNS-002"] == "drift"
        assert result["restart_needed"] is False

    def test_restart_pending_and_blocked(self) -> None:
        with running() as lab:
            lab.install("dc01", restart=False)
            assert info(lab, "dc01")["capture_state"] == "restart_pending"
            lab.simulated("dc01").faults.filter_blocked_error = 577
            lab.restart("dc01")
            result = info(lab, "dc01")
            assert result["capture_state"] == "blocked"
            assert judged(result)["PCNS-003"] == "manual"
            assert "domain_controller_restart" in result["problems"]

    def test_an_older_version(self, working: Lab) -> None:
        newer = [{**ALL, **media("pcns-all-in-one-2.msi")}]
        result = info(working, "dc01", packages=newer)
        assert judged(result)["PCNS-004"] == "drift"
        (finding,) = [item for item in result["findings"] if item["control"] == "PCNS-004"]
        assert "PCNS is 1.0.100.0 instead of 1.1.200.0" in finding["message"]

    def test_a_newer_version_is_for_a_person(self) -> None:
        with running() as lab:
            lab.install("dc01", "pcns-all-in-one-2.msi")
            result = info(lab, "dc01")
            assert judged(result)["PCNS-004"] == "manual"
            assert "newer than 1.0.100.0" in result["problems"]["msi_package"]

    def test_two_packages(self, prepared: Lab) -> None:
        result = info(prepared, "dc02", packages=TWO)
        assert result["capture_state"] == "loaded"
        assert judged(result)["PCNS-004"] == "compliant"
        assert sorted(result["versions"]) == ["Capture", "PCNS"]

    def test_what_check_mode_has_planned_is_shown_apart(self, prepared: Lab) -> None:
        prepared.forget()
        prepared.run("msi_package", "dc03", check=True, **ALL)
        prepared.run("domain_controller_restart", "dc03", check=True, allowed=True)
        result = info(prepared, "dc03")
        assert (result["capture_state"], result["planned_capture_state"]) == ("absent", "working")
        prepared.forget()


class TestWhatCanNotBeRead:
    def test_the_security_log(self, working: Lab) -> None:
        working.simulated("dc01").events.unreadable["security"] = ChannelUnreadable("Access is denied.", 5)
        result = info(working, "dc01")
        assert (result["capture_state"], result["grade"]) == ("working", "inferred")
        assert list(result["unreadable_channels"]) == ["Security"]

    def test_the_security_log_by_policy(self) -> None:
        forest = Forest(settings(security_channel_readable=False))
        working_dc(forest)
        with running(forest) as lab:
            assert info(lab, "dc01")["capture_state"] == "working"

    def test_the_registry(self, working: Lab) -> None:
        working.endpoint("dc01").faults.fault(5, "Access is denied.", action="StdRegProv/GetMultiStringValue")
        result = info(working, "dc01")
        assert result["capture_state"] == "unknown"
        assert judged(result)["PCNS-002"] == judged(result)["PCNS-003"] == "unknown"

    def test_the_packages(self, working: Lab) -> None:
        working.endpoint("dc01").faults.fault(5, "Access is denied.", action="StdRegProv/GetStringValue")
        assert judged(info(working, "dc01"))["PCNS-004"] == "unknown"

    def test_the_service(self, working: Lab) -> None:
        working.endpoint("dc01").faults.fault(5, "Access is denied.", nth=2, action="transfer/Get")
        result = info(working, "dc01")
        assert judged(result)["PCNS-005"] == "unknown"
        assert result["capture_state"] == "unknown"

    def test_a_value_of_another_type_is_not_taken_for_empty(self, working: Lab) -> None:
        working.simulated("dc01").registry.set(LSA, VALUE, ValueType.SZ, "PCNSFLT")
        observe_only = {"password_sync_observe_only": True}
        result = working.run("pcns_info", "dc01", check=True, variables=observe_only, packages=ONE)
        assert result.get("capture_state") in (None, "unknown")

    def test_a_host_that_is_no_dc(self, prepared: Lab) -> None:
        assert "is not a domain controller" in str(prepared.refused("pcns_info", "sso01", packages=ONE))

    def test_media_that_is_not_there(self, prepared: Lab) -> None:
        before = prepared.endpoint("dc03").statistics.http_requests
        error = str(prepared.refused("pcns_info", "dc03", packages=[{**ALL, "path": "/nowhere/x.msi"}]))
        assert "The file /nowhere/x.msi was not found on the control node" in error
        assert prepared.endpoint("dc03").statistics.http_requests == before


def test_files_that_somebody_copied_capture_and_are_not_installed(working: Lab) -> None:
    """The manual way of pcns.md 2 (C1): filter, service and entry work, and Windows Installer knows nothing of them."""
    host = working.simulated("dc01")
    for key in ("Uninstall", "Installer\\UserData"):
        host.registry.delete_key(rf"SOFTWARE\Microsoft\Windows\CurrentVersion\{key}", recursive=True)
    host.registry.delete_key(r"SOFTWARE\Classes\Installer", recursive=True)
    result = info(working, "dc01")
    assert (result["capture_state"], judged(result)["PCNS-004"]) == ("working", "drift")
    (told,) = [item["message"] for item in result["findings"] if item["control"] == "PCNS-004"]
    assert told.startswith("PCNS is absent. LSA runs PCNSFLT all the same: its files were copied by hand")
    assert [change["resource"] for change in result["planned"]] == ["msi_package", "domain_controller_restart"]
