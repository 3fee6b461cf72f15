# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""schema.yml alone: whoever may extend the schema runs it, on the schema master wherever that is in the inventory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from integration.estate import Estate, failure, findings, fqdn, message, says, small_forest

from lab.playbooks import Run
from lab.schema import EVERYTHING
from lab.settings import LabSettings, WindowsSettings

TASK = "Give the schema of the forest the classes and attributes of PCNS"


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    """dc02 is the schema master, and nobody has extended the schema."""
    forest = small_forest(2, LabSettings(windows=WindowsSettings(install_seconds=0.0)))
    forest.schema_master_name = "dc02"
    forest.directory.schema.parts = frozenset()
    with Estate(forest, tmp_path_factory.mktemp("schema")) as started:
        yield started


def ran(run: Run) -> list[tuple[str, str, bool]]:
    """Returns where the schema was looked at: host, status, and whether something changed."""
    return [
        (item.host, item.status, bool(item.result.get("changed")))
        for item in run.results
        if item.task.endswith(TASK) and item.status != "skipped"
    ]


def installers(estate: Estate) -> list[str]:
    """Returns the machines on which msiexec ran."""
    return [
        name
        for name, host in sorted(estate.forest.hosts.items())
        if any("msiexec" in line for line in host.process_log)
    ]


def test_planned_done_and_done_only_once(estate: Estate) -> None:
    before = estate.forest.snapshot()
    checked = estate.run("schema.yml", "--check", "--diff")
    assert checked.exit_code == 0, checked.output
    assert ran(checked) == [(fqdn("dc02"), "ok", True)]
    assert "corp.example: pcns_schema PCNS (create)" in checked.output
    assert estate.forest.snapshot() == before

    done = estate.run("schema.yml")
    assert done.exit_code == 0, done.output
    assert ran(done) == ran(checked)
    assert estate.forest.directory.schema.parts == EVERYTHING
    assert installers(estate) == [fqdn("dc02")]
    assert estate.boots() == {"dc01": 0, "dc02": 0, "sso01": 0}

    again = estate.run("schema.yml")
    assert ran(again) == [(fqdn("dc02"), "ok", False)]
    estate.hides(estate.forest.operator_password)


def test_a_team_without_the_schema_master_is_told_who_can(estate: Estate) -> None:
    estate.forest.directory.schema.parts = frozenset()
    run = estate.run("schema.yml", "--limit", fqdn("dc01"))
    assert run.exit_code == 2
    says(message(failure(run, "dc01")), fqdn("dc02"), "playbooks/schema.yml", "Schema Admins", "SCHEMAONLY=TRUE")
    assert installers(estate) == [fqdn("dc02")]


def test_compliance_judges_it(estate: Estate) -> None:
    estate.forest.directory.schema.parts = EVERYTHING
    estate.forest.directory.hold_replication("DC01")
    estate.forest.directory.schema.write((), fqdn("dc01"))
    estate.run("compliance.yml")
    found = {item["subject"]: item["status"] for item in estate.report()["findings"] if item["control"] == "PCNS-010"}
    assert found == {"corp.example": "compliant", fqdn("dc01"): "manual"}
    (late,) = [item for item in findings(estate.report(), fqdn("dc01")) if item["control"] == "PCNS-010"]
    assert "which dc02.corp.example has" in str(late["message"])
