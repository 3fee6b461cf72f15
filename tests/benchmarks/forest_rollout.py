# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m benchmarks.forest_rollout`: domain_controllers.yml on a simulated forest of 200 domain controllers.

Installations and restarts take minutes of simulated time, and another time on each machine. The figures of the rollout
are sums of what the lab's machines were seen to be busy with; the control node's own work is told beside them.
"""

from __future__ import annotations

import random
import resource
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.play import require
from lab.example import variables
from lab.forest import Forest
from lab.inventory import write_inventory
from lab.playbooks import PlaybookRunner, Run
from lab.settings import LabSettings, WindowsSettings
from lab.windows.host import SimulatedHost

DOMAIN_CONTROLLERS, SITES = 200, 25
POLICY = {"max_unavailable_total": 25, "max_unavailable_per_site": 1}
SCALE = 0.01
"""Seconds of the wall clock for each simulated second."""
INSTALLATION, RESTART = (60.0, 180.0), (180.0, 420.0)
"""Between how many simulated seconds each takes: 120 and 300 on average. The lab's own figures, not Windows'."""
PATIENCE = {
    "pcns_restart_deadline": 600,
    "pcns_health_deadline": 600,
    "pcns_health_interval": 1.0,
    "password_sync_ldap_connection_timeout": 60,
}
"""All machines share the processors of this one, so an answer may be late."""
_SAMPLE = 0.01


@dataclass(frozen=True)
class Machine:
    """One domain controller as the lab saw it.

    Attributes:
        site: Its site.
        busy: Simulated seconds in which it was installing or down.
    """

    site: str
    busy: float


@dataclass(frozen=True)
class Rollout:
    """What was measured.

    Attributes:
        machines: By name.
        waves: Names, wave after wave.
        alone: Names of those that must be the only one down.
        down: Most that were down at the same time.
        down_in_a_site: The same in one site.
        seconds: Wall time of the run.
        processor: Seconds of processor time of the control node.
    """

    machines: Mapping[str, Machine]
    waves: Sequence[Sequence[str]]
    alone: frozenset[str]
    down: int
    down_in_a_site: int
    seconds: float
    processor: float

    @property
    def makespan(self) -> float:
        """Each wave takes as long as its slowest domain controller."""
        return sum(max(self.machines[name].busy for name in wave) for wave in self.waves)

    @property
    def one_by_one(self) -> float:
        """Without waves."""
        return sum(machine.busy for machine in self.machines.values())

    @property
    def lower_bound(self) -> float:
        """No order that keeps to the policy is quicker, whether in waves or not: those that must be alone are, and of
        the others no site has two down at once, and the forest no more than it may."""
        others = {name: machine for name, machine in self.machines.items() if name not in self.alone}
        sites: dict[str, float] = defaultdict(float)
        for machine in others.values():
            sites[machine.site] += machine.busy
        per_site = max(sites.values()) / POLICY["max_unavailable_per_site"]
        in_all = sum(sites.values()) / POLICY["max_unavailable_total"]
        return sum(self.machines[name].busy for name in self.alone) + max(per_site, in_all)


class Watcher:
    """Looks at all machines again and again while a rollout runs."""

    def __init__(self, forest: Forest) -> None:
        self._forest = forest
        self._hosts = {name: forest.hosts[name] for name in forest.domain_controllers}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.busy: dict[str, float] = defaultdict(float)
        """Simulated seconds by name."""
        self.down = 0
        self.down_in_a_site = 0

    def __enter__(self) -> Watcher:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        before = self._forest.scheduler.time()
        while not self._over.wait(_SAMPLE):
            now = self._forest.scheduler.time()
            down = [host for host in self._hosts.values() if not host.power.on]
            for name, host in self._hosts.items():
                if host.installer.active or not host.power.on:
                    self.busy[name] += (now - before) / SCALE
            self._count(down)
            before = now

    def _count(self, down: Sequence[SimulatedHost]) -> None:
        self.down = max(self.down, len(down))
        sites = Counter(host.identity.site for host in down)
        self.down_in_a_site = max(self.down_in_a_site, *sites.values(), 0)


def build(domain_controllers: int, sites: int) -> Forest:
    """Makes a forest in which no two machines take the same time; the same one each time."""
    chance = random.Random(domain_controllers)
    forest = Forest(populate=False)
    for number in range(domain_controllers):
        forest.settings = LabSettings(
            windows=WindowsSettings(
                install_seconds=chance.uniform(*INSTALLATION) * SCALE,
                reboot_seconds=chance.uniform(*RESTART) * SCALE,
                time_scale=SCALE,
            )
        )
        forest.add_domain_controller(f"dc{number:03}", f"site{number % sites:02}")
    forest.settings = replace(forest.settings, windows=WindowsSettings())
    forest.add_sso_server("sso01", "site00")
    return forest


def roll_out(folder: Path, domain_controllers: int = DOMAIN_CONTROLLERS, sites: int = SITES) -> Rollout:
    """Runs the playbook once, as a user does."""
    forest = build(domain_controllers, sites)
    with forest:
        wanted = variables(forest)
        wanted["domain_controllers"] |= {"pcns_rollout_policy": POLICY, **PATIENCE}
        runner = PlaybookRunner(write_inventory(forest, folder / "inventory", wanted), folder / "logs")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        with Watcher(forest) as watcher:
            run = runner.run("domain_controllers.yml", f"--forks={sites}", variables={"pcns_restart_allowed": True})
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        require(run)
        _require_work(forest)
        machines = {
            name: Machine(forest.hosts[name].identity.site, watcher.busy[name]) for name in forest.domain_controllers
        }
    return Rollout(
        machines,
        waves_of(run),
        frozenset(forest.domain_controllers[:1]),
        watcher.down,
        watcher.down_in_a_site,
        run.seconds,
        after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
    )


def waves_of(run: Run) -> Sequence[Sequence[str]]:
    """Returns the waves as the plan at the beginning of the run has them."""
    plan = next(result.result for result in run.of("rollout_plan") if "waves" in result.result)
    return [wave["domain_controllers"] for wave in plan["waves"]]


def _require_work(forest: Forest) -> None:
    """Ends the program unless every domain controller restarted once and captures password changes."""
    for name in forest.domain_controllers:
        host = forest.hosts[name]
        service = host.services.get("PCNSSVC")
        working = host.lsa.is_loaded("PCNSFLT") and service is not None and service.state == "Running"
        if not working or host.boot_count != 2:
            sys.exit(f"{name} does not work, or restarted {host.boot_count - 1} times")


def lines(folder: Path, domain_controllers: int = DOMAIN_CONTROLLERS, sites: int = SITES) -> Iterator[str]:
    """Measures and tells."""
    started = time.monotonic()
    done = roll_out(folder, domain_controllers, sites)
    spent = time.monotonic() - started
    yield (
        f"{len(done.machines)} domain controllers in {sites} sites, {len(done.waves)} waves: at most {done.down} down "
        f"at once, {done.down_in_a_site} in a site"
    )
    yield (
        f"simulated time: {_minutes(done.makespan)} in waves; no order that keeps to the policy takes less than "
        f"{_minutes(done.lower_bound)} (ratio {done.makespan / done.lower_bound:.2f}); one by one "
        f"{_minutes(done.one_by_one)} ({done.one_by_one / done.makespan:.1f} times as long)"
    )
    yield (
        f"control node: {done.processor / len(done.machines):.2f} s of processor time for each domain controller, "
        f"{done.seconds:.0f} s in all ({spent:.0f} s with the lab's own start)"
    )


def _minutes(seconds: float) -> str:
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"


if __name__ == "__main__":
    size = [int(argument) for argument in sys.argv[1:]] or [DOMAIN_CONTROLLERS, SITES]
    with tempfile.TemporaryDirectory() as place:
        sys.stdout.writelines(f"{line}\n" for line in lines(Path(place), *size))
