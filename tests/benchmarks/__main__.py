# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m benchmarks`: measures and prints."""

from __future__ import annotations

import json
import resource
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lab.example import one_package, two_packages, variables
from lab.forest import Forest
from lab.inventory import write_inventory
from lab.playbooks import PlaybookRunner, Run

FEW, MANY = 10, 50
REPEATS = 3
INFO = "entsso.password_sync.pcns_info"


@dataclass(frozen=True)
class Cost:
    """CPU time of a task on the control node, in milliseconds.

    Attributes:
        start: Once a run, mostly imports.
        host: For each host.
    """

    start: float
    host: float


def main() -> int:
    """Measures one pcns_info, bare and installed, and its CPU time above that of an empty task."""
    with tempfile.TemporaryDirectory() as folder:
        print("Requests and bytes of one pcns_info, after authentication (at most 24 requests and 60 KB are promised):")
        for line in _requests(Path(folder)):
            print(f"  {line}")
        own, empty = _cpu(Path(folder))
    print(f"CPU time of the control node, from runs with {FEW} and {MANY} domain controllers, best of {REPEATS}:")
    print(f"  pcns_info {own.host:.1f} ms a host and {own.start:.0f} ms a run")
    print(f"  an empty task {empty.host:.1f} ms a host and {empty.start:.0f} ms a run")
    above, ratio = own.host - empty.host, own.host / empty.host
    print(f"  above it: {above:.1f} ms a host (at most 40 ms are promised), {ratio:.1f} times as much")
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
            _require(done)
            lines.append(f"{label}, installed: {_statistics(_info(runner, folder, packages))}")
    return lines


def _cpu(folder: Path) -> tuple[Cost, Cost]:
    with Forest(populate=False) as forest:
        for number in range(1, MANY + 1):
            forest.add_domain_controller(f"dc{number:02}", "Paris")
        runner = PlaybookRunner(write_inventory(forest, folder / "cpu" / "inventory", {}), folder / "cpu" / "logs")
        runner.recording = False
        return (
            _cost(runner, folder, {INFO: {"packages": one_package()}}),
            _cost(runner, folder, {"ansible.builtin.debug": {"msg": ""}}),
        )


def _cost(runner: PlaybookRunner, folder: Path, action: Mapping[str, Any]) -> Cost:
    """What one task costs beyond a play with no task; apart what grows with the hosts and what does not."""
    playbook = _play(folder, [{"name": "Measure", **action}])
    few, many = (min(_children(runner, playbook, hosts) for _repeat in range(REPEATS)) for hosts in (FEW, MANY))
    host = (many - few) / (MANY - FEW)
    nothing = min(_children(runner, _play(folder, []), FEW) for _repeat in range(REPEATS))
    return Cost(start=(few - FEW * host - nothing) * 1000, host=host * 1000)


def _children(runner: PlaybookRunner, playbook: Path, hosts: int) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    _require(runner.run(str(playbook), "--limit", f"domain_controllers[0:{hosts - 1}]"))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _play(folder: Path, tasks: Sequence[Mapping[str, Any]]) -> Path:
    path = folder / "play.yml"
    play = {"name": "Measure", "hosts": "domain_controllers", "gather_facts": False, "tasks": list(tasks)}
    path.write_text(yaml.safe_dump([play]), encoding="utf-8")
    return path


def _info(runner: PlaybookRunner, folder: Path, packages: Sequence[Mapping[str, Any]]) -> Run:
    return runner.run(str(_play(folder, [{"name": "Observe", INFO: {"packages": list(packages)}}])))


def _statistics(run: Run) -> str:
    _require(run)
    statistics = run.of("pcns_info")[0].result["statistics"]
    return f"{statistics['requests']} requests, {statistics['bytes_sent']:,} bytes sent"


def _require(run: Run) -> None:
    if run.exit_code != 0:
        sys.exit(json.dumps(run.output[-3000:]))


if __name__ == "__main__":
    sys.exit(main())
