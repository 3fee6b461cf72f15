# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that is killed half-way and started again finishes the job, and repeats no restart that has been done."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from integration.estate import ALLOWED, Estate, rows, small_forest

from lab.settings import LabSettings, WindowsSettings
from lab.windows.host import SimulatedHost

SLOW = LabSettings(windows=WindowsSettings(install_seconds=1.0, reboot_seconds=1.5))
"""Long enough to be killed in the middle."""

Moment = Callable[[SimulatedHost], bool]


def _copying(host: SimulatedHost) -> bool:
    return any("findstr" in line for line in host.process_log)


def _installing(host: SimulatedHost) -> bool:
    return host.installer.active


def _installed(host: SimulatedHost) -> bool:
    return not host.installer.active and "PCNSFLT" in host.lsa.registered


def _restarting(host: SimulatedHost) -> bool:
    return not host.power.on


def _restarted(host: SimulatedHost) -> bool:
    return host.power.on and host.boot_count > 1


MOMENTS: dict[str, tuple[str, Moment]] = {
    "while it copies the package": ("dc01", _copying),
    "while Windows Installer runs": ("dc01", _installing),
    "when the package is installed": ("dc01", _installed),
    "while it waits for the restart": ("dc01", _restarting),
    "when the restart is over": ("dc01", _restarted),
    "while it waits for the second domain controller": ("dc02", _restarting),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_started_again_it_finishes(tmp_path: Path, moment: str) -> None:
    name, reached = MOMENTS[moment]
    with Estate(small_forest(2, SLOW), tmp_path) as estate:
        host = estate.host(name)
        killed = estate.run("domain_controllers.yml", variables=ALLOWED, kill_when=lambda: reached(host))
        assert killed.exit_code == -9, killed.output
        assert "PLAY RECAP" not in killed.output

        again = estate.run("site.yml", "--limit", "domain_controllers", variables=ALLOWED)

        assert again.exit_code == 0, again.output
        assert {row["capture_state"] for row in rows(estate.report()).values()} == {"working"}
        assert estate.report()["compliant"]
        assert estate.boots() == {"sso01": 0, "dc01": 1, "dc02": 1}
        for number in ("dc01", "dc02"):
            log = estate.host(number).process_log
            assert sum("shutdown" in line for line in log) == 1, log
            installations = sum("msiexec" in line for line in log)
            assert installations == 1 or moment == "while Windows Installer runs", log
            left = [path for path in _staged(estate.host(number)) if moment != "while it copies the package"]
            assert left == [] or moment == "while Windows Installer runs", left
        assert not estate.run("domain_controllers.yml", variables=ALLOWED).changed


def _staged(host: SimulatedHost) -> list[str]:
    """Copies of ours that are left on a host."""
    return [file.path for file in host.files.inside(r"C:\Windows\Temp") if not file.path.endswith(".log")]
