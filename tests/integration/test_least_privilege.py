# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A compliance check with accounts that lack one right each: what they can't see is unknown, and docs says which.

Every domain controller of this estate works; each has an account of its own, named after what it lacks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from integration.estate import Estate, findings, fqdn, rows, small_forest
from unit.lab.estate_kit import TARGET, install, install_feature, pcnscfg, restart

from ansible_collections.entsso.password_sync.plugins.module_utils.connection import _connection_rights as rights
from lab.endpoint.access import WMI_REFUSALS, Access, Services
from lab.forest import Forest
from lab.playbooks import Run

DOCS = Path(__file__).resolve().parents[2] / "docs"
EVENTS = ("Application", "System", "Security")
FULL = "full"
NO_SHELL = "shell"

LACKING: Mapping[str, tuple[str, Access]] = {
    FULL: ("", Access()),
    "cimv2": (rights.CIMV2.name, Access(namespaces=("root/cimv2",), refusal=WMI_REFUSALS[2])),
    "others": (
        "wmi_default, wmi_microsoftactivedirectory, wmi_microsoftdfs",
        Access(namespaces=("root/default", "root/MicrosoftActiveDirectory", "root/MicrosoftDFS")),
    ),
    "methods": (rights.METHODS.name, Access(execute=False)),
    "lsa": (rights.LSA.name, Access(keys=(r"SYSTEM\CurrentControlSet\Control\Lsa",))),
    "uninstall": (
        rights.UNINSTALL.name,
        Access(
            keys=(
                r"SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall",
                r"SOFTWARE\Wow6432Node\Microsoft\Windows\CurrentVersion\Uninstall",
            )
        ),
    ),
    "hidden": (rights.SERVICES.name, Access(services=Services.HIDDEN)),
    "refused": (rights.SERVICES.name, Access(services=Services.REFUSED, refusal=WMI_REFUSALS[1])),
    "application": (rights.APPLICATION.name, Access(channels=EVENTS[:1])),
    "system": (rights.SYSTEM.name, Access(channels=EVENTS[1:2])),
    "security": (rights.SECURITY.name, Access(channels=EVENTS[2:])),
    "events": ("events_application, events_system, events_security", Access(channels=EVENTS)),
    NO_SHELL: (rights.SHELL.name, Access(shell=False)),
}
"""Domain controller to what docs/connections.md calls the right that its account lacks, and what the lab refuses."""

CONTROLS = ("PCNS-001", "PCNS-002", "PCNS-003", "PCNS-004", "PCNS-005")
DIRECTORY = ("PCNS-006", "PCNS-007", "PCNS-008")


@dataclass(frozen=True)
class Outcome:
    """The run with all of them, a run of those without a shell alone, and whether anything is not as it was."""

    run: Run
    report: Mapping[str, Any]
    without_shell: Mapping[str, Any]
    unchanged: bool


def working_forest() -> Forest:
    """Returns a forest in which every domain controller captures changes."""
    forest = small_forest(0)
    for name in LACKING:
        forest.add_domain_controller(name, "Paris")
        install(forest.host(name))
        restart(forest, forest.host(name))
    assert pcnscfg(forest.host(FULL), f"addtarget {TARGET}")[0] == 0
    for name in LACKING:
        assert forest.host(name).services.start("PCNSSVC") == 0
    assert install_feature(forest.host("sso01")) == 0
    return forest


def limit(estate: Estate) -> None:
    """Gives every domain controller an account of its own, and the SSO server one without a shell."""
    limited = {}
    for name, (_rights, access) in {**LACKING, "sso01": ("", Access(shell=False))}.items():
        account = f"CORP\\audit-{name}"
        estate.forest.more_accounts[account] = "Lab-only-Aud1t"
        estate.hosts[name] = {"ansible_user": account, "ansible_password": "Lab-only-Aud1t"}
        limited[account.lower()] = access
    for endpoint in estate.forest.endpoints.values():
        endpoint.settings = replace(endpoint.settings, limited=limited)
        endpoint.down()
        endpoint.up()


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    with Estate(working_forest(), tmp_path_factory.mktemp("least")) as estate:
        limit(estate)
        estate.write()
        before = estate.forest.snapshot()
        run = estate.run("compliance.yml", "--forks", "4")
        report = estate.report()
        alone = ",".join((fqdn(NO_SHELL), fqdn("sso01")))
        estate.run("compliance.yml", "--limit", alone)
        yield Outcome(run, report, estate.report(), estate.forest.snapshot() == before)


def judged(report: Mapping[str, Any], name: str) -> dict[str, str]:
    """Returns how each control stands on a domain controller."""
    return {str(item["control"]): str(item["status"]) for item in findings(report, fqdn(name))}


def documented() -> dict[str, tuple[str, ...]]:
    """Reads the table of docs/connections.md: right to the controls that turn unknown without it."""
    text = (DOCS / "connections.md").read_text(encoding="utf-8")
    table = text.partition("## What turns `unknown` without a right")[2].partition("\n## ")[0]
    found = {}
    for line in re.findall(r"^\| `(.*?) \|$", table, flags=re.MULTILINE):
        first, *_rest, last = line.split(" | ")
        found[first.replace("`", "")] = tuple(re.findall(r"PCNS-\d+", last.partition(";")[0]))
    return found


def test_with_every_right_nothing_is_unknown(outcome: Outcome) -> None:
    assert judged(outcome.report, FULL) == dict.fromkeys(CONTROLS[1:], "compliant")
    assert rows(outcome.report)[FULL]["capture_state"] == "working"


@pytest.mark.parametrize("name", [name for name in LACKING if name != FULL])
def test_what_turns_unknown_is_what_docs_say(outcome: Outcome, name: str) -> None:
    expected = documented()[LACKING[name][0]]
    stands = judged(outcome.report, name)
    assert {control for control, status in stands.items() if status == "unknown"} == set(expected) - set(DIRECTORY)
    # All of them work, so everything that could be read is compliant, and nothing is taken for absent or wrong.
    assert {status for control, status in stands.items() if control not in expected} <= {"compliant"}


@pytest.mark.parametrize("name", [name for name in LACKING if name not in (FULL, "others", "application", "system")])
def test_the_message_says_what_could_not_be_read(outcome: Outcome, name: str) -> None:
    unknown = [item for item in findings(outcome.report, fqdn(name)) if item["status"] == "unknown"]
    assert bool(unknown) == bool(set(documented()[LACKING[name][0]]) - set(DIRECTORY))
    for item in unknown:
        assert re.search(r"denied|can't be read|not be read|does not show|may not", str(item["message"])), item[
            "message"
        ]


def test_without_the_security_log_loading_is_inferred(outcome: Outcome) -> None:
    (loaded,) = [item for item in findings(outcome.report, fqdn("security")) if item["control"] == "PCNS-003"]
    assert str(loaded["evidence"]).startswith("inferred: ")
    (proved,) = [item for item in findings(outcome.report, fqdn(FULL)) if item["control"] == "PCNS-003"]
    assert str(proved["evidence"]).startswith("proved: ")


def test_the_rights_of_the_code_are_those_of_docs() -> None:
    """connection_info tells the same as the page; a right that nothing hangs on is on the page too."""
    table = documented()
    for right in rights.RIGHTS:
        listed = [controls for names, controls in table.items() if right.name in names.split(", ")]
        assert listed, right.name
        if right.name in table:
            assert set(right.unknown_without) == set(table[right.name]) - set(DIRECTORY), right.name


def test_one_version_is_not_claimed_for_those_that_were_not_read(outcome: Outcome) -> None:
    (versions,) = [item for item in outcome.report["findings"] if item["control"] == "PCNS-009"]
    assert versions["status"] == "not_applicable"
    for name in ("cimv2", "methods", "uninstall"):
        assert fqdn(name) in versions["message"].partition("Not known on ")[2]
    assert fqdn(FULL) in versions["message"].partition("Not known on ")[0]


def test_unknown_fails_the_gate(outcome: Outcome) -> None:
    assert outcome.run.exit_code == 2
    assert str(outcome.report["headline"]).startswith("NOT COMPLIANT: ")


def test_without_a_shell_the_directory_and_the_sso_server_are_unknown(outcome: Outcome) -> None:
    domain = judged_subject(outcome.without_shell, "corp.example")
    assert {domain[control] for control in documented()["shell"]} == {"unknown"}
    assert set(documented()["shell"]) == set(DIRECTORY)
    assert judged_subject(outcome.without_shell, fqdn("sso01")) == {"SSO-002": "unknown"}


def judged_subject(report: Mapping[str, Any], subject: str) -> dict[str, str]:
    """Returns how each control stands on any subject; one that is judged on several objects counts as the worst."""
    found: dict[str, str] = {}
    for item in findings(report, subject):
        control, status = str(item["control"]), str(item["status"])
        found[control] = "unknown" if "unknown" in (found.get(control), status) else status
    return found


def test_nothing_is_changed_and_no_secret_is_told(outcome: Outcome) -> None:
    assert outcome.unchanged
    assert "Lab-only-Aud1t" not in outcome.run.output
