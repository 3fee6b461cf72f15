# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real domain that Kerberos in this process uses, and nothing else of the machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab.samba.directory import Domain

_CACHE = Path(__file__).parents[2] / "build" / "samba"


@contextmanager
def own_domain() -> Iterator[Domain]:
    """Start it and point Kerberos at it."""
    with pytest.MonkeyPatch.context() as environment, Domain.start(_CACHE) as started:
        for name, value in started.environment().items():
            environment.setenv(name, value)
        yield started
