# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory plugin domain_controllers with a real directory: the shipped example, by DNS and Kerberos."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from interop.directory_kit import PASSWORD

from lab.ansible_inventory import example, hosts, read, variables
from lab.ldap.example import ADDITIONS
from lab.samba.directory import Domain

pytestmark = pytest.mark.needs("samba", "root", "krb5")

CACHE = Path(__file__).parents[2] / "build" / "samba"
USER = "inventory-reader"


@pytest.fixture(scope="module")
def inventory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("inventory")
    with Domain.start(CACHE) as domain:
        domain.add_user(USER, PASSWORD)
        domain.apply(ADDITIONS, relax=True)
        path = example("corp.domain_controllers.yml", folder, name_servers=[domain.address])
        account = {
            "PASSWORD_SYNC_LDAP_USERNAME": f"{USER}@CORP.EXAMPLE",
            "PASSWORD_SYNC_LDAP_PASSWORD": PASSWORD,
        }
        yield read(path, folder, **domain.environment(), **account)


def test_every_domain_controller_is_a_host(inventory: dict[str, Any]) -> None:
    names = {f"{name}.corp.example" for name in ("dc1", "dc2", "dc3", "dc4", "dc5", "rodc1")}
    assert hosts(inventory, "domain_controllers") == names


def test_what_is_left_over_is_none(inventory: dict[str, Any]) -> None:
    assert not [name for name in inventory["_meta"]["hostvars"] if "gone" in name]


def test_the_read_only_ones_are_known(inventory: dict[str, Any]) -> None:
    assert hosts(inventory, "rodc") == {"dc5.corp.example", "rodc1.corp.example"}


def test_sites_and_roles(inventory: dict[str, Any]) -> None:
    assert hosts(inventory, "site_Köln") == {"dc2.corp.example", "rodc1.corp.example"}
    for role in ("schema_master", "domain_naming_master", "pdc_emulator", "rid_master", "infrastructure_master"):
        assert hosts(inventory, role) == {"dc1.corp.example"}
    assert "dc2.corp.example" in hosts(inventory, "global_catalog")
    assert "dc3.corp.example" not in hosts(inventory, "global_catalog")


def test_what_is_known_of_each(inventory: dict[str, Any]) -> None:
    third = variables(inventory, "dc3.corp.example")
    assert third["pcns_site"] == "Default-First-Site-Name"
    assert third["password_sync_domain_controller"]["enabled"] is False
