# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pcns_configuration and pcns_target with a directory: cross-checked, groups, the SSO server's domain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from unit.lab.estate_kit import install, restart
from unit.lab_host import Lab, running, settings
from unit.plugin_utils.pcns_directory_kit import JUDGE, SSO, WithDirectory, emptied, started
from unit.plugin_utils.test_pcns_directory import FULL, WANTED, add_foreign, calls, target

from lab.directory import PcnsConfiguration, PcnsObjects
from lab.forest import Forest
from lab.settings import DESCRIPTIVE_NAMES, GuidForm, PcnsDirectorySettings, PcnsSettings, Placement, SidForm


@pytest.fixture(scope="module")
def prepared() -> Iterator[Lab]:
    with started() as lab:
        yield lab


@pytest.fixture
def place(prepared: Lab) -> Iterator[WithDirectory]:
    yield from emptied(prepared)


class TestReadTwice:
    @pytest.mark.parametrize(
        ("made", "pcns"),
        [
            (
                PcnsDirectorySettings(
                    sid_form=SidForm.TEXT,
                    guid_form=GuidForm.TEXT,
                    large_integers=False,
                    unpublished=DESCRIPTIVE_NAMES,
                    placement=Placement.CONTAINER_IS_SERVICE,
                ),
                PcnsSettings(list_prints_group_domain=False, list_indent=2),
            ),
            (
                PcnsDirectorySettings(placement=Placement.BELOW_SERVICE, target_named_by_guid=True),
                PcnsSettings(list_prints_user_name_format=False),
            ),
        ],
        ids=["texts", "guids"],
    )
    def test_whatever_form_the_directory_has(self, made: PcnsDirectorySettings, pcns: PcnsSettings) -> None:
        with started(made, pcns) as lab:
            place = WithDirectory(lab)
            done = place.run("pcns_configuration", max_queue_length=4294967295, retry_interval=30)
            assert done["seen_by"] == ["dc01.corp.example", "dc02.corp.example"]
            place.run("pcns_target", **{**FULL, "user_name_format": "fqdn"})
            assert target(lab).user_name_format == 1
            # Known from the directory where the tool does not print it.
            assert place.run("pcns_target", **FULL)["changes"][0]["old"] == {"user_name_format": 1}
            assert place.run("pcns_configuration", max_queue_length=4294967295)["changed"] is False
            assert place.run("pcns_target", **FULL)["changed"] is False
            assert lab.warned == ""
            assert place.judged("pcns_configuration")["PCNS-014"]["status"] == "compliant"
            assert place.judged(**FULL)["PCNS-011"]["status"] == "compliant"

    def test_printed_defaults_are_no_configuration(self, place: WithDirectory) -> None:
        """The tool prints the documented defaults where there is nothing; the directory tells that there is nothing."""
        done = place.run("pcns_configuration", max_queue_age=259200)
        assert done["changed"] is True
        assert place.lab.forest.directory.pcns().configuration == PcnsConfiguration()
        assert place.run("pcns_configuration", max_queue_age=259200)["changed"] is False

    def test_a_value_that_differs_is_told(self, place: WithDirectory) -> None:
        place.run("pcns_configuration", retry_interval=30)
        place.run("pcns_target", **FULL)
        printed = place.lab.simulated("dc01").run(f'"{_tool()}" list')[1]
        changed = printed.replace("Keep Alive Interval...: 90", "Keep Alive Interval...: 91")
        place.lab.simulated("dc01").faults.tool_output["pcnscfg"] = changed.encode()
        finding = place.judged("pcns_configuration")["PCNS-014"]
        assert finding["status"] == "unknown"
        assert "ENTSSO: keep_alive_interval is 91 in pcnscfg list and 90 in the directory" in finding["message"]
        place.lab.forget()
        place.run("pcns_target", **{**FULL, "keep_alive_interval": 91})
        assert "keep_alive_interval is 91 in pcnscfg list and 90 in the directory" in place.lab.warned

    def test_an_object_that_only_one_has_is_refused(self, place: WithDirectory) -> None:
        place.run("pcns_target", **FULL)
        printed = place.lab.simulated("dc01").run(f'"{_tool()}" list')[1]
        head = printed.partition("Target Name")[0]
        place.lab.simulated("dc01").faults.tool_output["pcnscfg"] = f"{head}Total targets: 0\r\n".encode()
        told = place.refused("pcns_target", **FULL)
        assert "two sources contradict each other: the directory has CN=ENTSSO,CN=Password Change" in told
        # An object that nobody but the tool knows.
        place.lab.simulated("dc01").faults.tool_output["pcnscfg"] = printed.encode()
        place.lab.forest.directory.set_pcns(PcnsObjects(PcnsConfiguration()))
        assert "pcnscfg list names it and the directory does not have it" in place.refused("pcns_target", **FULL)

    def test_the_directory_tells_where_there_is_no_tool(self, place: WithDirectory) -> None:
        """Hand-made by others: dc02 has no PCNS, and what is wanted is there."""
        place.run("pcns_target", **FULL)
        # The lab's names for two attributes say nothing, so they are not found and not read.
        known = {key: value for key, value in FULL.items() if not key.startswith("queue_")}
        assert place.run("pcns_target", "dc02", **known)["changed"] is False
        assert "pcnscfg is not on dc02" in place.refused("pcns_target", "dc02", **{**FULL, "keep_alive_interval": 7})

    def test_foreign_targets_are_left_alone(self, place: WithDirectory) -> None:
        foreign = add_foreign(place.lab)
        place.run("pcns_target", **FULL)
        place.run("pcns_target", name="ENTSSO", state="absent")
        assert place.lab.forest.directory.pcns().targets == foreign

    def test_a_directory_that_does_not_answer(self, place: WithDirectory) -> None:
        wrong = {"password_sync_ldap_username": "CORP\\nobody", "password_sync_ldap_password": "wrong"}
        told = place.refused("pcns_target", more=wrong, **FULL)
        assert "LDAP on " in told
        assert calls(place.lab)[-1:] != ["addtarget"]
        result = place.lab.run("pcns_target", "dc01", check=True, variables=place.variables({**JUDGE, **wrong}), **FULL)
        found = {item["control"]: item for item in result["findings"]}
        assert found["PCNS-007"]["status"] == "drift"
        assert (found["PCNS-011"]["status"], found["PCNS-013"]["status"]) == ("unknown", "not_applicable")
        assert "wrong" not in str(result)


class TestGroups:
    def test_one_that_does_not_exist_is_refused_before(self, place: WithDirectory) -> None:
        before = calls(place.lab)
        for group, told in (
            (
                "CORP\\Nobody",
                "The group CORP\\Nobody does not exist in corp.example. Create it or correct `inclusion_g",
            ),
            ("CROP\\Domain Users", "The forest has no domain CROP for the group CROP\\Domain Users; it has CORP."),
        ):
            for check in (True, False):
                assert told in place.refused("pcns_target", check=check, **{**WANTED, "inclusion_group": group})
        assert calls(place.lab) == before

    def test_written_as_the_directory_has_it(self, place: WithDirectory) -> None:
        done = place.run("pcns_target", **{**WANTED, "inclusion_group": "domain USERS"})
        assert done["changes"][0]["new"]["inclusion_group"] == "CORP\\Domain Users"
        assert (
            place.run("pcns_target", **{**WANTED, "inclusion_group": "corp.example\\domain users"})["changed"] is False
        )

    def test_a_deleted_group_is_found_and_written_anew(self, place: WithDirectory) -> None:
        domain = place.lab.forest.directory
        domain.add_group("Synced")
        wanted = {**FULL, "inclusion_group": "CORP\\Synced"}
        place.run("pcns_target", **wanted)
        old = target(place.lab).inclusion_sid
        assert place.judged(**wanted)["PCNS-011"]["status"] == "compliant"
        domain.delete_group("Synced")
        finding = place.judged(**wanted)["PCNS-011"]
        assert (finding["status"], finding["severity"]) == ("manual", "high")
        assert "The group CORP\\Synced does not exist" in finding["message"]
        finding = place.judged(name="ENTSSO")["PCNS-011"]
        assert finding["status"] == "manual"
        assert f"its inclusion group {old} does not exist" in finding["message"]
        finding = place.judged(**FULL)["PCNS-011"]
        assert (finding["status"], finding["repair"]) == ("drift", "ansible-playbook playbooks/directory.yml")
        done = place.run("pcns_target", **FULL)
        assert done["changes"][0]["old"] == {"inclusion_group": old}
        assert calls(place.lab)[-1].startswith("securetarget /N:ENTSSO")
        assert place.judged(**FULL)["PCNS-011"]["status"] == "compliant"

    def test_a_deleted_exclusion_group(self, place: WithDirectory) -> None:
        """What happened to Keyfactor's customer: an empty group was cleaned up, and nothing was sent any more."""
        domain = place.lab.forest.directory
        domain.add_group("Nobody")
        place.run("pcns_target", **{**FULL, "exclusion_group": "Nobody"})
        domain.delete_group("Nobody")
        finding = place.judged(**WANTED)["PCNS-011"]
        assert finding["status"] == "manual"
        assert "its exclusion group S-1-5-21-" in finding["message"]
        assert "`exclusion_group`" in finding["repair"]
        place.run("pcns_target", **{**WANTED, "exclusion_group": ""})
        assert target(place.lab).exclusion_sid is None


class TestServer:
    def test_of_the_domain(self, place: WithDirectory) -> None:
        place.run("pcns_target", **FULL)
        hosts = {**JUDGE}
        lab = place.lab
        variables = lab.variables
        lab.variables = lambda name, **more: _with_sso(variables(name, **more), SSO)  # type: ignore[method-assign]
        try:
            result = lab.run("pcns_target", "dc01", check=True, variables=place.variables(hosts), **FULL)
            found = {item["control"]: item for item in result["findings"]}
            assert (found["PCNS-013"]["status"], found["PCNS-013"]["evidence"]) == ("compliant", "SSO server")
        finally:
            lab.variables = variables  # type: ignore[method-assign]

    def test_of_another_domain(self, place: WithDirectory) -> None:
        other = {
            "password_sync_adapters_observation": {"system": {"name": "sso01.corp.example", "domain": "other.example"}}
        }
        lab = place.lab
        variables = lab.variables
        lab.variables = lambda name, **more: _with_sso(variables(name, **more), other)  # type: ignore[method-assign]
        try:
            told = place.refused("pcns_target", **FULL)
            assert "The SSO server sso01.corp.example is in the domain other.example, and takes no password" in told
            assert "(event 10709)" in told
        finally:
            lab.variables = variables  # type: ignore[method-assign]

    def test_nobody_knows_it(self, place: WithDirectory) -> None:
        place.run("pcns_target", **{**FULL, "address": "elsewhere.example"})
        finding = place.judged(**{**FULL, "address": "elsewhere.example"})["PCNS-013"]
        assert finding["status"] == "unknown"
        assert "no computer of the forest has this DNS name" in finding["message"]
        # A computer of the directory is known by its account.
        finding = place.judged(**{**FULL, "address": "dc02.corp.example"})["PCNS-013"]
        assert finding["status"] == "compliant"

    def test_names_that_entsso_refuses(self, place: WithDirectory) -> None:
        place.run("pcns_target", **{**FULL, "user_name_format": "fqdn"})
        finding = place.judged(**FULL)["PCNS-007"]
        assert (finding["status"], "(event 10750)" in finding["message"]) == ("drift", True)
        for given in ({"name": "ENTSSO"}, {"name": "ENTSSO", "user_name_format": "fqdn"}):
            finding = place.judged(**given)["PCNS-007"]
            assert (finding["status"], "(event 10750)" in finding["message"]) == ("manual", True)

    def test_a_target_of_another_domain(self, place: WithDirectory) -> None:
        told = place.refused("pcns_target", **FULL, domain="child.corp.example")
        assert "belongs to the domain child.corp.example, and dc01.corp.example is in corp.example" in told


def _with_sso(variables: dict[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    variables["hostvars"].variables["sso01.corp.example"].update(more)
    return variables


def _tool() -> str:
    return r"C:\Program Files\Microsoft Password Change Notification\pcnscfg.exe"


def test_a_second_domain() -> None:
    """Its targets are its own, in a domain whose NetBIOS name is not that of DNS; groups may be of either domain."""
    forest = Forest(settings(), populate=False)
    child = forest.add_domain("child.corp.example", "KIDS")
    forest.add_domain_controller("DC01", "Paris")
    forest.add_domain_controller("KID1", "Lyon", domain="child.corp.example")
    host = forest.host("kid1")
    assert install(host) == 3010
    restart(forest, host)
    groups = {"inclusion_group": "domain users", "exclusion_group": "kids\\domain admins"}
    wanted = {**FULL, "domain": "child.corp.example", **groups}
    with running(forest) as lab:
        place = WithDirectory(lab)
        done = place.run("pcns_target", "kid1", **wanted)
        assert done["changes"][0]["new"]["inclusion_group"] == "KIDS\\Domain Users"
        assert (done["domain"], done["seen_by"]) == ("child.corp.example", ["kid1.child.corp.example"])
        assert place.run("pcns_target", "kid1", **wanted)["changed"] is False
        assert [item.name for item in child.pcns().targets] == ["ENTSSO"]
        assert forest.directory.pcns().targets == ()
        other = place.run("pcns_target", "kid1", check=True, **{**wanted, "exclusion_group": "corp\\schema admins"})
        assert other["changes"][0]["new"] == {"exclusion_group": "CORP\\Schema Admins"}
        judging = place.variables(JUDGE)
        result = lab.run("pcns_target", "kid1", check=True, variables=judging, **{**wanted, "address": "DC01"})
        found = {item["control"]: item for item in result["findings"]}
        assert found["PCNS-011"]["status"] == "compliant"
        assert "KIDS\\Domain Users and KIDS\\Domain Admins" in found["PCNS-011"]["message"]
        assert found["PCNS-013"]["status"] == "manual"
        assert "is in the domain corp.example" in found["PCNS-013"]["message"]
