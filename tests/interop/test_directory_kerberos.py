# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kerberos, and accounts that are let in nowhere, against a real directory; and changes over the sealed connection."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from interop.directory_kit import PASSWORD, kerberos, read_as, refused, session_as

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    AccessDenied,
    AuthenticationRejected,
    DirectoryError,
    DirectoryUnreachable,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_change import How, Modification
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_settings import Protocol
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory import Directory
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._ldap_session import Scope
from lab.ldap.example import BASE
from lab.samba.directory import Domain

pytestmark = pytest.mark.needs("samba", "kinit", "gssapi", "krb5", "cc", "root")

READER = "ticket-reader"


@pytest.fixture(scope="module")
def samba(domain: Domain) -> Domain:
    domain.add_user(READER, PASSWORD)
    return domain


@pytest.fixture(scope="module")
def old_ticket(samba: Domain) -> tuple[Path, float]:
    """A ticket for one second and when it was issued; made early, so that the test need not wait."""
    return samba.kinit(READER, PASSWORD, "-l", "1s"), time.monotonic()


@pytest.mark.usefixtures("old_ticket")
def test_kerberos_with_a_password(samba: Domain, tmp_path: Path) -> None:
    found = read_as(kerberos(samba, username=f"{READER}@CORP.EXAMPLE", password=PASSWORD), tmp_path)
    assert found.authentication == "kerberos"
    assert found.forest.domain_controllers[0].dns_name == "dc1.corp.example"


def test_kerberos_with_a_ticket(samba: Domain, tmp_path: Path) -> None:
    cache = samba.kinit(READER, PASSWORD)
    assert read_as(kerberos(samba, ticket_cache=f"FILE:{cache}"), tmp_path).authentication == "kerberos"


def test_kerberos_with_the_default_ticket(samba: Domain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{samba.kinit(READER, PASSWORD)}")
    assert read_as(kerberos(samba, protocol=Protocol.NEGOTIATE), tmp_path).authentication == "kerberos"


@pytest.mark.parametrize("protocol", [Protocol.KERBEROS, Protocol.NEGOTIATE, Protocol.NTLM])
def test_the_directory_counts_a_wrong_password_once(samba: Domain, protocol: Protocol, tmp_path: Path) -> None:
    account = f"once-{protocol.value}"
    samba.add_user(account, PASSWORD)
    username = f"CORP\\{account}" if protocol is Protocol.NTLM else f"{account}@CORP.EXAMPLE"
    settings = kerberos(samba, protocol=protocol, username=username, password="wrong")
    with _counting(samba):
        for _attempt in range(2):
            refused(settings, tmp_path, AuthenticationRejected)
        administrator = kerberos(samba, username=f"{samba.admin[0]}@CORP.EXAMPLE", password=samba.admin[1])
        with Directory(administrator, str(tmp_path)) as directory:
            entry = directory.search(BASE, f"(sAMAccountName={account})", ["badPwdCount"]).entries[0]
    assert entry.integer("badPwdCount") == 1


@contextmanager
def _counting(domain: Domain) -> Iterator[None]:
    """A domain that locks no account out does not count wrong passwords either."""
    change = f"dn: {BASE}\nchangetype: modify\nreplace: lockoutThreshold\nlockoutThreshold: "
    domain.apply(f"{change}50\n")
    try:
        yield
    finally:
        domain.apply(f"{change}0\n")


def test_negotiate_takes_ntlm_where_kerberos_cannot_be_tried(samba: Domain, tmp_path: Path) -> None:
    settings = kerberos(samba, protocol=Protocol.NEGOTIATE, server=samba.address, password=PASSWORD)
    assert read_as(replace(settings, username=f"CORP\\{READER}"), tmp_path).authentication == "ntlm"
    assert read_as(replace(settings, username=f"{READER}@CORP.EXAMPLE"), tmp_path).authentication == "ntlm"


def test_kerberos_to_an_address(samba: Domain, tmp_path: Path) -> None:
    settings = kerberos(samba, server=samba.address, username=f"{READER}@CORP.EXAMPLE", password=PASSWORD)
    text = refused(settings, tmp_path, AuthenticationRejected)
    assert f"the KDC knows no service ldap/{samba.address}" in text
    assert "full DNS name in `server`" in text


def test_an_expired_ticket(samba: Domain, old_ticket: tuple[Path, float], tmp_path: Path) -> None:
    cache, issued = old_ticket
    time.sleep(max(0.0, issued + 3.2 - time.monotonic()))  # the lab's krb5.conf allows two seconds of skew
    text = refused(kerberos(samba, ticket_cache=f"FILE:{cache}"), tmp_path, AuthenticationRejected)
    assert "the Kerberos ticket has expired. Get a new one with kinit" in text


_LATE = """\
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/time.h>
#include <time.h>
int clock_gettime(clockid_t clock, struct timespec *now) {
    int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, now);
    if (clock == CLOCK_REALTIME) now->tv_sec += 600;
    return result;
}
int gettimeofday(struct timeval *now, void *zone) {
    struct timespec precise;
    int result = clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return result;
}
time_t time(time_t *now) {
    struct timespec precise;
    clock_gettime(CLOCK_REALTIME, &precise);
    if (now) *now = precise.tv_sec;
    return precise.tv_sec;
}
"""
"""Loaded before the C library, this sets the clock of one process ten minutes ahead."""

_LATE_CLIENT = """\
import sys
from pathlib import Path
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_settings import LdapSettings, Protocol
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._ldap_session import open_session
names, ticket, folder = sys.argv[1:]
settings = LdapSettings(name_servers=(names,), protocol=Protocol.KERBEROS, ticket_cache=ticket)
try:
    open_session(settings, "dc1.corp.example", folder)
except Exception as error:
    print(type(error).__name__, error)
"""


def test_clocks_that_disagree(samba: Domain, tmp_path: Path) -> None:
    source, library = tmp_path / "late.c", tmp_path / "late.so"
    source.write_text(_LATE)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(library), str(source)], check=True, timeout=30)
    cache = samba.kinit(READER, PASSWORD)
    finished = subprocess.run(
        [sys.executable, "-c", _LATE_CLIENT, samba.address, f"FILE:{cache}", str(tmp_path)],
        env=os.environ | samba.environment() | {"LD_PRELOAD": str(library), "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert finished.stdout.startswith("AuthenticationRejected LDAP logon of the owner of the Kerberos ticket cache")
    assert "the clocks of the control node and of the domain controller are too far apart" in finished.stdout


def test_no_ticket_at_all(samba: Domain, tmp_path: Path) -> None:
    text = refused(kerberos(samba, ticket_cache=f"FILE:{tmp_path / 'none'}"), tmp_path, AuthenticationRejected)
    assert "there is no Kerberos ticket. Get a new one with kinit, or give `username` and `password`" in text


def test_accounts_that_are_unknown_or_disabled(samba: Domain, tmp_path: Path) -> None:
    unknown = kerberos(samba, username="nobody@CORP.EXAMPLE", password=PASSWORD)
    assert "the KDC knows no such account" in refused(unknown, tmp_path, AuthenticationRejected)
    samba.add_user("asleep", PASSWORD)
    samba.apply(f"dn: CN=asleep,CN=Users,{BASE}\nchangetype: modify\nreplace: userAccountControl\n"
                "userAccountControl: 514\n")  # fmt: skip
    by_ticket = kerberos(samba, username="asleep@CORP.EXAMPLE", password=PASSWORD)
    assert "disabled" in refused(by_ticket, tmp_path / "kerberos", AuthenticationRejected)
    by_ntlm = replace(by_ticket, protocol=Protocol.NTLM, username="CORP\\asleep")
    assert "the account is disabled" in refused(by_ntlm, tmp_path / "ntlm", AuthenticationRejected)


def test_nothing_listens_there(samba: Domain, tmp_path: Path) -> None:
    with socket.create_server((samba.address, 0)) as closed:
        port = closed.getsockname()[1]
    settings = kerberos(samba, port=port, username=f"{READER}@CORP.EXAMPLE", password=PASSWORD)
    text = refused(settings, tmp_path, DirectoryUnreachable)
    assert re.search(rf"it can't be reached \({re.escape(samba.address)} port {port}: Connection refused\)", text)


def test_changes_over_the_sealed_connection(samba: Domain, tmp_path: Path) -> None:
    administrator = kerberos(samba, username=f"{samba.admin[0]}@CORP.EXAMPLE", password=samba.admin[1])
    reader = kerberos(samba, username=f"{READER}@CORP.EXAMPLE", password=PASSWORD)
    name = f"CN=Prüfung,CN=System,{BASE}"
    session = session_as(administrator, tmp_path)
    session.add(name, {"objectClass": [b"container"], "description": ["früher".encode()]})
    session.modify(name, [Modification(How.REPLACE, "description", ("später".encode(),))])
    entry = session.search(name, "(objectClass=*)", ["description"], Scope.BASE).entries[0]
    assert entry.text("description") == "später"
    other = session_as(reader, tmp_path)
    with pytest.raises(AccessDenied, match="the account may not do this"):
        other.modify(name, [Modification(How.DELETE, "description")])
    other.close()
    with pytest.raises(DirectoryError) as caught:
        session.add(name, {"objectClass": [b"container"]})
    assert caught.value.code == 68
    session.modify(name, [Modification(How.DELETE, "description")])
    session.delete(name)
    with pytest.raises(DirectoryError, match="there is no such object"):
        session.search(name, "(objectClass=*)", ["description"], Scope.BASE)
    session.close()


def test_a_playbook_reads_the_directory_with_a_ticket(samba: Domain, tmp_path: Path) -> None:
    tasks = [
        {
            "entsso.password_sync.domain_controller_info": {
                "domain": "corp.example",
                "name_servers": [samba.address],
                "auth_protocol": "kerberos",
            },
            "register": "found",
        },
        {
            "ansible.builtin.assert": {
                "that": [
                    "found is not changed",
                    "found.authentication == 'kerberos'",
                    "found.domain_controllers[0].dns_name == 'dc1.corp.example'",
                ]
            }
        },
    ]
    play = tmp_path / "play.yml"
    play.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    collections = Path(__file__).parents[2] / "build" / "collections"
    finished = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", str(play)],
        env=os.environ
        | samba.environment()
        | {
            "ANSIBLE_COLLECTIONS_PATH": str(collections),
            "ANSIBLE_LOCAL_TEMP": str(tmp_path / "local"),
            "KRB5CCNAME": f"FILE:{samba.kinit(READER, PASSWORD)}",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
