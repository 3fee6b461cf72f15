# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A domain and a host in it, for tests of the ways to authenticate."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host
from ansible_collections.entsso.password_sync.tests.unit.lab.endpoint_kit import Machine, new_address, no_bugs
from ansible_collections.entsso.password_sync.tests.unit.plugin_utils.exchange_kit import opened
from lab.endpoint import Endpoint, EndpointServer, EndpointSettings, TlsListener
from lab.endpoint.authority import Authority
from lab.endpoint.settings import CbtHardeningLevel
from lab.samba.directory import Domain

PASSWORD = "Operator-Passw0rd"
_accounts = itertools.count(1)
_hosts = itertools.count(1)


@dataclass
class Place:
    """A domain, and its host with both listeners."""

    domain: Domain
    endpoint: Endpoint
    server: EndpointServer
    authority: Path
    keytab: Path
    name: str

    def account(self) -> str:
        """Adds an account of this test only: what happens to its count of wrong passwords is told by no other."""
        name = f"operator{next(_accounts)}"
        self.domain.add_user(name, PASSWORD)
        machine = self.endpoint.backend
        assert isinstance(machine, Machine)
        machine.known.update({f"CORP\\{name}": PASSWORD, f"{name}@CORP.EXAMPLE": PASSWORD})
        return f"{name}@CORP.EXAMPLE"

    @property
    def started(self) -> int:
        """Returns how often the host was told to start a service."""
        machine = self.endpoint.backend
        assert isinstance(machine, Machine)
        return len(machine.invoked)

    def wrong_passwords(self, account: str) -> int:
        """Returns how many wrong passwords the directory has counted for an account."""
        said = self.domain.samba_tool("user", "show", account.partition("@")[0], "--attributes=badPwdCount")
        found = re.search(r"badPwdCount: (\d+)", said)
        return int(found[1]) if found else 0

    @property
    def secure(self) -> dict[str, Any]:
        """Returns the variables that lead to the https listener."""
        return {"scheme": "https", "ansible_port": 5986, "authority": str(self.authority)}

    def open(self, kind: str, folder: Path, account: str, **given: Any) -> Host:
        """Opens the host."""
        # kinit gets no more of the environment than it is told to.
        told = {"ansible_winrm_kinit_env_vars": ["KRB5_CONFIG"]} if kind == "winrm" else {}
        values = {"ansible_user": account, "ansible_password": PASSWORD, "host_name": self.name, **told, **given}
        return opened(kind, self.endpoint.address, folder, name=self.name, **values)


@contextmanager
def placed(domain: Domain, folder: Path) -> Iterator[Place]:
    """Starts the host."""
    authority = Authority("Test CA")
    address = new_address()
    (folder / "ca.pem").write_bytes(authority.certificate)
    name = f"place{next(_hosts)}.corp.example"
    keytab = domain.add_computer(name)
    certificate, key = authority.server([name, address])
    # Without a threshold the directory does not count.
    domain.samba_tool("domain", "passwordsettings", "set", "--account-lockout-threshold=10")
    with EndpointServer() as server:
        tls = TlsListener(certificate, key)
        settings = EndpointSettings(basic=True, cbt_hardening_level=CbtHardeningLevel.STRICT)
        endpoint = server.add(address, Machine(), tls=tls, settings=settings, keytab=keytab)
        with no_bugs(endpoint):
            yield Place(domain, endpoint, server, folder / "ca.pem", keytab, name)
