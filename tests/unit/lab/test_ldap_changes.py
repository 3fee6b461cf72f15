# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The responder's changes: framing, and what its store refuses as Samba does (samba.md 5)."""

from __future__ import annotations

from ansible_collections.entsso.password_sync.plugins.module_utils.ldap import _ldap_change
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_change import (
    How,
    Modification,
    change_result,
)
from lab.ldap.changes import Request, Store, messages, request_of, response
from lab.ldap.objects import LdapObject

A, B = "CN=a,DC=x", "CN=b,DC=x"
SPN = "servicePrincipalName"


def _change(store: Store, how: How, *values: bytes, dn: str = A, user: str = "writer") -> int:
    request = request_of(_ldap_change.modify(7, dn, [Modification(how, SPN, values)]))
    assert request is not None
    answer = change_result(response(request.message_id, store.change(user, request)))
    assert answer is not None
    assert answer.message == 7
    return answer.code


def test_values_and_refusals() -> None:
    store = Store([LdapObject(A), LdapObject(B)], ["Writer"])
    assert _change(store, How.ADD, b"a/x", b"a/y") == 0
    assert _change(store, How.ADD, b"A/X") == 20
    assert _change(store, How.ADD, b"A/X", dn=B) == 19
    assert _change(store, How.DELETE, b"a/z") == 16
    assert _change(store, How.DELETE, b"A/Y", user="reader") == 50
    assert _change(store, How.DELETE, b"A/Y") == 0
    assert _change(store, How.ADD, b"a/y", dn="CN=c,DC=x") == 32
    assert store.values(A, SPN) == ("a/x",)
    assert _change(store, How.REPLACE) == 0
    assert (store.values(A, SPN), store.changes) == ((), 3)


def test_messages_that_come_in_pieces() -> None:
    first, second = (_ldap_change.modify(number, A, [Modification(How.ADD, SPN, (b"x" * 300,))]) for number in (1, 2))
    buffer = bytearray()
    found = []
    for byte in first + second:
        buffer.append(byte)
        found += list(messages(buffer))
    assert found == [first, second]
    assert list(messages(bytearray(b"GET /"))) == [b"GET /"]


def test_other_requests_are_none() -> None:
    assert request_of(_ldap_change.delete(1, A)) is None
    assert request_of(b"GET /") is None
    assert isinstance(request_of(_ldap_change.modify(1, A, [])), Request)
