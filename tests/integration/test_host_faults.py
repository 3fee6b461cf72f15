# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every fault that a domain controller, its connection or its media can have ends as Ansible users expect.

One run of ansible-playbook with the role pcns on all of them at once; each host has one fault and the fault's name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from integration.estate import ALLOWED, FAILURES, Estate, failure, fqdn, message, play, says, small_forest

from lab.example import one_package
from lab.playbooks import Run

OURS = r"C:\Program Files\entsso.password_sync"
LOGS = rf"{OURS}\logs"


@dataclass(frozen=True)
class Fault:
    """What a fault must lead to.

    Attributes:
        status: `failed` or `unreachable`.
        told: What the message names: host or file, object, reason, what to do.
    """

    status: str
    told: tuple[str, ...]


BEFORE_ANYTHING = {
    "down": Fault(
        "unreachable", ("WinRM on down.corp.example", "can't be reached", "Connection refused", "Check that")
    ),
    "foreign": Fault("unreachable", ("foreign.corp.example", "no WinRM service", "Check ansible_host")),
    "untrusted": Fault(
        "unreachable",
        ("TLS certificate of https://127.", "on untrusted.corp.example", "not trusted", "ansible_winrm_ca_trust_path"),
    ),
    "ssh": Fault("failed", ("ssh.corp.example", "connection ssh", "Set ansible_connection: winrm")),
    "configured": Fault("failed", ("configured.corp.example", "ansible_psrp_configuration_name")),
    "local": Fault("failed", ("local.corp.example", "connection local", "Set ansible_connection: winrm")),
    "become": Fault("failed", ("become.corp.example", "become has no effect", "Set become: false")),
    "exposing": Fault("failed", ("exposing.corp.example", "transport basic", "Set ansible_winrm_scheme: https")),
    "member": Fault(
        "failed", ("member.corp.example", "sso01.corp.example", "is not a domain controller", "domain_controllers")
    ),
    "moved": Fault(
        "failed",
        (
            "computer name on moved.corp.example",
            "calls itself SSO01, not moved",
            "nothing was changed",
            "Correct ansible_host",
            "password_sync_computer_names",
        ),
    ),
    "missing": Fault("failed", ("absent.msi", "not found on the control node", "Give a full path")),
    "corrupt": Fault("failed", ("corrupt.msi on the control node", "has SHA-256", "correct `sha256` or the file")),
    "truncated": Fault("failed", ("truncated.msi", "damaged or incomplete", "Copy it again")),
    "text": Fault("failed", ("text.msi", "not a Windows Installer package", ".msi file")),
}
"""Faults that are seen before anything is done: not one bit of the host may have changed."""

WHILE_INSTALLING = {
    "absent": Fault("failed", (r"C:\Media\pcns.msi", "on absent.corp.example", "can't be read", "Check the path")),
    "swapped": Fault("failed", ("pcns.msi on swapped.corp.example has SHA-256", "Nothing was executed", "correct")),
    "full": Fault("failed", ("file C:", "on full.corp.example", "not enough space", "the disk has room")),
    "filled": Fault("failed", ("PCNS on filled.corp.example", "rolled back", "not enough space", "the log")),
    "fatal": Fault(
        "failed", ("PCNS on fatal.corp.example", "rolled back", rf"{LOGS}\PCNS-install.log", "Read the log")
    ),
    "busy": Fault("failed", ("PCNS on busy.corp.example", "another installation", "Wait until it has ended")),
}
"""Faults of an installation: nothing of it may stay but Windows Installer's log and events."""

AFTER_INSTALLING = {
    "blocked": Fault(
        "failed",
        ("LSA on blocked.corp.example", "refused to load PCNSFLT", "event 16953", "Another restart does not help"),
    ),
    "gone": Fault("failed", ("restart on gone.corp.example", "still waits for WinRM", "Look at its console")),
}
"""Faults of the restart."""

FAULTS = {**BEFORE_ANYTHING, **WHILE_INSTALLING, **AFTER_INSTALLING}


@dataclass(frozen=True)
class Outcome:
    """The run, and the state of every host before and after."""

    run: Run
    estate: Estate
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    folder = tmp_path_factory.mktemp("faults")
    forest = small_forest(0)
    # The first host writes the directory as well, without which PCNS runs nowhere.
    for name in ("trusted", *FAULTS):
        forest.add_domain_controller(name, "Paris")
    with Estate(forest, folder) as estate:
        _connections(estate)
        _media(estate, folder)
        _machines(estate)
        estate.write()
        names = (*FAULTS, "trusted", "sso01")
        before = estate.snapshots(*names)
        playbook = play(folder, "pcns_everywhere", "domain_controllers", "pcns")
        run = estate.run(playbook, "--forks", "4", variables=ALLOWED)
        yield Outcome(run, estate, before, estate.snapshots(*names))


def _connections(estate: Estate) -> None:
    estate.down("down")
    estate.forest.endpoints[fqdn("foreign")].faults.foreign_server()
    estate.https("untrusted")
    estate.hosts["trusted"] = {"ansible_winrm_ca_trust_path": str(estate.https("trusted"))} | estate.hosts["trusted"]
    # All are worked on at the same time, and its replication partner `gone` never comes back.
    estate.hosts["trusted"]["pcns_health_skip"] = ["replication"]
    for name in ("ssh", "local"):
        estate.hosts[name] = {"ansible_connection": name}
    estate.hosts["configured"] = {"ansible_connection": "psrp", "ansible_psrp_configuration_name": "JEA"}
    estate.hosts["become"] = {"ansible_become": True, "ansible_become_method": "runas", "ansible_become_user": "SYSTEM"}
    estate.hosts["exposing"] = {"ansible_winrm_transport": "basic"}
    estate.hosts["moved"] = {"ansible_host": estate.forest.address("sso01")}
    estate.hosts["member"] = {**estate.hosts["moved"], "password_sync_computer_names": ["sso01"]}


def _media(estate: Estate, folder: Path) -> None:
    (package,) = one_package()
    content = Path(package["path"]).read_bytes()
    local = {"corrupt": content[:-1] + b"?", "truncated": content[:9000], "text": b"Copy the MSI here\r\n"}
    estate.hosts["missing"] = {"pcns_packages": [{**package, "path": "absent.msi"}]}
    for name, data in local.items():
        path = folder / f"{name}.msi"
        path.write_bytes(data)
        # The corrupt one has the hash of the file that it was; the others have their own.
        pinned = package["sha256"] if name == "corrupt" else hashlib.sha256(data).hexdigest()
        estate.hosts[name] = {"pcns_packages": [{**package, "path": str(path), "sha256": pinned}]}
    remote = {
        **package,
        "path": r"C:\Media\pcns.msi",
        "remote_src": True,
        "product_code": "{E5500000-0000-4000-8000-000000000011}",
        "version": "1.0.100.0",
    }
    for name, data in (("absent", b""), ("swapped", content[:-1] + b"?"), ("filled", content)):
        estate.hosts[name] = {"pcns_packages": [remote]}
        if data:
            host = estate.host(name)
            host.files.make_folder(r"C:\Media")
            host.files.write(r"C:\Media\pcns.msi", data, host.now())


def _machines(estate: Estate) -> None:
    estate.host("full").faults.disk_full = True
    estate.host("filled").faults.disk_full = True
    estate.host("fatal").faults.msiexec_exit_code = 1603
    estate.host("busy").faults.installer_busy = 1000
    estate.hosts["busy"] = {"pcns_busy_wait": 1}
    estate.host("blocked").faults.filter_blocked_error = 577
    estate.host("gone").faults.restart_never_returns = True
    estate.hosts["gone"] = {"pcns_restart_deadline": 1}


def test_the_run_fails(outcome: Outcome) -> None:
    assert outcome.run.exit_code != 0


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_told_in_two_sentences(outcome: Outcome, name: str) -> None:
    told = [item for item in outcome.run.results if item.host == fqdn(name) and item.status in FAILURES]
    assert [item.status for item in told if "One or more items" not in str(item.result)] == [FAULTS[name].status]
    says(message(told[0]), *FAULTS[name].told)


@pytest.mark.parametrize("name", BEFORE_ANYTHING)
def test_not_one_bit_has_changed(outcome: Outcome, name: str) -> None:
    machine = "sso01" if name in ("member", "moved") else name
    assert outcome.after[machine] == outcome.before[machine]


@pytest.mark.parametrize("name", WHILE_INSTALLING)
def test_nothing_is_half_installed(outcome: Outcome, name: str) -> None:
    before, after = outcome.before[name], outcome.after[name]
    for part in ("registry", "services", "lsa", "boot_time", "on", "restart_scheduled"):
        assert after[part] == before[part], part
    assert set(after["files"]["files"]) - set(before["files"]["files"]) <= {rf"{LOGS}\PCNS-install.log"}
    assert set(after["files"]["folders"]) - set(before["files"]["folders"]) <= {OURS, LOGS}
    assert not set(before["files"]["files"]) - set(after["files"]["files"])


@pytest.mark.parametrize("name", AFTER_INSTALLING)
def test_it_is_restarted_once_and_never_again(outcome: Outcome, name: str) -> None:
    log = outcome.estate.host(name).process_log
    assert sum("shutdown" in line.lower() for line in log) == 1, log


def test_a_trusted_certificate_is_taken(outcome: Outcome) -> None:
    assert not [item for item in outcome.run.results if item.host == fqdn("trusted") and item.status in FAILURES]
    made = {change["resource"] for change in outcome.run.changes if change["subject"] == fqdn("trusted")}
    assert {"msi_package", "domain_controller_restart"} <= made
    plain = outcome.estate.forest.endpoints[fqdn("trusted")].statistics
    assert plain.http_requests == 0, "The http listener was used."


def test_failure_is_of_one_task(outcome: Outcome) -> None:
    """A host that failed does nothing more in the run."""
    for name in BEFORE_ANYTHING:
        assert failure(outcome.run, name).action == "entsso.password_sync.pcns_info"
        assert [item.action for item in outcome.run.results if item.host == fqdn(name)][-1].endswith("pcns_info")
