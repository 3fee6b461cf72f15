# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a machine lacks is left out, and named; nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest

from gates import catalogue, needs
from gates.gate import Gate, Outcome, Workspace
from gates.processes import Processes

_CONFTEST = Path(__file__).parents[2] / "interop" / "conftest.py"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Return a small project with the real conftest.py in tests/interop."""
    (tmp_path / "logs").mkdir()
    (tmp_path / "scratch").mkdir()
    (tmp_path / "pyproject.toml").write_text("[tool.coverage.run]\nparallel = true\n")
    interop = tmp_path / "tests" / "interop"
    interop.mkdir(parents=True)
    (interop / "conftest.py").write_text(_CONFTEST.read_text(encoding="utf-8"))
    return Workspace(tmp_path, tmp_path / "logs", tmp_path / "scratch", Processes(deadline=60))


def _file(workspace: Workspace, name: str, text: str) -> Path:
    path = workspace.root / "tests" / "interop" / name
    path.write_text(f"import pytest\n{text}\n")
    return path


def test_the_line_is_read_without_importing_the_file(workspace: Workspace) -> None:
    path = _file(
        workspace, "test_a.py", 'import no_such_module\npytestmark = pytest.mark.needs("sh", "no_such_module")'
    )
    assert needs.needs_of(path) == ("sh", "no_such_module")
    assert needs.left_out(path.parent) == {path: ("no_such_module",)}
    assert needs.sentence(path, ["a", "b"]) == "tests/interop/test_a.py: not on this machine: a, b"


@pytest.mark.parametrize(
    "line",
    [
        "",
        "pytestmark = pytest.mark.needs()",
        "pytestmark = pytest.mark.needs(NAMES)",
        'pytestmark = pytest.mark.skip("samba")',
    ],
)
def test_a_file_that_does_not_say_what_it_needs_is_an_error(workspace: Workspace, line: str) -> None:
    path = _file(workspace, "test_a.py", line)
    with pytest.raises(needs.NeedsError, match=r"^test_a.py must say"):
        needs.left_out(path.parent)


def test_programs_modules_and_root_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    assert needs.missing(["sh", "json", "no-such-program"]) == ("no-such-program",)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert needs.missing(["root"]) == ("root",)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert needs.missing(["root"]) == ()


def test_every_file_of_the_project_says_what_it_needs() -> None:
    files = list(_CONFTEST.parent.glob("test_*.py"))
    assert files
    assert all(needs.needs_of(path) for path in files)


def test_pytest_runs_what_can_run_and_names_the_rest(workspace: Workspace) -> None:
    _file(workspace, "test_here.py", 'pytestmark = pytest.mark.needs("sh")\ndef test_a(): pass\ndef test_b(): assert 0')
    _file(workspace, "test_not.py", 'import no_such_module\npytestmark = pytest.mark.needs("no_such_module")')
    command = [workspace.python, "-m", "pytest", "-q", "-pno:cacheprovider", "--strict-markers", "tests/interop"]
    environment = workspace.environment(PYTHONPATH=str(Path(__file__).parents[2]))
    output = workspace.run("pytest", command, environment=environment).output
    assert "LEFT OUT tests/interop/test_not.py: not on this machine: no_such_module" in output
    assert "1 failed, 1 passed" in output


def test_the_gate_counts_what_ran_and_names_the_rest(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []

    def run(_workspace: Workspace, *arguments: str) -> Outcome:
        asked.append(arguments)
        return Outcome(3, 1, ("1 test: no reason given",), "3 tests")

    monkeypatch.setattr(catalogue, "_pytest", run)
    absent = "tests/interop/test_not.py: not on this machine: no_such_module"
    _file(workspace, "test_not.py", 'pytestmark = pytest.mark.needs("no_such_module")')
    assert _gate().check(workspace) == Outcome(0, 0, (absent,))
    assert not asked
    _file(workspace, "test_here.py", 'pytestmark = pytest.mark.needs("sh")')
    assert _gate().check(workspace) == Outcome(3, 1, ("1 test: no reason given", absent), "3 tests")
    assert asked == [("interop", ("tests/interop",), "--dist=loadfile")]


def test_coverage_is_judged_after_the_unit_tests_have_ended() -> None:
    names = [gate.name for gate in catalogue.GATES]
    (coverage,) = [gate for gate in catalogue.GATES if gate.name == "coverage"]
    assert names.index("unit") < names.index("coverage")
    assert coverage.lanes == 2  # alone, so that nothing else runs


def test_what_repeats_others_runs_only_when_it_is_named() -> None:
    assert [gate.name for gate in catalogue.GATES if gate.by_name] == ["connections"]
    for path in catalogue._CONNECTION_TESTS:
        assert (Path(__file__).resolve().parents[3] / path).is_file()


def _gate() -> Gate:
    (gate,) = [gate for gate in catalogue.GATES if gate.name == "interop"]
    return gate
