# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's LDAP responder, asked with the library alone."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import closing

import pytest
import sansldap
from sansldap import LDAPResultCode, SearchScope

from lab.forest import Forest
from lab.ldap import LdapObject, LdapServer, forest_objects
from lab.ldap.example import BASE, CONFIGURATION
from lab.ldap.ldif import parse_ldif
from lab.ldap.matching import UnsupportedFilterError, matches
from lab.ldap.names import dns_name, is_below, name_of
from lab.ldap.tree import NoSuchObjectError, NotHereError, Tree

ACCOUNTS = {"reader@corp.example": "Reader-Passw0rd"}
DC = LdapObject(
    "CN=DC1,OU=Domain Controllers,DC=corp,DC=example",
    {
        "cn": (b"DC1",),
        "useraccountcontrol": (b"532480",),
        "objectclass": (b"top", b"computer"),
        "objectcategory": (b"CN=Computer,CN=Schema,CN=Configuration,DC=corp,DC=example",),
        "description": ("Köln, Süd".encode(), b"second"),
    },
)


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("(cn=dc1)", True),
        ("(cn=dc2)", False),
        ("(!(cn=dc2))", True),
        ("(&(cn=dc1)(objectClass=user))", False),
        ("(|(cn=dc2)(objectClass=COMPUTER))", True),
        ("(mail=*)", False),
        ("(description=*)", True),
        ("(description=Kö*Süd)", True),
        ("(description=*öln*s*)", True),
        ("(description=*x*)", False),
        ("(description=second)", True),
        ("(objectCategory=computer)", True),
        ("(objectCategory=CN=Computer,CN=Schema,CN=Configuration,dc=corp,dc=example)", True),
        ("(objectCategory=server)", False),
        ("(userAccountControl:1.2.840.113556.1.4.803:=8192)", True),
        ("(userAccountControl:1.2.840.113556.1.4.803:=8194)", False),
        ("(userAccountControl:1.2.840.113556.1.4.804:=8194)", True),
        ("(cn:1.2.840.113556.1.4.803:=1)", False),
    ],
)
def test_filters(text: str, fits: bool) -> None:
    assert matches(DC, sansldap.LDAPFilter.from_string(text)) is fits


@pytest.mark.parametrize("text", ["(cn~=dc1)", "(cn>=a)", "(cn:1.2.840.113556.1.4.1941:=x)"])
def test_filters_that_are_not_known(text: str) -> None:
    with pytest.raises(UnsupportedFilterError):
        matches(DC, sansldap.LDAPFilter.from_string(text))


def test_names() -> None:
    assert name_of("CN=M\\C3\\BCller\\, A,DC=x") == name_of("cn=Müller\\2C a, dc=X")
    assert is_below(name_of("CN=a,DC=x"), name_of("DC=x"))
    assert dns_name("DC=corp,DC=example") == "corp.example"
    with pytest.raises(ValueError, match="no distinguished name"):
        name_of("nonsense")


@pytest.fixture(scope="module")
def objects() -> list[LdapObject]:
    forest = Forest()
    forest.add_domain("child.corp.example", "KIDS")
    return forest_objects(forest)


def test_the_forest_as_a_directory(objects: Sequence[LdapObject]) -> None:
    found = {item.dn: item.values for item in objects}
    rodc = found[f"CN=DC06,OU=Domain Controllers,{BASE}"]
    assert (rodc["useraccountcontrol"], rodc["primarygroupid"]) == ((b"83890176",), (b"521",))
    assert rodc["operatingsystemversion"] == (b"10.0 (20348)",)
    service = found[f"CN=NTDS Settings,CN=DC06,CN=Servers,CN=Lyon,CN=Sites,{CONFIGURATION}"]
    assert service["objectclass"][-1] == b"nTDSDSARO"
    assert service["objectcategory"] == (f"CN=NTDS-DSA-RO,CN=Schema,{CONFIGURATION}".encode(),)
    owner = f"CN=NTDS Settings,CN=DC01,CN=Servers,CN=Paris,CN=Sites,{CONFIGURATION}".encode()
    holders = [dn for dn, values in found.items() if values.get("fsmoroleowner") == (owner,)]
    assert holders == [
        f"CN=Schema,{CONFIGURATION}",
        f"CN=Partitions,{CONFIGURATION}",
        BASE,
        f"CN=RID Manager$,CN=System,{BASE}",
        f"CN=Infrastructure,{BASE}",
    ]


def test_scopes_and_naming_contexts(objects: Sequence[LdapObject]) -> None:
    tree = Tree(objects, BASE)

    def names(base: str, scope: SearchScope, text: str = "(objectClass=*)") -> list[str]:
        return [item.dn for item in tree.search(base, scope, sansldap.LDAPFilter.from_string(text)).objects]

    assert names(BASE, SearchScope.BASE) == [BASE]
    assert f"CN=System,{BASE}" in names(BASE, SearchScope.ONE_LEVEL)
    assert f"CN=RID Manager$,CN=System,{BASE}" not in names(BASE, SearchScope.ONE_LEVEL)
    below = names(BASE, SearchScope.SUBTREE)
    assert f"CN=RID Manager$,CN=System,{BASE}" in below
    assert not any("Configuration" in name or "DC=child" in name for name in below)
    everything = sansldap.LDAPFilter.from_string("(objectClass=*)")
    assert tree.search(BASE, SearchScope.SUBTREE, everything).references == [
        f"ldap://corp.example/{CONFIGURATION}",
        f"ldap://child.corp.example/DC=child,{BASE}",
    ]
    with pytest.raises(NotHereError, match=f"ldap://child.corp.example/CN=x,DC=child,{BASE}"):
        names(f"CN=x,DC=child,{BASE}", SearchScope.BASE)
    with pytest.raises(NoSuchObjectError):
        names(f"CN=none,{BASE}", SearchScope.BASE)


def test_ldif() -> None:
    (item,) = parse_ldif("# x\ndn: CN=a,DC=x\nchangetype: add\nobjectClass: server\nx:: S8O2bG4=\n", CONFIGURATION)
    assert (item.dn, item.values["x"]) == ("CN=a,DC=x", ("Köln".encode(),))
    assert item.values["objectclass"] == (b"top", b"server")
    for text in ("dn: CN=a\nchangetype: delete", "cn: a", "dn: CN=a\nchangetype: add\nx"):
        with pytest.raises(ValueError, match=r"not an addition|no attribute"):
            parse_ldif(text, CONFIGURATION)


@pytest.fixture(scope="module")
def service(objects: list[LdapObject]) -> Iterator[LdapServer]:
    with LdapServer(lambda: objects, "dc01.corp.example", BASE, ACCOUNTS, page_limit=5) as started:
        yield started
    assert started.errors == []


class Client:
    """Sends a request and returns the answers."""

    def __init__(self, service: LdapServer) -> None:
        self.library = sansldap.LDAPClient()
        self.socket = socket.create_connection((service.address, service.port), 5)

    def close(self) -> None:
        self.socket.close()

    def ask(self) -> list[sansldap.LDAPMessage]:
        self.socket.sendall(self.library.data_to_send())
        found: list[sansldap.LDAPMessage] = []
        while not found or isinstance(found[-1], (sansldap.SearchResultEntry, sansldap.SearchResultReference)):
            found += self.library.receive(self.socket.recv(65536))
        return found

    def search(self, base: str, scope: SearchScope = SearchScope.BASE) -> list[sansldap.LDAPMessage]:
        self.library.search_request(base, scope)
        return self.ask()


def _code(message: sansldap.LDAPMessage) -> LDAPResultCode:
    assert isinstance(message, (sansldap.SearchResultDone, sansldap.BindResponse, sansldap.ExtendedResponse))
    return message.result.result_code


def test_a_stranger_reads_the_root_and_nothing_else(service: LdapServer) -> None:
    with closing(Client(service)) as client:
        entry, done = client.search("")
        assert isinstance(entry, sansldap.SearchResultEntry)
        names = {item.name: item.values for item in entry.attributes}
        assert names["dnshostname"] == [b"dc01.corp.example"]
        assert _code(done) is LDAPResultCode.SUCCESS
        (refused,) = client.search(BASE)
        assert _code(refused) is LDAPResultCode.OPERATIONS_ERROR


@pytest.mark.parametrize(
    ("mechanism", "code"),
    [("", LDAPResultCode.STRONG_AUTH_REQUIRED), ("PLAIN", LDAPResultCode.AUTH_METHOD_NOT_SUPPORTED)],
)
def test_logons_that_a_hardened_domain_controller_refuses(
    service: LdapServer, mechanism: str, code: LDAPResultCode
) -> None:
    """samba.md 3: `ldap server require strong auth = yes`."""
    with closing(Client(service)) as client:
        if mechanism:
            client.library.bind_sasl(mechanism, None, b"x")
        else:
            client.library.bind_simple(*next(iter(ACCOUNTS.items())))
        assert _code(client.ask()[0]) is code


def test_start_tls_without_a_certificate(service: LdapServer) -> None:
    with closing(Client(service)) as client:
        client.library.extended_request("1.3.6.1.4.1.1466.20037")
        assert _code(client.ask()[0]) is LDAPResultCode.UNAVAILABLE
