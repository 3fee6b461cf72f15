# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Domain controllers found in DNS, addresses, and what the Kerberos libraries' errors mean."""

from __future__ import annotations

import socket
import sys

import pytest

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import DirectoryUnreachable, HostError
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_settings import LdapSettings
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory import _ldap_lookup
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._ldap_kerberos import (
    kerberos_unusable,
    logon_failure,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._ldap_lookup import (
    MAX_CANDIDATES,
    addresses,
    find_domain_controllers,
)
from lab.ldap.dns import NameServer

RECORD = "_ldap._tcp.dc._msdcs.corp.example"


def test_records_in_their_order() -> None:
    records = ["10 50 389 late.corp.example.", "0 10 389 b.corp.example.", "0 90 389 C.corp.example.",
               "0 10 389 a.corp.example."]  # fmt: skip
    with NameServer({}, {RECORD: records}) as names:
        found = find_domain_controllers("corp.example", [names.name], 2)
    assert found == ("c.corp.example", "a.corp.example", "b.corp.example", "late.corp.example")


def test_no_more_than_a_few_are_tried() -> None:
    records = [f"0 0 389 dc{number:03}.corp.example." for number in range(100)]
    with NameServer({}, {RECORD: records}) as names:
        assert len(find_domain_controllers("corp.example", [names.name], 2)) == MAX_CANDIDATES


def test_names_that_dns_does_not_have() -> None:
    with NameServer({RECORD: "127.0.0.1"}, {}) as names:
        with pytest.raises(DirectoryUnreachable, match=r"DNS has no _ldap.*\.exampel \(asked DNS server"):
            find_domain_controllers("corp.exampel", [names.name], 2)
        with pytest.raises(DirectoryUnreachable, match=f"{RECORD} names no server"):
            find_domain_controllers("corp.example", [names.name], 2)
        with pytest.raises(DirectoryUnreachable, match="knows no address for this name"):
            addresses("dc9.corp.example", 389, [names.name], 2)


def test_dns_that_does_not_answer() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        name = f"127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(DirectoryUnreachable, match=f"DNS did not answer for {RECORD}"):
            find_domain_controllers("corp.example", [name], 0.2)
        with pytest.raises(DirectoryUnreachable, match="knows no address"):
            addresses("dc1.corp.example", 389, [name], 0.2)


def test_addresses() -> None:
    with NameServer({"dc1.corp.example": "127.0.0.7"}, {}) as names:
        assert addresses("DC1.corp.example", 389, [names.name], 2) == ("127.0.0.7",)
    assert addresses("192.0.2.7", 389, [], 2) == ("192.0.2.7",)
    assert addresses("2001:db8::7", 389, [], 2) == ("2001:db8::7",)
    assert "127.0.0.1" in addresses("localhost", 389, [], 2)
    with pytest.raises(DirectoryUnreachable, match="the control node's resolver knows no address"):
        addresses("no-such-host.invalid", 389, [], 2)


@pytest.mark.parametrize(
    ("text", "address", "port"),
    [
        ("192.0.2.1", "192.0.2.1", 53),
        ("192.0.2.1:5353", "192.0.2.1", 5353),
        ("2001:db8::1", "2001:db8::1", 53),
        ("[2001:db8::1]", "2001:db8::1", 53),
        ("[2001:db8::1]:5353", "2001:db8::1", 5353),
    ],
)
def test_name_servers(text: str, address: str, port: int) -> None:
    (found,) = _ldap_lookup._resolver("x", [text], 1).nameservers
    assert str(found) == f"Do53:{address}@{port}"


@pytest.mark.parametrize("text", ["dns.example", "192.0.2.1:x", ""])
def test_name_servers_that_are_none(text: str) -> None:
    with pytest.raises(HostError, match=r"it is no address\. Give addresses in `name_servers`"):
        _ldap_lookup._resolver("x", [text], 1)


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dns.resolver", None)
    with pytest.raises(HostError, match="needs the Python library dnspython"):
        find_domain_controllers("corp.example", [], 1)


class Krb5Error(Exception):
    """As the library krb5 raises it."""

    def __init__(self, code: int) -> None:
        super().__init__("words of the library")
        self.err_code = code


class GssError(Exception):
    """As the library gssapi raises it: the minor code has no sign."""

    def __init__(self, code: int) -> None:
        super().__init__("words of the library")
        self.min_code = code + (1 << 32)


@pytest.mark.parametrize("kind", [Krb5Error, GssError])
@pytest.mark.parametrize(
    ("code", "reason", "presented", "unusable"),
    [
        (-1765328378, "the KDC knows no such account", False, True),
        (-1765328377, "the KDC knows no service ldap/dc1", False, True),
        (-1765328366, "the account is disabled, expired or locked out", True, False),
        (-1765328361, "the password has expired", True, False),
        (-1765328360, "name or password is wrong", True, False),
        (-1765328352, "the Kerberos ticket has expired", False, False),
        (-1765328347, "the clocks of the control node and of the domain controller", False, False),
        (-1765328230, "the realm of the account is not known here", False, True),
        (-1765328228, "no KDC of the realm answers", False, True),
        (-1765328189, "there is no Kerberos ticket", False, True),
        (-1765328160, "the account has no realm", False, False),
        (-1765328324, "the security libraries of the control node refused it (words of the library)", False, False),
    ],
)
def test_kerberos_errors(kind: type[Exception], code: int, reason: str, presented: bool, unusable: bool) -> None:
    found = logon_failure(kind(code), "dc1", LdapSettings(username="reader@CORP.EXAMPLE"))
    assert f"LDAP logon of reader@CORP.EXAMPLE on dc1: {reason}" in str(found)
    assert (found.credentials_presented, kerberos_unusable(found)) == (presented, unusable)


def test_a_missing_kerberos_library() -> None:
    found = logon_failure(ImportError("gssapi"), "dc1", LdapSettings())
    assert "needs the Python libraries gssapi and krb5" in str(found)
    assert kerberos_unusable(found)
