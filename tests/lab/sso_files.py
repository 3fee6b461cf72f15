# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The XML files that ssomanage and ssops take.

Applications and mappings: entsso.md 3.2 and 3.3 (documented). Names are compared without regard to case, since the
published samples spell them in several ways; whether ENTSSO does so is UNKNOWN.
Adapters: NOTHING about the file is public (entsso.md 3.4); the shape is an assumption of the lab, set in
``SsoSettings.adapter_elements``. The flag attributes are documented.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as Names
from xml.etree import ElementTree

from lab.settings import SsoSettings
from lab.sso import ADAPTER_FLAGS, Adapter, Application, Mapping, SsoError

INVALID_PARAMETER = 0x80070057
_TEXTS = {
    "description": "description",
    "contact": "contact",
    "appuseraccount": "user_account",
    "appadminaccount": "admin_account",
}
_ADAPTER_FLAGS = {name.lower(): name for name in ADAPTER_FLAGS}
_GLOBAL_INFO = frozenset(
    {
        "ssoadminaccount",
        "ssoaffiliateadminaccount",
        "secretserver",
        "auditdeletedapps",
        "auditdeletedmappings",
        "auditcredentiallookups",
        "tickettimeout",
        "credcachetimeout",
    }
)


def read_applications(content: bytes) -> list[Application]:
    """Reads a file for `ssomanage -createapps` or `-updateapps`.

    Raises:
        SsoError: It is not such a file.
    """
    return [_application(item) for item in _children(content, "application")]


def read_adapters(content: bytes, settings: SsoSettings) -> list[Adapter]:
    """Reads a file for `ssops -create` or `-update`, in the shape that the lab assumes.

    Raises:
        SsoError: It is not such a file.
    """
    return [_adapter(item, settings) for item in _children(content, "adapter")]


def read_mappings(content: bytes) -> list[Mapping]:
    """Reads a file for `ssomanage -createmappings` or `-deletemappings`.

    Raises:
        SsoError: It is not such a file.
    """
    found = []
    for element in _children(content, "mapping"):
        texts = {_name(child): (child.text or "").strip() for child in element}
        if set(texts) != {"windowsdomain", "windowsuserid", "externalapplication", "externaluserid"}:
            raise _invalid("a mapping has exactly windowsDomain, windowsUserId, externalApplication and externalUserId")
        found.append(
            Mapping(
                texts["windowsdomain"], texts["windowsuserid"], texts["externalapplication"], texts["externaluserid"]
            )
        )
    return found


def read_global_info(content: bytes) -> dict[str, str]:
    """Reads a file for `ssomanage -updatedb`; returns the values by lower-case element name.

    Raises:
        SsoError: It is not such a file.
    """
    values: dict[str, str] = {}
    for element in _children(content, "globalinfo"):
        for child in element:
            if _name(child) not in _GLOBAL_INFO:
                raise _invalid(f"globalInfo has no element {child.tag}")
            values[_name(child)] = (child.text or "").strip()
    return values


def _children(content: bytes, kind: str) -> list[ElementTree.Element]:
    try:
        root = ElementTree.fromstring(content)
    except ElementTree.ParseError as error:
        raise SsoError(0x80004005, f"The file is not well formed: {error}.") from error
    if _name(root) != "sso" or not len(root) or any(_name(item) != kind for item in root):
        raise _invalid(f"the file must hold {kind} elements within sso")
    return list(root)


def _application(element: ElementTree.Element) -> Application:
    application = Application(_attribute(element, "name"))
    fields: list[tuple[str, bool]] = []
    for child in element:
        name = _name(child)
        if name == "field":
            fields.append((_attribute(child, "label"), _yes(_attribute(child, "masked"))))
        elif name == "flags":
            application.flags = {key: _yes(value) for key, value in child.attrib.items()}
            application.enabled = application.flags.pop("enableApp", False)
        elif name in _TEXTS:
            setattr(application, _TEXTS[name], (child.text or "").strip())
        else:
            raise _invalid(f"an application has no element {child.tag}")
    application.fields = tuple(fields) or application.fields
    return application


def _adapter(element: ElementTree.Element, settings: SsoSettings) -> Adapter:
    adapter = Adapter(_attribute(element, "name"))
    for child in element:
        name = _name(child)
        if name == "flags":
            _set_flags(adapter, child.attrib)
        elif name in settings.adapter_elements:
            setattr(adapter, settings.adapter_elements[name], (child.text or "").strip())
        else:
            raise _invalid(f"an adapter has no element {child.tag}")
    if not adapter.computer or "." not in adapter.computer:
        # "Must be the fully qualified computer name" (entsso.md 3.4).
        raise _invalid("the computer must be a full name")
    return adapter


def _set_flags(adapter: Adapter, attributes: Names[str, str]) -> None:
    for key, value in attributes.items():
        lower = key.lower()
        if lower == "enableapp":
            adapter.enabled = _yes(value)
        elif lower == "groupadapter":
            adapter.group_adapter = _yes(value)
        elif lower == "adminaccountsame":
            continue
        elif lower in _ADAPTER_FLAGS:
            adapter.flags[_ADAPTER_FLAGS[lower]] = _yes(value)
        else:
            raise _invalid(f"there is no flag {key}")


def _name(element: ElementTree.Element) -> str:
    return re.sub(r"^\{.*\}", "", element.tag).lower()


def _attribute(element: ElementTree.Element, name: str) -> str:
    for key, value in element.attrib.items():
        if key.lower() == name and value.strip():
            return value.strip()
    raise _invalid(f"{element.tag} has no attribute {name}")


def _yes(value: str) -> bool:
    if value.lower() not in ("yes", "no"):
        raise _invalid(f"{value} is neither yes nor no")
    return value.lower() == "yes"


def _invalid(detail: str) -> SsoError:
    return SsoError(INVALID_PARAMETER, f"The parameter is incorrect ({detail}).")
