# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The WinRM service of one host: takes a message, answers with one."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from lab.backend import Backend

from . import names
from .access import Access, LimitedBackend
from .counters import Statistics
from .enumeration import Enumerations
from .eventing import EventService
from .fault_xml import render_fault
from .request_context import Call
from .settings import EndpointSettings
from .soap import SoapRequest, new_uuid, parse_request
from .winrs import ShellService
from .wmi import WmiService
from .wsman_fault import WsmanFaultError, fault

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Client:
    """Who sent a message."""

    user: str
    address: str


@dataclass
class Dispatcher:
    """Everything that WinRM keeps between requests; a restart makes a new one."""

    backend: Backend
    settings: EndpointSettings
    statistics: Statistics
    address: str
    errors: list[Exception] = field(default_factory=list)
    """What the backend raised where it should not have: a bug of the lab; tests look here."""

    def __post_init__(self) -> None:
        """Set up the resources."""
        self.enumerations = Enumerations()
        self.wmi = WmiService(self.backend, self.enumerations)
        self.shells = ShellService(self.backend, self.statistics)
        self.events = EventService(self.backend)
        self._limited: dict[str, tuple[WmiService, EventService]] = {}

    @property
    def open_subscriptions(self) -> int:
        """How many event subscriptions clients have not ended."""
        return sum(events.open_subscriptions for _wmi, events in ((self.wmi, self.events), *self._limited.values()))

    def parse(self, message: bytes) -> SoapRequest | WsmanFaultError:
        """Read a message; a fault is returned, so that the caller can still answer it."""
        try:
            return parse_request(message)
        except WsmanFaultError as error:
            return error

    async def answer(self, request: SoapRequest | WsmanFaultError, client: Client) -> tuple[int, bytes]:
        """Return the HTTP status and the XML for a request."""
        if isinstance(request, WsmanFaultError):
            return self.refuse(request, request.relates_to)
        call = Call(request, client.user, client.address, self.settings)
        try:
            return 200, self._finish(await self._route(call))
        except WsmanFaultError as error:
            return self.refuse(error, request.message_id)
        except Exception as error:
            _log.exception("The backend of %s failed on %s", self.address, request.action)
            self.errors.append(error)
            return self.refuse(fault("internal"), request.message_id)

    def refuse(self, error: WsmanFaultError, relates_to: str) -> tuple[int, bytes]:
        """Return the HTTP status and the XML of a fault."""
        self.statistics.faults += 1
        return 500, self._finish(render_fault(error, relates_to, self.address, self.backend.computer_name))

    def close(self) -> None:
        """End everything that runs, as a restart does."""
        self.shells.close_all()

    def _finish(self, answer: str) -> bytes:
        if self.settings.activity_id:
            activity = f'<p:ActivityId xmlns:p="{names.WSMV}">{new_uuid()}</p:ActivityId>'
            answer = answer.replace("</a:MessageID>", f"</a:MessageID>{activity}", 1)
        return answer.encode()

    async def _route(self, call: Call) -> str:
        uri = call.request.resource_uri
        access = self.settings.limited.get(call.user.lower())
        wmi, events = (self.wmi, self.events) if access is None else self._seen(call.user.lower(), access)
        if uri.startswith(names.WMI_RESOURCE):
            return wmi.handle(call)
        if uri == names.SHELL_RESOURCE:
            if access is not None and not access.shell:
                raise fault("access_denied")
            return await self.shells.handle(call)
        if uri == names.EVENT_RESOURCE:
            return await events.handle(call)
        raise fault("invalid_resource_uri")

    def _seen(self, user: str, access: Access) -> tuple[WmiService, EventService]:
        """Return the resources as an account with limited rights sees them; its subscriptions last between calls."""
        if user not in self._limited:
            wmi = WmiService(LimitedBackend(self.backend, access), self.enumerations)
            events = EventService(LimitedBackend(self.backend, Access(channels=access.channels)))
            self._limited[user] = (wmi, events)
        return self._limited[user]
