# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SSO side: feature, switches, applications, adapters and the definition file."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entsso.password_sync.plugins.module_utils import (
    _sso_adapter,
    _sso_application,
    _sso_feature,
    _sso_server,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._adapter_file import (
    AdapterFileError,
    check_adapter_file,
    fingerprint,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._marker import Marker
from ansible_collections.entsso.password_sync.plugins.module_utils._package import ToolState
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import (
    Absent,
    Estate,
    Key,
    Operation,
    PlanError,
    Present,
    Unknown,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._sso_adapter import AdapterState, DesiredAdapter
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._eventlog import Event

BOOT = datetime(2026, 1, 2, 3, 0, tzinfo=UTC)
HOST = "sso01"


def event(event_id: int, minutes: int = 1) -> Event:
    data = ("SSOPSServer.dll", "0x8007007E") if event_id == 10512 else ()
    return Event("Application", "ENTSSO", event_id, 4, minutes, BOOT + timedelta(minutes=minutes), HOST, data)


class TestFeature:
    def test_the_library_alone_proves_nothing(self) -> None:
        found = _sso_feature.judge_presence(entsso_exists=True, library_exists=True, events=(), boot_time=BOOT)
        assert isinstance(found, Unknown)

    def test_entsso_says_that_it_is_there(self) -> None:
        found = _sso_feature.judge_presence(
            entsso_exists=True, library_exists=True, events=(event(10512, 1), event(10651, 2)), boot_time=BOOT
        )
        assert isinstance(found, Present)

    @pytest.mark.parametrize("failure", [10512, 10652])
    def test_the_newest_word_counts(self, failure: int) -> None:
        events = (event(10651, 1), event(failure, 2))
        found = _sso_feature.judge_presence(entsso_exists=True, library_exists=True, events=events, boot_time=BOOT)
        assert isinstance(found, Unknown)
        assert str(failure) in found.reason

    def test_words_from_before_the_boot_do_not_count(self) -> None:
        found = _sso_feature.judge_presence(
            entsso_exists=True, library_exists=True, events=(event(10651, -5),), boot_time=BOOT
        )
        assert isinstance(found, Unknown)

    def test_without_the_library_it_is_absent_and_without_entsso_unknown(self) -> None:
        absent = _sso_feature.judge_presence(entsso_exists=True, library_exists=False, events=(), boot_time=BOOT)
        unknown = _sso_feature.judge_presence(entsso_exists=False, library_exists=True, events=(), boot_time=BOOT)
        assert isinstance(absent, Absent)
        assert isinstance(unknown, Unknown)

    def test_an_absent_feature_without_setup_is_refused(self) -> None:
        estate = Estate({_sso_feature.key(HOST): Absent()})
        with pytest.raises(PlanError, match="no setup was given"):
            _sso_feature.plan(HOST, _sso_feature.DesiredFeature(False), estate)
        (change,) = _sso_feature.plan(HOST, _sso_feature.DesiredFeature(True, {"ssops": "C:\\ssops.exe"}), estate)
        after = change.project(Estate({_sso_feature.key(HOST): Absent()}, {"tool": ToolState}))
        assert after.get(Key(HOST, "tool", "ssops")) == Present(ToolState("C:\\ssops.exe"))


class TestSwitches:
    MARKER = Marker("yes", BOOT + timedelta(minutes=10))

    def test_what_we_set_is_not_proved_until_an_event_says_so(self) -> None:
        belief = _sso_server.believe_allow_pcns(self.MARKER, (), BOOT)
        assert (belief.value, belief.proved) == (True, False)
        assert "no evidence yet" in belief.evidence

    @pytest.mark.parametrize(
        ("events", "value", "proved"),
        [
            ((event(10662, 20),), True, True),
            ((event(11069, 20),), False, True),
            ((event(10662, 20), event(11069, 21)), False, True),
            ((event(11069, 20), event(10662, 21)), True, True),
            # Older than what we set: says nothing about it.
            ((event(11069, 5),), True, False),
            ((event(10662, 5),), True, False),
        ],
    )
    def test_the_newest_event_since_we_set_it_decides(
        self, events: tuple[Event, ...], value: bool, proved: bool
    ) -> None:
        belief = _sso_server.believe_allow_pcns(self.MARKER, events, BOOT)
        assert (belief.value, belief.proved) == (value, proved)

    def test_a_switch_that_we_set_is_not_written_again(self) -> None:
        state = Present(_sso_server.ServerState(allow_pcns=True))
        estate = Estate({_sso_server.key(HOST): state})
        assert _sso_server.plan(HOST, _sso_server.DesiredServer(allow_pcns=True), estate) == ()
        unset = Estate({_sso_server.key(HOST): Present(_sso_server.ServerState())})
        (change,) = _sso_server.plan(HOST, _sso_server.DesiredServer(allow_pcns=True), unset)
        assert change.new == {"allow_pcns": True}

    @pytest.mark.parametrize(
        ("output", "hours"),
        [
            ("Password sync age: 48", 48),
            ("48\r\n", 48),
            ("Das Alter betraegt 48 Stunden.", 48),
            ("ERROR: 0x80070057: invalid 48", None),
            ("1 of 2", None),
            ("version 1.2.3", None),
            ("", None),
        ],
    )
    def test_the_age_counts_only_when_there_is_one_number(self, output: str, hours: int | None) -> None:
        assert _sso_server.displayed_age(output) == hours

    @given(st.text())
    def test_a_marker_of_somebody_else_is_none(self, text: str) -> None:
        marker = Marker.from_text(text)
        assert marker is None or Marker.from_text(marker.to_text()) == marker

    def test_a_marker_survives_the_registry(self) -> None:
        assert Marker.from_text(self.MARKER.to_text()) == self.MARKER


class TestApplication:
    DESIRED = _sso_application.DesiredApplication(
        name="RACF",
        user_account="CORP\\Users & <co>",
        admin_account="CORP\\Admins",
        fields=(
            _sso_application.ApplicationField("User Id", False),
            _sso_application.ApplicationField("Password", True),
        ),
        flags={"enableApp": True, "allowTickets": False},
    )

    def test_the_file_has_the_documented_form(self) -> None:
        root = ElementTree.fromstring(_sso_application.application_file(self.DESIRED))
        node = root.find("application")
        assert root.tag == "sso"
        assert node is not None
        assert node.get("name") == "RACF"
        assert node.findtext("appuserAccount") == "CORP\\Users & <co>"
        assert [field.attrib for field in node.findall("field")] == [
            {"ordinal": "0", "label": "User Id", "masked": "no"},
            {"ordinal": "1", "label": "Password", "masked": "yes"},
        ]
        flags = node.find("flags")
        assert flags is not None
        assert flags.attrib == {"allowTickets": "no", "enableApp": "yes"}

    @pytest.mark.parametrize(
        ("output", "named"),
        [
            ("RACF   The mainframe", True),
            ("(E) racf", True),
            ("RACF2", False),
            ("MYRACF", False),
            ("RACF-TEST", False),
            ("", False),
        ],
    )
    def test_a_name_is_found_as_a_whole_word(self, output: str, named: bool) -> None:
        assert _sso_application.named_in(output, "RACF") is named

    def test_creating_needs_its_accounts(self) -> None:
        estate = Estate({_sso_application.key(HOST, "RACF"): Absent()})
        assert len(_sso_application.plan(HOST, self.DESIRED, estate)) == 1
        with pytest.raises(PlanError, match="give user_account"):
            _sso_application.plan(HOST, _sso_application.DesiredApplication("RACF"), estate)


class TestAdapter:
    TOOL = {Key(HOST, "tool", "ssops"): Present(ToolState("x"))}  # noqa: RUF012

    def estate(self, observed: object) -> Estate:
        return Estate({**self.TOOL, _sso_adapter.key(HOST, "RACF"): observed})  # type: ignore[dict-item]

    def test_a_new_adapter_needs_a_definition(self) -> None:
        with pytest.raises(PlanError, match="no definition was given"):
            _sso_adapter.plan(HOST, DesiredAdapter("RACF"), self.estate(Absent()))
        (change,) = _sso_adapter.plan(HOST, DesiredAdapter("RACF", "AB", True, ("a",)), self.estate(Absent()))
        assert change.operation is Operation.CREATE
        assert change.new == {"definition": "AB", "applications": ("a",), "enabled": True}

    def test_only_what_differs_is_changed(self) -> None:
        state = Present(AdapterState(enabled=False, applications=("a", "b"), definition="AB"))
        (change,) = _sso_adapter.plan(HOST, DesiredAdapter("RACF", "AB", True, ("B", "a")), self.estate(state))
        assert change.new == {"enabled": True}

    def test_without_ssops_or_with_garbage_nothing_is_planned(self) -> None:
        with pytest.raises(PlanError, match="ssops is not on sso01"):
            _sso_adapter.plan(HOST, DesiredAdapter("RACF"), Estate({}))
        with pytest.raises(PlanError, match="could not be read"):
            _sso_adapter.plan(HOST, DesiredAdapter("RACF"), self.estate(Unknown("garbage")))

    @pytest.mark.parametrize(
        "output",
        [
            "(E) RACF   The mainframe\n(D) LDAP   Directory\n",
            "Adapter            Description\nRACF (E)           The mainframe\nLDAP (D)           Directory\n",
            "  RACF  (E)  The mainframe\r\n  LDAP  (D)  Directory\r\n",
        ],
    )
    def test_lists_are_read_in_every_layout(self, output: str) -> None:
        adapters = _sso_adapter.parse_list(output)
        assert _sso_adapter.enabled_in(adapters, "RACF") is True
        assert _sso_adapter.enabled_in(adapters, "ldap") is False
        assert _sso_adapter.enabled_in(adapters, "SAP") is None

    def test_a_name_that_was_cut_off_is_not_guessed(self) -> None:
        adapters = _sso_adapter.parse_list("(E) RACF-PRODUC...  x")
        with pytest.raises(_sso_adapter.AdapterListError, match="cuts off names"):
            _sso_adapter.enabled_in(adapters, "RACF-PRODUCTION")

    @pytest.mark.parametrize("output", ["(E)\n", "(E) RACF\n(D) RACF\n"])
    def test_contradictions_are_said(self, output: str) -> None:
        with pytest.raises(_sso_adapter.AdapterListError):
            _sso_adapter.parse_list(output)


GOOD = """<sso><adapter name="RACF"><computer>sso01.corp.example</computer>
<appUserAccount>CORP\\RACF Users</appUserAccount><flags enableApp="no" syncToAdapter="yes"/></adapter></sso>"""


class TestAdapterFile:
    def test_a_good_file_passes(self) -> None:
        check_adapter_file("racf", GOOD)

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            (GOOD.replace("</sso>", ""), "not well-formed XML"),
            ("", "not well-formed XML"),
            (GOOD.replace('name="RACF"', 'name="OTHER"'), "does not stand in it"),
            (GOOD.replace('"yes"', '"true"'), "syncToAdapter is 'true' and must be yes or no"),
            (GOOD.replace("sso01.corp.example", "sso01"), "fully qualified"),
            (GOOD.replace("CORP\\RACF Users", "alice"), "must name a group"),
            ('<!DOCTYPE x [<!ENTITY a "b">]>' + GOOD, "document type"),
        ],
    )
    def test_a_wrong_file_is_refused_with_its_reason(self, text: str, told: str) -> None:
        with pytest.raises(AdapterFileError, match=told):
            check_adapter_file("RACF", text)

    @given(st.text())
    def test_any_text_is_checked_or_refused(self, text: str) -> None:
        with suppress(AdapterFileError):
            check_adapter_file("RACF", text)

    def test_line_ends_do_not_change_the_fingerprint(self) -> None:
        assert fingerprint("a\r\nb") == fingerprint("a\nb") != fingerprint("a b")
