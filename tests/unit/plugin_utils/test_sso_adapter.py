# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""sso_adapter through ssops of the lab, in every form of its output that the facts leave open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from unit.lab.estate_kit import ADAPTER, add_system, install_feature
from unit.lab_host import Lab, changes, folder_names, observed, running, settings

from ansible_collections.entsso.password_sync.plugins.module_utils._adapter_file import fingerprint
from lab.forest import Forest
from lab.settings import AdapterListLayout, SsoSettings
from lab.sso import Application

LONG = "Mainframe-passwords-of-the-northern-and-southern-data-centres-and-their-stand-ins-A"
APPLICATIONS = ("RACF_Users", "RACF_Operators")
GARBAGE = [
    b"",
    b"\x80\x81 (E\r\n",
    b"Das System kann die Datei nicht finden.\r\n",
    b"(E)\r\n",
    b"(E) RACF\r\n(D) RACF\r\n",
]


def definition(name: str = "RACF", more: str = "") -> str:
    """Returns a definition as a template would make it."""
    return ADAPTER.format(name=name, more=more)


def wanted(name: str = "RACF", **more: Any) -> dict[str, Any]:
    return {"name": name, "definition": definition(name), "enabled": True, "applications": list(APPLICATIONS), **more}


@contextmanager
def server(sso: SsoSettings | None = None, *, feature: bool = True) -> Iterator[Lab]:
    forest = Forest(settings(sso=sso))
    if feature:
        assert install_feature(forest.host("sso01")) == 0
    for name in (*APPLICATIONS, "RACF", "Other", LONG):
        forest.sso.add_application(Application(name))
    with running(forest) as started:
        yield started


@pytest.fixture
def lab() -> Iterator[Lab]:
    with server() as started:
        yield started


def calls(lab: Lab) -> list[str]:
    """Returns what ssops was told to change, in order."""
    lines = [line.partition("ssops.exe")[2].strip('" ') for line in lab.simulated("sso01").process_log]
    return [line.split()[0] for line in lines if line and not line.startswith(("-list", "-display"))]


class TestLifeCycle:
    def test_created_with_its_applications_and_enabled(self, lab: Lab) -> None:
        done = lab.converge("sso_adapter", "sso01", **wanted())
        assert changes(done) == [
            (
                "sso_adapter",
                "create",
                {
                    "definition": fingerprint(definition()),
                    "applications": ["RACF_Operators", "RACF_Users"],
                    "enabled": True,
                },
            )
        ]
        adapter = lab.forest.sso.adapter("RACF")
        assert adapter.enabled
        assert adapter.applications == list(APPLICATIONS)
        assert adapter.flags["syncToAdapter"]
        assert calls(lab) == ["-create", "-addapp", "-addapp", "-enable"]
        assert folder_names(lab.simulated("sso01")) == []
        assert observed(done, "sso_adapter")["definition"] == fingerprint(definition())

    def test_created_disabled_unless_said(self, lab: Lab) -> None:
        lab.converge("sso_adapter", "sso01", name="RACF", definition=definition())
        assert not lab.forest.sso.adapter("RACF").enabled

    def test_a_system_that_creates_adapters_enabled(self) -> None:
        with server(SsoSettings(created_enabled=True)) as lab:
            lab.converge("sso_adapter", "sso01", **wanted(enabled=False))
            assert not lab.forest.sso.adapter("RACF").enabled
            assert calls(lab)[-1] == "-disable"

    def test_enabled_and_disabled(self, lab: Lab) -> None:
        lab.run("sso_adapter", "sso01", **wanted(enabled=False))
        done = lab.converge("sso_adapter", "sso01", **wanted())
        assert changes(done) == [("sso_adapter", "update", {"enabled": True})]
        lab.forest.disable_adapter("RACF")
        lab.converge("sso_adapter", "sso01", **wanted())
        lab.converge("sso_adapter", "sso01", name="RACF", enabled=False)
        assert not lab.forest.sso.adapter("RACF").enabled

    def test_a_new_definition_updates_and_keeps_the_rest(self, lab: Lab) -> None:
        lab.run("sso_adapter", "sso01", **wanted())
        new = definition(more='allowMappingConflicts="yes"')
        done = lab.converge("sso_adapter", "sso01", **wanted(definition=new))
        assert list(done["changes"][0]["new"]) == ["definition"]
        adapter = lab.forest.sso.adapter("RACF")
        assert adapter.flags["allowMappingConflicts"]
        assert adapter.enabled
        assert adapter.applications == list(APPLICATIONS)
        assert calls(lab).count("-update") == 1

    def test_line_ends_are_no_difference(self, lab: Lab) -> None:
        lab.run("sso_adapter", "sso01", **wanted())
        crlf = wanted(definition=definition().replace("\n", "\r\n"))
        assert lab.run("sso_adapter", "sso01", **crlf)["changed"] is False

    def test_without_a_definition_an_existing_one_is_left_alone(self, lab: Lab) -> None:
        lab.run("sso_adapter", "sso01", **wanted())
        assert lab.run("sso_adapter", "sso01", name="racf", enabled=True)["changed"] is False
        assert "RACF2 does not exist" in str(lab.refused("sso_adapter", "sso01", name="RACF2", enabled=True))

    def test_one_more_application(self, lab: Lab) -> None:
        lab.run("sso_adapter", "sso01", **wanted())
        done = lab.converge("sso_adapter", "sso01", **wanted(applications=[*APPLICATIONS, "Other"]))
        assert done["changes"][0]["old"] == {"applications": ["RACF_Operators", "RACF_Users"]}
        assert lab.forest.sso.adapter("RACF").applications == [*APPLICATIONS, "Other"]

    def test_an_application_of_the_adapters_own_name(self, lab: Lab) -> None:
        """The name stands in what ssops shows of the adapter anyway; that does not assign it."""
        lab.converge("sso_adapter", "sso01", **wanted(applications=["RACF"]))
        assert lab.forest.sso.adapter("RACF").applications == ["RACF"]

    def test_an_adapter_that_was_made_by_hand_gets_our_definition_once(self) -> None:
        forest = Forest(settings())
        assert install_feature(forest.host("sso01")) == 0
        add_system(forest.host("sso01"), "RACF")
        with running(forest) as lab:
            done = lab.converge("sso_adapter", "sso01", name="RACF", definition=definition(), applications=["RACF"])
            assert done["changes"][0]["old"] == {"definition": ""}
            assert calls(lab)[-1] == "-update"

    def test_check_mode_plans_on_a_feature_that_is_yet_to_come(self) -> None:
        from unit.plugin_utils.test_sso_feature import given

        with server(feature=False) as lab:
            assert "ssops is not on sso01.corp.example" in str(lab.refused("sso_adapter", "sso01", **wanted()))
            lab.run("sso_feature", "sso01", check=True, **given(lab))
            planned = lab.run("sso_adapter", "sso01", check=True, **wanted())
            assert planned["changes"][0]["operation"] == "create"


class TestForms:
    @pytest.mark.parametrize(
        ("layout", "header", "width"),
        [
            (AdapterListLayout.MARK_FIRST, True, 80),
            (AdapterListLayout.MARK_FIRST, False, 0),
            (AdapterListLayout.TWO_COLUMNS, False, 80),
            (AdapterListLayout.TWO_COLUMNS, True, 120),
        ],
    )
    def test_layouts(self, layout: AdapterListLayout, header: bool, width: int) -> None:
        sso = SsoSettings(list_layout=layout, list_header=header, list_width=width)
        with server(sso) as lab:
            lab.converge("sso_adapter", "sso01", **wanted())
            name = "A-name-of-exactly-30-characters"
            lab.run("sso_adapter", "sso01", **wanted(name, definition=definition(name), applications=[]))
            assert lab.forest.sso.adapter(name).enabled

    def test_localised(self) -> None:
        with server(SsoSettings(localised=True, display_yes="Ja", display_no="Nein")) as lab:
            lab.converge("sso_adapter", "sso01", **wanted())

    @pytest.mark.parametrize("layout", list(AdapterListLayout))
    def test_marks_in_another_language_are_refused(self, layout: AdapterListLayout) -> None:
        sso = SsoSettings(list_layout=layout, enabled_mark="(A)", disabled_mark="(I)")
        with server(sso) as lab:
            add_system(lab.simulated("sso01"), "SAP", mapped=())
            error = str(lab.refused("sso_adapter", "sso01", name="SAP", enabled=True))
            assert "The adapter SAP could not be read on sso01.corp.example" in error
            assert "ssops -list does not name it, and ssops -display printed no error" in error

    @pytest.mark.parametrize("layout", list(AdapterListLayout))
    def test_names_that_were_cut_off_are_refused(self, layout: AdapterListLayout) -> None:
        with server(SsoSettings(list_layout=layout)) as lab:
            add_adapter(lab, LONG)
            for check in (True, False):
                error = str(lab.refused("sso_adapter", "sso01", check=check, name=LONG, enabled=True))
                assert f"The adapter {LONG} could not be read on sso01.corp.example" in error
                assert "120 columns" in error
            assert not lab.forest.sso.adapter(LONG).enabled
            assert calls(lab) == []

    def test_another_adapter_of_which_this_is_the_beginning(self) -> None:
        """What the list shows of a longer name may look exactly like a shorter one."""
        with server() as lab:
            add_adapter(lab, LONG)
            short = LONG[:76]
            error = str(lab.refused("sso_adapter", "sso01", name=short, enabled=True, definition=definition(short)))
            assert "cuts off names" in error
            assert calls(lab) == []

    def test_applications_that_were_cut_off_are_refused(self) -> None:
        with server() as lab:
            lab.run("sso_adapter", "sso01", **wanted(applications=[]))
            lab.forest.sso.assign("RACF", LONG)
            error = str(lab.refused("sso_adapter", "sso01", **wanted(applications=[LONG])))
            assert "the output of ssops -display could not be understood: it cuts off names" in error
            assert "-addapp" not in calls(lab)


def add_adapter(lab: Lab, name: str) -> None:
    from lab.sso import Adapter

    lab.forest.sso.add_adapter(Adapter(name, computer="sso01.corp.example"))


class TestOutputThatCanNotBeUnderstood:
    @pytest.mark.parametrize("printed", GARBAGE)
    def test_it_is_refused(self, lab: Lab, printed: bytes) -> None:
        lab.simulated("sso01").faults.tool_output["ssops"] = printed
        for check in (True, False):
            error = str(lab.refused("sso_adapter", "sso01", check=check, **wanted()))
            assert "The adapter RACF could not be read on sso01.corp.example: " in error
            assert "Run `ssops -list` there by hand" in error
        assert calls(lab) == []

    def test_entsso_is_stopped(self, lab: Lab) -> None:
        lab.simulated("sso01").services.stop("ENTSSO")
        error = str(lab.refused("sso_adapter", "sso01", **wanted()))
        assert "ssops -list printed ERROR: 0x800706BA" in error


class TestRefusals:
    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("<sso><adapter name='RACF'></sso>", "it is not well-formed XML"),
            (definition("LDAP"), "the adapter's name 'RACF' does not stand in it"),
            (definition(more='sendOldPassword="true"'), "sendOldPassword is 'true' and must be yes or no"),
            (definition().replace("sso01.corp.example", "sso01"), "must be a fully qualified name"),
        ],
    )
    def test_a_wrong_definition_never_leaves_the_control_node(self, lab: Lab, text: str, told: str) -> None:
        for check in (True, False):
            error = str(lab.refused("sso_adapter", "sso01", check=check, **wanted(definition=text)))
            assert "The definition of the adapter RACF is refused before it leaves the control node: " in error
            assert told in error
        assert lab.endpoint("sso01").statistics.http_requests == 0

    def test_what_ssops_refuses_is_told_and_nothing_is_left(self, lab: Lab) -> None:
        text = definition().replace("SSO Adapter Access", "Nobody")
        error = lab.refused("sso_adapter", "sso01", **wanted(definition=text))
        assert "ssops.exe -create on sso01.corp.example: it ended with 1 and printed: ERROR: 0xC0002A22" in str(error)
        assert lab.forest.sso.adapters == {}
        assert folder_names(lab.simulated("sso01")) == []
        assert "sso_adapter_racf" not in str(lab.simulated("sso01").registry.dump())

    def test_an_application_that_does_not_exist(self, lab: Lab) -> None:
        error = str(lab.refused("sso_adapter", "sso01", **wanted(applications=["Nothing"])))
        assert "ssops.exe -addapp on sso01.corp.example: it ended with 1 and printed: ERROR: 0xC0002A04" in error
        # The next run goes on from there.
        lab.forget()
        assert lab.run("sso_adapter", "sso01", **wanted())["changed"] is True
        assert lab.forest.sso.adapter("RACF").enabled

    def test_an_adapter_that_is_disabled_at_once_is_noticed(self, lab: Lab) -> None:
        lab.run("sso_adapter", "sso01", **wanted(enabled=False))
        host = lab.simulated("sso01")
        host.faults.tool_exit_code["ssops"] = 0
        adapter = lab.forest.sso.adapter("RACF")

        class Stubborn(type(adapter)):  # type: ignore[misc]
            enabled = property(lambda _self: False, lambda _self, _value: None)

        adapter.__class__ = Stubborn
        error = str(lab.refused("sso_adapter", "sso01", **wanted()))
        assert "sso_adapter racf on sso01.corp.example: enabled should be true and is false" in error
