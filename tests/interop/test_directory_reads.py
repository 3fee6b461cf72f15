# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading a real directory: Samba decides, and the lab's responder must answer the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from interop.directory_kit import PASSWORD, read_as, refused, session_as

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    AuthenticationRejected,
    DirectoryError,
    DirectoryUnreachable,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._domain_controllers import (
    DomainController,
    LeftoverKind,
    Role,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_settings import (
    LdapSettings,
    Protocol,
    TlsMode,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory import Directory
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory_forest import ForestRead
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._ldap_session import (
    Scope,
)
from lab.endpoint.tls import self_signed
from lab.ldap import LdapServer
from lab.ldap.dns import NameServer
from lab.ldap.example import ADDITIONS, BASE, CHILD, CONFIGURATION, example_forest, example_objects
from lab.samba.directory import Domain

pytestmark = pytest.mark.needs("samba", "root")

CACHE = Path(__file__).parents[2] / "build" / "samba"
READER = "reader"


@dataclass(frozen=True)
class Place:
    """A directory that answers, and how to reach it; the rest of the settings is the test's."""

    name: str
    settings: LdapSettings
    sealed_port: int
    tls_port: int


@pytest.fixture(scope="module")
def samba(domain: Domain) -> Domain:
    domain.add_user(READER, PASSWORD)
    domain.apply(ADDITIONS, relax=True)
    return domain


@pytest.fixture(scope="module")
def responder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    forest = example_forest()
    objects = example_objects(forest)
    tls = self_signed(["dc1.corp.example"])
    certificate = tmp_path_factory.mktemp("ldap") / "ca.pem"
    certificate.write_bytes(tls.certificate)
    accounts = {f"CORP\\{READER}": PASSWORD, f"{READER}@corp.example": PASSWORD}
    service = LdapServer(lambda: objects, "dc1.corp.example", BASE, accounts, tls=tls)
    records = {"_ldap._tcp.dc._msdcs.corp.example": ["0 100 389 dc1.corp.example."]}
    with service, NameServer({"dc1.corp.example": service.address}, records) as names:
        settings = LdapSettings("corp.example", name_servers=(names.name,), ca_cert=str(certificate), timeout=10)
        yield Place("responder", settings, service.port, service.tls_port)
    assert service.errors == []


@pytest.fixture(params=["samba", "responder"])
def place(request: pytest.FixtureRequest) -> Place:
    if request.param == "responder":
        found: Place = request.getfixturevalue("responder")
        return found
    domain: Domain = request.getfixturevalue("samba")
    ca_cert = str(domain.ca_certificate)
    settings = LdapSettings("corp.example", name_servers=(domain.address,), ca_cert=ca_cert, timeout=10)
    return Place("samba", settings, 389, 636)


def _ntlm(place: Place) -> LdapSettings:
    return replace(
        place.settings,
        port=place.sealed_port,
        protocol=Protocol.NTLM,
        username=f"CORP\\{READER}",
        password=PASSWORD,
    )


def _ldaps(place: Place) -> LdapSettings:
    return replace(
        place.settings,
        port=place.tls_port,
        protocol=Protocol.SIMPLE,
        tls_mode=TlsMode.LDAPS,
        username=f"{READER}@corp.example",
        password=PASSWORD,
    )


def _start_tls(place: Place) -> LdapSettings:
    return replace(_ldaps(place), port=place.sealed_port, tls_mode=TlsMode.START_TLS)


def _by_name(read: ForestRead) -> dict[str, DomainController]:
    return {item.dns_name.partition(".")[0]: item for item in read.forest.domain_controllers}


@pytest.mark.parametrize("way", [_ntlm, _ldaps, _start_tls])
def test_every_domain_controller_is_found_by_dns_alone(
    place: Place, way: Callable[[Place], LdapSettings], tmp_path: Path
) -> None:
    read = read_as(way(place), tmp_path)
    assert list(_by_name(read)) == ["dc1", "dc2", "dc3", "dc4", "dc5", "rodc1"]
    assert read.asked == ("dc1.corp.example",)
    assert read.authentication == way(place).protocol.value
    assert read.unread == {}


def test_what_is_known_of_each(place: Place, tmp_path: Path) -> None:
    found = _by_name(read_as(_ntlm(place), tmp_path))
    second, third = found["dc2"], found["dc3"]
    assert (second.dns_name, second.netbios_name, second.site) == ("dc2.corp.example", "DC2", "Köln")
    assert (second.domain.dns_name, second.domain.netbios_name) == ("corp.example", "CORP")
    assert second.operating_system == "Windows Server 2022 Standard"
    assert second.operating_system_version == "10.0 (20348)"
    assert (second.global_catalog, second.enabled, second.in_default_container) == (True, True, True)
    assert (third.global_catalog, third.enabled, third.in_default_container) == (False, False, False)
    assert third.distinguished_name.endswith("Öst,DC=corp,DC=example")
    assert second.roles == third.roles == ()
    assert found["dc1"].roles == tuple(Role)
    promoted = datetime.fromisoformat(second.promoted_at)
    assert abs(datetime.now(UTC) - promoted) < timedelta(minutes=30)


def test_a_read_only_one_is_found_and_told_apart(place: Place, tmp_path: Path) -> None:
    """It has not the bit 8192 of userAccountControl that everybody filters by (samba.md 2)."""
    found = _by_name(read_as(_ntlm(place), tmp_path))
    assert {name for name, item in found.items() if item.read_only} == {"rodc1", "dc5"}
    with Directory(_ntlm(place), str(tmp_path)) as directory:
        copied = "(userAccountControl:1.2.840.113556.1.4.803:=8192)"
        names = {entry.text("cn") or entry.dn for entry in directory.search(BASE, copied, ["cn"]).entries}
    assert not any("RODC1" in name for name in names)


def test_contradictions_are_told(place: Place, tmp_path: Path) -> None:
    found = _by_name(read_as(_ntlm(place), tmp_path))
    assert found["dc4"].problems == (
        "Its server object has the DNS name dc4.corp.example, and its account dc4-old.corp.example.",
    )
    assert found["dc5"].problems == (
        "Its account says that it is writable, and its NTDS Settings that it is read-only.",
    )
    assert found["rodc1"].problems == found["dc2"].problems == ()


def test_what_demotions_left_is_no_domain_controller(place: Place, tmp_path: Path) -> None:
    left = {item.name: item for item in read_as(_ntlm(place), tmp_path).forest.leftovers}
    assert {name: (item.kind, item.site) for name, item in left.items()} == {
        "GONE1": (LeftoverKind.NO_SERVICE, "Köln"),
        "GONE2": (LeftoverKind.NO_COMPUTER, "Default-First-Site-Name"),
        "GONE3": (LeftoverKind.NO_SERVER, ""),
    }
    assert left["GONE2"].domain == left["GONE3"].domain == "corp.example"


def test_a_domain_that_the_forest_does_not_have(place: Place, tmp_path: Path) -> None:
    settings = replace(_ntlm(place), server="dc1.corp.example", domain="corp.exampel")
    assert "the forest of this domain controller has no such domain; it has corp.example" in refused(
        settings, tmp_path, DirectoryError
    )


def test_a_domain_that_dns_does_not_know(place: Place, tmp_path: Path) -> None:
    text = refused(replace(_ntlm(place), domain="corp.exampel"), tmp_path, DirectoryUnreachable)
    assert "DNS has no _ldap._tcp.dc._msdcs.corp.exampel" in text
    assert "Correct `domain`, name a domain controller in `server`" in text


@pytest.mark.parametrize("base", [f"OU=Nowhere,{BASE}", "DC=other,DC=example", "CN=x"])
def test_a_wrong_base(place: Place, base: str, tmp_path: Path) -> None:
    with Directory(_ntlm(place), str(tmp_path)) as directory, pytest.raises(DirectoryError) as caught:
        directory.search(base, "(objectClass=*)", ["cn"])
    assert str(caught.value) == (
        f"search of {base} on dc1.corp.example: there is no such object. "
        "Correct the name, and check that the account may read it."
    )


def test_a_base_that_is_no_name(place: Place, tmp_path: Path) -> None:
    with Directory(_ntlm(place), str(tmp_path)) as directory, pytest.raises(DirectoryError, match="no distinguished"):
        directory.search("nonsense", "(objectClass=*)", ["cn"])


def test_parts_on_other_servers_are_named_and_not_followed(place: Place, tmp_path: Path) -> None:
    with Directory(_ntlm(place), str(tmp_path)) as directory:
        found = directory.search(BASE, "(sAMAccountName=DC2$)", ["cn"])
    assert len(found.entries) == 1
    assert f"ldap://corp.example/{CONFIGURATION}" in found.references


def test_small_pages_come_together(place: Place, tmp_path: Path) -> None:
    session = session_as(_ntlm(place), tmp_path)
    whole = session.search(f"CN=Sites,{CONFIGURATION}", "(objectClass=*)", ["1.1"])
    parts = session.search(f"CN=Sites,{CONFIGURATION}", "(objectClass=*)", ["1.1"], page=3)
    session.close()
    assert len(whole.entries) > 12
    assert sorted(item.dn for item in parts.entries) == sorted(item.dn for item in whole.entries)


def test_an_attribute_in_ranges_comes_together(place: Place, tmp_path: Path) -> None:
    session = session_as(_ntlm(place), tmp_path)
    whole = session.search(BASE, "(objectClass=*)", ["wellKnownObjects"], Scope.BASE).entries[0]
    parts = session.search(BASE, "(objectClass=*)", ["wellKnownObjects;range=0-1"], Scope.BASE).entries[0]
    session.close()
    assert len(whole.texts("wellKnownObjects")) > 2
    assert sorted(parts.texts("wellKnownObjects")) == sorted(whole.texts("wellKnownObjects"))


def test_a_wrong_password_is_tried_once(place: Place, tmp_path: Path) -> None:
    for way in (_ntlm, _ldaps):
        folder = tmp_path / way.__name__
        settings = replace(way(place), password="wrong")
        first, second = refused(settings, folder, AuthenticationRejected), refused(way(place), folder)
        assert "name or password is wrong" in first
        assert "was rejected by dc1.corp.example in this run; it was not tried on this host" in second


@pytest.mark.parametrize("way", [_ldaps, _start_tls])
def test_a_certificate_that_is_not_trusted(place: Place, way: Callable[[Place], LdapSettings], tmp_path: Path) -> None:
    text = refused(replace(way(place), ca_cert=""), tmp_path, DirectoryUnreachable)
    assert text.startswith("TLS certificate on dc1.corp.example: it is not trusted (")
    assert text.endswith(
        "Name the file with the issuing CA in `ca_cert`, and use the name in `server` that is in the certificate; "
        "nothing was sent."
    )


def test_a_certificate_for_another_name(place: Place, tmp_path: Path) -> None:
    address = place.settings.name_servers[0].partition(":")[0]
    with NameServer({"dc9.corp.example": address}, {}) as names:
        settings = replace(_ldaps(place), server="dc9.corp.example", name_servers=(names.name,))
        text = refused(settings, tmp_path, DirectoryUnreachable)
    assert "it is not trusted (Hostname mismatch, certificate is not valid for 'dc9.corp.example'" in text


def test_a_plain_simple_bind_is_refused_by_the_directory_too(place: Place, tmp_path: Path) -> None:
    """The settings refuse it before; here they are gone around."""
    text = refused(replace(_ldaps(place), port=place.sealed_port, tls_mode=TlsMode.NONE), tmp_path, DirectoryError)
    assert "the domain controller refuses this kind of logon (STRONG_AUTH_REQUIRED" in text
    assert "`auth_protocol` simple with `tls_mode` ldaps" in text


def test_a_child_domain_that_cannot_be_reached(tmp_path: Path) -> None:
    with Domain.start(CACHE) as domain:
        domain.apply(CHILD, relax=True)
        username, password = domain.admin
        settings = LdapSettings(
            server="dc1.corp.example",
            name_servers=(domain.address,),
            protocol=Protocol.NTLM,
            username=f"CORP\\{username}",
            password=password,
        )
        read = read_as(settings, tmp_path, whole=True)
        child = replace(settings, domain="child.corp.example")
        assert "LDAP on kid1.child.corp.example: " in refused(child, tmp_path, DirectoryUnreachable)
    assert [(item.dns_name, item.netbios_name) for item in read.forest.domains] == [
        ("child.corp.example", "KIDS"),
        ("corp.example", "CORP"),
    ]
    found = _by_name(read)
    assert list(found) == ["kid1", "dc1"]
    assert found["kid1"].domain.dns_name == "child.corp.example"
    assert (found["kid1"].operating_system, found["kid1"].enabled, found["kid1"].read_only) == (None, None, False)
    assert list(read.unread) == ["child.corp.example"]
    assert "knows no address for this name" in read.unread["child.corp.example"]
