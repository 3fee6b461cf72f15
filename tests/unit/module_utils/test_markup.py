# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTML is escaped unless it was made by `element`."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given

from ansible_collections.entsso.password_sync.plugins.module_utils.report._markup import Markup, element, join, style
from ansible_collections.entsso.password_sync.plugins.module_utils.report._printable import printable
from ansible_collections.entsso.password_sync.tests.unit.module_utils.report_strategies import RELAXED, texts


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def read(markup: Markup) -> _Reader:
    reader = _Reader()
    reader.feed(markup.text)
    reader.close()
    return reader


@RELAXED
@given(texts, texts)
def test_text_and_attributes_come_back_as_they_went_in(text: str, value: str) -> None:
    reader = read(element("p", text, title=value))
    assert reader.tags == [("p", {"title": printable(value)})]
    assert reader.text == printable(text)


def test_children_that_are_markup_are_kept() -> None:
    assert element("p", element("b", "a<b"), None, " & c").text == "<p><b>a&lt;b</b> &amp; c</p>"


def test_attributes_are_named_as_html_names_them() -> None:
    node = element("div", class_="a", aria_label="b", hidden=True, title=None, lang=False)
    assert node.text == '<div class="a" aria-label="b" hidden></div>'


def test_void_elements_have_no_end_tag() -> None:
    assert element("meta", charset="utf-8").text == '<meta charset="utf-8">'


def test_join_escapes_text_only() -> None:
    assert join(["<", Markup("<br>"), None]).text == "&lt;<br>"


def test_style_is_not_escaped() -> None:
    assert style("a>b{}").text == "<style>a>b{}</style>"
