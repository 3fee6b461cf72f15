# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo: the main job of the collection on a simulated forest, each step asserted.

Run by `make demo`. It proves the logic of the collection; it says nothing about Windows.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from lab.example import map_user, variables
from lab.forest import Forest
from lab.inventory import write_inventory
from lab.playbooks import REPOSITORY, PlaybookRunner, Run, TaskResult, identities
from lab.reachability import refuses_strangers

FOLDER = REPOSITORY / "build" / "demo"
ALLOWED = {"pcns_restart_allowed": True}
POLICY = {"max_unavailable_total": 2}
PDC_EMULATOR = "dc01.corp.example"
NEW_DC, UNREGISTERED_DC, RODC = "dc07.corp.example", "dc03.corp.example", "dc06.corp.example"
SSO_SERVER, DISABLED_ADAPTER, USER = "sso01.corp.example", "LDAP", "alice"


class DemoFailure(Exception):
    """A step did not show what it promises; the message says what was expected."""


def expect(condition: object, promise: str, detail: object = "") -> None:
    """Asserts one promise of the demo and tells that it holds.

    Raises:
        DemoFailure: It does not.
    """
    if not condition:
        raise DemoFailure(f"{promise}" + (f" Instead: {detail}" if detail != "" else ""))
    print(f"   ok  {promise}", flush=True)


class Demo:
    """The steps, in order."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.forest = Forest()
        self.predicted: Sequence[Mapping[str, Any]] = ()
        self.waves: Sequence[Sequence[str]] = ()
        self.rollout: dict[str, Any] = {"pcns_rollout_plan": str(folder / "plan.json")}
        self.runner: PlaybookRunner

    def run(self) -> str:
        """Runs all steps and returns the headline of the last report that found drift."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.forest.start()
        try:
            steps: Sequence[Callable[[], None]] = (
                self.forest_comes_up,
                self.check_predicts,
                self.rollout_is_planned,
                self.rollout_is_refused,
                self.site_runs,
                self.password_arrives,
                self.second_run_changes_nothing,
                self.drift_is_found,
                self.drift_is_repaired,
            )
            for number, step in enumerate(steps, start=1):
                self._title(number, len(steps), step)
                started = time.monotonic()
                step()
                print(f"       {time.monotonic() - started:.1f} s", flush=True)
        finally:
            self.forest.stop()
        return self.last_lines

    def forest_comes_up(self) -> None:
        """A forest comes up: one SSO server and six domain controllers in two sites, one of them read-only"""
        self.runner = PlaybookRunner(self._inventory(), self.folder / "logs", on_result=_tell)
        for name, endpoint in self.forest.endpoints.items():
            identity = self.forest.hosts[name].identity
            print(
                f"       {identity.fqdn:22} {endpoint.address:16} {identity.site:6} {identity.role.value}", flush=True
            )
        open_to_all = [item.address for item in self.forest.endpoints.values() if not refuses_strangers(item.address)]
        expect(not open_to_all, "Every endpoint refuses strangers and offers Negotiate.", open_to_all)
        expect(len(self.forest.domain_controllers) == 6, "There are six domain controllers and an SSO server.")

    def check_predicts(self) -> None:
        """site.yml --check --diff on the bare estate: every change is listed, and nothing is changed"""
        before = self.forest.snapshot()
        run = self._site("--check", "--diff", name="2-check")
        self.predicted = run.changes
        expect(run.exit_code == 0, "The check succeeds.", _tail(run))
        expect(self.forest.snapshot() == before, "Not one bit of the estate has changed.")
        counts = {kind: sum(change["resource"] == kind for change in self.predicted) for kind in RESOURCES}
        expect(all(counts.values()), f"Changes of every kind are planned: {_counted(counts)}.", counts)

    def rollout_is_planned(self) -> None:
        """plan.yml shows who would be changed and restarted in which wave, for an AD team to approve"""
        before = self.forest.snapshot()
        run = self.runner.run("plan.yml", variables={**self.rollout, "pcns_rollout_policy": POLICY}, name="3-plan")
        expect(run.exit_code == 0, "The plan is computed.", _tail(run))
        (planned,) = [result.result for result in run.of("rollout_plan")]
        for line in (*planned["table"], planned["msg"], f"SHA-256 of the plan: {planned['sha256']}"):
            print(f"       {line}", flush=True)
        self.waves = [wave["domain_controllers"] for wave in planned["waves"]]
        sites = [[self.forest.hosts[name].identity.site for name in wave] for wave in self.waves]
        expect(
            all(len(set(wave)) == len(wave) for wave in sites) and max(map(len, sites)) == 2,
            "At most one domain controller of Paris and one of Lyon are down together.",
            sites,
        )
        expect(self.waves[-1] == [PDC_EMULATOR], "The PDC emulator comes last, alone.", self.waves)
        expect(self.forest.snapshot() == before, "Not one bit of the estate has changed.")
        self.rollout["pcns_rollout_approved"] = planned["sha256"]

    def rollout_is_refused(self) -> None:
        """A rollout that may not restart, or that would do more than was approved, is refused before it begins"""
        before = self.forest.snapshot()
        for name, given, reason in (
            ("4-not-allowed", self.rollout, "pcns_restart_allowed is false"),
            (
                "4-not-approved",
                {**self.rollout, **ALLOWED, "pcns_event_log_level": 2},
                "would now set event_log_level to 2",
            ),
        ):
            run = self.runner.run("domain_controllers.yml", variables=given, name=name)
            expect(run.exit_code != 0, "The run fails.", run.exit_code)
            expect(reason in " ".join(run.output.split()), f"It says why: {reason}.", _tail(run))
        expect(self.forest.snapshot() == before, "Not one bit of the estate has changed.")

    def site_runs(self) -> None:
        """site.yml with restarts allowed and the approved plan: wave by wave, each gate passed, then go-live"""
        boots = self._restarts()
        run = self._site(variables={**ALLOWED, **self.rollout}, name="5-site")
        expect(run.exit_code == 0, "The run succeeds.", _tail(run))
        made, predicted = identities(run.changes), identities(self.predicted)
        difference = made - predicted, predicted - made
        expect(not any(difference), "The changes made are exactly those that the check predicted.", difference)
        writable = set(boots) - {RODC, SSO_SERVER}
        restarted = {name: count - boots[name] for name, count in self._restarts().items()}
        expect(
            restarted == {name: int(name in writable) for name in boots},
            "Every writable domain controller restarted once; the RODC and the SSO server did not.",
            restarted,
        )
        self._waves_in_their_order(run)
        targets = [change["new"] for change in run.changes if change["resource"] == "pcns_target"]
        last = run.changes[-1]
        expect(
            targets[0]["enabled"] is False and last["resource"] == "pcns_target" and last["new"] == {"enabled": True},
            "The target was created disabled, and enabled as the very last change.",
            targets,
        )

    def _waves_in_their_order(self, run: Run) -> None:
        for line in (item.result["msg"] for item in run.of("rollout_wave")):
            print(f"       {line}", flush=True)
        steps = [(item.host, item.action.rpartition(".")[2]) for item in run.results]
        begun = {name: steps.index((name, "msi_package")) for wave in self.waves for name in wave}
        well = {name: steps.index((name, "domain_controller_health")) for name in begun}
        expect(
            all(
                well[name] < begun[later]
                for wave, following in pairwise(self.waves)
                for name in wave
                for later in following
            ),
            "No wave began before every health gate of the one before had passed.",
            steps,
        )
        passed = [gate["verdict"] for item in run.of("domain_controller_health") for gate in item.result["gates"]]
        numbers = ", ".join(f"{passed.count(verdict)} {verdict}" for verdict in sorted(set(passed)))
        expect(set(passed) <= {"passed", "not_checked"}, f"Health gates: {numbers}.", passed)

    def password_arrives(self) -> None:
        """A password is changed on every writable domain controller and arrives in the connected systems"""
        map_user(self.forest, USER)
        for name in sorted(self._restarts()):
            if name not in (RODC, SSO_SERVER):
                self.forest.change_password(name, USER)
        for adapter in ("RACF", "LDAP"):
            arrived = self.forest.arrived(adapter)
            expect(
                len(arrived) == 5, f"{adapter} received the change from each of five domain controllers.", len(arrived)
            )

    def second_run_changes_nothing(self) -> None:
        """A second run of site.yml changes nothing, and finds every control compliant"""
        before = self.forest.snapshot()
        gate = {"password_sync_compliance_gate": True}
        run = self._site(variables={**ALLOWED, **gate}, name="7-again")
        expect(not run.changed, "No task changed anything.", [result.task for result in run.changed])
        expect(self.forest.snapshot() == before, "Not one bit of the estate has changed.")
        expect(run.exit_code == 0, "Every control is compliant, or the run would fail.", _tail(run))
        self._show(run)

    def drift_is_found(self) -> None:
        """Drift: a new DC that nobody told Ansible of, an entry removed by hand, an adapter disabled"""
        self.forest.add_domain_controller(NEW_DC.split(".", maxsplit=1)[0], "Lyon")
        self.forest.host(UNREGISTERED_DC).remove_notification_package("PCNSFLT")
        self.forest.disable_adapter(DISABLED_ADAPTER)
        before = self.forest.snapshot()
        run = self.runner.run("compliance.yml", variables=self._report("report"), name="8-drift")
        expect(run.exit_code != 0, "compliance.yml exits with a failure.", run.exit_code)
        findings = json.loads((self.folder / "report.json").read_text(encoding="utf-8"))["findings"]
        wrong = sorted(
            (item["control"], item["subject"], item["status"]) for item in findings if item["status"] in OPEN
        )
        expected = sorted(
            [
                ("PCNS-001", NEW_DC, "manual"),
                ("PCNS-002", UNREGISTERED_DC, "drift"),
                ("SSO-007", SSO_SERVER, "drift"),
            ]
        )
        expect(wrong == expected, "It finds exactly these three; of the new one the directory knows.", wrong)
        expect(self.forest.snapshot() == before, "The check changed nothing.")
        self._show(run)
        expect(
            f"PCNS-001 CRITICAL manual {NEW_DC} (Lyon)." in self.last_lines.splitlines()[1],
            "The new one is the first finding.",
            self.last_lines,
        )

    def drift_is_repaired(self) -> None:
        """Once the new one is in the inventory, site.yml repairs the three and nothing else, with one restart"""
        self._inventory()
        boots = self._restarts()
        run = self._site(variables=ALLOWED, name="9-repair")
        expect(run.exit_code == 0, "The run succeeds.", _tail(run))
        repaired = sorted({(change["subject"], change["resource"]) for change in run.changes})
        expected = sorted(
            [
                (NEW_DC, "msi_package"),
                (NEW_DC, RESTART),
                (SSO_SERVER, "sso_adapter"),
                (UNREGISTERED_DC, "notification_package"),
            ]
        )
        expect(repaired == expected, "It changes these and nothing else.", repaired)
        restarted = {name: count - boots[name] for name, count in self._restarts().items() if count != boots[name]}
        expect(restarted == {NEW_DC: 1}, "There was one restart, of the new domain controller.", restarted)
        self.forest.change_password(NEW_DC, USER)
        expect(len(self.forest.arrived(DISABLED_ADAPTER)) == 6, "A change made on the new domain controller arrives.")

    def _inventory(self) -> Path:
        return write_inventory(self.forest, self.folder / "inventory", variables(self.forest))

    def _restarts(self) -> dict[str, int]:
        return {name: host.boot_count for name, host in self.forest.hosts.items()}

    def _site(self, *arguments: str, name: str, variables: Mapping[str, Any] | None = None) -> Run:
        return self.runner.run("site.yml", *arguments, variables={**self._report(name), **(variables or {})}, name=name)

    def _report(self, name: str) -> dict[str, str]:
        folder = self.folder if name == "report" else self.folder / "reports" / name
        return {"password_sync_compliance_directory": str(folder)}

    def _show(self, run: Run) -> None:
        lines = [line for line in run.output.splitlines() if line.startswith(SHOWN)]
        self.last_lines = "\n".join(lines)
        for line in lines:
            print(f"       {line}", flush=True)

    @staticmethod
    def _title(number: int, count: int, step: Callable[[], None]) -> None:
        print(f"\n{number}/{count}  {step.__doc__}", flush=True)


RESTART = "domain_controller_restart"
RESOURCES = (
    "sso_feature",
    "sso_server",
    "sso_application",
    "sso_adapter",
    "msi_package",
    "pcns_configuration",
    "pcns_target",
    RESTART,
)
OPEN = ("drift", "manual", "unknown")
SHOWN = ("COMPLIANT", "NOT COMPLIANT", "PCNS-", "SSO-")


def _tell(result: TaskResult) -> None:
    for change in result.changes:
        verb = f"{change['operation']} {change['resource']} {change['name']}"
        print(f"       {change['subject']:22} {verb}", flush=True)
    if result.status in ("failed", "unreachable"):
        print(f"       {result.host:22} {result.status}: {result.result.get('msg', '')}"[:300], flush=True)


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())


def _tail(run: Run) -> str:
    return "\n" + "\n".join(run.output.splitlines()[-40:])


def main() -> int:
    """Runs the demo; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m lab.demo", description="Run the main job on a simulated forest.")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="folder for logs and reports")
    folder = parser.parse_args().folder.absolute()
    started = time.monotonic()
    print("Demo of entsso.password_sync on a simulated forest. It proves logic, not Windows.", flush=True)
    demo = Demo(folder)
    try:
        shown = demo.run()
    except DemoFailure as failure:
        print(f"\nDEMO FAILED: {failure}\nLogs: {folder / 'logs'}", flush=True)
        return 1
    print(f"\n{shown}\n(repaired since)")
    print(
        f"\nDEMO PASSED in {time.monotonic() - started:.0f} s. Report of the drift: {folder / 'report.html'} "
        f"(also report.json, junit.xml); what ansible-playbook printed: {folder / 'logs'}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
