# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Endpoints for many hosts, served by one event loop in one thread."""

from __future__ import annotations

import asyncio
import resource
import ssl
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from lab.backend import Backend

from .connection import Connection, Host
from .counters import Statistics
from .credentials import shared_store
from .dispatcher import Dispatcher
from .injection import FaultInjection
from .settings import EndpointSettings
from .tls import TlsListener

_BACKLOG = 128
_HEAD_LIMIT = 64 * 1024


class Endpoint:
    """The WinRM service of one host at one address."""

    def __init__(
        self,
        server: EndpointServer,
        address: str,
        backend: Backend,
        port: int,
        tls: TlsListener | None,
        settings: EndpointSettings,
        keytab: Path | None = None,
    ) -> None:
        """Describe an endpoint (see ``EndpointServer.add``)."""
        self.address = address
        self.port = port
        self.tls = tls
        self.backend = backend
        self.settings = settings
        self.keytab = keytab.read_bytes() if keytab else b""
        self.statistics = Statistics()
        self.faults = FaultInjection()
        self._server = server
        self._tls_context: ssl.SSLContext | None = tls.context() if tls else None
        self._certificate = tls.der if tls else b""
        self._dispatcher = self._new_dispatcher()
        self._listeners: list[asyncio.Server] = []
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._errors: list[Exception] = []

    @property
    def is_up(self) -> bool:
        """Whether the ports are open."""
        return bool(self._listeners)

    @property
    def open_connections(self) -> int:
        """How many connections of clients are open; one counts until its end has been told to the client."""
        return len(self._connections)

    @property
    def open_shells(self) -> int:
        """How many WinRS shells clients have left open."""
        return self._dispatcher.shells.open_shells

    @property
    def open_enumerations(self) -> int:
        """How many enumerations clients have neither read to the end nor released."""
        return len(self._dispatcher.enumerations)

    @property
    def open_subscriptions(self) -> int:
        """How many event subscriptions clients have not ended."""
        return self._dispatcher.open_subscriptions

    @property
    def errors(self) -> list[Exception]:
        """Exceptions of the backend that no client should ever cause: bugs of the lab."""
        return self._errors + self._dispatcher.errors

    def down(self) -> None:
        """Close the ports, abort every connection, end every process: a host that is off.

        Returns when it is done; called from the server's own thread (by a backend) it is done right after the call.
        """
        self._server.run(self._go_down())

    def up(self) -> None:
        """Open the ports again, with nothing left of what clients had open before."""
        self._server.run(self._go_up())

    async def _go_down(self) -> None:
        listeners = list(self._listeners)
        self._listeners.clear()
        for listener in listeners:
            for opened in listener.sockets:
                asyncio.get_running_loop().remove_reader(opened.fileno())
        # What asyncio has accepted and not yet given to its server would stay open for ever once that is closed.
        await asyncio.sleep(0)
        for listener in listeners:
            listener.close()
        for task, writer in list(self._connections.items()):
            writer.transport.abort()
            task.cancel()
        self._dispatcher.close()
        self._errors += self._dispatcher.errors
        self._dispatcher = self._new_dispatcher()

    async def _go_up(self) -> None:
        if self._listeners:
            return
        plain = await asyncio.start_server(self._accept, self.address, self.port, limit=_HEAD_LIMIT, backlog=_BACKLOG)
        self._listeners.append(plain)
        self.port = plain.sockets[0].getsockname()[1]
        if self.tls is not None:
            secure = await asyncio.start_server(
                self._accept_tls,
                self.address,
                self.tls.port,
                ssl=self._tls_context,
                limit=_HEAD_LIMIT,
                backlog=_BACKLOG,
            )
            self._listeners.append(secure)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._serve(reader, writer, encrypted=False)

    async def _accept_tls(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._serve(reader, writer, encrypted=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, encrypted: bool) -> None:
        task = asyncio.current_task()
        if task is None or not self._listeners:
            writer.transport.abort()
            return
        self._connections[task] = writer
        host = Host(
            self.backend,
            self.settings,
            self.statistics,
            self.faults,
            self._dispatcher,
            self._server.store,
            self.keytab,
            self._certificate,
        )
        try:
            await Connection(host, reader, writer, encrypted=encrypted).serve()
        except asyncio.CancelledError:
            pass  # the host went down
        except Exception as error:
            self._errors.append(error)
            writer.transport.abort()
        finally:
            del self._connections[task]

    def _new_dispatcher(self) -> Dispatcher:
        return Dispatcher(self.backend, self.settings, self.statistics, self.address)


class EndpointServer:
    """Serves any number of endpoints; a context manager."""

    def __init__(self) -> None:
        """Start the thread."""
        _allow_many_files()
        self.store = shared_store()
        self.endpoints: list[Endpoint] = []
        self._loop = asyncio.new_event_loop()
        self._pending: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="lab-endpoints", daemon=True)
        self._thread.start()

    def __enter__(self) -> EndpointServer:
        """Return the server."""
        return self

    def __exit__(self, *_exception: object) -> None:
        """Stop it."""
        self.stop()

    def add(
        self,
        address: str,
        backend: Backend,
        port: int = 5985,
        tls: TlsListener | None = None,
        settings: EndpointSettings | None = None,
        keytab: Path | None = None,
    ) -> Endpoint:
        """Open the ports of a host.

        Args:
            address: Its loopback address.
            backend: The machine.
            port: Port of the http listener; 0 takes a free one (``Endpoint.port`` tells which).
            tls: The https listener, if any (``tls.self_signed`` makes one).
            settings: How WinRM is configured.
            keytab: Keys of the host's own HTTP/ and WSMAN/ principals, when it is in a domain with a KDC.

        Raises:
            OSError: A port can't be opened.
        """
        endpoint = Endpoint(self, address, backend, port, tls, settings or EndpointSettings(), keytab)
        endpoint.up()
        self.endpoints.append(endpoint)
        return endpoint

    def stop(self) -> None:
        """Close everything and end the thread."""
        if not self._thread.is_alive():
            return
        for endpoint in self.endpoints:
            endpoint.down()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        _drain(self._loop)
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something in the loop; wait for it unless the caller is in the loop itself."""
        if threading.current_thread() is self._thread:
            task = self._loop.create_task(work)
            self._pending.add(task)
            task.add_done_callback(self._pending.discard)
            return
        asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=30)


def _drain(loop: asyncio.AbstractEventLoop) -> None:
    """Let cancelled connections end before the loop is closed."""

    async def end(tasks: set[asyncio.Task[Any]]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    loop.run_until_complete(end(asyncio.all_tasks(loop)))


def _allow_many_files() -> None:
    """Raise the soft limit of open files to the hard one: hundreds of hosts have a listener and connections each."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
