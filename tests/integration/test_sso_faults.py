# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of SSO servers, of their media, their tools and the user's adapter template: told, and nothing half done.

One run of each playbook; each SSO server has one fault and its name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from integration.estate import FAILURES, Estate, fqdn, install_password_sync, message, says, small_forest

from lab.example import adapter, application
from lab.playbooks import Run

SETUP = {
    "down": ("unreachable", ("WinRM on down.corp.example", "can't be reached", "Check that the host is up")),
    "foreign": ("unreachable", ("foreign.corp.example", "no WinRM service", "Check ansible_host")),
    "local": ("failed", ("local.corp.example", "connection local", "Set ansible_connection: winrm")),
    "absent": ("failed", (r"C:\nowhere\setup.exe", "absent.corp.example", "Check")),
    "swapped": ("failed", ("setup.exe", "swapped.corp.example", "SHA-256", "Nothing was executed")),
    "usage": ("failed", ("usage.corp.example", "setup", "ended with 1", "Read the setup's own log")),
}
"""Faults of sso_servers.yml: status and what is told."""

TEMPLATES = {
    "malformed": "<sso><adapter name='{{ adapter.name }}'></sso>",
    "nameless": "<sso><adapter name='somebody else'/></sso>",
    "flag": "<sso><adapter name='{{ adapter.name }}'><flags syncToAdapter='true'/></adapter></sso>",
    "group": "<sso><adapter name='{{ adapter.name }}'><appUserAccount>nobody</appUserAccount></adapter></sso>",
    "undefined": "<sso><adapter name='{{ adapter.nmae }}'/></sso>",
}
"""Templates of users."""

ADAPTERS = {
    "malformed": ("definition of the adapter malformed", "not well-formed XML", "line 1", "Correct the template"),
    "nameless": ("definition of the adapter nameless", "name 'nameless' does not stand in it", "Correct the template"),
    "flag": ("definition of the adapter flag", "syncToAdapter is 'true' and must be yes or no", "Correct the template"),
    "group": ("definition of the adapter group", "must name a group", "Correct the template"),
    "unconfirmed": ("an assumption", "password_sync_adapters_template_confirmed", "Give your own template"),
    "garbage": ("adapter garbage", "on garbage.corp.example", "could not be understood", "Run `ssops -list`"),
    "bare": ("ssops is not on bare.corp.example", "adapter bare", "Install the Password Synchronization feature"),
}
"""Faults of adapters.yml, all `failed`: what is told."""

UNDEFINED = "undefined"
"""A template with a variable that is misspelt: Ansible itself tells, in its own words."""

BEFORE_ANYTHING = (*TEMPLATES, "unconfirmed")
"""What the control node sees by itself: nothing at all may be created."""


@dataclass(frozen=True)
class Outcome:
    """A run, and every SSO server before and after."""

    run: Run
    before: Mapping[str, Any]
    after: Mapping[str, Any]

    def of(self, name: str) -> list[tuple[str, str]]:
        """Returns status and message of what failed on a host."""
        failed = [item for item in self.run.results if item.host == fqdn(name) and item.status in FAILURES]
        return [(item.status, message(item)) for item in failed]


@pytest.fixture(scope="module")
def setups(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    forest = small_forest(0)
    for name in SETUP:
        forest.add_sso_server(name, "Paris")
    with Estate(forest, tmp_path_factory.mktemp("setup")) as estate:
        estate.down("down")
        forest.endpoints[fqdn("foreign")].faults.foreign_server()
        estate.hosts["local"] = {"ansible_connection": "local"}
        estate.hosts["absent"] = {"sso_password_sync_setup_path": r"C:\nowhere\setup.exe"}
        estate.hosts["swapped"] = {"sso_password_sync_setup_sha256": "0" * 64}
        estate.hosts["usage"] = {"sso_password_sync_setup_arguments": ["/silently"]}
        estate.write()
        before = estate.snapshots(*SETUP)
        run = estate.run("sso_servers.yml", "--forks", "4")
        yield Outcome(run, before, estate.snapshots(*SETUP))


@pytest.fixture(scope="module")
def adapters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    folder = tmp_path_factory.mktemp("adapters")
    forest = small_forest(0)
    names = (*ADAPTERS, UNDEFINED)
    for name in names:
        forest.add_sso_server(name, "Paris")
    with Estate(forest, folder) as estate:
        for name in names:
            if name != "bare":
                install_password_sync(forest, name)
            # Each writes for itself, as if it were the only server of its SSO system, with names of its own.
            estate.hosts[name] = {
                "password_sync_adapters_server": fqdn(name),
                "password_sync_adapters_applications": [application(name)],
                "password_sync_adapters_items": [adapter(name)],
            }
        for name, text in TEMPLATES.items():
            path = Path(folder / f"{name}.xml.j2")
            path.write_text(text, encoding="utf-8")
            estate.hosts[name]["password_sync_adapters_template"] = str(path)
        estate.hosts["unconfirmed"]["password_sync_adapters_template_confirmed"] = False
        estate.host("garbage").faults.tool_output["ssops"] = b"    (E)   \r\n"
        estate.write()
        before = {**estate.snapshots(*names), "sso": forest.sso.dump()}
        run = estate.run("adapters.yml", "--forks", "4", "--limit", "!sso01.corp.example")
        yield Outcome(run, before, {**estate.snapshots(*names), "sso": forest.sso.dump()})


@pytest.mark.parametrize("name", SETUP)
def test_a_fault_of_the_feature_is_told(setups: Outcome, name: str) -> None:
    status, told = SETUP[name]
    assert [item[0] for item in setups.of(name)] == [status]
    says(setups.of(name)[0][1], *told)


@pytest.mark.parametrize("name", SETUP)
def test_nothing_is_half_installed(setups: Outcome, name: str) -> None:
    assert setups.after[name] == setups.before[name]


def test_the_others_are_not_held_up(setups: Outcome) -> None:
    assert setups.run.exit_code != 0
    assert setups.of("sso01") == []
    assert {change["subject"] for change in setups.run.changes} == {fqdn("sso01")}


@pytest.mark.parametrize("name", ADAPTERS)
def test_a_fault_of_an_adapter_is_told(adapters: Outcome, name: str) -> None:
    assert adapters.run.exit_code == 2
    told = adapters.of(name)
    assert {status for status, _text in told} == {"failed"}
    says(told[0][1], *ADAPTERS[name])


def test_a_misspelt_variable_of_a_template_is_named(adapters: Outcome) -> None:
    ((status, text), *_others) = adapters.of(UNDEFINED)
    assert status == "failed"
    assert "has no attribute 'nmae'" in text


@pytest.mark.parametrize("name", [*ADAPTERS, UNDEFINED])
def test_nothing_changes_on_the_server(adapters: Outcome, name: str) -> None:
    assert adapters.after[name] == adapters.before[name]


@pytest.mark.parametrize("name", BEFORE_ANYTHING)
def test_no_application_is_created_without_its_adapter(adapters: Outcome, name: str) -> None:
    applications = adapters.after["sso"]["applications"]
    assert not [key for key in applications if key.lower().startswith(name)]
    assert not [item for item in adapters.run.changed if item.host == fqdn(name)]


def test_no_adapter_is_created(adapters: Outcome) -> None:
    assert adapters.after["sso"]["adapters"] == {}
