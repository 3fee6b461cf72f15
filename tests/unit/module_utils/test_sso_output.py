# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tools of ENTSSO print, in forms that are not public: never read as more than it says."""

from __future__ import annotations

import pytest

from ansible_collections.entsso.password_sync.plugins.module_utils._pcns_target import same_number
from ansible_collections.entsso.password_sync.plugins.module_utils._sso_adapter import (
    AdapterListError,
    applications_in,
    enabled_in,
    parse_list,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._sso_application import listed_in

SHOWN = """Adapter name      : RACF
Adapter type      : Password Sync Adapter
Description       : LDAP
Retry count       : 1
Server name       :
Port number       : 0

Applications for this adapter:
  RACF_Users
  Operators
"""


class TestApplicationsOfAnAdapter:
    @pytest.mark.parametrize(
        "output",
        [
            SHOWN,
            SHOWN.replace("\n", "\r\n"),
            SHOWN.replace(":\n  RACF_Users\n  Operators", " : RACF_Users, Operators"),
            "Name  RACF\nPort  0\nApplications  RACF_Users; Operators\n",
            "Name\tRACF\nPort\t0\nApplications\tRACF_Users\tOperators\n",
            "Adaptername : RACF\nPortnummer : 0\nAnwendungen : RACF_Users\n              Operators\n",
        ],
    )
    def test_layouts(self, output: str) -> None:
        assert applications_in(output, ["RACF_Users", "operators", "Other"]) == ("operators", "RACF_Users")

    def test_only_what_stands_at_the_end_counts(self) -> None:
        assert applications_in(SHOWN, ["RACF", "LDAP", "Users"]) == ()

    def test_an_application_may_be_a_number(self) -> None:
        assert applications_in(SHOWN + "  4711\n", ["4711", "Operators"]) == ("4711", "Operators")

    @pytest.mark.parametrize("output", ["", "x", "Adapter name: RACF\nApplications: RACF\n", "\x80"])
    def test_without_its_numbers_it_is_not_understood(self, output: str) -> None:
        with pytest.raises(AdapterListError, match="none of the numbers"):
            applications_in(output, ["RACF"])

    @pytest.mark.parametrize("wanted", ["A" * 76, "A" * 77, "A" * 100])
    def test_a_name_that_may_be_cut_off(self, wanted: str) -> None:
        with pytest.raises(AdapterListError, match="cuts off names"):
            applications_in(SHOWN + "    " + "A" * 76 + "\n", [wanted])


class TestAdapters:
    def test_one_blank_before_the_description(self) -> None:
        assert parse_list("(E) A-name-that-fills-its-column : What it is for\n") == {
            "a-name-that-fills-its-column": True
        }

    @pytest.mark.parametrize("length", [76, 77, 90])
    def test_a_name_that_runs_to_the_edge_is_not_taken_for_a_whole_one(self, length: int) -> None:
        adapters = parse_list("(E) " + "A" * 76)
        with pytest.raises(AdapterListError, match="cuts off names"):
            enabled_in(adapters, "a" * length)
        assert enabled_in(adapters, "B") is None

    def test_a_long_line_cuts_the_description_only(self) -> None:
        assert enabled_in(parse_list("(D) RACF  : " + "x" * 68), "RACF") is False


class TestApplications:
    @pytest.mark.parametrize(
        ("output", "listed"),
        [
            ("RACF\r\n", True),
            ("  racf   The mainframe\n", True),
            ("Applications available for CORP\\svc - RACF", True),
            ("Anwendungen: RACF, LDAP", True),
            ("Using RACF server on this computer.", False),
            ("RACF_Users\nMYRACF\nRACF 2\n", False),
            ("", False),
        ],
    )
    def test_a_name_must_stand_alone(self, output: str, listed: bool) -> None:
        assert listed_in(output, "RACF") is listed

    def test_no_name_is_never_listed(self) -> None:
        assert listed_in("\n\n", "") is False


def test_a_number_that_the_tool_chooses_is_not_compared() -> None:
    assert same_number(None, 60)
    assert same_number(60, 60)
    assert not same_number(30, 60)
    assert not same_number(30, None)
