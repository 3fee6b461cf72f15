# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one task costs the control node's processor for each host, with each way to authenticate.

Measured from runs with few and with many hosts, so that what a run costs once drops out.
"""

from __future__ import annotations

import importlib.util
import os
import resource
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from benchmarks.play import INFO, require, write_play
from lab.example import one_package
from lab.forest import Forest
from lab.inventory import write_inventory
from lab.playbooks import PlaybookRunner

FEW, MANY = 10, 50
REPEATS = 3
_CACHE = Path(__file__).resolve().parents[2] / "build" / "samba"


def lines(folder: Path) -> Iterator[str]:
    """Yields the figures, in milliseconds."""
    with _forest() as forest:
        forest.start()
        runner = _runner(forest, folder / "ntlm", {})
        empty = _per_host(runner, folder, {"ansible.builtin.debug": {"msg": ""}})
        yield f"an empty task: {empty:.1f} ms a host (runs with {FEW} and {MANY} hosts, best of {REPEATS})"
        yield _line("NTLM", _per_host(runner, folder, {INFO: {"packages": one_package()}}), empty)
    if shutil.which("samba") is None or any(importlib.util.find_spec(name) is None for name in ("gssapi", "kerberos")):
        yield "with Kerberos: not measured, since Samba or Kerberos for Python is not installed"
        return
    with _forest() as forest, _kerberos(forest) as variables:
        runner = _runner(forest, folder / "kerberos", variables)
        yield _line("Kerberos", _per_host(runner, folder, {INFO: {"packages": one_package()}}), empty)


def _line(way: str, own: float, empty: float) -> str:
    return f"with {way}: {own - empty:.1f} ms a host above it, {own / empty:.1f} times as much"


@contextmanager
def _forest() -> Iterator[Forest]:
    forest = Forest(populate=False)
    for number in range(1, MANY + 1):
        forest.add_domain_controller(f"dc{number:02}", "Paris")
    try:
        yield forest
    finally:
        forest.stop()


@contextmanager
def _kerberos(forest: Forest) -> Iterator[Mapping[str, Any]]:
    """Starts the forest with keys of a real KDC, and gives the variables with which a ticket of it is used."""
    from lab.samba.directory import Domain

    account = forest.operator.rpartition("\\")[2]
    with Domain.start(_CACHE) as domain:
        domain.add_user(account, forest.operator_password)
        forest.start(keytabs={name.lower(): domain.add_computer(name) for name in forest.hosts})
        ticket = {"KRB5CCNAME": f"FILE:{domain.kinit(account, forest.operator_password)}"}
        with patch.dict(os.environ, {**domain.environment(), **ticket}):
            yield {
                "ansible_winrm_transport": "kerberos",
                "ansible_winrm_kinit_mode": "manual",
                "ansible_winrm_kerberos_hostname_override": "{{ inventory_hostname }}",
                "ansible_user": f"{account}@{domain.realm}",
            }


def _runner(forest: Forest, folder: Path, variables: Mapping[str, Any]) -> PlaybookRunner:
    runner = PlaybookRunner(write_inventory(forest, folder / "inventory", {"all": dict(variables)}), folder / "logs")
    runner.recording = False
    return runner


def _per_host(runner: PlaybookRunner, folder: Path, action: Mapping[str, Any]) -> float:
    playbook = write_play(folder, [{"name": "Measure", **action}])
    few, many = (min(_children(runner, playbook, hosts) for _repeat in range(REPEATS)) for hosts in (FEW, MANY))
    return (many - few) / (MANY - FEW) * 1000


def _children(runner: PlaybookRunner, playbook: Path, hosts: int) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    require(runner.run(str(playbook), "--limit", f"domain_controllers[0:{hosts - 1}]"))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
