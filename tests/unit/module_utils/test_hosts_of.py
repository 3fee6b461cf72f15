# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter hosts_of: which host of the inventory a computer is."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.entsso.password_sync.plugins.filter.hosts_of import FilterModule

Hosts = dict[str, dict[str, Any]]


def hosts_of(hostvars: Hosts, computer: object, names: object = None) -> list[str]:
    found: list[str] = FilterModule().filters()["hosts_of"](
        list(hostvars) if names is None else names, hostvars, computer
    )
    return found


def test_full_names_decide_before_short_ones() -> None:
    hostvars: Hosts = {
        "dc01": {},
        "DC01.emea.corp.example": {},
        "dc01.corp.example": {"ansible_host": "192.0.2.1"},
    }
    assert hosts_of(hostvars, "DC01.corp.example.") == ["dc01.corp.example"]
    assert hosts_of(hostvars, "dc01.emea.corp.example") == ["DC01.emea.corp.example"]
    # Another domain's computer is not taken for one that has the same short name and a full one of its own.
    assert hosts_of(hostvars, "dc01.apac.corp.example") == ["dc01"]
    del hostvars["dc01"]
    assert hosts_of(hostvars, "dc01.apac.corp.example") == []


def test_other_names_count() -> None:
    hostvars: Hosts = {
        "paris": {"ansible_host": "dc01.corp.example"},
        "lyon": {"password_sync_computer_names": ["DC02.corp.example"]},
        "rouen": {"password_sync_computer_names": "dc03"},
    }
    assert [hosts_of(hostvars, f"dc0{number}.corp.example") for number in (1, 2, 3, 4)] == [
        ["paris"],
        ["lyon"],
        ["rouen"],
        [],
    ]


def test_nobody_is_no_computer() -> None:
    assert hosts_of({"dc01": {}}, "") == []
    assert hosts_of({"dc01": {}}, None) == []
    with pytest.raises(AnsibleFilterError, match="hosts_of: the names of hosts must be a list"):
        hosts_of({}, "dc01", "dc01")
