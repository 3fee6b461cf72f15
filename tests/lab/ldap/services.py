# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The LDAP services of a running forest: one on each domain controller that is up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from .objects import LdapObject, base_of, forest_objects
from .server import LdapServer

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

    def add(self, host: SimulatedHost, address: str) -> None:
        """Lets a domain controller answer; other machines do not."""
        identity = host.identity
        if not identity.role.is_dc:
            return
        server = LdapServer(self._objects, identity.fqdn, base_of(identity.domain), _Accounts(host))
        server.address, server.port = address, PORT
        self._servers[identity.fqdn] = server

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
        servers = list(self._servers.values())
        self._servers.clear()
        for server in servers:
            server.stop()
        return [error for server in servers for error in server.errors]

    def _objects(self) -> Sequence[LdapObject]:
        with self._forest.scheduler.lock:
            return forest_objects(self._forest)


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
