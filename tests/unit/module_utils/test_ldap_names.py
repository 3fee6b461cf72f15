# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Distinguished names taken apart, and values of objects read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import UnreadableOutput
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap import _ldap_dn
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_entry import (
    Entry,
    ValueRange,
    value_range,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


def _escaped(text: str) -> str:
    """Writes a value as a directory does (RFC 4514 2.4): everything special as hexadecimal or with a backslash."""
    found = "".join(
        f"\\{item}" if item in ',+"\\<>;=' else "".join(f"\\{byte:02X}" for byte in item.encode()) if ord(item) < 32
        else item
        for item in text
    )  # fmt: skip
    if found.startswith((" ", "#")):
        found = "\\" + found
    if text.endswith(" ") and len(text) > 1:
        found = found[:-1] + "\\ "
    return found


@given(st.lists(TEXT, min_size=1, max_size=5))
def test_every_value_comes_back(values: list[str]) -> None:
    name = ",".join(f"CN={_escaped(value)}" for value in values)
    assert [_ldap_dn.value(part) for part in _ldap_dn.parts(name)] == values
    assert len(_ldap_dn.parts(_ldap_dn.parent(name))) == len(values) - 1
    assert _ldap_dn.key(name) == _ldap_dn.key(name.replace("CN=", "cn="))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CN=DC1,OU=Domain Controllers,DC=corp", "cn=dc1, ou=domain controllers, dc=CORP"),
        ("CN=M\\C3\\BCller", "CN=Müller"),
        ("CN=a\\,b", "CN=a\\2Cb"),
        ("OU=ÖST", "ou=öst"),
    ],
)
def test_names_of_the_same_object_are_equal(one: str, other: str) -> None:
    assert _ldap_dn.key(one) == _ldap_dn.key(other)


def test_what_is_below_what() -> None:
    assert _ldap_dn.is_below("CN=x,DC=corp,DC=example", "DC=corp,dc=EXAMPLE")
    assert _ldap_dn.is_below("DC=corp", "DC=corp")
    assert not _ldap_dn.is_below("DC=corp", "CN=x,DC=corp")
    assert not _ldap_dn.is_below("CN=x,DC=mycorp", "DC=corp")


def test_the_innermost_container() -> None:
    contexts = ["DC=corp,DC=example", "DC=child,DC=corp,DC=example"]
    assert _ldap_dn.enclosing("CN=x,DC=child,DC=corp,DC=example", contexts) == contexts[1]
    assert _ldap_dn.enclosing("CN=x,DC=corp,DC=example", contexts) == contexts[0]
    assert _ldap_dn.enclosing("CN=x,DC=other", contexts) is None
    assert _ldap_dn.enclosing("", contexts) is None


@pytest.mark.parametrize(
    ("description", "found"),
    [
        ("member;range=0-1499", ValueRange("member", 1500)),
        ("member;Range=1500-*", ValueRange("member", None)),
        ("member;binary;range=0-9", ValueRange("member", 10)),
        ("member", None),
        ("member;range=x", None),
    ],
)
def test_ranges(description: str, found: ValueRange | None) -> None:
    assert value_range(description) == found


def test_values_are_read_by_kind() -> None:
    entry = Entry("CN=x", {"cn": ("Köln".encode(), b"b"), "options": (b"-1",), "whencreated": (b"20261122021031.0Z",)})
    assert (entry.text("CN"), entry.texts("cn"), entry.text("none")) == ("Köln", ("Köln", "b"), "")
    assert (entry.integer("options"), entry.integer("none")) == (-1, None)
    assert entry.time("whenCreated") == datetime(2026, 11, 22, 2, 10, 31, tzinfo=UTC)
    assert entry.time("none") is None
    assert Entry("CN=x", {"cn": (b"\xff",)}).text("cn") == "\\xff"


@pytest.mark.parametrize(
    ("value", "read"),
    [(b"x", Entry.integer), (b"2026", Entry.time), (b"20261322021031.0Z", Entry.time), (b"now", Entry.time)],
)
def test_what_cannot_be_read_is_told(value: bytes, read: object) -> None:
    entry = Entry("CN=x", {"a": (value,)})
    assert callable(read)
    with pytest.raises(UnreadableOutput, match=r"attribute a of CN=x: the directory returned '.*', which is not"):
        read(entry, "a")
