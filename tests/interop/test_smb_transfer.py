# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""msi_package with Samba's smbd beside the lab's endpoint: when a file goes over SMB, what is left and what is told."""

from __future__ import annotations

import random
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible import constants
from unit.lab_host import Lab, local_copy, media, running

from ansible_collections.entsso.password_sync.plugins.module_utils.transfer._transfer import folder_name
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import open_host
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._protected_folder import (
    PROTECTED_ROOT,
    protected_folder,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.transfer._transfer import deliver
from lab.example import CAPTURE_LEAVES, MEDIA_FOLDER, SERVICE_LEAVES
from lab.forest import OPERATOR, OPERATOR_PASSWORD
from lab.samba.file_server import FileServer
from lab.samba.relay import Relay
from lab.samba.shared_drive import SharedDrive

pytestmark = pytest.mark.needs("smbd", "smbpasswd", "root", "smbprotocol")

ADDRESS = "127.83.45.10"
PACKAGE = "pcns-all-in-one.msi"
ALL: dict[str, Any] = {
    "name": "PCNS",
    "properties": {"ACCEPT_EULA": "1"},
    "leaves": {**CAPTURE_LEAVES, **SERVICE_LEAVES},
    **media(PACKAGE),
}


@dataclass
class Site:
    """A lab whose dc01 has an SMB server.

    Attributes:
        lab: The lab.
        smbd: The server.
        relay: In front of it.
        drive: Keeps both sides the same.
    """

    lab: Lab
    smbd: FileServer
    relay: Relay
    drive: SharedDrive

    @property
    def arguments(self) -> dict[str, Any]:
        """Arguments of msi_package."""
        return {**ALL, "smb_port": self.relay.port}

    @property
    def root(self) -> Path:
        """Our folder on the real side."""
        return self.smbd.drive / "Program Files" / "entsso.password_sync"

    def media_folders(self) -> list[str]:
        """Returns what is staged, on the real side."""
        self.drive.settle()
        return sorted(path.name for path in self.root.glob("media-*"))

    def commands(self) -> str:
        """Returns every command line that dc01 has seen."""
        return "\n".join(self.lab.simulated("dc01").process_log)


@pytest.fixture(scope="module")
def smbd() -> Iterator[FileServer]:
    with FileServer.start(ADDRESS, OPERATOR, OPERATOR_PASSWORD) as started:
        yield started


@pytest.fixture
def site(smbd: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    # The guard keeps what became of an account in the folder of the run, which is one for all tests.
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path / "ansible-local"))
    with running() as lab, Relay(lab.endpoint("dc01").address, (smbd.address, smbd.port)) as relay:
        shutil.rmtree(smbd.drive / "Program Files", ignore_errors=True)
        yield Site(lab, smbd, relay, SharedDrive(lab.simulated("dc01"), smbd.drive, PROTECTED_ROOT))


class TestOverSmb:
    def test_a_package_is_installed(self, site: Site) -> None:
        site.lab.converge("msi_package", "dc01", **site.arguments)
        assert (
            "dc01.corp.example: copying pcns-all-in-one.msi (12,288 bytes) over SMB "
            f"(C$ on port {site.relay.port}, ntlm, encrypted)"
        ) in site.lab.said
        assert site.lab.warned == ""
        assert "findstr" not in site.commands()
        assert "-decode" not in site.commands()
        assert site.commands().count("certutil -hashfile") == 1
        assert site.media_folders() == []

    def test_a_large_file_tells_how_far_it_is(self, site: Site, tmp_path: Path) -> None:
        """Small ones say one line, as above."""
        source = local_copy(tmp_path, "large.msi", random.Random(1).randbytes(12_000_000))
        task = site.lab.task("msi_package", "dc01", **site.arguments)
        connection = site.lab.connection("dc01")
        with open_host(connection, site.lab.variables("dc01"), name="dc01.corp.example") as host:
            target = rf"{protected_folder(host, 'media-large')}\large.msi"
            deliver(host, task, source["path"], target, source["sha256"])
        assert [line for line in site.lab.spoken.said if "of 12.0 MB copied" in line] == [
            "3.1 MB of 12.0 MB copied",
            "6.3 MB of 12.0 MB copied",
            "9.4 MB of 12.0 MB copied",
        ]
        assert (site.root / "media-large" / "large.msi").stat().st_size == 12_000_000
        assert site.relay.sent > 12_000_000

    def test_nothing_is_pushed_when_nothing_is_to_be_done(self, site: Site) -> None:
        """Not in check mode, and not where the package is installed: the SMB server does not even see a connection."""
        assert site.lab.run("msi_package", "dc01", check=True, **site.arguments)["changed"] is True
        assert site.relay.connections == 0
        site.lab.install("dc01")
        seen = site.commands()
        assert site.lab.run("msi_package", "dc01", **site.arguments)["changed"] is False
        assert site.relay.connections == 0
        assert site.commands() == seen

    def test_a_file_that_the_host_holds_is_not_pushed_again(self, site: Site) -> None:
        """As a run leaves it that was killed between the push and the installation."""
        folder = site.root / folder_name(ALL["sha256"])
        folder.mkdir(parents=True)
        (folder / PACKAGE).write_bytes((MEDIA_FOLDER / PACKAGE).read_bytes())
        (folder / "~0123.part").write_bytes(b"half of somethi")
        site.lab.run("msi_package", "dc01", **site.arguments)
        assert site.relay.connections == 0
        assert site.commands().count("certutil -hashfile") == 1
        assert site.media_folders() == []

    @pytest.mark.parametrize("size", ["same", "other"])
    def test_a_file_with_another_hash_is_replaced(self, site: Site, size: str) -> None:
        folder = site.root / folder_name(ALL["sha256"])
        folder.mkdir(parents=True)
        data = (MEDIA_FOLDER / PACKAGE).read_bytes()
        (folder / PACKAGE).write_bytes(data[:-1] + (b"x" if size == "same" else b""))
        site.lab.run("msi_package", "dc01", **site.arguments)
        assert site.relay.connections == 1
        assert site.media_folders() == []

    def test_a_connection_that_is_cut_starts_again(self, site: Site) -> None:
        site.relay.cut_at = 9_000
        site.lab.run("msi_package", "dc01", **site.arguments)
        assert site.relay.connections == 2
        assert "the SMB connection broke (" in site.lab.said
        assert site.media_folders() == []

    def test_one_that_is_cut_again_and_again_is_told_and_leaves_nothing(self, site: Site) -> None:
        site.relay.cut_at, site.relay.cuts = 9_000, 99
        error = str(site.lab.refused("msi_package", "dc01", **site.arguments))
        assert "the connection broke 2 times while the file was copied (" in error
        assert "Mend the network to the host and run again, or set transfer: stream" in error
        assert site.relay.connections == 2
        assert "findstr" not in site.commands(), "a transfer that began is not begun anew in another way"
        assert site.media_folders() == []
        site.relay.cut_at = None
        assert site.lab.run("msi_package", "dc01", **site.arguments)["changed"] is True

    def test_what_arrives_damaged_is_never_executed(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        settle = site.drive.settle

        def damage() -> None:
            for path in site.root.rglob("*.part"):
                path.write_bytes(b"evil" + path.read_bytes()[4:])
            settle()

        monkeypatch.setattr(site.drive, "settle", damage)
        error = str(site.lab.refused("msi_package", "dc01", **site.arguments))
        assert "what arrived has SHA-256" in error
        assert "Nothing was executed" in error
        assert "msiexec" not in site.commands()
        monkeypatch.undo()
        assert site.media_folders() == []

    def test_what_a_killed_run_left_is_removed_by_one_that_needs_nothing(self, site: Site) -> None:
        """The installation of the killed run went on by itself, so the file is not needed any more."""
        site.lab.install("dc01")
        folder = site.root / folder_name(ALL["sha256"])
        folder.mkdir(parents=True)
        (folder / PACKAGE).write_bytes((MEDIA_FOLDER / PACKAGE).read_bytes())
        other = site.root / "media-0123456789abcdef"
        other.mkdir()
        (other / "another.msi").write_bytes(b"somebody may be using it")
        seen = len(site.lab.simulated("dc01").process_log)
        assert site.lab.run("msi_package", "dc01", check=True, **site.arguments)["changed"] is False
        assert len(site.lab.simulated("dc01").process_log) == seen
        assert site.lab.run("msi_package", "dc01", **site.arguments)["changed"] is False
        assert site.media_folders() == [other.name]
        assert "which a run that was killed has left" in site.lab.said
        assert [line.split()[0] for line in site.lab.simulated("dc01").process_log[seen:]] == ['"rmdir']
        assert site.relay.connections == 0


class TestTheChoice:
    def test_the_stream_where_nothing_listens(self, site: Site) -> None:
        """One line, and no time lost."""
        site.lab.run("msi_package", "dc01", **{**site.arguments, "smb_port": 9})
        (line,) = site.lab.spoken.warned
        assert line.startswith(
            "dc01.corp.example: pcns-all-in-one.msi, 12,288 bytes: the file is sent over the WinRS stream"
        )
        assert "certutil" in line
        assert line.endswith(f"It was chosen since nothing speaks SMB on {site.relay.address}:9 (Connection refused).")
        assert "over SMB" not in site.lab.said

    def test_smb_or_nothing(self, site: Site) -> None:
        error = str(site.lab.refused("msi_package", "dc01", **{**site.arguments, "smb_port": 9, "transfer": "smb"}))
        assert "nothing speaks SMB on" in error
        assert "or set transfer: stream" in error
        assert "findstr" not in site.commands()
        assert site.media_folders() == []

    def test_the_stream_when_asked_for(self, site: Site) -> None:
        site.lab.run("msi_package", "dc01", **site.arguments, transfer="stream")
        assert site.relay.connections == 0
        (line,) = site.lab.spoken.warned
        assert "certutil" in line
        assert "It was chosen" not in line

    def test_never_after_a_refusal(self, site: Site) -> None:
        """The password is right for WinRM and wrong for SMB: once is enough, and nothing else is tried in this run."""
        site.lab.run("msi_package", "dc01", check=True, **site.arguments)
        with (
            FileServer.start(ADDRESS, OPERATOR, "another one") as strict,
            Relay(site.relay.address, (strict.address, strict.port)) as relay,
        ):
            error = str(site.lab.refused("msi_package", "dc01", **{**site.arguments, "smb_port": relay.port}))
        assert "the SMB server refused the account, which WinRM had let in (0xC000006D)" in error
        assert "findstr" not in site.commands()
        assert site.media_folders() == []
        assert relay.connections == 1
        again = str(site.lab.refused("msi_package", "dc02", **ALL, transfer="stream"))
        assert "was rejected by dc01.corp.example in this run; it was not tried on this host" in again

    def test_the_stream_without_the_library(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "smbprotocol.connection", None)
        site.lab.run("msi_package", "dc01", **site.arguments)
        (line,) = site.lab.spoken.warned
        assert "the Python library smbprotocol can't be loaded on the control node" in line
        assert site.relay.connections == 0
