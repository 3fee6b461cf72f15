# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules of a removal, one after the other, against Windows Installer, LSA and services of the lab."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from unit.lab_host import Lab, Result, changes, folder_names, multiset, observed, running, settings
from unit.plugin_utils.test_msi_package import ALL, CAPTURE, OURS, SERVICE

from lab.settings import PcnsSettings
from lab.windows.lsa import LSA, VALUE

BEFORE = ("scecli", "ThirdFlt", "rassfm")
OUR_KEY = r"SOFTWARE\entsso.password_sync"
MARKERS = rf"{OUR_KEY}\Markers"
STOPPED = {"state": "stopped", "start_mode": "disabled"}
UNLOADED = {"state": "unloaded", "allowed": True, "interval": 0.05}


@pytest.fixture
def lab() -> Iterator[Lab]:
    with running() as started:
        yield started


def planned(lab: Lab, packages: list[dict[str, Any]]) -> Result:
    return lab.run("pcns_info", "dc01", packages=[_media(item) for item in packages], state="absent")


def _media(package: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in package.items() if name != "run_as"}


def install(lab: Lab, *packages: dict[str, Any]) -> None:
    """Installs as the rollout does, on a host whose list others have written to as well."""
    lab.simulated("dc01").registry.set_multi_string(LSA, VALUE, BEFORE)
    for package in packages:
        lab.run("msi_package", "dc01", **package)
    lab.restart("dc01")
    lab.forget()


def remove(lab: Lab, *packages: dict[str, Any]) -> Iterator[Result]:
    """Removes step by step, in the order of the role."""
    yield lab.run("pcns_service", "dc01", **STOPPED)
    yield lab.run("notification_package", "dc01", state="absent")
    yield lab.run("domain_controller_restart", "dc01", **UNLOADED)
    for package in reversed(packages):
        yield lab.run("msi_package", "dc01", **package, state="absent")
    yield lab.run("host_remains", "dc01")


UNINSTALL = {
    "takes its entry": PcnsSettings(),
    "leaves its entry": PcnsSettings(uninstall_removes_entry=False),
    "writes Windows' own": PcnsSettings(uninstall_rewrites_entries=True),
}


@pytest.mark.parametrize("uninstall", UNINSTALL)
def test_whatever_the_uninstallation_does_the_value_is_as_before(uninstall: str) -> None:
    with running(settings(UNINSTALL[uninstall])) as lab:
        host = lab.simulated("dc01")
        install(lab, ALL)
        assert host.lsa.registered == (*BEFORE, "PCNSFLT")
        plan = planned(lab, [ALL])
        assert [change["resource"] for change in plan["planned"]] == [
            "pcns_service",
            "notification_package",
            "domain_controller_restart",
            "msi_package",
            "host_remains",
        ]
        assert plan["planned"][1]["new"] == {"registered": False, "others": list(BEFORE)}
        assert plan["restart_needed"] is True
        assert "must restart to unload PCNSFLT" in plan["restart_refused"]

        done = list(remove(lab, ALL))

        made = {"changes": [change for result in done for change in result["changes"]]}
        assert multiset(made) == multiset({"changes": plan["planned"]})
        assert host.lsa.registered == BEFORE
        assert not host.lsa.is_loaded("PCNSFLT")
        assert host.files.get(r"C:\Windows\System32\pcnsflt.dll") is None
        assert host.services.get("PCNSSVC") is None
        assert ("which had been restored before" in lab.warned) is (uninstall == "writes Windows' own")
        assert "Only PCNSFLT is taken out" not in lab.warned
        after = lab.snapshot()
        assert not any(result["changes"] for result in remove(lab, ALL))
        assert planned(lab, [ALL])["planned"] == []
        assert lab.snapshot() == after


def test_two_packages_the_last_one_first(lab: Lab) -> None:
    lab.install("dc01", "capture-component.msi", "pcns-service.msi")
    plan = planned(lab, [CAPTURE, SERVICE])["planned"]
    assert [change["name"] for change in plan if change["resource"] == "msi_package"] == ["PCNS", "Capture"]
    # Unloaded before: none of them needs another restart.
    assert [change["resource"] for change in plan if "host restart" in change["implies"]] == [
        "notification_package",
        "domain_controller_restart",
    ]
    made = [change for result in remove(lab, CAPTURE, SERVICE) for change in result["changes"]]
    assert multiset({"changes": made}) == multiset({"changes": plan})


def test_what_others_did_since_stays_and_is_told(lab: Lab) -> None:
    install(lab, ALL)
    host = lab.simulated("dc01")
    host.registry.set_multi_string(LSA, VALUE, ("scecli", "PCNSFLT", "Newer"))
    done = lab.converge("notification_package", "dc01", state="absent")
    assert changes(done)[0][2] == {"registered": False, "others": ["scecli", "Newer"]}
    assert host.lsa.registered == ("scecli", "Newer")
    assert (
        "Only PCNSFLT is taken out of Notification Packages, since others changed it since (Newer came; ThirdFlt, "
        "rassfm went)." in lab.warned
    )


def test_an_installer_that_sorts_the_value_is_undone(lab: Lab) -> None:
    host = lab.simulated("dc01")
    host.registry.set_multi_string(LSA, VALUE, BEFORE)
    write = host.registry.set_multi_string

    def sorted_write(path: str, name: str, data: Any) -> None:
        write(path, name, sorted(data) if name == VALUE else data)

    host.registry.set_multi_string = sorted_write  # type: ignore[method-assign]
    error = str(lab.refused("msi_package", "dc01", **ALL))
    assert "others should be [scecli, ThirdFlt, rassfm] and is [ThirdFlt, rassfm, scecli]" in error
    host.registry.set_multi_string = write  # type: ignore[method-assign]
    lab.converge("notification_package", "dc01", state="absent")
    assert host.lsa.registered == BEFORE


def test_without_the_audit_our_own_remark_tells_that_lsa_is_rid_of_it() -> None:
    with running(settings(audit_security_system_extension=False)) as lab:
        install(lab, ALL)
        lab.run("notification_package", "dc01", state="absent")
        check = lab.run("domain_controller_restart", "dc01", check=True, **UNLOADED)
        assert changes(check) == [("domain_controller_restart", "restart", {"unloads": "PCNSFLT"})]
        lab.forget()
        done = lab.run("domain_controller_restart", "dc01", **UNLOADED)
        assert "before the last boot" in observed(done, "notification_package")["evidence"]
        assert lab.run("domain_controller_restart", "dc01", **UNLOADED)["changed"] is False


class TestRestart:
    def test_not_before_the_entry_is_out(self, lab: Lab) -> None:
        lab.install("dc01")
        error = str(lab.refused("domain_controller_restart", "dc01", **UNLOADED))
        assert "PCNSFLT is still in Notification Packages of dc01.corp.example, so LSA would load it again" in error

    def test_not_unless_allowed(self, lab: Lab) -> None:
        lab.install("dc01")
        lab.run("notification_package", "dc01", state="absent")
        boots = lab.simulated("dc01").boot_count
        error = str(lab.refused("domain_controller_restart", "dc01", state="unloaded"))
        assert "dc01.corp.example must restart to unload PCNSFLT, and may not" in error
        assert lab.simulated("dc01").boot_count == boots

    def test_not_where_nobody_knows(self) -> None:
        """Somebody took the entry out by hand, and no event tells what LSA runs: no restart on a guess."""
        with running(settings(audit_security_system_extension=False)) as lab:
            lab.install("dc01")
            lab.simulated("dc01").remove_notification_package("PCNSFLT")
            error = str(lab.refused("domain_controller_restart", "dc01", **UNLOADED))
            assert "Whether LSA on dc01.corp.example still runs PCNSFLT is not known" in error


class TestRemains:
    def test_only_ours(self, lab: Lab) -> None:
        lab.run("msi_package", "dc01", **CAPTURE)
        host = lab.simulated("dc01")
        host.registry.set_string(MARKERS, "sso_server_allow_pcns", "{}")
        host.files.make_folder(rf"{OURS}\rollout-lock\1")
        done = lab.converge("host_remains", "dc01")
        (change,) = done["changes"]
        assert change["old"]["folders"] == ["logs"]
        assert change["old"]["markers"] == [
            f"notification_package_PCNSFLT_{name}" for name in ("installed", "previous")
        ]
        assert [value.name for value in host.registry.values(MARKERS) or ()] == ["sso_server_allow_pcns"]
        assert folder_names(host, OURS) == [rf"{OURS}\rollout-lock", rf"{OURS}\rollout-lock\1"]

    def test_what_a_lock_has_left(self, lab: Lab) -> None:
        before = lab.snapshot()
        lab.run("rollout_lock", "dc01")
        assert lab.run("host_remains", "dc01")["changed"] is False
        lab.run("rollout_lock", "dc01", state="free")
        lab.converge("host_remains", "dc01")
        assert lab.snapshot() == before

    def test_a_folder_that_is_held_open(self, lab: Lab) -> None:
        lab.run("msi_package", "dc01", **CAPTURE)
        host = lab.simulated("dc01")
        host.remove_tree = lambda _folder: None  # type: ignore[method-assign]
        error = str(lab.refused("host_remains", "dc01"))
        assert "Find out" in error
        # What a removal needs is still there, so that nothing is lost by running again.
        assert host.registry.key(OUR_KEY) is not None

    def test_a_registry_that_may_not_be_read(self, lab: Lab) -> None:
        lab.endpoint("dc01").faults.fault(5, "Access is denied.", action="StdRegProv/EnumValues")
        error = str(lab.refused("host_remains", "dc01"))
        assert "What this collection keeps on dc01.corp.example could not be read" in error


def test_a_hand_made_installation_loses_its_service_and_entry(lab: Lab) -> None:
    """Files that no package owns stay: somebody copied them, and only that person knows what else."""
    lab.install("dc01")
    host = lab.simulated("dc01")
    for key in ("Uninstall", "Installer\\UserData"):
        host.registry.delete_key(rf"SOFTWARE\Microsoft\Windows\CurrentVersion\{key}", recursive=True)
    host.registry.delete_key(r"SOFTWARE\Classes\Installer", recursive=True)
    list(remove(lab, ALL))
    assert planned(lab, [ALL])["planned"] == []
    service = host.services.get("PCNSSVC")
    assert service is not None
    assert service.start_mode.value == "Disabled"
    assert host.lsa.registered == ("rassfm", "scecli")
    assert host.files.get(r"C:\Windows\System32\pcnsflt.dll") is not None
