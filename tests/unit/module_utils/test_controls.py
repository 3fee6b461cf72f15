# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue of controls: complete, distinct, sourced, and able to name the systems that suffer."""

from __future__ import annotations

import re

import pytest

from ansible_collections.entsso.password_sync.plugins.module_utils.judge._controls import (
    CONTROLS,
    SYSTEMS,
    Control,
    get_control,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._finding import Severity, Status

EACH = pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.id)


def test_identifiers_are_distinct_and_without_gaps() -> None:
    assert [control.id for control in CONTROLS] == [
        *(f"PCNS-{number:03}" for number in range(1, 15)),
        *(f"SSO-{number:03}" for number in range(1, 9)),
    ]


def test_titles_are_distinct() -> None:
    assert len({control.title for control in CONTROLS}) == len(CONTROLS)


@EACH
def test_rationale_says_what_users_lose_in_whole_sentences(control: Control) -> None:
    assert control.rationale.endswith(".")
    assert control.rationale.count(SYSTEMS) == 1, "it names what the changes do not reach, once"


@EACH
def test_source_names_the_public_source_and_where_its_certainty_is_told(control: Control) -> None:
    assert control.source.startswith(("Microsoft: ", "No statement by Microsoft; "))
    assert re.search(r"\b(pcns|entsso)\.md \d", control.source)


def test_consequence_names_the_systems() -> None:
    expected = "Password changes made on this DC never reach RACF or LDAP; those users must change again."
    assert get_control("PCNS-004").consequence(("RACF", "LDAP")) == expected


def test_consequence_without_names_speaks_of_the_connected_systems() -> None:
    control = get_control("PCNS-004")
    assert control.consequence() == control.rationale


@EACH
def test_no_consequence_keeps_the_general_words_when_names_are_known(control: Control) -> None:
    consequence = control.consequence(("SAP",))
    assert SYSTEMS not in consequence
    assert "SAP" in consequence


def test_finding_takes_over_what_the_control_says() -> None:
    found = get_control("PCNS-009").finding(
        Status.DRIFT, "dc01", "Older", site="Lyon", evidence="registry", observed_at="t", repair="do", restarts=1
    )
    assert (found.control, found.title) == ("PCNS-009", get_control("PCNS-009").title)
    assert found.severity is Severity.MEDIUM
    assert (found.site, found.evidence, found.observed_at) == ("Lyon", "registry", "t")
    assert found.consequence == get_control("PCNS-009").rationale
    assert (found.repair, found.restarts) == ("do", 1)


@pytest.mark.parametrize("status", [status for status in Status if status.passes])
def test_a_finding_that_passes_has_nothing_to_repair(status: Status) -> None:
    found = get_control("PCNS-004").finding(status, "dc01", "As wanted.", repair="do", restarts=1)
    assert (found.consequence, found.repair, found.restarts) == ("", "", 0)


def test_an_unknown_control_is_refused() -> None:
    with pytest.raises(KeyError, match="PCNS-999"):
        get_control("PCNS-999")


def test_a_control_on_one_of_several_objects_has_a_title_of_its_own() -> None:
    found = get_control("SSO-007").finding(Status.COMPLIANT, "sso01", "As wanted.", about="LDAP")
    assert (found.control, found.title) == ("SSO-007", "Adapter is enabled: LDAP")
