# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directories for tests: the lab's responder for a forest, and a server that says what it is told to."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import sansldap

from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_settings import LdapSettings, Protocol
from lab.ldap import LdapObject, LdapServer
from lab.ldap.dns import NameServer

READER, PASSWORD = "CORP\\reader", "Reader-Passw0rd"
ACCOUNTS = {READER: PASSWORD, "reader@corp.example": PASSWORD}
BASE = "DC=corp,DC=example"

NTLM = LdapSettings(protocol=Protocol.NTLM, username=READER, password=PASSWORD, timeout=5, connection_timeout=2)


def server(objects: Callable[[], Sequence[LdapObject]], host: str = "dc1.corp.example", **more: Any) -> LdapServer:
    """Returns the responder of a domain controller, not started."""
    domain = ",".join(f"DC={label}" for label in host.partition(".")[2].split("."))
    return LdapServer(objects, host, domain, ACCOUNTS, **more)


def settings(port: int, names: NameServer | None = None, **more: Any) -> LdapSettings:
    """Returns settings for the responder; without DNS it is asked by its address."""
    known: dict[str, Any] = {"name_servers": (names.name,)} if names else {"server": "127.0.0.1"}
    return replace(NTLM, port=port, **known, **more)


Script = Callable[[sansldap.LDAPServer, sansldap.LDAPMessage], bytes]
"""Gets each request; answers with the library, with the bytes that it returns, or with both."""


@contextmanager
def scripted(script: Script, *, greeting: bytes = b"") -> Iterator[int]:
    """Runs a server for one client that lets everybody in and then does what the script says; yields its port."""

    def serve() -> None:
        client, _peer = listener.accept()
        with client:
            client.sendall(greeting)
            session = sansldap.LDAPServer()
            while data := client.recv(65536):
                for message in session.receive(data):
                    more = b""
                    if isinstance(message, sansldap.BindRequest):
                        session.bind_response(message.message_id)
                    else:
                        more = script(session, message)
                    client.sendall(session.data_to_send() + more)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_quietly, args=(serve,), daemon=True)
        thread.start()
        yield listener.getsockname()[1]


def _quietly(work: Callable[[], None]) -> None:
    with suppress(OSError, sansldap.LDAPError):  # the client went, or was sent nonsense and said so
        work()
