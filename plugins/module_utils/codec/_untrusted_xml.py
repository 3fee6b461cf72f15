# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""XML that comes from a host, which is not trusted: no entities, no document types, bounded in size and depth."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

MAX_SIZE = 8 * 1024 * 1024
"""Bytes. Every request asks for answers of 512,000 at most, and Windows counts two for each character (wsman.md 1.5):
UTF-8 needs less than 800,000 for that, and the rest is room for a service that counts otherwise."""

MAX_ELEMENTS = 400_000
"""An element takes some hundred bytes of memory, whatever it takes on the wire."""

MAX_DEPTH = 64
"""The deepest answer on record, a provider's fault, has 11 levels (wsman.md 1.9 a)."""

_DECLARATION = re.compile(r"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)
_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")
_UNMARKED = {b"<\0": "utf-16-le", b"\0<": "utf-16-be"}


def parse_untrusted(reply: bytes) -> ET.Element:
    """Parses a document in UTF-8 or UTF-16.

    The bytes are decoded here and handed over as text, so that no encoding declaration can hide a document type
    declaration; those are refused, and with them every entity that is not one of the five of XML.

    Raises:
        ValueError: It is no XML, or more than any WinRM service sends; the text is a clause about "the answer".
    """
    if len(reply) > MAX_SIZE:
        raise ValueError(f"the answer has {len(reply):,} bytes, more than the {MAX_SIZE:,} that are read")
    document = _decoded(reply)
    if "\0" in document:
        # Not allowed in XML, and the parser would take it for a sign of another encoding.
        raise ValueError("the answer holds a zero character")
    if _DECLARATION.search(document):
        raise ValueError("the answer declares a document type, which no WinRM service does")
    if document.count("<") > 2 * MAX_ELEMENTS:
        raise ValueError(f"the answer has more than the {MAX_ELEMENTS:,} elements that are read")
    parser = ET.XMLParser()
    try:
        parser.feed(document)
        root: ET.Element = parser.close()
    except (ET.ParseError, ValueError) as error:
        raise ValueError(f"the answer is no XML ({error})") from error
    if _deeper(root, MAX_DEPTH):
        raise ValueError(f"the answer is nested deeper than {MAX_DEPTH} levels")
    return root


def _decoded(reply: bytes) -> str:
    encoding = "utf-16" if reply[:2] in _BYTE_ORDER_MARKS else _UNMARKED.get(reply[:2], "utf-8-sig")
    try:
        return reply.decode(encoding)
    except UnicodeDecodeError as error:
        raise ValueError("the answer is neither UTF-8 nor UTF-16") from error


def _deeper(root: ET.Element, limit: int) -> bool:
    level = [root]
    for _level in range(limit):
        level = [child for element in level for child in element]
        if not level:
            return False
    return True
