# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every managed thing has: observe, plan, apply. Verification follows from these and is in `_action.py`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import HostError
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import (
    Change,
    Estate,
    Key,
    Observation,
    Unknown,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host


@dataclass(frozen=True)
class Task:
    """What a resource knows of the task that it serves.

    Attributes:
        subject: The host as the inventory names it.
        arguments: Validated module arguments.
        check_mode: Whether nothing may be changed.
        say: Tells the user something while the task runs.
        warn: Adds a warning to the task.
        find_file: Turns a path of the task into a path on the control node, searching as Ansible users expect.
    """

    subject: str
    arguments: Mapping[str, Any]
    check_mode: bool
    say: Callable[[str], None]
    warn: Callable[[str], None]
    find_file: Callable[[str], str]
    facts: dict[str, Any] = field(default_factory=dict)


class Managed(ABC):
    """One managed thing, wherever it is.

    Attributes:
        shared: Whether several hosts share the object (a domain's), so that check mode must know what was planned
            on the others.
    """

    shared: ClassVar[bool] = False

    def __init__(self, task: Task) -> None:
        self.task = task

    @abstractmethod
    def observe(self) -> Mapping[Key, Observation]:
        """Reads what the plan needs, and nothing that changes the host."""

    @abstractmethod
    def plan(self, estate: Estate) -> tuple[Change, ...]:
        """Returns the changes; pure."""

    @abstractmethod
    def apply(self, change: Change) -> None:
        """Makes one planned change."""

    def tidy(self) -> None:
        """Called in a run that finds nothing to change: removes what a killed run of ours has left; else nothing."""
        return

    def settle(self) -> None:
        """Called in a run that leaves all as wanted, changed or not: waits until others see it too; else nothing.

        Raises:
            HostError: Somebody does not see it.
        """
        return

    def result(self, estate: Estate, changes: tuple[Change, ...]) -> Mapping[str, Any]:
        """Returns what the module returns beyond the changes; by default nothing.

        Args:
            estate: What is judged: what is observed, in check mode before the changes, else after them.
            changes: What a run would still change; empty after an apply.
        """
        return {}


class Resource(Managed):
    """One managed thing on one host."""

    def __init__(self, host: Host, task: Task) -> None:
        super().__init__(task)
        self.host = host


def unknown(error: HostError) -> Unknown:
    """Returns what could not be read, as a clause: whoever tells it adds host and remedy."""
    return Unknown(f"{error.subject}: {error.reason.strip().rstrip('.')}" if error.subject else error.reason)
