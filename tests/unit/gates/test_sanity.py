# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""With which Pythons ansible-test imports the plugins: all that it supports, or the running one alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from gates import sanity
from gates.gate import Outcome, Workspace
from gates.processes import Finished, Processes


@pytest.mark.parametrize(("wanted", "told"), [("own", ["--python", "3.11"]), ("", []), (None, [])])
def test_own_is_the_running_python_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: str | None, told: list[str]
) -> None:
    commands: list[list[str]] = []

    def run(_self: Workspace, _gate: str, command: list[str], **_more: object) -> Finished:
        commands.append(command)
        return Finished(0, 'Running sanity test "import"\n')

    monkeypatch.setattr(Workspace, "run", run)
    monkeypatch.setattr(sanity, "collection_copy", lambda _workspace, _purpose: tmp_path)
    monkeypatch.setattr(sanity, "_home", lambda _workspace: tmp_path)
    monkeypatch.delenv("SANITY", raising=False)
    if wanted is not None:
        monkeypatch.setenv("SANITY", wanted)
    workspace = Workspace(tmp_path, tmp_path, tmp_path, Processes(), version="3.11")

    assert sanity.check(workspace) == Outcome(1, 0, (), "1 sanity tests")

    ((_tool, *arguments),) = commands
    assert arguments == ["sanity", "--local", "--color", "no", *told]
