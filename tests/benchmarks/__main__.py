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
from pathlib import Path
from typing import Any

import yaml

from lab.example import one_package, two_packages, variables
from lab.forest import Forest
from lab.inventory import write_inventory
from lab.playbooks import PlaybookRunner, Run

HOSTS = 30
REPEATS = 3
INFO = "entsso.password_sync.pcns_info"


def main() -> int:
    """Measures one pcns_info, bare and installed, and its CPU time above that of an empty task."""
    with tempfile.TemporaryDirectory() as folder:
        print("Requests and bytes of one pcns_info, after authentication (at most 24 requests and 60 KB are promised):")
        for line in _requests(Path(folder)):
            print(f"  {line}")
        own, empty = _cpu(Path(folder))
    above = (own - empty) / HOSTS * 1000
    print(f"CPU time of the control node, {HOSTS} domain controllers, best of {REPEATS}:")
    print(
        f"  pcns_info {own / HOSTS * 1000:.1f} ms a host, an empty task {empty / HOSTS * 1000:.1f} ms, "
        f"{own / empty:.1f} times as much"
    )
    print(f"  above the empty task: {above:.1f} ms a host (at most 40 ms are promised)")
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


def _cpu(folder: Path) -> tuple[float, float]:
    packages = one_package()
    with Forest(populate=False) as forest:
        for number in range(1, HOSTS + 1):
            forest.add_domain_controller(f"dc{number:02}", "Paris")
        runner = PlaybookRunner(write_inventory(forest, folder / "cpu" / "inventory", {}), folder / "cpu" / "logs")
        own = min(_seconds(runner, folder, INFO, {"packages": packages}) for _unused in range(REPEATS))
        empty = min(_seconds(runner, folder, "ansible.builtin.debug", {"msg": ""}) for _unused in range(REPEATS))
    return own, empty


def _seconds(runner: PlaybookRunner, folder: Path, action: str, arguments: Mapping[str, Any]) -> float:
    """CPU time of a play with this one task, without that of a play with none."""
    used = [_children(runner, _play(folder, tasks)) for tasks in ([], [{"name": "Measure", action: dict(arguments)}])]
    return used[1] - used[0]


def _children(runner: PlaybookRunner, playbook: Path) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    _require(runner.run(str(playbook)))
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
