# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Kerberos' libraries say, in words that tell what to do; the texts are those of MIT Kerberos and Samba's KDC."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import AuthenticationRejected
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._connection import connection_settings
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._ticket_trouble import kerberos_trouble
from ansible_collections.entsso.password_sync.tests.unit.lab.endpoint_kit import serving
from ansible_collections.entsso.password_sync.tests.unit.plugin_utils.ansible_connection import connection
from ansible_collections.entsso.password_sync.tests.unit.plugin_utils.exchange_kit import KINDS, opened, variables

ADDRESS = "192.0.2.10"


def _said(kind: str, text: str, **given: Any) -> str:
    values = variables(kind, ADDRESS, mechanism="kerberos", ansible_user="svc@CORP.EXAMPLE", **given)
    settings = connection_settings(connection(kind, **values), "dc01")
    reason, remedy = kerberos_trouble(settings, text, text)
    return f"{reason}. {remedy}."


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("text", "reason", "remedy"),
    [
        ("Server not found in Kerberos database", "knows no service for 192.0.2.10", "_override to the host's full"),
        ("Server HTTP/x@Y not found in Kerberos database", "knows no service for 192.0.2.10", "full name in the"),
        ("Client 'svc@C' not found in Kerberos database", "knows no account svc@CORP.EXAMPLE", "realm in capitals"),
        ("Clock skew too great", "the clocks are too far apart", "Set the clock"),
        ("Cannot contact any KDC for realm 'C'", "no KDC answers", "port 88"),
        ("Cannot find KDC for realm 'C'", "no KDC answers", "krb5.conf"),
        ("No Kerberos credentials available", "there is no Kerberos ticket", "KRB5_CLIENT_KTNAME"),
        ("something new", "there is no ticket for 192.0.2.10 (something new)", "Check the account"),
    ],
)
def test_sentences(kind: str, text: str, reason: str, remedy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRB5CCNAME", "FILE:/nowhere")
    said = _said(kind, text)
    assert reason in said
    assert remedy in said


@pytest.mark.parametrize("name", ["KCM:0", "FILE:/nowhere", "/nowhere"])
def test_a_cache_that_can_not_be_read_has_no_time(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRB5CCNAME", name)
    said = _said("winrm", "Ticket expired", ansible_winrm_kinit_mode="manual")
    assert f"the Kerberos ticket in {name} has expired. Name a keytab" in said


def test_a_ticket_that_is_got_with_the_password_does_not_expire(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRB5CCNAME", "FILE:/nowhere")
    assert "keytab" not in _said("psrp", "Ticket expired")


@pytest.mark.parametrize("kind", KINDS)
def test_libraries_that_are_missing(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import spnego._gss
    from winrm import transport

    monkeypatch.setattr(transport, "HAVE_KERBEROS", False)
    monkeypatch.setattr(spnego._gss, "HAS_GSSAPI", False)
    own = {"mechanism": "kerberos", "ansible_password": None}
    with (
        serving() as endpoint,
        pytest.raises(AuthenticationRejected, match=r"libraries are missing .* Install py(winrm|psrp)\[kerberos\]"),
        opened(kind, endpoint.address, tmp_path, **own) as host,
    ):
        host.wmi.get("Win32_OperatingSystem")
