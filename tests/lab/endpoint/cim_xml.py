# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CIM values and instances as WinRM writes them (wsman.md 1.5 to 1.7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from lab.backend import CimScalar, CimValue

from . import names
from .soap import escape

_FRAGMENT_START = f'<w:XmlFragment xmlns:xsi="{names.XSI}" xmlns:w="{names.WSMAN}">'


def format_datetime(value: datetime) -> str:
    """Write a datetime in UTC with no, three or six digits of fraction, as recorded.

    Raises:
        ValueError: It has no zone.
    """
    if value.tzinfo is None:
        raise ValueError("a CIM datetime of the lab must be aware")
    text = value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    if value.microsecond:
        digits = f"{value.microsecond:06d}"
        text += "." + (digits[:3] if digits.endswith("000") else digits)
    return text + "Z"


def format_scalar(value: CimScalar) -> str:
    """Return a value as text, not escaped; also how a selector names it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return format_datetime(value)
    return str(value)


def instance_xml(resource_uri: str, class_name: str, properties: Mapping[str, CimValue], inner: str = "") -> str:
    """Write an instance with all its properties, in alphabetical order as recorded.

    Args:
        resource_uri: The class's own URI: the namespace of the elements.
        class_name: Name of the element.
        properties: What the instance holds.
        inner: More child elements.
    """
    children = "".join(_element("p:", "cim:", name, properties[name]) for name in _ordered(properties))
    return (
        f'<p:{class_name} xmlns:xsi="{names.XSI}" xmlns:p="{escape(resource_uri)}" xmlns:cim="{names.CIM}" '
        f'xsi:type="p:{class_name}_Type">{children}{inner}</p:{class_name}>'
    )


def fragment_xml(properties: Mapping[str, CimValue]) -> str:
    """Write a projection: no namespace, alphabetical order."""
    children = "".join(_element("", "", name, properties[name]) for name in _ordered(properties))
    return f"{_FRAGMENT_START}{children}</w:XmlFragment>"


def output_xml(resource_uri: str, method: str, values: Mapping[str, CimValue]) -> str:
    """Write what a method returned; ReturnValue comes last, the others in the provider's order."""
    ordered = [name for name in values if name != "ReturnValue"]
    if "ReturnValue" in values:
        ordered.append("ReturnValue")
    children = "".join(_element("p:", "cim:", name, values[name]) for name in ordered)
    return (
        f'<p:{method}_OUTPUT xmlns:xsi="{names.XSI}" xmlns:p="{escape(resource_uri)}" xmlns:cim="{names.CIM}">'
        f"{children}</p:{method}_OUTPUT>"
    )


def _ordered(properties: Iterable[str]) -> list[str]:
    return sorted(properties, key=str.lower)


def _element(prefix: str, cim: str, name: str, value: CimValue) -> str:
    tag = prefix + name
    if value is None:
        return f'<{tag} xsi:nil="true"/>'
    if isinstance(value, (str, int, datetime)):
        return _scalar(tag, cim, value)
    return "".join(_scalar(tag, cim, item) for item in _items(value))


def _items(value: Sequence[CimScalar]) -> Sequence[CimScalar]:
    return list(value) if isinstance(value, (bytes, bytearray)) else value


def _scalar(tag: str, cim: str, value: CimScalar) -> str:
    if isinstance(value, datetime):
        return f"<{tag}><{cim}Datetime>{format_datetime(value)}</{cim}Datetime></{tag}>"
    return f"<{tag}>{escape(format_scalar(value))}</{tag}>"
