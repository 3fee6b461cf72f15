# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Distinguished names as Active Directory writes them (RFC 4514), taken apart and compared."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

_PART = re.compile(r"(?:\\.|[^,\\])+", re.DOTALL)
_ESCAPE = re.compile(rb"\\([0-9A-Fa-f]{2}|.)", re.DOTALL)


def parts(name: str) -> tuple[str, ...]:
    """Returns the relative names of a distinguished name, the object's own first, escapes kept."""
    return tuple(part for part in (item.lstrip(" ") for item in _PART.findall(name)) if part)


def value(relative: str) -> str:
    """Returns the value of a relative name without escapes: Müller, Köln of CN=Müller\\, Köln."""
    escaped = relative.partition("=")[2].lstrip(" ").encode()
    return _ESCAPE.sub(_unescape, escaped).decode("utf-8", "backslashreplace")


def parent(name: str) -> str:
    """Returns the container of an object; empty for a root."""
    return ",".join(parts(name)[1:])


@lru_cache(maxsize=8192)  # the same few names are compared again and again
def key(name: str) -> tuple[str, ...]:
    """Returns what is equal for names of the same object: the directory ignores case, and escapes in several ways."""
    return tuple(f"{item.partition('=')[0].strip().lower()}={value(item).casefold()}" for item in parts(name))


def is_below(name: str, container: str) -> bool:
    """Whether an object is the container itself or anywhere below it."""
    inner, outer = key(name), key(container)
    return inner[len(inner) - len(outer) :] == outer if len(inner) >= len(outer) else False


def enclosing(name: str, containers: Iterable[str]) -> str | None:
    """Returns the innermost of some containers that an object is in, None when it is in none of them."""
    around = [item for item in containers if is_below(name, item)]
    return max(around, key=lambda item: len(parts(item)), default=None)


def _unescape(found: re.Match[bytes]) -> bytes:
    text = found[1]
    return bytes.fromhex(text.decode()) if len(text) == 2 else text
