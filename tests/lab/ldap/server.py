# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""LDAP services on loopback addresses, a thread for each client."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cache

import sansldap

from lab.endpoint.tls import TlsListener

from .changes import Request, Verdict
from .connection import Connection, Service
from .objects import LdapObject
from .tree import Tree


class LdapServer:
    """One domain controller's LDAP service; a context manager."""

    def __init__(
        self,
        objects: Callable[[], Sequence[LdapObject]],
        host: str,
        domain: str,
        accounts: Mapping[str, str],
        *,
        tls: TlsListener | None = None,
        page_limit: int = 1000,
        value_limit: int = 1500,
        change: Callable[[str, Request], Verdict] | None = None,
        token: Callable[[str], Sequence[bytes]] | None = None,
        state: Callable[[], Mapping[str, tuple[bytes, ...]]] | None = None,
    ) -> None:
        """Describe the service.

        Args:
            objects: Gives the objects of the whole forest, asked anew for each search.
            host: Full name of the domain controller.
            domain: Distinguished name of its domain.
            accounts: Passwords by name, ``DOMAIN\\name`` or ``name@domain``.
            tls: Certificate for LDAPS and StartTLS; without it there is neither.
            page_limit: Objects in one answer (MaxPageSize).
            value_limit: Values of one attribute in one answer (MaxValRange).
            change: Changes an object for a user; without it nobody may.
            token: The SIDs of a user's logon; without it nobody has any.
            state: What the rootDSE says of the domain controller itself; without it nothing.
        """
        self.rejections = 0
        """How many times a password was refused."""
        self.connections = 0
        """How many clients have connected."""
        self.errors: list[Exception] = []
        """Exceptions that no client should ever cause: bugs of the lab."""
        self._lock = threading.Lock()
        self._tls = tls
        self._service = Service(
            tree=lambda: Tree(objects(), domain),
            contexts=cache(lambda: Tree(objects(), domain)),
            host=host,
            accounts=accounts,
            tls=tls.context() if tls else None,
            page_limit=page_limit,
            value_limit=value_limit,
            rejected=self._rejected,
            change=change or _refuse,
            token=token or (lambda _user: ()),
            state=state or dict,
        )
        self._listeners: list[socket.socket] = []
        self._clients: set[Connection] = set()
        self.address = ""
        self.port = 0
        """The port for LDAP, once it listens."""
        self.tls_port = 0
        """The port for LDAPS, once it listens."""

    def __enter__(self) -> LdapServer:
        """Listen on a free port of 127.0.0.1."""
        return self.start()

    def __exit__(self, *_exception: object) -> None:
        """Stop."""
        self.stop()

    @property
    def listens(self) -> bool:
        """Whether the ports are open."""
        return bool(self._listeners)

    def start(self, address: str = "127.0.0.1", port: int = 0) -> LdapServer:
        """Listen.

        Args:
            address: Where.
            port: The port for LDAP; 0 takes a free one. That for LDAPS is always a free one.

        Raises:
            OSError: The port can't be opened.
        """
        self.address = address
        self.port = self._listen(port, secure=False)
        self.tls_port = self._listen(0, secure=True) if self._tls else 0
        return self

    def stop(self) -> None:
        """Close the ports and every connection."""
        with self._lock:
            listeners, clients = list(self._listeners), list(self._clients)
            self._listeners.clear()
        for listener in listeners:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for client in clients:
            client.close()

    def _listen(self, port: int, *, secure: bool) -> int:
        listener = socket.create_server((self.address, port))
        self._listeners.append(listener)
        threading.Thread(target=self._accept, args=(listener, secure), name="lab-ldap", daemon=True).start()
        return int(listener.getsockname()[1])

    def _accept(self, listener: socket.socket, secure: bool) -> None:
        while True:
            try:
                client, _peer = listener.accept()
            except OSError:
                return  # stopped
            connection = Connection(client, self._service, secure=secure)
            with self._lock:
                self.connections += 1
                self._clients.add(connection)
            threading.Thread(target=self._serve, args=(connection,), name="lab-ldap-client", daemon=True).start()

    def _serve(self, client: Connection) -> None:
        try:
            client.serve()
        except OSError:
            pass  # the client went, or did not like the certificate
        except Exception as error:
            self.errors.append(error)
        finally:
            client.close()
            with self._lock:
                self._clients.discard(client)

    def _rejected(self) -> None:
        with self._lock:
            self.rejections += 1


def _refuse(_user: str, _request: Request) -> Verdict:
    return Verdict(sansldap.LDAPResultCode.INSUFFICIENT_ACCESS_RIGHTS)
