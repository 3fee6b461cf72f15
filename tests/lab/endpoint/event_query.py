# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A structured event query: which channels, and which of their events."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from .event_node import Node
from .event_xpath import compile_xpath

Test = Callable[[Node], bool]


class QueryError(ValueError):
    """The query can't be understood."""


@dataclass(frozen=True)
class Selection:
    """What is wanted from one channel: any of ``wanted``, none of ``unwanted``."""

    channel: str
    wanted: tuple[Test, ...]
    unwanted: tuple[Test, ...] = ()

    def takes(self, event: Node) -> bool:
        """Whether an event is selected."""
        return any(test(event) for test in self.wanted) and not any(test(event) for test in self.unwanted)


def parse_query(element: ET.Element | None, now: Callable[[], datetime]) -> list[Selection]:
    """Read a QueryList, given as the child of the filter.

    Args:
        element: The QueryList element.
        now: The clock of the host.

    Raises:
        QueryError: It is none.
    """
    if element is None or _local(element) != "QueryList":
        raise QueryError("no QueryList")
    wanted: dict[str, list[Test]] = {}
    unwanted: dict[str, list[Test]] = {}
    for query in element:
        if _local(query) != "Query":
            raise QueryError(f"unexpected {query.tag}")
        for part in query:
            target = {"Select": wanted, "Suppress": unwanted}.get(_local(part))
            channel = part.get("Path") or query.get("Path")
            if target is None or not channel:
                raise QueryError("a Query holds Select and Suppress elements with a Path")
            try:
                test = compile_xpath(part.text or "", now)
            except ValueError as error:
                raise QueryError(str(error)) from error
            target.setdefault(channel, []).append(test)
    if not wanted:
        raise QueryError("nothing is selected")
    return [Selection(channel, tuple(tests), tuple(unwanted.get(channel, ()))) for channel, tests in wanted.items()]


def _local(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]
