# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Definition and batch file of a task, read back by the lab's Task Scheduler and cmd."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import Unquotable
from ansible_collections.entsso.password_sync.plugins.module_utils._task_definition import (
    RunFiles,
    definition,
    script,
)
from lab.windows.command_line import after_c, commands, expand_in_batch
from lab.windows.scheduled_tasks import definition_of

FILES = RunFiles(r"C:\Program Files\o & p\task\1")


def lines(text: bytes) -> list[str]:
    """Returns the lines of a batch file; every one ends in CR LF."""
    found = text.decode("ascii").split("\r\n")
    assert found.pop() == ""
    return found


def test_the_definition_is_one_that_the_scheduler_takes() -> None:
    found = definition_of("t", definition(FILES))
    assert found.command == r"C:\Windows\System32\cmd.exe"
    assert found.on_demand
    assert found.enabled
    assert found.runs_on_batteries
    assert found.time_limit == "PT0S"


def test_the_action_runs_the_batch_file_and_keeps_its_output_apart() -> None:
    arguments = definition_of("t", definition(FILES)).arguments
    line = after_c(arguments.partition("/c ")[2], lambda name: False)
    (command,) = commands(line)
    assert command.text == f'"{FILES.script}"'
    assert command.redirections == [("1>", FILES.stdout), ("2>", FILES.stderr), ("<", "nul")]


def test_the_exit_code_appears_whole() -> None:
    last = lines(script(FILES, "msiexec.exe /i a.msi"))[-3:]
    assert last[0] == "msiexec.exe /i a.msi"
    (write,) = commands(expand_in_batch(last[1], {"ERRORLEVEL": "3010"}))
    assert (write.text, write.redirections) == ("echo 3010", [(">", f"{FILES.exit_code}.new")])
    (move, *_rest) = commands(last[2])
    assert move.text == f'move /y "{FILES.exit_code}.new" "{FILES.exit_code}"'


def test_variables_and_directory() -> None:
    found = lines(script(FILES, "setup.exe /q", working_directory=r"C:\a b", environment={"A": "x & y", "B": ""}))
    assert found[3:6] == ['set "A=x & y"', 'set "B="', r'cd /d "C:\a b" && setup.exe /q']


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126, blacklist_characters="%"), min_size=1))
def test_the_line_stands_in_the_file_as_it_is(line: str) -> None:
    try:
        found = lines(script(FILES, line))
    except Unquotable:
        assert ".cmd" in line.lower() or ".bat" in line.lower()
        return
    assert found[3] == line
    assert expand_in_batch(found[3], {"X": "expanded"}) == line


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("setup.exe /name:ü", "it holds a character beyond ASCII"),
        ("setup.exe /p:50%", "it holds %"),
        ("setup.exe a\nb", r"it holds character U\+000A"),
        ("run.cmd /x", "a batch file would not come back"),
        (r'"C:\a b\run.bat" /x', "a batch file would not come back"),
        ("x" * 8190, "8192 characters"),
    ],
)
def test_lines_that_a_batch_file_would_change_are_refused(line: str, told: str) -> None:
    with pytest.raises(Unquotable, match=told):
        script(FILES, line)


@pytest.mark.parametrize(
    "more",
    [
        {"environment": {"A": "50%"}},
        {"environment": {"A": 'x" & y'}},
        {"environment": {"A": "ü"}},
        {"environment": {"A=": "x"}},
        {"working_directory": r"C:\%TEMP%"},
        {"working_directory": r"C:\ü"},
    ],
)
def test_what_else_would_be_changed_is_refused(more: dict[str, dict[str, str]]) -> None:
    with pytest.raises(Unquotable):
        script(FILES, "x.exe", **more)  # type: ignore[arg-type]
