# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A CIM instance as WS-Management carries it: names and values, typed when they are asked for.

The wire has no types: a number is text and an array of one element looks like a scalar (wsman.md 1.7). So a value is
kept as it came, and the caller, who knows the class, asks for the type.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar, Union

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import UnreadableOutput
from ansible_collections.entsso.password_sync.plugins.module_utils.codec import _soap as soap

T = TypeVar("T")

_INTERVAL = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.(\d{1,6}))?S)?)?", re.ASCII)
_DMTF = re.compile(r"([0-9]{14})\.([0-9]{6})([+-][0-9]{3})$")
_INTEGER = re.compile(r"[+-]?[0-9]{1,20}")
"""Decimal, of up to 64 bits (wsman.md 1.7); Python's `int` takes more than that for a number."""


@dataclass(frozen=True)
class CimReference:
    """A reference to another instance: its resource URI and its selectors."""

    resource: str
    selectors: Mapping[str, str]


CimItem = Union[str, None, CimReference, "CimInstance"]
"""One value as it came: text, null, a reference or an embedded instance."""


@dataclass(frozen=True)
class CimInstance:
    """An instance, or the output of a method.

    Property names are compared without regard to case, as CIM does. A property that is asked for and is not there
    reads as null: Windows leaves empty arrays out, and older systems lack newer properties (wsman.md 1.7, 4).

    Attributes:
        class_name: Local name of its element; for a projection, where Windows names no class, empty.
        properties: Every property in the order of the reply, each with all its elements.
        host: Host it comes from, for the sentences of errors.
    """

    class_name: str
    properties: Mapping[str, tuple[CimItem, ...]]
    host: str = ""
    _by_lower: dict[str, tuple[CimItem, ...]] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._by_lower.update((name.lower(), items) for name, items in self.properties.items())

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._by_lower

    def items_of(self, name: str) -> tuple[CimItem, ...]:
        """Returns every element of a property; empty when it is not there."""
        return self._by_lower.get(name.lower(), ())

    def optional_string(self, name: str) -> str | None:
        """Returns a text property, None when null or not there."""
        items = self.items_of(name)
        if len(items) > 1:
            raise self._unreadable(name, f"has {len(items)} values where one was expected")
        value = items[0] if items else None
        if value is None or isinstance(value, str):
            return value
        raise self._unreadable(name, "is no text")

    def string(self, name: str) -> str:
        """Returns a text property.

        Raises:
            UnreadableOutput: It is null, not there, or an array.
        """
        return self._required(name, self.optional_string(name))

    def optional_integer(self, name: str) -> int | None:
        """Returns an integer property of any CIM width, None when null or not there."""
        value = self.optional_string(name)
        return None if value is None else self._integer(name, value)

    def integer(self, name: str) -> int:
        """Returns an integer property; see `string` for errors."""
        return self._required(name, self.optional_integer(name))

    def optional_boolean(self, name: str) -> bool | None:
        """Returns a boolean property, None when null or not there."""
        value = self.optional_string(name)
        if value is None:
            return None
        if (word := value.strip().lower()) in ("true", "false"):
            return word == "true"
        raise self._unreadable(name, f"is no boolean but {value[:40]!r}")

    def boolean(self, name: str) -> bool:
        """Returns a boolean property; see `string` for errors."""
        return self._required(name, self.optional_boolean(name))

    def optional_time(self, name: str) -> datetime | None:
        """Returns a time in UTC, None when null or not there."""
        value = self.optional_string(name)
        if value is None:
            return None
        try:
            return parse_datetime(value)
        except ValueError as error:
            raise self._unreadable(name, f"is no time ({error})") from error

    def time(self, name: str) -> datetime:
        """Returns a time in UTC; see `string` for errors."""
        return self._required(name, self.optional_time(name))

    def optional_interval(self, name: str) -> timedelta | None:
        """Returns an interval, None when null or not there."""
        value = self.optional_string(name)
        if value is None:
            return None
        try:
            return parse_interval(value)
        except ValueError as error:
            raise self._unreadable(name, f"is no interval ({error})") from error

    def strings(self, name: str) -> tuple[str, ...]:
        """Returns a text array; null, not there and empty all read as no elements."""
        return tuple(self._strings(name))

    def integers(self, name: str) -> tuple[int, ...]:
        """Returns an integer array; null, not there and empty all read as no elements."""
        return tuple(self._integer(name, value) for value in self._strings(name))

    def reference(self, name: str) -> CimReference:
        """Returns a reference property.

        Raises:
            UnreadableOutput: It is not exactly one reference.
        """
        items = self.items_of(name)
        if len(items) == 1 and isinstance(items[0], CimReference):
            return items[0]
        raise self._unreadable(name, "is no reference")

    def _strings(self, name: str) -> Iterator[str]:
        items = self.items_of(name)
        for item in items:
            if isinstance(item, str):
                yield item
            elif item is not None or len(items) > 1:
                raise self._unreadable(name, "is no array of text")

    def _integer(self, name: str, value: str) -> int:
        if _INTEGER.fullmatch(value.strip()):
            return int(value)
        raise self._unreadable(name, f"is no integer but {value[:40]!r}")

    def _required(self, name: str, value: T | None) -> T:
        if value is None:
            raise self._unreadable(name, "is null")
        return value

    def _unreadable(self, name: str, reason: str) -> UnreadableOutput:
        return soap.unreadable(self.host, f"{self.class_name or 'projection'}.{name}", f"the property {reason}")


def parse_datetime(value: str) -> datetime:
    """Parses `xs:dateTime` with a zone, or the DMTF form `yyyymmddHHMMSS.ffffff+mmm`, into UTC.

    Raises:
        ValueError: Neither form, or without a zone: no source says what zone Windows would then mean.
    """
    text = value.strip()
    try:
        if found := _DMTF.fullmatch(text):
            moment = datetime.strptime(found[1] + found[2], "%Y%m%d%H%M%S%f")
            return (moment - timedelta(minutes=int(found[3]))).replace(tzinfo=UTC)
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError(f"{text[:40]!r} has no time zone")
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{text[:40]!r} is out of range") from error


def parse_interval(value: str) -> timedelta:
    """Parses an `xs:duration` of days and smaller, as Windows writes CIM intervals (wsman.md 1.7).

    Raises:
        ValueError: Another form.
    """
    found = _INTERVAL.fullmatch(value.strip())
    if not found or value.strip() in ("P", "PT"):
        raise ValueError(f"{value[:40]!r} is no duration")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups()[:4])
    micro = int((found[5] or "").ljust(6, "0"))
    try:
        return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds, microseconds=micro)
    except OverflowError as error:
        raise ValueError(f"{value[:40]!r} is out of range") from error


def read_instance(element: ET.Element, host: str = "") -> CimInstance:
    """Reads an instance element: `select *` (children in the class's namespace) or a projection (children in none).

    Children in another namespace, such as `cim:Location`, are no properties (wsman.md 1.4).
    """
    fragment = element.tag == f"{{{soap.WSMAN}}}XmlFragment"
    space = soap.namespace_of(element)
    collected: dict[str, list[CimItem]] = {}
    for child in element:
        theirs = soap.namespace_of(child)
        if theirs not in _FOREIGN if fragment else theirs == space:
            collected.setdefault(soap.local_name(child), []).append(_read_item(child, host))
    name = "" if fragment else soap.local_name(element)
    return CimInstance(name, {key: tuple(items) for key, items in collected.items()}, host)


_FOREIGN = (soap.ADDRESSING, soap.CIM)
_TEXT_WRAPPERS = ("Datetime", "Interval", "Date", "Time")


def _read_item(element: ET.Element, host: str) -> CimItem:
    if soap.is_nil(element):
        return None
    children = list(element)
    if not children:
        return element.text or ""
    first = children[0]
    if len(children) == 1 and soap.local_name(first) in _TEXT_WRAPPERS:
        return first.text or ""
    parameters = element.find(f"{{{soap.ADDRESSING}}}ReferenceParameters")
    if parameters is None:
        parameters = element.find(f"{{{soap.ADDRESSING}}}EndpointReference/{{{soap.ADDRESSING}}}ReferenceParameters")
    if parameters is not None:
        return _read_reference(parameters)
    return read_instance(element, host)


def _read_reference(parameters: ET.Element) -> CimReference:
    selectors: dict[str, str] = {}
    for selector in parameters.iterfind(f"{{{soap.WSMAN}}}SelectorSet/{{{soap.WSMAN}}}Selector"):
        selectors[selector.get("Name", "")] = "".join(selector.itertext())
    return CimReference(soap.child_text(parameters, f"{{{soap.WSMAN}}}ResourceURI"), selectors)
