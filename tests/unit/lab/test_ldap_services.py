# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each domain controller of a running forest answers LDAP while it is up, and the directory is as the forest is now."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._domain_controllers import DomainController
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_settings import LdapSettings, Protocol
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory import Directory
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory_forest import read_forest
from lab.forest import Forest
from lab.ldap.services import PORT


@pytest.fixture(scope="module")
def forest() -> Iterator[Forest]:
    estate = Forest(populate=False)
    estate.add_domain_controller("DC01", "Paris")
    estate.add_sso_server("SSO01", "Paris")
    with estate:
        yield estate


def listens(forest: Forest, name: str) -> bool:
    with socket.socket() as client:
        return client.connect_ex((forest.address(name), PORT)) == 0


def known(forest: Forest, asked: str, folder: Path) -> dict[str, DomainController]:
    settings = LdapSettings(
        server=forest.address(asked),
        port=PORT,
        protocol=Protocol.NTLM,
        username=forest.operator,
        password=forest.operator_password,
        timeout=5,
    )
    with Directory(settings, str(folder)) as directory:
        found = read_forest(directory, whole=False).forest.domain_controllers
    return {str(item.netbios_name): item for item in found}


def test_domain_controllers_listen_and_others_do_not(forest: Forest) -> None:
    assert listens(forest, "dc01")
    assert not listens(forest, "sso01")


def test_a_new_one_is_known_at_once_and_answers(forest: Forest, tmp_path: Path) -> None:
    forest.add_domain_controller("DC02", "Lyon", read_only=True)
    for asked in ("dc01", "dc02"):
        found = known(forest, asked, tmp_path)
        assert list(found) == ["DC01", "DC02"]
        assert (found["DC02"].site, found["DC02"].read_only) == ("Lyon", True)
        assert found["DC02"].promoted_at == f"{forest.promoted['dc02.corp.example']:%Y-%m-%dT%H:%M:%SZ}"


def test_an_account_that_is_added_later_may_log_on(forest: Forest, tmp_path: Path) -> None:
    forest.more_accounts["CORP\\reader"] = "Reader-Passw0rd"
    settings = LdapSettings(
        server=forest.address("dc01"),
        port=PORT,
        protocol=Protocol.NTLM,
        username="CORP\\reader",
        password="Reader-Passw0rd",
    )
    with Directory(settings, str(tmp_path)) as directory:
        assert read_forest(directory, whole=False).asked == ("dc01.corp.example",)


def test_it_follows_the_power(forest: Forest) -> None:
    power = forest.host("dc01").power
    assert power.when_changed is not None
    power.when_changed(False)
    assert not listens(forest, "dc01")
    power.when_changed(True)
    assert listens(forest, "dc01")


def test_it_ends_with_the_forest() -> None:
    with Forest() as estate:
        address = estate.address("dc01")
    with socket.socket() as client:
        assert client.connect_ex((address, PORT)) != 0
