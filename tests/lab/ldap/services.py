# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The LDAP services of a running forest: one on each domain controller that is up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from .contents import whole_directory
from .dns import NameServer
from .forest_changes import change, token_of
from .objects import LdapObject, base_of
from .server import LdapServer
from .state import root_state, with_partners

if TYPE_CHECKING:
    from lab.forest import Forest
    from lab.windows.host import SimulatedHost

PORT = 10389
"""Instead of 389, which only root may open."""


class LdapServices:
    """The services of a forest.

    Args:
        forest: The forest.
    """

    def __init__(self, forest: Forest) -> None:
        self._forest = forest
        self._servers: dict[str, LdapServer] = {}
        self._names: NameServer | None = None

    @property
    def name_server(self) -> str:
        """The DNS server that knows the forest's hosts, as the option `name_servers` takes it; empty unless started."""
        return self._names.name if self._names is not None else ""

    def start(self) -> None:
        """Lets names resolve; domain controllers are added as they come."""
        self._names = NameServer(_Addresses(self._forest), {})
        self._names.__enter__()

    def add(self, host: SimulatedHost, address: str) -> None:
        """Lets a domain controller answer; other machines do not."""
        identity = host.identity
        if not identity.role.is_dc:
            return
        server = LdapServer(
            lambda: self._objects(host),
            identity.fqdn,
            base_of(identity.domain),
            _Accounts(host),
            change=lambda user, request: change(self._forest, host, user, request),
            token=lambda user: token_of(self._forest, user),
            state=lambda: root_state(host, self._forest.directory.dns_name),
        )
        server.address, server.port = address, PORT
        self._servers[identity.fqdn] = server

    def remove(self, name: str) -> None:
        """Forgets a machine that is no domain controller any more."""
        server = self._servers.pop(name, None)
        if server is not None:
            server.stop()

    def power(self, name: str, *, on: bool) -> None:
        """Follows a machine that goes up or down."""
        server = self._servers.get(name)
        if server is not None and on != server.listens:
            if on:
                server.start(server.address, server.port)
            else:
                server.stop()

    def stop(self) -> list[Exception]:
        """Stops all; returns what no client should have caused."""
        names, self._names = self._names, None
        if names is not None:
            names.__exit__()
        servers = list(self._servers.values())
        self._servers.clear()
        for server in servers:
            server.stop()
        return [error for server in servers for error in server.errors]

    def _objects(self, host: SimulatedHost) -> Sequence[LdapObject]:
        with self._forest.scheduler.lock:
            objects = whole_directory(self._forest, host)
            return with_partners(objects, host, self._forest.directory.dns_name)


class _Accounts(Mapping[str, str]):
    """Who may log on to a machine, as it is at the time of asking."""

    def __init__(self, host: SimulatedHost) -> None:
        self._host = host

    def __getitem__(self, name: str) -> str:
        return self._host.accounts()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._host.accounts())

    def __len__(self) -> int:
        return len(self._host.accounts())


class _Addresses(Mapping[str, str]):
    """Addresses of the hosts, as they are at the time of asking."""

    def __init__(self, forest: Forest) -> None:
        self._forest = forest

    def __getitem__(self, name: str) -> str:
        return self._forest.endpoints[name].address

    def __iter__(self) -> Iterator[str]:
        return iter(self._forest.endpoints)

    def __len__(self) -> int:
        return len(self._forest.endpoints)
