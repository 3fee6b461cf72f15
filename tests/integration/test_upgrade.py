# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A newer package over an older one, wave by wave: mixed versions are shown, none is downgraded, and the way back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from integration.estate import ALLOWED, Estate, findings, fqdn, message, says, small_forest
from integration.request_list import install

from lab.example import CAPTURE_LEAVES, SERVICE_LEAVES, package
from lab.playbooks import Run
from lab.windows.lsa import LSA, VALUE

DCS = ("dc01", "dc02")
OLD, NEW = "1.0.100.0", "1.1.200.0"
FILES = {OLD: "pcns-all-in-one.msi", NEW: "pcns-all-in-one-2.msi"}
ENTRIES = ("rassfm", "scecli", "PCNSFLT")


@dataclass(frozen=True)
class Upgrade:
    """An estate whose packages were upgraded, and then taken back on one domain controller.

    Attributes:
        estate: The estate.
        stopped: The upgrade, which failed in its second wave.
        mixed: The report then.
        finished: The upgrade once more.
        boots: Restarts in both.
        refused: The older package on all domain controllers.
        removed: Its removal from dc02.
        back: The older package on dc02.
        entries: `Notification Packages` of dc02 after each of the two.
    """

    estate: Estate
    stopped: Run
    mixed: Mapping[str, Any]
    finished: Run
    boots: Mapping[str, int]
    refused: Run
    removed: Run
    back: Run
    entries: tuple[tuple[str, ...], tuple[str, ...]]


def _versions(estate: Estate, version: str) -> None:
    estate.groups["domain_controllers"]["pcns_packages"] = [
        package("PCNS", FILES[version], {**CAPTURE_LEAVES, **SERVICE_LEAVES})
    ]
    estate.write()


@pytest.fixture(scope="module")
def upgrade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upgrade]:
    with Estate(small_forest(len(DCS)), tmp_path_factory.mktemp("upgrade")) as estate:
        for name in DCS:
            install(estate.forest, name)
        boots = estate.boots()
        _versions(estate, NEW)
        estate.host("dc01").faults.msiexec_exit_code = 1603
        stopped = estate.run("domain_controllers.yml", variables=ALLOWED)
        estate.run("compliance.yml", "--limit", "domain_controllers")
        mixed = estate.report()
        estate.host("dc01").faults.msiexec_exit_code = None
        finished = estate.run("domain_controllers.yml", variables=ALLOWED)
        boots = {name: count - boots[name] for name, count in estate.boots().items()}

        _versions(estate, OLD)
        refused = estate.run("domain_controllers.yml", variables=ALLOWED)
        only = ("--limit", fqdn("dc02"))
        named = {"pcns_remove": fqdn("dc02"), "pcns_directory_drain_restart_service": True}
        removed = estate.run("remove.yml", *only, variables={**ALLOWED, **named})
        registry = estate.host("dc02").registry
        first = registry.multi_string(LSA, VALUE) or ()
        back = estate.run("domain_controllers.yml", *only, variables=ALLOWED)
        entries = (first, registry.multi_string(LSA, VALUE) or ())
        yield Upgrade(estate, stopped, mixed, finished, boots, refused, removed, back, entries)


def _made(run: Run, resource: str) -> list[tuple[str, str, Any]]:
    return [
        (change["subject"], change["operation"], change["new"].get("version"))
        for change in run.changes
        if change["resource"] == resource
    ]


def test_one_domain_controller_after_the_other(upgrade: Upgrade) -> None:
    """The second wave fails, and the next run goes on with it: the first one is not touched again."""
    assert upgrade.stopped.exit_code == 2
    assert _made(upgrade.stopped, "msi_package") == [(fqdn("dc02"), "upgrade", NEW)]
    assert upgrade.finished.exit_code == 0, upgrade.finished.output
    assert _made(upgrade.finished, "msi_package") == [(fqdn("dc01"), "upgrade", NEW)]
    assert upgrade.boots == {"sso01": 0, "dc01": 1, "dc02": 1}
    assert f"upgrade PCNS {NEW}" in upgrade.stopped.output


def test_mixed_versions_are_shown(upgrade: Upgrade) -> None:
    (mixed,) = [item for item in upgrade.mixed["findings"] if item["control"] == "PCNS-009"]
    assert mixed["status"] == "manual"
    assert f"PCNS has several versions: {OLD} on {fqdn('dc01')}; {NEW} on {fqdn('dc02')}." in mixed["message"]
    (older,) = [item for item in findings(upgrade.mixed, fqdn("dc01")) if item["control"] == "PCNS-004"]
    assert older["status"] == "drift"
    assert f"PCNS is {OLD} instead of {NEW}" in older["message"]


def test_nothing_is_downgraded(upgrade: Upgrade) -> None:
    assert upgrade.refused.exit_code == 2
    assert upgrade.refused.changes == []
    failed = next(item for item in upgrade.refused.results if item.status == "failed")
    says(message(failed), f"PCNS {NEW} is installed on dc01.corp.example, which is newer than {OLD}")


def test_the_way_back_is_a_removal_and_an_installation(upgrade: Upgrade) -> None:
    for run in (upgrade.removed, upgrade.back):
        assert run.exit_code == 0, run.output
    assert _made(upgrade.removed, "msi_package") == [(fqdn("dc02"), "remove", None)]
    assert _made(upgrade.back, "msi_package") == [(fqdn("dc02"), "install", OLD)]
    assert upgrade.entries == (ENTRIES[:2], ENTRIES)
    host = upgrade.estate.host("dc02")
    assert host.lsa.is_loaded("PCNSFLT")
    assert [item.version for item in host.lsa.loaded if item.name == "PCNSFLT"] == [OLD]
    assert host.services.is_running("PCNSSVC")
