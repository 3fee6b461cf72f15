# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recordings of real Windows servers, and a reader of its own (minidom) to compare our codecs with."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.dom import minidom

import pytest
import yaml

SOAP = "http://www.w3.org/2003/05/soap-envelope"
XSI = "http://www.w3.org/2001/XMLSchema-instance"

_REPOSITORY = Path(__file__).resolve().parents[2]


def folder() -> Path:
    """The folder of the recordings, from ENTSSO_RECORDINGS or beside the repository."""
    named = os.environ.get("ENTSSO_RECORDINGS")
    return Path(named) if named else _REPOSITORY.parent / "shared" / "recordings"


needed = pytest.mark.skipif(
    not (folder() / "wmi").is_dir(), reason=f"the recordings of Windows servers are not in {folder()}"
)


def read(path: str) -> bytes:
    """Returns one recording."""
    return (folder() / path).read_bytes()


def conversations() -> list[str]:
    """Names of the recorded WinRS conversations."""
    return sorted(path.stem for path in (folder() / "winrs").glob("*.yml"))


@dataclass(frozen=True)
class Message:
    """One recorded exchange: what was sent, what came back, with which HTTP status."""

    request: bytes
    response: bytes
    status: int


def conversation(name: str) -> list[Message]:
    """Returns a recorded WinRS conversation."""
    document = yaml.safe_load((folder() / "winrs" / f"{name}.yml").read_text(encoding="utf-8"))
    return [
        Message(
            message["request"].encode(),
            message["response"].encode(),
            message["transport_error"]["code"] if "transport_error" in message else 200,
        )
        for message in document["messages"]
    ]


def enumerations() -> list[str]:
    """Names of the recorded enumerations, for example `server_2008/Win32_Service_star`."""
    return sorted(
        f"{path.parent.name}/{path.name.removesuffix('_000.xml')}" for path in (folder() / "wmi").glob("*/*_000.xml")
    )


def pages(enumeration: str) -> list[bytes]:
    """Returns every message of a recorded enumeration in order."""
    return [path.read_bytes() for path in sorted((folder() / "wmi").glob(f"{enumeration}_[0-9][0-9][0-9].xml"))]


def class_properties(enumeration: str) -> set[str]:
    """Returns the names of the properties that the class has."""
    name = enumeration.rpartition("_")[0]
    return set((folder() / "wmi" / f"{name}.properties").read_text(encoding="utf-8").split())


def elements(node: minidom.Node) -> list[minidom.Element]:
    """Returns the element children of a node."""
    return [child for child in node.childNodes if isinstance(child, minidom.Element)]


def text_of(node: minidom.Node) -> str:
    """Returns all the text in a node."""
    if node.nodeType in (node.TEXT_NODE, node.CDATA_SECTION_NODE):
        return str(node.nodeValue)
    return "".join(text_of(child) for child in node.childNodes)


def rows(page: bytes) -> Iterator[list[tuple[str, str | None]]]:
    """Yields every row of a page as (name, text or None for null), read without our codecs."""
    for items in minidom.parseString(page).getElementsByTagNameNS("*", "Items"):
        for item in elements(items):
            yield [
                (cell.localName, None if cell.getAttributeNS(XSI, "nil") == "true" else text_of(cell))
                for cell in elements(item)
            ]
