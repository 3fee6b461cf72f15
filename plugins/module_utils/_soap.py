# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SOAP envelopes of WS-Management: requests as text, replies as trees, faults as errors.

Requests are built from templates (wsman.md 1.3, 1.4); replies are matched by XML namespace and never by prefix, since
Windows gives one prefix two meanings in one document (wsman.md 1.1). Nothing here does I/O.
"""

from __future__ import annotations

import re
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    AccessDenied,
    DeadlineExceeded,
    HostError,
    UnreadableOutput,
    WsmanFault,
)

SOAP = "http://www.w3.org/2003/05/soap-envelope"
ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
MS_WSMAN = "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd"
ENUMERATION = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
EVENTING = "http://schemas.xmlsoap.org/ws/2004/08/eventing"
CIM = "http://schemas.dmtf.org/wbem/wscim/1/common"
SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
WSMAN_FAULT = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
XSI = "http://www.w3.org/2001/XMLSchema-instance"

MAX_ENVELOPE_SIZE = 512000
"""Default limit of Windows Server 2012 and later, 500 KiB (wsman.md 1.3)."""

OPERATION_TIMEOUT = 60.0
"""Seconds; the server's cap MaxTimeoutms is 60000 by default (wsman.md 1.3)."""

RESOURCE_NOT_FOUND = 2150858752
OPERATION_TIMED_OUT = 2150858793
UNEXPECTED_SELECTORS = 2150858843
TOO_MANY_SHELLS = 2150859173
TOO_MANY_OPERATIONS = 2150859174

# 5 and its HRESULT, the three of the WMI plugin (wsman.md 1.9), WBEM_E_ACCESS_DENIED (winerror.h, wbemcli.h).
_ACCESS_DENIED = frozenset((5, 0x80070005, 2150859012, 2150859013, 2150859014, 0x80041003))
# WBEM_E_NOT_FOUND; WBEM_E_INVALID_CLASS and WBEM_E_INVALID_NAMESPACE say that more than the instance is missing.
_NOT_FOUND = frozenset((RESOURCE_NOT_FOUND, 0x80041002))
_SCHEMA_MISSING = frozenset((0x80041010, 0x8004100E, 2150858778))

_ENVELOPE = (
    '<s:Envelope xmlns:s="' + SOAP + '" xmlns:a="' + ADDRESSING + '" xmlns:w="' + WSMAN + '"{namespaces}><s:Header>'
    "<a:To>http://windows-host:5985/wsman</a:To>"
    '<w:ResourceURI s:mustUnderstand="true">{resource}</w:ResourceURI>'
    '<a:ReplyTo><a:Address s:mustUnderstand="true">' + ADDRESSING + "/role/anonymous</a:Address></a:ReplyTo>"
    '<a:Action s:mustUnderstand="true">{action}</a:Action>'
    '<w:MaxEnvelopeSize s:mustUnderstand="true">{size}</w:MaxEnvelopeSize>'
    "<a:MessageID>uuid:{message}</a:MessageID>"
    '<w:Locale xml:lang="en-US" s:mustUnderstand="false"/>'
    "{selectors}{options}<w:OperationTimeout>PT{timeout:.3f}S</w:OperationTimeout>{header}"
    "</s:Header>{body}</s:Envelope>"
)

_TEXT_NOT_ALLOWED = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DECLARATION = re.compile(r"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)


def text(value: str) -> str:
    """Returns a value as XML character data.

    Raises:
        UnreadableOutput: The value holds a character that XML 1.0 can't carry.
    """
    if bad := _TEXT_NOT_ALLOWED.search(value):
        raise UnreadableOutput(
            "", "WS-Management request", f"character U+{ord(bad[0]):04X} can't be sent in XML", "Remove that character"
        )
    return escape(value, {"\r": "&#13;"})


def attribute(value: str) -> str:
    """Returns a value as an XML attribute with its quotes; same errors as `text`."""
    text(value)
    return quoteattr(value, {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})


def envelope(
    action: str,
    resource: str,
    body: str = "",
    *,
    selectors: Mapping[str, str] | None = None,
    options: Mapping[str, str | None] | None = None,
    namespaces: Mapping[str, str] | None = None,
    header: str = "",
    timeout: float = OPERATION_TIMEOUT,
) -> bytes:
    """Builds one request.

    Args:
        action: The WS-Addressing action.
        resource: The resource URI.
        body: XML of the body's content; prefixes s, a, w and those of `namespaces` are declared.
        selectors: Selector names and values.
        options: Option names and values; None sends the option as `xsi:nil` (MS-WSMV 2.2.4.25).
        namespaces: Further prefixes.
        header: XML of further headers.
        timeout: OperationTimeout in seconds.

    Returns:
        UTF-8 bytes with a new message identifier.
    """
    selected = "".join(f"<w:Selector Name={attribute(n)}>{text(v)}</w:Selector>" for n, v in (selectors or {}).items())
    chosen = "".join(
        f'<w:Option Name={attribute(n)} xmlns:xsi="{XSI}" xsi:nil="true"/>'
        if v is None
        else f"<w:Option Name={attribute(n)}>{text(v)}</w:Option>"
        for n, v in (options or {}).items()
    )
    return _ENVELOPE.format(
        namespaces="".join(f" xmlns:{prefix}={attribute(uri)}" for prefix, uri in (namespaces or {}).items()),
        resource=text(resource),
        action=text(action),
        size=MAX_ENVELOPE_SIZE,
        message=str(uuid.uuid4()).upper(),
        selectors=f"<w:SelectorSet>{selected}</w:SelectorSet>" if selected else "",
        options=f"<w:OptionSet>{chosen}</w:OptionSet>" if chosen else "",
        timeout=timeout,
        header=header,
        body=f"<s:Body>{body}</s:Body>" if body else "<s:Body/>",
    ).encode()


def local_name(element: ET.Element) -> str:
    """Returns an element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def namespace_of(element: ET.Element) -> str:
    """Returns an element's namespace, empty when it has none."""
    uri, closed, _name = element.tag.rpartition("}")
    return uri[1:] if closed else ""


def is_nil(element: ET.Element) -> bool:
    """Whether an element says `xsi:nil`."""
    return element.get(f"{{{XSI}}}nil", "").strip() in ("true", "1")


def child_text(element: ET.Element, tag: str) -> str:
    """Returns the stripped text of a child, empty when there is no such child."""
    return (element.findtext(tag) or "").strip()


def parse(reply: bytes, host: str = "", subject: str = "") -> ET.Element:
    """Parses a document that comes from a host, which is not trusted.

    The bytes are decoded here and handed over as text, so that no encoding declaration can hide a document type
    declaration; those are refused, and with them every entity that is not one of the five of XML.

    Raises:
        UnreadableOutput: The bytes are no XML, or they declare a document type.
    """
    try:
        document = reply.decode("utf-16" if reply[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise unreadable(host, subject, "the answer is neither UTF-8 nor UTF-16") from error
    if "\0" in document:
        # Not allowed in XML, and the parser would take it for a sign of another encoding.
        raise unreadable(host, subject, "the answer holds a zero character")
    if _DECLARATION.search(document):
        raise unreadable(host, subject, "the answer declares a document type, which no WinRM service does")
    parser = ET.XMLParser()
    try:
        parser.feed(document)
        return parser.close()
    except (ET.ParseError, ValueError) as error:
        raise unreadable(host, subject, f"the answer is no XML ({error})") from error


def body_of(reply: bytes, host: str = "", subject: str = "") -> ET.Element:
    """Returns the body of a reply.

    Raises:
        UnreadableOutput: No SOAP envelope.
        HostError: The reply is a fault; which kind is decided by `fault_error`.
    """
    root = parse(reply, host, subject)
    body = root.find(f"{{{SOAP}}}Body")
    if root.tag != f"{{{SOAP}}}Envelope" or body is None:
        raise unreadable(host, subject, f"the answer is no SOAP envelope but {local_name(root)[:60]!r}")
    if (found := body.find(f"{{{SOAP}}}Fault")) is not None:
        raise fault_error(read_fault(found), host, subject)
    return body


def unreadable(host: str, subject: str, reason: str) -> UnreadableOutput:
    """Returns the error for an answer that can't be understood."""
    return UnreadableOutput(
        host,
        subject or "WS-Management reply",
        reason,
        "Run again with -vvvv, and report the answer if it stays the same",
    )


@dataclass(frozen=True)
class Fault:
    """A SOAP fault as Windows writes it (wsman.md 1.9).

    Attributes:
        codes: Every number in it, the outermost first: WSManFault codes, MSFT_WmiError codes, provider status codes.
        subcode: SOAP subcode without prefix.
        cim_status: CIMStatusCode of an MSFT_WmiError, None when there is none.
        messages: Every text in it, the innermost (most exact) first, without repetition.
    """

    codes: tuple[int, ...]
    subcode: str
    cim_status: int | None
    messages: tuple[str, ...]

    @property
    def code(self) -> int | None:
        """The outermost number."""
        return self.codes[0] if self.codes else None

    @property
    def not_found(self) -> bool:
        """Whether it says that the instance does not exist, while its class does (as far as it says)."""
        numbers = set(self.codes)
        return not numbers & _SCHEMA_MISSING and (bool(numbers & _NOT_FOUND) or self.cim_status == 6)

    @property
    def access_denied(self) -> bool:
        """Whether it says that the account may not do this."""
        return bool(set(self.codes) & _ACCESS_DENIED) or self.subcode == "AccessDenied" or self.cim_status == 2


class FaultAnswer(WsmanFault):
    """A fault with all that it said."""

    def __init__(self, host: str, subject: str, fault: Fault) -> None:
        super().__init__(host, subject, fault.code, fault.subcode, fault.messages[0] if fault.messages else "")
        self.fault = fault


def read_fault(fault: ET.Element) -> Fault:
    """Reads a `s:Fault` element. Never fails: what is missing stays empty."""
    subcode = (fault.findtext(f"{{{SOAP}}}Code/{{{SOAP}}}Subcode/{{{SOAP}}}Value") or "").strip().rpartition(":")[2]
    codes: list[int] = []
    messages: list[str] = []
    cim_status: int | None = None
    detail = fault.find(f"{{{SOAP}}}Detail")
    for element in detail.iter() if detail is not None else ():
        name = local_name(element)
        if name == "WSManFault":
            codes.extend(_numbers(element.get("Code")))
        elif name == "Message" and (element.text or "").strip():
            messages.insert(0, " ".join((element.text or "").split()))
        elif name == "CIMStatusCode":
            cim_status = next(_numbers(element.text), None)
        elif name in ("error_Code", "StatusCode"):
            codes.extend(_numbers(element.text))
        elif name == "MessageID" and (text_ := (element.text or "").strip()).upper().startswith("HRESULT "):
            codes.extend(_numbers(text_[8:]))
    if reason := " ".join((fault.findtext(f"{{{SOAP}}}Reason/{{{SOAP}}}Text") or "").split()):
        messages.append(reason)
    return Fault(tuple(dict.fromkeys(codes)), subcode, cim_status, tuple(dict.fromkeys(messages)))


def _numbers(value: str | None) -> Iterator[int]:
    digits = (value or "").strip().lower()
    try:
        yield (int(digits, 16) if digits.startswith("0x") else int(digits)) & 0xFFFFFFFF
    except ValueError:
        return


def fault_error(fault: Fault, host: str, subject: str) -> HostError:
    """Returns the error that a fault stands for."""
    text_ = (fault.messages[0] if fault.messages else fault.subcode).rstrip(".")
    if fault.access_denied:
        return AccessDenied(
            host,
            subject,
            f"access was denied ({text_})",
            "Give the account the rights that the host access guide lists, or connect with another account",
        )
    if OPERATION_TIMED_OUT in fault.codes:
        return DeadlineExceeded(
            host,
            subject,
            "the host did not finish the request within its operation time-out",
            "Run again when the host is less busy",
        )
    return FaultAnswer(host, subject, fault)
