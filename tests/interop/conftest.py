# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tests against programs that this project did not write. What a machine lacks is left out, and the gate names it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from interop.own_domain import own_domain

from gates import needs
from lab.samba.directory import Domain

_HERE = Path(__file__).parent


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", "needs(*names): programs and Python modules without which a file is left out")


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave a file out before it is imported; a file that doesn't say what it needs is an error."""
    if collection_path.parent == _HERE and collection_path.match("test_*.py"):
        return bool(needs.missing(needs.needs_of(collection_path))) or None
    return None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what was left out to people who run pytest by hand."""
    for path, names in needs.left_out(_HERE).items():
        terminalreporter.write_line(f"LEFT OUT {needs.sentence(path, names)}")


@pytest.fixture(scope="session")
def domain() -> Iterator[Domain]:
    """A domain of this process's own; Kerberos in this process uses it and nothing else of the machine."""
    with own_domain() as started:
        yield started
