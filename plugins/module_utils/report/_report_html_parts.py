# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of the HTML report that its sections share: a section, a table, a badge, a time."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ansible_collections.entsso.password_sync.plugins.module_utils.judge._finding import Status
from ansible_collections.entsso.password_sync.plugins.module_utils.report._markup import Markup, Node, element
from ansible_collections.entsso.password_sync.plugins.module_utils.report._printable import one_line

_UTC = re.compile(r"(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2})(?:\.\d+)?Z")

STATUS_NAMES: Mapping[Status, str] = {
    Status.COMPLIANT: "Compliant",
    Status.DRIFT: "Drift",
    Status.MANUAL: "Manual",
    Status.UNKNOWN: "Unknown",
    Status.WAIVED: "Waived",
    Status.EXEMPT: "Exempt",
    Status.NOT_APPLICABLE: "Not applicable",
}


def section(identifier: str, title: str, *content: Node) -> Markup:
    """Returns a landmark with its heading; links reach it by its identifier."""
    heading = element("h2", title, id=f"{identifier}-title")
    return element("section", heading, *content, id=identifier, aria_labelledby=f"{identifier}-title")


def table(caption: str, heads: Sequence[str], body: Sequence[Markup]) -> Markup:
    """Returns a table in a region of its own, which scrolls sideways where the screen is narrow.

    Args:
        caption: What the table shows.
        heads: Headings of the columns.
        body: Its rows.
    """
    grid = element(
        "table",
        element("caption", caption),
        element("thead", element("tr", *(element("th", head, scope="col") for head in heads))),
        element("tbody", *body),
    )
    return element("div", grid, class_="scroll", role="region", aria_label=caption, tabindex="0")


def badge(text: str, tint: str = "") -> Markup:
    """Returns a word in a box; `tint` is `good`, `bad`, `warn` or empty."""
    return element("span", text, class_=f"badge {tint}".strip())


def utc_time(moment: str) -> Node:
    """Returns an ISO 8601 time in UTC for people and programs; anything else as it is."""
    match = _UTC.fullmatch(moment)
    if match is None:
        return one_line(moment) or "a time that is not known"
    return element("time", f"{match.group(1)} {match.group(2)} UTC", datetime=moment)
