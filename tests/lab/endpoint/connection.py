# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One TCP connection of a client: requests in, answers out, until one side closes it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from lab.backend import Backend

from .authentication import ConnectionAuthentication, Headers
from .counters import Statistics
from .credentials import CredentialStore
from .dispatcher import Client, Dispatcher
from .http11 import HttpError, HttpRequest, read_request, render_response
from .injection import FaultInjection, Kind, Stage
from .sealing import CONTENT_TYPE, UnsealError, is_sealed, seal, unseal
from .settings import EndpointSettings
from .soap import SoapRequest
from .wsman_fault import WsmanFaultError

_SOAP_TYPE = "application/soap+xml;charset=UTF-8"
_FOREIGN_PAGE = b"<html><head><title>Welcome</title></head><body><h1>It works!</h1></body></html>"


@dataclass(frozen=True)
class Host:
    """What a connection needs of its endpoint."""

    backend: Backend
    settings: EndpointSettings
    statistics: Statistics
    faults: FaultInjection
    dispatcher: Dispatcher
    store: CredentialStore


class _DroppedError(Exception):
    """The connection is to be aborted without an answer."""


class Connection:
    """Serves one connection."""

    def __init__(
        self, host: Host, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, encrypted: bool
    ) -> None:
        """Take over a connection that was accepted.

        Args:
            host: The endpoint.
            reader: What the client sends.
            writer: What it gets.
            encrypted: TLS protects the connection.
        """
        self._host = host
        self._reader = reader
        self._writer = writer
        self._encrypted = encrypted
        self._authentication = ConnectionAuthentication(host.store, basic=encrypted and host.settings.basic)
        peer = writer.get_extra_info("peername")
        self._client_address = str(peer[0]) if peer else ""

    async def serve(self) -> None:
        """Serve requests until the connection ends."""
        self._host.statistics.connections += 1
        try:
            while await self._serve_one():
                pass
        except (_DroppedError, OSError):
            self._writer.transport.abort()
        finally:
            self._writer.close()
            with suppress(OSError):
                await self._writer.wait_closed()

    async def _serve_one(self) -> bool:
        """Serve one request; return whether the connection goes on."""
        try:
            async with asyncio.timeout(self._host.settings.idle_connection_timeout):
                request = await read_request(self._reader, self._writer)
        except OSError:  # also the time-out
            return False
        except HttpError as error:
            return await self._send(error.status, close=True)
        if request is None:
            return False
        statistics = self._host.statistics
        statistics.http_requests += 1
        statistics.bytes_received += request.size
        for rule in self._host.faults.take(Stage.REQUEST):
            return await self._send_injected(rule.kind, rule.status, request.keep_alive)
        if request.target.partition("?")[0].lower().rstrip("/") != "/wsman":
            return await self._send(404, close=not request.keep_alive)
        if request.method != "POST":
            return await self._send(405, headers=(("Allow", "POST"),), close=not request.keep_alive)
        verdict = self._authentication.judge(request.headers.get("authorization"), self._host.backend.accounts())
        statistics.logons += verdict.logged_on
        statistics.rejected_logons += verdict.rejected
        if not verdict.accepted:
            return await self._send(401, headers=verdict.headers, close=not request.keep_alive)
        if not request.body:
            return await self._send(200, headers=verdict.headers, close=not request.keep_alive)
        return await self._serve_message(request, verdict.headers)

    async def _serve_message(self, request: HttpRequest, headers: Headers) -> bool:
        sealed = is_sealed(request.headers.get("content-type", ""))
        close = not request.keep_alive
        if sealed:
            try:
                message = unseal(request.body, self._authentication)
            except UnsealError:
                return await self._send(400, headers=headers, close=close)
        elif self._encrypted or self._host.settings.allow_unencrypted:
            message = request.body
        else:
            # AllowUnencrypted=false: HTTP 500 and an empty body, as users report (diyan/pywinrm issues 129 and 208)
            return await self._send(500, headers=headers, close=close)
        if len(message) > self._host.settings.max_envelope_size:
            return await self._send(413, headers=headers, close=close)
        status, answer, end = await self._handle(message)
        self._host.statistics.message_bytes_sent += len(answer)
        content_type = CONTENT_TYPE if sealed else _SOAP_TYPE
        body = seal(answer, self._authentication) if sealed else answer
        going_on = await self._send(status, body, headers=(*headers, ("Content-Type", content_type)), close=close)
        return going_on and not end

    async def _handle(self, message: bytes) -> tuple[int, bytes, bool]:
        """Return status, XML and whether the connection is closed behind the answer's back."""
        statistics = self._host.statistics
        dispatcher = self._host.dispatcher
        request = dispatcher.parse(message)
        action = request.action if isinstance(request, SoapRequest) else ""
        statistics.requests += 1
        statistics.message_bytes_received += len(message)
        statistics.actions.append(action)
        injected: WsmanFaultError | None = None
        for rule in self._host.faults.take(Stage.MESSAGE, action):
            if rule.kind is Kind.DROP:
                raise _DroppedError
            if rule.kind is Kind.DELAY:
                await asyncio.sleep(rule.seconds)
            elif rule.kind is Kind.FAULT:
                injected = WsmanFaultError(rule.code, "w:InternalError", rule.message, receiver=True)
        if injected is not None:
            relates_to = request.message_id if isinstance(request, SoapRequest) else ""
            status, answer = dispatcher.refuse(injected, relates_to)
        else:
            client = Client(self._authentication.user or "", self._client_address)
            status, answer = await dispatcher.answer(request, client)
        end = False
        for rule in self._host.faults.take(Stage.ANSWER, action):
            if rule.kind is Kind.DROP:
                raise _DroppedError
            end = True
        return status, answer, end

    async def _send_injected(self, kind: Kind, status: int, keep_alive: bool) -> bool:
        if kind is Kind.FOREIGN:
            headers = (("Server", "nginx"), ("Content-Type", "text/html"))
            return await self._send(status, _FOREIGN_PAGE, headers=headers, close=not keep_alive)
        page = f"<h2>HTTP Error {status}</h2>".encode()
        return await self._send(status, page, headers=(("Content-Type", "text/html; charset=us-ascii"),), close=True)

    async def _send(self, status: int, body: bytes = b"", *, headers: Headers = (), close: bool = False) -> bool:
        data = render_response(status, body, headers=headers, close=close)
        self._host.statistics.bytes_sent += len(data)
        self._writer.write(data)
        await self._writer.drain()
        return not close
