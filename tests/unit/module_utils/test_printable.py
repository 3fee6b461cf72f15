# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text from hosts: nothing that steers a terminal, breaks XML or hides another text comes through."""

from __future__ import annotations

import unicodedata
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entsso.password_sync.plugins.module_utils.report._printable import (
    count,
    listing,
    one_line,
    printable,
    sentence,
)
from ansible_collections.entsso.password_sync.tests.unit.module_utils.report_strategies import RELAXED, texts


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        ("plain é 漢 😀", "plain é 漢 😀"),
        ("a\tb\nc", "a\tb\nc"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("\x1b[2Jgone", "\ufffd[2Jgone"),
        ("nul\x00", "nul\ufffd"),
        ("delete\x7f", "delete\ufffd"),
        ("\ud800 lone surrogate", "\ufffd lone surrogate"),
        ("\u202egnp.exe", "\ufffdgnp.exe"),
        ("\ufffe \uffff \ufdd0 \U0001ffff", "\ufffd \ufffd \ufffd \ufffd"),
    ],
)
def test_printable_replaces_what_is_not_safe_to_show(given_text: str, expected: str) -> None:
    assert printable(given_text) == expected


@RELAXED
@given(texts | st.text())
def test_printable_text_survives_an_xml_parser(text: str) -> None:
    node = ElementTree.Element("a")
    node.text = printable(text)
    encoded = ElementTree.tostring(node, encoding="utf-8")
    assert (ElementTree.fromstring(encoded).text or "") == printable(text)


@RELAXED
@given(texts | st.text())
def test_printable_is_idempotent(text: str) -> None:
    assert printable(printable(text)) == printable(text)


@RELAXED
@given(texts | st.text())
def test_one_line_is_one_line_without_control_characters(text: str) -> None:
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    assert not [character for character in line if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")]
    assert line == line.strip()


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [("", ""), ("  ", ""), ("PCNS is absent", "PCNS is absent."), ("Is it?", "Is it?"), ("two\nlines.", "two lines.")],
)
def test_sentence_ends_once(given_text: str, expected: str) -> None:
    assert sentence(given_text) == expected


@pytest.mark.parametrize(("number", "expected"), [(0, "0 RODCs"), (1, "1 RODC"), (2, "2 RODCs")])
def test_count_has_the_right_number(number: int, expected: str) -> None:
    assert count(number, "RODC") == expected


def test_count_takes_an_irregular_plural() -> None:
    assert count(2, "policy", "policies") == "2 policies"


@pytest.mark.parametrize(
    ("items", "expected"),
    [((), ""), (("RACF",), "RACF"), (("RACF", "LDAP"), "RACF or LDAP"), (("RACF", "LDAP", "SAP"), "RACF, LDAP or SAP")],
)
def test_listing_reads_as_in_a_sentence(items: tuple[str, ...], expected: str) -> None:
    assert listing(items) == expected
