# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a preflight reads of the directory, asked of a real Samba, with an account that may only read and with one that
may do everything."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from interop.directory_kit import PASSWORD

from ansible_collections.entsso.password_sync.plugins.module_utils._plan import Unknown
from ansible_collections.entsso.password_sync.plugins.module_utils.health._replication import NoPartners
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._directory_rights import DirectoryRights
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_settings import LdapSettings, Protocol
from ansible_collections.entsso.password_sync.plugins.plugin_utils._preflight_directory import (
    DirectoryReading,
    read_directory,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils._system import System
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory import Directory
from lab.samba.directory import Domain

pytestmark = pytest.mark.needs("samba", "root")

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SYSTEM = System("dc1.corp.example", "corp.example", True, "10.0.20348", "", r"C:\Windows\system32", NOW, NOW)


class NoWmi:
    """A host whose WMI does not have the class that replication is read from when LDAP does not tell."""

    def __init__(self, account: str) -> None:
        self.credentials = SimpleNamespace(account=account)
        self.wmi = SimpleNamespace(query=lambda *_arguments: [])


def read(domain: Domain, folder: Path, account: str, password: str, host_account: str = "") -> DirectoryReading:
    """Reads as an account; that of the host may be another."""
    settings = LdapSettings(
        "corp.example",
        name_servers=(domain.address,),
        protocol=Protocol.NTLM,
        username=account,
        password=password,
        timeout=10,
    )
    host: Any = NoWmi(host_account or account)
    with Directory(settings, str(folder)) as directory:
        return read_directory(directory, SYSTEM, host)


def test_any_authenticated_user_reads_and_is_told_what_it_may_not(domain: Domain, tmp_path: Path) -> None:
    domain.add_user("preflight", PASSWORD)
    found = read(domain, tmp_path, "CORP\\preflight", PASSWORD)
    # Samba has no msDS-ReplAttributeMetaData, so it tells of no backup, and one domain controller has no partner.
    assert found.backup is None
    assert isinstance(found.partners, NoPartners | Unknown)
    assert found.extended is False
    assert isinstance(found.rights, DirectoryRights)
    assert found.rights.unknown == ""
    assert not found.rights.may_configure
    assert found.rights.missing_for_schema == ("Schema Admins", "Domain Admins")
    assert found.over_ldap == found.rights


def test_an_account_that_only_asks_is_told_apart_from_the_one_that_works(domain: Domain, tmp_path: Path) -> None:
    domain.add_user("asks", PASSWORD)
    found = read(domain, tmp_path, "CORP\\asks", PASSWORD, f"CORP\\{domain.admin[0]}")
    assert isinstance(found.rights, DirectoryRights)
    assert isinstance(found.over_ldap, DirectoryRights)
    assert (found.rights.may_configure, found.over_ldap.may_configure) == (True, False)


def test_an_administrator_of_the_domain_is_known_as_one(domain: Domain, tmp_path: Path) -> None:
    name, password = domain.admin
    found = read(domain, tmp_path, f"CORP\\{name}", password)
    assert isinstance(found.rights, DirectoryRights)
    assert found.rights.may_configure
    assert found.rights.may_extend_schema


def test_a_rejected_account_is_no_backup_and_no_replication_but_unknown(domain: Domain, tmp_path: Path) -> None:
    found = read(domain, tmp_path, "CORP\\preflight", f"{PASSWORD}-wrong")
    for part in (found.partners, found.backup, found.rights, found.extended):
        assert "name or password is wrong" in str(part)
