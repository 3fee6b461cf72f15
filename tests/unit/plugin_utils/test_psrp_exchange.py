# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What only the psrp connection has: no PowerShell starts, Negotiate in two steps, its own options."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    AuthenticationRejected,
    HostUnreachable,
    UnsupportedConnection,
)
from ansible_collections.entsso.password_sync.tests.unit.lab.endpoint_kit import EchoProcess, Machine, serving
from ansible_collections.entsso.password_sync.tests.unit.plugin_utils.ansible_connection import connection
from ansible_collections.entsso.password_sync.tests.unit.plugin_utils.exchange_kit import opened, variables
from lab.endpoint import Endpoint

POWERSHELL = b"http://schemas.microsoft.com/powershell/"
CMD = b"http://schemas.microsoft.com/wbem/wsman/1/windows/shell/cmd"


def _overheard(endpoint: Endpoint) -> list[bytes]:
    """Returns the list that the messages of clients get into, decrypted."""
    heard: list[bytes] = []
    parse = endpoint._dispatcher.parse

    def listen(message: bytes) -> object:
        heard.append(message)
        return parse(message)

    endpoint._dispatcher.parse = listen  # type: ignore[assignment,method-assign]
    return heard


def test_no_powershell_starts(tmp_path: Path) -> None:
    machine = Machine(next_process=EchoProcess([], 0, reads=False))
    with serving(machine) as endpoint:
        heard = _overheard(endpoint)
        with opened("psrp", endpoint.address, tmp_path) as host:
            assert host.wmi.get("Win32_OperatingSystem") is not None
            assert not any(CMD in message or POWERSHELL in message for message in heard)
            assert endpoint.open_shells == 0
            host.run("ver")
            assert endpoint.open_shells == 1
        assert any(CMD in message for message in heard)
        assert not any(POWERSHELL in message for message in heard)
        assert len(machine.started) == 1
        assert "powershell" not in machine.started[0][0].lower()
        assert "wsmprovhost" not in machine.started[0][0].lower()


def test_ansible_itself_would_start_powershell(tmp_path: Path) -> None:
    """The counter-check: what `test_no_powershell_starts` looks for is there when Ansible opens the connection."""
    with serving() as endpoint:
        heard = _overheard(endpoint)
        used = connection("psrp", **variables("psrp", endpoint.address))
        with pytest.raises(Exception, match=r"."):
            used._connect()
        assert any(POWERSHELL in message for message in heard)


def test_negotiate_is_kerberos_and_then_ntlm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRB5_CONFIG", "/dev/null")
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{tmp_path}/none")
    with serving() as endpoint, opened("psrp", endpoint.address, tmp_path, mechanism="negotiate") as host:
        assert host.wmi.get("Win32_OperatingSystem") is not None
        assert (host.authentication, host.encrypted) == ("ntlm", "message")
        assert endpoint.statistics.logons == 1


def test_a_wrong_password_counts_once_with_negotiate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRB5_CONFIG", "/dev/null")
    with serving() as endpoint:
        for _attempt in range(2):
            with (
                pytest.raises(AuthenticationRejected),
                opened("psrp", endpoint.address, tmp_path, mechanism="negotiate", ansible_password="wrong") as host,
            ):
                host.wmi.get("Win32_OperatingSystem")
        assert endpoint.statistics.rejected_logons == 1


def test_the_host_is_waited_for_longer_than_it_may_take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every request gives the host 60 seconds; Ansible's default of 30 would cut its answer off."""
    waits: list[object] = []
    send = requests.Session.send

    def watched(self: requests.Session, request: requests.PreparedRequest, **more: Any) -> requests.Response:
        waits.append(more["timeout"])
        return send(self, request, **more)

    monkeypatch.setattr(requests.Session, "send", watched)
    with serving() as endpoint:
        for given, expected in (({}, 75), ({"ansible_psrp_read_timeout": 200}, 200)):
            with opened("psrp", endpoint.address, tmp_path, **given, ansible_psrp_connection_timeout=7) as host:
                host.wmi.get("Win32_OperatingSystem")
            assert set(waits) == {(7, expected)}
            waits.clear()


def test_a_proxy_that_is_not_there(tmp_path: Path) -> None:
    with (
        serving() as endpoint,
        pytest.raises(HostUnreachable, match="can't be reached"),
        opened("psrp", endpoint.address, tmp_path, proxy="http://127.0.0.1:9") as host,
    ):
        host.wmi.get("Win32_OperatingSystem")
    assert endpoint.statistics.http_requests == 0


def test_settings_that_pypsrp_does_not_take(tmp_path: Path) -> None:
    given = {"mechanism": "certificate", "scheme": "https", "ansible_user": None}
    with (
        serving() as endpoint,
        pytest.raises(UnsupportedConnection, match=r"pypsrp does not take the settings .*certificate key pem"),
        opened("psrp", endpoint.address, tmp_path, **given) as host,
    ):
        host.wmi.get("Win32_OperatingSystem")


def test_a_pypsrp_that_is_made_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pypsrp import wsman

    monkeypatch.delattr(wsman._TransportHTTP, "_build_session")
    with (
        serving() as endpoint,
        pytest.raises(UnsupportedConnection, match=r"builds its sessions in another way .* Install pypsrp 0\.9"),
        opened("psrp", endpoint.address, tmp_path) as host,
    ):
        host.wmi.get("Win32_OperatingSystem")
