# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes of attributes (RFC 4511 4.6): the message, and a directory that takes them as Samba does."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from sansldap import LDAPResultCode
from sansldap.asn1 import ASN1Reader, ASN1Tag, ASN1Writer, NotEnougData, TagClass

from .names import name_of
from .objects import LdapObject

_SPN = "serviceprincipalname"
_REQUEST, _RESPONSE = 6, 7
_SEQUENCE = 0x30


class Operation(IntEnum):
    """What is done with the values."""

    ADD = 0
    DELETE = 1
    REPLACE = 2


@dataclass(frozen=True)
class Modification:
    """One attribute of a change; its name is in lower case."""

    operation: Operation
    attribute: str
    values: tuple[bytes, ...]


@dataclass(frozen=True)
class Request:
    """A client's wish to change an object."""

    message_id: int
    dn: str
    modifications: tuple[Modification, ...]


@dataclass(frozen=True)
class Verdict:
    """The directory's answer."""

    code: LDAPResultCode
    text: str = ""


class RefusedError(Exception):
    """A change is not made; the verdict says why."""

    def __init__(self, code: LDAPResultCode, text: str = "") -> None:
        super().__init__(code, text)
        self.verdict = Verdict(code, text)


class Store:
    """Objects that can be changed. All that is enforced is what SPNs need (samba.md 5)."""

    def __init__(self, objects: Sequence[LdapObject], writers: Sequence[str]) -> None:
        """Keep the objects.

        Args:
            objects: Those of the whole forest.
            writers: Who may change them, as they log on.
        """
        self._objects = {name_of(item.dn): item for item in objects}
        self._writers = {item.lower() for item in writers}
        self._lock = threading.Lock()
        self.changes = 0
        """How many changes were made."""

    def __call__(self) -> list[LdapObject]:
        """Return the objects as they are now."""
        with self._lock:
            return list(self._objects.values())

    def values(self, dn: str, attribute: str) -> tuple[str, ...]:
        """Return the values of an attribute as text."""
        return tuple(item.decode() for item in self._objects[name_of(dn)].values.get(attribute.lower(), ()))

    def change(self, user: str, request: Request) -> Verdict:
        """Change an object, wholly or not at all."""
        with self._lock:
            item = self._objects.get(name_of(request.dn))
            if item is None:
                return Verdict(LDAPResultCode.NO_SUCH_OBJECT)
            if user.lower() not in self._writers:
                return Verdict(LDAPResultCode.INSUFFICIENT_ACCESS_RIGHTS, "00002098: acl: access denied")
            try:
                values = applied(item, request.modifications, list(self._objects.values()))
            except RefusedError as refused:
                return refused.verdict
            self._objects[name_of(request.dn)] = LdapObject(item.dn, values)
            self.changes += 1
        return Verdict(LDAPResultCode.SUCCESS)


def applied(
    item: LdapObject, modifications: Sequence[Modification], everything: Sequence[LdapObject]
) -> Mapping[str, tuple[bytes, ...]]:
    """Return the values that an object then has.

    Raises:
        RefusedError: One of them can't be made, so none is.
    """
    values: Mapping[str, tuple[bytes, ...]] = item.values
    for modification in modifications:
        values = {**values, modification.attribute: _applied(item, values, modification, everything)}
    return values


def _applied(
    item: LdapObject,
    values: Mapping[str, tuple[bytes, ...]],
    modification: Modification,
    everything: Sequence[LdapObject],
) -> tuple[bytes, ...]:
    before = values.get(modification.attribute, ())
    known = {value.lower() for value in before}
    given = {value.lower() for value in modification.values}
    if modification.operation is Operation.DELETE:
        if not given <= known:
            raise RefusedError(LDAPResultCode.NO_SUCH_ATTRIBUTE)
        return tuple(value for value in before if given and value.lower() not in given)
    if modification.operation is Operation.ADD and given & known:
        raise RefusedError(LDAPResultCode.ATTRIBUTE_OR_VALUE_EXISTS)
    if modification.attribute == _SPN:
        for other in everything:
            if other is not item and given & {value.lower() for value in other.values.get(_SPN, ())}:
                raise RefusedError(LDAPResultCode.CONSTRAINT_VIOLATION, "0000202F: it would cause a conflict")
    return (*before, *modification.values) if modification.operation is Operation.ADD else modification.values


def messages(buffer: bytearray) -> Iterator[bytes]:
    """Yield what is complete, and take it from the buffer; what can't be a message is given as it is."""
    while buffer:
        try:
            size = _size(buffer)
        except NotEnougData:
            return
        if size > len(buffer):
            return
        message = bytes(buffer[:size])
        del buffer[:size]
        yield message


def _size(buffer: bytearray) -> int:
    if buffer[0] != _SEQUENCE:
        return len(buffer)
    header = ASN1Reader(bytes(buffer)).peek_header()
    return header.tag_length + header.length


def request_of(message: bytes) -> Request | None:
    """Return the change that a message asks for; None when it asks for something else."""
    if message[0] != _SEQUENCE:
        return None
    envelope = ASN1Reader(message).read_sequence()
    message_id = envelope.read_integer()
    header = envelope.peek_header()
    if (header.tag.tag_class, header.tag.tag_number) != (TagClass.APPLICATION, _REQUEST):
        return None
    body = envelope.read_sequence(header=header)
    dn = body.read_octet_string().decode()
    listed = body.read_sequence()
    found = []
    while listed:
        one = listed.read_sequence()
        operation = Operation(one.read_enumerated(Operation))
        attribute = one.read_sequence()
        name = attribute.read_octet_string().decode().lower()
        given = attribute.read_set()
        values = []
        while given:
            values.append(given.read_octet_string())
        found.append(Modification(operation, name, tuple(values)))
    return Request(message_id, dn, tuple(found))


def response(message_id: int, verdict: Verdict) -> bytes:
    """Return the answer to a change."""
    writer = ASN1Writer()
    with writer.push_sequence() as envelope:
        envelope.write_integer(message_id)
        with envelope.push_sequence(ASN1Tag(TagClass.APPLICATION, _RESPONSE, True)) as result:
            result.write_enumerated(verdict.code)
            result.write_octet_string(b"")
            result.write_octet_string(verdict.text.encode())
    return bytes(writer.get_data())
