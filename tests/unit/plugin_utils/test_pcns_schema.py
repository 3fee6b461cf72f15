# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pcns_schema against domain controllers of the lab and the LDAP that they answer."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from unit.lab_host import Lab, Result, media, running, settings

from ansible_collections.entsso.password_sync.plugins.plugin_utils._action import OBSERVE_ONLY
from lab.forest import Forest
from lab.inventory import directory_variables
from lab.schema import EVERYTHING, Foreign, Schema

DC01, DC02 = "dc01.corp.example", "dc02.corp.example"
PACKAGE = media("pcns-all-in-one.msi", properties={"ACCEPT_EULA": "1"})
CHANGE = {
    "subject": "corp.example",
    "resource": "pcns_schema",
    "name": "PCNS",
    "operation": "create",
    "old": {},
    "new": {"missing": []},
    "implies": [],
}


@pytest.fixture(scope="module")
def started() -> Iterator[Lab]:
    forest = Forest(settings(), populate=False)
    forest.add_domain_controller("DC01", "Paris")
    forest.add_domain_controller("DC02", "Lyon")
    forest.add_domain_controller("DC03", "Lyon", read_only=True)
    forest.add_sso_server("SSO01", "Paris")
    with running(forest) as lab:
        yield lab


@pytest.fixture
def lab(started: Lab) -> Iterator[Lab]:
    schema = started.forest.directory.schema
    schema.parts = frozenset()
    users = dict(started.forest.directory.users)
    yield started
    started.forget()
    for name in ("DC01", "DC02"):
        started.forest.directory.release_replication(name)
        started.simulated(name).process_log.clear()
    schema.foreign.clear()
    started.forest.directory.users.update(users)
    started.forest.schema_master_name = ""


def around(lab: Lab, **more: Any) -> dict[str, Any]:
    return {**directory_variables(lab.forest), **more}


def run(lab: Lab, host: str = "dc01", *, check: bool = False, judge: bool = False, **given: Any) -> Result:
    variables = around(lab, **({OBSERVE_ONLY: True} if judge else {}))
    return lab.run("pcns_schema", host, check=check or judge, variables=variables, **given)


def refused(lab: Lab, host: str = "dc01", **given: Any) -> str:
    text = str(lab.refused("pcns_schema", host, variables=around(lab), **given))
    assert not any("msiexec" in line for line in lab.simulated(host).process_log)
    assert lab.forest.operator_password not in text
    return text


def in_groups(lab: Lab, *groups: str) -> None:
    """Makes the operator a member of these groups and no others."""
    lab.forest.directory.add_user("svc-ansible", groups)


def finding(result: Result, subject: str = "corp.example") -> dict[str, Any]:
    found = [item for item in result["findings"] if item["subject"] == subject]
    assert len(found) == 1, result["findings"]
    assert found[0]["control"] == "PCNS-010"
    only: dict[str, Any] = found[0]
    return only


def test_extended_by_the_package_on_the_schema_master(lab: Lab) -> None:
    done = lab.converge("pcns_schema", "dc01", variables=around(lab), **PACKAGE)
    assert done["changes"] == [CHANGE]
    assert lab.forest.directory.schema.parts == EVERYTHING
    lines = [line for line in lab.simulated("dc01").process_log if "msiexec" in line]
    assert len(lines) == 1
    assert '/qn /norestart /l*v "C:' in lines[0]
    assert 'ACCEPT_EULA="1" SCHEMAONLY="TRUE"' in lines[0]
    assert done["seen_by"] == [DC01, DC02]  # the RODC takes no password changes
    assert (done["state"], done["missing"], done["schema_master"]) == ("present", [], DC01)
    assert finding(done)["status"] == "compliant"
    # Nothing of the package is installed, and nothing of ours is left but the log.
    assert lab.simulated("dc01").services.get("PCNSSVC") is None
    assert not [path for path in lab.simulated("dc01").files.folders if "media-" in path]


def test_check_mode_says_what_the_other_domain_controllers_will_find(lab: Lab) -> None:
    assert run(lab, check=True, **PACKAGE)["changes"] == [CHANGE]
    assert run(lab, "dc02", check=True, **PACKAGE)["changes"] == []


def test_attributes_that_nobody_has_listed_are_found_and_not_wanted(lab: Lab) -> None:
    lab.forest.directory.schema.parts = EVERYTHING
    known = [common_name for common_name, _oid in lab.forest.settings.pcns_directory.unpublished.values()]
    assert run(lab, check=True)["discovered"] == sorted(known)
    lab.forest.directory.schema.parts = EVERYTHING - {"retry_interval", "max_retries"}
    assert (run(lab)["state"], run(lab)["changed"]) == ("present", False)


def test_elsewhere_the_schema_master_and_the_command_are_named(lab: Lab) -> None:
    text = refused(lab, "dc02", **PACKAGE)
    assert "only its schema master can write it, which is dc01.corp.example and not dc02.corp.example" in text
    assert "Run playbooks/schema.yml with dc01.corp.example in the inventory" in text
    assert 'msiexec.exe /i "Password Change Notification Service.msi" SCHEMAONLY=TRUE' in text
    lab.forest.schema_master_name = "dc02"
    assert run(lab, "dc02", check=True, **PACKAGE)["schema_master"] == DC02


@pytest.mark.parametrize(
    ("groups", "missing"),
    [
        (("Domain Admins",), "Schema Admins"),
        (("Schema Admins",), "Domain Admins"),
        ((), "Schema Admins and Domain Admins"),
    ],
)
def test_rights_that_lack_are_named_before_anything_runs(lab: Lab, groups: tuple[str, ...], missing: str) -> None:
    in_groups(lab, *groups)
    for check in (True, False):
        text = refused(lab, check=check, **PACKAGE)
        assert f"CORP\\svc-ansible may not extend the schema of corp.example: it is not a member of {missing}," in text
    assert lab.forest.directory.schema.parts == frozenset()


def test_the_account_of_the_connection_counts_not_the_one_that_asks(lab: Lab) -> None:
    lab.forest.more_accounts["CORP\\dave"] = "Reader-Passw0rd"
    reader = {"password_sync_ldap_username": "CORP\\dave", "password_sync_ldap_password": "Reader-Passw0rd"}
    done = lab.run("pcns_schema", "dc01", variables=around(lab, **reader), **PACKAGE)
    assert (done["changed"], done["state"]) == (True, "present")
    lab.forest.directory.schema.parts = frozenset()
    in_groups(lab, "Domain Admins")
    text = str(lab.refused("pcns_schema", "dc01", variables=around(lab, **reader), **PACKAGE))
    assert "CORP\\svc-ansible may not extend the schema of corp.example: it is not a member of Schema Admins" in text


def test_where_the_directory_does_not_say_the_package_decides(lab: Lab) -> None:
    del lab.forest.directory.users["svc-ansible"]
    lab.forest.more_accounts["CORP\\dave"] = "Reader-Passw0rd"
    reader = {"password_sync_ldap_username": "CORP\\dave", "password_sync_ldap_password": "Reader-Passw0rd"}
    text = str(lab.refused("pcns_schema", "dc01", variables=around(lab, **reader), **PACKAGE))
    assert "PCNS schema on dc01.corp.example: The installation failed and was rolled back" in text
    assert "Access is denied" in text
    assert "Whether CORP\\svc-ansible may extend the schema is not known: account CORP\\svc-ansible on" in lab.warned


def test_a_part_of_it_is_completed_only_on_request(lab: Lab) -> None:
    lab.forest.directory.schema.parts = EVERYTHING - {"target", "spn"}
    text = refused(lab, **PACKAGE)
    assert "PCNS only in part; it lacks MS-MIIS-PCNS-Target, MS-MIIS-PCNS-TargetSPN." in text
    assert "Then set `complete_partial` to true" in text
    judged = run(lab, judge=True)
    assert (judged["state"], judged["changes"], finding(judged)["status"]) == ("partial", [], "manual")
    done = lab.converge("pcns_schema", "dc01", variables=around(lab), complete_partial=True, **PACKAGE)
    assert done["changes"][0]["operation"] == "update"
    assert done["changes"][0]["old"] == {"missing": ["MS-MIIS-PCNS-Target", "MS-MIIS-PCNS-TargetSPN"]}
    assert lab.forest.directory.schema.parts == EVERYTHING


def test_an_oid_that_something_else_has_stops_everything(lab: Lab) -> None:
    lab.forest.directory.schema.foreign.append(Foreign("Contoso-Badge", "1.2.840.113556.1.4.1897"))
    lab.forest.directory.schema.foreign.append(Foreign("MS-MIIS-PCNS-Service", "1.3.6.1.4.1.99999.7", is_class=True))
    text = refused(lab, complete_partial=True, **PACKAGE)
    assert "Contoso-Badge has the OID 1.2.840.113556.1.4.1897, which is that of MS-MIIS-PCNS-TargetServer" in text
    assert "MS-MIIS-PCNS-Service has the OID 1.3.6.1.4.1.99999.7 and not 1.2.840.113556.1.5.250" in text
    assert "No package can mend that, and nothing was run." in text
    assert finding(run(lab, judge=True))["status"] == "manual"


def test_one_that_is_behind_is_waited_for_and_named(lab: Lab) -> None:
    lab.forest.directory.hold_replication("DC02")
    text = str(lab.refused("pcns_schema", "dc01", variables=around(lab), replication_timeout=0.2, **PACKAGE))
    assert "PCNS schema of corp.example: it was written, and after 0.2 seconds" in text
    assert "dc02.corp.example: it does not have it yet" in text
    # That is no schema with a part missing, and no reason to run the package again.
    judged = run(lab, judge=True)
    assert (judged["state"], judged["seen_by"], judged["changes"]) == ("present", [DC01], [])
    assert [item["name"] for item in judged["not_seen_by"]] == [DC02]
    assert finding(judged)["status"] == "compliant"
    late = finding(judged, DC02)
    assert (late["status"], late["repair"]) == ("manual", "Look at the replication to it (repadmin /showrepl)")
    assert "MS-MIIS-PCNS-Target" in late["message"]
    lab.forest.directory.release_replication("DC02")
    assert run(lab, replication_timeout=5)["seen_by"] == [DC01, DC02]
    alone = run(lab, replication_servers=["DC02.corp.example."])
    assert alone["seen_by"] == [DC02]


def test_one_that_can_t_be_asked_is_unknown(lab: Lab) -> None:
    lab.forest.directory.schema.parts = EVERYTHING
    power = lab.simulated("dc02").power
    assert power.when_changed is not None
    power.when_changed(False)
    try:
        judged = run(lab, judge=True)
        # What was written in an earlier run does not wait for a domain controller that is down today.
        quiet = run(lab)
    finally:
        power.when_changed(True)
    assert (quiet["changed"], quiet["seen_by"], [item["name"] for item in quiet["not_asked"]]) == (
        False,
        [DC01],
        [DC02],
    )
    assert f"Whether {DC02} has the PCNS schema is not known: " in lab.warned
    assert [item["name"] for item in judged["not_asked"]] == [DC02]
    assert finding(judged, DC02)["status"] == "unknown"


def test_nothing_is_known_without_a_directory(lab: Lab) -> None:
    judged = lab.run("pcns_schema", "dc01", check=True, variables={OBSERVE_ONLY: True})
    assert (judged["state"], judged["changes"]) == ("unknown", [])
    unknown = finding(judged)
    assert (unknown["status"], unknown["message"]) == (
        "unknown",
        "Whether the schema has PCNS is not known: no directory is configured.",
    )
    assert "password_sync_ldap_domain" in unknown["repair"]
    text = str(lab.refused("pcns_schema", "dc01", **PACKAGE))
    assert "Whether the schema of corp.example has PCNS is not known: no directory is configured." in text


def test_a_judge_says_what_a_run_would_do_from_any_domain_controller(lab: Lab) -> None:
    judged = run(lab, "dc02", judge=True)
    assert (judged["state"], judged["changes"]) == ("absent", [CHANGE])
    assert (finding(judged)["status"], finding(judged)["repair"]) == ("drift", "ansible-playbook playbooks/schema.yml")


def test_other_refusals(lab: Lab) -> None:
    assert "there is no package to extend it with. Give `path` and `sha256`" in refused(lab)
    assert "is not a domain controller" in refused(lab, "sso01", **PACKAGE)
    wrong = around(lab, password_sync_ldap_password="Other-Passw0rd", password_sync_ldap_username="CORP\\bob")
    text = str(lab.refused("pcns_schema", "dc01", variables=wrong, **PACKAGE))
    assert "Whether the schema of corp.example has PCNS is not known" in text
    assert "it was tried once and not again" in text
    assert "Other-Passw0rd" not in text


def test_a_role_that_nobody_has_is_told(lab: Lab) -> None:
    lab.forest.schema_master_name = "gone"
    assert "the role is held by nobody" in refused(lab, **PACKAGE)


def test_a_forest_of_two_domains_asked_at_the_other_one() -> None:
    forest = Forest(settings(), populate=False)
    forest.add_domain_controller("DC01", "Paris")
    forest.add_domain("kids.corp.example", "NURSERY")
    forest.add_domain_controller("KID01", "Lyon", domain="kids.corp.example")
    forest.directory.schema.parts = frozenset()
    forest.directory_of("kids.corp.example").users.clear()  # no Domain Admin there
    with running(forest) as lab:
        there = {
            **directory_variables(forest),
            "password_sync_ldap_domain": "kids.corp.example",
            "password_sync_ldap_server": forest.address("kid01"),
        }
        done = lab.run("pcns_schema", "dc01", variables=there, **PACKAGE)
        text = str(lab.refused("pcns_schema", "kid01", variables={**there, "password_sync_ldap_port": 9}))
    assert (done["forest"], done["schema_master"]) == ("corp.example", DC01)
    assert done["seen_by"] == [DC01, "kid01.kids.corp.example"]
    assert "Whether the schema of kids.corp.example has PCNS is not known" in text


def test_the_lab_s_schema_goes_where_it_is_written() -> None:
    schema = Schema(frozenset())
    schema.hold("dc02")
    schema.write(EVERYTHING)
    assert (schema.view("dc01"), schema.view("dc02")) == (EVERYTHING, frozenset())
    schema.release("dc02")
    assert schema.view("dc02") == EVERYTHING
    assert list(itertools.chain(schema.watchers)) == []
