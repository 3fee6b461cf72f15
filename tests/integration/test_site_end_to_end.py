# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""site.yml from a bare estate: what check mode predicts is what a run does, in each way that facts leave open.

Then, on the estate that works: one domain controller alone, a new one, and tags.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from integration.estate import ALLOWED, Estate, fqdn, message, rows, says, small_forest

from lab.example import PCNSCFG, map_user, two_packages
from lab.playbooks import Run, identities
from lab.settings import LabSettings, ListWithoutConfiguration, PcnsSettings

DCS = ("dc01", "dc02")
ORDER = ("dc02", "dc01")
"""dc01 holds the operations master roles, so it comes last."""
PACKAGES = two_packages()


@dataclass(frozen=True)
class Deployment:
    """An estate that was deployed, and how.

    Attributes:
        estate: The estate.
        check: The run in check mode.
        checked: Whether it left everything as it was.
        run: The run.
        boots: Restarts in it.
    """

    estate: Estate
    check: Run
    checked: bool
    run: Run
    boots: Mapping[str, int]


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with Estate(small_forest(len(DCS)), tmp_path_factory.mktemp("site")) as estate:
        estate.groups["domain_controllers"]["pcns_packages"] = PACKAGES
        estate.write()
        before = estate.forest.snapshot()
        check = estate.run("site.yml", "--check", "--diff", "-vvv", variables=ALLOWED)
        checked = estate.forest.snapshot() == before
        run = estate.run("site.yml", "--diff", "-vvv", variables=ALLOWED)
        yield Deployment(estate, check, checked, run, estate.boots())


def _of(changes: Sequence[Mapping[str, Any]], resource: str) -> list[tuple[str, str]]:
    return [(change["subject"], change["operation"]) for change in changes if change["resource"] == resource]


def test_check_changes_nothing(deployment: Deployment) -> None:
    assert deployment.check.exit_code == 0, deployment.check.output
    assert deployment.checked


def test_check_predicts_what_is_done(deployment: Deployment) -> None:
    assert deployment.run.exit_code == 0, deployment.run.output
    predicted, made = identities(deployment.check.changes), identities(deployment.run.changes)
    assert (predicted - made, made - predicted) == ({}, {})


def test_every_package_is_installed_and_each_restarts_once(deployment: Deployment) -> None:
    installed = [(fqdn(name), "install") for name in ORDER for _package in PACKAGES]
    assert _of(deployment.run.changes, "msi_package") == installed
    assert _of(deployment.run.changes, "domain_controller_restart") == [(fqdn(name), "restart") for name in ORDER]
    assert deployment.boots == {"sso01": 0, "dc01": 1, "dc02": 1}


def test_the_output_names_a_task_once_for_all_hosts(deployment: Deployment) -> None:
    """Ansible prints a title for each host that a `meta` task comes to, which on 200 of them is all that one sees."""
    for run in (deployment.check, deployment.run):
        titles = [line for line in run.output.splitlines() if line.startswith("TASK [")]
        assert len(titles) > 50
        assert [one for one, next_one in pairwise(titles) if one == next_one] == []


def test_the_password_stands_nowhere(deployment: Deployment) -> None:
    """Even with -vvv."""
    assert "ansible-playbook" in deployment.run.output
    deployment.estate.hides(deployment.estate.forest.operator_password)


def test_a_password_arrives_and_all_is_compliant(deployment: Deployment) -> None:
    forest = deployment.estate.forest
    map_user(forest, "alice")
    for name in DCS:
        forest.change_password(name, "alice")
    assert (len(forest.arrived("RACF")), len(forest.arrived("LDAP"))) == (2, 2)
    before = forest.snapshot()
    run = deployment.estate.run("compliance.yml")
    assert run.exit_code == 0, run.output
    assert deployment.estate.report()["compliant"]
    assert forest.snapshot() == before


def test_a_tag_does_no_harm(deployment: Deployment) -> None:
    """No task has a tag, so choosing one runs nothing."""
    before = deployment.estate.forest.snapshot()
    run = deployment.estate.run("site.yml", "--tags", "nothing", variables=ALLOWED)
    assert run.exit_code == 0, run.output
    assert not run.changed
    assert deployment.estate.forest.snapshot() == before


def test_a_new_domain_controller_alone(deployment: Deployment) -> None:
    """Its first contact is a check with --limit; others are not even connected to, but for the lock on dc01."""
    estate = deployment.estate
    estate.forest.add_domain_controller("DC03", "Lyon")
    estate.write()
    before, boots = estate.forest.snapshot(), estate.boots()
    others = estate.snapshots("sso01", *DCS)
    for endpoint in estate.forest.endpoints.values():
        endpoint.statistics.reset()
    limited = ("domain_controllers.yml", "--limit", fqdn("dc03"))

    check = estate.run(*limited, "--check")

    assert check.exit_code == 0, check.output
    assert estate.forest.snapshot() == before
    assert "A run would stop before this restart" in check.output

    run = estate.run(*limited, variables=ALLOWED)

    assert run.exit_code == 0, run.output
    # What the domain has can't be seen from a domain controller that has no pcnscfg yet, so its own changes count.
    predicted = [change for change in check.changes if change["subject"] == fqdn("dc03")]
    assert identities(predicted) == identities(run.changes)
    assert {name: count - boots[name] for name, count in estate.boots().items()} == {
        "sso01": 0,
        "dc01": 0,
        "dc02": 0,
        "dc03": 1,
    }
    assert estate.snapshots("sso01", *DCS) == others
    assert all(estate.forest.endpoints[fqdn(name)].statistics.connections == 0 for name in ("sso01", "dc02"))
    assert {item.action.rpartition(".")[2] for item in run.results if item.host == fqdn("dc01")} == set()
    assert estate.run("compliance.yml").exit_code == 0
    assert {row["capture_state"] for row in rows(estate.report()).values()} == {"working"}


def test_where_pcnscfg_lists_an_error_without_configuration(tmp_path: Path) -> None:
    """What it then prints is not public (pcns.md 11.1), so it can't be told from output that is not understood: the
    run stops with the way out, and going it lets the next run finish what check mode predicted."""
    settings = LabSettings(pcns=PcnsSettings(list_without_configuration=ListWithoutConfiguration.ERROR))
    site = ("site.yml", "--limit", "domain_controllers")
    with Estate(small_forest(2, settings), tmp_path) as estate:
        estate.groups["all"]["pcns_rollout_lock_host"] = fqdn("sso01")
        estate.write()
        untouched = estate.snapshots("dc01")
        check = estate.run(*site, "--check", variables=ALLOWED)
        assert check.exit_code == 0, check.output

        stopped = estate.run(*site, variables=ALLOWED)

        assert stopped.exit_code == 2
        (failure,) = [item for item in stopped.results if item.host == fqdn("dc02") and item.status == "failed"][:1]
        way_out = "pcnscfg service /R:0"
        says(
            message(failure),
            "PCNS configuration of corp.example",
            "on dc02.corp.example",
            "could not be understood",
            way_out,
        )
        assert estate.snapshots("dc01") == untouched
        assert estate.boots()["dc02"] == 0

        assert estate.host("dc02").run(f'"{PCNSCFG}" {way_out.partition(" ")[2]}')[0] == 0
        run = estate.run(*site, variables=ALLOWED)

        assert run.exit_code == 0, run.output
        assert {row["capture_state"] for row in rows(estate.report()).values()} == {"working"}
        predicted, made = (
            identities([change for change in changes if change["resource"] != "pcns_configuration"])
            for changes in (check.changes, [*stopped.changes, *run.changes])
        )
        assert predicted == made
