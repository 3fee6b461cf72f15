# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""WS-Enumeration over any source of items: contexts that change at each Pull, answers cut by size."""

from __future__ import annotations

import time
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator

from . import names
from .request_context import Call
from .soap import envelope, new_uuid
from .wsman_fault import fault

_PREFIXES = "s a n w"
_OVERHEAD = 1100
"""Characters of an EnumerateResponse or PullResponse around its items, rounded up."""


class Cursor:
    """Items not sent yet, each already XML."""

    def __init__(self, resource_uri: str, items: Iterable[str]) -> None:
        """Start at the first item; the source is read as far as it is asked for."""
        self.resource_uri = resource_uri
        self.touched = time.monotonic()
        self._items: Iterator[str] = iter(items)
        self._ahead: str | None = next(self._items, None)

    @property
    def finished(self) -> bool:
        """Whether nothing is left."""
        return self._ahead is None

    def take(self, most: int, characters: int) -> list[str]:
        """Return the next items that fit.

        Raises:
            WsmanFaultError: Not even one fits.
        """
        self.touched = time.monotonic()
        batch: list[str] = []
        room = characters - _OVERHEAD
        while self._ahead is not None and len(batch) < most:
            room -= len(self._ahead)
            if room < 0:
                if not batch:
                    raise fault("envelope_exceeded")
                break
            batch.append(self._ahead)
            self._ahead = next(self._items, None)
        return batch


class Enumerations:
    """The open enumerations of one endpoint."""

    def __init__(self) -> None:
        """Start with none."""
        self._cursors: dict[str, Cursor] = {}

    def __len__(self) -> int:
        """Return how many are open."""
        return len(self._cursors)

    def enumerate(self, call: Call, items: Iterable[str]) -> str:
        """Answer an Enumerate; without OptimizeEnumeration no item comes with it."""
        request = call.request
        body = request.payload
        optimised = body is not None and body.find(f"{{{names.WSMAN}}}OptimizeEnumeration") is not None
        cursor = Cursor(request.resource_uri, items)
        content = ""
        if optimised:
            most = _maximum(body, names.WSMAN)
            if call.settings.first_items is not None:
                most = min(most, call.settings.first_items)
            content = f"<w:Items>{''.join(cursor.take(most, call.character_limit))}</w:Items>"
        if optimised and cursor.finished:
            context, end = "", "<w:EndOfSequence/>"
        else:
            context, end = self._remember(cursor), ""
        return envelope(
            f"{names.ENUMERATE}Response",
            request.message_id,
            f"<n:EnumerateResponse><n:EnumerationContext>{context}</n:EnumerationContext>{content}{end}"
            "</n:EnumerateResponse>",
            _PREFIXES,
        )

    def pull(self, call: Call) -> str:
        """Answer a Pull: the old context is void, the new one is in the answer unless it is the last."""
        self._forget_idle(call.settings.enumeration_timeout)
        request = call.request
        context, most = pull_arguments(request.payload)
        cursor = self._cursors.get(context)
        if cursor is None or cursor.resource_uri != request.resource_uri:
            raise fault("enumeration_context")
        items = "".join(cursor.take(most, call.character_limit))
        del self._cursors[context]
        if cursor.finished:
            body = f"<n:PullResponse><n:Items>{items}</n:Items><n:EndOfSequence/></n:PullResponse>"
        else:
            body = pull_response(self._remember(cursor), items)
        return envelope(f"{names.PULL}Response", request.message_id, body, _PREFIXES)

    def release(self, call: Call) -> str:
        """Answer a Release."""
        context, _most = pull_arguments(call.request.payload)
        if self._cursors.pop(context, None) is None:
            raise fault("enumeration_context")
        return envelope(f"{names.RELEASE}Response", call.request.message_id, "", _PREFIXES)

    def _remember(self, cursor: Cursor) -> str:
        context = f"uuid:{new_uuid()}"
        self._cursors[context] = cursor
        return context

    def _forget_idle(self, limit: float) -> None:
        oldest = time.monotonic() - limit
        for context in [context for context, cursor in self._cursors.items() if cursor.touched < oldest]:
            del self._cursors[context]


def pull_arguments(body: ET.Element | None) -> tuple[str, int]:
    """Return the context and the most items of a Pull or Release; WS-Enumeration's default is one item."""
    if body is None:
        raise fault("invalid_body")
    context = (body.findtext(f"{{{names.ENUMERATION}}}EnumerationContext") or "").strip()
    return context, _maximum(body, names.ENUMERATION)


def pull_response(context: str, items: str) -> str:
    """Write the body of a PullResponse that is not the last."""
    content = f"<n:Items>{items}</n:Items>" if items else "<n:Items/>"
    return f"<n:PullResponse><n:EnumerationContext>{context}</n:EnumerationContext>{content}</n:PullResponse>"


def _maximum(body: ET.Element | None, namespace: str) -> int:
    text = "" if body is None else (body.findtext(f"{{{namespace}}}MaxElements") or "").strip()
    if not text:
        return 1
    if not text.isdigit() or int(text) < 1:
        raise fault("schema")
    return min(int(text), 32_000)
