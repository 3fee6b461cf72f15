# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The look of the HTML report: colours for light, dark and paper, and the style sheet.

Colours are data, so that a test can compute their contrast. Each has a word beside it on the page: nothing is said
by colour alone.
"""

from __future__ import annotations

from collections.abc import Mapping

LIGHT: Mapping[str, str] = {
    "page": "#f4f5f7",
    "card": "#ffffff",
    "text": "#1b1f24",
    "muted": "#535b66",
    "line": "#d4d8de",
    "code": "#eceef2",
    "link": "#0b57a4",
    "good": "#12652f",
    "good-tint": "#e0f2e5",
    "bad": "#a3161c",
    "bad-tint": "#fbe6e6",
    "warn": "#7d4a00",
    "warn-tint": "#fcefd6",
    "calm": "#44505e",
    "calm-tint": "#e8ebef",
}

DARK: Mapping[str, str] = {
    "page": "#14171b",
    "card": "#1e2227",
    "text": "#e8eaed",
    "muted": "#adb4be",
    "line": "#3a414a",
    "code": "#12151a",
    "link": "#8ec2fa",
    "good": "#84d79b",
    "good-tint": "#17331f",
    "bad": "#ff9d9a",
    "bad-tint": "#431d1e",
    "warn": "#f3c06a",
    "warn-tint": "#3c2c10",
    "calm": "#b9c1cb",
    "calm-tint": "#2c323a",
}

READABLE_ON: Mapping[str, tuple[str, ...]] = {
    "text": ("page", "card", "code", "good-tint", "bad-tint", "warn-tint", "calm-tint"),
    "muted": ("page", "card"),
    "link": ("page", "card"),
    "good": ("card", "good-tint"),
    "bad": ("card", "bad-tint"),
    "warn": ("card", "warn-tint"),
    "calm": ("card", "calm-tint"),
}
"""Which colours of text stand on which grounds; each pair has the contrast that WCAG 2.1 AA asks for (4.5 to 1)."""

_RULES = """
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--text);font:16px/1.5 system-ui,"Segoe UI",Roboto,"Liberation Sans",
"Helvetica Neue",Arial,sans-serif}
.wide{max-width:75rem;margin:0 auto;padding:0 1.5rem}
a{color:var(--link)}
td a{white-space:nowrap}
a:focus-visible,[tabindex]:focus-visible{outline:3px solid var(--link);outline-offset:2px}
h1{font-size:1rem;font-weight:600;margin:0;color:var(--text)}
h2{font-size:1.25rem;margin:2.25rem 0 .75rem}
h3{font-size:1.0625rem;line-height:1.35;margin:.35rem 0 0;overflow-wrap:break-word}
p{margin:.35rem 0}
time{white-space:nowrap}
code,pre{font:.875rem/1.5 ui-monospace,Consolas,"Liberation Mono",Menlo,monospace}
pre{margin:.35rem 0 0;padding:.55rem .75rem;background:var(--code);border:1px solid var(--line);border-radius:.3rem;
white-space:pre-wrap;overflow-wrap:anywhere}
.masthead{border-top:.5rem solid var(--calm);background:var(--card);border-bottom:1px solid var(--line);
padding:1.25rem 0 1.5rem}
.masthead.good{border-top-color:var(--good)}
.masthead.bad{border-top-color:var(--bad)}
.verdict{font-size:2rem;line-height:1.2;font-weight:700;letter-spacing:.01em;margin:.6rem 0 .2rem}
.good .verdict{color:var(--good)}
.bad .verdict{color:var(--bad)}
.lead{font-size:1.125rem;max-width:60rem;margin:.25rem 0 0}
.muted{color:var(--muted)}
.small{font-size:.875rem}
nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;margin:.9rem 0 0;padding:0}
.numbers{display:grid;grid-template-columns:repeat(auto-fit,minmax(8rem,1fr));gap:.75rem;margin:1.5rem 0 0}
.numbers div{background:var(--card);border:1px solid var(--line);border-left:.3rem solid var(--line);
border-radius:.3rem;padding:.6rem .85rem;display:flex;flex-direction:column-reverse;justify-content:flex-end}
.numbers dt{color:var(--muted);font-size:.875rem}
.numbers dd{margin:0;font-size:1.5rem;font-weight:700;line-height:1.25}
.numbers .bad{border-left-color:var(--bad)}
.numbers .warn{border-left-color:var(--warn)}
.numbers .good{border-left-color:var(--good)}
.note{background:var(--warn-tint);border-left:.3rem solid var(--warn);border-radius:.3rem;padding:.6rem .9rem;
margin:.5rem 0}
.finding{background:var(--card);border:1px solid var(--line);border-left:.3rem solid var(--warn);
border-radius:.3rem;padding:1rem 1.15rem;margin:.75rem 0;scroll-margin-top:1rem}
.finding.critical,.finding.high{border-left-color:var(--bad)}
.finding .labels{display:flex;flex-wrap:wrap;gap:.4rem;align-items:center;margin-bottom:.35rem}
.subject{border-top:1px solid var(--line);margin-top:.8rem;padding-top:.6rem}
.subject p{margin:.2rem 0}
.name{font-weight:600;overflow-wrap:anywhere}
.badge{display:inline-block;border-radius:.25rem;padding:.05rem .5rem;font-size:.8125rem;font-weight:600;
white-space:nowrap;background:var(--calm-tint);color:var(--calm);border:1px solid currentColor}
.badge.good{background:var(--good-tint);color:var(--good)}
.badge.bad{background:var(--bad-tint);color:var(--bad)}
.badge.warn{background:var(--warn-tint);color:var(--warn)}
.scroll{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:.3rem}
table{border-collapse:collapse;width:100%;font-size:.9375rem}
caption{text-align:left;padding:.6rem .8rem;color:var(--muted);font-size:.875rem}
th,td{text-align:left;vertical-align:top;padding:.55rem .8rem;border-top:1px solid var(--line)}
thead th{font-size:.8125rem;color:var(--muted);white-space:nowrap;vertical-align:bottom}
tbody th{font-weight:600;overflow-wrap:break-word;max-width:22rem}
tbody th code{font-weight:600;white-space:nowrap}
td.tally{white-space:nowrap;font-variant-numeric:tabular-nums}
td.text{min-width:13rem;overflow-wrap:break-word}
footer{margin:2.5rem 0 2rem;color:var(--muted);font-size:.875rem}
@media (max-width:40rem){
body{font-size:15px}
.wide{padding:0 1rem}
.verdict{font-size:1.6rem}
.numbers{grid-template-columns:repeat(2,1fr)}
th,td{padding:.45rem .6rem}
}
@media print{
body{background:none;font-size:10pt}
.wide{max-width:none;padding:0}
nav{display:none}
.numbers{grid-template-columns:repeat(4,1fr)}
.finding,.numbers div,.note,tr{break-inside:avoid}
h2,thead{break-after:avoid}
.scroll{overflow:visible}
thead{display:table-header-group}
thead th{white-space:normal}
td.text,tbody th{min-width:0}
th,td{padding:.3rem .45rem}
a{color:inherit;text-decoration:none}
.masthead,.badge,.numbers div,.finding,.note,pre{-webkit-print-color-adjust:exact;print-color-adjust:exact}
}
@page{margin:14mm}
"""


def _variables(palette: Mapping[str, str]) -> str:
    return "".join(f"--{name}:{value};" for name, value in palette.items())


# Dark is for screens only: paper is white whatever the screen prefers.
STYLE_SHEET = (
    f":root{{color-scheme:light dark;{_variables(LIGHT)}}}\n"
    f"@media screen and (prefers-color-scheme:dark){{:root{{{_variables(DARK)}}}}}{_RULES}"
)
