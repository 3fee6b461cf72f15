# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a gate is, and what comes out of one."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gates.processes import Finished, Processes


@dataclass(frozen=True)
class Outcome:
    """What a gate counted.

    passed and failed are numbers of checks (a gate that runs pytest counts tests, others count as one). left_out names
    in plain sentences what this machine could not check and why. note is one short remark for the progress line.
    """

    passed: int
    failed: int
    left_out: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Workspace:
    """Where a run takes place: the repository, the Python under test, and folders for logs and scratch copies.

    coverage says whether the unit tests are to measure it.
    """

    root: Path
    logs: Path
    scratch: Path
    processes: Processes
    python: str = sys.executable
    version: str = field(default=f"{sys.version_info[0]}.{sys.version_info[1]}")
    coverage: bool = True

    @property
    def collection(self) -> Path:
        """Return the copy of the collection that the linters share (made by gates.tree before the gates start)."""
        return self.copy("lint")

    def copy(self, purpose: str) -> Path:
        """Return the folder for a copy of the collection, named as Ansible's tools insist on."""
        return self.scratch / purpose / "ansible_collections" / "entsso" / "password_sync"

    def log(self, gate: str) -> Path:
        """Return the file that holds the whole output of a gate."""
        return self.logs / f"{gate}.log"

    def tool(self, name: str) -> str:
        """Return the path of a command installed in the virtual environment of the running Python."""
        return str(Path(self.python).parent / name)

    def environment(self, **extra: str) -> dict[str, str]:
        """Return the environment for the tools of a gate: the caller's, less what would change a tool's verdict.

        Settings of Ansible, git, pytest and Python that someone exported must not decide whether a gate passes.
        """
        dropped = ("ANSIBLE_", "COVERAGE_", "GIT_DIR", "GIT_INDEX", "GIT_WORK", "PYTEST_", "PYTHON", "VIRTUAL_ENV")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
        kept["LC_ALL"] = "C.UTF-8"
        kept["PATH"] = f"{Path(self.python).parent}{os.pathsep}{kept.get('PATH', os.defpath)}"
        kept["PYTHONPATH"] = f"{self.root / 'build' / 'collections'}{os.pathsep}{self.root / 'tests'}"
        kept["ANSIBLE_COLLECTIONS_PATH"] = str(self.root / "build" / "collections")
        kept["ANSIBLE_HOME"] = str(self.root / "build" / "ansible-home")
        kept["HYPOTHESIS_STORAGE_DIRECTORY"] = str(self.root / "build" / "hypothesis")
        return kept | extra

    def run(
        self, gate: str, command: list[str], *, cwd: Path | None = None, environment: Mapping[str, str] | None = None
    ) -> Finished:
        """Run one command of a gate, append its output to the gate's log, and wait for it."""
        return self.processes.run(
            command, cwd=cwd or self.root, environment=environment or self.environment(), log=self.log(gate)
        )


@dataclass(frozen=True)
class Gate:
    """One check of the project: short name, title for people, how to run it, and how many of the two lanes it takes.

    A gate that runs only by_name repeats a part of others, for another ansible-core.
    """

    name: str
    title: str
    check: Callable[[Workspace], Outcome]
    lanes: int = 1
    by_name: bool = False


def command_gate(name: str, title: str, command: Callable[[Workspace], list[str]], *, in_copy: bool = False) -> Gate:
    """Return a gate that is one command and passes when the command ends with 0.

    in_copy runs it in the copy of the collection, for tools that find the collection only in Ansible's folder layout or
    would look through build/.
    """

    def check(workspace: Workspace) -> Outcome:
        if in_copy:
            environment = workspace.environment(ANSIBLE_COLLECTIONS_PATH=str(workspace.collection.parents[2]))
            finished = workspace.run(name, command(workspace), cwd=workspace.collection, environment=environment)
        else:
            finished = workspace.run(name, command(workspace))
        return Outcome(0, 1) if finished.exit_code else Outcome(1, 0)

    return Gate(name, title, check)
