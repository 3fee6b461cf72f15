# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Go or no-go of every host as a table for people. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ansible_collections.entsso.password_sync.plugins.module_utils.report._printable import count, one_line

_HEADING = ("host", "go/no-go", "reason")
_MOST_NAMED = 5


@dataclass(frozen=True)
class Row:
    """What is shown of one host.

    Attributes:
        host: Name in the inventory.
        verdict: `go`, `no_go` or `exempt`.
        reasons: What stops the rollout on it; for an exempt host why it is exempt.
        warnings: What is worth knowing.
    """

    host: str
    verdict: str
    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Returns it in the form that the module returns."""
        return {
            "host": self.host,
            "verdict": self.verdict,
            "reasons": list(self.reasons),
            "warnings": list(self.warnings),
        }


_SHOWN = {"go": "go", "no_go": "NO-GO", "exempt": "exempt"}


def table_lines(rows: Sequence[Row]) -> list[str]:
    """Returns the table: one line for each host and each further reason, then each warning with its hosts."""
    cells = [_HEADING]
    for row in rows:
        first, *more = (one_line(reason) for reason in row.reasons or ("",))
        cells.append((one_line(row.host), _SHOWN[row.verdict], first))
        cells += [("", "", reason) for reason in more]
    widths = [max(len(cell[column]) for cell in cells) for column in (0, 1)]
    lines = [f"{host:{widths[0]}}  {verdict:{widths[1]}}  {reason}".rstrip() for host, verdict, reason in cells]
    for warning, hosts in _grouped(rows):
        lines.append(f"warning for {_named(hosts)}: {one_line(warning)}")
    return lines


def summary(rows: Sequence[Row]) -> str:
    """Returns how many hosts are a no-go, and which."""
    refused = [row.host for row in rows if row.verdict == "no_go"]
    looked = [row for row in rows if row.verdict != "exempt"]
    exempt = len(rows) - len(looked)
    apart = f" {exempt} exempt." if exempt else ""
    if refused:
        return f"No-go for {len(refused)} of {count(len(looked), 'host')}: {_named(refused)}.{apart}"
    return f"Go for {'all ' if len(looked) > 1 else ''}{count(len(looked), 'host')}.{apart}"


def _grouped(rows: Iterable[Row]) -> list[tuple[str, list[str]]]:
    grouped: dict[str, list[str]] = {}
    for row in rows:
        for warning in row.warnings:
            grouped.setdefault(warning, []).append(row.host)
    return list(grouped.items())


def _named(hosts: Sequence[str]) -> str:
    if len(hosts) <= _MOST_NAMED:
        return ", ".join(one_line(host) for host in hosts)
    return f"{', '.join(one_line(host) for host in hosts[:_MOST_NAMED])} and {len(hosts) - _MOST_NAMED} more"
