# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rollout_lock against an SSO server of the lab, with several runs that want it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from unittest.mock import patch

import pytest
from ansible.errors import AnsibleActionFail
from unit.lab_host import Lab, changes, observed, running

from ansible_collections.entsso.password_sync.plugins.module_utils._names import (
    ROLLOUT_LOCK_FOLDER,
    ROLLOUT_LOCK_KEY,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils import _rollout_lock
from ansible_collections.entsso.password_sync.plugins.plugin_utils._rollout_lock import Run
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._registry import Registry

HOST = "sso01"
THEM = Run("other.corp.example", 4711, 1)


@pytest.fixture(scope="module")
def started() -> Iterator[Lab]:
    with running() as lab:
        yield lab


@pytest.fixture
def lab(started: Lab) -> Iterator[Lab]:
    yield started
    started.simulated(HOST).faults.clock_offset_seconds = 0
    started.forget()
    started.run("rollout_lock", HOST, state="free", force=True)
    started.forget()


def as_run(lab: Lab, run: Run, **arguments: object) -> dict[str, object]:
    """Runs the module as another run of Ansible would."""
    lab.forget()
    with patch.object(_rollout_lock.Run, "of_this_task", return_value=run):
        return lab.run("rollout_lock", HOST, **arguments)


def folders(lab: Lab) -> list[str]:
    found = lab.simulated(HOST).files.folders
    return sorted(path for path in found if path.startswith(ROLLOUT_LOCK_FOLDER + "\\"))


def claims(lab: Lab) -> list[str]:
    return [item.name for item in lab.simulated(HOST).registry.values(ROLLOUT_LOCK_KEY) or ()]


def test_taken_and_given_back(lab: Lab) -> None:
    done = lab.converge("rollout_lock", HOST)
    assert [(resource, operation) for resource, operation, _new in changes(done)] == [("rollout_lock", "create")]
    assert observed(done, "rollout_lock")["owner"] == Run.of_this_task().owner
    assert folders(lab) == [rf"{ROLLOUT_LOCK_FOLDER}\1"]
    lab.converge("rollout_lock", HOST, state="free")
    assert folders(lab) == []
    assert not lab.simulated(HOST).registry.values(ROLLOUT_LOCK_KEY)


def test_a_second_run_stops(lab: Lab) -> None:
    as_run(lab, THEM)
    lab.forget()
    with pytest.raises(AnsibleActionFail, match=r"other\.corp\.example \(process 4711, 1\) holds it until"):
        lab.run("rollout_lock", HOST)
    assert lab.run("rollout_lock", HOST, state="free")["changed"] is False
    assert folders(lab) == [rf"{ROLLOUT_LOCK_FOLDER}\1"]


def test_taken_over_when_it_has_expired(lab: Lab) -> None:
    as_run(lab, THEM, minutes=30)
    lab.simulated(HOST).faults.clock_offset_seconds = 31 * 60
    lab.converge("rollout_lock", HOST)
    assert folders(lab) == [rf"{ROLLOUT_LOCK_FOLDER}\2"]
    assert [name.partition(" ")[0] for name in claims(lab)] == ["2"]


def test_taken_over_by_force(lab: Lab) -> None:
    as_run(lab, THEM)
    lab.forget()
    assert changes(lab.run("rollout_lock", HOST, force=True))[0][2]["number"] == 2


def test_a_dead_run_of_this_control_node_holds_nothing_up(lab: Lab) -> None:
    here = Run.of_this_task()
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    as_run(lab, Run(here.node, ended.pid, 7))
    assert changes(lab.converge("rollout_lock", HOST))[0][2]["number"] == 2


def test_of_two_that_try_at_once_one_fails(lab: Lab) -> None:
    """Both have seen that the lock is free; the other is a moment earlier."""
    files = lab.simulated(HOST).files
    make = _rollout_lock.RolloutLockResource._make

    def late(self: _rollout_lock.RolloutLockResource, number: int) -> None:
        files.make_folder(rf"{ROLLOUT_LOCK_FOLDER}\{number}")
        make(self, number)

    with (
        patch.object(_rollout_lock.RolloutLockResource, "_make", late),
        pytest.raises(AnsibleActionFail, match="another run has taken it at the same moment"),
    ):
        lab.run("rollout_lock", HOST)
    assert claims(lab) == []


class Killed(BaseException):
    """Ends a run without any chance to tidy up."""


@pytest.mark.parametrize("where", ["_make", "_write", "_remove"])
def test_a_run_that_is_killed_while_it_takes_the_lock_holds_nothing_up(lab: Lab, where: str) -> None:
    """On its own control node the next run takes over at once, from elsewhere when its time is over."""
    original = getattr(_rollout_lock.RolloutLockResource, where)

    def killed(self: _rollout_lock.RolloutLockResource, argument: object) -> None:
        original(self, argument)
        raise Killed

    here = Run.of_this_task()
    with patch.object(_rollout_lock.RolloutLockResource, where, killed), pytest.raises(Killed):
        as_run(lab, Run(here.node, 2**22, 7), minutes=30)
    assert len(claims(lab)) == 1
    if where != "_write":
        elsewhere = Run("elsewhere.corp.example", 1, 1)
        with pytest.raises(AnsibleActionFail, match="holds it until"):
            as_run(lab, elsewhere)
    lab.forget()
    assert changes(lab.converge("rollout_lock", HOST))[0][2]["number"] == (1 if where == "_write" else 2)


def test_a_run_that_is_killed_while_it_frees_the_lock_holds_nothing_up(lab: Lab) -> None:
    as_run(lab, THEM, minutes=30)
    with patch.object(Registry, "delete_value", side_effect=Killed), pytest.raises(Killed):
        as_run(lab, THEM, state="free")
    assert folders(lab) == []
    assert len(claims(lab)) == 1
    lab.forget()
    assert changes(lab.converge("rollout_lock", HOST))[0][2]["number"] == 1


def test_prolonged_by_the_run_that_holds_it(lab: Lab) -> None:
    lab.run("rollout_lock", HOST)
    first = observed(lab.run("rollout_lock", HOST), "rollout_lock")["expires"]
    lab.simulated(HOST).faults.clock_offset_seconds = 61 * 60
    done = lab.converge("rollout_lock", HOST)
    assert observed(done, "rollout_lock")["expires"] > first
    assert folders(lab) == [rf"{ROLLOUT_LOCK_FOLDER}\1"]
