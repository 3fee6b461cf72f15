# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module rollout_lock: folders and a registry key on the host that all runs share.

A run writes who it is, as a claim to a number, before it tries to make the folder of that number, and takes the claim
back when another was faster. So there is never a lock without an owner, at whatever moment a run is killed.
"""

from __future__ import annotations

import getpass
import json
import ntpath
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.entsso.password_sync.plugins.module_utils import _rollout_lock
from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    AccessDenied,
    OperationFailed,
    WsmanFault,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._names import ROLLOUT_LOCK_FOLDER, ROLLOUT_LOCK_KEY
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import (
    Absent,
    Change,
    Estate,
    Key,
    Observation,
    Operation,
    Present,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._quoting import cmd_path
from ansible_collections.entsso.password_sync.plugins.module_utils._rollout_lock import DesiredLock, LockState
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._cim import wql_string
from ansible_collections.entsso.password_sync.plugins.plugin_utils._resource import Resource, Task, unknown
from ansible_collections.entsso.password_sync.plugins.plugin_utils._system import read_system
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._protected_folder import protected_folder


@dataclass(frozen=True)
class Run:
    """A run of Ansible, as the lock names it.

    Attributes:
        node: Name of the control node.
        process: Its process there.
        started: When that process started, in the kernel's ticks; 0 where the system does not tell.
        owner: All of it for people, with the account.
    """

    node: str
    process: int
    started: int

    @property
    def owner(self) -> str:
        """The run in words, the same in all its tasks and in no other run."""
        return f"{getpass.getuser()} on {self.node} (process {self.process}, {self.started})"

    @classmethod
    def of_this_task(cls) -> Run:
        """Returns the run of this task: Ansible forks a process for each, so the run is the parent."""
        parent = os.getppid()
        return cls(socket.getfqdn(), parent, _started(parent))

    def has_ended(self, here: str) -> bool:
        """Whether the run is known to be over, which only its own control node can know."""
        return self.node == here and _started(self.process) != self.started


class RolloutLockResource(Resource):
    """The lock."""

    def __init__(self, host: Host, task: Task) -> None:
        super().__init__(host, task)
        self.run = Run.of_this_task()
        self.now = read_system(host).local_time
        self.desired = DesiredLock(
            held=task.arguments["state"] == "held",
            owner=self.run.owner,
            minutes=int(task.arguments["minutes"]),
            force=bool(task.arguments["force"]),
        )

    def observe(self) -> Mapping[Key, Observation]:
        try:
            numbers = self._numbers()
            observed: Observation = Present(self._state(max(numbers))) if numbers else Absent()
        except (AccessDenied, WsmanFault) as error:
            observed = unknown(error)
        return {_rollout_lock.key(self.task.subject): observed}

    def plan(self, estate: Estate) -> tuple[Change, ...]:
        return _rollout_lock.plan(self.task.subject, self.desired, self.now, estate)

    def apply(self, change: Change) -> None:
        if change.operation is Operation.DELETE:
            self._remove(self._numbers())
            return
        number = int(str(change.new["number"])) if "number" in change.new else max(self._numbers())
        self._write(number)
        if "number" in change.new:
            self._make(number)
        self._remove([older for older in self._numbers() if older < number])

    def _numbers(self) -> list[int]:
        drive, folder = ntpath.splitdrive(ROLLOUT_LOCK_FOLDER)
        found = self.host.wmi.query(
            "SELECT Name FROM Win32_Directory "
            f"WHERE Drive = {wql_string(drive)} AND Path = {wql_string(folder + chr(92))}"
        )
        names = [ntpath.basename(item.string("Name")) for item in found]
        return [int(name) for name in names if name.isdigit()]

    def _state(self, number: int) -> LockState:
        # A run that was killed while it tried may have left a claim: the lock is free when all who claim it are gone.
        claims = [self._claim(number, name) for name in self._claims(number)]
        own = [claim for claim in claims if claim.owner == self.run.owner]
        return max(own or claims, key=lambda claim: (not claim.ended, claim.expires), default=LockState(number))

    def _claims(self, number: int) -> list[str]:
        return [name for name in self.host.registry.values(ROLLOUT_LOCK_KEY) or () if name.startswith(f"{number} ")]

    def _claim(self, number: int, name: str) -> LockState:
        text = self.host.registry.string(ROLLOUT_LOCK_KEY, name)
        try:
            data = json.loads(text or "{}")
            run = Run(str(data["node"]), int(data["process"]), int(data["started"]))
            return LockState(number, str(data["owner"]), str(data["expires"]), ended=run.has_ended(self.run.node))
        except (ValueError, TypeError, KeyError):
            # Not ours: nobody knows when it ends.
            return LockState(number)

    def _make(self, number: int) -> None:
        # Where every user may make folders, every user could hold the lock.
        protected_folder(self.host, ntpath.basename(ROLLOUT_LOCK_FOLDER))
        result = self.host.run(f"mkdir {cmd_path(self._folder(number))}", deadline=60)
        if result.exit_code != 0:
            self.host.registry.delete_value(ROLLOUT_LOCK_KEY, self._name(number))
            raise OperationFailed(
                self.task.subject,
                "rollout lock",
                "another run has taken it at the same moment",
                "Wait for the end of that rollout, then run again",
                code=result.exit_code,
            )

    def _write(self, number: int) -> None:
        run = self.run
        holder = {
            "node": run.node,
            "process": run.process,
            "started": run.started,
            "owner": run.owner,
            "expires": _rollout_lock.until(self.desired, self.now),
        }
        self.host.registry.create_key(ROLLOUT_LOCK_KEY)
        self.host.registry.set_string(ROLLOUT_LOCK_KEY, self._name(number), json.dumps(holder))

    def _remove(self, numbers: list[int]) -> None:
        for number in sorted(numbers):
            self.host.run(f"rmdir {cmd_path(self._folder(number))}", deadline=60)
        if numbers:
            # Those of runs that were killed before they had removed a folder's claims are there as well.
            for name in self.host.registry.values(ROLLOUT_LOCK_KEY) or ():
                claimed = name.partition(" ")[0]
                if claimed.isdigit() and int(claimed) <= max(numbers):
                    self.host.registry.delete_value(ROLLOUT_LOCK_KEY, name)

    def _name(self, number: int) -> str:
        return f"{number} {self.run.node} {self.run.process} {self.run.started}"

    def _folder(self, number: int) -> str:
        return ntpath.join(ROLLOUT_LOCK_FOLDER, str(number))


def _started(process: int) -> int:
    """When a process of the control node started; 0 when there is none, or the system does not tell."""
    try:
        text = Path(f"/proc/{process}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    # The second field is the program's name in parentheses and may hold anything; the start time is the 22nd.
    fields = text.rpartition(")")[2].split()
    return int(fields[19]) if len(fields) > 19 else 0
