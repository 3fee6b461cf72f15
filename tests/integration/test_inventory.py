# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory plugin domain_controllers: hosts and groups out of the lab's directory, and how it fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from integration.estate import Estate, fqdn, rows, says, small_forest

from lab.ansible_inventory import example, hosts, listed, read, variables
from lab.inventory import directory_variables
from lab.playbooks import PlaybookRunner

NAME = "corp.domain_controllers.yml"
SITE = "Köln {{ 1 + 1 }}"


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    forest = small_forest(1)
    forest.add_domain_controller("dc02", SITE)
    forest.add_domain_controller("rodc1", "Lyon", read_only=True)
    with Estate(forest, tmp_path_factory.mktemp("inventory")) as started:
        yield started


def _place(estate: Estate, **more: Any) -> dict[str, Any]:
    """Returns the options that the lab makes necessary: it has no DNS, and no port that only root may open."""
    known = directory_variables(estate.forest)
    options = {name: known[f"password_sync_ldap_{name}"] for name in ("server", "port", "auth_protocol")}
    return {**options, **more}


def _account(estate: Estate, password: str = "") -> dict[str, str]:
    return {
        "PASSWORD_SYNC_LDAP_USERNAME": estate.forest.operator,
        "PASSWORD_SYNC_LDAP_PASSWORD": password or estate.forest.operator_password,
    }


@pytest.fixture(scope="module")
def inventory(estate: Estate) -> dict[str, Any]:
    more = {
        "keyed_groups": [{"key": "password_sync_domain_controller.netbios_domain", "prefix": "domain"}],
        "groups": {"paris": "pcns_site == 'Paris'"},
        "compose": {"pcns_exempt": "'is demoted in May' if inventory_hostname == 'dc02.corp.example' else ''"},
    }
    path = example(NAME, estate.folder, **_place(estate, **more))
    return read(path, estate.folder, **_account(estate))


def test_hosts_and_groups(inventory: dict[str, Any]) -> None:
    every = {fqdn("dc01"), fqdn("dc02"), fqdn("rodc1")}
    assert hosts(inventory, "domain_controllers") == hosts(inventory, "all") == every
    assert hosts(inventory, "rodc") == hosts(inventory, "site_Lyon") == {fqdn("rodc1")}
    assert hosts(inventory, "pdc_emulator") == hosts(inventory, "schema_master") == {fqdn("dc01")}
    assert hosts(inventory, "global_catalog") == every


def test_constructed_groups_and_variables(inventory: dict[str, Any]) -> None:
    assert hosts(inventory, "domain_CORP") == hosts(inventory, "domain_controllers")
    assert hosts(inventory, "paris") == {fqdn("dc01")}
    assert variables(inventory, fqdn("dc02"))["pcns_exempt"] == "is demoted in May"
    assert variables(inventory, fqdn("dc01"))["pcns_exempt"] == ""


def test_what_the_directory_says_is_no_template(inventory: dict[str, Any]) -> None:
    found = variables(inventory, fqdn("dc02"))
    assert found["pcns_site"] == found["password_sync_domain_controller"]["site"] == SITE
    assert hosts(inventory, "site_Köln____1___1___") == {fqdn("dc02")}


def test_what_is_known_is_what_the_module_tells(inventory: dict[str, Any], estate: Estate) -> None:
    known = variables(inventory, fqdn("rodc1"))["password_sync_domain_controller"]
    assert (known["read_only"], known["netbios_name"], known["domain"]) == (True, "RODC1", "corp.example")
    assert known["promoted_at"] == f"{estate.forest.promoted[fqdn('rodc1')]:%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.parametrize(
    ("options", "password", "parts"),
    [
        ({}, "wrong", ("name or password is wrong", "Correct `username` or `password`")),
        ({"port": 9}, "", ("LDAP on 127.", "can't be reached", "Check that it runs")),
        ({"domain": "corp.exampel"}, "", ("no such domain; it has corp.example", "Correct `domain`")),
        ({"domain": None, "server": None}, "", ("it is not known where the directory is", "Give `domain`")),
        ({"auth_protocol": "simple"}, "", ("nothing was sent", "Set `tls_mode`")),
    ],
    ids=("wrong password", "shut", "wrong domain", "nowhere", "plain"),
)
def test_a_directory_that_cannot_be_read(
    estate: Estate, tmp_path: Path, options: dict[str, Any], password: str, parts: tuple[str, ...]
) -> None:
    path = example(NAME, tmp_path, **_place(estate, **options))
    done = listed(path, tmp_path, **_account(estate, password))
    assert done.returncode != 0
    says(
        " ".join(done.stderr.split()).partition("Failed to parse inventory with 'auto' plugin: ")[2][:700] + ".", *parts
    )
    assert "Traceback" not in done.stderr
    assert estate.forest.operator_password not in done.stdout + done.stderr


def test_an_audit_with_this_inventory(estate: Estate, tmp_path: Path) -> None:
    """Nothing is written by hand but how hosts are reached: the directory says which are read-only."""
    folder = tmp_path / "inventory"
    estate.write()
    (tmp_path / "inventory").mkdir()
    addresses = {name: endpoint.address for name, endpoint in estate.forest.endpoints.items()}
    compose = {"ansible_host": f"{addresses!r}[inventory_hostname]"}
    place = _place(estate, compose=compose, username=estate.forest.operator, password=estate.forest.operator_password)
    example(NAME, folder, **place)
    (folder / "group_vars").symlink_to(estate.inventory.parent / "group_vars")
    servers = {"sso_servers": {"hosts": {fqdn("sso01"): {"ansible_host": addresses[fqdn("sso01")]}}}}
    (folder / "sso.yml").write_text(yaml.safe_dump(servers), encoding="utf-8")

    report = {"password_sync_compliance_directory": str(estate.report_folder)}
    run = PlaybookRunner(folder, tmp_path / "runs").run("compliance.yml", variables=report)

    found = {item["subject"]: item["status"] for item in estate.report()["findings"] if item["control"] == "PCNS-001"}
    assert found == {"corp.example": "compliant"}, run.output
    assert {name: row["capture_state"] for name, row in rows(estate.report()).items()} == {
        "dc01": "absent",
        "dc02": "absent",
        "rodc1": "exempt",
    }
    assert rows(estate.report())["dc02"]["site"] == SITE
    assert "Traceback" not in run.output
