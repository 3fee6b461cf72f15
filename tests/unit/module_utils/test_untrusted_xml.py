# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""XML that means harm: entities, documents of any size and depth, and what they may cost."""

from __future__ import annotations

import tracemalloc

import pytest

from ansible_collections.entsso.password_sync.plugins.module_utils.codec._untrusted_xml import (
    MAX_DEPTH,
    MAX_ELEMENTS,
    MAX_SIZE,
    parse_untrusted,
)

LAUGHS = "".join(f'<!ENTITY l{number} "{f"&l{number - 1};" * 10}">' for number in range(1, 10))

REFUSED = {
    "billion laughs": f'<!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}]><x>&l9;</x>',
    "quadratic": f'<!DOCTYPE x [<!ENTITY a "{"a" * 100_000}">]><x>{"&a;" * 10_000}</x>',
    "file": '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
    "network": '<!DOCTYPE x [<!ENTITY e SYSTEM "http://127.0.0.1:1/">]><x>&e;</x>',
    "parameter entity": '<!DOCTYPE x [<!ENTITY % p SYSTEM "file:///etc/passwd">%p;]><x/>',
    "external subset": '<!DOCTYPE x PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://127.0.0.1:1/x.dtd"><x/>',
    "default attributes": '<!DOCTYPE x [<!ATTLIST x a CDATA "b">]><x/>',
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("name", REFUSED)
def test_nothing_is_expanded_or_fetched(name: str, encoding: str) -> None:
    with pytest.raises(ValueError, match="document type"):
        parse_untrusted(REFUSED[name].encode(encoding))


@pytest.mark.parametrize("entity", ["&a;", "&nbsp;", "&#0;", "&#xD800;", "&#99999999999;"])
def test_only_the_entities_of_xml_are_known(entity: str) -> None:
    with pytest.raises(ValueError, match="no XML"):
        parse_untrusted(f"<x>{entity}</x>".encode())
    assert parse_untrusted(b"<x>&lt;&gt;&amp;&quot;&apos;&#65;&#x1F600;</x>").text == "<>&\"'A\U0001f600"


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 5_000, 300_000])
def test_depth(depth: int) -> None:
    with pytest.raises(ValueError, match="nested deeper than 64 levels"):
        parse_untrusted(b"<a>" * depth + b"</a>" * depth)


def test_the_deepest_that_is_read() -> None:
    assert parse_untrusted(b"<a>" * MAX_DEPTH + b"</a>" * MAX_DEPTH).tag == "a"


def test_size() -> None:
    with pytest.raises(ValueError, match="the answer has 8,388,609 bytes, more than the 8,388,608 that are read"):
        parse_untrusted(b"<a>" + b" " * (MAX_SIZE - 6) + b"</a>")
    assert parse_untrusted(b"<a>" + b" " * (MAX_SIZE - 7) + b"</a>").tag == "a"


def test_elements() -> None:
    with pytest.raises(ValueError, match="more than the 400,000 elements"):
        parse_untrusted(b"<a>" + b"<b/>" * 2 * MAX_ELEMENTS + b"</a>")


@pytest.mark.parametrize("reply", [b"", b"x", b"<", b"<a>", b"<a/><b/>", b"\xff\xfe", b"\xef\xbb\xbf", b"<\0", b"\0<"])
def test_what_is_no_document(reply: bytes) -> None:
    with pytest.raises(ValueError, match="the answer"):
        parse_untrusted(reply)


def test_memory_is_bounded() -> None:
    """What is refused costs little, and what is read costs no more than some hundred bytes for each element."""
    tracemalloc.start()
    try:
        for document in (REFUSED["quadratic"].encode(), b"<a>" + b"<b/>" * 2 * MAX_ELEMENTS + b"</a>"):
            before = _reset()
            with pytest.raises(ValueError, match="the answer"):
                parse_untrusted(document)
            assert tracemalloc.get_traced_memory()[1] - before < 4 * len(document) + 100_000
        before = _reset()
        assert len(parse_untrusted(b"<a>" + b"<b/>" * 50_000 + b"</a>")) == 50_000
        assert tracemalloc.get_traced_memory()[1] - before < 50_000 * 300
    finally:
        tracemalloc.stop()


def _reset() -> int:
    tracemalloc.reset_peak()
    return tracemalloc.get_traced_memory()[0]
