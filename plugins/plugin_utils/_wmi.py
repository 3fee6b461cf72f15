# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`host.wmi`: instances, queries and methods of WMI over WS-Management."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ansible_collections.entsso.password_sync.plugins.module_utils import _cim as cim
from ansible_collections.entsso.password_sync.plugins.module_utils import _soap as soap
from ansible_collections.entsso.password_sync.plugins.module_utils._cim_instance import CimInstance
from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    ConnectionLost,
    HostError,
    HostUnreachable,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils._wsman import Repeat, Wsman

_MAX_EMPTY_PAGES = 20


class Wmi:
    """WMI of one host. Every Get and Invoke is one exchange; a query is one and one more for each further page."""

    def __init__(self, client: Wsman) -> None:
        self._client = client

    def get(
        self, class_name: str, selectors: Mapping[str, str] | None = None, namespace: str = cim.CIMV2
    ) -> CimInstance | None:
        """Returns one instance, None when it does not exist.

        Args:
            class_name: The class.
            selectors: All keys; none for a singleton.
            namespace: The namespace.

        Raises:
            HostError: It could not be read.
        """
        subject = _name(class_name, selectors)
        reply = self._client.read(cim.get_request(class_name, selectors, namespace), subject)
        try:
            return cim.parse_instance(reply, self._client.host, subject)
        except soap.FaultAnswer as error:
            if error.fault.not_found:
                return None
            raise

    def query(self, wql: str, namespace: str = cim.CIMV2) -> list[CimInstance]:
        """Returns every instance that a WQL query finds.

        Raises:
            HostError: The query, or any part of its result, could not be read. There is no partial result.
        """
        try:
            return list(self.iterate(wql, namespace))
        except ConnectionLost:
            # A Pull whose answer was lost can't be repeated: the server's cursor may have moved on.
            self._client.reset()
        try:
            return list(self.iterate(wql, namespace))
        except ConnectionLost as lost:
            raise HostUnreachable(
                self._client.host,
                _query_name(wql),
                f"the connection broke twice ({lost.reason})",
                "Run again when the network to the host is stable",
            ) from lost

    def iterate(self, wql: str, namespace: str = cim.CIMV2) -> Iterator[CimInstance]:
        """Yields instances page by page; releases the enumeration when the caller stops early.

        Raises:
            ConnectionLost: The answer to a Pull was lost.
            HostError: As `query`.
        """
        subject = _query_name(wql)
        host = self._client.host
        page = cim.parse_page(self._client.read(cim.enumerate_request(wql, namespace), subject), host, subject)
        context, empty = page.context, 0
        try:
            while True:
                yield from page.items
                context = page.context
                if page.end:
                    return
                empty = 0 if page.items else empty + 1
                if empty > _MAX_EMPTY_PAGES:
                    raise soap.unreadable(host, subject, f"{empty} parts of the answer in a row were empty")
                reply = self._client.read(cim.pull_request(context, namespace), subject, Repeat.NEVER)
                page = cim.parse_page(reply, host, subject)
        except (HostError, GeneratorExit):
            self._release(context, namespace, subject)
            raise

    def invoke(
        self,
        class_name: str,
        method: str,
        parameters: Mapping[str, cim.CimParameter] | None = None,
        selectors: Mapping[str, str] | None = None,
        namespace: str = cim.CIMV2,
        *,
        read_only: bool = False,
    ) -> CimInstance:
        """Calls a method and returns its output, `ReturnValue` included.

        Args:
            class_name: The class.
            method: The method; case-sensitive.
            parameters: Input parameters in the order of the method's schema; names are case-sensitive.
            selectors: All keys; none for a static method.
            namespace: The namespace.
            read_only: Whether the method changes nothing, so that it may be repeated.

        Raises:
            OutcomeUnknown: It may have run, and is not `read_only`.
            HostError: It could not be called.
        """
        subject = f"{_name(class_name, selectors)}.{method}"
        request = cim.invoke_request(class_name, method, parameters, selectors, namespace)
        reply = self._client.read(request, subject) if read_only else self._client.write(request, subject)
        return cim.parse_output(reply, method, self._client.host, subject)

    def _release(self, context: str, namespace: str, subject: str) -> None:
        """Tells the host that no more is wanted; it drops the enumeration by itself after some minutes anyway."""
        if not context:
            return
        try:
            self._client.read(cim.release_request(context, namespace), subject, Repeat.NEVER)
        except (HostError, ConnectionLost):
            return


def _name(class_name: str, selectors: Mapping[str, str] | None) -> str:
    return " ".join((class_name, *(selectors or {}).values()))


def _query_name(wql: str) -> str:
    return f"WQL query {wql!r}" if len(wql) <= 120 else f"WQL query {wql[:117]!r}..."
