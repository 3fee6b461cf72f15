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
from pathlib import Path
from typing import Any

from lab.example import map_user, variables
from lab.forest import Forest
from lab.inventory import write_inventory
from lab.playbooks import REPOSITORY, PlaybookRunner, Run, TaskResult, identities
from lab.reachability import refuses_strangers

FOLDER = REPOSITORY / "build" / "demo"
ALLOWED = {"pcns_restart_allowed": True}
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
                self.restart_must_be_allowed,
                self.site_runs,
                self.second_run_changes_nothing,
                self.password_arrives,
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

    def restart_must_be_allowed(self) -> None:
        """site.yml without restarts allowed stops before the first domain controller"""
        before = {name: self.forest.host(name).snapshot() for name in self.forest.domain_controllers}
        run = self._site(name="3-not-allowed")
        self.made = list(run.changes)
        expect(run.exit_code != 0, "The run fails.", run.exit_code)
        expect("pcns_restart_allowed is false" in run.output, "It says which variable allows restarts.", _tail(run))
        after = {name: self.forest.host(name).snapshot() for name in self.forest.domain_controllers}
        expect(before == after, "No domain controller was touched.")

    def site_runs(self) -> None:
        """site.yml with restarts allowed: one domain controller after the other, then go-live"""
        boots = self._restarts()
        run = self._site(variables=ALLOWED, name="4-site")
        expect(run.exit_code == 0, "The run succeeds.", _tail(run))
        self.made += run.changes
        difference = (
            identities(self.made) - identities(self.predicted),
            identities(self.predicted) - identities(self.made),
        )
        expect(not any(difference), "The changes made are exactly those that the check predicted.", difference)
        writable = set(boots) - {RODC, SSO_SERVER}
        restarted = {name: count - boots[name] for name, count in self._restarts().items()}
        expect(
            restarted == {name: int(name in writable) for name in boots},
            "Every writable domain controller restarted once; the RODC and the SSO server did not.",
            restarted,
        )
        rollout = [change["subject"] for change in run.changes if change["resource"] in ("msi_package", RESTART)]
        expect(
            rollout == [name for name in sorted(writable) for _step in range(2)],
            "One domain controller was installed and restarted after the other.",
            rollout,
        )
        targets = [change["new"] for change in run.changes if change["resource"] == "pcns_target"]
        last = run.changes[-1]
        expect(
            targets[0]["enabled"] is False and last["resource"] == "pcns_target" and last["new"] == {"enabled": True},
            "The target was created disabled, and enabled as the very last change.",
            targets,
        )

    def second_run_changes_nothing(self) -> None:
        """A second run changes nothing"""
        before = self.forest.snapshot()
        run = self._site(variables=ALLOWED, name="5-again")
        expect(run.exit_code == 0, "The run succeeds.", _tail(run))
        expect(not run.changed, "No task changed anything.", [result.task for result in run.changed])
        expect(self.forest.snapshot() == before, "Not one bit of the estate has changed.")

    def password_arrives(self) -> None:
        """A password is changed in the lab and arrives; every control is compliant"""
        map_user(self.forest, USER)
        for name in sorted(self._restarts()):
            if name not in (RODC, SSO_SERVER):
                self.forest.change_password(name, USER)
        for adapter in ("RACF", "LDAP"):
            arrived = self.forest.arrived(adapter)
            expect(
                len(arrived) == 5, f"{adapter} received the change from each of five domain controllers.", len(arrived)
            )
        run = self.runner.run("compliance.yml", variables=self._report("6-compliant"), name="6-compliant")
        expect(run.exit_code == 0, "compliance.yml finds every control compliant and exits 0.", _tail(run))
        self._show(run)

    def drift_is_found(self) -> None:
        """Drift: a new DC without the filter, an entry removed by hand, an adapter disabled"""
        self.forest.add_domain_controller(NEW_DC.split(".", maxsplit=1)[0], "Lyon")
        self.forest.host(UNREGISTERED_DC).remove_notification_package("PCNSFLT")
        self.forest.disable_adapter(DISABLED_ADAPTER)
        self._new_domain_controller_is_found()
        self._inventory()
        before = self.forest.snapshot()
        run = self.runner.run("compliance.yml", variables=self._report("report"), name="7-drift")
        expect(run.exit_code != 0, "compliance.yml exits with a failure.", run.exit_code)
        findings = json.loads((self.folder / "report.json").read_text(encoding="utf-8"))["findings"]
        wrong = sorted(
            (item["control"], item["subject"], item["status"]) for item in findings if item["status"] in OPEN
        )
        expected = sorted(
            [
                ("PCNS-004", NEW_DC, "drift"),
                ("PCNS-002", UNREGISTERED_DC, "drift"),
                ("SSO-007", SSO_SERVER, "drift"),
            ]
        )
        expect(wrong == expected, "It finds exactly these three.", wrong)
        expect(self.forest.snapshot() == before, "The check changed nothing.")
        self._show(run)

    def _new_domain_controller_is_found(self) -> None:
        """Nobody has told Ansible of the new one yet; the directory knows it."""
        run = self.runner.run("compliance.yml", variables=self._report("7-not-in-inventory"), name="7-not-in-inventory")
        lines = [line for line in run.output.splitlines() if line.startswith(SHOWN)]
        first = f"PCNS-001 CRITICAL manual {NEW_DC} (Lyon). "
        expect(
            run.exit_code != 0 and len(lines) > 1 and lines[1].startswith(first),
            "Before the new one is in the inventory, it is the first finding: the directory knows it.",
            lines,
        )
        print(f"       {lines[1]}", flush=True)

    def drift_is_repaired(self) -> None:
        """site.yml repairs the three and nothing else, with one restart"""
        boots = self._restarts()
        run = self._site(variables=ALLOWED, name="8-repair")
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
