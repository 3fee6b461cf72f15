# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small estate with its inventory and its runs, and what every run must keep to."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml

from lab.endpoint import EndpointServer, self_signed
from lab.example import variables as example_variables
from lab.forest import Forest
from lab.inventory import write_inventory
from lab.playbooks import PlaybookRunner, Run, TaskResult
from lab.settings import LabSettings
from lab.windows.entsso import MEDIA
from lab.windows.host import SimulatedHost

DOMAIN = "corp.example"
ALLOWED = {"pcns_restart_allowed": True}
FAILURES = ("failed", "unreachable")


def fqdn(name: str) -> str:
    """Returns the inventory name of a host."""
    return f"{name}.{DOMAIN}"


class Estate:
    """A started forest, its inventory and its runs; use it as a context manager.

    Attributes:
        forest: The forest.
        folder: Where inventory, logs and reports go.
        hosts: More variables of single hosts, by short name; `write` writes them.
        groups: More variables of groups; `write` writes them.
    """

    def __init__(self, forest: Forest, folder: Path) -> None:
        self.forest = forest
        self.folder = folder
        self.hosts: dict[str, dict[str, Any]] = {}
        self.groups: dict[str, dict[str, Any]] = example_variables(forest)
        self._runs = 0
        self._tls = EndpointServer()

    def __enter__(self) -> Estate:
        self.forest.start()
        self.write()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._tls.stop()
        self.forest.stop()

    @property
    def inventory(self) -> Path:
        """The inventory's file."""
        return self.folder / "inventory" / "inventory.yml"

    def host(self, name: str) -> SimulatedHost:
        """Returns a machine by its short name."""
        return self.forest.host(name)

    def down(self, name: str) -> None:
        """Takes a machine off the network."""
        self.forest.endpoints[fqdn(name)].down()

    def write(self) -> None:
        """Writes the inventory as it is now."""
        write_inventory(self.forest, self.folder / "inventory", self.groups)
        folder = self.folder / "inventory" / "host_vars"
        folder.mkdir(exist_ok=True)
        for name, values in self.hosts.items():
            (folder / f"{fqdn(name)}.yml").write_text(yaml.safe_dump(values), encoding="utf-8")

    def https(self, name: str) -> Path:
        """Opens an https listener with a self-signed certificate on a machine, and lets the inventory use it.

        Returns:
            The certificate, for `ansible_winrm_ca_trust_path`.
        """
        address = self.forest.address(name)
        identity = self_signed([address, fqdn(name)])
        self._tls.add(address, self.host(name), 0, identity)
        path = self.folder / f"{name}.pem"
        path.write_bytes(identity.certificate)
        self.hosts.setdefault(name, {}).update({"ansible_winrm_scheme": "https", "ansible_port": identity.port})
        return path

    def run(
        self,
        playbook: str,
        *arguments: str,
        variables: Mapping[str, Any] | None = None,
        kill_when: Callable[[], bool] | None = None,
        on_start: Callable[[Callable[[], None]], None] | None = None,
    ) -> Run:
        """Runs a playbook, and checks what every run must keep to: no traceback reaches the user."""
        self._runs += 1
        name = f"{self._runs}-{Path(playbook).stem}"
        runner = PlaybookRunner(self.inventory, self.folder / "runs")
        report = {"password_sync_compliance_directory": str(self.report_folder)}
        run = runner.run(
            playbook,
            *arguments,
            variables={**report, **(variables or {})},
            name=name,
            kill_when=kill_when,
            on_start=on_start,
        )
        assert "Traceback" not in run.output, run.output
        assert "unhandled exception" not in run.output.lower(), run.output
        return run

    def hides(self, secret: str) -> None:
        """Checks that a secret stands nowhere but in the inventory: no output, record, report, file that Ansible left,
        command line, file, registry value or event of a host; neither in clear nor as Base64."""
        wide = secret.encode("utf-16-le")
        forms = [secret.encode(), wide, *(base64.b64encode(form).rstrip(b"=") for form in (secret.encode(), wide))]
        places = {
            str(path): path.read_bytes()
            for path in self.folder.rglob("*")
            if path.is_file() and self.inventory.parent not in path.parents
        }
        assert len(places) > 2, places.keys()
        places["command lines"] = "\n".join(
            line for host in self.forest.hosts.values() for line in host.process_log
        ).encode()
        places["the estate"] = json.dumps(self.forest.snapshot()).encode()
        found = [place for place, content in places.items() if any(form in content for form in forms)]
        assert not found, found

    @property
    def report_folder(self) -> Path:
        """Where the last run left its report."""
        return self.folder / "report"

    def report(self) -> Mapping[str, Any]:
        """Returns the last report."""
        found: Mapping[str, Any] = json.loads((self.report_folder / "report.json").read_text(encoding="utf-8"))
        return found

    def boots(self) -> dict[str, int]:
        """Returns how often each machine has restarted since the lab began, by short name."""
        return {name.partition(".")[0]: host.boot_count - 1 for name, host in self.forest.hosts.items()}

    def snapshots(self, *names: str) -> dict[str, object]:
        """Returns the complete state of some machines."""
        with self.forest.scheduler.lock:
            return {name: self.host(name).snapshot() for name in names}


def small_forest(domain_controllers: int, settings: LabSettings | None = None) -> Forest:
    """Makes a forest of sso01, dc01, dc02 and so on."""
    forest = Forest(settings, populate=False)
    for number in range(1, domain_controllers + 1):
        forest.add_domain_controller(f"DC{number:02}", "Paris")
    forest.add_sso_server("SSO01", "Paris")
    return forest


def install_password_sync(forest: Forest, name: str) -> None:
    """Installs the Password Synchronization feature by hand, as somebody did before Ansible came."""
    feature = forest.settings.sso.feature_id
    code, output, errors = forest.host(name).run(rf"{MEDIA}\setup.exe /quiet /norestart /ADDLOCAL {feature}")
    assert code == 0, output + errors


def play(folder: Path, name: str, hosts: str, *roles: str, **keywords: object) -> str:
    """Writes a playbook of one's own that runs roles of this collection on hosts at once; returns its path."""
    path = folder / f"{name}.yml"
    content = {
        "name": f"Run {', '.join(roles)}",
        "hosts": hosts,
        "gather_facts": False,
        "roles": [{"role": f"entsso.password_sync.{role}"} for role in roles],
        **keywords,
    }
    path.write_text(yaml.safe_dump([content]), encoding="utf-8")
    return str(path)


def failure(run: Run, name: str) -> TaskResult:
    """Returns the one failure of a host in a run."""
    found = [item for item in run.results if item.host == fqdn(name) and item.status in FAILURES]
    assert len(found) == 1, [(item.host, item.task, item.status, item.result.get("msg")) for item in run.results]
    return found[0]


def message(result: TaskResult) -> str:
    """Returns what a task says, without what Ansible puts in front."""
    text = str(result.result.get("msg", ""))
    for prefix in ("Task failed: ", "Action failed: "):
        text = text.removeprefix(prefix)
    return text


def says(text: str, *parts: str) -> None:
    """Checks a message for people: everything is named, it is at least two sentences, and short.

    Args:
        text: The message.
        parts: What must stand in it, without regard to case.
    """
    missing = [part for part in parts if part.lower() not in text.lower()]
    assert not missing, f"{missing} missing in: {text}"
    sentences = [part for part in text.replace("\n", " ").split(". ") if part.strip()]
    assert len(sentences) >= 2, text
    assert text.rstrip().endswith((".", "!")), text
    assert len(text) < 1500, text


def findings(report: Mapping[str, Any], subject: str) -> Sequence[Mapping[str, Any]]:
    """Returns what a report says of a host."""
    return [item for item in report["findings"] if item["subject"] == subject]


def rows(report: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Returns the states of the domain controllers in a report, by short name."""
    return {str(row["name"]).partition(".")[0]: row for row in report["domain_controllers"]}
