# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One LDAP connection of a client."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import sansldap
from sansldap import LDAPResultCode

from . import changes
from .logon import Logon
from .matching import UnsupportedFilterError
from .objects import LdapObject
from .tree import NoSuchObjectError, NotHereError, Tree

_START_TLS = "1.3.6.1.4.1.1466.20037"
_RANGE = re.compile(r"^(?P<name>[^;]+);range=(?P<first>\d+)-(?P<last>\d+|\*)$", re.IGNORECASE)
_CHUNK = 65536
_WHEN_NAMED = frozenset({"tokengroups", "netlogon", "msds-ncreplinboundneighbors", "allowedattributeseffective"})
"""Attributes that only come when they are asked for by name."""


@dataclass(frozen=True)
class Service:
    """What all connections of a server share."""

    tree: Callable[[], Tree]
    contexts: Callable[[], Tree]
    """The directory at some time: the naming contexts that a domain controller has do not change."""
    host: str
    accounts: Mapping[str, str]
    tls: ssl.SSLContext | None
    page_limit: int
    value_limit: int
    rejected: Callable[[], None]
    """Called when a password was refused."""
    change: Callable[[str, changes.Request], changes.Verdict]
    """Changes an object for a user."""
    token: Callable[[str], Sequence[bytes]]
    """The SIDs that a user's logon has."""
    state: Callable[[], Mapping[str, tuple[bytes, ...]]]
    """What the rootDSE says of the domain controller at this time, by attribute in lower case."""


class _Session(sansldap.LDAPServer):
    """The library's server, which has no way to send a referral as the result of a search."""

    def refer(self, message_id: int, uri: str) -> None:
        result = sansldap.LDAPResult(LDAPResultCode.REFERRAL, "", "0000202B: RefErr", [uri])
        self._send(sansldap.SearchResultDone(message_id, [], result))
        self._search_requests.remove(message_id)


class Connection:
    """Serves a client until it goes."""

    def __init__(self, connected: socket.socket, service: Service, *, secure: bool) -> None:
        """Take a client.

        Args:
            connected: The connection.
            service: What it connects to.
            secure: Whether TLS begins at once.
        """
        self._socket = connected
        self._service = service
        self._secure = secure
        self._session = _Session()
        self._logon = Logon(service.accounts)
        self._pages: dict[bytes, list[LdapObject]] = {}
        self._sealed_input = bytearray()
        self._input = bytearray()

    def serve(self) -> None:
        """Answer requests."""
        if self._secure:
            self._begin_tls()
        while True:
            data = self._socket.recv(_CHUNK)
            if not data:
                return
            for part in self._opened(data):
                self._input += part
                for message in changes.messages(self._input):
                    if not self._take(message):
                        return

    def _take(self, data: bytes) -> bool:
        """Answer a message; return whether there may be more."""
        request = changes.request_of(data)
        if request is not None:
            self._change(request)
            return True
        try:
            messages = self._session.receive(data)
        except sansldap.ProtocolError as error:
            self._socket.sendall(error.response or b"")
            return False
        for message in messages:
            self._answer(message)
        return True

    def close(self) -> None:
        """End the connection, from any thread."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _opened(self, data: bytes) -> list[bytes]:
        if not self._logon.sealed:
            return [data]
        self._sealed_input += data
        found = []
        while len(self._sealed_input) >= 4:
            size = int.from_bytes(self._sealed_input[:4], "big")
            if len(self._sealed_input) < 4 + size:
                break
            found.append(self._logon.open(bytes(self._sealed_input[4 : 4 + size])))
            del self._sealed_input[: 4 + size]
        return found

    def _answer(self, message: sansldap.LDAPMessage) -> None:
        sealed = self._logon.sealed
        upgrade = False
        if isinstance(message, sansldap.BindRequest):
            self._bind(message)
        elif isinstance(message, sansldap.ExtendedRequest):
            upgrade = message.name == _START_TLS and self._service.tls is not None
            code = LDAPResultCode.SUCCESS if upgrade else LDAPResultCode.UNAVAILABLE
            self._session.extended_response(message.message_id, message.name, result_code=code)
        elif isinstance(message, sansldap.SearchRequest):
            self._search(message)
        data = self._session.data_to_send()
        # The answer that completes a logon is itself not yet sealed (RFC 4513 5.2.1.6).
        self._socket.sendall(self._logon.seal(data) if sealed else data)
        if upgrade:
            self._begin_tls()

    def _bind(self, request: sansldap.BindRequest) -> None:
        verdict = self._logon.bind(request, tls=isinstance(self._socket, ssl.SSLSocket))
        if verdict.code is LDAPResultCode.INVALID_CREDENTIALS:
            self._service.rejected()
        self._session.bind_response(request.message_id, verdict.token, verdict.code, None, verdict.text)

    def _change(self, request: changes.Request) -> None:
        """The library has no such message, so its session does not see it."""
        if self._logon.complete:
            verdict = self._service.change(self._logon.user, request)
        else:
            verdict = changes.Verdict(LDAPResultCode.OPERATIONS_ERROR, "a successful bind must be completed")
        data = changes.response(request.message_id, verdict)
        self._socket.sendall(self._logon.seal(data) if self._logon.sealed else data)

    def _search(self, request: sansldap.SearchRequest) -> None:
        if not request.base_object and request.scope is sansldap.SearchScope.BASE:
            self._send([self._root_dse(self._service.contexts())], request)
            self._session.search_result_done(request.message_id)
            return
        if not self._logon.complete:
            text = "000004DC: LdapErr: DSID-0C090CF8, comment: a successful bind must be completed on the connection"
            self._session.search_result_done(request.message_id, LDAPResultCode.OPERATIONS_ERROR, None, text)
            return
        paging = next((item for item in request.controls if isinstance(item, sansldap.PagedResultControl)), None)
        try:
            if paging is not None and paging.cookie:
                found, references = self._pages.pop(paging.cookie), []
            else:
                hits = self._service.tree().search(request.base_object, request.scope, request.filter)
                found, references = hits.objects, hits.references
        except ValueError as error:
            self._session.search_result_done(request.message_id, LDAPResultCode.INVALID_DN_SYNTAX, None, str(error))
        except NoSuchObjectError:
            self._session.search_result_done(request.message_id, LDAPResultCode.NO_SUCH_OBJECT)
        except NotHereError as elsewhere:
            self._session.refer(request.message_id, str(elsewhere))
        except (UnsupportedFilterError, KeyError) as error:
            self._session.search_result_done(request.message_id, LDAPResultCode.UNWILLING_TO_PERFORM, None, repr(error))
        else:
            self._reply(request, paging, found, references)

    def _reply(
        self,
        request: sansldap.SearchRequest,
        paging: sansldap.PagedResultControl | None,
        found: list[LdapObject],
        references: Sequence[str],
    ) -> None:
        limit = min(paging.size, self._service.page_limit) if paging is not None else self._service.page_limit
        now, later = found[:limit], found[limit:]
        self._send(now, request)
        for uri in references:
            self._session.search_result_reference(request.message_id, [uri])
        code = LDAPResultCode.SUCCESS
        controls: list[sansldap.LDAPControl] = []
        if paging is not None:
            cookie = f"{request.message_id}".encode() if later else b""
            if later:
                self._pages[cookie] = later
            controls.append(sansldap.PagedResultControl(False, len(found), cookie))
        elif later:
            code = LDAPResultCode.SIZE_LIMIT_EXCEEDED
        self._session.search_result_done(request.message_id, code, controls=controls)

    def _send(self, objects: Sequence[LdapObject], request: sansldap.SearchRequest) -> None:
        wanted = [name for name in request.attributes if name != "*"]
        everything = not request.attributes or "*" in request.attributes
        for item in objects:
            names = [*wanted, *(name for name in item.values if everything and name not in _WHEN_NAMED)]
            attributes = [part for name in dict.fromkeys(names) for part in self._attribute(item, name)]
            self._session.search_result_entry(request.message_id, item.dn, attributes)

    def _attribute(self, item: LdapObject, name: str) -> list[sansldap.PartialAttribute]:
        """Return an attribute, and of one with many values a range (MS-ADTS 3.1.1.3.1.3.3)."""
        part = _RANGE.match(name)
        plain = part["name"] if part else name
        values = item.values.get(plain.lower(), ())
        limit = self._service.value_limit
        if not values:
            return []
        if part is None and len(values) <= limit:
            return [sansldap.PartialAttribute(plain, list(values))]
        first = int(part["first"]) if part else 0
        last = int(part["last"]) if part and part["last"] != "*" else len(values)
        end = min(last + 1, first + limit, len(values))
        mark = "*" if end == len(values) else str(end - 1)
        return [sansldap.PartialAttribute(f"{plain};range={first}-{mark}", list(values[first:end]))]

    def _root_dse(self, tree: Tree) -> LdapObject:
        root = tree.configuration.partition(",")[2]
        values = {
            "objectclass": ["top"],
            "configurationnamingcontext": [tree.configuration],
            "defaultnamingcontext": [tree.domain],
            "dnshostname": [self._service.host],
            "namingcontexts": tree.naming_contexts,
            "rootdomainnamingcontext": [root],
            "schemanamingcontext": [f"CN=Schema,{tree.configuration}"],
            "supportedcontrol": [sansldap.PagedResultControl.control_type],
            "supportedldapversion": ["3"],
            "supportedsaslmechanisms": ["GSS-SPNEGO"],
        }
        encoded = {name: tuple(item.encode() for item in items) for name, items in values.items()}
        token = self._service.token(self._logon.user) if self._logon.complete else ()
        return LdapObject("", {**encoded, **self._service.state(), "tokengroups": tuple(token)})

    def _begin_tls(self) -> None:
        if self._service.tls is not None:
            self._socket = self._service.tls.wrap_socket(self._socket, server_side=True)
