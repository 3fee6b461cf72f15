# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shipped configuration for microsoft.ad.ldap with a real directory, and where it falls short of our own plugin.

docs/inventory.md tells users of these differences. A test that fails here because microsoft.ad got better is good news.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from interop.directory_kit import PASSWORD

from lab.ansible_inventory import example, hosts, read, variables
from lab.ldap.example import ADDITIONS
from lab.samba.directory import Domain

pytestmark = pytest.mark.needs("samba", "root", "ansible_collections.microsoft.ad")

CACHE = Path(__file__).parents[2] / "build" / "samba"
USER = "inventory-reader"


@pytest.fixture(scope="module")
def inventory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("inventory")
    with Domain.start(CACHE) as domain:
        domain.add_user(USER, PASSWORD)
        domain.apply(ADDITIONS, relax=True)
        # It asks the resolver of the machine, which does not know this domain: hence an address, hence NTLM.
        place = {"server": domain.address, "auth_protocol": "ntlm"}
        path = example("corp.microsoft.ad.ldap.yml", folder, **place, username=f"CORP\\{USER}", password=PASSWORD)
        yield read(path, folder)


def test_domain_controllers_of_both_kinds_are_hosts(inventory: dict[str, Any]) -> None:
    names = {f"{name}.corp.example" for name in ("dc1", "dc2", "dc3", "dc5", "rodc1")}
    assert names <= hosts(inventory, "domain_controllers")


def test_the_read_only_ones_are_known(inventory: dict[str, Any]) -> None:
    assert hosts(inventory, "rodc") == {"dc5.corp.example", "rodc1.corp.example"}


def test_sites(inventory: dict[str, Any]) -> None:
    assert hosts(inventory, "site_Köln") == {"dc2.corp.example", "rodc1.corp.example"}
    assert variables(inventory, "dc3.corp.example")["pcns_site"] == "Default-First-Site-Name"


def test_it_takes_an_account_for_a_domain_controller(inventory: dict[str, Any]) -> None:
    """GONE3 has the account and no server in any site; dc4 is called as its account, not as its server object."""
    found = hosts(inventory, "domain_controllers")
    assert "gone3.corp.example" in found
    assert "dc4-old.corp.example" in found


def test_it_does_not_know_the_roles(inventory: dict[str, Any]) -> None:
    assert "pdc_emulator" not in inventory
