# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""msi_package against Windows Installer of the lab: what it plans, does, verifies and says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from unit.lab_host import Lab, changes, folder_names, local_copy, media, observed, running, settings

from ansible_collections.entsso.password_sync.plugins.plugin_utils._msi_package import MsiPackageResource
from lab.example import CAPTURE_LEAVES, MEDIA_FOLDER, PCNSCFG, SERVICE_LEAVES

ALL: dict[str, Any] = {
    "name": "PCNS",
    "properties": {"ACCEPT_EULA": "1"},
    "leaves": {**CAPTURE_LEAVES, **SERVICE_LEAVES},
    **media("pcns-all-in-one.msi"),
}
CAPTURE: dict[str, Any] = {"name": "Capture", "leaves": CAPTURE_LEAVES, **media("capture-component.msi")}
SERVICE: dict[str, Any] = {"name": "PCNS", "leaves": SERVICE_LEAVES, **media("pcns-service.msi")}
OURS = r"C:\Program Files\entsso.password_sync"
LOG_FOLDER = rf"{OURS}\logs"


@pytest.fixture
def lab() -> Iterator[Lab]:
    with running() as started:
        yield started


@pytest.fixture(scope="module")
def shared() -> Iterator[Lab]:
    """A lab that tests may share: none of them sends anything."""
    with running() as started:
        yield started


def started(lab: Lab, name: str, tool: str) -> list[str]:
    """Returns the command lines with which a tool was started on a host."""
    return [line for line in lab.simulated(name).process_log if tool in line]


class TestInstalling:
    def test_one_package(self, lab: Lab) -> None:
        done = lab.converge("msi_package", "dc01", **ALL)
        assert changes(done) == [
            (
                "msi_package",
                "install",
                {"product_code": done["changes"][0]["new"]["product_code"], "version": "1.0.100.0"},
            )
        ]
        assert done["changes"][0]["implies"] == ["host restart"]
        entry = observed(done, "notification_package")
        assert (entry["registered"], entry["installed"], entry["loaded"]) == (True, True, "no")
        assert entry["others"] == ["rassfm", "scecli"]
        assert observed(done, "pcns_service")["start_mode"] == "auto"
        assert observed(done, "tool")["path"] == PCNSCFG
        host = lab.simulated("dc01")
        assert host.lsa.registered == ("rassfm", "scecli", "PCNSFLT")
        assert not host.power.scheduled
        (warning,) = lab.spoken.warned
        assert "WinRS stream" in warning
        (line,) = started(lab, "dc01", "msiexec")
        assert "/qn /norestart /l*v" in line
        assert 'ACCEPT_EULA="1"' in line
        assert folder_names(host) == []
        assert folder_names(host, OURS) == [LOG_FOLDER]
        assert not host.access.users_may_write(LOG_FOLDER)
        assert not host.access.users_may_read(rf"{LOG_FOLDER}\PCNS-install.log")
        assert [file.path for file in host.files.inside(LOG_FOLDER)] == [rf"{LOG_FOLDER}\PCNS-install.log"]

    def test_two_packages(self, lab: Lab) -> None:
        first = lab.converge("msi_package", "dc01", **CAPTURE)
        assert first["changes"][0]["implies"] == ["host restart"]
        second = lab.converge("msi_package", "dc01", **SERVICE)
        assert second["changes"][0]["implies"] == []
        assert {item["resource"] for item in second["observed"]} == {"msi_package", "pcns_service", "tool"}
        lab.forget()
        assert lab.run("msi_package", "dc01", **CAPTURE)["changed"] is False

    def test_an_upgrade_replaces_the_older_version(self, lab: Lab) -> None:
        lab.install("dc01")
        assert lab.simulated("dc01").lsa.is_loaded("PCNSFLT")
        done = lab.converge("msi_package", "dc01", **{**ALL, **media("pcns-all-in-one-2.msi")})
        (change,) = done["changes"]
        assert change["operation"] == "upgrade"
        assert change["old"]["version"] == "1.0.100.0"
        assert change["new"]["version"] == "1.1.200.0"
        assert change["old"]["product_code"] != change["new"]["product_code"]
        assert lab.simulated("dc01").lsa.registered == ("rassfm", "scecli", "PCNSFLT")

    def test_a_newer_version_is_not_downgraded(self, lab: Lab) -> None:
        lab.install("dc01", "pcns-all-in-one-2.msi")
        error = str(lab.refused("msi_package", "dc01", **ALL))
        assert "PCNS 1.1.200.0 is installed on dc01.corp.example, which is newer than 1.0.100.0" in error
        assert started(lab, "dc01", "certutil") == []

    def test_removal(self, lab: Lab) -> None:
        lab.install("dc01", "capture-component.msi", "pcns-service.msi")
        done = lab.converge("msi_package", "dc01", **SERVICE, state="absent")
        assert done["changes"][0]["operation"] == "remove"
        assert lab.simulated("dc01").services.get("PCNSSVC") is None
        assert "/x" in started(lab, "dc01", "msiexec")[-1]

    def test_a_removed_filter_stays_loaded_until_the_restart(self, lab: Lab) -> None:
        lab.install("dc01")
        done = lab.converge("msi_package", "dc01", **ALL, state="absent")
        entry = observed(done, "notification_package")
        assert (entry["registered"], entry["installed"], entry["loaded"]) == (False, False, "yes")

    def test_media_that_is_there_already_is_not_touched_by_the_next_run(self, lab: Lab) -> None:
        """Nothing is pushed where nothing is to be done: no process runs on the host at all."""
        lab.install("dc01")
        before = len(lab.simulated("dc01").process_log)
        assert lab.run("msi_package", "dc01", **ALL)["changed"] is False
        assert len(lab.simulated("dc01").process_log) == before


class TestRemoteSource:
    PATH = r"C:\Media\pcns.msi"

    def put(self, lab: Lab) -> None:
        host = lab.simulated("dc01")
        host.files.make_folder(r"C:\Media")
        host.files.write(self.PATH, (MEDIA_FOLDER / "pcns-all-in-one.msi").read_bytes(), host.now())

    def arguments(self, **more: Any) -> dict[str, Any]:
        code = "{A7C1D0E2-0000-4000-8000-000000000011}"
        known = {"product_code": code, "version": "1.0.100.0", "remote_src": True}
        return {**ALL, **media("pcns-all-in-one.msi", path=self.PATH), **known, **more}

    def known(self, lab: Lab) -> dict[str, Any]:
        """Returns the arguments with the product code that the package has."""
        new = lab.run("msi_package", "dc01", check=True, **ALL)["changes"][0]["new"]
        lab.forget()
        return self.arguments(product_code=new["product_code"].lower())

    def test_it_is_installed_from_where_it_is(self, lab: Lab) -> None:
        self.put(lab)
        arguments = self.known(lab)
        lab.converge("msi_package", "dc01", **arguments)
        assert self.PATH in started(lab, "dc01", "msiexec")[0]
        assert started(lab, "dc01", "findstr") == []
        assert lab.simulated("dc01").files.get(self.PATH) is not None

    def test_another_hash_is_never_executed(self, lab: Lab) -> None:
        self.put(lab)
        error = lab.refused("msi_package", "dc01", **self.arguments(sha256="0" * 64))
        assert "pcns.msi on dc01.corp.example has SHA-256" in str(error)
        assert f"and {'0' * 64} was given" in str(error)
        assert "Nothing was executed" in str(error)
        assert started(lab, "dc01", "msiexec") == []

    def test_a_missing_file(self, lab: Lab) -> None:
        error = str(lab.refused("msi_package", "dc01", **self.arguments()))
        assert rf"{self.PATH} can't be read by the account of this run on dc01.corp.example" in error
        assert "Check the path there" in error
        assert started(lab, "dc01", "msiexec") == []

    @pytest.mark.parametrize("path", ["C:/Media/pcns.msi", "pcns.msi", r"\\files\pcns.msi"])
    def test_a_path_that_is_not_on_a_drive_of_the_host(self, lab: Lab, path: str) -> None:
        error = str(lab.refused("msi_package", "dc01", **self.arguments(path=path)))
        assert "it is no absolute path with a drive letter and backslashes" in error
        assert started(lab, "dc01", "msiexec") == []

    def test_its_identity_must_be_given(self, lab: Lab) -> None:
        arguments = self.arguments()
        del arguments["product_code"]
        error = str(lab.refused("msi_package", "dc01", **arguments))
        assert "The identity of PCNS is not known" in error
        assert "Give `product_code` and `version`" in error
        assert lab.endpoint("dc01").statistics.requests == 0


class TestMediaThatIsRefused:
    """Nothing is sent to the host at all."""

    def refused(self, lab: Lab, **file: str) -> str:
        error = str(lab.refused("msi_package", "dc01", **{**ALL, **file}))
        assert lab.endpoint("dc01").statistics.requests == 0
        return error

    def test_no_msi(self, shared: Lab, tmp_path: Path) -> None:
        error = self.refused(shared, **local_copy(tmp_path, "pcns.msi", b"MZ\x90\x00" * 400))
        assert error.startswith("pcns.msi can't be installed from: ")
        assert error.endswith("Name the .msi file of the product.")

    @pytest.mark.parametrize("size", [0, 300, 1024, 9000])
    def test_truncated(self, shared: Lab, tmp_path: Path, size: int) -> None:
        data = (MEDIA_FOLDER / "pcns-all-in-one.msi").read_bytes()[:size]
        assert "pcns.msi can't be installed from: " in self.refused(shared, **local_copy(tmp_path, "pcns.msi", data))

    def test_a_patch(self, shared: Lab, tmp_path: Path) -> None:
        """A patch differs from a package in the class identifier of its root storage."""
        data = (MEDIA_FOLDER / "pcns-all-in-one.msi").read_bytes()
        package = bytes.fromhex("84100C0000000000C000000000000046")
        patch = bytes.fromhex("86100C0000000000C000000000000046")
        assert data.count(package) == 1
        error = self.refused(shared, **local_copy(tmp_path, "pcns.msp", data.replace(package, patch)))
        assert "pcns.msp can't be installed from: " in error
        assert "patch" in error

    def test_another_hash(self, shared: Lab) -> None:
        error = self.refused(shared, path=str(MEDIA_FOLDER / "pcns-all-in-one.msi"), sha256="ab" * 32)
        assert "pcns-all-in-one.msi on the control node has SHA-256" in error
        assert f"and {'AB' * 32} was given" in error

    def test_a_file_that_is_not_there(self, shared: Lab, tmp_path: Path) -> None:
        error = self.refused(shared, path=str(tmp_path / "none.msi"), sha256="ab" * 32)
        assert f"The file {tmp_path}/none.msi was not found on the control node." in error
        assert "`remote_src`" in error

    def test_installing_needs_media(self, shared: Lab) -> None:
        error = str(shared.refused("msi_package", "dc01", name="PCNS"))
        assert "path" in error
        assert "sha256" in error

    def test_a_path_without_a_hash(self, shared: Lab) -> None:
        error = str(shared.refused("msi_package", "dc01", name="PCNS", state="absent", path="x.msi"))
        assert "required together: path, sha256" in error

    def test_a_relative_path_is_looked_for_beside_the_playbook(self, lab: Lab) -> None:
        folder = MEDIA_FOLDER.name
        assert lab.run("msi_package", "dc01", check=True, **{**ALL, "path": f"{folder}/pcns-all-in-one.msi"})["changed"]


class TestOutcomes:
    def test_1603_with_what_the_log_says(self, lab: Lab) -> None:
        lab.forest.directory.schema.pcns_extended = False
        before = lab.snapshot()
        error = lab.refused("msi_package", "dc01", **ALL)
        assert "PCNS on dc01.corp.example: The installation failed and was rolled back" in str(error)
        assert rf"The log {LOG_FOLDER}\PCNS-install.log says: " in str(error)
        assert "The Active Directory schema has no PCNS classes" in str(error)
        assert error.result["changed"] is False  # type: ignore[attr-defined]
        assert_only_log(lab, before)

    def test_1603_without_a_log(self, lab: Lab) -> None:
        lab.simulated("dc01").faults.msiexec_exit_code = 1603
        error = str(lab.refused("msi_package", "dc01", **ALL))
        assert rf"rolled back. The log is {LOG_FOLDER}\PCNS-install.log" in error

    @pytest.mark.parametrize(
        ("code", "told"),
        [
            (1602, "The installation was cancelled"),
            (1612, "is not where it was"),
            (1619, "could not open the package"),
            (1620, "does not accept the file as a package"),
            (1622, "could not open the log file"),
            (1633, "is for another processor platform"),
            (1638, "Another version of the product is installed"),
            (1639, "did not understand its command line"),
            (4711, "ended with code 4711 (0x00001267), which this collection does not know"),
            (0xC0000005, "ended with code 3221225477 (0xC0000005)"),
        ],
    )
    def test_codes_by_name(self, lab: Lab, code: int, told: str) -> None:
        lab.simulated("dc01").faults.msiexec_exit_code = code
        error = str(lab.refused("msi_package", "dc01", **ALL))
        assert told in error
        assert "PCNS on dc01.corp.example: " in error
        assert folder_names(lab.simulated("dc01"), OURS) == [LOG_FOLDER]

    def test_1618_is_tried_again(self, lab: Lab) -> None:
        lab.simulated("dc01").faults.installer_busy = 2
        done = lab.run("msi_package", "dc01", **ALL, busy_wait=10, busy_interval=0.05)
        assert done["changed"] is True
        assert len(started(lab, "dc01", "msiexec")) == 3
        assert lab.said.count("another installation is in progress, trying again in 0.05 s") == 2

    def test_1618_for_ever(self, lab: Lab) -> None:
        lab.simulated("dc01").faults.installer_busy = 1000
        error = str(lab.refused("msi_package", "dc01", **ALL, busy_wait=1, busy_interval=0.3))
        assert "Another installation is in progress on the host" in error
        assert 2 <= len(started(lab, "dc01", "msiexec")) <= 4
        assert folder_names(lab.simulated("dc01"), OURS) == [LOG_FOLDER]

    def test_a_restart_that_nobody_declared(self, lab: Lab) -> None:
        done = lab.run("msi_package", "dc01", **{**CAPTURE, "leaves": {}})
        assert done["changed"] is True
        assert "dc01.corp.example: Windows Installer asks for a restart after Capture (3010)" in lab.warned
        assert "This host is not restarted" in lab.warned
        assert not lab.simulated("dc01").power.scheduled

    def test_another_platform(self) -> None:
        with running(settings(package_platforms=frozenset({"x64"}))) as lab:
            error = str(lab.refused("msi_package", "dc01", name="Other", **media("wrong-platform.msi")))
            assert "is for another processor platform" in error

    def test_disk_full(self, lab: Lab) -> None:
        before = lab.snapshot()
        lab.simulated("dc01").faults.disk_full = True
        error = str(lab.refused("msi_package", "dc01", **ALL))
        assert "dc01.corp.example" in error
        assert "could not be written" in error
        assert "Traceback" not in error
        lab.simulated("dc01").faults.disk_full = False
        assert_only_log(lab, before)

    def test_the_disk_fills_up_while_it_installs(self, lab: Lab) -> None:
        remote = TestRemoteSource()
        remote.put(lab)
        arguments = remote.known(lab)
        files = lab.simulated("dc01").files
        files.other_use += files.free - 100
        before = lab.snapshot()
        error = str(lab.refused("msi_package", "dc01", **arguments))
        assert "rolled back" in error
        assert "not enough space on the disk" in error
        assert_only_log(lab, before)


def assert_only_log(lab: Lab, before: dict[str, Any]) -> None:
    """Asserts that the estate is as it was, apart from the folder of our logs and what Windows itself logged."""
    after = lab.snapshot()
    host = after["hosts"]["dc01.corp.example"]
    assert folder_names(lab.simulated("dc01"), OURS) in ([], [LOG_FOLDER])
    host["files"]["folders"] = [name for name in host["files"]["folders"] if name not in (OURS, LOG_FOLDER)]
    host["files"]["files"] = {
        path: value for path, value in host["files"]["files"].items() if not path.startswith(LOG_FOLDER)
    }
    host["events"] = before["hosts"]["dc01.corp.example"]["events"]
    assert after == before


class TestAsSystem:
    SYSTEM: ClassVar[dict[str, Any]] = {**ALL, "run_as": "system_task"}

    def assert_clean(self, lab: Lab) -> None:
        host = lab.simulated("dc01")
        assert host.tasks.dump() == []
        assert folder_names(host, OURS) == [LOG_FOLDER]
        assert host.tasks.exposed == []

    def test_installing(self, lab: Lab) -> None:
        done = lab.converge("msi_package", "dc01", **self.SYSTEM)
        assert done["changes"][0]["operation"] == "install"
        ((name, script),) = lab.simulated("dc01").tasks.log
        assert f"running as SYSTEM in the scheduled task {name}" in lab.said
        assert rf'msiexec.exe /i "{OURS}\{name}\pcns-all-in-one.msi" /qn /norestart /l*v "{LOG_FOLDER}\PCNS' in script
        assert started(lab, "dc01", "msiexec") == []
        assert folder_names(lab.simulated("dc01")) == []
        self.assert_clean(lab)

    def test_removing(self, lab: Lab) -> None:
        lab.install("dc01")
        done = lab.converge("msi_package", "dc01", **self.SYSTEM, state="absent")
        assert done["changes"][0]["operation"] == "remove"
        assert "/x" in lab.simulated("dc01").tasks.log[0][1]
        self.assert_clean(lab)

    def test_a_package_on_the_host_is_copied_to_where_nobody_can_replace_it(self, lab: Lab) -> None:
        remote = TestRemoteSource()
        remote.put(lab)
        assert lab.simulated("dc01").access.users_may_write(remote.PATH)
        lab.run("msi_package", "dc01", **remote.known(lab), run_as="system_task")
        self.assert_clean(lab)
        assert remote.PATH not in lab.simulated("dc01").tasks.log[0][1]
        assert lab.simulated("dc01").files.get(remote.PATH) is not None

    def test_1618_is_tried_again(self, lab: Lab) -> None:
        lab.simulated("dc01").faults.installer_busy = 1
        assert lab.run("msi_package", "dc01", **self.SYSTEM, busy_wait=30, busy_interval=0.05)["changed"] is True
        assert len(lab.simulated("dc01").tasks.log) == 2
        self.assert_clean(lab)

    def test_1603_with_what_the_log_says(self, lab: Lab) -> None:
        lab.forest.directory.schema.pcns_extended = False
        error = str(lab.refused("msi_package", "dc01", **self.SYSTEM))
        assert "PCNS on dc01.corp.example: The installation failed and was rolled back" in error
        assert "The Active Directory schema has no PCNS classes" in error
        self.assert_clean(lab)

    def test_a_policy_that_forbids_it(self, lab: Lab) -> None:
        lab.simulated("dc01").faults.tasks_refused = True
        error = str(lab.refused("msi_package", "dc01", **self.SYSTEM))
        assert "the Task Scheduler refused the task" in error
        assert "Nothing was run. Allow the account" in error
        assert lab.simulated("dc01").tasks.log == []
        self.assert_clean(lab)

    def test_it_is_never_left_to_chance(self, lab: Lab) -> None:
        error = str(lab.refused("msi_package", "dc01", **{**ALL, "run_as": "administrator"}))
        assert "run_as" in error
        assert "connection, system_task" in error


class TestVerification:
    def test_a_package_that_leaves_less_than_declared(self, lab: Lab) -> None:
        leaves = {**SERVICE_LEAVES, **CAPTURE_LEAVES}
        error = lab.refused("msi_package", "dc01", **{**SERVICE, "leaves": leaves})
        text = str(error)
        assert "the change was made, and what is observed now is not what was planned" in text
        assert "notification_package pcnsflt on dc01.corp.example: registered should be true and is false" in text
        assert "installed should be true and is false" in text
        result = error.result  # type: ignore[attr-defined]
        assert result["changed"] is True
        assert [change["name"] for change in result["changes"]] == ["PCNS"]

    def test_a_tool_that_is_not_where_it_was_declared(self, lab: Lab) -> None:
        leaves = {"services": ["PCNSSVC"], "tools": {"pcnscfg": r"C:\elsewhere\pcnscfg.exe"}}
        error = str(lab.refused("msi_package", "dc01", **{**SERVICE, "leaves": leaves}))
        assert "tool pcnscfg on dc01.corp.example: state should be present and is absent" in error

    def test_msiexec_that_says_it_worked_and_did_nothing(self, lab: Lab) -> None:
        lab.simulated("dc01").faults.msiexec_exit_code = 0
        error = str(lab.refused("msi_package", "dc01", **ALL))
        assert "msi_package pcns on dc01.corp.example: state should be present and is absent" in error


class TestObserving:
    def test_what_may_not_be_read_is_unknown_and_refused(self, lab: Lab) -> None:
        endpoint = lab.endpoint("dc01")
        endpoint.faults.fault(5, "Access is denied.", action="StdRegProv/GetStringValue")
        error = str(lab.refused("msi_package", "dc01", **ALL))
        assert "Whether PCNS is installed on dc01.corp.example could not be read: " in error
        assert started(lab, "dc01", "msiexec") == []

    def test_the_resource_reads_nothing_but_what_the_package_leaves(self, lab: Lab) -> None:
        with lab.open("dc01") as host:
            resource = MsiPackageResource(host, lab.task("msi_package", "dc01", **{**SERVICE, "leaves": {}}))
            assert [key.resource for key in resource.observe()] == ["msi_package"]
            assert host.statistics.requests <= 3
