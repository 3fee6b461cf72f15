# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""domain_controller_preflight on hosts of the lab: each check broken in turn, and the host is never changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from unit.lab_host import Lab, local_copy, media, running, settings
from unit.plugin_utils.test_msi_package import ALL

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import DirectoryUnreachable
from ansible_collections.entsso.password_sync.plugins.plugin_utils import _preflight_directory
from ansible_collections.entsso.password_sync.plugins.plugin_utils._preflight_reads import IMAGE_OPTIONS_KEY
from lab.endpoint import EndpointSettings
from lab.endpoint.access import Access
from lab.forest import Forest
from lab.inventory import directory_variables
from lab.windows.eventlog import Level
from lab.windows.host import SimulatedHost
from lab.windows.lsa import LSA, VALUE

Undo = Callable[[], object]

PACKAGE = {**ALL, "version": "4.7.3.0", "product_code": "{11111111-2222-3333-4444-555555555555}"}
"""As the lab's package, with the version of MIM 2016 SP3."""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    forest = Forest(settings(), populate=False)
    forest.add_domain_controller("DC01", "Paris")
    forest.add_domain_controller("DC02", "Paris")
    forest.add_domain_controller("DC03", "Paris", read_only=True)
    forest.add_sso_server("SSO01", "Paris")
    forest.directory.backed_up = (forest.host("dc01").now() - timedelta(days=3), "DC01")
    with running(forest) as lab:
        yield lab


def look(lab: Lab, name: str = "dc01", variables: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """Runs the module, and checks what always holds: nothing is changed, and `go` follows from the checks."""
    before, log = lab.snapshot(), list(lab.simulated(name).process_log)
    result = lab.run("domain_controller_preflight", name, variables=variables, **{"packages": [PACKAGE], **more})
    assert lab.snapshot() == before
    assert lab.simulated(name).process_log == log
    assert result["changed"] is False
    optional = ("signature", "backup", "directory_rights")
    stops = [
        item
        for item in result["checks"]
        if item["verdict"] == "no_go" or (item["verdict"] == "unknown" and item["name"] not in optional)
    ]
    assert result["go"] is not bool(stops)
    for item in stops:
        assert item["msg"] in result["msg"]
        assert item["msg"].endswith(".")
        assert not item["remedy"] or item["remedy"].endswith(".")
    return result


def check(result: Mapping[str, Any], name: str) -> dict[str, str]:
    """Returns one check."""
    (found,) = [item for item in result["checks"] if item["name"] == name]
    return dict(found)


def verdicts(result: Mapping[str, Any]) -> dict[str, str]:
    """Returns the verdict of each check."""
    return {item["name"]: item["verdict"] for item in result["checks"]}


def test_a_bare_domain_controller_is_a_go(lab: Lab) -> None:
    variables = directory_variables(lab.forest)
    result = look(lab, variables=variables, directory_answer=answer(lab, variables))
    assert result["go"] is True
    assert result["work"] is True
    assert result["notification_packages"] == ["rassfm", "scecli"]
    assert result["pending_restart"] == []
    assert result["msg"] == "dc01.corp.example: go, 1 warning."
    assert verdicts(result) == {
        **dict.fromkeys(
            ["reachable", "domain_controller", "directory", "writable", "rights", "operating_system", "media"], "go"
        ),
        "signature": "warning",
        **dict.fromkeys(
            ["free_space", "lsa_protection", "notification_packages", "pending_restart", "replication", "site"], "go"
        ),
        "backup": "go",
        "directory_rights": "go",
    }
    assert "by DC01, 3 days ago" in check(result, "backup")["msg"]


def test_a_forest_that_can_not_be_read_leaves_the_rights_unknown_and_nothing_else(lab: Lab) -> None:
    variables = directory_variables(lab.forest)
    given = {"directory_answer": answer(lab, variables)}
    unread = DirectoryUnreachable("dc01.corp.example", "LDAP", "it closed the connection", "Try again")
    with patch.object(_preflight_directory, "ForestDomains", side_effect=unread):
        result = look(lab, variables=variables, **given)
    found = verdicts(result)
    assert found.pop("directory_rights") == "unknown"
    assert "it closed the connection" in check(result, "directory_rights")["msg"]
    assert "unknown" not in {found["backup"], found["writable"], found["site"]}
    assert result["go"] is True


def answer(lab: Lab, variables: Mapping[str, Any]) -> dict[str, Any]:
    """What the playbook asks the directory once."""
    return lab.run("domain_controller_info", "dc01", variables=variables, probe=True)


@pytest.fixture(scope="module")
def well(lab: Lab) -> dict[str, str]:
    """Verdicts where nothing is wrong and no directory is configured."""
    result = look(lab)
    assert result["go"] is True
    return verdicts(result)


def test_without_a_directory_it_is_a_go_with_one_warning_for_it(well: Mapping[str, str]) -> None:
    assert well["directory"] == "warning"
    assert set(well.values()) == {"go", "warning"}
    assert not {"writable", "site", "backup", "replication"} & set(well)


class TestHostChecks:
    @staticmethod
    def fault(name: str, value: object) -> Callable[[SimulatedHost], Undo]:
        """A fault of the lab."""

        def do(host: SimulatedHost) -> Undo:
            before = getattr(host.faults, name)
            setattr(host.faults, name, value)
            return lambda: setattr(host.faults, name, before)

        return do

    @staticmethod
    def windows(version: str) -> Callable[[SimulatedHost], Undo]:
        """Another version of Windows."""

        def do(host: SimulatedHost) -> Undo:
            before = host.identity
            host.identity = replace(before, version=version, caption="Microsoft Windows Server")
            return lambda: setattr(host, "identity", before)

        return do

    @staticmethod
    def dword(key: str, value: str, data: int) -> Callable[[SimulatedHost], Undo]:
        """A number in the registry."""

        def do(host: SimulatedHost) -> Undo:
            before = host.registry.dword(key, value)
            host.registry.set_dword(key, value, data)
            if before is None:
                return lambda: host.registry.delete_value(key, value)
            return lambda: host.registry.set_dword(key, value, before)

        return do

    @staticmethod
    def key(path: str) -> Callable[[SimulatedHost], Undo]:
        """A key in the registry."""

        def do(host: SimulatedHost) -> Undo:
            host.registry.create_key(path)
            return lambda: host.registry.delete_key(path)

        return do

    @staticmethod
    def packages(*entries: str) -> Callable[[SimulatedHost], Undo]:
        """What LSA loads."""

        def do(host: SimulatedHost) -> Undo:
            host.registry.set_multi_string(LSA, VALUE, entries)
            return lambda: host.registry.set_multi_string(LSA, VALUE, ("rassfm", "scecli"))

        return do

    @staticmethod
    def protected(host: SimulatedHost) -> Undo:
        """LSASS was started protected, as firmware can have it without RunAsPPL."""
        host.events.write("System", "Microsoft-Windows-Wininit", 12, Level.INFORMATION, ["4"])
        return lambda: host.events.clear("System")

    CASES: Mapping[str, tuple[Callable[[Any], Callable[[SimulatedHost], Undo]], str, str, str]] = {
        "Server 2025": (lambda self: self.windows("10.0.26100"), "operating_system", "no_go", "Windows Server 2025"),
        "Server 2016": (lambda self: self.windows("10.0.14393"), "operating_system", "no_go", "Windows Server 2016"),
        "disk full": (lambda self: self.fault("disk_full", True), "free_space", "no_go", "C: has 0.0 MiB free"),
        "RunAsPPL": (lambda self: self.dword(LSA, "RunAsPPL", 1), "lsa_protection", "no_go", "RunAsPPL is 1"),
        "RunAsPPL in firmware": (lambda self: self.protected, "lsa_protection", "no_go", "event 12 of Wininit"),
        "audit mode": (
            lambda self: self.dword(IMAGE_OPTIONS_KEY, "AuditLevel", 8),
            "lsa_protection",
            "go",
            "Audit mode is on",
        ),
        "updates": (
            lambda self: self.key(
                r"SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired"
            ),
            "pending_restart",
            "no_go",
            "(windows_update)",
        ),
        "components": (
            lambda self: self.key(r"SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending"),
            "pending_restart",
            "no_go",
            "(component_based_servicing)",
        ),
        "domain join": (
            lambda self: self.key(r"SYSTEM\CurrentControlSet\Services\Netlogon\JoinDomain"),
            "pending_restart",
            "no_go",
            "(domain_join)",
        ),
        "server manager": (
            lambda self: self.dword(r"SOFTWARE\Microsoft\ServerManager", "CurrentRebootAttempts", 1),
            "pending_restart",
            "no_go",
            "(server_manager)",
        ),
        "another filter": (
            lambda self: self.packages("scecli", "OtherFilter"),
            "notification_packages",
            "warning",
            "OtherFilter is not Windows' own",
        ),
    }

    @pytest.mark.parametrize("name", CASES)
    def test_each_in_turn(self, lab: Lab, well: Mapping[str, str], name: str) -> None:
        make, checked, verdict, told = self.CASES[name]
        undo = make(self)(lab.simulated("dc01"))
        try:
            result = look(lab)
        finally:
            undo()
        found = check(result, checked)
        assert (found["verdict"], told in found["msg"]) == (verdict, True), found
        assert result["go"] is (verdict != "no_go")
        others = {key: value for key, value in verdicts(result).items() if key != checked}
        assert others == {key: value for key, value in well.items() if key != checked}

    def test_files_and_the_name_that_wait(self, lab: Lab) -> None:
        registry = lab.simulated("dc01").registry
        session, name = (
            r"SYSTEM\CurrentControlSet\Control\Session Manager",
            r"SYSTEM\CurrentControlSet\Control\ComputerName\ComputerName",
        )
        registry.set_multi_string(session, "PendingFileRenameOperations", (r"\??\C:\Windows\Temp\a.dll", ""))
        try:
            result = look(lab)
            assert check(result, "pending_restart")["verdict"] == "warning"
            assert [item["source"] for item in result["pending_restart"]] == ["pending_file_rename"]
            registry.set_string(name, "ComputerName", "DC99")
            assert check(look(lab), "pending_restart")["verdict"] == "no_go"
        finally:
            registry.delete_value(session, "PendingFileRenameOperations")
            registry.set_string(name, "ComputerName", "DC01")

    def test_what_may_not_be_read_is_unknown_and_stops(self, lab: Lab) -> None:
        registry = lab.simulated("dc01").registry
        registry.set_string(LSA, "RunAsPPL", "one")
        try:
            found = check(look(lab), "lsa_protection")
        finally:
            registry.delete_value(LSA, "RunAsPPL")
        assert found["verdict"] == "unknown"
        assert "another type than expected" in found["msg"]

    def test_unsupported_is_installed_on_when_told_so(self, lab: Lab) -> None:
        undo = self.windows("10.0.26100")(lab.simulated("dc01"))
        try:
            assert look(lab, allow_unsupported_os=True)["go"] is True
        finally:
            undo()

    def test_accepted_with_a_reason_it_is_a_warning(self, lab: Lab) -> None:
        undo = self.dword(LSA, "RunAsPPL", 1)(lab.simulated("dc01"))
        try:
            result = look(lab, accept={"lsa_protection": "tested on dc09"})
        finally:
            undo()
        assert result["go"] is True
        assert check(result, "lsa_protection")["msg"].endswith("Accepted: tested on dc09.")

    @pytest.mark.parametrize("accept", [{"lsa": "x"}, {"backup": ""}, {"reachable": "never mind"}])
    def test_what_can_not_be_accepted_is_refused(self, lab: Lab, accept: dict[str, str]) -> None:
        error = lab.refused("domain_controller_preflight", "dc01", accept=accept)
        assert f"`accept` can't be followed for {next(iter(accept))}" in str(error)
        assert "lsa_protection, " in str(error)


class TestWhoAnswers:
    def test_no_domain_controller(self, lab: Lab) -> None:
        result = look(lab, "sso01")
        assert verdicts(result) == {"reachable": "go", "domain_controller": "no_go", "directory": "warning"}
        assert result["work"] is None
        assert "sso01.corp.example is not a domain controller." in result["msg"]

    def test_nobody(self, lab: Lab) -> None:
        endpoint = lab.endpoint("dc02")
        endpoint.down()
        try:
            result = look(lab, "dc02")
        finally:
            endpoint.up()
        assert result["go"] is False
        assert verdicts(result)["reachable"] == "no_go"
        assert "can't be reached" in result["msg"]

    def test_an_account_that_may_only_read(self) -> None:
        forest = Forest(settings(), populate=False)
        forest.add_domain_controller("DC01", "Paris")
        forest.more_accounts["CORP\\reader"] = "Lab-only-reader"
        access = {"corp\\reader": Access(writes=False, channels=("Security",))}
        forest.operator, forest.operator_password = "CORP\\reader", "Lab-only-reader"
        forest.start(settings=EndpointSettings(limited=access))
        try:
            result = look(Lab(forest))
        finally:
            forest.stop()
        found = check(result, "rights")
        assert (found["verdict"], "may read this host and not change it" in found["msg"]) == ("no_go", True)
        assert found["remedy"] == "Connect as a member of Domain Admins."


class TestMedia:
    def test_a_wrong_hash(self, lab: Lab) -> None:
        result = look(lab, packages=[{**PACKAGE, "sha256": "0" * 64}])
        assert check(result, "media")["verdict"] == "no_go"
        assert "has SHA-256" in result["msg"]
        assert result["work"] is None

    def test_a_missing_file(self, lab: Lab) -> None:
        result = look(lab, packages=[{**PACKAGE, "path": "/nowhere/pcns.msi"}])
        assert check(result, "media")["verdict"] == "no_go"
        assert "pcns.msi" in result["msg"]

    def test_no_package(self, lab: Lab, tmp_path: Path) -> None:
        result = look(lab, packages=[{**PACKAGE, **local_copy(tmp_path, "x.msi", b"no package")}])
        assert "is not a Windows Installer package" in check(result, "media")["msg"]

    def test_a_file_on_the_host(self, lab: Lab) -> None:
        remote = {**PACKAGE, **media("pcns-all-in-one.msi", path=r"C:\Windows\Temp\pcns.msi", remote_src=True)}
        assert r"C:\Windows\Temp\pcns.msi is not on the host" in check(look(lab, packages=[remote]), "media")["msg"]
        host = lab.simulated("dc01")
        host.files.write(r"C:\Windows\Temp\pcns.msi", b"anything", host.now())
        try:
            result = look(lab, packages=[remote])
        finally:
            host.files.delete(r"C:\Windows\Temp\pcns.msi")
        assert "is compared on the host before it is executed" in check(result, "media")["msg"]
        assert result["go"] is True


class TestDirectoryChecks:
    def _look(self, lab: Lab, name: str = "dc01", **more: Any) -> dict[str, Any]:
        variables = directory_variables(lab.forest)
        return look(lab, name, variables, directory_answer=answer(lab, variables), **more)

    def test_a_read_only_one_is_a_no_go_also_where_nothing_else_speaks_against_it(self, lab: Lab) -> None:
        result = self._look(lab, "dc03")
        assert check(result, "writable")["verdict"] == "no_go"
        assert "Move it to the group rodc" in result["msg"]
        assert "site" not in verdicts(result)

    def test_replication_that_fails(self, lab: Lab) -> None:
        lab.simulated("dc01").faults.replication_error = 8524
        try:
            found = check(self._look(lab), "replication")
        finally:
            lab.simulated("dc01").faults.replication_error = 0
        assert (found["verdict"], "failed with error 8524" in found["msg"]) == ("no_go", True)

    def test_replication_that_ldap_hides_is_read_from_wmi(self, lab: Lab) -> None:
        faults = lab.simulated("dc01").faults
        faults.replication_hidden, faults.replication_error = True, 8524
        try:
            assert "failed with error 8524" in check(self._look(lab), "replication")["msg"]
        finally:
            faults.replication_hidden, faults.replication_error = False, 0

    def test_the_other_one_of_the_site_is_down(self, lab: Lab) -> None:
        lab.forest._ldap.power("dc02.corp.example", on=False)
        try:
            found = check(self._look(lab), "site")
        finally:
            lab.forest._ldap.power("dc02.corp.example", on=True)
        assert (found["verdict"], "dc02.corp.example did not answer" in found["msg"]) == ("no_go", True)

    def test_a_backup_that_is_too_old_or_that_nobody_tells_of(self, lab: Lab) -> None:
        found = check(self._look(lab, backup_max_age_days=2), "backup")
        assert (found["verdict"], "at most 2 are wanted" in found["msg"]) == ("no_go", True)
        before, lab.forest.directory.backed_up = lab.forest.directory.backed_up, None
        try:
            assert check(self._look(lab), "backup")["verdict"] == "warning"
        finally:
            lab.forest.directory.backed_up = before

    def test_a_directory_that_does_not_answer(self, lab: Lab) -> None:
        failed = {"failed": True, "msg": "LDAP on dc01.corp.example: it refuses the connection. Check the port."}
        result = look(lab, directory_answer=failed)
        assert check(result, "directory")["verdict"] == "unknown"
        assert "it refuses the connection" in result["msg"]

    def test_a_domain_controller_that_does_not_answer_over_ldap(self, lab: Lab) -> None:
        variables = directory_variables(lab.forest)
        known = answer(lab, variables)
        result = look(lab, variables={**variables, "password_sync_ldap_port": 1}, directory_answer=known)
        assert check(result, "replication")["verdict"] == "unknown"
        assert check(result, "backup")["verdict"] == "warning"
        assert result["go"] is False


def test_where_nothing_is_to_be_done_only_what_is_always_wrong_stops() -> None:
    forest = Forest(settings(), populate=False)
    forest.add_domain_controller("DC01", "Paris")
    with running(forest) as lab:
        lab.install("dc01")
        host = lab.simulated("dc01")
        # PCNS stays up only with its configuration in the directory.
        host.run(r'"C:\Program Files\Microsoft Password Change Notification\pcnscfg.exe" service /A:604800')
        host.services.start("PCNSSVC")
        host.registry.create_key(r"SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired")
        result = look(lab, packages=[ALL])
        assert result["work"] is False, result
        assert result["go"] is True
        assert check(result, "pending_restart")["verdict"] == "warning"
        assert check(result, "pending_restart")["msg"].endswith("Nothing is to be done here now.")
        wrong = look(lab, packages=[{**ALL, "sha256": "0" * 64}])
        assert wrong["go"] is False
