# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An event as a small tree: what a query is judged on, and what is written to the wire (recordings/eventlog)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC

from lab.backend import EventRecord

from . import names
from .soap import escape


@dataclass(frozen=True)
class Node:
    """An element with attributes, and either text or children."""

    name: str
    text: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    children: tuple[Node, ...] = ()

    def to_xml(self) -> str:
        """Write the element."""
        attributes = "".join(f' {name}="{escape(value)}"' for name, value in self.attributes.items())
        inner = "".join(child.to_xml() for child in self.children) or escape(self.text)
        return f"<{self.name}{attributes}>{inner}</{self.name}>" if inner else f"<{self.name}{attributes}/>"


def event_node(record: EventRecord) -> Node:
    """Return the Event element of a record, without its namespace."""
    classic = all(name is None for name, _value in record.data)
    moment = record.time.astimezone(UTC)
    # Windows writes nine digits of fraction, as recorded
    time_text = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06d}000Z"
    system = (
        Node("Provider", attributes={"Name": record.provider}),
        Node("EventID", str(record.event_id), {"Qualifiers": "0"} if classic else {}),
        Node("Level", str(record.level)),
        Node("Task", "0"),
        Node("Keywords", "0x80000000000000"),
        Node("TimeCreated", attributes={"SystemTime": time_text}),
        Node("EventRecordID", str(record.record_id)),
        Node("Channel", record.channel),
        Node("Computer", record.computer),
        Node("Security"),
    )
    data = tuple(Node("Data", value, {"Name": name} if name is not None else {}) for name, value in record.data)
    return Node("Event", children=(Node("System", children=system), Node("EventData", children=data)))


def event_xml(record: EventRecord, *, rendered: bool) -> str:
    """Write an event.

    Args:
        record: The event.
        rendered: ContentFormat is RenderedText: with RenderingInfo, whose message is the data alone, since the lab has
            no message files.
    """
    children = event_node(record).children
    if rendered:
        message = Node("Message", " ".join(value for _name, value in record.data))
        children += (Node("RenderingInfo", attributes={"Culture": "en-US"}, children=(message,)),)
    return f'<Event xmlns="{names.EVENT}">{"".join(child.to_xml() for child in children)}</Event>'
