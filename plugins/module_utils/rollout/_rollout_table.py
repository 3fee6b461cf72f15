# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a rollout as a table for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.entsso.password_sync.plugins.module_utils._plan import Change
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._domain_controllers import Role
from ansible_collections.entsso.password_sync.plugins.module_utils.report._printable import count, one_line
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_plan import Wave
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_policy import DomainController

_HEADS = ("Wave", "Window", "Domain controller", "Site", "Roles", "At most", "Changes")
_ROLES = {
    Role.SCHEMA: "schema",
    Role.NAMING: "naming",
    Role.RID: "RID",
    Role.INFRASTRUCTURE: "infrastructure",
    Role.PDC: "PDC",
}


def table_lines(waves: Sequence[Wave]) -> list[str]:
    """Returns the lines of the table, its head first; a wave begins with its number."""
    rows = [_HEADS]
    for wave in waves:
        for index, item in enumerate(wave.domain_controllers):
            rows.append(
                (
                    str(wave.number) if not index else "",
                    str(wave.window) if not index else "",
                    one_line(item.name),
                    one_line(item.site),
                    role_words(item) or "-",
                    duration(item.worst_case_seconds),
                    changes_words(item.changes, item.possible),
                )
            )
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADS) - 1)]
    return [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]) for row in rows
    ]


def summary_line(waves: Sequence[Wave], left_out: int) -> str:
    """Returns the plan in one line."""
    number = sum(len(wave.domain_controllers) for wave in waves)
    if not number:
        return f"Nothing to do on {count(left_out, 'domain controller')}."
    restarts = sum(item.restarts for wave in waves for item in wave.domain_controllers)
    windows = waves[-1].window
    worst = duration(sum(wave.worst_case_seconds for wave in waves))
    much = ", ".join((count(len(waves), "wave"), count(restarts, "restart"), f"at most {worst}"))
    return (
        f"{count(number, 'domain controller')} in {much}"
        + (f" in {count(windows, 'maintenance window')}" if windows > 1 else "")
        + (f"; nothing is done on {left_out} more." if left_out else ".")
    )


def role_words(item: DomainController) -> str:
    """Returns what makes a domain controller special, short."""
    if not item.roles_known:
        return "not known"
    words = [word for role, word in _ROLES.items() if role in item.roles]
    return ", ".join([*words, *(["GC"] if item.global_catalog else []), *(["RODC"] if item.read_only else [])])


def changes_words(changes: Sequence[Change], possible: Sequence[Change]) -> str:
    """Returns what is done to a domain controller, in its order."""
    done = [one_line(_words(change)) for change in changes]
    return "; ".join([*done, *(f"if needed {one_line(_words(change))}" for change in possible)])


def _words(change: Change) -> str:
    if change.resource == "domain_controller_restart":
        return "restart"
    version = change.new.get("version")
    if version is not None:
        return f"{change.operation.value} {change.name} {version}"
    values = ", ".join(f"{name}={value}" for name, value in change.new.items())
    return f"{change.operation.value} {change.name}" + (f" ({values})" if values else "")


def duration(seconds: int) -> str:
    """Returns a time for people, rounded up to minutes: `2 h 47 min`."""
    minutes = -(-seconds // 60)
    hours, rest = divmod(minutes, 60)
    return " ".join([*([f"{hours} h"] if hours else []), *([f"{rest} min"] if rest or not hours else [])])
