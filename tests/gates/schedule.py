# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order of a run: gates share a number of lanes, and a failure stops none of the others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from gates.gate import Gate, Outcome, Workspace


@dataclass(frozen=True)
class Result:
    """What came out of one gate, and how many seconds it took."""

    gate: Gate
    outcome: Outcome
    seconds: float


class Lanes:
    """A number of lanes that gates take and give back, first come first served."""

    def __init__(self, count: int) -> None:
        """Start with this many free lanes."""
        self.count = count
        self._free = count
        self._changed = threading.Condition()

    def take(self, lanes: int) -> None:
        """Wait until this many lanes are free, and take them."""
        with self._changed:
            self._changed.wait_for(lambda: self._free >= lanes)
            self._free -= lanes

    def give_back(self, lanes: int) -> None:
        """Free lanes again."""
        with self._changed:
            self._free += lanes
            self._changed.notify_all()


def run_gates(
    gates: Sequence[Gate],
    workspace: Workspace,
    lanes: int,
    started: Callable[[Gate], None],
    finished: Callable[[Result], None],
) -> list[Result]:
    """Run all gates in their order, as many side by side as the lanes allow, and return the results in that order.

    A gate that raises is a failure of that gate; its error goes into its log. started and finished are called from
    several threads, never two at once.
    """
    free = Lanes(lanes)
    report = threading.Lock()

    def run(gate: Gate, width: int) -> Result:
        begin = time.monotonic()
        try:
            outcome = gate.check(workspace)
        except Exception as error:
            with workspace.log(gate.name).open("a", encoding="utf-8") as stream:
                stream.write(f"The gate itself failed: {error!r}\n")
            outcome = Outcome(0, 1)
        finally:
            free.give_back(width)
        result = Result(gate, outcome, time.monotonic() - begin)
        with report:
            finished(result)
        return result

    with ThreadPoolExecutor(max_workers=lanes) as pool:
        try:
            futures = []
            for gate in gates:
                width = min(gate.lanes, lanes)
                free.take(width)
                with report:
                    started(gate)
                futures.append(pool.submit(run, gate, width))
            return [future.result() for future in futures]
        except BaseException:
            # Ctrl-C: without this the pool would wait for commands that no longer hear the terminal.
            workspace.processes.close()
            raise
