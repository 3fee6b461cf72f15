# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m benchmarks.rollout`: how long it takes to plan a rollout, and how long the plan is."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_file import digest, render_plan
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_plan import plan_rollout
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_policy import Policy
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_table import duration
from ansible_collections.entsso.password_sync.tests.unit.module_utils.rollout_strategies import large_forest


def lines() -> Iterator[str]:
    """Measures plans of 500 domain controllers in 60 sites, one after the other and with more at a time."""
    members = large_forest()
    alone = sum(item.worst_case_seconds for item in members)
    for total in (1, 10, 25, 500):
        started = time.process_time()
        plan = plan_rollout(members, Policy(max_unavailable_total=total))
        digest(render_plan(plan))
        spent = (time.process_time() - started) * 1000
        worst = sum(wave.worst_case_seconds for wave in plan.waves)
        yield (
            f"{total} at a time: {spent:.0f} ms for the plan and its SHA-256, {len(plan.waves)} waves (lower bound "
            f"{plan.lower_bound}), at most {duration(worst)} beside {duration(alone)} one by one"
        )


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in lines())
