# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directories of several servers: finding one, referrals, several domains, a thousand domain controllers."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from unit.plugin_utils.ldap_kit import BASE, READER, scripted, server, settings

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    AuthenticationRejected,
    DirectoryReferral,
    DirectoryUnreachable,
    HostError,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._domain_controllers import Role
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_settings import LdapSettings
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory import Directory
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory_forest import (
    ForestRead,
    read_forest,
)
from lab.forest import Forest
from lab.ldap import LdapServer, forest_objects
from lab.ldap.dns import NameServer
from lab.ldap.example import Controller, example_forest, example_objects, ldif

CHILD = f"DC=child,{BASE}"


@dataclass
class Estate:
    """Two domains with a server each, which are found in DNS and listen on one port of two addresses."""

    forest: Forest
    root: LdapServer
    child: LdapServer
    settings: LdapSettings

    def read(self, folder: Path, *, whole: bool = True, **more: str) -> ForestRead:
        with Directory(replace(self.settings, **more), str(folder)) as directory:  # type: ignore[arg-type]
            return read_forest(directory, whole=whole)


@pytest.fixture(scope="module")
def started() -> Iterator[Estate]:
    forest = Forest(populate=False)
    forest.add_domain("child.corp.example", "KIDS")
    forest.add_domain_controller("DC1", "Paris")
    forest.add_domain_controller("DC2", "Lyon")
    forest.add_domain_controller("KID1", "Lyon", domain="child.corp.example")
    forest.add_domain_controller("KID2", "Paris", domain="child.corp.example", read_only=True)

    def objects() -> list[object]:
        return list(forest_objects(forest))

    root = server(objects, "dc1.corp.example")  # type: ignore[arg-type]
    child = server(objects, "kid1.child.corp.example")  # type: ignore[arg-type]
    hosts = {"dc1.corp.example": "127.0.0.1", "dc2.corp.example": "127.0.0.3", "kid1.child.corp.example": "127.0.0.2"}
    records = {
        "_ldap._tcp.dc._msdcs.corp.example": ["0 100 389 dc2.corp.example.", "0 50 389 dc1.corp.example."],
        "_ldap._tcp.dc._msdcs.child.corp.example": ["0 100 389 kid1.child.corp.example."],
    }
    with root, child, NameServer(hosts, records) as names:
        child.stop()
        child.start("127.0.0.2", root.port)
        yield Estate(forest, root, child, settings(root.port, names, domain="corp.example"))
    assert root.errors == child.errors == []


@pytest.fixture
def estate(started: Estate) -> Iterator[Estate]:
    yield started
    if not started.child.listens:
        started.child.start("127.0.0.2", started.root.port)


def test_two_domains_and_a_child(estate: Estate, tmp_path: Path) -> None:
    read = estate.read(tmp_path)
    found = {item.dns_name.partition(".")[0]: item for item in read.forest.domain_controllers}
    assert list(found) == ["kid1", "kid2", "dc1", "dc2"]
    assert read.asked == ("dc1.corp.example", "kid1.child.corp.example")
    assert read.unread == {}
    assert (found["kid1"].domain.dns_name, found["kid1"].domain.netbios_name) == ("child.corp.example", "KIDS")
    assert found["kid1"].roles == (Role.PDC, Role.RID, Role.INFRASTRUCTURE)
    assert found["dc1"].roles == tuple(Role)
    assert (found["kid2"].read_only, found["kid2"].operating_system) == (True, "Windows Server 2022 Standard")
    assert read.forest.leftovers == read.forest.vacant_roles == ()


def test_one_domain_alone(estate: Estate, tmp_path: Path) -> None:
    read = estate.read(tmp_path, whole=False)
    assert [item.dns_name for item in read.forest.domain_controllers] == ["dc1.corp.example", "dc2.corp.example"]
    assert read.asked == ("dc1.corp.example",)


def test_another_domain_than_that_of_the_server(estate: Estate, tmp_path: Path) -> None:
    read = estate.read(tmp_path, whole=False, server="dc1.corp.example", domain="child.corp.example")
    assert [item.netbios_name for item in read.forest.domain_controllers] == ["KID1", "KID2"]
    assert read.asked == ("dc1.corp.example", "kid1.child.corp.example")


def test_the_domain_of_the_server(estate: Estate, tmp_path: Path) -> None:
    read = estate.read(tmp_path, whole=False, server="kid1.child.corp.example", domain="")
    assert [item.dns_name for item in read.forest.domains] == ["child.corp.example"]


def test_a_domain_whose_domain_controllers_are_down(estate: Estate, tmp_path: Path) -> None:
    estate.child.stop()
    read = estate.read(tmp_path)
    unread = read.unread["child.corp.example"]
    assert unread.startswith("LDAP: none of the domain controllers tried can be reached: kid1.child.corp.example: it ")
    assert "Connection refused" in unread
    assert "kid2.child.corp.example" in unread
    child = next(item for item in read.forest.domain_controllers if item.dns_name.startswith("kid1"))
    assert (child.site, child.enabled, child.operating_system) == ("Lyon", None, None)
    with pytest.raises(DirectoryUnreachable):
        estate.read(tmp_path, whole=False, server="dc1.corp.example", domain="child.corp.example")


def test_a_referral_is_followed(estate: Estate, tmp_path: Path) -> None:
    with Directory(estate.settings, str(tmp_path)) as directory:
        found = directory.search(CHILD, "(sAMAccountName=KID1$)", ["dNSHostName"])
    assert [item.text("dNSHostName") for item in found.entries] == ["kid1.child.corp.example"]


def test_a_referral_to_a_server_that_cannot_be_reached(estate: Estate, tmp_path: Path) -> None:
    estate.child.stop()
    with (
        Directory(estate.settings, str(tmp_path)) as directory,
        pytest.raises(DirectoryReferral) as caught,
    ):
        directory.search(CHILD, "(objectClass=*)", ["cn"])
    text = str(caught.value)
    assert text.startswith(
        f"search of {CHILD} on dc1.corp.example: the domain controller refers to child.corp.example, and that can't be "
        "reached (it can't be reached (127.0.0.2 port "
    )
    assert "make that server reachable, or name a domain controller of its domain in `server`" in text


def test_a_referral_back_is_not_followed_for_ever(tmp_path: Path) -> None:
    forest = example_forest()
    forest.add_domain("child.corp.example", "KIDS")
    service = server(lambda: forest_objects(forest))
    records = {f"_ldap._tcp.dc._msdcs.{name}": ["0 0 389 dc1.corp.example."] for name in
               ("corp.example", "child.corp.example")}  # fmt: skip
    with service, NameServer({"dc1.corp.example": "127.0.0.1"}, records) as names:
        with (
            Directory(settings(service.port, names, domain="corp.example"), str(tmp_path)) as directory,
            pytest.raises(DirectoryReferral, match=r"refers to ldap://child\.corp\.example/DC=child"),
        ):
            directory.search(CHILD, "(objectClass=*)", ["cn"])
        assert service.connections == 1


def test_a_silent_one_is_passed_over(estate: Estate, tmp_path: Path) -> None:
    """dc2 comes first in DNS, accepts connections and never answers."""
    with socket.create_server(("127.0.0.3", estate.root.port)):
        started = time.monotonic()
        with Directory(replace(estate.settings, timeout=0.3), str(tmp_path)) as directory:
            assert directory.session.root.host == "dc1.corp.example"
    assert time.monotonic() - started < 3


def test_a_wrong_password_is_not_tried_on_the_next_one(estate: Estate, tmp_path: Path) -> None:
    records = {"_ldap._tcp.dc._msdcs.corp.example": ["0 0 389 dc1.corp.example.", "1 0 389 kid1.child.corp.example."]}
    hosts = {"dc1.corp.example": "127.0.0.1", "kid1.child.corp.example": "127.0.0.2"}
    before = estate.root.rejections, estate.child.rejections
    with NameServer(hosts, records) as names:
        wrong = replace(estate.settings, name_servers=(names.name,), password="wrong")
        with Directory(wrong, str(tmp_path)) as directory, pytest.raises(AuthenticationRejected):
            directory.search(BASE, "(cn=a)", ["cn"])
    assert (estate.root.rejections, estate.child.rejections) == (before[0] + 1, before[1])


def test_a_server_that_is_something_else(tmp_path: Path) -> None:
    with (
        scripted(lambda _answer, _asked: b"", greeting=b"SSH-2.0-OpenSSH_9.2\r\n") as port,
        Directory(settings(port), str(tmp_path)) as directory,
        pytest.raises(HostError, match="what answers does not speak LDAP: its answer begins with 53 53 48"),
    ):
        directory.search("", "(cn=a)", ["cn"])


def test_a_thousand_domain_controllers(tmp_path: Path) -> None:
    forest = example_forest()
    many = [Controller(f"M{number:04}", control=83890176 if number % 3 == 0 else 532480,
                       read_only_service=number % 3 == 0) for number in range(1, 1000)]  # fmt: skip
    objects = example_objects(forest, ldif(many))
    service = server(lambda: objects)
    with service, Directory(settings(service.port), str(tmp_path)) as directory:
        started = time.monotonic()
        read = read_forest(directory, whole=True)
        taken = time.monotonic() - started
    assert len(read.forest.domain_controllers) == 1000
    assert sum(item.read_only for item in read.forest.domain_controllers) == 333
    assert read.forest.leftovers == ()
    assert read.unread == {}
    assert taken < 20
    assert service.errors == []
    assert READER not in repr(read)
