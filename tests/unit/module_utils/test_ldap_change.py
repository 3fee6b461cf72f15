# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The messages of changes, read back with the library's own reader."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sansldap.asn1 import ASN1Reader, ASN1Tag, ASN1Writer, TagClass

from ansible_collections.entsso.password_sync.plugins.module_utils.ldap import _ldap_change
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_change import How, Modification

VALUES = st.lists(st.binary(max_size=300), max_size=4).map(tuple)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


def _opened(data: bytes, number: int, tag: int) -> ASN1Reader:
    envelope = ASN1Reader(data).read_sequence()
    assert envelope.read_integer() == number
    return envelope.read_sequence(ASN1Tag(TagClass.APPLICATION, tag, True))


@given(st.integers(1, 2**31 - 1), NAMES, st.lists(st.tuples(st.sampled_from(How), NAMES, VALUES), max_size=3))
def test_modify(number: int, dn: str, given_ones: list[tuple[How, str, tuple[bytes, ...]]]) -> None:
    request = _opened(_ldap_change.modify(number, dn, [Modification(*item) for item in given_ones]), number, 6)
    assert request.read_octet_string().decode() == dn
    changes, found = request.read_sequence(), []
    while changes:
        change = changes.read_sequence()
        how = change.read_enumerated(How)
        attribute = change.read_sequence()
        name, values, listed = attribute.read_octet_string().decode(), [], attribute.read_set()
        while listed:
            values.append(listed.read_octet_string())
        found.append((how, name, tuple(values)))
    assert found == given_ones


@given(NAMES, st.dictionaries(NAMES, VALUES, max_size=3))
def test_add(dn: str, attributes: dict[str, tuple[bytes, ...]]) -> None:
    request = _opened(_ldap_change.add(7, dn, attributes), 7, 8)
    assert request.read_octet_string().decode() == dn
    listed, found = request.read_sequence(), {}
    while listed:
        attribute = listed.read_sequence()
        name, values, many = attribute.read_octet_string().decode(), [], attribute.read_set()
        while many:
            values.append(many.read_octet_string())
        found[name] = tuple(values)
    assert found == attributes


def test_delete() -> None:
    """DelRequest ::= [APPLICATION 10] LDAPDN, primitive (RFC 4511 4.8)."""
    assert _ldap_change.delete(5, "CN=x") == bytes.fromhex("3009 020105 4a04") + b"CN=x"


def _answer(tag: int, code: int, text: str, *uris: str) -> bytes:
    body = ASN1Writer()
    with body.push_sequence() as envelope:
        envelope.write_integer(_ldap_change.FIRST_MESSAGE)
        with envelope.push_sequence(ASN1Tag(TagClass.APPLICATION, tag, True)) as result:
            result.write_enumerated(code)
            result.write_octet_string(b"")
            result.write_octet_string(text.encode())
            if uris:
                with result.push_sequence(ASN1Tag(TagClass.CONTEXT_SPECIFIC, 3, True)) as listed:
                    for uri in uris:
                        listed.write_octet_string(uri.encode())
    return bytes(body.get_data())


@pytest.mark.parametrize("tag", [7, 9, 11])
def test_answers(tag: int) -> None:
    found = _ldap_change.change_result(_answer(tag, 10, "grün", "ldap://dc2/DC=x"))
    assert found is not None
    assert (found.message, found.code, found.name) == (_ldap_change.FIRST_MESSAGE, 10, "REFERRAL")
    assert (found.text, found.referrals) == ("grün", ("ldap://dc2/DC=x",))
    unknown = _ldap_change.change_result(_answer(tag, 4711, ""))
    assert unknown is not None
    assert unknown.code == 4711


def test_other_messages_are_none() -> None:
    assert _ldap_change.change_result(_answer(5, 0, "")) is None


@given(st.binary(max_size=40))
def test_nonsense_is_an_error_or_none(data: bytes) -> None:
    with suppress(ValueError):
        assert _ldap_change.change_result(data) is None
