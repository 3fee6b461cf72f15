# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An affiliate application in the SSO system."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from xml.etree import ElementTree

from ansible_collections.entsso.password_sync.plugins.module_utils._plan import (
    Absent,
    Change,
    Estate,
    Key,
    Operation,
    PlanError,
    Present,
    Unknown,
)

RESOURCE = "sso_application"

NO_APPLICATION = "0xC0002A04"
"""The application does not exist (entsso.md 6.3)."""

FLAGS = (
    "groupApp",
    "configStoreApp",
    "allowTickets",
    "validateTickets",
    "allowLocalAccounts",
    "timeoutTickets",
    "adminAccountSame",
    "enableApp",
)
"""Flag attributes of the application file in Microsoft's documentation (entsso.md 3.2)."""


@dataclass(frozen=True)
class ApplicationField:
    """One credential field; the first is the user name."""

    label: str
    masked: bool


@dataclass(frozen=True)
class ApplicationState:
    """An application that `ssomanage -listapps all` names. Nothing else can be read without guessing."""

    exists: bool = True


@dataclass(frozen=True)
class DesiredApplication:
    """An application as wanted."""

    name: str
    description: str = ""
    contact: str = ""
    user_account: str = ""
    admin_account: str = ""
    fields: Sequence[ApplicationField] = ()
    flags: Mapping[str, bool] = field(default_factory=dict)


def key(subject: str, name: str) -> Key:
    """Returns the key of an application."""
    return Key(subject, RESOURCE, name)


def plan(subject: str, desired: DesiredApplication, estate: Estate) -> tuple[Change, ...]:
    """Returns the creation, or nothing.

    Raises:
        PlanError: The applications could not be listed.
    """
    observed = estate.get(key(subject, desired.name))
    if isinstance(observed, Present):
        return ()
    if isinstance(observed, Unknown):
        raise PlanError(
            subject,
            f"The applications of the SSO system could not be listed on {subject}: {observed.reason}.",
            "Run `ssomanage -listapps all` there by hand with the account of this run.",
        )
    if isinstance(observed, Absent) and not (desired.user_account and desired.admin_account and desired.fields):
        raise PlanError(
            subject,
            f"The application {desired.name} does not exist; to create it give user_account, admin_account and fields.",
            "Microsoft's application file holds all three.",
        )
    return (Change(subject, RESOURCE, desired.name, Operation.CREATE, new={"exists": True}),)


def application_file(desired: DesiredApplication) -> bytes:
    """Returns the file for `ssomanage -createapps`, in the documented form (entsso.md 3.2)."""
    root = ElementTree.Element("sso")
    node = ElementTree.SubElement(root, "application", name=desired.name)
    ElementTree.SubElement(node, "description").text = desired.description
    ElementTree.SubElement(node, "contact").text = desired.contact
    ElementTree.SubElement(node, "appuserAccount").text = desired.user_account
    ElementTree.SubElement(node, "appAdminAccount").text = desired.admin_account
    for ordinal, item in enumerate(desired.fields):
        ElementTree.SubElement(
            node, "field", ordinal=str(ordinal), label=item.label, masked="yes" if item.masked else "no"
        )
    flags = {name: "yes" if desired.flags[name] else "no" for name in FLAGS if name in desired.flags}
    ElementTree.SubElement(node, "flags", flags)
    text: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return text


def listed_in(output: str, name: str) -> bool:
    """Says whether a name stands in the output of `ssomanage -listapps` as a value of its own.

    A word of a sentence is none: "Using SSO server on this computer." does not list an application `SSO`.
    """
    values = re.split(r"[,;\t\r\n]|\s{2,}|\s-\s|:\s", output)
    return bool(name) and any(value.strip().lower() == name.lower() for value in values)


def named_in(output: str, name: str) -> bool:
    """Says whether a name stands in a tool's output as a whole word, whatever the language around it.

    A name that the tool cut off (its columns are narrow, entsso.md 2.4) is not found: the answer is then no,
    never a guess.
    """
    pattern = rf"(?<![\w.\-]){re.escape(name)}(?![\w.\-])"
    return re.search(pattern, output, flags=re.IGNORECASE) is not None
