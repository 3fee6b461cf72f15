# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a rollout in the HTML report: a picture of the waves by site, and everything in it as a table.

The picture is SVG within the page. Its colours are those of the page's style sheet, set by attributes, since the page's
content security policy allows no style of an element's own. Nothing is said by colour alone, and nothing by the picture
alone: a letter or number stands in each box, and the table holds the same and more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.entsso.password_sync.plugins.module_utils.report._markup import Markup, element
from ansible_collections.entsso.password_sync.plugins.module_utils.report._printable import count, one_line, sentence
from ansible_collections.entsso.password_sync.plugins.module_utils.report._report_html_parts import (
    badge,
    section,
    table,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_plan import Wave
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_policy import (
    DomainController,
    Policy,
    Stage,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_progress import (
    Progress,
    Rollout,
    Step,
    next_step,
    progress_sentence,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_table import (
    changes_words,
    duration,
    role_words,
    summary_line,
)

IDENTIFIER = "rollout"
TITLE = "Rollout"

_ROW, _HEAD, _LABEL = 24, 44, 190
_WIDEST, _NARROWEST, _ROOM = 30, 15, 1000
_LONGEST_LABEL = 26


@dataclass(frozen=True)
class _Look:
    """How boxes of a stage look: letter, colours of box, line and letter, and what it means."""

    letter: str
    fill: str
    line: str
    text: str
    words: str


_LOOKS: Mapping[Stage, _Look] = {
    Stage.CANARY: _Look("C", "var(--warn-tint)", "var(--warn)", "var(--warn)", "canary"),
    Stage.ORDINARY: _Look("", "var(--calm-tint)", "var(--calm)", "var(--calm)", "number of domain controllers"),
    Stage.ROLE_HOLDER: _Look("F", "var(--code)", "var(--text)", "var(--text)", "operations master (FSMO)"),
    Stage.PDC_EMULATOR: _Look("P", "var(--text)", "var(--text)", "var(--card)", "PDC emulator"),
}

_TINTS: Mapping[Progress, str] = {
    Progress.DONE: "good",
    Progress.STOPPED: "bad",
    Progress.HALF_WAY: "warn",
    Progress.UNTOUCHED: "",
    Progress.UNKNOWN: "warn",
}


@dataclass(frozen=True)
class _Grid:
    """Where columns and rows are, in pixels."""

    column: float
    waves: int
    sites: int

    @property
    def width(self) -> float:
        return _LABEL + self.column * self.waves + 8

    @property
    def height(self) -> float:
        return _HEAD + _ROW * self.sites + 8

    def x(self, wave: int) -> float:
        """Returns the left side of a wave's column; the first wave is 0."""
        return _LABEL + self.column * wave

    @staticmethod
    def y(site: int) -> float:
        """Returns the upper side of a site's row."""
        return _HEAD + _ROW * site


def rollout_section(rollout: Rollout) -> Markup:
    """Returns the section of the report."""
    waves = rollout.waves
    told = [f"{progress_sentence(rollout)}."] if rollout.steps or rollout.refused else []
    told += [sentence(rollout.refused)] if rollout.refused else []
    told += [f"Next: {next_step(rollout)}."] if told else []
    state = [element("p", text, class_="note" if rollout.failed else None) for text in told]
    if not waves:
        summary = None if rollout.refused else element("p", summary_line(waves, rollout.left_out))
        return section(IDENTIFIER, TITLE, summary, *state)
    summary = element("p", summary_line(waves, rollout.left_out))
    picture = _picture(rollout.policy, waves)
    return section(
        IDENTIFIER, TITLE, summary, *state, picture, _legend(rollout.policy, waves), _table(waves, rollout.steps)
    )


def _picture(policy: Policy, waves: Sequence[Wave]) -> Markup:
    # Sites in the order in which their turn comes make a staircase that the eye can follow.
    sites = list(dict.fromkeys(item.site for wave in waves for item in wave.domain_controllers))
    grid = _Grid(max(_NARROWEST, min(_WIDEST, _ROOM / len(waves))), len(waves), len(sites))
    label = f"{count(len(waves), 'wave')} from left to right, {count(len(sites), 'site')} from top to bottom"
    drawing = element(
        "svg",
        element("title", "Waves by site", id=f"{IDENTIFIER}-picture"),
        element("desc", f"{label}. The table below holds the same.", id=f"{IDENTIFIER}-picture-text"),
        *_windows(grid, waves),
        *_rows(grid, sites),
        *_numbers(grid, waves),
        *_boxes(grid, policy, waves, sites),
        xmlns="http://www.w3.org/2000/svg",
        role="img",
        aria_labelledby=f"{IDENTIFIER}-picture {IDENTIFIER}-picture-text",
        width=_px(grid.width),
        height=_px(grid.height),
        viewBox=f"0 0 {_px(grid.width)} {_px(grid.height)}",
        font_size="12",
    )
    return element("div", drawing, class_="scroll", role="region", aria_label="Waves by site", tabindex="0")


def _windows(grid: _Grid, waves: Sequence[Wave]) -> Iterator[Markup]:
    """Bands behind the waves of each maintenance window, with its number where there are several."""
    for window in range(1, waves[-1].window + 1):
        columns = [index for index, wave in enumerate(waves) if wave.window == window]
        left, right = grid.x(columns[0]), grid.x(columns[-1] + 1)
        if window % 2 == 0:
            band = {"x": _px(left), "y": "0", "width": _px(right - left), "height": _px(grid.height)}
            yield element("rect", fill="var(--code)", **band)
        if waves[-1].window > 1:
            needed = duration(sum(waves[index].worst_case_seconds for index in columns))
            words = f"Window {window}, at most {needed}"
            short = words if right - left > 7 * len(words) else f"W{window}"
            text = element("title", f"Maintenance {words[0].lower()}{words[1:]}")
            yield element("text", text, short, x=_px(left + 3), y="14", fill="var(--text)")


def _rows(grid: _Grid, sites: Sequence[str]) -> Iterator[Markup]:
    for index, site in enumerate(sites):
        name = one_line(site)
        shown = name if len(name) <= _LONGEST_LABEL else f"{name[: _LONGEST_LABEL - 1]}\N{HORIZONTAL ELLIPSIS}"
        top, middle = grid.y(index), grid.y(index) + _ROW * 0.7
        yield element(
            "line", x1="0", y1=_px(top), x2=_px(grid.width), y2=_px(top), stroke="var(--line)", stroke_width="1"
        )
        yield element("text", element("title", name), shown, x="8", y=_px(middle), fill="var(--text)")


def _numbers(grid: _Grid, waves: Sequence[Wave]) -> Iterator[Markup]:
    """Numbers of the waves, as many as there is room for."""
    yield element("text", "Wave", x="8", y="34", fill="var(--text)")
    step = 1 if grid.column >= 22 else 5
    for index, wave in enumerate(waves):
        if index == 0 or wave.number % step == 0:
            yield element(
                "text",
                str(wave.number),
                x=_px(grid.x(index) + grid.column / 2),
                y="34",
                text_anchor="middle",
                fill="var(--text)",
            )


def _boxes(grid: _Grid, policy: Policy, waves: Sequence[Wave], sites: Sequence[str]) -> Iterator[Markup]:
    rows = {site: index for index, site in enumerate(sites)}
    for column, wave in enumerate(waves):
        members: dict[str, list[DomainController]] = {}
        for item in wave.domain_controllers:
            members.setdefault(item.site, []).append(item)
        for site, items in members.items():
            yield _box(grid, column, rows[site], wave, items, _LOOKS[max(policy.stage(item) for item in items)])


def _box(grid: _Grid, column: int, row: int, wave: Wave, items: Sequence[DomainController], look: _Look) -> Markup:
    left, top = grid.x(column), grid.y(row)
    names = ", ".join(one_line(item.name) for item in items)
    return element(
        "g",
        element("title", f"Wave {wave.number}, {one_line(items[0].site)}: {names}"),
        element(
            "rect",
            x=_px(left + 1.5),
            y=_px(top + 3),
            width=_px(grid.column - 3),
            height=_px(_ROW - 6),
            rx="3",
            fill=look.fill,
            stroke=look.line,
            stroke_width="1",
        ),
        element(
            "text",
            look.letter or str(len(items)),
            x=_px(left + grid.column / 2),
            y=_px(top + _ROW * 0.68),
            text_anchor="middle",
            font_weight="600",
            fill=look.text,
        ),
    )


def _legend(policy: Policy, waves: Sequence[Wave]) -> Markup:
    stages = sorted({policy.stage(item) for wave in waves for item in wave.domain_controllers})
    words = "; ".join(f"{_LOOKS[stage].letter or 'a number'}: {_LOOKS[stage].words}" for stage in stages)
    windows = " W and a number: maintenance window." if waves[-1].window > 1 else ""
    return element("p", f"In the boxes: {words}.{windows}", class_="muted small")


def _table(waves: Sequence[Wave], steps: Sequence[Step]) -> Markup:
    windows = waves[-1].window > 1
    heads = [
        "Wave",
        *(("Window",) if windows else ()),
        "Domain controller",
        *(("State",) if steps else ()),
        "Site",
        "Roles",
        "At most",
        "Changes",
    ]
    found = {step.name: step for step in steps}
    body = [
        element(
            "tr",
            element("td", str(wave.number)),
            element("td", str(wave.window)) if windows else None,
            element("th", one_line(item.name), scope="row"),
            _state(found.get(item.name)) if steps else None,
            element("td", one_line(item.site)),
            element("td", role_words(item) or "-"),
            element("td", duration(item.worst_case_seconds), class_="tally"),
            element("td", changes_words(item.changes, item.possible) or "-", class_="text"),
        )
        for wave in waves
        for item in wave.domain_controllers
    ]
    return table("Domain controllers wave by wave", heads, body)


def _state(step: Step | None) -> Markup:
    if step is None:
        return element("td", "-")
    why = element("p", sentence(step.why), class_="small") if step.why else None
    return element("td", badge(step.progress.value, _TINTS[step.progress]), why, class_="text" if why else None)


def _px(value: float) -> str:
    """Returns a length without needless digits."""
    return f"{value:.1f}".removesuffix(".0")
