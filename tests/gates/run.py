# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the gates of `make test` and sums them up: python -m gates.run [gate ...].

Shows each gate with its seconds, and the end of its log where it failed. A failure stops no other gate. The closing
lines name what ran, what failed and what this machine left out; the very last one is "N passed, N failed". The exit
code is 0 only without a failure.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import os
import platform
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from gates.catalogue import GATES
from gates.gate import Gate, Workspace
from gates.processes import Processes
from gates.schedule import Result, run_gates
from gates.tree import collection_copy

_HEARTBEAT = 30.0
_TAIL = 60


class Progress:
    """Prints what happens while the gates run."""

    def __init__(self, workspace: Workspace, total: int) -> None:
        """Count up to this many gates."""
        self._workspace = workspace
        self._total = total
        self._done = 0
        self._running: dict[str, float] = {}

    def started(self, gate: Gate) -> None:
        """Remember a gate for the heartbeat."""
        self._running[gate.name] = time.monotonic()

    def finished(self, result: Result) -> None:
        """Print one line for a gate, and the end of its log where it failed."""
        self._running.pop(result.gate.name, None)
        self._done += 1
        outcome = result.outcome
        word = "FAILED" if outcome.failed else "ok" if outcome.passed else "left out"
        note = f" ({outcome.note})" if outcome.note else ""
        number = f"[{self._done:2}/{self._total}]"
        print(f"{number} {word:8} {result.seconds:6.1f} s  {result.gate.name}: {result.gate.title}{note}", flush=True)
        if outcome.failed:
            log = self._workspace.log(result.gate.name)
            lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
            for line in lines[-_TAIL:]:
                print(f"    {line}")
            print(f"    ... the whole output: {log}", flush=True)

    @contextlib.contextmanager
    def heartbeat(self) -> Iterator[None]:
        """Name the gates that are still running every half minute."""
        over = threading.Event()

        def beat() -> None:
            while not over.wait(_HEARTBEAT):
                now = time.monotonic()
                running = ", ".join(f"{name} ({now - since:.0f} s)" for name, since in dict(self._running).items())
                print(f"        still running: {running}", flush=True)

        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def summary(results: Sequence[Result], not_chosen: Sequence[str], machine: str, logs: Path) -> list[str]:
    """Return the closing lines of a run."""
    ran = [result.gate.name for result in results if result.outcome.passed or result.outcome.failed]
    failed = [result.gate.name for result in results if result.outcome.failed]
    left_out = [sentence for result in results for sentence in result.outcome.left_out]
    if not_chosen:
        left_out.append(f"not chosen: {', '.join(not_chosen)}")
    lines = [f"{len(ran)} gates ran ({', '.join(ran)}) with {machine}. Failed: {', '.join(failed) or 'none'}."]
    if left_out:
        lines.append(f"LEFT OUT on this machine: {'; '.join(dict.fromkeys(left_out))}.")
    else:
        lines.append("Nothing was left out on this machine.")
    lines.append(f"The whole output of each gate: {logs}/")
    passed, failures = count(results)
    lines.append(f"{passed} passed, {failures} failed")
    return lines


def count(results: Sequence[Result]) -> tuple[int, int]:
    """Return how many checks passed and failed; a run that checked nothing counts as one failure."""
    passed = sum(result.outcome.passed for result in results)
    failed = sum(result.outcome.failed for result in results)
    return (passed, failed) if passed + failed else (0, 1)


def main(arguments: Sequence[str]) -> int:
    """Run the gates that were named, or all, and return the exit code."""
    names = [gate.name for gate in GATES]
    parser = argparse.ArgumentParser(prog="make test", description="Run the gates of the project.")
    parser.add_argument(
        "gates", nargs="*", metavar="gate", help=f"one of: {', '.join(names)} (default: all but connections)"
    )
    wanted = parser.parse_args(arguments).gates or [gate.name for gate in GATES if not gate.by_name]
    if unknown := [name for name in wanted if name not in names]:
        parser.error(f"no such gate: {', '.join(unknown)}. There are: {', '.join(names)}")
    chosen = [gate for gate in GATES if gate.name in wanted]

    root = Path(__file__).resolve().parents[2]
    core = os.environ.get("CORE")
    folder = f"py{sys.version_info[0]}.{sys.version_info[1]}{f'-core{core}' if core else ''}"
    workspace = Workspace(
        root=root,
        logs=root / "build" / "logs" / folder,
        scratch=root / "build" / "gates" / folder,
        processes=Processes(),
        coverage="coverage" in wanted,
    )
    shutil.rmtree(workspace.logs, ignore_errors=True)
    workspace.logs.mkdir(parents=True)
    (workspace.scratch / "coverage").unlink(missing_ok=True)
    collection_copy(workspace, "lint")
    machine = f"Python {platform.python_version()} and ansible-core {importlib.metadata.version('ansible-core')}"
    print(f"{len(chosen)} gates with {machine}; logs in {workspace.logs.relative_to(root)}/", flush=True)

    # Commands run in sessions of their own: without this a stopped run would leave them behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    progress = Progress(workspace, len(chosen))
    lanes = min(os.cpu_count() or 1, 2)
    try:
        with progress.heartbeat():
            results = run_gates(chosen, workspace, lanes, progress.started, progress.finished)
    except KeyboardInterrupt:
        print("\nInterrupted.", flush=True)
        return 130
    not_chosen = [gate.name for gate in GATES if gate.name not in wanted and not gate.by_name]
    print()
    for line in summary(results, not_chosen, machine, workspace.logs.relative_to(root)):
        print(line)
    passed, failed = count(results)
    (workspace.logs / "counts").write_text(f"{passed} {failed}\n", encoding="utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
