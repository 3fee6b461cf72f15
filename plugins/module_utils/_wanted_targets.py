# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of the targets that a role was given belong to a domain; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def targets_of(targets: Sequence[Mapping[str, Any]], domain: str, *, live: bool = False) -> list[Mapping[str, Any]]:
    """Returns the targets of a domain; one that names no domain belongs to each that it is given to.

    Args:
        targets: As the role pcns_directory takes them.
        domain: DNS name of the domain; empty where it is not known.
        live: Whether only those are wanted that are to exist and to be enabled.
    """
    own = domain.lower()
    return [
        target
        for target in targets
        if _domain(target) in ("", own)
        and not (live and (target.get("state") == "absent" or target.get("enabled") is False))
    ]


def _domain(target: Mapping[str, Any]) -> str:
    return str(target.get("domain") or "").strip().rstrip(".").lower()
