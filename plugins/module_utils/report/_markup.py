# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTML that can't be forgotten to be escaped: text is `str`, markup is `Markup`, and only `element` makes markup.

The attribute values and the text come from hosts. Tags and attribute names are the caller's own words; none comes
from outside.
"""

from __future__ import annotations

import html
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Union

from ansible_collections.entsso.password_sync.plugins.module_utils.report._printable import printable

_VOID = frozenset({"meta", "br", "hr"})


@dataclass(frozen=True)
class Markup:
    """A piece of HTML; what is in it has been escaped."""

    text: str


Node = Union[Markup, str, None]


def element(tag: str, *children: Node, **attributes: str | bool | None) -> Markup:
    """Returns an element with its children; text and attribute values are escaped.

    Args:
        tag: Name of the element.
        children: Markup as it is, text escaped, `None` left out.
        attributes: `class_` becomes `class`, `aria_label` becomes `aria-label`. `None` and false are left out, true
            stands without a value.
    """
    opening = tag
    for name, value in attributes.items():
        if value is None or value is False:
            continue
        opening += " " + name.rstrip("_").replace("_", "-")
        if value is not True:
            opening += f'="{html.escape(printable(value), quote=True)}"'
    if tag in _VOID:
        return Markup(f"<{opening}>")
    return Markup(f"<{opening}>{join(children).text}</{tag}>")


def join(children: Iterable[Node]) -> Markup:
    """Returns several pieces after one another; text is escaped."""
    return Markup("".join(_render(child) for child in children))


def style(css: str) -> Markup:
    """Returns a style element; `css` is a constant of ours and is not escaped, as HTML wants it."""
    return Markup(f"<style>{css}</style>")


def _render(child: Node) -> str:
    if child is None:
        return ""
    if isinstance(child, Markup):
        return child.text
    return html.escape(printable(child), quote=True)
