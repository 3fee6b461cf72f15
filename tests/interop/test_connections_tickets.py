# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs that take longer than a Kerberos ticket, as with members of Protected Users, whose tickets live four hours."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import AuthenticationRejected
from ansible_collections.entsso.password_sync.plugins.module_utils.connection._ticket_cache import (
    end_of_ticket,
    tickets,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host
from ansible_collections.entsso.password_sync.tests.unit.plugin_utils.exchange_kit import KINDS
from lab.samba.directory import Domain

from .place import PASSWORD, Place, placed

pytestmark = pytest.mark.needs("samba", "kinit", "root", "kerberos", "gssapi", "krb5", "pypsrp")

LIFE = 2
"""Seconds. Samba takes no ticket for getting others that lives two minutes or less (it could be one of kpasswd), so
what lives as short here is a ticket for the host itself, which kinit gets as well."""


@pytest.fixture(scope="module")
def place(domain: Domain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A domain and a host in it."""
    with placed(domain, tmp_path_factory.mktemp("place")) as made:
        yield made


@pytest.fixture(autouse=True)
def _own_tickets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{tmp_path}/cache")
    monkeypatch.delenv("KRB5_CLIENT_KTNAME", raising=False)


Break = Callable[[Place, Host], None]


def _forgotten(place: Place, _host: Host) -> None:
    """The host wants to know again who is there."""
    place.endpoint.faults.forget_logon()


def _restarted(place: Place, _host: Host) -> None:
    """The kept connection is gone when the next message is sent."""
    place.endpoint.down()
    place.endpoint.up()


def _reset(_place: Place, host: Host) -> None:
    """The collection itself begins anew, as it does after a restart of the host."""
    host.reset()


BREAKS = [_forgotten, _restarted, _reset]


def _reads(host: Host) -> str:
    assert host.wmi.get("Win32_OperatingSystem") is not None
    return host.authentication


def _file(host: Host) -> Path:
    credentials = host.credentials
    assert credentials is not None
    assert credentials.ticket_cache is not None
    return Path(credentials.ticket_cache.removeprefix("FILE:"))


def _end(cache: Path) -> int:
    end = end_of_ticket(cache.read_bytes())
    assert end is not None
    return end


def _age(cache: Path) -> None:
    """Lets all tickets of a cache have expired, as Kerberos' library sees it."""
    data = cache.read_bytes()
    for end in {ticket.ends for ticket in tickets(data)}:
        data = data.replace(end.to_bytes(4, "big"), int(time.time() - 60).to_bytes(4, "big"))
    cache.write_bytes(data)
    assert _end(cache) < time.time()


def _expire(cache: Path) -> None:
    """Waits until the tickets of a cache have expired."""
    time.sleep(max(0.0, _end(cache) - time.time()) + 0.1)


@pytest.mark.parametrize("keytab", [False, True])
def test_a_run_longer_than_the_ticket_of_kinit(place: Place, tmp_path: Path, keytab: bool) -> None:
    account = place.account()
    options = f"-S HTTP/{place.name} -l {LIFE}s"
    given: dict[str, Any] = {}
    if keytab:
        options += f" -k -t {place.domain.keytab(account.partition('@')[0])}"
        given = {"ansible_password": None, "ansible_winrm_kinit_mode": "managed"}
    with place.open(
        "winrm", tmp_path, account, mechanism="kerberos", ansible_winrm_kinit_args=options, **given
    ) as host:
        assert _reads(host) == "kerberos"
        first = _end(_file(host))
        assert first - time.time() <= LIFE
        _expire(_file(host))
        # The kept connection needs no ticket; a write that meets the end of both runs once all the same.
        assert _reads(host) == "kerberos"
        place.endpoint.faults.forget_logon()
        before = place.started
        host.wmi.invoke("Win32_Service", "StartService", selectors={"Name": "PCNSSVC"})
        assert place.started == before + 1
        assert _end(_file(host)) > first


@pytest.mark.parametrize("broken", BREAKS)
def test_whatever_breaks_kinit_is_run_again(place: Place, tmp_path: Path, broken: Break) -> None:
    with place.open("winrm", tmp_path, place.account(), mechanism="kerberos") as host:
        assert _reads(host) == "kerberos"
        _age(_file(host))
        broken(place, host)
        assert _reads(host) == "kerberos"
        assert _end(_file(host)) > time.time()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("broken", BREAKS)
def test_whatever_breaks_the_keytab_gives_a_new_ticket(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, broken: Break
) -> None:
    account = place.account()
    monkeypatch.setenv("KRB5_CLIENT_KTNAME", str(place.domain.keytab(account.partition("@")[0])))
    with place.open(kind, tmp_path, account, mechanism="kerberos", ansible_password=None) as host:
        assert _reads(host) == "kerberos"
        assert _file(host) == tmp_path / "cache"
        _age(_file(host))
        broken(place, host)
        assert _reads(host) == "kerberos"
        assert _end(_file(host)) > time.time()


@pytest.mark.parametrize("broken", BREAKS)
def test_whatever_breaks_psrp_gets_a_ticket_with_the_password(place: Place, tmp_path: Path, broken: Break) -> None:
    """It keeps no ticket: that the KDC is asked each time shows when the password is no longer right."""
    account = place.account()
    with place.open("psrp", tmp_path, account, mechanism="kerberos") as host:
        assert _reads(host) == "kerberos"
        broken(place, host)
        assert _reads(host) == "kerberos"
        assert not (tmp_path / "cache").exists()
        place.domain.samba_tool("user", "setpassword", account.partition("@")[0], "--random-password")
        broken(place, host)
        for reason in ("the KDC gave no ticket for its password", "was rejected by .* in this run"):
            with pytest.raises(AuthenticationRejected, match=f"(?i){reason}"):
                _reads(host)
    assert place.wrong_passwords(account) == 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("later", [False, True])
def test_the_users_own_ticket_that_has_expired(place: Place, tmp_path: Path, kind: str, later: bool) -> None:
    account, cache = place.account(), tmp_path / "cache"
    place.domain.kinit(account.partition("@")[0], PASSWORD, cache=cache)
    with place.open(kind, tmp_path, account, mechanism="kerberos", ansible_password=None) as host:
        if later:
            assert _reads(host) == "kerberos"
            place.endpoint.faults.forget_logon()
        _age(cache)
        with pytest.raises(AuthenticationRejected) as caught:
            _reads(host)
    said = str(caught.value)
    moment = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(_end(cache)))
    assert f"the Kerberos ticket in FILE:{cache} expired at {moment}" in said
    assert "Name a keytab in KRB5_CLIENT_KTNAME, or set ansible_password" in said


def test_what_a_cache_of_kinit_holds(place: Place, tmp_path: Path) -> None:
    account = place.account()
    before = int(time.time())
    place.domain.kinit(account.partition("@")[0], PASSWORD, "-l", "10m", cache=tmp_path / "other")
    (ticket,) = tickets((tmp_path / "other").read_bytes())
    assert (ticket.client, ticket.server) == (account, "krbtgt/CORP.EXAMPLE@CORP.EXAMPLE")
    assert before + 590 <= ticket.ends <= time.time() + 600
    assert _end(tmp_path / "other") == ticket.ends
