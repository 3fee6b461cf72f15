# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that is killed half-way and started again finishes the job, and repeats no restart that has been done."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from integration.estate import ALLOWED, Estate, fqdn, small_forest

from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._protected_folder import PROTECTED_ROOT
from lab.settings import LabSettings, WindowsSettings
from lab.windows.host import SimulatedHost

SLOW = LabSettings(windows=WindowsSettings(install_seconds=1.0, reboot_seconds=1.5))
"""Long enough to be killed in the middle."""

Moment = Callable[[SimulatedHost], bool]


def _copying(host: SimulatedHost) -> bool:
    return any("findstr" in line for line in host.process_log)


def _installing(host: SimulatedHost) -> bool:
    return host.installer.active


def _restarting(host: SimulatedHost) -> bool:
    return not host.power.on


MOMENTS: dict[str, tuple[int, Moment]] = {
    "while it copies the package": (1, _copying),
    "while Windows Installer runs": (1, _installing),
    "while it waits for the restart": (1, _restarting),
    # By then the first one has been restarted, and must not be again.
    "while it waits for the second restart": (2, _restarting),
}
"""How many domain controllers there are, and what is the case on the last of them."""

LEAVING = ("while it copies the package", "while Windows Installer runs")
"""When something of ours is left behind."""


@pytest.mark.parametrize("moment", MOMENTS)
def test_started_again_it_finishes(tmp_path: Path, moment: str) -> None:
    count, reached = MOMENTS[moment]
    names = [f"dc{number:02}" for number in range(1, count + 1)]
    with Estate(small_forest(count, SLOW), tmp_path) as estate:
        last = estate.host(names[-1])
        killed = estate.run("domain_controllers.yml", variables=ALLOWED, kill_when=lambda: reached(last))
        assert killed.exit_code == -9, killed.output
        assert bool(_staged(last)) == (moment in LEAVING)
        assert "PLAY RECAP" not in killed.output

        # Who starts again at once is told that it can't be reached, and starts again.
        while not estate.forest.endpoints[fqdn(names[-1])].is_up:
            estate.forest.advance(0.1)
        again = estate.run("domain_controllers.yml", variables=ALLOWED)

        assert again.exit_code == 0, again.output
        assert estate.boots() == {"sso01": 0, **dict.fromkeys(names, 1)}
        for name in names:
            host = estate.host(name)
            assert host.lsa.is_loaded("PCNSFLT")
            service = host.services.get("PCNSSVC")
            assert service is not None
            assert service.state == "Running"
            assert sum("shutdown" in line for line in host.process_log) == 1, host.process_log
            # The installation that the killed run had begun goes on without it, and is waited for.
            installations = sum("msiexec" in line for line in host.process_log)
            assert installations == 1 or moment == "while Windows Installer runs", host.process_log
            # A run that is killed has no time to remove the copy that it was working with; the next one does.
            assert _staged(host) == []
        assert [target.name for target in estate.forest.directory.pcns().targets] == ["ENTSSO"]
        estate.hides(estate.forest.operator_password)


def _staged(host: SimulatedHost) -> list[str]:
    """Folders of ours on a host, those with logs aside."""
    return [
        path for path in host.files.folders if path.startswith(f"{PROTECTED_ROOT}\\") and not path.endswith("\\logs")
    ]
