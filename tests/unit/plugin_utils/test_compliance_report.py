# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""compliance_report: what all hosts of a run observed, and what they did not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch
from xml.etree import ElementTree

import pytest
from ansible.errors import AnsibleActionFail
from unit.directory_answers import answer, controller
from unit.lab.estate_kit import add_system, install_feature, working_dc
from unit.lab_host import Lab, Spoken, running, settings, validated
from unit.plugin_utils.test_msi_package import ALL

from ansible_collections.entsso.password_sync.plugins.module_utils.judge._finding import CaptureState, Status
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._domain_controllers import Role
from ansible_collections.entsso.password_sync.plugins.module_utils.report._report import Report, headline
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_file import digest, render_plan
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_plan import plan_rollout
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_policy import (
    DomainController,
    Policy,
    Work,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_progress import Progress
from ansible_collections.entsso.password_sync.plugins.plugin_utils import _action
from ansible_collections.entsso.password_sync.plugins.plugin_utils._compliance_report import (
    CONFIGURATION,
    DC_OBSERVATION,
    NAMES,
    NO_ACCOUNT,
    SSO_OBSERVATION,
    TARGETS,
    collect,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils._compliance_rollout import FAILURE, ROLLOUT
from ansible_collections.entsso.password_sync.tests.unit.module_utils.rollout_strategies import changes
from lab.forest import Forest
from lab.inventory import directory_variables

NOW = datetime(2026, 11, 22, 2, 10, 31, tzinfo=UTC)
JUDGING: dict[str, Any] = {"password_sync_observe_only": True}
TARGET: dict[str, Any] = {"name": "SSO", "address": "sso01.corp.example", "enabled": True}
ADAPTERS = {"adapters": [{"name": "RACF", "enabled": True, "applications": ["RACF"]}]}


def planned_for(name: str) -> dict[str, Any]:
    """Returns what rollout_plan does for a forest of one domain controller."""
    item = DomainController(
        name, "Paris", "corp.example", Work.PENDING, roles=frozenset({Role.PDC}), changes=changes(name)
    )
    text = render_plan(plan_rollout([item], Policy()))
    return {"plan": text, "sha256": digest(text), "waves": [{"number": 1, "domain_controllers": [name]}]}


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """dc01 works, dc02 is bare, sso01 has the adapter RACF."""
    forest = Forest(settings())
    working_dc(forest)
    server = forest.host("sso01")
    assert install_feature(server) == 0
    add_system(server, "RACF")
    with running(forest) as started:
        yield started


@pytest.fixture(scope="module")
def hosts(lab: Lab) -> Mapping[str, Mapping[str, Any]]:
    """What the roles would have registered."""
    dc01, dc02, sso01 = "dc01.corp.example", "dc02.corp.example", "sso01.corp.example"
    # Without the directory, what only it can tell would be unknown.
    asking = {**JUDGING, **directory_variables(lab.forest)}
    name = {"name": ["ENTSSO/sso01.corp.example"], "account": "CORP\\svc-entsso"}
    return {
        dc01: {
            "pcns_site": "Paris",
            DC_OBSERVATION: lab.run("pcns_info", "dc01", check=True, variables=JUDGING, packages=[ALL], site="Paris"),
            CONFIGURATION: lab.run("pcns_configuration", "dc01", check=True, variables=asking, retry_interval=60),
            TARGETS: {"results": [lab.run("pcns_target", "dc01", check=True, variables=asking, **TARGET)]},
            NAMES: {"results": [lab.run("service_principal_name", "dc01", check=True, variables=asking, **name)]},
        },
        dc02: {
            "pcns_site": "Paris",
            DC_OBSERVATION: lab.run("pcns_info", "dc02", check=True, variables=JUDGING, packages=[ALL]),
            CONFIGURATION: {"skipped": True, "changed": False},
            TARGETS: {"skipped": True, "changed": False},
        },
        sso01: {SSO_OBSERVATION: lab.run("sso_info", "sso01", check=True, variables=JUDGING, **ADAPTERS)},
    }


def collected(hostvars: Mapping[str, Any], **given: Any) -> Report:
    names = [name for name in hostvars if not name.startswith("sso")]
    servers = [name for name in hostvars if name.startswith("sso")]
    arguments = {
        "domain_controllers": names,
        "sso_servers": servers,
        "directory": "/none",
        "systems": ["RACF"],
        "directory_answer": everybody(names),
        **given,
    }
    return collect(validated("compliance_report", **arguments), hostvars, NOW)


def everybody(names: Sequence[str], *read_only: str) -> dict[str, Any]:
    """Returns the answer of a directory that knows these domain controllers and no other."""
    shorts = [name.partition(".")[0].lower() for name in names]
    return answer(*(controller(name, read_only=name in read_only) for name in shorts))


def only(hosts: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {f"{name}.corp.example": dict(hosts[f"{name}.corp.example"]) for name in names}


def by_control(report: Report) -> dict[str, Status]:
    return {item.control: item.status for item in report.findings}


class TestCollecting:
    def test_a_working_dc(self, hosts: Mapping[str, Any]) -> None:
        report = collected(only(hosts, "dc01", "sso01"))
        assert report.compliant
        (row,) = report.domain_controllers
        assert (row.capture_state, row.site, row.grade) == (CaptureState.WORKING, "Paris", "proved")
        assert row.version == "PCNS 1.0.100.0"
        (adapter,) = report.adapters
        assert (adapter.name, adapter.enabled, adapter.applications) == ("RACF", True, ("RACF",))
        judged = {f"PCNS-{number:03}" for number in (6, 7, 8, 11, 12, 13, 14)}
        assert judged | {"SSO-001", "SSO-007"} <= set(by_control(report))
        assert report.generated_at == "2026-11-22T02:10:31Z"

    def test_a_bare_dc(self, hosts: Mapping[str, Any]) -> None:
        report = collected(only(hosts, "dc01", "dc02"))
        assert not report.compliant
        assert [row.capture_state.value for row in report.domain_controllers] == ["working", "absent"]

    def test_a_host_that_nobody_looked_at_is_unknown(self, hosts: Mapping[str, Any]) -> None:
        report = collected({**only(hosts, "dc01"), "dc09": {"pcns_site": "Lyon"}, "sso09": {}})
        assert report.domain_controllers[1].capture_state is CaptureState.UNKNOWN
        (lost,) = [item for item in report.findings if item.subject == "dc09"]
        assert (lost.control, lost.status, lost.site) == ("PCNS-001", Status.UNKNOWN, "Lyon")
        assert lost.message == "It could not be observed: this run did not look at it."
        (server,) = [item for item in report.findings if item.subject == "sso09"]
        assert server.status is Status.UNKNOWN
        assert not report.compliant

    def test_an_unreachable_host_is_unknown_with_its_reason(self) -> None:
        registered = {"unreachable": True, "msg": "WinRM on dc03: the host can't be reached.\n  Check it."}
        report = collected({"dc03": {DC_OBSERVATION: registered}, "sso01": {SSO_OBSERVATION: registered}})
        assert [item.status for item in report.findings if item.subject != "corp.example"] == [Status.UNKNOWN] * 2
        assert "WinRM on dc03: the host can't be reached. Check it." in report.findings[0].message
        assert report.domain_controllers[0].evidence.startswith("WinRM on dc03")

    def test_one_machine_that_answers_for_two_is_none_of_them(self, hosts: Mapping[str, Any]) -> None:
        given = only(hosts, "dc01")
        given["dc09.corp.example"] = given["dc01.corp.example"]
        report = collected(given)
        assert [row.capture_state.value for row in report.domain_controllers] == ["unknown", "unknown"]
        assert "dc01.corp.example answered, as it did for" in report.domain_controllers[1].evidence
        assert not report.compliant

    def test_a_read_only_dc_is_exempt(self, hosts: Mapping[str, Any]) -> None:
        given = {**only(hosts, "dc01"), "DC06": {"pcns_site": "Lyon"}}
        report = collected(given, read_only=["dc06"], directory_answer=everybody(list(given), "dc06"))
        assert report.compliant
        row = report.domain_controllers[1]
        assert (row.capture_state, row.read_only) == (CaptureState.EXEMPT, True)
        assert "read-only domain controller" in row.exempt_reason
        (finding,) = [item for item in report.findings if item.subject == "DC06"]
        assert finding.status is Status.EXEMPT

    def test_one_that_is_exempt_on_purpose(self, hosts: Mapping[str, Any]) -> None:
        report = collected({**only(hosts, "dc01"), "dc07": {"pcns_exempt": "is demoted in May"}})
        assert report.compliant
        assert report.domain_controllers[1].exempt_reason == "is demoted in May"
        assert not report.domain_controllers[1].read_only

    def test_a_rollout_that_stopped(self, hosts: Mapping[str, Any]) -> None:
        stopped = only(hosts, "dc01")
        stopped["dc01.corp.example"][FAILURE] = "PCNS on dc01: it failed.\n Mend it."
        stopped["dc01.corp.example"][ROLLOUT] = planned_for("dc01.corp.example")
        report = collected(stopped)
        assert report.notes == (
            "The rollout stopped at dc01.corp.example: PCNS on dc01: it failed. Mend it.",
            (
                "Rollout of 1 domain controller: 1 where it stopped: dc01.corp.example. Next: Do what is said for "
                "dc01.corp.example and run again: what is done is not done again, and an approved plan still holds"
            ),
        )
        assert report.rollout is not None
        assert report.rollout.failed

    def test_a_rollout_that_was_refused(self, hosts: Mapping[str, Any]) -> None:
        refused = only(hosts, "dc01")
        refused["dc01.corp.example"] |= {FAILURE: "dc02 does not\n answer.", ROLLOUT: {"failed": True, "msg": "no"}}
        report = collected(refused)
        assert report.notes == ("No domain controller was changed by the rollout: dc02 does not answer.",)
        assert report.rollout is not None
        assert report.rollout.failed

    def test_a_rollout_that_had_nothing_to_do(self, hosts: Mapping[str, Any]) -> None:
        done = only(hosts, "dc01")
        done["dc01.corp.example"][ROLLOUT] = {**planned_for("dc01.corp.example"), "waves": []}
        assert collected(done).rollout is None

    def test_a_rollout_that_is_done(self, hosts: Mapping[str, Any]) -> None:
        """dc01 works: nothing of its plan is left."""
        done = only(hosts, "dc01")
        done["dc01.corp.example"][ROLLOUT] = planned_for("dc01.corp.example")
        report = collected(done)
        assert report.rollout is not None
        assert [step.progress for step in report.rollout.steps] == [Progress.DONE]
        assert not report.rollout.failed
        assert not report.notes

    def test_a_directory_that_could_not_be_read(self, hosts: Mapping[str, Any]) -> None:
        unread = only(hosts, "dc01")
        unread["dc01.corp.example"][CONFIGURATION] = {"changed": False, "msg": "pcnscfg is not on dc01."}
        unread["dc01.corp.example"][TARGETS] = {"changed": False, "msg": "pcnscfg is not on dc01."}
        unread["dc01.corp.example"][NAMES] = {"results": [{"skipped": True}]}
        report = collected(unread)
        for number in (6, 7, 8, 11, 12, 13, 14):
            assert by_control(report)[f"PCNS-{number:03}"] is Status.UNKNOWN
        (named,) = [item for item in report.findings if item.control == "PCNS-012"]
        assert NO_ACCOUNT in named.message
        (finding,) = [item for item in report.findings if item.control == "PCNS-006"]
        assert (finding.subject, finding.message) == ("corp.example", "It could not be read: pcnscfg is not on dc01.")

    def test_nothing_at_all(self) -> None:
        assert collected({}, directory_answer=None).findings == ()


class TestCoverage:
    """PCNS-001: the inventory against the directory."""

    def coverage(self, report: Report) -> list[tuple[str, str, str]]:
        return [
            (item.subject.partition(".")[0], item.status.value, item.severity.value)
            for item in report.ordered_findings
            if item.control == "PCNS-001"
        ]

    def test_one_that_the_inventory_does_not_have_is_first_and_counts(self, hosts: Mapping[str, Any]) -> None:
        known = answer(controller("dc01"), controller("dc02"), controller("dc07", site="Lyon"))
        report = collected(only(hosts, "dc01", "dc02"), directory_answer=known)
        assert self.coverage(report) == [("dc07", "manual", "critical")]
        assert report.open_findings[0].subject == "dc07.corp.example"
        row = report.domain_controllers[-1]
        assert (row.name, row.site, row.capture_state) == ("dc07.corp.example", "Lyon", CaptureState.UNKNOWN)
        assert headline(report).startswith("NOT COMPLIANT: 1 of 3 writable DCs captures password changes (1 not known)")
        assert report.not_judged == ()

    def test_how_many_prove_that_they_work(self, hosts: Mapping[str, Any]) -> None:
        report = collected(only(hosts, "dc01", "dc02"))
        (finding,) = [item for item in report.findings if item.control == "PCNS-001"]
        assert finding.message.startswith("The directory knows 2 writable domain controllers; ")
        assert finding.message.endswith("the inventory has all of them, and 1 proved to work in this run.")

    def test_a_directory_that_was_not_asked_is_unknown(self, hosts: Mapping[str, Any]) -> None:
        for nothing in (None, {"skipped": True, "changed": False, "skip_reason": "Conditional result was False"}):
            report = collected(only(hosts, "dc01", "sso01"), directory_answer=nothing)
            assert self.coverage(report) == [("corp", "unknown", "high")]
            assert not report.compliant
            assert "password_sync_ldap_domain" in report.open_findings[0].repair

    def test_a_directory_that_could_not_be_read_is_unknown(self, hosts: Mapping[str, Any]) -> None:
        failed = {
            "changed": False,
            "msg": "Task failed: LDAP on dc01: it can't be reached.\n Check it.",
            "server": "dc01",
        }
        report = collected(only(hosts, "dc01"), directory_answer=failed)
        (finding,) = [item for item in report.open_findings if item.control == "PCNS-001"]
        assert (finding.status, finding.subject) == (Status.UNKNOWN, "corp.example")
        assert finding.message.endswith("is not known: LDAP on dc01: it can't be reached. Check it.")

    def test_the_sso_team_alone_needs_no_directory(self, hosts: Mapping[str, Any]) -> None:
        assert collected(only(hosts, "sso01"), directory_answer=None).compliant

    def test_the_directory_alone_is_no_observation(self) -> None:
        report = collected({"dc01": {"pcns_exempt": "is demoted in May"}})
        assert [item.status.value for item in report.findings] == ["exempt", "compliant"]
        assert not report.compliant

    def test_a_run_that_was_limited_knows_the_others(self, hosts: Mapping[str, Any]) -> None:
        hostvars = only(hosts, "dc01", "dc02")
        names = list(hostvars)
        report = collected(hostvars, domain_controllers=names[:1], inventory=names, directory_answer=everybody(names))
        assert self.coverage(report) == [("corp", "compliant", "high")]
        (note,) = report.notes
        assert note.startswith("1 domain controller of the inventory had no part in this run, and nothing is said")

    def test_the_directory_says_which_one_is_read_only(self, hosts: Mapping[str, Any]) -> None:
        given = {**only(hosts, "dc01"), "dc06": {}}
        report = collected(given, directory_answer=everybody(list(given), "dc06"))
        assert report.domain_controllers[1].capture_state is CaptureState.EXEMPT
        assert report.domain_controllers[1].read_only
        assert self.coverage(report) == [("dc06", "manual", "high"), ("corp", "compliant", "high")]

    def test_one_that_the_inventory_wrongly_has_as_read_only(self, hosts: Mapping[str, Any]) -> None:
        report = collected({**only(hosts, "dc01"), "dc06": {}}, read_only=["dc06"])
        row = report.domain_controllers[1]
        assert (row.capture_state, row.read_only, row.exempt) == (CaptureState.UNKNOWN, False, False)
        assert self.coverage(report) == [("dc06", "manual", "critical"), ("corp", "compliant", "high")]
        assert report.not_judged == ()

    def test_a_machine_is_known_by_the_name_that_it_gives(self, hosts: Mapping[str, Any]) -> None:
        given = {"paris": {**hosts["dc01.corp.example"], "ansible_host": "192.0.2.1"}}
        report = collected(given, directory_answer=everybody(["dc01"]))
        assert self.coverage(report) == [("corp", "compliant", "high")]

    def test_an_address_is_no_name(self) -> None:
        hostvars = {"127": {"ansible_host": "127.0.0.1"}, "by-name": {"ansible_host": "dc01.corp.example"}}
        report = collected(hostvars, directory_answer=everybody(["dc01"]))
        assert ("127", "manual", "high") in self.coverage(report)
        assert "by-name" not in {item.subject for item in report.findings if item.status is Status.MANUAL}


class TestTask:
    def run(self, lab: Lab, hosts: Mapping[str, Any], directory: Path, **given: Any) -> tuple[dict[str, Any], Spoken]:
        arguments = {
            "domain_controllers": [name for name in hosts if name.startswith("dc")],
            "sso_servers": [name for name in hosts if name.startswith("sso")],
            "directory": str(directory),
            "directory_answer": everybody([name for name in hosts if name.startswith("dc")]),
            **given,
        }
        spoken = Spoken()
        action = lab.action("compliance_report", "sso01", check=True, **arguments)
        before = lab.endpoint("sso01").statistics.http_requests
        with patch.object(_action, "display", spoken):
            result = action.run(None, {"inventory_hostname": "localhost", "hostvars": hosts})
        assert lab.endpoint("sso01").statistics.http_requests == before
        return result, spoken

    def test_compliant(self, lab: Lab, hosts: Mapping[str, Any], tmp_path: Path) -> None:
        result, spoken = self.run(lab, only(hosts, "dc01", "sso01"), tmp_path / "a" / "b", title="Ours")
        assert (result["changed"], result["failed"], result["compliant"]) == (False, False, True)
        assert result["report"] == str(tmp_path / "a" / "b" / "report.html")
        assert spoken.said[0] == result["msg"]
        assert result["msg"].startswith("COMPLIANT")
        data = json.loads((tmp_path / "a" / "b" / "report.json").read_text())
        assert data["compliant"] is True
        assert "Ours" in (tmp_path / "a" / "b" / "report.html").read_text()
        assert ElementTree.parse(tmp_path / "a" / "b" / "junit.xml").getroot().get("failures") in ("0", None)

    def test_the_gate(self, lab: Lab, hosts: Mapping[str, Any], tmp_path: Path) -> None:
        result, spoken = self.run(lab, only(hosts, "dc01", "dc02"), tmp_path)
        assert (result["failed"], result["compliant"]) == (True, False)
        assert result["msg"].startswith("NOT COMPLIANT: 1 of 2 ")
        assert any(line.startswith("PCNS-004 HIGH drift dc02") for line in spoken.said)
        result, _spoken = self.run(lab, only(hosts, "dc01", "dc02"), tmp_path, gate=False)
        assert (result["failed"], result["compliant"]) == (False, False)

    def test_a_rollout_that_failed_can_fail_the_report(
        self, lab: Lab, hosts: Mapping[str, Any], tmp_path: Path
    ) -> None:
        stopped = only(hosts, "dc01")
        stopped["dc01.corp.example"][FAILURE] = "it broke"
        result, spoken = self.run(lab, stopped, tmp_path, gate=False)
        assert result["failed"] is False
        result, spoken = self.run(lab, stopped, tmp_path, gate=False, fail_on_rollout_failure=True)
        assert result["failed"] is True
        assert any("No domain controller was changed by the rollout: it broke" in line for line in spoken.said)

    def test_a_folder_that_can_not_be_written(self, lab: Lab, hosts: Mapping[str, Any], tmp_path: Path) -> None:
        (tmp_path / "file").write_text("in the way")
        with pytest.raises(AnsibleActionFail, match=r"The report can't be written to .*/file/x: .*directory"):
            self.run(lab, only(hosts, "dc01"), tmp_path / "file" / "x")
