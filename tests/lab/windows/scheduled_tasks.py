# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Task Scheduler of one machine: definitions in its XML, and the programs that it runs as SYSTEM.

What a definition may hold: MS-TSCH 2.5. A program that a task started belongs to no WinRM shell; deleting the task
"doesn't interrupt a running program" (windows-commands/schtasks-delete.md).
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.windows.access import SYSTEM
from lab.windows.files import normal
from lab.windows.process import SimulatedProcess
from lab.windows.tools.cmd import run_line

if TYPE_CHECKING:
    from lab.windows.host import SimulatedHost

NAMESPACE = "http://schemas.microsoft.com/windows/2004/02/mit/task"
SYSTEM_ACCOUNT = "NT AUTHORITY\\SYSTEM"
_PARTS = frozenset({"RegistrationInfo", "Triggers", "Settings", "Data", "Principals", "Actions"})
_SWITCHES = frozenset(
    {
        "AllowStartOnDemand",
        "DisallowStartIfOnBatteries",
        "StopIfGoingOnBatteries",
        "AllowHardTerminate",
        "StartWhenAvailable",
        "RunOnlyIfNetworkAvailable",
        "WakeToRun",
        "Enabled",
        "Hidden",
        "RunOnlyIfIdle",
    }
)
_OTHERS = {
    "MultipleInstancesPolicy": re.compile("Parallel|Queue|IgnoreNew|StopExisting"),
    "ExecutionTimeLimit": re.compile(r"P(\d+D)?(T(\d+H)?(\d+M)?(\d+S)?)?"),
    "Priority": re.compile("10|[0-9]"),
}
_BATCH = re.compile(r"[A-Za-z]:\\[^\"]+\.(cmd|bat)", re.IGNORECASE)
_PATH = re.compile(r"[A-Za-z]:\\[^\"<>|*?\r\n]+")


class TaskRefused(Exception):
    """The Task Scheduler does not do it; the text is what schtasks prints."""


@dataclass(frozen=True)
class Definition:
    """One registered task."""

    name: str
    command: str
    arguments: str
    on_demand: bool
    enabled: bool
    runs_on_batteries: bool
    time_limit: str


class TaskScheduler:
    """The tasks of one machine."""

    def __init__(self, host: SimulatedHost) -> None:
        """Starts without a task."""
        self._host = host
        self.tasks: dict[str, Definition] = {}
        """By name in lower case."""
        self.log: list[tuple[str, str]] = []
        """Every task that was started, and the text of the batch file that it ran, for tests."""
        self.exposed: list[str] = []
        """Paths in what ran as SYSTEM into whose folder ordinary users may write: each would hand them the machine."""

    def register(self, name: str, xml: bytes, *, replace: bool) -> None:
        """Takes a definition.

        Raises:
            TaskRefused: It is malformed, the name is taken, or the account may not.
        """
        if self._host.faults.tasks_refused:
            raise TaskRefused("Access is denied.")
        if name.lower() in self.tasks and not replace:
            raise TaskRefused(f'The task name "{name}" already exists.')
        self.tasks[name.lower()] = definition_of(name, xml)

    def run(self, name: str) -> None:
        """Starts a task; that it was attempted is all that is told.

        Raises:
            TaskRefused: There is no such task, or it may not be started on demand.
        """
        task = self._known(name)
        if not (task.enabled and task.on_demand):
            raise TaskRefused("The task is disabled or can't be run on demand.")
        if not self._host.faults.tasks_never_start:
            delay = self._host.faults.task_start_delay
            self._host.surroundings.scheduler.after(delay, lambda: self._start(task))

    def check(self, name: str) -> None:
        """Raises TaskRefused where there is no such task."""
        self._known(name)

    def delete(self, name: str) -> None:
        """Forgets a task; its running program goes on.

        Raises:
            TaskRefused: There is no such task, or the account may not.
        """
        if self._host.faults.tasks_stay:
            raise TaskRefused("Access is denied.")
        del self.tasks[self._known(name).name.lower()]

    def dump(self) -> list[str]:
        """Returns the names of all tasks."""
        return sorted(task.name for task in self.tasks.values())

    def _known(self, name: str) -> Definition:
        found = self.tasks.get(name.lower())
        if found is None:
            raise TaskRefused("The system cannot find the file specified.")
        return found

    def _start(self, task: Definition) -> None:
        host, scheduler = self._host, self._host.surroundings.scheduler
        if not host.power.on or task.name.lower() not in self.tasks:
            return
        line = f"{task.command} {task.arguments}"
        process = SimulatedProcess(line, host.new_process_id(), scheduler, host.process_ended)
        host.processes[process.process_id] = process
        process.stdin.closed = True
        script = self._script(task.arguments)
        self.log.append((task.name, script))
        self.exposed += [
            path for path in _PATH.findall(f"{line}\n{script}") if host.access.users_may_write(normal(path.strip()))
        ]
        if task.command.lower().endswith("cmd.exe") and "/c" in task.arguments.lower():
            line = re.split(r"/c\s*", task.arguments, maxsplit=1, flags=re.IGNORECASE)[1]
        variables = host.variables_of_system()
        write = process.write_out
        process.begin(
            run_line(
                host,
                line,
                r"C:\Windows\System32",
                variables,
                process.stdin,
                write,
                process.write_error,
                host.program_of,
                SYSTEM_ACCOUNT,
            )
        )
        if host.faults.task_killed_after is not None:
            scheduler.after(host.faults.task_killed_after, process.terminate)

    def _script(self, arguments: str) -> str:
        """Returns the batch file that a command line names, empty when it names none."""
        named = _BATCH.search(arguments)
        file = self._host.files.get(named[0]) if named else None
        return (file.content or b"").decode(errors="replace") if file else ""


def definition_of(name: str, xml: bytes) -> Definition:
    """Reads a definition, and refuses what MS-TSCH 2.5 does not allow.

    Raises:
        TaskRefused: It is malformed.
    """
    try:
        root = ET.fromstring(xml)
    except (ET.ParseError, ValueError, LookupError) as error:
        raise TaskRefused(f"The task XML is malformed. {error}") from error
    if root.tag != f"{{{NAMESPACE}}}Task" or any(_local(part) not in _PARTS for part in root):
        raise TaskRefused("The task XML contains an unexpected node.")
    settings = {_local(item): (item.text or "").strip() for item in root.iterfind(f"{{{NAMESPACE}}}Settings/*")}
    for setting, value in settings.items():
        form = _OTHERS.get(setting)
        good = form.fullmatch(value) if form else setting in _SWITCHES and value in ("true", "false")
        if not good:
            raise TaskRefused(f"The task XML contains a value which is incorrectly formatted. {setting}:{value}")
    user = root.findtext(f"{{{NAMESPACE}}}Principals/{{{NAMESPACE}}}Principal/{{{NAMESPACE}}}UserId", "")
    if user != SYSTEM:
        raise TaskRefused("The lab runs tasks as SYSTEM only.")
    action = root.find(f"{{{NAMESPACE}}}Actions/{{{NAMESPACE}}}Exec")
    command = "" if action is None else action.findtext(f"{{{NAMESPACE}}}Command", "")
    if action is None or not command:
        raise TaskRefused("The task XML is missing a required element or attribute. Actions")
    return Definition(
        name,
        command,
        action.findtext(f"{{{NAMESPACE}}}Arguments", ""),
        on_demand=settings.get("AllowStartOnDemand", "true") == "true",
        enabled=settings.get("Enabled", "true") == "true",
        runs_on_batteries=settings.get("DisallowStartIfOnBatteries") == "false"
        and settings.get("StopIfGoingOnBatteries") == "false",
        time_limit=settings.get("ExecutionTimeLimit", "P3D"),
    )


def _local(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]
