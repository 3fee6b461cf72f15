# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a rollout has come: what every domain controller of the plan is found to be after the run; pure.

It follows from what was observed at the end, never from what a run remembers of itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from ansible_collections.entsso.password_sync.plugins.module_utils._plan import Change
from ansible_collections.entsso.password_sync.plugins.module_utils.report._printable import count, one_line
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_plan import Wave
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_policy import (
    DomainController,
    Policy,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_table import changes_words


class Progress(StrEnum):
    """What has become of a domain controller of the plan."""

    DONE = "done"
    STOPPED = "the rollout stopped here"
    HALF_WAY = "half-way"
    UNTOUCHED = "untouched"
    UNKNOWN = "not known"


@dataclass(frozen=True)
class Step:
    """One domain controller of the plan after the run.

    Attributes:
        name: Its name.
        progress: What has become of it.
        why: Why the rollout stopped there, what is left to be done, or why that is not known; empty otherwise.
    """

    name: str
    progress: Progress
    why: str = ""


@dataclass(frozen=True)
class Rollout:
    """A rollout and how far it has come.

    Attributes:
        policy: What the plan keeps to.
        waves: The plan.
        left_out: Number of domain controllers on which nothing is done.
        steps: What has become of each of the plan.
        refused: Why nothing was begun; empty when it was.
    """

    policy: Policy
    waves: tuple[Wave, ...]
    left_out: int = 0
    steps: tuple[Step, ...] = ()
    refused: str = ""

    def names(self, *progress: Progress) -> list[str]:
        """Returns the domain controllers of which one of these is true, in the order of the plan."""
        return [step.name for step in self.steps if step.progress in progress]

    @property
    def failed(self) -> bool:
        """Whether it was refused, or stopped before its end."""
        return bool(self.refused or self.names(Progress.STOPPED))


def step_of(item: DomainController, now: Sequence[Change] | None, failure: str, unseen: str = "") -> Step:
    """Returns what has become of a domain controller.

    Args:
        item: As it is in the plan.
        now: What would be done to it now; `None` when that is not known.
        failure: Why the rollout stopped there; empty when it did not.
        unseen: Why it is not known what would be done now.
    """
    if failure:
        return Step(item.name, Progress.STOPPED, one_line(failure))
    if now is None:
        return Step(item.name, Progress.UNKNOWN, one_line(unseen))
    if not now:
        return Step(item.name, Progress.DONE)
    left = {(change.resource, change.name, change.operation) for change in now}
    if left >= {(change.resource, change.name, change.operation) for change in item.changes}:
        return Step(item.name, Progress.UNTOUCHED)
    return Step(item.name, Progress.HALF_WAY, f"still to do: {changes_words(now, ())}")


def progress_sentence(rollout: Rollout) -> str:
    """Returns how far the rollout has come, in one sentence without the reasons."""
    if rollout.refused:
        return "No domain controller was changed by the rollout"
    parts = [
        f"{number} {words}{': ' + ', '.join(names) if progress is not Progress.DONE else ''}"
        for progress, words in _WORDS.items()
        if (names := rollout.names(progress)) and (number := len(names))
    ]
    return f"Rollout of {count(len(rollout.steps), 'domain controller')}: {'; '.join(parts)}"


def next_step(rollout: Rollout) -> str:
    """Returns what to do next, in one sentence."""
    if rollout.refused:
        return "Mend what is named, or plan anew, and run again"
    stopped = rollout.names(Progress.STOPPED)
    if stopped:
        return (
            f"Do what is said for {', '.join(stopped)} and run again: what is done is not done again, and an approved "
            "plan still holds"
        )
    unseen = rollout.names(Progress.UNKNOWN)
    if unseen:
        return f"Find out what is the case on {', '.join(unseen)}, then run again"
    if rollout.names(Progress.HALF_WAY, Progress.UNTOUCHED):
        return "Run playbooks/domain_controllers.yml to go on: what is done is not done again"
    return "Nothing, since every domain controller of the plan is done"


_WORDS = {
    Progress.DONE: "done",
    Progress.STOPPED: "where it stopped",
    Progress.HALF_WAY: "half-way",
    Progress.UNTOUCHED: "untouched",
    Progress.UNKNOWN: "not known",
}
