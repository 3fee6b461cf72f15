# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A wrong or missing variable ends a role before its first task, and the message has the variable's name.

One run of ansible-playbook, in which each host stands for one case. Nothing listens at their address: a role that
got past its arguments would end as unreachable instead.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.playbooks import PlaybookRunner, Run

PACKAGE = {"name": "PCNS", "path": "pcns.msi", "sha256": "00"}
TARGET = {
    "name": "ENTSSO",
    "address": "sso01.corp.example",
    "service_principal_name": "ENTSSO/sso01.corp.example",
    "inclusion_group": "CORP\\Domain Users",
}
APPLICATION = {"name": "RACF", "user_account": "CORP\\Users", "admin_account": "CORP\\Admins", "fields": []}
ADAPTER = {"name": "RACF", "definition": "<sso/>"}


@dataclass(frozen=True)
class Case:
    """One wrong variable.

    Attributes:
        role: Name of the role.
        entry: Entry point.
        variables: What the host has.
        told: What the message must say.
    """

    role: str
    entry: str
    variables: Mapping[str, Any]
    told: tuple[str, ...]


CASES = {
    "packages_missing": Case("pcns", "main", {}, ("missing", "pcns_packages")),
    "packages_missing_when_observed": Case("pcns", "observe", {}, ("missing", "pcns_packages")),
    "packages_are_a_number": Case("pcns", "main", {"pcns_packages": 5}, ("pcns_packages", "list")),
    "package_without_hash": Case(
        "pcns", "main", {"pcns_packages": [{"name": "PCNS", "path": "x"}]}, ("sha256", "pcns_packages")
    ),
    "package_misspelt": Case(
        "pcns", "main", {"pcns_packages": [{**PACKAGE, "leave": {}}]}, ("pcns_packages.leave", "leaves")
    ),
    "package_on_the_host_without_identity": Case(
        "pcns", "main", {"pcns_packages": [{**PACKAGE, "remote_src": "yes"}]}, ("product_code", "pcns_packages")
    ),
    "restart_allowed_is_a_sentence": Case(
        "pcns",
        "main",
        {"pcns_packages": [PACKAGE], "pcns_restart_allowed": "at night"},
        ("pcns_restart_allowed", "bool"),
    ),
    "deadline_is_a_word": Case(
        "pcns", "main", {"pcns_packages": [PACKAGE], "pcns_restart_deadline": "long"}, ("pcns_restart_deadline", "int")
    ),
    "log_level_too_high": Case(
        "pcns",
        "observe",
        {"pcns_packages": [PACKAGE], "pcns_event_log_level": 7},
        ("pcns_event_log_level", "0, 1, 2, 3"),
    ),
    "targets_missing": Case("pcns_directory", "main", {}, ("missing", "pcns_directory_targets")),
    "target_without_spn": Case(
        "pcns_directory",
        "enable",
        {"pcns_directory_targets": [{key: TARGET[key] for key in TARGET if key != "service_principal_name"}]},
        ("service_principal_name", "pcns_directory_targets"),
    ),
    "target_with_another_format": Case(
        "pcns_directory",
        "observe",
        {"pcns_directory_targets": [{**TARGET, "user_name_format": "upn"}]},
        ("user_name_format", "nt4, fqdn", "pcns_directory_targets"),
    ),
    "configuration_with_a_word": Case(
        "pcns_directory",
        "main",
        {"pcns_directory_targets": [TARGET], "pcns_directory_configuration": {"retry_interval": "often"}},
        ("retry_interval", "pcns_directory_configuration"),
    ),
    "setup_arguments_are_a_dictionary": Case(
        "sso_password_sync",
        "main",
        {"sso_password_sync_setup_arguments": {"quiet": True}},
        ("sso_password_sync_setup_arguments", "list"),
    ),
    "age_is_a_word": Case(
        "sso_password_sync", "main", {"sso_password_sync_age": "old"}, ("sso_password_sync_age", "int")
    ),
    "adapters_missing": Case("password_sync_adapters", "main", {}, ("missing", "password_sync_adapters_items")),
    "adapter_from_nothing": Case(
        "password_sync_adapters",
        "main",
        {"password_sync_adapters_items": [{"name": "RACF"}]},
        ("definition, computer, variables", "password_sync_adapters_items"),
    ),
    "adapter_without_accounts": Case(
        "password_sync_adapters",
        "observe",
        {"password_sync_adapters_items": [{"name": "RACF", "computer": "sso01.corp.example"}]},
        ("access_account", "password_sync_adapters_items"),
    ),
    "application_with_an_unknown_flag": Case(
        "password_sync_adapters",
        "main",
        {
            "password_sync_adapters_items": [ADAPTER],
            "password_sync_adapters_applications": [{**APPLICATION, "flags": {"enableapp": True}}],
        },
        ("password_sync_adapters_applications.flags.enableapp", "enableApp"),
    ),
    "gate_is_a_word": Case(
        "password_sync_compliance",
        "main",
        {"password_sync_compliance_gate": "strict"},
        ("password_sync_compliance_gate", "bool"),
    ),
}

SURVEY = Case(
    "pcns",
    "observe",
    {"pcns_packages": [{**PACKAGE, "path": "absent.msi"}], "pcns_event_log_level": "2", "pcns_site": 7},
    ("absent.msi", "was not found"),
)
"""Text where a number is wanted, as a survey gives it, is no mistake: this one gets as far as its first task."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("roles")
    nowhere = {
        "ansible_connection": "winrm",
        "ansible_host": "127.0.0.1",
        "ansible_port": 9,
        "ansible_winrm_scheme": "http",
        "ansible_winrm_transport": "ntlm",
        "ansible_user": "nobody",
        "ansible_password": "nothing",
    }
    cases = {**CASES, "survey": SURVEY}
    hosts = {name: {**case.variables, "case_role": case.role, "case_entry": case.entry} for name, case in cases.items()}
    # A task for each entry point: hosts that include one role in one task share the entry point of whichever is first.
    tasks = [
        {
            "name": f"Run {role}, {entry}",
            "ansible.builtin.include_role": {"name": f"entsso.password_sync.{role}", "tasks_from": entry},
            "when": f"(case_role, case_entry) == ('{role}', '{entry}')",
        }
        for role, entry in sorted({(case.role, case.entry) for case in cases.values()})
    ]
    play = {"name": "Run one role for each host", "hosts": "all", "gather_facts": False, "tasks": tasks}
    inventory, playbook = folder / "inventory.yml", folder / "play.yml"
    inventory.write_text(yaml.safe_dump({"all": {"hosts": hosts, "vars": nowhere}}), encoding="utf-8")
    playbook.write_text(yaml.safe_dump([play]), encoding="utf-8")
    return PlaybookRunner(Path(inventory), folder / "logs").run(str(playbook))


def _failure(run: Run, host: str) -> tuple[str, str]:
    (result,) = [item for item in run.results if item.host == host and item.status in ("failed", "unreachable")]
    told = result.result.get("argument_errors") or [result.result.get("msg", "")]
    return result.action, json.dumps(told)


@pytest.mark.parametrize("name", CASES)
def test_wrong_variable_is_named_before_the_first_task(run: Run, name: str) -> None:
    action, message = _failure(run, name)
    assert action.endswith("validate_argument_spec"), (action, message)
    for part in CASES[name].told:
        assert part in message
    of_the_role = [item for item in run.results if item.host == name and not item.action.endswith("include_role")]
    assert len(of_the_role) == 1, [item.task for item in of_the_role]


def test_text_from_a_survey_is_taken(run: Run) -> None:
    action, message = _failure(run, "survey")
    assert action.endswith("pcns_info"), (action, message)
    for part in SURVEY.told:
        assert part in message
