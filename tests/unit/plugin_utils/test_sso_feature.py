# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""sso_feature against the set-up of the lab, in both styles that the facts leave open."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from unit.lab_host import Lab, changes, observed, running, settings

from lab.settings import SetupStyle, SsoSettings
from lab.windows.entsso import FOLDER, MEDIA, SERVER_DLL

SETUP = rf"{MEDIA}\setup.exe"
BIZTALK = ["/quiet", "/norestart", "/ADDLOCAL", "LabPasswordSync"]
PROPERTIES = ["/qn", "/norestart", "ADDLOCAL=LabPasswordSync"]


@pytest.fixture
def lab() -> Iterator[Lab]:
    with running() as started:
        yield started


def given(lab: Lab, **more: Any) -> dict[str, Any]:
    """Returns arguments that install the feature."""
    file = lab.simulated("sso01").files.get(SETUP)
    assert file is not None
    return {"setup_path": SETUP, "setup_sha256": file.sha256, "setup_arguments": BIZTALK, **more}


def executed(lab: Lab) -> list[str]:
    """Returns how set-up was called."""
    return [line for line in lab.simulated("sso01").process_log if "setup.exe" in line and "certutil" not in line]


def service_starts(lab: Lab) -> int:
    return len(lab.simulated("sso01").events.find("ENTSSO", 10611))


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize(
    ("style", "arguments"), [(SetupStyle.BIZTALK, BIZTALK), (SetupStyle.MSI_PROPERTIES, PROPERTIES)]
)
def test_installed_and_proved(style: SetupStyle, arguments: list[str], restarts: bool) -> None:
    sso = SsoSettings(setup_style=style, setup_restarts_service=restarts)
    with running(settings(sso=sso)) as lab:
        starts = service_starts(lab)
        done = lab.converge("sso_feature", "sso01", **given(lab, setup_arguments=arguments))
        assert changes(done) == [("sso_feature", "install", {"installed": True})]
        assert done["changes"][0]["implies"] == ["service restart"]
        assert observed(done, "sso_feature")["evidence"].startswith("event 1065")
        assert observed(done, "tool")["path"] == rf"{FOLDER}\ssops.exe"
        assert len(executed(lab)) == 1
        # ENTSSO is restarted once in any case, since it only says at a start which services it has.
        assert service_starts(lab) == starts + 1
        server = lab.simulated("sso01").sso_server
        assert server is not None
        assert server.receives_from_pcns


def test_the_feature_that_is_there_needs_no_setup(lab: Lab) -> None:
    lab.run("sso_feature", "sso01", **given(lab))
    lab.forget()
    assert lab.run("sso_feature", "sso01")["changed"] is False
    assert lab.run("sso_feature", "sso01", **given(lab, setup_path=r"X:\gone\setup.exe"))["changed"] is False


def test_nothing_to_install_from(lab: Lab) -> None:
    for check in (True, False):
        error = str(lab.refused("sso_feature", "sso01", check=check))
        assert "Password Synchronization is not installed on sso01.corp.example, and no setup was given" in error
        assert "setup_sha256" in error


def test_a_setup_of_another_hash_is_never_executed(lab: Lab) -> None:
    before = lab.snapshot()
    error = lab.refused("sso_feature", "sso01", **given(lab, setup_sha256="0" * 64))
    assert "setup.exe on sso01.corp.example has SHA-256" in str(error)
    assert "Nothing was executed" in str(error)
    assert executed(lab) == []
    assert lab.snapshot() == before


def test_a_setup_that_is_not_there(lab: Lab) -> None:
    error = str(lab.refused("sso_feature", "sso01", **given(lab, setup_path=r"D:\SSO\setup.exe")))
    assert r"D:\SSO\setup.exe can't be read by the account of this run on sso01.corp.example" in error
    assert executed(lab) == []


def test_a_setup_without_arguments_would_wait_for_ever(lab: Lab) -> None:
    error = str(lab.refused("sso_feature", "sso01", **given(lab, setup_arguments=[])))
    assert "A setup was given without arguments" in error
    assert executed(lab) == []


def test_a_setup_without_a_hash(lab: Lab) -> None:
    error = str(lab.refused("sso_feature", "sso01", setup_path=SETUP))
    assert "required together: setup_path, setup_sha256" in error


def test_switches_that_the_setup_does_not_understand(lab: Lab) -> None:
    error = lab.refused("sso_feature", "sso01", **given(lab, setup_arguments=PROPERTIES))
    assert "setup of Password Synchronization on sso01.corp.example: it ended with 1 and printed: nothing" in str(error)
    assert "Read the setup's own log" in str(error)
    assert error.result["changed"] is False  # type: ignore[attr-defined]
    assert lab.simulated("sso01").files.get(rf"{FOLDER}\{SERVER_DLL}") is None


def test_3010_is_told_and_left_to_the_user(lab: Lab) -> None:
    lab.simulated("sso01").faults.tool_exit_code["setup"] = 3010
    assert lab.run("sso_feature", "sso01", **given(lab))["changed"] is True
    assert "The setup asks for a restart of the SSO server (3010)" in lab.warned
    assert not lab.simulated("sso01").power.scheduled


def test_a_setup_that_says_it_worked_and_did_nothing(lab: Lab) -> None:
    """The feature of another name: exit code 0, and no file."""
    error = str(lab.refused("sso_feature", "sso01", **given(lab, setup_arguments=[*BIZTALK[:3], "SSOAdmin"])))
    assert "what is observed now is not what was planned" in error
    assert "sso_feature password synchronization on sso01.corp.example: state should be present and is absent" in error


def test_a_copied_library_proves_nothing(lab: Lab) -> None:
    host = lab.simulated("sso01")
    host.files.write(rf"{FOLDER}\{SERVER_DLL}", b"copied by support", host.now())
    error = str(lab.refused("sso_feature", "sso01", **given(lab)))
    assert "Whether Password Synchronization is installed on sso01.corp.example is not known" in error
    assert "error 10512" in error
    assert executed(lab) == []


def test_no_entsso_at_all(lab: Lab) -> None:
    error = str(lab.refused("sso_feature", "dc01", **given(lab)))
    assert "the ENTSSO service does not exist here" in error


def test_entsso_that_does_not_start_again(lab: Lab) -> None:
    lab.simulated("sso01").faults.services_that_fail["entsso"] = 15
    error = str(lab.refused("sso_feature", "sso01", **given(lab)))
    assert "service ENTSSO on sso01.corp.example: StartService returned 15" in error


def test_what_may_not_be_read_is_unknown(lab: Lab) -> None:
    lab.endpoint("sso01").faults.fault(5, "Access is denied.", nth=2, action="transfer/Get")
    error = str(lab.refused("sso_feature", "sso01", **given(lab)))
    assert "is not known: " in error
    assert executed(lab) == []
