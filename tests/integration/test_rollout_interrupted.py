# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules of a rollout, on one DC that loses its network, an answer or its power at every change that they make.

The modules run in the order of the role pcns until one fails, then all from the first, as the next run does, until they
get to their end without trouble. It comes at each change at which there was none yet, so once at every one. That a run
is killed is in test_rollout_resume.py, with real playbooks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from unittest.mock import patch

import pytest
from ansible.errors import AnsibleError
from unit.lab_host import Lab, media, running, wait_for

from ansible_collections.entsso.password_sync.plugins.plugin_utils import _msi_package
from ansible_collections.entsso.password_sync.plugins.plugin_utils._msi_run import run_msiexec
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._protected_folder import PROTECTED_ROOT
from lab.example import CAPTURE_LEAVES, SERVICE_LEAVES
from lab.settings import LabSettings, WindowsSettings
from lab.watch import ChangeWatch

DC = "dc01"
GROUPS = {"inclusion_group": "CORP\\Domain Users", "exclusion_group": "CORP\\Domain Admins"}
ROLLOUT: tuple[tuple[str, Mapping[str, Any]], ...] = (
    (
        "msi_package",
        {
            **media("pcns-all-in-one.msi"),
            "name": "PCNS",
            "properties": {"ACCEPT_EULA": "1"},
            "leaves": {**CAPTURE_LEAVES, **SERVICE_LEAVES},
            "busy_interval": 0.05,
        },
    ),
    ("pcns_configuration", {"max_queue_age": 604800, "retry_interval": 60}),
    (
        "pcns_target",
        {
            "name": "ENTSSO",
            "address": "sso01.corp.example",
            "service_principal_name": "ENTSSO/sso01.corp.example",
            **GROUPS,
        },
    ),
    ("notification_package", {}),
    ("domain_controller_restart", {"allowed": True, "interval": 0.02, "deadline": 1}),
    ("pcns_service", {"event_log_level": 2}),
)
LAB = LabSettings(windows=WindowsSettings(install_seconds=0.3, reboot_seconds=0.05, time_scale=0.01))
"""An installation takes longer than the answer that it has begun."""
MOST_RUNS = 60


def _network_is_gone(lab: Lab) -> None:
    faults = lab.endpoint(DC).faults
    faults.drop_after()
    faults.drop_before(times=None)


def _answer_is_lost(lab: Lab) -> None:
    lab.endpoint(DC).faults.drop_after()


def _power_fails(lab: Lab) -> None:
    with lab.forest.scheduler.lock:
        lab.simulated(DC).power.restart()


TROUBLES: dict[str, Callable[[Lab], None]] = {
    "the network is gone for the rest of the run": _network_is_gone,
    "an answer is lost": _answer_is_lost,
    "the power fails": _power_fails,
}


def _roll_out(lab: Lab) -> str:
    """Runs all modules as a new run does; returns the error of the one that failed, empty when none did."""
    lab.forget()
    for module, arguments in ROLLOUT:
        try:
            lab.run(module, DC, **arguments)
        except AnsibleError as error:
            return str(error)
    return ""


@pytest.mark.parametrize("name", TROUBLES)
def test_the_next_run_goes_on_from_there(name: str) -> None:
    met: list[str] = []
    errors: list[str] = []
    running_now = False

    with running(LAB) as lab:
        host = lab.simulated(DC)

        def noticed(_host: str, what: str) -> None:
            # What the power itself does is no change that somebody made.
            if running_now and "=/on" not in what and what not in met:
                met.append(what)
                TROUBLES[name](lab)

        with ChangeWatch(lab.forest, noticed):
            seen = -1
            while len(met) != seen:
                assert len(errors) < MOST_RUNS, met
                seen, running_now = len(met), True
                errors.append(_roll_out(lab))
                running_now = False
                lab.endpoint(DC).faults.clear()
                wait_for(lambda: host.power.on and not host.power.scheduled and lab.endpoint(DC).is_up)

        assert errors[-1] == ""
        for moment in ('+/running/"findstr', '+/running/"msiexec.exe', "/pcns/targets", "Parameters/EventLogLevel"):
            assert any(moment in what for what in met), (moment, met)
        assert host.lsa.is_loaded("PCNSFLT")
        assert host.services.is_running("PCNSSVC")
        assert [target.name for target in lab.forest.directory.pcns().targets] == ["ENTSSO"]
        # Where the power fails once the filter is installed, no restart is needed any more.
        asked = sum("shutdown" in line for line in host.process_log)
        assert asked == (0 if name == "the power fails" else 1)
        assert name == "the power fails" or host.boot_count - 1 == 1
        left = [path for path in host.files.folders if path.startswith(f"{PROTECTED_ROOT}\\")]
        assert [path for path in left if not path.endswith("\\logs")] == []
        # Each error names what it was about, and ends with what to do.
        assert all(error.count(". ") >= 1 and "Traceback" not in error for error in errors if error), errors


def test_an_upgrade_that_outlives_its_run_is_restarted_for() -> None:
    """The older filter is loaded and logged as such; that a newer one lies there was to be remembered beforehand."""
    module, arguments = ROLLOUT[0]
    newer = {**arguments, **media("pcns-all-in-one-2.msi")}

    class Killed(BaseException):
        """Ends a run without any chance to tidy up."""

    def killed(*_arguments: Any) -> None:
        run_msiexec(*_arguments)
        raise Killed

    with running(LAB) as lab:
        lab.install(DC)
        restart = {**dict(ROLLOUT)["domain_controller_restart"], "deadline": 20}
        assert lab.run("domain_controller_restart", DC, **restart)["changed"] is False
        # One that fails is forgotten again: nothing has to be restarted for.
        lab.simulated(DC).faults.msiexec_exit_code = 1603
        with pytest.raises(AnsibleError, match="rolled back"):
            lab.run(module, DC, **newer)
        lab.simulated(DC).faults.msiexec_exit_code = None
        lab.forget()
        assert lab.run("domain_controller_restart", DC, **restart)["changed"] is False
        with patch.object(_msi_package, "run_msiexec", killed), pytest.raises(Killed):
            lab.run(module, DC, **newer)
        lab.forget()
        assert lab.run(module, DC, **newer)["changed"] is False
        assert lab.run("domain_controller_restart", DC, **restart)["changed"] is True
