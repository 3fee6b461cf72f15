# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Distinguished names as far as the lab needs them, apart from how the product reads them."""

from __future__ import annotations

import re
from functools import lru_cache

Name = tuple[str, ...]
"""Relative names without escapes, lower case, the object's own first: what can be compared."""

_PART = re.compile(r"(?:\\.|[^,\\])+", re.DOTALL)
_ESCAPED = re.compile(r"(?:\\[0-9A-Fa-f]{2})+|\\.")


@lru_cache(maxsize=16384)
def name_of(text: str) -> Name:
    """Return a distinguished name in a form that can be compared.

    Raises:
        ValueError: It is none.
    """
    parts = [_ESCAPED.sub(_plain, part).strip() for part in _PART.findall(text)]
    if any("=" not in part for part in parts):
        raise ValueError(f"{text!r} is no distinguished name")
    return tuple(part.casefold() for part in parts)


def is_below(name: Name, base: Name) -> bool:
    """Whether a name is the base itself or below it."""
    return len(name) >= len(base) and name[len(name) - len(base) :] == base


def dns_name(naming_context: str) -> str:
    """Return corp.example of DC=corp,DC=example."""
    return ".".join(part.partition("=")[2] for part in name_of(naming_context))


def _plain(found: re.Match[str]) -> str:
    text = found[0]
    if len(text) == 2:
        return text[1]
    return bytes.fromhex(text.replace("\\", "")).decode()
