# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Quoting, read back as Windows reads it: by the lab's parsers of cmd, CommandLineToArgvW and msiexec.

They are written from Microsoft's texts, share nothing with what is tested, and `test_command_line.py` holds them to
these texts.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entsso.password_sync.plugins.module_utils import _quoting as quoting
from ansible_collections.entsso.password_sync.plugins.module_utils._errors import Unquotable
from ansible_collections.entsso.password_sync.plugins.module_utils.msi._msiexec import install_command
from lab.forest import Forest
from lab.windows import catalog
from lab.windows.command_line import after_c, commands, expand, split_arguments, split_program
from lab.windows.console import Invocation, instant
from lab.windows.tools.msiexec import Parsed, parse

PROGRAMS = ("setup.exe", r"C:\Program Files\a & b\x.exe", r"C:\Program Files\y.exe")
ENVIRONMENT = {"TEMP": "expanded", "A": "expanded", "": "expanded"}


def program_gets(wrapped: str) -> tuple[str, str]:
    """Returns the program and the rest of the line that it gets from `cmd /c`; cmd must not act on anything else."""
    (command,) = commands(expand(after_c(wrapped, PROGRAMS.__contains__), ENVIRONMENT))
    assert command.redirections == []
    return split_program(command.text)


def msiexec_gets(line: str) -> Parsed:
    """Returns what msiexec makes of a line that cmd was given."""
    program, tail = program_gets(quoting.wrap(line))
    assert program == "msiexec.exe"
    return parse(tail)


_PRINTABLE = st.text(
    alphabet=st.characters(min_codepoint=32, blacklist_characters="\x7f\x85\u2028\u2029\ufffe\uffff", codec="utf-8")
)
_AWKWARD = st.text(alphabet='\\" ab&|^<>%!=,;()@/A')
_PATHS = st.text(alphabet="ab &^()=,;@!%'", min_size=1).map(lambda text: f"C:\\{text.strip() or 'x'}\\f.msi")


@given(st.lists(_PRINTABLE | _AWKWARD, min_size=1, max_size=6))
def test_arguments_arrive_as_they_were(arguments: list[str]) -> None:
    line = " ".join(quoting.argv_quote(argument) for argument in arguments)
    assert split_arguments(line) == tuple(arguments)


@given(st.sampled_from(PROGRAMS), st.lists(_PRINTABLE | _AWKWARD, max_size=6))
def test_a_program_gets_what_was_quoted_or_we_refuse(program: str, arguments: list[str]) -> None:
    try:
        line = quoting.wrap(quoting.command_line(program, *arguments))
    except Unquotable:
        assert any(set(argument) & set('"%!') for argument in arguments)
        return
    name, tail = program_gets(line)
    assert (name, split_arguments(tail)) == (program, tuple(arguments))


@given(_PRINTABLE | _AWKWARD)
def test_cmd_gets_the_path_that_was_quoted(path: str) -> None:
    try:
        line = quoting.wrap(f"del /f /q {quoting.cmd_path(path)}")
    except Unquotable:
        assert set(path) & set('"%!')
        return
    assert program_gets(line) == ("del", f'/f /q "{path}"')


@given(_PATHS, st.dictionaries(st.from_regex(r"\A[A-Z_][A-Z0-9_.]{0,9}\Z"), _PRINTABLE | _AWKWARD, max_size=4))
def test_msiexec_gets_what_was_quoted_or_we_refuse(path: str, properties: dict[str, str]) -> None:
    try:
        line = install_command(path, r"C:\Program Files\log.txt", properties=properties)
    except Unquotable:
        assert set(path) & set("%!") or any(
            set(value) & set("%!") or name.startswith("REBOOT") for name, value in properties.items()
        )
        return
    read = msiexec_gets(line)
    assert (read.package, read.log, read.properties) == (path, r"C:\Program Files\log.txt", properties)
    assert read.quiet
    assert read.suppress_restart


def test_a_simulated_program_receives_its_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Through the console of the lab, which reads with the same parsers."""
    host = Forest(populate=False).add_domain_controller("dc01", "Paris")
    host.files.make_folder(r"C:\Program Files\a & b")
    host.files.put(r"C:\Program Files\a & b\probe.exe", 1, "0" * 64, host.now())
    seen: list[tuple[str, ...]] = []

    def probe(call: Invocation) -> int:
        seen.append(call.arguments)
        return 7

    monkeypatch.setitem(catalog._PROGRAMS, "probe", instant(probe))
    arguments = ("a b", "", "c\\", r"d\e f\\", "&|<>^", "(x)", "=,;", "'", "ü\u20ac")
    line = quoting.wrap(quoting.command_line(r"C:\Program Files\a & b\probe.exe", *arguments))
    assert host.run(line)[0] == 7
    assert seen == [arguments]


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\0b", "a\x1bb", "a\u2028b", "a\ud800b", "a\uffff"])
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
    """The two quotes around the line are counted."""
    assert len(quoting.wrap("x" * 8189)) == 8191
    with pytest.raises(Unquotable, match=r"8192 characters with the two quotes that WinRM needs .* cmd takes 8191"):
        quoting.wrap("x" * 8190)


@pytest.mark.parametrize("name", ["", "A=B", "=C:", "A\nB"])
def test_names_that_no_variable_can_have(name: str) -> None:
    with pytest.raises(Unquotable, match="environment variable"):
        quoting.check_variable(name, "x")


def test_the_value_of_a_refused_variable_is_not_repeated() -> None:
    with pytest.raises(Unquotable) as caught:
        quoting.check_variable("NAME", "secret\n")
    assert "secret" not in str(caught.value)
