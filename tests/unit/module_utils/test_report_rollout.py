# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rollout plan in the report: a picture that says what the table says, and that nothing from a host can break."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._domain_controllers import Role
from ansible_collections.entsso.password_sync.plugins.module_utils.report._printable import one_line
from ansible_collections.entsso.password_sync.plugins.module_utils.report._report_rollout import rollout_section
from ansible_collections.entsso.password_sync.plugins.module_utils.report._report_style import LIGHT, READABLE_ON
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_plan import (
    RolloutPlan,
    plan_rollout,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_policy import Policy, Work
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_progress import (
    Progress,
    Rollout,
    Step,
    step_of,
)
from ansible_collections.entsso.password_sync.tests.unit.module_utils.report_strategies import HOSTILE, texts
from ansible_collections.entsso.password_sync.tests.unit.module_utils.rollout_strategies import (
    FEW,
    Forest,
    changes,
    domain_controller,
    emulator,
    forests,
)

TAGS = {
    *("section", "h2", "p", "div", "table", "caption", "thead", "tbody", "tr", "th", "td", "span"),
    *("svg", "title", "desc", "g", "rect", "line", "text"),
}
ATTRIBUTES = {
    *(
        "id",
        "class",
        "role",
        "tabindex",
        "scope",
        "aria-label",
        "aria-labelledby",
        "xmlns",
        "viewbox",
        "width",
        "height",
    ),
    *(
        "x",
        "y",
        "x1",
        "x2",
        "y1",
        "y2",
        "rx",
        "fill",
        "stroke",
        "stroke-width",
        "text-anchor",
        "font-size",
        "font-weight",
    ),
}


class Page(HTMLParser):
    """Reads a section; fails where a tag is not closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.words: dict[str, list[str]] = {}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.found.append((tag, dict(attrs)))
        self.words.setdefault("/".join(self.open[-2:]), []).append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words["/".join(self.open[-2:])][-1] += data


def page(plan: RolloutPlan) -> Page:
    return Page(rollout_section(rollout(plan)).text)


def rollout(plan: RolloutPlan, steps: Sequence[Step] = ()) -> Rollout:
    return Rollout(plan.policy, plan.waves, len(plan.left_out), tuple(steps))


def example_plan(**policy: object) -> RolloutPlan:
    members = [
        domain_controller("dc01", "Paris", changes=changes("dc01")),
        domain_controller("dc02", "Paris", changes=changes("dc02")),
        domain_controller("dc03", "Lyon", changes=changes("dc03")),
        domain_controller("dc04", "Lyon", changes=changes("dc04"), roles=frozenset({Role.RID})),
        emulator(work=Work.PENDING, changes=changes("pdc"), global_catalog=False),
    ]
    return plan_rollout(members, Policy(**{"max_unavailable_total": 2, "canaries": ("dc02",), **policy}))  # type: ignore[arg-type]


def test_every_box_says_what_it_is() -> None:
    found = page(example_plan())
    assert found.words["g/title"] == [
        "Wave 1, Paris: dc02",
        "Wave 2, Paris: dc01",
        "Wave 2, Lyon: dc03",
        "Wave 3, Lyon: dc04",
        "Wave 4, Headquarters: pdc",
    ]
    assert found.words["g/text"] == ["C", "1", "1", "F", "P"]
    assert "".join(found.words["section/p"]) == (
        "5 domain controllers in 4 waves, 5 restarts, at most 40 min."
        "In the boxes: C: canary; a number: number of domain controllers; F: operations master (FSMO); P: PDC emulator."
    )


def test_two_of_a_site_share_a_box() -> None:
    found = page(example_plan(max_unavailable_per_site=2, max_unavailable_total=3, canaries=()))
    assert "2" not in found.words["g/text"]
    members = [domain_controller(f"dc{number}", "Paris") for number in range(4)]
    found = page(plan_rollout([*members, emulator()], Policy(2, 2)))
    assert found.words["g/text"] == ["2", "2"]
    assert found.words["g/title"][0] == "Wave 1, Paris: dc0, dc2"


def test_the_picture_has_a_name_and_an_alternative() -> None:
    found = page(example_plan())
    (svg,) = [attributes for tag, attributes in found.found if tag == "svg"]
    identifiers = {attributes.get("id") for _tag, attributes in found.found}
    assert svg["role"] == "img"
    assert set(str(svg["aria-labelledby"]).split()) <= identifiers
    regions = [attributes for _tag, attributes in found.found if attributes.get("role") == "region"]
    assert all(region["aria-label"] and region["tabindex"] == "0" for region in regions)
    assert len(regions) == 2
    rows = [row for row in found.words["tr/th"] if row.startswith(("dc", "pdc"))]
    assert rows == ["dc02", "dc01", "dc03", "dc04", "pdc"]
    assert "install PCNS 5.0.1; restart" in found.words["tr/td"]


def test_windows_are_shown_where_there_are_several() -> None:
    found = page(example_plan(window_seconds=1200))
    assert [text for text in found.words["svg/text"] if text.startswith("W") and text[1:].isdigit()] == ["W1", "W2"]
    assert "Maintenance window 2, at most 20 min" in found.words["text/title"]
    assert "Window" in found.words["tr/th"]
    assert "Window" not in page(example_plan()).words["tr/th"]


def test_nothing_to_do_is_a_sentence() -> None:
    plan = plan_rollout([emulator()], Policy())
    found = page(plan)
    assert [tag for tag, _attributes in found.found] == ["section", "h2", "p"]
    assert found.words["section/p"] == ["Nothing to do on 1 domain controller."]


def test_how_far_it_has_come() -> None:
    """dc02 is done, dc01 stopped it, dc03 is installed and waits for its restart, dc04 is as it was, pdc is silent."""
    plan = example_plan()
    left = {"dc02": (), "dc01": changes("dc01"), "dc03": changes("dc03")[1:], "dc04": changes("dc04"), "pdc": None}
    members = [item for wave in plan.waves for item in wave.domain_controllers]
    why = {"dc01": "Set-up of PCNS failed. Read the log"}
    steps = [step_of(item, left[item.name], why.get(item.name, ""), "WinRM does not answer") for item in members]
    assert [step.progress for step in steps] == [
        Progress.DONE,
        Progress.STOPPED,
        Progress.HALF_WAY,
        Progress.UNTOUCHED,
        Progress.UNKNOWN,
    ]
    found = Page(rollout_section(rollout(plan, steps)).text)
    assert found.words["section/p"][1:3] == [
        (
            "Rollout of 5 domain controllers: 1 done; 1 where it stopped: dc01; 1 half-way: dc03; 1 untouched: dc04; "
            "1 not known: pdc."
        ),
        (
            "Next: Do what is said for dc01 and run again: what is done is not done again, and an approved plan still "
            "holds."
        ),
    ]
    assert found.words["td/span"] == ["done", "the rollout stopped here", "half-way", "untouched", "not known"]
    assert found.words["td/p"] == [
        "Set-up of PCNS failed. Read the log.",
        "still to do: restart.",
        "WinRM does not answer.",
    ]


def test_one_that_was_refused_says_why() -> None:
    found = Page(rollout_section(Rollout(Policy(), (), refused="dc02: it does not answer")).text)
    assert found.words["section/p"] == [
        "No domain controller was changed by the rollout.",
        "dc02: it does not answer.",
        "Next: Mend what is named, or plan anew, and run again.",
    ]


def test_colours_are_those_of_the_page_and_readable() -> None:
    text = rollout_section(rollout(example_plan(window_seconds=1200))).text
    used = set(re.findall(r'(?:fill|stroke)="([^"]*)"', text))
    assert used
    assert all(re.fullmatch(r"var\(--[a-z-]+\)", colour) and colour[6:-1] in LIGHT for colour in used), used
    box = re.compile(r'<g>.*?<rect[^>]*fill="var\(--([a-z-]+)\)"[^>]*></rect><text[^>]*fill="var\(--([a-z-]+)\)"')
    pairs = box.findall(text)
    assert len(pairs) == 5
    # Contrast is the same in both directions. Head and site names stand on the card and on the bands.
    for fill, letter in [*pairs, ("card", "text"), ("code", "text")]:
        assert fill in READABLE_ON.get(letter, ()) or letter in READABLE_ON.get(fill, ()), (fill, letter)


@FEW
@given(forests(healthy=True), st.lists(texts, min_size=16, max_size=16))
def test_nothing_from_a_host_becomes_markup(forest: Forest, words: list[str]) -> None:
    members = [
        replace(item, site=item.site + word, changes=changes(word, word))
        for item, word in zip(forest.domain_controllers, words, strict=False)
    ]
    plan = plan_rollout(members, forest.policy)
    _check_is_safe(plan, [Step(item.name, Progress.STOPPED, words[0]) for item in members])


@pytest.mark.parametrize("word", HOSTILE)
def test_hostile_names(word: str) -> None:
    members = [domain_controller(f"dc{word}", word, changes=changes(word, word)), emulator(name=word)]
    _check_is_safe(plan_rollout(members, Policy()))


def _check_is_safe(plan: RolloutPlan, steps: Sequence[Step] = ()) -> None:
    found = Page(rollout_section(rollout(plan, steps)).text)
    for tag, attributes in found.found:
        assert tag in TAGS
        assert set(attributes) <= ATTRIBUTES
        assert "url(" not in str(attributes)
    boxes = [f"{wave.number}, {one_line(item.site)}" for wave in plan.waves for item in wave.domain_controllers]
    assert len(found.words.get("g/title", [])) <= len(boxes)
    for title in found.words.get("g/title", []):
        assert title.removeprefix("Wave ").split(": ")[0] in {box.split(": ")[0] for box in boxes}


def test_a_large_rollout_fits_a_page() -> None:
    """500 one after the other: wide, so it scrolls, and every box has room for its number."""
    members = [domain_controller(f"dc{number:03}", f"site{number % 60}") for number in range(500)]
    plan = plan_rollout([*members, emulator()], Policy())
    text = rollout_section(rollout(plan)).text
    assert text.count("<g>") == 500
    assert len(text) < 500_000
    assert min(float(width) for width in re.findall(r'<g>.*?width="([\d.]+)"', text)) >= 12
