# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the lab reads command lines, against the examples in Microsoft's texts."""

from __future__ import annotations

import pytest

from lab.windows.command_line import (
    NotMsiexec,
    after_c,
    commands,
    expand,
    expand_in_batch,
    msiexec_property,
    msiexec_words,
    split_arguments,
    split_program,
)


def is_program(name: str) -> bool:
    return name == r"C:\Program Files\x.exe"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        # windows-commands/cmd.md: quotes stay when there is one pair, blanks and no special character in it, and a
        # program of that name; else the first and the last are taken away.
        (r'"C:\Program Files\x.exe"', r'"C:\Program Files\x.exe"'),
        (r'"C:\Program Files\x.exe" list', r'"C:\Program Files\x.exe" list'),
        (r'"C:\Program Files\other.exe" list', r"C:\Program Files\other.exe list"),
        (r'"C:\Program Files\x.exe" "a b"', r'C:\Program Files\x.exe" "a b'),
        (r'""C:\Program Files\x.exe" "a b""', r'"C:\Program Files\x.exe" "a b"'),
        (r'"C:\x.exe" list', r"C:\x.exe list"),
        ('"echo a&b" c', "echo a&b c"),
        ('"echo a', "echo a"),
        ("dir", "dir"),
    ],
)
def test_the_outer_quotes_of_c(line: str, expected: str) -> None:
    assert after_c(line, is_program) == expected


def test_variables() -> None:
    known = {"TEMP": r"C:\T", "A B": "c"}
    assert expand('"%temp%\\x" %nothing% 100% %A B%', known) == '"C:\\T\\x" %nothing% 100% c'
    assert expand_in_batch('"%temp%\\x" %nothing% 100%% 5%', known) == '"C:\\T\\x"  100% 5'


def test_operators_act_outside_quotes_only() -> None:
    found = commands(r'mkdir "a & b" 2>nul & echo ^& "^&" && x | y >"o u t" || z 1>>log 2>&1 <in')
    assert [(item.joined_by, item.text, item.redirections) for item in found] == [
        ("", 'mkdir "a & b"', [("2>", "nul")]),
        ("&", 'echo & "^&"', []),
        ("&&", "x", [("|>", "")]),
        ("|", "y", [(">", "o u t")]),
        ("||", "z", [("1>>", "log"), ("2>&", "1"), ("<", "in")]),
    ]


def test_the_name_of_a_program_ends_at_a_blank_or_a_separator_of_cmd() -> None:
    assert split_program(r'"C:\a b\c.exe" /x "y"') == (r"C:\a b\c.exe", '/x "y"')
    assert split_program("msiexec,/i") == ("msiexec", ",/i")
    assert split_program("@echo off") == ("echo", "off")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        # "Parsing C command-line arguments", results of parsing command lines; CommandLineToArgvW has the same rules.
        ('"abc" d e', ("abc", "d", "e")),
        ('a\\\\b d"e f"g h', ("a\\\\b", "de fg", "h")),
        ('a\\\\\\"b c d', ('a\\"b', "c", "d")),
        ('a\\\\\\\\"b c" d e', ("a\\\\b c", "d", "e")),
        ('""', ("",)),
        ("", ()),
    ],
)
def test_arguments(line: str, expected: tuple[str, ...]) -> None:
    assert split_arguments(line) == expected


def test_msiexec() -> None:
    # desktop-src/Msi/command-line-options.md
    assert msiexec_words(r"/i A:\Example.msi PROPERTY=VALUE") == ["/i", r"A:\Example.msi", "PROPERTY=VALUE"]
    words = msiexec_words(r'/i A:\Example.msi PROPERTY="Embedded White Space"')
    assert msiexec_property(words[2]) == ("PROPERTY", "Embedded White Space")
    words = msiexec_words(r'/i A:\Example.msi PROPERTY="Embedded ""Quotes"" White Space"')
    assert msiexec_property(words[2]) == ("PROPERTY", 'Embedded "Quotes" White Space')
    assert msiexec_property(msiexec_words('PROPERTY=""')[0]) == ("PROPERTY", "")
    assert msiexec_property(msiexec_words('DIR="C:\\a b\\"')[0]) == ("DIR", "C:\\a b\\")


@pytest.mark.parametrize("word", ["property=x", "Property=x", "=x", "x", "1A=x"])
def test_what_is_no_public_property(word: str) -> None:
    with pytest.raises(NotMsiexec):
        msiexec_property(word)


def test_a_quote_that_is_not_closed() -> None:
    with pytest.raises(NotMsiexec):
        msiexec_words('/i "a.msi')
