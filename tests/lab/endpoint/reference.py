# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Endpoint references of WMI instances, and enumerations that ask for them (MS-WSMV 3.1.4.1.17, DSP0226 8.7)."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from enum import Enum

from . import names
from .soap import escape
from .wsman_fault import WsmanFaultError, fault


class EnumerationMode(Enum):
    """What an enumeration gives of each instance."""

    OBJECT = ""
    REFERENCE = "EnumerateEPR"
    BOTH = "EnumerateObjectAndEPR"


def enumeration_mode(body: ET.Element | None) -> EnumerationMode:
    """Return what an Enumerate asks for.

    Raises:
        WsmanFaultError: There is no such mode.
    """
    text = "" if body is None else (body.findtext(f"{{{names.WSMAN}}}EnumerationMode") or "").strip()
    try:
        return EnumerationMode(text)
    except ValueError as error:
        raise mode_fault() from error


def mode_fault() -> WsmanFaultError:
    """What a mode is answered with that the resource does not support."""
    known = fault("unsupported_feature")
    return WsmanFaultError(known.code, known.subcode, known.message, detail="EnumerationMode")


def reference(resource_uri: str, keys: Mapping[str, str]) -> str:
    """Write what stands in an endpoint reference; the keys of an instance, none for a singleton (wsman.md 1.7)."""
    selectors = "".join(f'<w:Selector Name="{key}">{escape(value)}</w:Selector>' for key, value in keys.items())
    chosen = f"<w:SelectorSet>{selectors}</w:SelectorSet>" if keys else ""
    return (
        f"<a:Address>{names.ANONYMOUS}</a:Address><a:ReferenceParameters><w:ResourceURI>{escape(resource_uri)}"
        f"</w:ResourceURI>{chosen}</a:ReferenceParameters>"
    )


def item(mode: EnumerationMode, instance: str, referring: str) -> str:
    """Write one item of an enumeration that asked for references (wsman.md 1.5)."""
    pointer = f"<a:EndpointReference>{referring}</a:EndpointReference>"
    return pointer if mode is EnumerationMode.REFERENCE else f"<w:Item>{instance}{pointer}</w:Item>"
