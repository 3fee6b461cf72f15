# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""compliance.yml compares the inventory with the directory: PCNS-001, with a directory that answers or does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml
from integration.estate import Estate, findings, fqdn, rows, says, small_forest

from lab.playbooks import Run

READ_ONLY = "rodc1"


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    """dc01 and dc02 are plain, dc03 is exempt; rodc1 is read-only."""
    forest = small_forest(3)
    forest.add_domain_controller(READ_ONLY, "Lyon", read_only=True)
    with Estate(forest, tmp_path_factory.mktemp("coverage")) as started:
        started.hosts["dc03"] = {"pcns_exempt": "is demoted in May"}
        started.write()
        yield started


def _coverage(estate: Estate) -> dict[str, tuple[str, str]]:
    """Returns what the last report says of PCNS-001: subject to severity and status."""
    return {
        str(item["subject"]).partition(".")[0]: (str(item["severity"]), str(item["status"]))
        for item in estate.report()["findings"]
        if item["control"] == "PCNS-001"
    }


def _inventory(estate: Estate, change: Mapping[str, Any]) -> None:
    """Writes the inventory with other hosts in the group domain_controllers."""
    estate.write()
    data = yaml.safe_load(estate.inventory.read_text(encoding="utf-8"))
    group = data["all"]["children"]["domain_controllers"]
    group["hosts"] |= change
    group["hosts"] = {name: values for name, values in group["hosts"].items() if values is not None}
    if fqdn(READ_ONLY) in group["hosts"]:
        del group["children"]
    estate.inventory.write_text(yaml.safe_dump(data), encoding="utf-8")


def _first_line(run: Run) -> str:
    lines = [line for line in run.output.splitlines() if line.startswith(("PCNS-", "SSO-"))]
    return lines[0]


def test_an_inventory_that_has_them_all(estate: Estate) -> None:
    estate.write()
    before = estate.forest.snapshot()
    estate.run("compliance.yml")
    assert _coverage(estate) == {"corp": ("high", "compliant")}
    (finding,) = [item for item in findings(estate.report(), "corp.example") if item["control"] == "PCNS-001"]
    assert finding["message"] == (
        "The directory knows 3 writable domain controllers; the inventory has all of them, and 0 proved to work in "
        "this run."
    )
    assert rows(estate.report())["dc03"]["exempt_reason"] == "is demoted in May"
    assert estate.forest.snapshot() == before


def test_an_inventory_that_is_wrong(estate: Estate) -> None:
    """dc02 was forgotten, rodc1 is called writable, dc99 does not exist."""
    address = estate.forest.address(READ_ONLY)
    _inventory(
        estate,
        {fqdn("dc02"): None, fqdn(READ_ONLY): {"ansible_host": address}, fqdn("dc99"): {"pcns_exempt": ""}},
    )
    run = estate.run("compliance.yml", "--forks", "4")
    assert run.exit_code == 2
    found = _coverage(estate)
    assert found["dc02"] == ("critical", "manual")
    assert found[READ_ONLY] == ("high", "manual")
    assert "corp" not in found
    promoted = f"{estate.forest.promoted[fqdn('dc02')]:%Y-%m-%dT%H:%M:%SZ}"
    line = _first_line(run)
    for part in (
        "PCNS-001 CRITICAL manual dc02.corp.example (Paris)",
        f"since {promoted}",
        "are being lost",
        "--limit",
    ):
        assert part in line
    report = rows(estate.report())
    assert (report["dc02"]["capture_state"], report["dc02"]["site"]) == ("unknown", "Paris")
    assert (report[READ_ONLY]["capture_state"], report[READ_ONLY]["read_only"]) == ("exempt", True)
    stranger = [item for item in findings(estate.report(), fqdn("dc99")) if item["status"] == "manual"]
    assert "has no domain controller of this name" in str(stranger[0]["message"])
    before = {name: estate.boots()[name] for name in ("dc02", READ_ONLY)}
    assert before == {"dc02": 0, READ_ONLY: 0}


@pytest.mark.parametrize(
    ("variables", "parts"),
    [
        (
            {"password_sync_ldap_domain": "", "password_sync_ldap_server": ""},
            ("not asked", "password_sync_ldap_domain"),
        ),
        ({"password_sync_ldap_port": 9}, ("LDAP on 127.", "can't be reached", "Connection refused")),
        # The targets are read before, with the same account; nobody tries it a second time.
        ({"password_sync_ldap_password": "wrong"}, ("was rejected by 127.", "Correct its name or password")),
        ({"password_sync_ldap_domain": "corp.exampel"}, ("no such domain; it has corp.example", "Correct `domain`")),
        ({"password_sync_ldap_auth_protocol": "simple"}, ("nothing was sent", "Set `tls_mode`")),
    ],
    ids=("not configured", "shut", "wrong password", "wrong domain", "plain"),
)
def test_a_directory_that_says_nothing_is_unknown(
    estate: Estate, variables: Mapping[str, Any], parts: tuple[str, ...]
) -> None:
    estate.write()
    run = estate.run("compliance.yml", "--limit", "dc01.corp.example", variables=variables)
    assert run.exit_code == 2
    assert _coverage(estate) == {"corp": ("high", "unknown")}
    (finding,) = [item for item in estate.report()["findings"] if item["control"] == "PCNS-001"]
    says(f"{finding['message']} {finding['repair']}.", *parts)
    assert "Task failed" not in str(finding["message"])
    assert any("3 domain controllers of the inventory had no part" in note for note in estate.report()["notes"])
    estate.hides(estate.forest.operator_password)


def test_the_sso_team_alone_is_asked_for_nothing(estate: Estate) -> None:
    nothing = {"password_sync_ldap_domain": "", "password_sync_ldap_server": ""}
    estate.run("compliance.yml", "--limit", "sso_servers", variables=nothing)
    assert _coverage(estate) == {}
