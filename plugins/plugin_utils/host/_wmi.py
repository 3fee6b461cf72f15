# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`host.wmi`: instances, queries and methods of WMI over WS-Management."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    ConnectionLost,
    HostError,
    HostUnreachable,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.codec import _cim as cim
from ansible_collections.entsso.password_sync.plugins.module_utils.codec import _soap as soap
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._cim_instance import CimInstance
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._fault_table import Recovery
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._deadline import Deadline
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._wsman import Repeat, Wsman

QUERY_DEADLINE = 300.0
"""Seconds for a query with all its parts."""

MAX_ROWS = 100_000
MAX_BYTES = 64 * 1024 * 1024
"""Rows, and bytes of XML, that one query is read up to; the largest of ours, all services, has some hundred rows."""

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
            found = cim.parse_instance(reply, self._client.host, subject)
        except soap.FaultAnswer as error:
            if error.fault.recovery is Recovery.ABSENT:
                return None
            raise
        self._client.identity.look(found)
        return found

    def query(self, wql: str, namespace: str = cim.CIMV2, deadline: float = QUERY_DEADLINE) -> list[CimInstance]:
        """Returns every instance that a WQL query finds, each once.

        A Pull whose answer was lost can't be repeated, since the server's cursor may have moved on; and a server may
        forget an enumeration. Then the query starts again from the beginning, once.

        Args:
            wql: The query.
            namespace: The namespace.
            deadline: Seconds for the whole of it.

        Raises:
            DeadlineExceeded: It was not complete in time.
            HostError: The query, or any part of its result, could not be read. There is no partial result.
        """
        end = self._client.deadline(deadline)
        try:
            return list(self.iterate(wql, namespace, end))
        except ConnectionLost as lost:
            if lost.excess is not None:
                raise self._client.excess_error(lost, _query_name(wql)) from lost
            self._client.reset()
        except soap.FaultAnswer as error:
            if error.fault.recovery is not Recovery.ANEW:
                raise
        try:
            return list(self.iterate(wql, namespace, end))
        except ConnectionLost as lost:
            raise HostUnreachable(
                self._client.host,
                _query_name(wql),
                f"the connection broke twice ({lost.reason})",
                "Run again when the network to the host is stable",
            ) from lost

    def iterate(self, wql: str, namespace: str = cim.CIMV2, deadline: Deadline | None = None) -> Iterator[CimInstance]:
        """Yields instances page by page; releases the enumeration when the caller stops early.

        Raises:
            ConnectionLost: The answer to a Pull was lost.
            HostError: As `query`.
        """
        subject = _query_name(wql)
        host = self._client.host
        end = deadline or self._client.deadline(QUERY_DEADLINE)
        reply = self._client.read(cim.enumerate_request(wql, namespace), subject, deadline=end)
        page = cim.parse_page(reply, host, subject)
        context, empty, rows, size = page.context, 0, 0, len(reply)
        try:
            while True:
                for item in page.items:
                    self._client.identity.look(item)
                    yield item
                context = page.context
                if page.end:
                    return
                rows += len(page.items)
                empty = 0 if page.items else empty + 1
                if empty > _MAX_EMPTY_PAGES:
                    raise soap.unreadable(host, subject, f"{empty} parts of the answer in a row were empty")
                if rows > MAX_ROWS or size > MAX_BYTES:
                    raise soap.unreadable(host, subject, f"the answer does not end after {rows} rows, {size} bytes")
                if end.passed:
                    raise end.error(host, subject, "the end of the answer", f"row {rows}")
                reply = self._client.read(cim.pull_request(context, namespace), subject, Repeat.NEVER, end)
                size += len(reply)
                page = cim.parse_page(reply, host, subject)
        except soap.FaultAnswer as error:
            if error.fault.recovery is not Recovery.ANEW:
                self._release(context, namespace, subject)
            raise
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
        if read_only:
            return cim.parse_output(self._client.read(request, subject), method, self._client.host, subject)
        reply = self._client.write(request, subject)
        return self._client.judged(subject, lambda: cim.parse_output(reply, method, self._client.host, subject))

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
