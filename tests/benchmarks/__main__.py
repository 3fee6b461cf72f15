# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m benchmarks`: measures and prints."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import forest_rollout, processor, rollout, transfer
from benchmarks.play import INFO, require, write_play
from lab.example import one_package, two_packages, variables
from lab.forest import Forest
from lab.inventory import write_inventory
from lab.playbooks import PlaybookRunner, Run


def main() -> int:
    """Measures one pcns_info and its CPU time, how quickly files come to a host, plans, and a rollout."""
    with tempfile.TemporaryDirectory() as folder:
        print("Requests and bytes of one pcns_info, after authentication (at most 24 requests and 60 KB are promised):")
        for line in _requests(Path(folder)):
            print(f"  {line}")
        print("Bringing files to a host, best of several rounds:")
        for line in transfer.lines(Path(folder)):
            print(f"  {line}")
        print("Planning a rollout of 500 domain controllers in 60 sites (at most 1 second is promised):")
        for line in rollout.lines():
            print(f"  {line}")
        print("Rolling out a simulated forest with domain_controllers.yml (some minutes):", flush=True)
        for line in forest_rollout.lines(Path(folder) / "forest"):
            print(f"  {line}")
        print("CPU time of the control node for one pcns_info above an empty task (at most 40 ms a host are promised):")
        for line in processor.lines(Path(folder)):
            print(f"  {line}")
    return 0


def _requests(folder: Path) -> Sequence[str]:
    lines = []
    for label, packages in (("one package", one_package()), ("two packages", two_packages())):
        with Forest(populate=False) as forest:
            forest.add_domain_controller("dc01", "Paris")
            forest.add_sso_server("sso01", "Paris")
            wanted = variables(forest)
            wanted["domain_controllers"]["pcns_packages"] = packages
            runner = PlaybookRunner(
                write_inventory(forest, folder / label / "inventory", wanted), folder / label / "logs"
            )
            lines.append(f"{label}, bare:      {_statistics(_info(runner, folder, packages))}")
            done = runner.run("domain_controllers.yml", variables={"pcns_restart_allowed": True})
            require(done)
            lines.append(f"{label}, installed: {_statistics(_info(runner, folder, packages))}")
    return lines


def _info(runner: PlaybookRunner, folder: Path, packages: Sequence[Mapping[str, Any]]) -> Run:
    return runner.run(str(write_play(folder, [{"name": "Observe", INFO: {"packages": list(packages)}}])))


def _statistics(run: Run) -> str:
    require(run)
    statistics = run.of("pcns_info")[0].result["statistics"]
    return f"{statistics['requests']} requests, {statistics['bytes_sent']:,} bytes sent"


if __name__ == "__main__":
    sys.exit(main())
