# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a playbook of this collection against the lab, as a user would, and reads what it did."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
PLAYBOOKS = REPOSITORY / "playbooks"
RECORDING = {
    "ANSIBLE_CALLBACK_PLUGINS": str(Path(__file__).parent / "callback"),
    "ANSIBLE_CALLBACKS_ENABLED": "record",
}


@dataclass(frozen=True)
class TaskResult:
    """What one task did on one host.

    Attributes:
        host: Inventory name.
        task: Task name.
        action: Action name.
        status: `ok`, `failed`, `ignored`, `skipped` or `unreachable`.
        result: What the task returned.
    """

    host: str
    task: str
    action: str
    status: str
    result: Mapping[str, Any]

    @property
    def changes(self) -> Sequence[Mapping[str, Any]]:
        """The planned changes that the task made, or in check mode would make."""
        return self.result.get("changes") or ()


@dataclass(frozen=True)
class Run:
    """One run of ansible-playbook.

    Attributes:
        exit_code: Its exit code.
        output: Everything it printed.
        results: Every task result, in order.
        seconds: How long it took.
    """

    exit_code: int
    output: str
    results: Sequence[TaskResult]
    seconds: float

    @property
    def changed(self) -> Sequence[TaskResult]:
        """Results of tasks that say that they changed something."""
        return [result for result in self.results if result.result.get("changed")]

    @property
    def changes(self) -> Sequence[Mapping[str, Any]]:
        """Every change of every task, in order.

        The lock of a rollout is no change of the estate: it is given back when the run ends, and check mode takes none.
        """
        found = [change for result in self.changed for change in result.changes]
        return [change for change in found if change["resource"] != "rollout_lock"]

    def of(self, action: str) -> Sequence[TaskResult]:
        """Results of one module where it ran, by its short name."""
        name = f"entsso.password_sync.{action}"
        return [result for result in self.results if result.action == name and result.status != "skipped"]


def identities(changes: Sequence[Mapping[str, Any]]) -> Counter[str]:
    """Changes as a multiset of what makes them the same: subject, resource, name, operation and new values."""
    names = ("subject", "resource", "name", "operation", "new")
    return Counter(json.dumps({name: change[name] for name in names}, sort_keys=True) for change in changes)


class PlaybookRunner:
    """Runs playbooks with one inventory."""

    def __init__(self, inventory: Path, folder: Path, *, on_result: Callable[[TaskResult], None] | None = None) -> None:
        self.inventory = inventory
        self.folder = folder
        self.on_result = on_result
        self.recording = True
        """Whether every task result is written down, which costs the control node time of its own."""
        folder.mkdir(parents=True, exist_ok=True)

    def run(
        self,
        playbook: str,
        *arguments: str,
        variables: Mapping[str, Any] | None = None,
        name: str = "",
        kill_when: Callable[[], bool] | None = None,
        on_start: Callable[[Callable[[], None]], None] | None = None,
    ) -> Run:
        """Runs one playbook and waits for its end.

        Args:
            playbook: File name in the folder `playbooks`, or a full path.
            arguments: More command line arguments.
            variables: Extra variables.
            name: Name of the log file; the playbook's name when empty.
            kill_when: Asked again and again; as soon as it is true, the run and its workers are killed (SIGKILL).
            on_start: Given a function that kills the run and its workers (SIGKILL) whenever it is called.
        """
        path = Path(playbook) if Path(playbook).is_absolute() else PLAYBOOKS / playbook
        label = name or path.stem
        record, log = self.folder / f"{label}.jsonl", self.folder / f"{label}.log"
        record.write_text("", encoding="utf-8")
        command = [_ansible_playbook(), "-i", str(self.inventory), str(path), *arguments]
        if variables:
            command += ["--extra-vars", json.dumps(dict(variables))]
        started = time.monotonic()
        stop = threading.Event()
        follower = threading.Thread(target=self._follow, args=(record, stop), daemon=True)
        follower.start()
        with log.open("w", encoding="utf-8") as output:
            process = subprocess.Popen(
                command,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=self._environment(record),
                cwd=REPOSITORY,
            )
            try:
                if on_start is not None:
                    on_start(lambda: _kill(process))
                exit_code = _waited(process, kill_when)
            except BaseException:
                _kill(process)
                raise
        stop.set()
        follower.join()
        return Run(exit_code, log.read_text(encoding="utf-8"), _read(record), time.monotonic() - started)

    def _follow(self, record: Path, stop: threading.Event) -> None:
        if self.on_result is None:
            return
        with record.open(encoding="utf-8") as file:
            line = ""
            while True:
                # What is being written just now comes in pieces.
                line += file.readline()
                if line.endswith("\n"):
                    self.on_result(TaskResult(**json.loads(line)))
                    line = ""
                elif stop.is_set():
                    return
                else:
                    time.sleep(0.1)

    def _environment(self, record: Path) -> dict[str, str]:
        home = self.folder / "ansible-home"
        configuration = self.folder / "ansible.cfg"
        configuration.write_text("[defaults]\n", encoding="utf-8")
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")},
            "ANSIBLE_CONFIG": str(configuration),
            "ANSIBLE_HOME": str(home),
            "ANSIBLE_LOCAL_TEMP": str(home / "tmp"),
            "ANSIBLE_COLLECTIONS_PATH": os.environ.get(
                "ANSIBLE_COLLECTIONS_PATH", str(REPOSITORY / "build" / "collections")
            ),
            **(RECORDING if self.recording else {}),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_RETRY_FILES_ENABLED": "0",
            "LAB_RECORD": str(record),
            "LC_ALL": "C.UTF-8",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        }


def _ansible_playbook() -> str:
    beside = Path(sys.executable).parent / "ansible-playbook"
    found = str(beside) if beside.exists() else shutil.which("ansible-playbook")
    if found is None:
        raise FileNotFoundError("ansible-playbook is neither beside this Python nor on the path")
    return found


def _waited(process: subprocess.Popen[bytes], kill_when: Callable[[], bool] | None) -> int:
    while kill_when is not None and process.poll() is None:
        if kill_when():
            _kill(process)
        time.sleep(0.01)
    return process.wait()


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kills a run at once. Ansible's workers are in sessions of their own, so they are looked for by parentage."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGSTOP)
    for worker in _descendants(process.pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)
    process.kill()
    process.wait()


def _descendants(pid: int) -> list[int]:
    """Returns the processes that a process has started, and theirs; Linux only."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name, in parentheses, may hold anything; state and parent follow it.
            fields = entry.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            parents[int(entry.parent.name)] = int(fields[1])
    found, wave = list[int](), {pid}
    while wave:
        wave = {child for child, parent in parents.items() if parent in wave}
        found += wave
    return found


def _read(record: Path) -> list[TaskResult]:
    text = record.read_text(encoding="utf-8")
    # A run that was killed may leave half a line.
    return [TaskResult(**json.loads(line)) for line in text.splitlines(keepends=True) if line.endswith("\n")]
