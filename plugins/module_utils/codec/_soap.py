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
from functools import cached_property
from xml.sax.saxutils import escape, quoteattr

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    AccessDenied,
    DeadlineExceeded,
    EnvelopeTooLarge,
    HostError,
    QuotaExceeded,
    UnreadableOutput,
    WsmanFault,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._fault_table import (
    FaultRow,
    Meaning,
    Recovery,
    find,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._untrusted_xml import parse_untrusted

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

UNEXPECTED_SELECTORS = 2150858843
TOO_MANY_OPERATIONS = 2150859174

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

    Raises:
        UnreadableOutput: It is no XML, declares a document type, or is larger or deeper than any WinRM service sends.
    """
    try:
        return parse_untrusted(reply)
    except ValueError as error:
        raise unreadable(host, subject, str(error)) from error


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


def fault_of(reply: bytes) -> Fault | None:
    """Returns the fault in an answer, None where there is none or nothing can be read."""
    try:
        found = parse_untrusted(reply).find(f"{{{SOAP}}}Body/{{{SOAP}}}Fault")
    except ValueError:
        return None
    return None if found is None else read_fault(found)


@dataclass(frozen=True)
class Fault:
    """A SOAP fault as Windows writes it (wsman.md 1.9).

    Attributes:
        codes: Every number in it, the outermost first: WSManFault codes, MSFT_WmiError codes, provider status codes.
        subcode: SOAP subcode without prefix.
        cim_status: CIMStatusCode of an MSFT_WmiError, None when there is none.
        messages: Every text in it, the innermost (most exact) first, without repetition.
        machines: What the providers on the host call it. The outermost name is left out: it is how the client sees
            the host (wsman.md 1.9), and proves nothing.
    """

    codes: tuple[int, ...]
    subcode: str
    cim_status: int | None
    messages: tuple[str, ...]
    machines: tuple[str, ...] = ()

    @property
    def code(self) -> int | None:
        """The outermost number."""
        return self.codes[0] if self.codes else None

    @cached_property
    def row(self) -> FaultRow | None:
        """What it means, None when it is not in the table."""
        return find(self.codes, self.cim_status, self.subcode)

    @property
    def recovery(self) -> Recovery:
        """What is done about it without asking anybody."""
        return self.row.recovery if self.row else Recovery.NONE

    @property
    def may_have_run(self) -> bool:
        """Whether a write that is answered so may have had its effect."""
        return bool(self.row and self.row.may_have_run)

    @property
    def not_found(self) -> bool:
        """Whether it says that the instance does not exist, while its class does (as far as it says)."""
        return bool(self.row and self.row.meaning is Meaning.NOT_FOUND)

    @property
    def said(self) -> str:
        """The numbers and words of the host, for the sentences of errors."""
        number = f"fault {self.code} (0x{self.code:08X})" if self.code is not None else "a fault without a number"
        words = self.messages[0].rstrip(".") if self.messages else "no text"
        return f"{number}{', ' + self.subcode if self.subcode else ''}: {words}"


class FaultAnswer(WsmanFault):
    """A fault with all that it said."""

    def __init__(self, host: str, subject: str, fault: Fault) -> None:
        row = fault.row
        reason = f"{row.sentence}; the host answered {fault.said}" if row else f"the host answered {fault.said}"
        super().__init__(host, subject, reason, row.remedy if row else _UNKNOWN_REMEDY)
        self.fault = fault
        self.code = fault.code
        self.subcode = fault.subcode
        self.message = fault.messages[0] if fault.messages else ""


class _Quota(FaultAnswer, QuotaExceeded):
    """A quota is used up."""


class _TooLarge(FaultAnswer, EnvelopeTooLarge):
    """A message is larger than allowed."""


_KINDS = {Meaning.QUOTA: _Quota, Meaning.TOO_LARGE: _TooLarge}
_UNKNOWN_REMEDY = "Look the number up in Microsoft's WinRM and WMI error lists and mend its cause on the host"


def read_fault(fault: ET.Element) -> Fault:
    """Reads a `s:Fault` element. Never fails: what is missing stays empty."""
    subcode = (fault.findtext(f"{{{SOAP}}}Code/{{{SOAP}}}Subcode/{{{SOAP}}}Value") or "").strip().rpartition(":")[2]
    codes: list[int] = []
    messages: list[str] = []
    machines: list[str] = []
    cim_status: int | None = None
    detail = fault.find(f"{{{SOAP}}}Detail")
    # The same element comes in several namespaces (wsman.md 1.9), so the local name decides here.
    for element in detail.iter() if detail is not None else ():
        name = local_name(element)
        if name == "WSManFault":
            codes.extend(_numbers(element.get("Code")))
            machines.append((element.get("Machine") or "").strip())
        elif name == "Message" and (element.text or "").strip():
            messages.insert(0, " ".join((element.text or "").split()))
        elif name == "MSFT_WmiError":
            cim_status = _read_wmi_error(element, codes)
        elif name == "StatusCode":
            codes.extend(_numbers(element.text))
    if reason := " ".join((fault.findtext(f"{{{SOAP}}}Reason/{{{SOAP}}}Text") or "").split()):
        messages.append(reason)
    return Fault(
        tuple(dict.fromkeys(codes)),
        subcode,
        cim_status,
        tuple(dict.fromkeys(messages)),
        tuple(dict.fromkeys(name for name in machines[1:] if name)),
    )


def _read_wmi_error(element: ET.Element, codes: list[int]) -> int | None:
    """Adds the number of an MSFT_WmiError where it is an HRESULT (another counts in a series of its own)."""
    values = {local_name(child): (child.text or "").strip() for child in element}
    message_id = values.get("MessageID", "")
    if message_id.upper().startswith("HRESULT "):
        codes.extend(_numbers(message_id[8:]))
    if values.get("error_Type", "HRESULT") == "HRESULT":
        codes.extend(_numbers(values.get("error_Code")))
    return next(_numbers(values.get("CIMStatusCode")), None)


def _numbers(value: str | None) -> Iterator[int]:
    digits = (value or "").strip().lower()
    try:
        yield (int(digits, 16) if digits.startswith("0x") else int(digits)) & 0xFFFFFFFF
    except ValueError:
        return


def fault_error(fault: Fault, host: str, subject: str) -> HostError:
    """Returns the error that a fault stands for."""
    row = fault.row
    if row is None:
        return FaultAnswer(host, subject, fault)
    if row.meaning is Meaning.ACCESS_DENIED:
        words = (fault.messages[0] if fault.messages else fault.subcode).rstrip(".")
        return AccessDenied(
            host, subject, f"{row.sentence} ({words})", f"{row.remedy}, or connect with another account"
        )
    if row.meaning is Meaning.TIMED_OUT:
        return DeadlineExceeded(host, subject, row.sentence, row.remedy)
    return _KINDS.get(row.meaning, FaultAnswer)(host, subject, fault)
