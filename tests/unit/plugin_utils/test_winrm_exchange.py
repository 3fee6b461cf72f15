# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What only the winrm connection has: a list of transports, and kinit with the password."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    AuthenticationRejected,
    UnsupportedConnection,
)
from ansible_collections.entsso.password_sync.tests.unit.lab.endpoint_kit import serving
from ansible_collections.entsso.password_sync.tests.unit.plugin_utils.exchange_kit import opened


def _kinit(folder: Path, script: str) -> dict[str, Any]:
    """Returns variables for a kinit of ours, which counts its calls and does not read the password."""
    kinit = folder / "kinit"
    kinit.write_text(f"#!/bin/sh\ncat > /dev/null\necho x >> {folder}/calls\n{script}\n")
    kinit.chmod(0o755)
    return {"mechanism": ["kerberos", "ntlm"], "ansible_winrm_kinit_cmd": str(kinit)}


def _calls(folder: Path) -> int:
    return (folder / "calls").read_text().count("x")


@pytest.mark.parametrize(
    ("said", "stops"),
    [
        ("kinit: Password incorrect while getting initial credentials", True),
        ("kinit: Preauthentication failed while getting initial credentials", True),
        ("kinit: Cannot contact any KDC for realm 'CORP.EXAMPLE' while getting initial credentials", False),
    ],
)
def test_a_ticket_that_is_not_given(tmp_path: Path, said: str, stops: bool) -> None:
    managed = _kinit(tmp_path, f'echo "{said}" >&2\nexit 1')
    with serving() as endpoint:
        for _attempt in range(2):
            with opened("winrm", endpoint.address, tmp_path, **managed) as host:
                if stops:
                    with pytest.raises(
                        AuthenticationRejected, match=r"the KDC gave no ticket for its password|not tried on this host"
                    ):
                        host.wmi.get("Win32_OperatingSystem")
                else:
                    assert host.wmi.get("Win32_OperatingSystem") is not None
                    assert host.authentication == "ntlm"
        assert _calls(tmp_path) == (1 if stops else 2)
        assert endpoint.statistics.logons == (0 if stops else 2)


def test_the_cache_of_kinit_is_no_longer_used_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for own in (None, "FILE:/nowhere/own"):
        if own is None:
            monkeypatch.delenv("KRB5CCNAME", raising=False)
        else:
            monkeypatch.setenv("KRB5CCNAME", own)
        with serving() as endpoint, opened("winrm", endpoint.address, tmp_path, **_kinit(tmp_path, "exit 0")) as host:
            host.wmi.get("Win32_OperatingSystem")
            credentials = host.credentials
            assert credentials is not None
            assert credentials.ticket_cache == os.environ["KRB5CCNAME"] != own
        assert os.environ.get("KRB5CCNAME") == own


def test_transports_are_tried_in_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{tmp_path}/none")
    manual = {"mechanism": ["kerberos", "ntlm"], "ansible_winrm_kerberos_mode": "manual"}
    with serving() as endpoint, opened("winrm", endpoint.address, tmp_path, **manual) as host:
        assert host.wmi.get("Win32_OperatingSystem") is not None
        assert host.authentication == "ntlm"
        assert endpoint.statistics.logons == 1


def test_a_list_in_which_nothing_works_names_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{tmp_path}/none")
    given = {"mechanism": ["kerberos", "plaintext"], "ansible_winrm_kinit_mode": "manual"}
    with (
        serving() as endpoint,
        pytest.raises(AuthenticationRejected, match=r"transport kerberos: .*; transport plaintext: .*Negotiate"),
        opened("winrm", endpoint.address, tmp_path, **given) as host,
    ):
        host.wmi.get("Win32_OperatingSystem")


def test_settings_that_pywinrm_does_not_take(tmp_path: Path) -> None:
    with (
        serving() as endpoint,
        pytest.raises(UnsupportedConnection, match="transport ntlm on dc01: pywinrm does not take the settings"),
        opened("winrm", endpoint.address, tmp_path, encryption="perhaps") as host,
    ):
        host.wmi.get("Win32_OperatingSystem")
