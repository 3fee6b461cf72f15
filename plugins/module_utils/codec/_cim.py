# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WMI over WS-Management: the requests Get, Enumerate, Pull, Release and Invoke, and their replies.

Forms and rules: wsman.md 1.2 to 1.7, MS-WSMV 3.1.4.1. Nothing here does I/O.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Union

from ansible_collections.entsso.password_sync.plugins.module_utils.codec import _soap as soap
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._cim_instance import CimInstance, read_instance

CIMV2 = "root/cimv2"
MAX_ELEMENTS = 32000
"""MaxBatchItems of the service; the effective number is the smaller one (wsman.md 1.3)."""

CimScalar = Union[str, int, bool, datetime, None]
CimParameter = Union[CimScalar, Sequence[Union[str, int]]]

_WMI = "http://schemas.microsoft.com/wbem/wsman/1/wmi/"
_WQL = "http://schemas.microsoft.com/wbem/wsman/1/WQL"
_ENUM = {"n": soap.ENUMERATION}


def resource_uri(class_name: str, namespace: str = CIMV2) -> str:
    """Returns the resource URI of a class, or of a whole namespace when the class is `*`."""
    return f"{_WMI}{namespace.replace(chr(92), '/').strip('/')}/{class_name}"


def wql_string(value: str) -> str:
    """Returns a WQL string literal; the backslash is WQL's escape (wsman.md 1.5)."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def get_request(class_name: str, selectors: Mapping[str, str] | None = None, namespace: str = CIMV2) -> bytes:
    """Builds a Get; singletons take no selectors."""
    return soap.envelope(f"{soap.TRANSFER}/Get", resource_uri(class_name, namespace), selectors=selectors)


def enumerate_request(wql: str, namespace: str = CIMV2) -> bytes:
    """Builds an optimized Enumerate of a WQL query on the all-classes URI of a namespace."""
    body = (
        f"<n:Enumerate><w:OptimizeEnumeration/><w:MaxElements>{MAX_ELEMENTS}</w:MaxElements>"
        f'<w:Filter Dialect="{_WQL}">{soap.text(wql)}</w:Filter></n:Enumerate>'
    )
    return soap.envelope(f"{soap.ENUMERATION}/Enumerate", resource_uri("*", namespace), body, namespaces=_ENUM)


def pull_body(context: str, max_elements: int = MAX_ELEMENTS) -> str:
    """Returns the body of a Pull."""
    return (
        f"<n:Pull><n:EnumerationContext>{soap.text(context)}</n:EnumerationContext>"
        f"<n:MaxElements>{max_elements}</n:MaxElements></n:Pull>"
    )


def pull_request(context: str, namespace: str = CIMV2) -> bytes:
    """Builds a Pull with the newest context; the context changes with every Pull (wsman.md 1.5)."""
    return soap.envelope(f"{soap.ENUMERATION}/Pull", resource_uri("*", namespace), pull_body(context), namespaces=_ENUM)


def release_request(context: str, namespace: str = CIMV2) -> bytes:
    """Builds a Release, for an enumeration that is not read to its end."""
    body = f"<n:Release><n:EnumerationContext>{soap.text(context)}</n:EnumerationContext></n:Release>"
    return soap.envelope(f"{soap.ENUMERATION}/Release", resource_uri("*", namespace), body, namespaces=_ENUM)


def invoke_request(
    class_name: str,
    method: str,
    parameters: Mapping[str, CimParameter] | None = None,
    selectors: Mapping[str, str] | None = None,
    namespace: str = CIMV2,
) -> bytes:
    """Builds an Invoke; static methods take no selectors. Method and parameter names are case-sensitive.

    Parameters are sent in the order given: the schema of the method is checked in order (fault 2150858817).
    """
    uri = resource_uri(class_name, namespace)
    content = "".join(_parameter(name, value) for name, value in (parameters or {}).items())
    body = f"<p:{method}_INPUT xmlns:p={soap.attribute(uri)}>{content}</p:{method}_INPUT>"
    return soap.envelope(f"{uri}/{method}", uri, body, selectors=selectors)


def _parameter(name: str, value: CimParameter) -> str:
    if value is None:
        return f'<p:{name} xmlns:xsi="{soap.XSI}" xsi:nil="true"/>'
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"parameter {name}: a time without a zone would be taken as UTC")
        moment = value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return f'<p:{name}><c:Datetime xmlns:c="{soap.CIM}">{moment}</c:Datetime></p:{name}>'
    if isinstance(value, (str, int)):
        return f"<p:{name}>{_scalar(value)}</p:{name}>"
    return "".join(f"<p:{name}>{_scalar(item)}</p:{name}>" for item in value)


def _scalar(value: str | int) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return soap.text(str(value))


def parse_instance(reply: bytes, host: str = "", subject: str = "") -> CimInstance:
    """Reads the reply to a Get.

    Raises:
        UnreadableOutput: No instance in it.
        HostError: A fault.
    """
    body = soap.body_of(reply, host, subject)
    for element in body:
        return read_instance(element, host)
    raise soap.unreadable(host, subject, "the answer holds no instance")


def parse_output(reply: bytes, method: str, host: str = "", subject: str = "") -> CimInstance:
    """Reads the reply to an Invoke: the `<method>_OUTPUT` element, which may be empty.

    Raises:
        UnreadableOutput: Another or no element.
        HostError: A fault.
    """
    body = soap.body_of(reply, host, subject)
    for element in body:
        if soap.local_name(element).lower() == f"{method}_OUTPUT".lower():
            return read_instance(element, host)
    raise soap.unreadable(host, subject, f"the answer holds no {method}_OUTPUT")


@dataclass(frozen=True)
class Page:
    """One part of an enumeration.

    Attributes:
        items: The instances, in the order of the reply.
        context: What the next Pull must name; empty when there is nothing more.
        end: Whether the reply says that the enumeration is complete.
    """

    items: tuple[CimInstance, ...]
    context: str
    end: bool


def parse_page(reply: bytes, host: str = "", subject: str = "") -> Page:
    """Reads an EnumerateResponse or a PullResponse.

    Accepts what Windows is known to send: items in `w:Items` or `n:Items`, as class element, `w:XmlFragment` or
    `w:Item`; `EndOfSequence` in either namespace; any number of items in the first reply (wsman.md 1.5).

    Raises:
        UnreadableOutput: Neither of both, or neither complete nor to be continued.
        HostError: A fault.
    """
    body = soap.body_of(reply, host, subject)
    response = body.find(f"{{{soap.ENUMERATION}}}EnumerateResponse")
    if response is None:
        response = body.find(f"{{{soap.ENUMERATION}}}PullResponse")
    if response is None:
        raise soap.unreadable(host, subject, "the answer is no part of an enumeration")
    context = soap.child_text(response, f"{{{soap.ENUMERATION}}}EnumerationContext")
    end = any(response.find(f"{{{space}}}EndOfSequence") is not None for space in (soap.WSMAN, soap.ENUMERATION))
    if not end and not context:
        raise soap.unreadable(host, subject, "the answer is not complete and says not how to go on")
    return Page(tuple(read_instance(item, host) for item in items_of(response)), "" if end else context, end)


def items_of(response: ET.Element) -> list[ET.Element]:
    """Returns the elements inside `Items`; a `w:Item` stands for the element inside it."""
    found: list[ET.Element] = []
    for space in (soap.WSMAN, soap.ENUMERATION):
        for items in response.iterfind(f"{{{space}}}Items"):
            for item in items:
                if item.tag == f"{{{soap.WSMAN}}}Item":
                    inner = [one for one in item if one.tag != f"{{{soap.ADDRESSING}}}EndpointReference"]
                    found.extend(inner[:1])
                else:
                    found.append(item)
    return found
