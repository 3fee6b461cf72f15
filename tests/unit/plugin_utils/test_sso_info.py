# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""sso_info: everything on one SSO server, judged; nothing is changed by it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from unit.lab.estate_kit import add_system, install_feature
from unit.lab_host import Lab, running, settings
from unit.plugin_utils.test_sso_adapter import definition

from lab.example import application
from lab.forest import Forest
from lab.windows.eventlog import Level

WANTED: dict[str, Any] = {
    "applications": [{**application("RACF"), "name": "RACF"}, {**application("LDAP"), "name": "LDAP"}],
    "adapters": [
        {"name": "RACF", "enabled": True, "applications": ["RACF"]},
        {"name": "LDAP", "enabled": True, "applications": ["LDAP"]},
    ],
    "allow_pcns": True,
    "password_sync_age": 24,
}


@pytest.fixture
def lab() -> Iterator[Lab]:
    """A lab whose SSO server is as wanted."""
    forest = Forest(settings())
    server = forest.host("sso01")
    assert install_feature(server) == 0
    add_system(server, "RACF")
    add_system(server, "LDAP")
    with running(forest) as started:
        started.run("sso_server", "sso01", allow_pcns=True)
        server.events.write("Application", "ENTSSO", 10662, Level.INFORMATION, ("DC01$",))
        yield started


def judged(lab: Lab, **more: Any) -> dict[str, str]:
    """Returns how each control stands; the subject counts where there are several."""
    result = lab.run("sso_info", "sso01", check=True, **{**WANTED, **more})
    assert result["changed"] is False
    return {f"{item['control']} {item.get('about') or ''}".strip(): item["status"] for item in result["findings"]}


def statuses(lab: Lab, control: str, **more: Any) -> list[str]:
    result = lab.run("sso_info", "sso01", check=True, **{**WANTED, **more})
    return [item["status"] for item in result["findings"] if item["control"] == control]


def test_everything_is_compliant_and_nothing_changed(lab: Lab) -> None:
    before = lab.snapshot()
    result = lab.run("sso_info", "sso01", **WANTED)
    assert lab.snapshot() == before
    assert {item["status"] for item in result["findings"]} == {"compliant"}
    assert {item["control"] for item in result["findings"]} == {f"SSO-00{number}" for number in range(1, 9)}
    assert result["msg"] == "sso01.corp.example: 2 of 2 adapters enabled"
    assert result["planned"] == []
    assert result["adapters"][0] == {"name": "RACF", "enabled": True, "applications": ["RACF"]}
    assert "ansible_facts" not in result
    assert 0 < result["statistics"]["requests"] < 90


def test_only_what_is_wanted_is_judged(lab: Lab) -> None:
    result = lab.run("sso_info", "sso01")
    assert [item["control"] for item in result["findings"]] == ["SSO-001", "SSO-002"]
    assert lab.endpoint("sso01").statistics.processes_started <= 1


def test_a_disabled_adapter_is_drift(lab: Lab) -> None:
    lab.forest.disable_adapter("LDAP")
    assert statuses(lab, "SSO-007") == ["compliant", "drift"]
    result = lab.run("sso_info", "sso01", **WANTED)
    (finding,) = [item for item in result["findings"] if item["status"] != "compliant"]
    assert "Adapter LDAP is disabled" in finding["message"]
    assert finding["repair"] == "ansible-playbook playbooks/adapters.yml --limit sso01.corp.example"
    assert result["msg"] == "sso01.corp.example: 1 of 2 adapters enabled"
    assert [change["new"] for change in result["planned"]] == [{"enabled": True}]


def test_what_is_missing_is_drift(lab: Lab) -> None:
    lab.forest.sso.unassign("RACF")
    lab.forest.sso.delete_adapter("LDAP")
    lab.forest.sso.delete_application("LDAP")
    assert statuses(lab, "SSO-005") == ["compliant", "drift"]
    assert statuses(lab, "SSO-006") == ["compliant", "drift"]
    assert statuses(lab, "SSO-008") == ["drift"]


def test_another_definition_is_drift(lab: Lab) -> None:
    adapters = [{"name": "RACF", "definition": definition("RACF")}]
    assert statuses(lab, "SSO-006", adapters=adapters) == ["drift"]


def test_refused_changes_are_drift(lab: Lab) -> None:
    lab.simulated("sso01").events.write("Application", "ENTSSO", 11069, Level.WARNING, ("DC01$",))
    assert statuses(lab, "SSO-003") == ["drift"]


def test_a_switch_without_evidence_is_unknown(lab: Lab) -> None:
    lab.simulated("sso01").events.clear("Application")
    assert statuses(lab, "SSO-003") == ["unknown"]


def test_another_age_is_drift_and_a_hidden_one_is_not_known(lab: Lab) -> None:
    assert statuses(lab, "SSO-004", password_sync_age=48) == ["drift"]
    lab.simulated("sso01").faults.tool_output["ssoconfig"] = b"?"
    assert statuses(lab, "SSO-004") == ["drift"]


def test_entsso_is_stopped(lab: Lab) -> None:
    lab.simulated("sso01").services.stop("ENTSSO")
    found = judged(lab)
    assert found["SSO-002"] == "manual"
    assert statuses(lab, "SSO-005") == statuses(lab, "SSO-006") == ["unknown", "unknown"]


def test_output_that_can_not_be_understood_is_unknown(lab: Lab) -> None:
    faults = lab.simulated("sso01").faults
    faults.tool_output.update({"ssops": b"\x80\x81", "ssomanage": b"Fehler\r\n"})
    result = lab.run("sso_info", "sso01", **WANTED)
    unknown = [item["control"] for item in result["findings"] if item["status"] == "unknown"]
    assert unknown == ["SSO-005", "SSO-005", "SSO-006", "SSO-006"]
    assert [row["enabled"] for row in result["adapters"]] == [None, None]


def test_without_the_feature() -> None:
    with running() as lab:
        result = lab.run("sso_info", "sso01", **WANTED)
        drifted = [item["control"] for item in result["findings"] if item["status"] == "drift"]
        assert "SSO-001" in drifted
        assert "SSO-006" in drifted
        assert [row["enabled"] for row in result["adapters"]] == [False, False]
        # The adapters have no definition here, so only what could be planned is.
        assert {change["resource"] for change in result["planned"]} == {"sso_feature", "sso_server", "sso_application"}


def test_a_host_without_entsso(lab: Lab) -> None:
    result = lab.run("sso_info", "dc01", **WANTED)
    by_control = {item["control"]: item["status"] for item in result["findings"]}
    assert by_control["SSO-001"] == "unknown"
    assert by_control["SSO-002"] == "unknown"
    assert by_control["SSO-003"] == "unknown"
    assert by_control["SSO-005"] == "unknown"
    assert "compliant" not in by_control.values()


def test_a_wrong_definition_is_said_before_anything_is_sent(lab: Lab) -> None:
    before = lab.endpoint("sso01").statistics.http_requests
    error = str(lab.refused("sso_info", "sso01", adapters=[{"name": "RACF", "definition": "<sso>"}]))
    assert "it is not well-formed XML" in error
    assert lab.endpoint("sso01").statistics.http_requests == before
