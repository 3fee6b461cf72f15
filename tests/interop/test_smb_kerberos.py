# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SMB with Kerberos: tickets of a real KDC, shown to Samba's smbd under the host's full name at a bare address."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    AuthenticationRejected,
    TransferUnavailable,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.transfer._transfer import Login
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._credentials import Credentials
from ansible_collections.entsso.password_sync.plugins.plugin_utils.transfer._smb import open_share
from ansible_collections.entsso.password_sync.plugins.plugin_utils.transfer._smb_session import Server
from lab.samba.directory import Domain
from lab.samba.file_server import FileServer
from lab.samba.relay import Relay

pytestmark = pytest.mark.needs("samba", "smbd", "smbpasswd", "kinit", "root", "smbprotocol", "gssapi", "krb5")

ADDRESS = "127.83.46.10"
HOST = "files1.corp.example"
USER, PASSWORD = "smb-operator", "Operator-Passw0rd"
NO_AUTHORIZATION_DATA = 0x2000000
"""NA flag of userAccountControl (MS-SAMR 2.2.1.12): a standalone smbd refuses tickets that hold such data."""
TICKET = Login("kerberos", with_password=False)


@pytest.fixture(scope="module")
def relay(domain: Domain) -> Iterator[Relay]:
    """A member server of the domain, and its keys with smbd."""
    domain.add_user(USER, PASSWORD)
    domain.add_computer(HOST)
    name = HOST.partition(".")[0].upper()
    domain.add_spn(f"cifs/{HOST}", f"{name}$")
    domain.apply(
        f"dn: CN={name},CN=Computers,{domain.base}\nchangetype: modify\n"
        f"replace: userAccountControl\nuserAccountControl: {0x1000 | NO_AUTHORIZATION_DATA}\n"
    )
    options = {
        "realm": domain.realm,
        "kerberos method": "dedicated keytab",
        "dedicated keytab file": f"FILE:{domain.keytab(f'cifs/{HOST}')}",
    }
    with (
        FileServer.start(ADDRESS, rf"{domain.realm}\{USER}", "not used", options=options) as smbd,
        Relay(ADDRESS, (smbd.address, smbd.port)) as started,
    ):
        yield started


@pytest.fixture
def ticket(domain: Domain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A cache with a ticket of the user; the process's own cache is another, and empty."""
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{tmp_path}/empty")
    return f"FILE:{domain.kinit(USER, PASSWORD, cache=tmp_path / 'cache')}"


def pushed(relay: Relay, folder: Path, login: Login, **given: Any) -> None:
    """Pushes a file."""
    (folder / "source").write_bytes(os.urandom(2_000_000))
    account = Credentials(
        **{
            "account": f"{USER}@CORP.EXAMPLE",
            "password": None,
            "kerberos": True,
            "ticket_cache": None,
            "host_name": HOST,
            "address": ADDRESS,
            **given,
        }
    )
    with open_share(Server("files1", relay.port, "C$", account, login), lambda attempt: attempt()) as share:
        share.write(str(folder / "source"), r"C:\x.part")
        share.remove(r"C:\x.part")


def test_with_the_cache_of_the_connection(relay: Relay, ticket: str, tmp_path: Path) -> None:
    pushed(relay, tmp_path, TICKET, ticket_cache=ticket)


def test_with_the_cache_and_an_account_in_another_spelling(relay: Relay, ticket: str, tmp_path: Path) -> None:
    pushed(relay, tmp_path, TICKET, ticket_cache=ticket, account=rf"CORP\{USER}")


@pytest.mark.parametrize("account", [f"{USER}@CORP.EXAMPLE", rf"CORP\{USER}", ""])
def test_with_the_systems_own_cache(
    relay: Relay, ticket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, account: str
) -> None:
    monkeypatch.setenv("KRB5CCNAME", ticket)
    pushed(relay, tmp_path, TICKET, account=account)


def test_with_the_password_where_the_connection_keeps_no_cache(relay: Relay, ticket: str, tmp_path: Path) -> None:
    assert ticket
    pushed(relay, tmp_path, Login("kerberos", with_password=True), password=PASSWORD)


def test_without_a_ticket_the_stream_may_be_taken(relay: Relay, ticket: str, tmp_path: Path) -> None:
    assert ticket
    with pytest.raises(TransferUnavailable, match="there is no Kerberos ticket for it"):
        pushed(relay, tmp_path, TICKET)


def test_a_name_that_the_kdc_does_not_know(relay: Relay, ticket: str, tmp_path: Path) -> None:
    with pytest.raises(TransferUnavailable, match=r"Check the service principal name cifs/dc99\.corp\.example"):
        pushed(relay, tmp_path, TICKET, ticket_cache=ticket, host_name="dc99.corp.example")


def test_a_wrong_password_is_no_reason_for_another_way(relay: Relay, ticket: str, tmp_path: Path) -> None:
    assert ticket
    with pytest.raises(AuthenticationRejected, match="kerberos with the password failed") as caught:
        pushed(relay, tmp_path, Login("kerberos", with_password=True), password="wrong one")
    assert "wrong one" not in str(caught.value)
    assert caught.value.credentials_presented, "it counts, so it is tried nowhere else"
