# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the maintenance window of a run ends; pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ansible_collections.entsso.password_sync.plugins.module_utils._plan import PlanError
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_plan import Wave
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_policy import (
    Problem,
    window_problem,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_table import duration


def window_end(given: str | None, seconds: int | None, now: datetime) -> str:
    """Returns when the window of a run ends, ISO 8601 in UTC; empty when there is none.

    Args:
        given: What the run says; a time without a zone is UTC.
        seconds: Length of a window by the policy, which begins with the run where its end is not given.
        now: The time.

    Raises:
        PlanError: What is given is no time.
    """
    if not given:
        return "" if seconds is None else _text(now + timedelta(seconds=seconds))
    try:
        end = datetime.fromisoformat(given)
    except ValueError:
        raise PlanError(
            "Maintenance window",
            f"The end of the maintenance window is {given!r}, which is no time.",
            "Give it as ISO 8601 in UTC, for example 2026-11-22T04:00:00Z.",
        ) from None
    return _text(end if end.tzinfo else end.replace(tzinfo=UTC))


def late_problems(wave: Wave, ends: str, now: datetime) -> tuple[Problem, ...]:
    """Returns which domain controllers of a wave may not be done when the window ends; empty when all fit.

    Args:
        wave: The wave that would start now.
        ends: What `window_end` returned.
        now: The time.
    """
    if not ends:
        return ()
    left = max(int((datetime.fromisoformat(ends) - now).total_seconds()), 0)
    return tuple(
        Problem(
            item.name,
            f"the maintenance window ends at {ends}, in {duration(left)}, and it may take "
            f"{duration(item.worst_case_seconds)}",
            "Run again in the next window: what is done stays done, and an approved plan still holds",
        )
        for item in wave.domain_controllers
        if window_problem(item, left) is not None
    )


def _text(end: datetime) -> str:
    return f"{end.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
