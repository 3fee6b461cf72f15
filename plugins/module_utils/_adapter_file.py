# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks an adapter definition file before it leaves the control node.

No public sample of this file exists (entsso.md 3.4), so only what Microsoft documents is checked: it is
well-formed XML, the adapter's name is in it, the documented flag attributes hold yes or no, the computer is a
fully qualified name, and the access account is a group name.
"""

from __future__ import annotations

import hashlib
import re
from xml.etree import ElementTree

FLAGS = (
    "enableApp",
    "allowLocalAccounts",
    "syncFromAdapter",
    "verifyOldPassword",
    "changeWindowsPassword",
    "syncToAdapter",
    "sendOldPassword",
    "allowMappingConflicts",
)
"""Flag attribute names, documented (entsso.md 2.4 and 3.4)."""

_FLAG_NAMES = {name.lower(): name for name in FLAGS}
_FQDN = re.compile(r"^(?=.{1,255}$)[A-Za-z0-9](?:[A-Za-z0-9\-]{0,62})(?:\.[A-Za-z0-9][A-Za-z0-9\-]{0,62})+$")
_GROUP = re.compile(r"^[^\\/\"\[\]:;|=,+*?<>]+\\[^\\/\"\[\]:;|=,+*?<>]+$")


class AdapterFileError(ValueError):
    """The file is wrong; the message is one sentence without the adapter's name."""


def fingerprint(text: str) -> str:
    """Returns the SHA-256 of a definition, upper case, without regard to line ends."""
    return hashlib.sha256(text.replace("\r\n", "\n").encode("utf-8")).hexdigest().upper()


def check_adapter_file(name: str, text: str) -> None:
    """Checks a definition.

    Raises:
        AdapterFileError: It is not well-formed or breaks a documented rule.
    """
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise AdapterFileError("it declares a document type or entities, which ssops files do not have")
    try:
        root = ElementTree.fromstring(text.encode("utf-8"))
    except ElementTree.ParseError as error:
        line, column = error.position
        raise AdapterFileError(
            f"it is not well-formed XML: {error.msg.split(':')[0]} in line {line}, column {column + 1}"
        ) from error
    values: list[str] = []
    for node in root.iter():
        tag = node.tag.rsplit("}", 1)[-1].lower()
        body = (node.text or "").strip()
        values.append(body.lower())
        for attribute, value in node.attrib.items():
            values.append(value.strip().lower())
            _check_value(attribute.rsplit("}", 1)[-1].lower(), value.strip())
        if not list(node):
            _check_value(tag, body)
    if name.lower() not in values:
        raise AdapterFileError(f"the adapter's name {name!r} does not stand in it")


def _check_value(name: str, value: str) -> None:
    if name in _FLAG_NAMES and value not in ("yes", "no"):
        raise AdapterFileError(f"{_FLAG_NAMES[name]} is {value[:40]!r} and must be yes or no")
    if name == "computer" and not _FQDN.match(value):
        raise AdapterFileError(
            f"the computer is {value[:80]!r} and must be a fully qualified name such as sso01.corp.example"
        )
    if name == "appuseraccount" and not _GROUP.match(value):
        raise AdapterFileError(f"appUserAccount is {value[:80]!r} and must name a group as DOMAIN\\group")
