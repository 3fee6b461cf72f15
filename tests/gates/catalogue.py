# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every gate of the project, in the order they start."""

from __future__ import annotations

import os
import re
import shutil
import tarfile
from pathlib import Path

from gates import needs, sanity
from gates.gate import Gate, Outcome, Workspace, command_gate
from gates.junit import count_tests
from gates.tree import known_files

_PLUGINS = "ansible_collections/entsso/password_sync/plugins"
_COVERAGE_SETTINGS = "pyproject.toml"
_TOTAL = re.compile(r"^TOTAL\s.*?([\d.]+)%$", re.MULTILINE)
_CONNECTION_TESTS = (
    "tests/unit/plugin_utils/test_connection.py",
    "tests/unit/plugin_utils/test_http_exchange.py",
    "tests/unit/plugin_utils/test_winrm_exchange.py",
    "tests/unit/plugin_utils/test_psrp_exchange.py",
    "tests/integration/test_connections.py",
)
_SHELL_SCRIPTS = (".ci/run", "tests/gates/venv.sh")


def _mypy(workspace: Workspace) -> Outcome:
    """Check the types of the plugins (mypy must see them under their full name), then of the lab and the gates."""
    command = [
        workspace.tool("mypy"),
        f"--config-file={workspace.root / 'pyproject.toml'}",
        f"--cache-dir={workspace.root / 'build' / 'mypy' / workspace.version}",
    ]
    environment = workspace.environment()
    # mypy_path in pyproject.toml says the same; mypy refuses folders that are named twice.
    environment.pop("PYTHONPATH")
    collections = workspace.root / "build" / "collections"
    plugins = workspace.run("mypy", [*command, _PLUGINS], cwd=collections, environment=environment)
    tests = workspace.run("mypy", [*command, "gates", "lab"], cwd=workspace.root / "tests", environment=environment)
    return Outcome(0, 1) if plugins.exit_code or tests.exit_code else Outcome(1, 0)


def _build(workspace: Workspace) -> Outcome:
    """Build the collection's archive in the repository, and look for files in it that git does not know.

    build_ignore of galaxy.yml is a list by hand; what it forgets (a virtual environment, say) would be published.
    """
    target = workspace.scratch / "dist"
    shutil.rmtree(target, ignore_errors=True)
    command = [workspace.tool("ansible-galaxy"), "collection", "build", "--force", "--output-path", str(target), "."]
    if workspace.run("build", command).exit_code:
        return Outcome(0, 1)
    (archive,) = target.glob("*.tar.gz")
    with tarfile.open(archive) as content:
        files = {member.name for member in content.getmembers() if member.isfile()}
    strangers = sorted(files - set(known_files(workspace)) - {"MANIFEST.json", "FILES.json"})
    with workspace.log("build").open("a", encoding="utf-8") as stream:
        stream.writelines(f"In the archive, unknown to git: {name}\n" for name in strangers)
    note = f"{len(files)} files, {archive.stat().st_size // 1024} KB"
    return Outcome(0, 1) if strangers else Outcome(1, 0, note=note)


def _shellcheck(workspace: Workspace) -> Outcome:
    """Lint the shell scripts, where the machine has shellcheck."""
    tool = shutil.which("shellcheck")
    if tool is None:
        return Outcome(0, 0, (f"shellcheck of {', '.join(_SHELL_SCRIPTS)}: shellcheck is not installed",))
    finished = workspace.run("shellcheck", [tool, *_SHELL_SCRIPTS])
    return Outcome(0, 1) if finished.exit_code else Outcome(1, 0)


def _pytest(workspace: Workspace, gate: str, folders: tuple[str, ...], *options: str) -> Outcome:
    """Run folders or files of tests on all cores, and count them."""
    result = workspace.scratch / f"{gate}.xml"
    result.unlink(missing_ok=True)
    workers = str(min(os.cpu_count() or 1, 8))
    command = [workspace.python, "-m", "pytest", "-q", "-n", workers, f"--junit-xml={result}", *options, *folders]
    finished = workspace.run(gate, command, environment=_measured(workspace))
    counted = count_tests(result)
    failed = counted.failed
    if finished.exit_code and not failed:
        # Tests passed and pytest did not: an error outside of any test.
        failed = 1
    return Outcome(counted.passed, failed, counted.left_out, counted.note)


def _measured(workspace: Workspace) -> dict[str, str]:
    """Return the environment in which coverage of plugins/ is left in a file of the run's own."""
    return workspace.environment(COVERAGE_FILE=str(workspace.scratch / "coverage"))


def _unit(workspace: Workspace) -> Outcome:
    """Run the unit tests; what they lack without recordings of real Windows is named.

    They measure what they cover only where the gate `coverage` is to judge it: that takes more than twice as long.
    """
    measure = ("--cov", f"--cov-config={_COVERAGE_SETTINGS}", "--cov-report=", "--cov-fail-under=0")
    options = measure if workspace.coverage else ()
    outcome = _pytest(workspace, "unit", ("tests/unit",), "--dist=worksteal", *options)
    recordings = Path(os.environ.get("ENTSSO_RECORDINGS") or workspace.root / ".." / "shared" / "recordings")
    if recordings.is_dir():
        return outcome
    missing = "replies of real Windows servers: no folder with recordings (ENTSSO_RECORDINGS names it)"
    return Outcome(outcome.passed, outcome.failed, (*outcome.left_out, missing), outcome.note)


def _integration(workspace: Workspace) -> Outcome:
    """Run the tests that drive ansible-playbook against the simulated estate, one file on one core."""
    return _pytest(workspace, "integration", ("tests/integration",), "--dist=loadfile")


def _interop(workspace: Workspace) -> Outcome:
    """Run the tests against programs of others, one file on one core; files that need more than there is are named."""
    folder = workspace.root / "tests" / "interop"
    absent = tuple(needs.sentence(path, names) for path, names in needs.left_out(folder).items())
    if len(absent) == len(list(folder.glob("test_*.py"))):
        return Outcome(0, 0, absent)
    outcome = _pytest(workspace, "interop", ("tests/interop",), "--dist=loadfile")
    return Outcome(outcome.passed, outcome.failed, (*outcome.left_out, *absent), outcome.note)


def _connections(workspace: Workspace) -> Outcome:
    """Run what reaches into private parts of ansible-core: its connection plugins, over every mechanism."""
    interop = workspace.root / "tests" / "interop"
    chosen = tuple(str(path) for path in sorted(interop.glob("test_connections*.py")))
    absent = tuple(
        needs.sentence(path, names) for path, names in needs.left_out(interop).items() if str(path) in chosen
    )
    outcome = _pytest(workspace, "connections", (*_CONNECTION_TESTS, *chosen), "--dist=loadfile")
    return Outcome(outcome.passed, outcome.failed, (*outcome.left_out, *absent), outcome.note)


def _demo(workspace: Workspace) -> Outcome:
    """Run what `make demo` runs, as it runs there; it asserts each of its steps itself."""
    finished = workspace.run("demo", [workspace.python, "-m", "lab.demo"])
    return Outcome(0, 1) if finished.exit_code else Outcome(1, 0)


def _coverage(workspace: Workspace) -> Outcome:
    """Compare with the limit in pyproject.toml what the unit tests cover of plugins/."""
    if not (workspace.scratch / "coverage").exists():
        return Outcome(0, 0, ("coverage of plugins/: the unit tests did not run",))
    command = [workspace.python, "-m", "coverage", "report", f"--rcfile={_COVERAGE_SETTINGS}"]
    finished = workspace.run("coverage", command, environment=_measured(workspace))
    total = _TOTAL.search(finished.output)
    note = f"{total[1]} % of plugins" if total else "no total"
    return Outcome(0, 1, note=note) if finished.exit_code else Outcome(1, 0, note=note)


GATES: tuple[Gate, ...] = (
    # The longest first. Sanity keeps one core busy for most of its time, so the unit tests run beside it.
    Gate("sanity", "ansible-test sanity", sanity.check),
    Gate("unit", "unit tests", _unit),
    # Hosts are worked on one after the other, so it keeps one core busy, and linters the other.
    Gate("demo", "the demo", _demo),
    command_gate("ruff", "ruff check", lambda workspace: [workspace.tool("ruff"), "check", "--no-cache", "."]),
    command_gate(
        "format", "ruff format", lambda workspace: [workspace.tool("ruff"), "format", "--no-cache", "--diff", "."]
    ),
    Gate("mypy", "mypy strict", _mypy),
    command_gate("yamllint", "yamllint", lambda workspace: [workspace.tool("yamllint"), "--strict", "."], in_copy=True),
    command_gate(
        "ansible-lint",
        "ansible-lint, profile production",
        lambda workspace: [
            workspace.tool("ansible-lint"),
            "--offline",
            "--strict",
            "--profile=production",
            "--nocolor",
        ],
        in_copy=True,
    ),
    command_gate(
        "changelog",
        "antsibull-changelog lint",
        lambda workspace: [workspace.tool("antsibull-changelog"), "lint"],
        in_copy=True,
    ),
    command_gate(
        "docs",
        "antsibull-docs lint",
        lambda workspace: [
            workspace.tool("antsibull-docs"),
            "lint-collection-docs",
            "--plugin-docs",
            "--validate-collection-refs=all",
            "--disallow-unknown-collection-refs",
            ".",
        ],
        in_copy=True,
    ),
    Gate("build", "collection archive", _build),
    Gate("shellcheck", "shellcheck", _shellcheck),
    Gate("integration", "integration tests on the lab", _integration, lanes=2),
    Gate("interop", "tests against programs of others", _interop, lanes=2),
    Gate("coverage", "coverage of plugins", _coverage, lanes=2),
    Gate("connections", "tests of Ansible's connections", _connections, lanes=2, by_name=True),
)
