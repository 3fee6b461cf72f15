# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All gates of a domain controller together: whether the next one may be touched, and if not, what to do."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from ansible_collections.entsso.password_sync.plugins.module_utils.health._gate import Gate, GateName, Verdict


class State(StrEnum):
    """One word for all gates: the worst there is."""

    FAILED = "failed"
    WAITING = "waiting"
    UNKNOWN = "unknown"
    HEALTHY = "healthy"


_WORST_FIRST = (
    (Verdict.FAILED, State.FAILED),
    (Verdict.WAITING, State.WAITING),
    (Verdict.UNKNOWN, State.UNKNOWN),
)


@dataclass(frozen=True)
class Health:
    """What one look says.

    Attributes:
        gates: Every gate.
        accepted: Gates that may be unknown.
    """

    gates: tuple[Gate, ...]
    accepted: frozenset[GateName] = frozenset()

    @property
    def open(self) -> tuple[Gate, ...]:
        """The gates that keep it from being healthy, the worst first."""
        return tuple(
            gate
            for verdict, _state in _WORST_FIRST
            for gate in self.gates
            if gate.verdict is verdict and not (verdict is Verdict.UNKNOWN and gate.name in self.accepted)
        )

    @property
    def state(self) -> State:
        """One word."""
        verdicts = {gate.verdict for gate in self.open}
        return next((state for verdict, state in _WORST_FIRST if verdict in verdicts), State.HEALTHY)

    @property
    def healthy(self) -> bool:
        """Whether the next domain controller may be touched."""
        return not self.open

    @property
    def taken_as_passed(self) -> tuple[Gate, ...]:
        """The gates that are unknown and accepted as such."""
        return tuple(gate for gate in self.gates if gate.verdict is Verdict.UNKNOWN and gate.name in self.accepted)

    def remedies(self) -> str:
        """Returns what to do, sentences; empty when nothing is to be done."""
        found = dict.fromkeys(gate.remedy.rstrip(".") for gate in self.open if gate.remedy)
        return " ".join(f"{remedy}." for remedy in found)


def without(skipped: Collection[GateName], gates: Collection[Gate]) -> tuple[Gate, ...]:
    """Returns the gates in their order, those that are to be left out as not checked."""
    by_name = {gate.name: gate for gate in gates}
    left_out = {name: Gate(name, Verdict.NOT_CHECKED, "it is left out (`skip`)") for name in skipped}
    return tuple((by_name | left_out)[name] for name in GateName if name in by_name or name in left_out)
