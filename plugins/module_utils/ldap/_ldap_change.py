# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The LDAP messages that change a directory (RFC 4511 4.6 to 4.8), which the library that reads does not have.

They are encoded with that library's ASN.1 writer and sent over the same connection. Their message numbers begin where
the library's own never come, so that an answer to one is known by its number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

FIRST_MESSAGE = 1 << 30
"""Message numbers from here on are those of changes."""

_ADD, _MODIFY, _DELETE = 8, 6, 10
_ANSWERS = frozenset({7, 9, 11})


class How(IntEnum):
    """What a modification does with values (RFC 4511 4.6)."""

    ADD = 0
    DELETE = 1
    REPLACE = 2


@dataclass(frozen=True)
class Modification:
    """One attribute in a change of an object.

    Attributes:
        how: What to do.
        attribute: Its name.
        values: The values; none with DELETE or REPLACE removes all.
    """

    how: How
    attribute: str
    values: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class ChangeResult:
    """A server's answer to a change."""

    message: int
    code: int
    name: str
    text: str
    referrals: tuple[str, ...]


def modify(message: int, dn: str, modifications: Sequence[Modification]) -> bytes:
    """Returns the message that changes attributes of an object, all of them or none."""
    from sansldap.asn1 import ASN1Tag, ASN1Writer, TagClass

    body = ASN1Writer()
    with body.push_sequence() as envelope:
        envelope.write_integer(message)
        with envelope.push_sequence(ASN1Tag(TagClass.APPLICATION, _MODIFY, True)) as request:
            request.write_octet_string(dn.encode())
            with request.push_sequence() as changes:
                for item in modifications:
                    with changes.push_sequence() as change:
                        change.write_enumerated(item.how)
                        with change.push_sequence() as attribute:
                            attribute.write_octet_string(item.attribute.encode())
                            with attribute.push_set() as values:
                                for value in item.values:
                                    values.write_octet_string(value)
    return bytes(body.get_data())


def add(message: int, dn: str, attributes: Mapping[str, Sequence[bytes]]) -> bytes:
    """Returns the message that makes an object."""
    from sansldap.asn1 import ASN1Tag, ASN1Writer, TagClass

    body = ASN1Writer()
    with body.push_sequence() as envelope:
        envelope.write_integer(message)
        with envelope.push_sequence(ASN1Tag(TagClass.APPLICATION, _ADD, True)) as request:
            request.write_octet_string(dn.encode())
            with request.push_sequence() as listed:
                for name, given in attributes.items():
                    with listed.push_sequence() as attribute:
                        attribute.write_octet_string(name.encode())
                        with attribute.push_set() as values:
                            for value in given:
                                values.write_octet_string(value)
    return bytes(body.get_data())


def delete(message: int, dn: str) -> bytes:
    """Returns the message that removes an object that has none below it."""
    from sansldap.asn1 import ASN1Tag, ASN1Writer, TagClass

    body = ASN1Writer()
    with body.push_sequence() as envelope:
        envelope.write_integer(message)
        envelope.write_octet_string(dn.encode(), ASN1Tag(TagClass.APPLICATION, _DELETE, False))
    return bytes(body.get_data())


def change_result(data: bytes) -> ChangeResult | None:
    """Returns the answer to a change; None when the message is none.

    Raises:
        ValueError: It is one and can't be understood.
    """
    from sansldap import LDAPResultCode
    from sansldap.asn1 import ASN1Reader, NotEnougData, TagClass

    try:
        envelope = ASN1Reader(data).read_sequence()
        message = envelope.read_integer()
        header = envelope.peek_header()
        if header.tag.tag_class is not TagClass.APPLICATION or header.tag.tag_number not in _ANSWERS:
            return None
        result = envelope.read_sequence(header=header)
        code = result.read_enumerated(LDAPResultCode)  # `value`: as a number the library makes 0 of one unknown to it
        result.read_octet_string()
        text = result.read_octet_string().decode("utf-8", "backslashreplace")
        referrals = []
        while result:
            following = result.peek_header()
            if following.tag.tag_class is TagClass.CONTEXT_SPECIFIC and following.tag.tag_number == 3:
                listed = result.read_sequence(header=following)
                while listed:
                    referrals.append(listed.read_octet_string().decode("utf-8", "backslashreplace"))
            else:
                result.skip_value(following)
    except NotEnougData as error:
        raise ValueError("the answer to a change ends early") from error
    return ChangeResult(message, code.value, code.name, text, tuple(referrals))
