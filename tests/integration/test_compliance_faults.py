# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""compliance.yml reports what it could not see as unknown, never as compliant and never as absent, and changes nothing.

One run on an estate in which each host has one fault and its name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from integration.estate import Estate, findings, fqdn, install_password_sync, rows, says, small_forest
from integration.request_list import install

from lab.playbooks import Run

UNKNOWN = {
    "down": ("WinRM on down.corp.example", "can't be reached", "Check that the host is up"),
    "foreign": ("foreign.corp.example", "no WinRM service", "Check ansible_host"),
    "untrusted": ("untrusted.corp.example", "not trusted", "ansible_winrm_ca_trust_path"),
    "ssh": ("ssh.corp.example", "connection ssh", "Set ansible_connection: winrm"),
    "become": ("become.corp.example", "become has no effect", "Set become: false"),
    "member": ("member.corp.example (sso01.corp.example)", "not a domain controller", "correct its address"),
    "moved": ("computer name on moved.corp.example", "calls itself SSO01, not moved", "Correct ansible_host"),
    "missing": ("absent.msi", "not found on the control node", "Give a full path"),
}
"""Domain controllers, and what the report says of each."""

SSO_UNKNOWN = {
    "sso02": ("WinRM on sso02.corp.example", "can't be reached", "Check that the host is up"),
    "sso03": ("adapter RACF", "not well-formed XML", "line 1, column 29", "password_sync_adapters_template"),
    "sso04": ("ssops -list", "could not be understood", "a line marks an adapter without naming it"),
}

DOMAIN = ("PCNS-006", "PCNS-007", "PCNS-008")


@dataclass(frozen=True)
class Outcome:
    """The run, its report, and whether anything is not as it was."""

    run: Run
    report: Mapping[str, Any]
    unchanged: bool


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    folder = tmp_path_factory.mktemp("compliance")
    forest = small_forest(0)
    for name in ("healthy", *UNKNOWN):
        forest.add_domain_controller(name, "Paris")
    for name in SSO_UNKNOWN:
        forest.add_sso_server(name, "Paris")
    with Estate(forest, folder) as estate:
        install(forest, "healthy")
        estate.down("down")
        forest.endpoints[fqdn("foreign")].faults.foreign_server()
        estate.https("untrusted")
        estate.hosts["ssh"] = {"ansible_connection": "ssh"}
        estate.hosts["become"] = {"ansible_become": True}
        estate.hosts["moved"] = {"ansible_host": forest.address("sso01")}
        estate.hosts["member"] = {**estate.hosts["moved"], "password_sync_computer_names": ["sso01"]}
        estate.hosts["missing"] = {"pcns_packages": [{"name": "PCNS", "path": "absent.msi", "sha256": "0" * 64}]}
        estate.down("sso02")
        broken = folder / "broken.xml.j2"
        broken.write_text("<sso><adapter name='{{ adapter.name }}'></sso>", encoding="utf-8")
        estate.hosts["sso03"] = {
            "password_sync_adapters_server": fqdn("sso03"),
            "password_sync_adapters_template": str(broken),
        }
        estate.hosts["sso04"] = {"password_sync_adapters_server": fqdn("sso04")}
        install_password_sync(forest, "sso04")
        estate.host("sso04").faults.tool_output["ssops"] = b"    (E)   \r\n"
        estate.host("healthy").faults.tool_output["pcnscfg"] = b"\xde\xad\xbe\xef: 1\r\n"
        estate.write()
        before = forest.snapshot()
        run = estate.run("compliance.yml", "--forks", "4")
        yield Outcome(run, estate.report(), forest.snapshot() == before)


def test_the_run_fails_with_its_report_written_last(outcome: Outcome) -> None:
    assert outcome.run.exit_code == 2
    last = outcome.run.results[-1]
    assert (last.action, last.status) == ("entsso.password_sync.compliance_report", "failed")
    assert str(outcome.report["headline"]).startswith("NOT COMPLIANT: ")
    assert f"({len(UNKNOWN)} not known)" in str(outcome.report["headline"])


def test_nothing_is_changed(outcome: Outcome) -> None:
    assert outcome.unchanged


@pytest.mark.parametrize("name", UNKNOWN)
def test_a_domain_controller_is_unknown_with_reason_and_way_out(outcome: Outcome, name: str) -> None:
    assert rows(outcome.report)[name]["capture_state"] == "unknown"
    (finding,) = findings(outcome.report, fqdn(name))
    assert (finding["control"], finding["status"], finding["severity"]) == ("PCNS-001", "unknown", "high")
    says(str(finding["message"]), *UNKNOWN[name])
    assert "Task failed" not in str(finding["message"])
    assert f"PCNS-001 HIGH unknown {fqdn(name)} (Paris). " in outcome.run.output


@pytest.mark.parametrize("name", SSO_UNKNOWN)
def test_an_sso_server_is_unknown_with_reason(outcome: Outcome, name: str) -> None:
    unknown = [item for item in findings(outcome.report, fqdn(name)) if item["status"] == "unknown"]
    told = " ".join(str(item["message"]) for item in unknown)
    assert not [part for part in SSO_UNKNOWN[name] if part not in told], told


def test_an_adapter_that_could_not_be_listed_is_not_absent(outcome: Outcome) -> None:
    adapters = [item for item in findings(outcome.report, fqdn("sso04")) if item["control"] == "SSO-006"]
    assert {item["status"] for item in adapters} == {"unknown"}


def test_the_directory_is_unknown_when_pcnscfg_is_not_understood(outcome: Outcome) -> None:
    domain = {str(item["control"]): item for item in findings(outcome.report, "corp.example")}
    assert {control: domain[control]["status"] for control in DOMAIN} == dict.fromkeys(DOMAIN, "unknown")
    for control in DOMAIN:
        says(str(domain[control]["message"]), "on healthy.corp.example", "pcnscfg list", "could not be understood")


def test_a_healthy_one_is_judged_all_the_same(outcome: Outcome) -> None:
    assert rows(outcome.report)["healthy"]["capture_state"] == "loaded"
    assert [item["control"] for item in findings(outcome.report, fqdn("healthy")) if item["status"] == "drift"]
