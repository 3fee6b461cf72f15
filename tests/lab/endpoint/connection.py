# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One TCP connection of a client: requests in, answers out, until one side closes it."""

from __future__ import annotations

import asyncio
from asyncio.trsock import TransportSocket
from contextlib import suppress
from dataclasses import dataclass
from socket import IPPROTO_TCP, TCP_CORK

from lab.backend import Backend

from . import identify
from .authentication import Channel, ConnectionAuthentication, Headers
from .counters import Logon, Statistics
from .credentials import CredentialStore
from .dispatcher import Client, Dispatcher
from .http11 import HttpError, HttpRequest, read_request, render_response
from .injection import FaultInjection, Kind, Rule, Stage
from .sealing import Sealing, UnsealError, is_sealed, seal, unseal
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
    keytab: bytes
    certificate: bytes
    """Of the https listener, in DER."""


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
        tls = writer.get_extra_info("ssl_object")
        channel = Channel(host.certificate, tls.getpeercert(binary_form=True) or b"") if tls else None
        self._authentication = ConnectionAuthentication(host.store, host.settings, keytab=host.keytab, channel=channel)
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
                request = await read_request(self._reader, self._writer, self._before_body)
        except OSError:  # also the time-out
            return False
        except HttpError as error:
            return await self._send(error.status, close=True)
        if request is None:
            return False
        self._drop_without_power()
        statistics = self._host.statistics
        statistics.http_requests += 1
        statistics.bytes_received += request.size
        for rule in self._host.faults.take(Stage.REQUEST):
            return await self._send_injected(rule, request.keep_alive)
        if request.target.partition("?")[0].lower().rstrip("/") != "/wsman":
            return await self._send(404, close=not request.keep_alive)
        if request.method != "POST":
            return await self._send(405, headers=(("Allow", "POST"),), close=not request.keep_alive)
        if identify.is_anonymous(request.headers):
            return await self._identify(request)
        verdict = self._authentication.judge(request.headers.get("authorization"), self._host.backend.accounts())
        if verdict.logged_on:
            user, scheme = self._authentication.user or "", self._authentication.scheme
            statistics.logons += 1
            statistics.who.append(Logon(user, scheme, self._authentication.mechanism))
        statistics.rejected_logons += verdict.rejected
        if not verdict.accepted:
            return await self._send(verdict.status, headers=verdict.headers, close=not request.keep_alive)
        if not request.body:
            return await self._send(200, headers=verdict.headers, close=not request.keep_alive)
        return await self._serve_message(request, verdict.headers)

    async def _identify(self, request: HttpRequest) -> bool:
        """Answer Identify to one who has not logged on; nothing else is ever answered so."""
        close = not request.keep_alive
        if not identify.is_identify(request.body):
            return await self._send(401, headers=self._authentication.offers, close=close)
        body = identify.answer(self._host.backend, self._host.settings, authenticated=False)
        return await self._send(200, body, headers=(("Content-Type", _SOAP_TYPE),), close=close)

    async def _serve_message(self, request: HttpRequest, headers: Headers) -> bool:
        sealing: Sealing | None = None
        close = not request.keep_alive
        if is_sealed(request.headers.get("content-type", "")):
            try:
                message, sealing = unseal(request.body, self._authentication)
            except UnsealError:
                return await self._send(400, headers=headers, close=close)
        elif self._encrypted or self._host.settings.allow_unencrypted:
            message = request.body
        else:
            # AllowUnencrypted=false: HTTP 500 and an empty body, as users report (diyan/pywinrm issues 129 and 208)
            return await self._send(500, headers=headers, close=close)
        if len(message) > self._host.settings.max_envelope_size:
            return await self._send(413, headers=headers, close=close)
        status, answer, rule = await self._handle(message)
        if not answer:
            return await self._send(status, headers=headers, close=close)
        self._host.statistics.message_bytes_sent += len(answer)
        content_type, body = seal(answer, self._authentication, sealing) if sealing else (_SOAP_TYPE, answer)
        headers = (*headers, ("Content-Type", content_type))
        going_on = await self._send(status, body, headers=headers, close=close, rule=rule)
        return going_on and not (rule and rule.kind is Kind.CLOSE)

    async def _handle(self, message: bytes) -> tuple[int, bytes, Rule | None]:
        """Return status, XML (empty for a bare status) and the fault that acts on the way back."""
        statistics = self._host.statistics
        dispatcher = self._host.dispatcher
        if identify.is_identify(message):
            statistics.requests += 1
            return 200, identify.answer(self._host.backend, self._host.settings, authenticated=True), None
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
            elif rule.kind is Kind.STATUS:
                return rule.status, b"", None
            elif rule.kind is Kind.FAULT:
                injected = rule.error
        if injected is not None:
            relates_to = request.message_id if isinstance(request, SoapRequest) else ""
            status, answer = dispatcher.refuse(injected, relates_to)
        elif self._authentication.user not in self._host.backend.accounts():
            # The domain knows who it is, this host lets them do nothing (MS-WSMV 3.1.4.1.28, code: wsman.md 1.9)
            refusal = WsmanFaultError(5, "w:AccessDenied", "Access is denied. ")
            status, answer = dispatcher.refuse(refusal, request.message_id if isinstance(request, SoapRequest) else "")
        else:
            client = Client(self._authentication.user or "", self._client_address)
            status, answer = await dispatcher.answer(request, client)
        if self._host.faults.when_handled is not None:
            self._host.faults.when_handled()
        self._drop_without_power()
        last: Rule | None = None
        for rule in self._host.faults.take(Stage.ANSWER, action):
            if rule.kind is Kind.DROP:
                raise _DroppedError
            if rule.kind in (Kind.STATUS, Kind.REPLY):
                status, answer = rule.status, rule.content
            last = rule
        return status, answer, last

    def _drop_without_power(self) -> None:
        # The endpoint closes its connections a moment after the power has gone; nothing may happen in that moment.
        if not self._host.backend.is_on():
            raise _DroppedError

    async def _before_body(self, length: int) -> None:
        for _rule in self._host.faults.take(Stage.RECEIVING):
            await self._reader.readexactly(length // 2)
            raise _DroppedError

    async def _send_injected(self, rule: Rule, keep_alive: bool) -> bool:
        status = rule.status
        if rule.kind is Kind.FORGET:
            return await self._send(401, headers=self._authentication.offers, close=not keep_alive)
        if rule.kind is Kind.FOREIGN:
            headers = (("Server", "nginx"), ("Content-Type", "text/html"))
            return await self._send(status, _FOREIGN_PAGE, headers=headers, close=not keep_alive)
        page = f"<h2>HTTP Error {status}</h2>".encode()
        return await self._send(status, page, headers=(("Content-Type", "text/html; charset=us-ascii"),), close=True)

    async def _send(
        self,
        status: int,
        body: bytes = b"",
        *,
        headers: Headers = (),
        close: bool = False,
        rule: Rule | None = None,
    ) -> bool:
        data = render_response(status, body, headers=headers, close=close)
        if rule is not None and rule.kind is Kind.CUT:
            self._writer.write(data[: len(data) - len(body) // 2])
            raise _DroppedError
        if rule is not None and rule.kind is Kind.TRICKLE:
            for position in range(len(data)):
                self._writer.write(data[position : position + 1])
                await self._writer.drain()
                await asyncio.sleep(rule.seconds)
            return not close
        self._host.statistics.bytes_sent += len(data)
        if rule is not None and rule.kind is Kind.CLOSE:
            self._hold_back()
        self._writer.write(data)
        await self._writer.drain()
        return not close

    def _hold_back(self) -> None:
        """Have the end of the connection travel in one segment with the end of the answer.

        A client that has read the answer has then also got the end: it can't send one more request in between.
        """
        socket: TransportSocket = self._writer.get_extra_info("socket")
        socket.setsockopt(IPPROTO_TCP, TCP_CORK, 1)
