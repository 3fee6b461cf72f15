# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rollout on real ansible-playbook: planned, approved, refused when something differs, and run wave by wave."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from integration.estate import ALLOWED, Estate, fqdn, small_forest
from integration.request_list import install

from lab.playbooks import Run, identities
from lab.windows.lsa import LSA, VALUE
from lab.windows.registry import ValueType

SITES = {"dc01": "Paris", "dc02": "Paris", "dc03": "Lyon", "dc04": "Lyon"}
POLICY = {"max_unavailable_total": 2}
PLANNED = (
    "groups['domain_controllers'] | map('extract', hostvars) | selectattr('rollout', 'defined')"
    " | map(attribute='rollout') | first | default({})"
)
PLAYBOOK: list[dict[str, Any]] = [
    {
        "name": "Observe and plan",
        "hosts": "domain_controllers",
        "gather_facts": False,
        "tasks": [
            {
                "name": "Observe the domain controller",
                "ansible.builtin.import_role": {"name": "entsso.password_sync.pcns", "tasks_from": "observe"},
            },
            {
                "name": "Plan the rollout",
                "entsso.password_sync.rollout_plan": {
                    "domain_controllers": "{{ ansible_play_hosts_all }}",
                    "directory": "{{ directory }}",
                    "worst_case_seconds": 600,
                    **{
                        name: f"{{{{ {name} | default(omit) }}}}" for name in ("policy", "dest", "src", "approved_plan")
                    },
                },
                "register": "rollout",
                "run_once": True,
            },
        ],
    },
    {
        "name": "Bring one wave to work",
        "hosts": "{{ waves | flatten | default(['all:!all'], true) }}",
        "serial": "{{ waves | map('length') | list | default([1], true) }}",
        "gather_facts": False,
        "vars": {
            "waves": "{{ (approved_plan is defined) | ternary("
            f"({PLANNED}).waves | default([]) | map(attribute='domain_controllers'), []) }}}}"
        },
        "roles": [{"role": "entsso.password_sync.pcns"}],
    },
]
"""Waves run only where a plan was approved."""


@dataclass(frozen=True)
class Rollout:
    """What happened, one run after the other.

    Attributes:
        checked: Check mode of the planning.
        planned: The planning.
        text: The plan file.
        refused: A run with the approved plan, after somebody broke dc04.
        untouched: Whether nothing was changed by the three.
        done: The rollout.
        restarts: Restarts by the rollout.
    """

    checked: Run
    planned: Run
    text: str
    refused: Run
    untouched: bool
    done: Run
    restarts: Mapping[str, int]


def _directory() -> list[dict[str, Any]]:
    return [
        {
            "dns_name": fqdn(name),
            "site": site,
            "domain": "corp.example",
            "roles": ["pdc_emulator"] if name == "dc01" else [],
            "global_catalog": True,
        }
        for name, site in SITES.items()
    ]


@pytest.fixture(scope="module")
def rollout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rollout]:
    """On dc04 only the service stands still; after the approval somebody installs and restarts dc03 by hand."""
    folder = tmp_path_factory.mktemp("rollout-plan")
    playbook, dest = str(folder / "rollout.yml"), folder / "plan" / "rollout.json"
    Path(playbook).write_text(yaml.safe_dump(PLAYBOOK, sort_keys=False), encoding="utf-8")
    with Estate(small_forest(4), folder) as estate:
        install(estate.forest, "dc04")
        before = estate.snapshots(*SITES)
        wanted = {"directory": _directory(), "policy": POLICY, "dest": str(dest)}
        checked = estate.run(playbook, "--check", variables=wanted)
        assert not dest.exists()
        planned = estate.run(playbook, variables=wanted)
        text = dest.read_text(encoding="ascii")
        packages = estate.host("dc04").registry.get(LSA, VALUE)
        assert packages is not None
        estate.host("dc04").registry.set(LSA, VALUE, ValueType.MULTI_SZ, ["scecli"])
        broken = estate.snapshots(*SITES)
        approved = {
            "directory": _directory(),
            "src": str(dest),
            "approved_plan": hashlib.sha256(dest.read_bytes()).hexdigest(),
            **ALLOWED,
        }
        refused = estate.run(playbook, variables=approved)
        untouched = estate.snapshots(*SITES) == broken
        estate.host("dc04").registry.set(LSA, VALUE, packages.type, packages.data)
        untouched = untouched and estate.snapshots(*SITES) == before
        install(estate.forest, "dc03")
        boots = estate.boots()
        done = estate.run(playbook, "--forks", "5", variables=approved)
        after = estate.boots()
        yield Rollout(
            checked,
            planned,
            text,
            refused,
            untouched,
            done,
            {name: after[name] - boots[name] for name in SITES},
        )


def _result(run: Run) -> Mapping[str, Any]:
    (found,) = [item.result for item in run.results if item.action == "entsso.password_sync.rollout_plan"]
    return found


def test_check_mode_plans_the_same_and_writes_nothing(rollout: Rollout) -> None:
    checked, planned = _result(rollout.checked), _result(rollout.planned)
    for name in ("changed", "waves", "sha256", "table", "dest"):
        assert checked[name] == planned[name], name
    assert checked["changed"] is True
    assert rollout.untouched


def test_the_plan_is_shown_and_saved_with_its_sum(rollout: Rollout) -> None:
    result = _result(rollout.planned)
    assert [[name.partition(".")[0] for name in wave["domain_controllers"]] for wave in result["waves"]] == [
        ["dc02", "dc03"],
        ["dc04"],
        ["dc01"],
    ]
    assert hashlib.sha256(rollout.text.encode()).hexdigest() == result["sha256"]
    for line in (*result["table"], f"SHA-256 of the plan: {result['sha256']}"):
        assert line in rollout.planned.output
    assert result["msg"] == "4 domain controllers in 3 waves, 3 restarts, at most 30 min."


def test_the_file_holds_the_changes_that_each_domain_controller_needs(rollout: Rollout) -> None:
    observed = {item.host: item.result["planned"] for item in rollout.planned.of("pcns_info")}
    document = json.loads(rollout.text)
    written = {item["name"]: item["changes"] for wave in document["waves"] for item in wave["domain_controllers"]}
    assert written == {name: changes for name, changes in observed.items() if changes}
    assert [change["resource"] for change in written[fqdn("dc02")]] == ["msi_package", "domain_controller_restart"]
    assert [change["new"] for change in written[fqdn("dc04")]] == [{"state": "running"}]


def test_what_was_not_approved_is_refused_and_nothing_is_touched(rollout: Rollout) -> None:
    assert rollout.refused.exit_code == 2
    (problem,) = _result(rollout.refused)["problems"]
    assert problem["subject"] == fqdn("dc04")
    assert problem["reason"] == (
        "the approved plan does not have update notification_package PCNSFLT (registered=true)"
    )
    assert problem["reason"] in " ".join(rollout.refused.output.split())
    assert rollout.untouched
    assert not rollout.refused.of("msi_package")


def test_the_waves_run_one_after_the_other_and_do_what_was_approved(rollout: Rollout) -> None:
    assert rollout.done.exit_code == 0, rollout.done.output
    order = [item.host for item in rollout.done.of("domain_controller_restart")]
    assert sorted(order[:2]) == [fqdn("dc02"), fqdn("dc03")]
    assert order[2:] == [fqdn("dc04"), fqdn("dc01")]
    assert rollout.restarts == {"dc01": 1, "dc02": 1, "dc03": 0, "dc04": 0}
    document = json.loads(rollout.text)
    members = [item for wave in document["waves"] for item in wave["domain_controllers"]]
    granted = identities([change for item in members for change in (*item["changes"], *item["possible"])])
    own = {"pcns_configuration", "pcns_target"}
    made = identities([change for change in rollout.done.changes if change["resource"] not in own])
    assert made <= granted, made - granted
