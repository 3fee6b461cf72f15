# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The smallest inventory that the README shows brings the lab to work, with nothing changed but names and media."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from unit.test_readme import INVENTORY

from lab.example import ALL_IN_ONE, MEDIA_FOLDER, variables
from lab.forest import Forest
from lab.inventory import directory_variables
from lab.playbooks import PlaybookRunner

OF_THE_LAB = tuple(f"password_sync_ldap_{name}" for name in ("server", "port", "username", "password", "name_servers"))
"""There is no DNS in the lab, and no port that only root may open."""

DEFINITION = """\
<sso><adapter name="{name}"><computer>sso01.corp.example</computer>\
<appUserAccount>CORP\\SSO Adapter Access</appUserAccount>\
<appAdminAccount>CORP\\SSO Affiliate Administrators</appAdminAccount><flags syncToAdapter="yes"/></adapter></sso>
"""


@pytest.fixture
def forest() -> Iterator[Forest]:
    """The hosts of the README and no other: the directory knows them all."""
    estate = Forest(populate=False)
    estate.add_domain_controller("DC01", "Paris")
    estate.add_domain_controller("DC02", "Lyon")
    estate.add_domain_controller("DC03", "Lyon", read_only=True)
    estate.add_sso_server("SSO01", "Paris")
    with estate as started:
        yield started


def _write(forest: Forest, folder: Path) -> Path:
    """Writes the inventory of the README, its hosts with addresses of the lab."""
    for name, data in INVENTORY.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(yaml.safe_dump(data), encoding="utf-8")
    children = yaml.safe_load((folder / "inventory/hosts.yml").read_text(encoding="utf-8"))["all"]["children"]
    for group in (
        children["sso_servers"],
        children["domain_controllers"],
        children["domain_controllers"]["children"]["rodc"],
    ):
        for name, values in group["hosts"].items():
            group["hosts"][name] = {**(values or {}), "ansible_host": forest.endpoints[name].address}
    (folder / "inventory/hosts.yml").write_text(yaml.safe_dump({"all": {"children": children}}), encoding="utf-8")
    definitions = folder / "adapters"
    definitions.mkdir()
    for item in INVENTORY["inventory/group_vars/sso_servers.yml"]["password_sync_adapters_items"]:
        file = definitions / f"{item['applications'][0].lower()}.xml"
        file.write_text(DEFINITION.format(name=item["name"]), encoding="utf-8")
    return folder / "inventory"


def _of_the_lab(forest: Forest) -> Mapping[str, Any]:
    """What only the lab can know: accounts, groups, media, where the directory is, how fast its machines restart."""
    (package,) = INVENTORY["inventory/group_vars/domain_controllers.yml"]["pcns_packages"]
    media = MEDIA_FOLDER / ALL_IN_ONE
    applications = INVENTORY["inventory/group_vars/sso_servers.yml"]["password_sync_adapters_applications"]
    groups = {"user_account": "CORP\\SSO Application Users", "admin_account": "CORP\\SSO Affiliate Administrators"}
    setup = variables(forest)["sso_servers"]
    return {
        "ansible_user": forest.operator,
        "ansible_password": forest.operator_password,
        "pcns_packages": [
            {**package, "path": str(media), "sha256": hashlib.sha256(media.read_bytes()).hexdigest()},
        ],
        "pcns_restart_interval": 0.1,
        **{name: value for name, value in directory_variables(forest).items() if name in OF_THE_LAB},
        "password_sync_adapters_applications": [{**item, **groups} for item in applications],
        **{name: value for name, value in setup.items() if name.startswith("sso_password_sync_setup")},
    }


def test_inventory_brings_the_estate_to_work(forest: Forest, tmp_path: Path) -> None:
    runner = PlaybookRunner(_write(forest, tmp_path), tmp_path / "logs")
    lab = _of_the_lab(forest)
    refused = runner.run("site.yml", variables=lab, name="1-restarts-not-allowed")
    assert refused.exit_code != 0, refused.output
    assert "pcns_restart_allowed" in refused.output
    made = runner.run("site.yml", variables={**lab, "pcns_restart_allowed": True}, name="2-allowed")
    assert made.exit_code == 0, made.output
    again = runner.run("site.yml", variables={**lab, "pcns_restart_allowed": True}, name="3-again")
    assert again.exit_code == 0, again.output
    assert [result.task for result in again.changed] == []
    for name in ("dc01", "dc02"):
        forest.change_password(name, "alice")
    forest.advance(0.5)
    audit = runner.run("compliance.yml", variables=lab, name="4-audit")
    assert audit.exit_code == 0, audit.output
    assert (tmp_path / "report" / "report.html").is_file()
