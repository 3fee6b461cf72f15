# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-test sanity without containers, in a copy of the tree and with a home folder of its own."""

from __future__ import annotations

import ast
import configparser
import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

from gates.gate import Outcome, Workspace
from gates.tree import collection_copy

_SKIPPED = re.compile(r'Skipping sanity test "(?P<test>[^"]+)"(?: on Python (?P<version>[\d.]+))?(?P<reason>.*)')


def check(workspace: Workspace) -> Outcome:
    """Run every sanity test with the ansible-core of the environment; what it skips is named, or is a failure."""
    collection = collection_copy(workspace, "sanity")
    home = _home(workspace)
    path = os.pathsep.join(
        [str(Path(workspace.python).parent), *_other_pythons(), os.environ.get("PATH", os.defpath)],
    )
    environment = workspace.environment(HOME=str(home), PATH=path)
    for name in ("PYTHONPATH", "ANSIBLE_COLLECTIONS_PATH", "ANSIBLE_HOME"):
        environment.pop(name)
    command = [workspace.tool("ansible-test"), "sanity", "--local", "--color", "no", *_targets(workspace)]
    finished = workspace.run("sanity", command, cwd=collection, environment=environment)
    left_out, unexpected = judge_skips(finished.output, workspace.version)
    tests = len(set(re.findall(r"^Running sanity test \"([^\"]+)\"", finished.output, re.MULTILINE)))
    for line in unexpected:
        with workspace.log("sanity").open("a", encoding="utf-8") as stream:
            stream.write(f"Not allowed to be skipped: {line}\n")
    if finished.exit_code != 0 or unexpected:
        return Outcome(0, 1, left_out)
    if tests == 0:
        return Outcome(0, 1, left_out, "no sanity test ran")
    return Outcome(1, 0, left_out, f"{tests} sanity tests")


def judge_skips(output: str, version: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Sort the skips in ansible-test's output into what this machine can't run, and what must not be skipped.

    Only another Python than the running one may be absent (or lack venv). The word "Skipping" in any other line is
    unexpected.
    """
    left_out: list[str] = []
    unexpected: list[str] = []
    for line in output.splitlines():
        if "Skipping" not in line:
            continue
        match = _SKIPPED.search(line)
        other = match is not None and match["version"] not in (None, version)
        if match and other and "could not be found" in match["reason"]:
            left_out.append(f"ansible-test {match['test']} for Python {match['version']}: not installed")
        elif match and other and "missing virtual environment support" in match["reason"]:
            left_out.append(f"ansible-test {match['test']} for Python {match['version']}: installed without venv")
        else:
            unexpected.append(line.strip())
    return tuple(dict.fromkeys(left_out)), tuple(dict.fromkeys(unexpected))


def _targets(workspace: Workspace) -> tuple[str, ...]:
    """Return what restricts compiling and importing to the running Python, where SANITY=own asks for that.

    Each takes about a minute for every Python that ansible-core supports. A run on a newer ansible-core has the others.
    """
    return ("--python", workspace.version) if os.environ.get("SANITY") == "own" else ()


def _home(workspace: Workspace) -> Path:
    """Return a home folder for ansible-test: our get-pip stand-in with its pip, and the machine's pip settings.

    ansible-test would download get-pip and keep it, with its virtual environments, in the user's ~/.ansible; and it
    removes PIP_* variables and proxies from the environment, so pip must find them in a file.
    """
    home = workspace.root / "build" / "ansible-test-home"
    cache = home / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    version = _pip_version()
    shutil.copyfile(Path(__file__).with_name("get_pip.py"), cache / f"get_pip_{version.replace('.', '_')}.py")
    if not (cache / f"pip-{version}-py3-none-any.whl").exists():
        download = [workspace.python, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", f"pip=={version}"]
        if workspace.run("sanity", [*download, f"--dest={cache}"], environment=dict(os.environ)).exit_code:
            raise RuntimeError(f"pip {version}, which ansible-test wants, can't be had. Is a package index reachable?")
    netrc = Path.home() / ".netrc"
    if netrc.exists() and not (home / ".netrc").is_symlink():
        (home / ".netrc").symlink_to(netrc)
    settings = home / ".config" / "pip" / "pip.conf"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.touch(mode=0o600)
    with settings.open("w", encoding="utf-8") as stream:
        _pip_settings(workspace).write(stream)
    return home


def _pip_version() -> str:
    """Return the version of pip that the installed ansible-test pins, as its source says it."""
    spec = importlib.util.find_spec("ansible_test")
    for folder in spec.submodule_search_locations or () if spec else ():
        source = Path(folder) / "_internal" / "python_requirements.py"
        if match := re.search(r"pip='([\d.]+)'", source.read_text(encoding="utf-8")):
            return match[1]
    raise RuntimeError("ansible-test does not say which pip it wants; see python_requirements.py of ansible_test.")


def _pip_settings(workspace: Workspace) -> configparser.RawConfigParser:
    """Return what `pip config list` shows (files and PIP_* variables), with CA file and proxy from the environment."""
    listed = subprocess.run(
        [workspace.python, "-m", "pip", "config", "list"], check=True, capture_output=True, text=True
    ).stdout
    settings = configparser.RawConfigParser()
    settings.add_section("global")
    variables: dict[str, str] = {}
    for line in listed.splitlines():
        name, value = line.split("=", 1)
        section, key = name.rsplit(".", 1)
        if section == ":env:":
            variables[key] = str(ast.literal_eval(value))
        else:
            if not settings.has_section(section):
                settings.add_section(section)
            settings.set(section, key, str(ast.literal_eval(value)))
    for key, names in (("cert", ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")), ("proxy", ("https_proxy", "HTTPS_PROXY"))):
        given = [os.environ[name] for name in names if os.environ.get(name)]
        if given and not settings.has_option("global", key):
            settings.set("global", key, given[0])
    for key, value in variables.items():
        if key != "config-file":
            settings.set("global", key, value)
    # Only errors: what each of the dozen environments installs would hide what ansible-test found.
    settings.set("global", "quiet", "2")
    # Most of what is installed is imported once, if ever.
    if not settings.has_section("install"):
        settings.add_section("install")
    settings.set("install", "no-compile", "true")
    return settings


def _other_pythons() -> list[str]:
    """Return folders of Pythons that pyenv holds but has not selected, newest patch release first."""
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    found = [
        (tuple(int(part) for part in folder.name.split(".")), str(folder / "bin"))
        for folder in (root.iterdir() if root.is_dir() else ())
        if re.fullmatch(r"3\.\d+\.\d+", folder.name)
    ]
    return [path for _version, path in sorted(found, reverse=True)]
