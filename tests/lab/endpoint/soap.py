# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SOAP envelopes: reads a request, writes an answer."""

from __future__ import annotations

import re
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass

from . import names
from .wsman_fault import WsmanFaultError, fault

_DURATION = re.compile(
    r"P(?:(\d+(?:\.\d+)?)D)?(?:T(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?", re.ASCII
)
_UNTIDY = re.compile("[&<>\"'\x00-\x08\x0b-\x1f]")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;", "\r": "&#13;"}
_MINIMUM_ENVELOPE = 8192


@dataclass(frozen=True)
class SoapRequest:
    """What the service needs of a request."""

    action: str
    resource_uri: str
    message_id: str
    to: str
    selectors: Mapping[str, str]
    options: Mapping[str, str]
    operation_timeout: float | None
    max_envelope_size: int
    header: ET.Element
    body: ET.Element

    @property
    def payload(self) -> ET.Element | None:
        """The first element of the body."""
        return self.body[0] if len(self.body) else None


def escape(text: str) -> str:
    """Escape text as the recordings show it; control characters become ``?`` (wsman.md 1.7)."""
    return _UNTIDY.sub(lambda match: _ENTITIES.get(match[0], "?"), text)


def new_uuid() -> str:
    """Return a new identifier in the upper case that Windows writes."""
    return str(uuid.uuid4()).upper()


def parse_duration(text: str) -> float:
    """Return the seconds of an xs:duration without years and months.

    Raises:
        ValueError: It is none.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None or not any(match.groups()):
        raise ValueError(f"not a duration: {text!r}")
    days, hours, minutes, seconds = (float(part) if part else 0.0 for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def parse_request(data: bytes) -> SoapRequest:
    """Read a request and check its headers (wsman.md 1.3).

    Raises:
        WsmanFaultError: It is no request that Windows would serve.
    """
    try:
        if b"<!DOCTYPE" in data:
            raise ET.ParseError("a document type")
        root = ET.fromstring(data)
    except (ET.ParseError, ValueError) as error:
        raise fault("invalid_xml") from error
    header = root.find(f"{{{names.SOAP}}}Header")
    body = root.find(f"{{{names.SOAP}}}Body")
    if root.tag != f"{{{names.SOAP}}}Envelope" or header is None or body is None:
        raise fault("invalid_body")
    message_id = _text(header, names.ADDRESSING, "MessageID")
    try:
        return _read(header, body, message_id)
    except WsmanFaultError as error:
        error.relates_to = message_id
        raise


def envelope(
    action: str, relates_to: str, body: str, prefixes: str, *, header: str = "", to: str = names.ANONYMOUS
) -> str:
    """Write an answer.

    Args:
        action: wsa:Action.
        relates_to: MessageID of the request.
        body: What is in the Body.
        prefixes: The prefixes to declare, separated by spaces, in the order of the recording that it follows.
        header: More header blocks.
        to: wsa:To.
    """
    declared = " ".join(f'xmlns:{prefix}="{names.PREFIXES[prefix]}"' for prefix in prefixes.split())
    related = f"<a:RelatesTo>{escape(relates_to)}</a:RelatesTo>" if relates_to else ""
    return (
        f'<s:Envelope xml:lang="en-US" {declared}><s:Header><a:Action>{escape(action)}</a:Action>'
        f"<a:MessageID>uuid:{new_uuid()}</a:MessageID><a:To>{to}</a:To>{header}{related}</s:Header>"
        f"<s:Body>{body}</s:Body></s:Envelope>"
    )


def _read(header: ET.Element, body: ET.Element, message_id: str) -> SoapRequest:
    action = _text(header, names.ADDRESSING, "Action")
    to = _text(header, names.ADDRESSING, "To")
    reply_to = header.find(f"{{{names.ADDRESSING}}}ReplyTo/{{{names.ADDRESSING}}}Address")
    if not message_id:
        raise fault("invalid_header")  # MS-WSMV 3.1.4.1.5
    if not (action and to) or reply_to is None or (reply_to.text or "").strip() != names.ANONYMOUS:
        raise fault("header_required")
    resource_uri = _text(header, names.WSMAN, "ResourceURI")
    if not resource_uri:
        raise fault("invalid_resource_uri")
    _check_locale(header)
    size_text = _text(header, names.WSMAN, "MaxEnvelopeSize")
    timeout_text = _text(header, names.WSMAN, "OperationTimeout")
    try:
        size = int(size_text) if size_text else 2**63
        timeout = parse_duration(timeout_text) if timeout_text else None
    except ValueError as error:
        raise fault("invalid_header") from error
    if size < _MINIMUM_ENVELOPE:
        raise fault("encoding_limit")
    return SoapRequest(
        action,
        resource_uri,
        message_id,
        to,
        _named(header, "SelectorSet", "Selector"),
        _named(header, "OptionSet", "Option"),
        timeout,
        size,
        header,
        body,
    )


def _check_locale(header: ET.Element) -> None:
    for tag in (f"{{{names.WSMAN}}}Locale", f"{{{names.WSMV}}}DataLocale"):
        element = header.find(tag)
        if element is not None and element.get(f"{{{names.SOAP}}}mustUnderstand", "").lower() in ("true", "1"):
            raise fault("unsupported_feature")


def _text(header: ET.Element, namespace: str, name: str) -> str:
    return (header.findtext(f"{{{namespace}}}{name}") or "").strip()


def _named(header: ET.Element, outer: str, inner: str) -> dict[str, str]:
    holder = header.find(f"{{{names.WSMAN}}}{outer}")
    found: dict[str, str] = {}
    if holder is not None:
        for element in holder.findall(f"{{{names.WSMAN}}}{inner}"):
            found[element.get("Name", "")] = element.text or ""
    return found
