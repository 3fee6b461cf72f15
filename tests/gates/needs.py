# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the files of tests/interop need of the machine, and what it lacks.

Such a file says so at its top, ``pytestmark = pytest.mark.needs("samba", "gssapi")``: programs, Python modules, and
``root`` for the user of that name. The line is read without importing the file, which may import what is missing.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import shutil
from collections.abc import Iterable
from pathlib import Path


class NeedsError(Exception):
    """A file doesn't say what it needs, or not in the form that can be read."""


def needs_of(path: Path) -> tuple[str, ...]:
    """Return what a test file says that it needs.

    Raises:
        NeedsError: It has no ``pytestmark`` of the one accepted form.
    """
    for statement in ast.parse(path.read_text(encoding="utf-8")).body:
        match statement:
            case ast.Assign(targets=[ast.Name(id="pytestmark")], value=ast.Call(func=called, args=arguments)):
                names = [argument.value for argument in arguments if isinstance(argument, ast.Constant)]
                if ast.unparse(called) == "pytest.mark.needs" and len(names) == len(arguments) > 0:
                    return tuple(str(name) for name in names)
    raise NeedsError(f'{path.name} must say what it needs: pytestmark = pytest.mark.needs("program or module", ...)')


def missing(names: Iterable[str]) -> tuple[str, ...]:
    """Return those that this machine lacks; programs are also looked for where only root has them in PATH."""
    return tuple(name for name in names if not _is_there(name))


def left_out(folder: Path) -> dict[Path, tuple[str, ...]]:
    """Return the test files of a folder that can't run here, each with what is missing."""
    found = {path: missing(needs_of(path)) for path in sorted(folder.glob("test_*.py"))}
    return {path: names for path, names in found.items() if names}


def sentence(path: Path, names: Iterable[str]) -> str:
    """Return what the closing summary says about a file that was left out."""
    return f"tests/interop/{path.name}: not on this machine: {', '.join(names)}"


def _is_there(name: str) -> bool:
    if name == "root":
        return os.geteuid() == 0
    search = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
    return shutil.which(name, path=search) is not None or _is_module(name)


def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False  # not even what it would be in
