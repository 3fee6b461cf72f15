# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Debian's `wsl` with a Kerberos ticket of Samba's KDC, which its curl shows by Negotiate."""

from __future__ import annotations

from pathlib import Path

import pytest
from unit.lab.endpoint_kit import new_address

from lab.endpoint import EndpointServer, self_signed
from lab.forest import Forest
from lab.samba.directory import Domain

from .wsl_client import Wsl

pytestmark = pytest.mark.needs("wsl", "curl", "xmllint", "samba", "kinit", "gssapi", "krb5", "root")

NAME, PASSWORD = "wsl1.corp.example", "Whistle-Passw0rd"
SYSTEM = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/Win32_OperatingSystem"


@pytest.mark.parametrize("ticket", [True, False])
def test_get_with_a_ticket_and_without(domain: Domain, tmp_path: Path, ticket: bool) -> None:
    user = f"whistler{ticket:d}"
    domain.add_user(user, PASSWORD)
    cache = domain.kinit(user, PASSWORD) if ticket else tmp_path / "none"
    environment = {**domain.environment(), "KRB5CCNAME": f"FILE:{cache}"}
    forest = Forest(populate=False)
    host = forest.add_domain_controller("WSL1", "Paris")
    forest.more_accounts[f"{user}@corp.example"] = "unused"
    keytab = domain.add_computer(NAME) if ticket else domain.keytab(f"HTTP/{NAME}")
    with EndpointServer() as server:
        tls = self_signed([NAME])
        endpoint = server.add(new_address(), host, tls=tls, keytab=keytab)
        client = Wsl(tmp_path, endpoint, tls.port, tls.certificate, host, user, "wrong", NAME)
        if not ticket:
            assert "verify credentials" in client.run("get", SYSTEM, curl="negotiate", environment=environment)
            assert endpoint.statistics.requests == 0
            return
        answer = client.body("get", SYSTEM, curl="negotiate", environment=environment)
        assert answer[0].findtext(f"{{{SYSTEM}}}CSName") == "WSL1"
        assert endpoint.statistics.logons == 1
        assert endpoint.errors == []
