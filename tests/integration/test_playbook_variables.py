# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A wrong or missing variable ends a playbook before any host is connected to, and the message has its name."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from integration.estate import ALLOWED, Estate, small_forest

from lab.example import adapter, one_package

PACKAGE = one_package()[0]
DC, SSO = "domain_controllers", "sso_servers"


@dataclass(frozen=True)
class Case:
    """One wrong variable.

    Attributes:
        playbook: What is run.
        group: Group that has the variable.
        variable: Its name.
        value: Its value; None takes it away.
        told: What the message must say beside the variable's name.
    """

    playbook: str
    group: str
    variable: str
    value: object
    told: tuple[str, ...] = ()


TARGET_WITHOUT_ADDRESS = {
    "name": "ENTSSO",
    "service_principal_name": "ENTSSO/sso01.corp.example",
    "inclusion_group": "CORP\\Domain Users",
}

CASES = {
    "site without packages": Case("site.yml", DC, "pcns_packages", None, ("missing",)),
    "site with an adapter without name": Case(
        "site.yml",
        SSO,
        "password_sync_adapters_items",
        [{key: value for key, value in adapter("RACF").items() if key != "name"}],
        ("name",),
    ),
    "site with a target without address": Case(
        "site.yml", DC, "pcns_directory_targets", [TARGET_WITHOUT_ADDRESS], ("address",)
    ),
    "rollout with a word for packages": Case("domain_controllers.yml", DC, "pcns_packages", "pcns.msi", ("dict",)),
    "rollout with an unknown option": Case(
        "domain_controllers.yml", DC, "pcns_packages", [{**PACKAGE, "leave": {}}], ("leave", "leaves")
    ),
    "directory without targets": Case("directory.yml", DC, "pcns_directory_targets", None, ("missing",)),
    "adapters without adapters": Case("adapters.yml", SSO, "password_sync_adapters_items", None, ("missing",)),
    "feature with words for hours": Case("sso_servers.yml", SSO, "sso_password_sync_age", "a day", ("int",)),
    "go-live with a word for packages": Case("go_live.yml", DC, "pcns_packages", 5, ("list",)),
}


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    with Estate(small_forest(2), tmp_path_factory.mktemp("variables")) as estate:
        yield estate


@pytest.mark.parametrize("name", CASES)
def test_no_host_is_connected_to(estate: Estate, name: str) -> None:
    case = CASES[name]
    right: Mapping[str, dict[str, Any]] = {group: dict(values) for group, values in estate.groups.items()}
    if case.value is None:
        del estate.groups[case.group][case.variable]
    else:
        estate.groups[case.group][case.variable] = case.value
    estate.write()
    try:
        run = estate.run(case.playbook, variables=ALLOWED)
    finally:
        estate.groups.update(right)
    assert run.exit_code != 0
    first = next(item for item in run.results if item.status == "failed")
    assert first.action == "ansible.builtin.validate_argument_spec"
    message = json.dumps(first.result.get("argument_errors") or [first.result.get("msg", "")])
    for part in (case.variable, *case.told):
        assert part in message
    assert [endpoint.statistics.connections for endpoint in estate.forest.endpoints.values()] == [0, 0, 0]
