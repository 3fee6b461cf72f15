# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether an object fits a search filter (RFC 4511 4.5.1.7, MS-ADTS 3.1.1.3.4.4)."""

from __future__ import annotations

import sansldap

from lab.pcns_entries import sid_bytes

from .names import name_of
from .objects import CATEGORIES, LdapObject

SIDS = frozenset({"objectsid", "ms-miis-pcns-targetinclusionsid", "ms-miis-pcns-targetexclusionsid"})
BIT_AND, BIT_OR = "1.2.840.113556.1.4.803", "1.2.840.113556.1.4.804"


class UnsupportedFilterError(Exception):
    """The responder does not know this kind of filter."""


def matches(item: LdapObject, wanted: sansldap.LDAPFilter) -> bool:
    """Whether an object fits.

    Raises:
        UnsupportedFilterError: The filter has a kind that is not known here.
    """
    match wanted:
        case sansldap.FilterAnd():
            return all(matches(item, part) for part in wanted.filters)
        case sansldap.FilterOr():
            return any(matches(item, part) for part in wanted.filters)
        case sansldap.FilterNot():
            return not matches(item, wanted.filter)
        case sansldap.FilterPresent():
            return bool(item.values.get(wanted.attribute.lower()))
        case sansldap.FilterEquality():
            return _equals(item, wanted.attribute.lower(), wanted.value)
        case sansldap.FilterSubstrings():
            return any(_has_parts(value, wanted) for value in item.values.get(wanted.attribute.lower(), ()))
        case sansldap.FilterExtensibleMatch() if wanted.attribute and wanted.rule in (BIT_AND, BIT_OR):
            return any(
                _has_bits(value, wanted.value, every=wanted.rule == BIT_AND)
                for value in item.values.get(wanted.attribute.lower(), ())
            )
    raise UnsupportedFilterError(type(wanted).__name__)


def _equals(item: LdapObject, attribute: str, wanted: bytes) -> bool:
    text = wanted.decode("utf-8", "replace")
    if attribute in SIDS and text.upper().startswith("S-1-"):
        # A SID may be given as text (MS-ADTS 3.1.1.3.1.3.4).
        wanted = sid_bytes(text)
    if attribute == "objectcategory":
        # A class stands for its category (MS-ADTS 3.1.1.3.1.3.5).
        text = CATEGORIES.get(text.lower(), text)
        short = "=" not in text
        return any(
            (name_of(value.decode())[0] == f"cn={text.casefold()}") if short else _same(value, text.encode())
            for value in item.values.get(attribute, ())
        )
    return any(_same(value, wanted) for value in item.values.get(attribute, ()))


def _same(value: bytes, wanted: bytes) -> bool:
    if value == wanted:
        return True
    try:
        first, second = value.decode().casefold(), wanted.decode().casefold()
    except UnicodeDecodeError:
        return False
    if first == second:
        return True
    try:
        return "=" in first and "=" in second and name_of(first) == name_of(second)
    except ValueError:
        return False


def _has_bits(value: bytes, wanted: bytes, *, every: bool) -> bool:
    try:
        have, mask = int(value), int(wanted)
    except ValueError:
        return False
    return have & mask == mask if every else have & mask != 0


def _has_parts(value: bytes, wanted: sansldap.FilterSubstrings) -> bool:
    rest = value.decode("utf-8", "replace").casefold()
    initial, final = ((part or b"").decode().casefold() for part in (wanted.initial, wanted.final))
    if not rest.startswith(initial) or not rest.endswith(final) or len(rest) < len(initial) + len(final):
        return False
    rest = rest[len(initial) : len(rest) - len(final)]
    for part in wanted.any:
        _before, found, rest = rest.partition(part.decode().casefold())
        if not found and part:
            return False
    return True
