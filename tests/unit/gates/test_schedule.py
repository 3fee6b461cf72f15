# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The run of the gates: order, lanes, failures that stop nothing."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import pytest

from gates.gate import Gate, Outcome, Workspace, command_gate
from gates.processes import Processes
from gates.schedule import Result, run_gates


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Return a workspace in an empty folder, with a deadline that a hung command would show soon."""
    logs = tmp_path / "logs"
    logs.mkdir()
    return Workspace(root=tmp_path, logs=logs, scratch=tmp_path / "scratch", processes=Processes(deadline=20))


def _run(gates: list[Gate], workspace: Workspace, lanes: int = 2) -> list[Result]:
    return run_gates(gates, workspace, lanes, lambda gate: None, lambda result: None)


def test_a_failure_and_an_error_stop_no_other_gate(workspace: Workspace) -> None:
    def broken(_workspace: Workspace) -> Outcome:
        raise RuntimeError("no such thing")

    gates = [
        command_gate("bad", "ends with 3", lambda w: [w.python, "-c", "print('from bad'); raise SystemExit(3)"]),
        Gate("broken", "raises", broken),
        command_gate("absent", "no such command", lambda w: [str(w.root / "absent")]),
        command_gate("good", "ends with 0", lambda w: [w.python, "-c", "print('from good')"]),
    ]
    results = _run(gates, workspace)
    assert [(result.gate.name, result.outcome.passed, result.outcome.failed) for result in results] == [
        ("bad", 0, 1),
        ("broken", 0, 1),
        ("absent", 0, 1),
        ("good", 1, 0),
    ]
    assert "from bad" in workspace.log("bad").read_text()
    assert "no such thing" in workspace.log("broken").read_text()
    assert "could not be started" in workspace.log("absent").read_text()


def test_light_gates_share_the_lanes_and_a_heavy_one_runs_alone(workspace: Workspace) -> None:
    lock = threading.Lock()
    running: set[str] = set()
    seen: dict[str, set[str]] = {}

    def gate(name: str, lanes: int) -> Gate:
        def check(_workspace: Workspace) -> Outcome:
            with lock:
                running.add(name)
            time.sleep(0.2)
            with lock:
                seen[name] = set(running)
                running.discard(name)
            return Outcome(1, 0)

        return Gate(name, name, check, lanes)

    _run([gate("one", 1), gate("two", 1), gate("heavy", 2), gate("last", 1)], workspace)
    assert seen["one"] | seen["two"] == {"one", "two"}
    assert seen["heavy"] == {"heavy"}
    assert seen["last"] == {"last"}


def test_a_heavy_gate_fits_a_machine_with_one_lane(workspace: Workspace) -> None:
    gates = [Gate("heavy", "takes two lanes", lambda _workspace: Outcome(1, 0), lanes=2)]
    assert [result.outcome for result in _run(gates, workspace, lanes=1)] == [Outcome(1, 0)]


def test_a_command_that_never_ends_is_stopped_with_its_children_and_fails(tmp_path: Path) -> None:
    marker = tmp_path / "still-here"
    child = f"import time, pathlib; time.sleep(3); pathlib.Path({str(marker)!r}).touch()"
    parent = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {child!r}]); time.sleep(60)"
    log = tmp_path / "log"
    finished = Processes(deadline=1).run([sys.executable, "-c", parent], cwd=tmp_path, environment={}, log=log)
    assert finished.exit_code != 0
    assert "Stopped after 1 s" in log.read_text()
    time.sleep(3)
    assert not marker.exists()


def test_exported_settings_of_the_caller_do_not_reach_the_tools(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANSIBLE_STDOUT_CALLBACK", "minimal")
    monkeypatch.setenv("PYTEST_ADDOPTS", "--co")
    monkeypatch.setenv("GIT_DIR", "/elsewhere")
    monkeypatch.setenv("KEPT", "yes")
    environment = workspace.environment()
    assert {"ANSIBLE_STDOUT_CALLBACK", "PYTEST_ADDOPTS", "GIT_DIR"}.isdisjoint(environment)
    assert environment["KEPT"] == "yes"
