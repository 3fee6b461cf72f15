# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole runs of ansible-playbook that push over SMB: one that is killed in the middle, and one that is searched for the
password while it pushes."""

from __future__ import annotations

import base64
import contextlib
import json
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml
from integration.estate import ALLOWED, Estate, small_forest
from unit.lab_host import media

from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._protected_folder import PROTECTED_ROOT
from lab.example import CAPTURE_LEAVES, MEDIA_FOLDER, SERVICE_LEAVES
from lab.forest import OPERATOR
from lab.playbooks import Run
from lab.samba.file_server import FileServer
from lab.samba.relay import Relay
from lab.samba.shared_drive import SharedDrive
from lab.settings import LabSettings, WindowsSettings

pytestmark = pytest.mark.needs("smbd", "smbpasswd", "root", "smbprotocol")

ADDRESS = "127.83.47.10"
PACKAGE = "pcns-all-in-one.msi"
MIDDLE = 9_000
"""Somewhere in the content of the package, as it passes on the wire."""


@dataclass
class Site:
    """An estate whose dc01 has an SMB server behind a relay, and a playbook that installs a package on it."""

    estate: Estate
    relay: Relay
    drive: SharedDrive
    real: Path

    def run(self, *arguments: str, kill: bool = False) -> Run:
        """Runs the playbook; kills it where the relay stands still."""
        package = {
            "name": "PCNS",
            "properties": {"ACCEPT_EULA": "1"},
            "leaves": {**CAPTURE_LEAVES, **SERVICE_LEAVES},
            "transfer": "smb",
            "smb_port": self.relay.port,
            **media(PACKAGE),
        }
        tasks = [{"name": "Install PCNS", "entsso.password_sync.msi_package": package}]
        playbook = self.estate.folder / "install.yml"
        play = {"name": "Install", "hosts": "domain_controllers", "gather_facts": False, "tasks": tasks}
        playbook.write_text(yaml.safe_dump([play]), encoding="utf-8")
        return self.estate.run(str(playbook), *arguments, kill_when=self.relay.waiting.is_set if kill else None)

    def left(self) -> list[str]:
        """Returns what is staged on either side."""
        self.drive.settle()
        host = self.estate.host("dc01")
        model = [path for path in host.files.folders if path.startswith(f"{PROTECTED_ROOT}\\media-")]
        return [*model, *(str(path) for path in self.real.rglob("media-*"))]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    forest = small_forest(1, LabSettings(windows=WindowsSettings(install_seconds=0.0, reboot_seconds=0.2)))
    # Of this run alone: tests that run beside it may show the lab's own password to programs as they must.
    forest.operator_password = f"Lab-only-{secrets.token_hex(8)}-A"
    with (
        Estate(forest, tmp_path / "estate") as estate,
        FileServer.start(ADDRESS, OPERATOR, forest.operator_password) as smbd,
        Relay(estate.forest.address("dc01"), (smbd.address, smbd.port)) as relay,
    ):
        yield Site(estate, relay, SharedDrive(estate.host("dc01"), smbd.drive, PROTECTED_ROOT), smbd.drive)


def test_a_killed_push_starts_again_and_leaves_nothing(site: Site) -> None:
    site.relay.wait_at = MIDDLE
    killed = site.run(kill=True)
    assert killed.exit_code == -9, killed.output
    assert [path for path in site.left() if path.startswith("C:")], "killed too early: nothing is staged"
    assert list(site.real.rglob("*.part")), "killed too early: nothing has arrived"
    assert not list(site.real.rglob(PACKAGE)), "killed too late: it has its name"
    site.relay.wait_at = None
    site.relay.go_on.set()

    again = site.run()
    assert again.exit_code == 0, again.output
    assert again.of("msi_package")[0].result["changed"] is True
    assert site.relay.connections == 2
    assert site.left() == []
    assert site.estate.host("dc01").services.get("PCNSSVC") is not None


def test_the_password_is_nowhere_while_it_pushes(site: Site) -> None:
    """A run of the role, searched at the moment when half of the file has passed, and after it: command lines and
    environments of all processes, every file of the run, its output at the highest verbosity, and all that the host has
    seen."""
    site.relay.wait_at = MIDDLE
    secret = site.estate.forest.operator_password
    search = Search(secret, site.estate.folder, site.estate.inventory.parent)
    looker = threading.Thread(target=search.when, args=(site.relay,))
    looker.start()
    variables = {"password_sync_transfer": "smb", "password_sync_smb_port": site.relay.port, **ALLOWED}
    run = site.estate.run("domain_controllers.yml", "-vvvvv", variables=variables)
    looker.join()
    assert run.exit_code == 0, run.output
    assert "over SMB (C$ on port" in run.output
    assert search.pushing, "no process of the run was seen while it pushed"
    search.files()
    assert search.seen > 20
    assert search.found == []
    site.estate.hides(secret)


@dataclass
class Search:
    """Looks for a secret on this machine.

    Attributes:
        secret: The secret.
        folder: Where everything of the run lies.
        known: The folder that has it, since the run needs it from somewhere.
        found: Where it was found.
        seen: How many places were looked at.
        pushing: Whether a process of the run was among them while it pushed.
    """

    secret: str
    folder: Path
    known: Path
    found: list[str] = field(default_factory=list)
    seen: int = 0
    pushing: bool = False

    def when(self, relay: Relay) -> None:
        """Waits until half of a file has passed, looks, and lets it go on."""
        try:
            assert relay.waiting.wait(60)
            self.processes()
            self.files()
        finally:
            relay.wait_at = None
            relay.go_on.set()

    def processes(self) -> None:
        """Looks at all processes."""
        for process in Path("/proc").glob("[0-9]*"):
            for name in ("cmdline", "environ"):
                with contextlib.suppress(OSError):
                    content = (process / name).read_bytes()
                    self.pushing = self.pushing or b"domain_controllers.yml" in content
                    self._look(f"{name} of {process.name}", content)

    def files(self) -> None:
        """Looks at all files of the run, and at what it may have left in the machine's folder for such."""
        for place in (self.folder, Path("/tmp")):
            names = place.rglob("*") if place == self.folder else [*place.glob("ansible*"), *place.glob("krb5cc*")]
            for path in names:
                if path.is_file() and self.known not in path.parents:
                    self._look(str(path), path.read_bytes())

    def _look(self, where: str, content: bytes) -> None:
        self.seen += 1
        wide = self.secret.encode("utf-16-le")
        forms = [self.secret.encode(), wide, json.dumps(self.secret)[1:-1].encode()]
        forms += [base64.b64encode(form).rstrip(b"=") for form in (self.secret.encode(), wide)]
        if any(form in content for form in forms):
            self.found.append(where)


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    """The search itself can fail: a secret in a file is found, in clear and encoded."""
    (tmp_path / "a").write_text("x hunter2-and-more y", encoding="utf-8")
    (tmp_path / "b").write_bytes(base64.b64encode(b"hunter2-and-more"))
    (tmp_path / "c").write_bytes("hunter2-and-more".encode("utf-16-le"))
    search = Search("hunter2-and-more", tmp_path, tmp_path / "inventory")
    search.files()
    assert sorted(search.found) == [str(tmp_path / name) for name in "abc"]
    assert (MEDIA_FOLDER / PACKAGE).exists()
