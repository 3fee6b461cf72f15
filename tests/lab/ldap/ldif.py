# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Additions in LDIF (RFC 2849), so that the responder and Samba can be given the same objects."""

from __future__ import annotations

import base64

from .objects import LdapObject, make


def parse_ldif(text: str, configuration: str) -> list[LdapObject]:
    """Return the objects of LDIF with ``changetype: add``. The last objectClass of an object decides what it is.

    Raises:
        ValueError: There is something else in it.
    """
    objects = []
    for block in text.strip().split("\n\n"):
        pairs = [_pair(line) for line in block.splitlines() if line and not line.startswith("#")]
        if not pairs or pairs[0][0] != "dn" or ("changetype", "add") not in pairs:
            raise ValueError(f"this is not an addition: {block!r}")
        values: dict[str, list[str]] = {}
        for name, value in pairs[1:]:
            if name != "changetype":
                values.setdefault(name, []).append(value)
        objects.append(make(pairs[0][1], values.pop("objectClass")[-1], configuration, values))
    return objects


def _pair(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon:
        raise ValueError(f"no attribute: {line!r}")
    if value.startswith(":"):
        return name, base64.b64decode(value[1:].strip()).decode()
    return name, value.strip()
