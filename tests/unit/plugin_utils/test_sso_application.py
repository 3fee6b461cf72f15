# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""sso_application through ssomanage of the lab."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from unit.lab.estate_kit import install_feature
from unit.lab_host import Lab, changes, folder_names, running, settings

from lab.example import application
from lab.forest import Forest
from lab.settings import SsoSettings

WANTED = application("RACF")
SSOMANAGE = r"C:\Program Files\Common Files\Enterprise Single Sign-On\ssomanage.exe"


@pytest.fixture
def lab() -> Iterator[Lab]:
    forest = Forest(settings())
    assert install_feature(forest.host("sso01")) == 0
    with running(forest) as started:
        yield started


def calls(lab: Lab, verb: str) -> list[str]:
    return [
        line for line in lab.simulated("sso01").process_log if f'ssomanage.exe" {verb}' in line or f" {verb}" in line
    ]


def test_created_once(lab: Lab) -> None:
    done = lab.converge("sso_application", "sso01", **WANTED)
    assert changes(done) == [("sso_application", "create", {"exists": True})]
    created = lab.forest.sso.application("RACF_Users")
    assert created.description == "Accounts in RACF"
    assert created.contact == "identity@corp.example"
    assert created.user_account == "CORP\\SSO Application Users"
    assert created.admin_account == "CORP\\SSO Affiliate Administrators"
    assert created.fields == (("User Id", False), ("Password", True))
    assert created.enabled
    assert created.flags == {"allowTickets": False}
    assert folder_names(lab.simulated("sso01")) == []


def test_an_application_that_exists_is_left_alone(lab: Lab) -> None:
    lab.run("sso_application", "sso01", **WANTED)
    other = {**WANTED, "name": "racf_users", "description": "Something else"}
    assert lab.run("sso_application", "sso01", **other)["changed"] is False
    assert lab.run("sso_application", "sso01", name="RACF_Users")["changed"] is False
    assert lab.forest.sso.application("RACF_Users").description == "Accounts in RACF"


@pytest.mark.parametrize("name", ["SSO", "server", "computer", "svc-ansible", "Applications"])
def test_a_word_of_the_headings_is_no_application(lab: Lab, name: str) -> None:
    lab.converge("sso_application", "sso01", **{**WANTED, "name": name})
    assert lab.forest.sso.application(name).enabled


@pytest.mark.parametrize("name", ["RACF", "RACF_Users2", "x", "RACF_Users - old"])
def test_a_similar_name_is_another_application(lab: Lab, name: str) -> None:
    lab.run("sso_application", "sso01", **WANTED)
    lab.converge("sso_application", "sso01", **{**WANTED, "name": name})
    assert set(lab.forest.sso.applications) == {"racf_users", name.lower()}


def test_localised() -> None:
    with running(settings(sso=SsoSettings(localised=True))) as lab:
        lab.converge("sso_application", "sso01", **WANTED)


def test_what_a_new_application_needs(lab: Lab) -> None:
    for check in (True, False):
        error = str(lab.refused("sso_application", "sso01", check=check, name="RACF"))
        assert "The application RACF does not exist; to create it give user_account, admin_account and fields" in error
    assert calls(lab, "-createapps") == []


def test_what_entsso_refuses_is_told(lab: Lab) -> None:
    error = str(lab.refused("sso_application", "sso01", **{**WANTED, "user_account": "CORP\\Nobody"}))
    assert "ssomanage.exe -createapps on sso01.corp.example: it ended with 1 and printed: ERROR: 0xC0002A22" in error
    assert lab.forest.sso.applications == {}
    assert folder_names(lab.simulated("sso01")) == []


def test_an_empty_name_is_refused(lab: Lab) -> None:
    assert "sso01.corp.example" in str(lab.refused("sso_application", "sso01", **{**WANTED, "name": ""}))
    assert calls(lab, "-createapps") == []


def test_names_that_need_care_in_xml(lab: Lab) -> None:
    lab.converge("sso_application", "sso01", **{**WANTED, "description": 'A & "B" <C> ü', "contact": "it's"})
    assert lab.forest.sso.application("RACF_Users").description == 'A & "B" <C> ü'


@pytest.mark.parametrize(
    "printed", [b"", b"\x80\x81\x82", b"Das System kann nicht.\r\n", b"ERROR: 0x800706BA: RPC\r\n"]
)
def test_output_that_can_not_be_understood_is_refused(lab: Lab, printed: bytes) -> None:
    lab.simulated("sso01").faults.tool_output["ssomanage"] = printed
    for check in (True, False):
        error = str(lab.refused("sso_application", "sso01", check=check, **WANTED))
        assert "The applications of the SSO system could not be listed on sso01.corp.example" in error
        assert "Run `ssomanage -listapps all` there by hand" in error
    assert calls(lab, "-createapps") == []


def test_entsso_is_stopped(lab: Lab) -> None:
    lab.simulated("sso01").services.stop("ENTSSO")
    error = str(lab.refused("sso_application", "sso01", **WANTED))
    assert "ssomanage -listapps printed ERROR: 0x800706BA" in error


def test_a_host_without_entsso(lab: Lab) -> None:
    assert rf"{SSOMANAGE} does not exist" in str(lab.refused("sso_application", "dc01", **WANTED))


def test_a_creation_that_did_nothing_is_noticed(lab: Lab) -> None:
    lab.forest.sso.add_application = lambda _application: None  # type: ignore[method-assign]
    error = str(lab.refused("sso_application", "sso01", **WANTED))
    assert "sso_application racf_users on sso01.corp.example: state should be present and is absent" in error
