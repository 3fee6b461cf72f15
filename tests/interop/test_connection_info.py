# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""connection_info with Kerberos tickets of Samba's KDC, and with an administrative share of Samba's smbd."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from unit.lab.endpoint_kit import new_address
from unit.lab_host import Lab, Result, running
from unit.plugin_utils.ansible_connection import connection

from lab.endpoint import EndpointServer
from lab.forest import Forest
from lab.samba.directory import Domain
from lab.samba.file_server import FileServer

pytestmark = pytest.mark.needs("samba", "kinit", "root", "kerberos", "gssapi", "krb5", "pypsrp", "smbd", "smbprotocol")

NAME, USER, PASSWORD = "info1", "info-auditor", "Info-Aud1tor"
PRINCIPAL = f"{USER}@CORP.EXAMPLE"


@pytest.fixture(scope="module")
def place(domain: Domain) -> Iterator[tuple[Lab, dict[str, Any]]]:
    """A domain controller of the lab that takes tickets of Samba's domain, and the variables that lead there."""
    domain.add_user(USER, PASSWORD)
    keytab = domain.add_computer(f"{NAME}.corp.example")
    forest = Forest(populate=False)
    forest.add_domain_controller(NAME, "Paris")
    forest.more_accounts |= {PRINCIPAL: PASSWORD, f"{USER}@corp.example": PASSWORD}
    address = new_address()
    with EndpointServer() as server:
        endpoint = server.add(address, forest.host(NAME), keytab=keytab)
        yield Lab(forest), {"ansible_host": address, "ansible_port": endpoint.port, "ansible_user": PRINCIPAL}
        assert endpoint.errors == []


def asked(lab: Lab, through: Any) -> Result:
    with patch.object(lab, "connection", lambda _name: through):
        return lab.run("connection_info", NAME, deadline=2)


def test_a_managed_ticket(place: tuple[Lab, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{tmp_path}/none")
    lab, variables = place
    result = asked(
        lab,
        connection(
            **variables,
            ansible_password=PASSWORD,
            ansible_winrm_scheme="http",
            ansible_winrm_transport=["kerberos"],
            ansible_winrm_kerberos_hostname_override=f"{NAME}.corp.example",
            ansible_winrm_kinit_env_vars=["KRB5_CONFIG"],
        ),
    )
    assert result["reachable"] is True, result["problem"]
    assert result["authentication"] == {"mechanism": "kerberos", "encrypted": "message"}
    assert result["target"]["host_name"] == f"{NAME}.corp.example"
    tickets = result["ticket_cache"]
    assert (tickets["principal"], tickets["problem"]) == (PRINCIPAL, "")
    assert tickets["expires"] > time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    assert PASSWORD not in str(result)


def test_a_ticket_of_the_user_with_psrp(
    place: tuple[Lab, dict[str, Any]], domain: Domain, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = domain.kinit(USER, PASSWORD)
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{cache}")
    lab, variables = place
    result = asked(
        lab,
        connection(
            "psrp",
            **variables,
            ansible_psrp_protocol="http",
            ansible_psrp_auth="kerberos",
            ansible_psrp_negotiate_hostname_override=f"{NAME}.corp.example",
        ),
    )
    assert result["reachable"] is True, result["problem"]
    assert result["target"]["connection"] == "psrp"
    assert result["authentication"] == {"mechanism": "kerberos", "encrypted": "message"}
    assert result["ticket_cache"]["name"] == f"FILE:{cache}"
    assert result["ticket_cache"]["principal"] == PRINCIPAL


def test_a_ticket_that_is_missing(
    place: tuple[Lab, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{tmp_path}/none")
    lab, variables = place
    variables = {**variables, "ansible_psrp_protocol": "http", "ansible_psrp_auth": "kerberos"}
    result = asked(lab, connection("psrp", **variables))
    assert result["reachable"] is False
    assert "ticket" in result["problem"]
    assert result["ticket_cache"]["problem"] == "there is no such cache"


@pytest.mark.parametrize(("admitted", "status"), [(True, "ok"), (False, "denied")])
def test_the_share(admitted: bool, status: str) -> None:
    with running() as lab:
        address, forest = lab.endpoint("dc01").address, lab.forest
        with FileServer.start(address, forest.operator, forest.operator_password, admitted=admitted) as smbd:
            unasked = lab.run("connection_info", "dc01", smb_port=smbd.port)
            result = lab.run("connection_info", "dc01", smb_port=smbd.port, probe_share=True)
    assert _share(unasked)[0] == "unknown"
    assert "set probe_share to true" in _share(unasked)[1]
    assert _share(result)[0] == status
    assert {"port": smbd.port, "purpose": "SMB", "state": "open"} in result["ports"]


def _share(result: Result) -> tuple[str, str]:
    (found,) = [item for item in result["rights"] if item["name"] == "admin_share"]
    return found["status"], found["detail"]
