# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Identify: what a WinRM service says of itself (MS-WSMV 3.1.4.1.23, DSP0226 11).

Without authentication it is answered only with the HTTP header ``WSMANIDENTIFY: unauthenticated``, and then names
neither the version of Windows nor the ways to authenticate ("Detecting Whether a Remote Computer Supports
WS-Management Protocol", learn.microsoft.com). No recorded answer of a newer Windows with SecurityProfiles is public;
its elements are those that MS-WSMV prescribes.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping

from lab.backend import Backend

from . import names
from .settings import EndpointSettings
from .soap import escape

IDENTITY = "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"
PROTOCOL = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
_PROFILE = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/"
_STACK = "3.0"
"""Of WinRM since Windows Server 2012 (Test-WSMan in PowerShell's documentation)."""


def is_anonymous(headers: Mapping[str, str]) -> bool:
    """Whether a request asks to be identified without authentication; header names are lower case."""
    asked = headers.get("wsmanidentify", "").strip().lower() == "unauthenticated"
    return asked and "authorization" not in headers


def is_identify(message: bytes) -> bool:
    """Whether a message is an Identify request; it has no addressing headers."""
    if b"wsmanidentity" not in message or b"<!DOCTYPE" in message:
        return False
    try:
        body = ET.fromstring(message).find(f"{{{names.SOAP}}}Body")
    except (ET.ParseError, ValueError):
        return False
    return body is not None and len(body) == 1 and body[0].tag == f"{{{IDENTITY}}}Identify"


def answer(backend: Backend, settings: EndpointSettings, *, authenticated: bool) -> bytes:
    """Write the IdentifyResponse of a host."""
    system = _version(backend) if authenticated else "0.0.0 SP: 0.0"
    profiles = _profiles(settings) if authenticated else ""
    return (
        f'<s:Envelope xmlns:s="{names.SOAP}"><s:Header/><s:Body><wsmid:IdentifyResponse xmlns:wsmid="{IDENTITY}">'
        f"<wsmid:ProtocolVersion>{PROTOCOL}</wsmid:ProtocolVersion>"
        "<wsmid:ProductVendor>Microsoft Corporation</wsmid:ProductVendor>"
        f"<wsmid:ProductVersion>OS: {escape(system)} Stack: {_STACK}</wsmid:ProductVersion>{profiles}"
        "</wsmid:IdentifyResponse></s:Body></s:Envelope>"
    ).encode()


def _version(backend: Backend) -> str:
    systems = backend.wmi_instances("root/cimv2", "Win32_OperatingSystem") or ({},)
    system = systems[0]
    pack = f"{system.get('ServicePackMajorVersion') or 0}.{system.get('ServicePackMinorVersion') or 0}"
    return f"{system.get('Version') or '0.0.0'} SP: {pack}"


def _profiles(settings: EndpointSettings) -> str:
    ways = ["http/basic", "https/basic"] if settings.basic else []
    ways += ["http/spnego-kerberos", "https/spnego-kerberos"]
    listed = "".join(f"<wsmid:SecurityProfileName>{_PROFILE}{way}</wsmid:SecurityProfileName>" for way in ways)
    return f"<wsmid:SecurityProfiles>{listed}</wsmid:SecurityProfiles>"
