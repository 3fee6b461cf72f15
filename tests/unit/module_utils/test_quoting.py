# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Quoting, against an implementation of CommandLineToArgvW and of cmd's own reading written for these tests."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entsso.password_sync.plugins.module_utils import _quoting as quoting
from ansible_collections.entsso.password_sync.plugins.module_utils._errors import Unquotable


def command_line_to_argv(line: str) -> list[str]:
    """CommandLineToArgvW for everything after the program, from Microsoft's description of it.

    2n backslashes and a quote: n backslashes, and the quote opens or closes. 2n+1 and a quote: n backslashes and the
    quote itself. Backslashes elsewhere are themselves. Two quotes inside a quoted part are one quote.
    """
    found: list[str] = []
    at = 0
    while True:
        while at < len(line) and line[at] in " \t":
            at += 1
        if at == len(line):
            return found
        argument, quoted = "", False
        while at < len(line) and (quoted or line[at] not in " \t"):
            slashes = 0
            while at < len(line) and line[at] == "\\":
                slashes += 1
                at += 1
            if at < len(line) and line[at] == '"':
                argument += "\\" * (slashes // 2)
                if slashes % 2:
                    argument += '"'
                elif quoted and line[at + 1 : at + 2] == '"':
                    argument += '"'
                    at += 1
                else:
                    quoted = not quoted
                at += 1
                continue
            argument += "\\" * slashes
            if at < len(line) and (quoted or line[at] not in " \t"):
                argument += line[at]
                at += 1
        found.append(argument)


def cmd_reads(line: str) -> str:
    """What cmd makes of a `/c` line in one extra pair of quotes; fails where it would act on the text."""
    assert (line[0], line[-1]) == ('"', '"')
    inner, quoted = line[1:-1], False
    for character in inner:
        assert character not in "%!\r\n\0", "cmd would expand or end here"
        if character == '"':
            quoted = not quoted
        assert quoted or character not in "&|<>^()", "cmd would act on this"
    assert not quoted
    return inner


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('"abc" d e', ["abc", "d", "e"]),
        ('a\\\\b d"e f"g h', ["a\\\\b", "de fg", "h"]),
        ('a\\\\\\"b c d', ['a\\"b', "c", "d"]),
        ('a\\\\\\\\"b c" d e', ["a\\\\b c", "d", "e"]),
    ],
)
def test_the_reader_of_these_tests_agrees_with_microsofts_table(line: str, expected: list[str]) -> None:
    # learn.microsoft.com, "Parsing C command-line arguments", results of parsing command lines.
    assert command_line_to_argv(line) == expected


_PRINTABLE = st.text(
    alphabet=st.characters(min_codepoint=32, blacklist_characters="\x7f\x85\u2028\u2029", codec="utf-8")
)
_AWKWARD = st.text(alphabet='\\" ab&|^<>%!=,;()')


@given(st.lists(_PRINTABLE | _AWKWARD, min_size=1, max_size=6))
def test_arguments_arrive_as_they_were(arguments: list[str]) -> None:
    line = " ".join(quoting.argv_quote(argument) for argument in arguments)
    assert command_line_to_argv(line) == arguments


@given(st.lists(_PRINTABLE | _AWKWARD, min_size=1, max_size=6))
def test_cmd_changes_nothing_or_we_refuse(arguments: list[str]) -> None:
    try:
        line = quoting.wrap(quoting.command_line("setup.exe", *arguments))
    except Unquotable:
        assert any(set(argument) & set('"%!') for argument in arguments)
        return
    assert command_line_to_argv(cmd_reads(line)) == ["setup.exe", *arguments]


@given(_PRINTABLE | _AWKWARD)
def test_paths_stay_in_their_quotes(path: str) -> None:
    try:
        line = quoting.wrap(f"del /f /q {quoting.cmd_path(path)}")
    except Unquotable:
        assert set(path) & set('"%!')
        return
    assert cmd_reads(line) == f'del /f /q "{path}"'


@given(_PRINTABLE | _AWKWARD)
def test_msiexec_properties(value: str) -> None:
    try:
        text = quoting.msiexec_property("INSTALLDIR", value)
    except Unquotable:
        assert set(value) & set("%!")
        return
    name, _equals, rest = text.partition("=")
    assert (name, rest[0], rest[-1]) == ("INSTALLDIR", '"', '"')
    assert rest[1:-1].replace('""', "").find('"') == -1
    assert rest[1:-1].replace('""', '"') == value
    assert cmd_reads(quoting.wrap(f"msiexec /i a.msi {text}")).endswith(text)


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\0b", "a\x1bb", "a\u2028b"])
def test_line_ends_and_control_characters_are_refused(value: str) -> None:
    for quote in (quoting.argv_quote, quoting.cmd_argument, quoting.cmd_path, quoting.wrap):
        with pytest.raises(Unquotable, match=r"it holds character U\+"):
            quote(value)
    with pytest.raises(Unquotable):
        quoting.msiexec_property("A", value)


def test_a_refusal_does_not_repeat_the_value() -> None:
    with pytest.raises(Unquotable) as caught:
        quoting.msiexec_property("PASSWORD", "secret%")
    assert "secret" not in str(caught.value)
    assert "value of MSI property PASSWORD: it holds %" in str(caught.value)


@pytest.mark.parametrize("name", ["installdir", "", "A B", "1A", 'A"', "A\n"])
def test_only_public_properties(name: str) -> None:
    with pytest.raises(Unquotable, match="no public property"):
        quoting.msiexec_property(name, "x")


def test_simple_arguments_stay_plain() -> None:
    assert quoting.command_line("msiexec", "/i", r"C:\a b\c.msi", "/qn") == r'msiexec /i "C:\a b\c.msi" /qn'
    assert quoting.argv_quote("") == '""'
    assert quoting.argv_quote("a b\\") == '"a b\\\\"'


def test_the_limit_of_cmd() -> None:
    assert len(quoting.wrap("x" * 8189)) == 8191
    with pytest.raises(Unquotable, match="8192 characters and cmd takes 8191"):
        quoting.wrap("x" * 8190)
