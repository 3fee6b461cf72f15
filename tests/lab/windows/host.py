# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One Windows machine: its parts, and how they act together. Implements ``lab.backend.Backend``."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from lab.backend import ChannelUnreadable, CimValue, EventRecord, Process
from lab.faults import HostFaults
from lab.settings import LabSettings
from lab.windows.access import FolderAccess
from lab.windows.catalog import behaviour_of, program_of
from lab.windows.console import Program
from lab.windows.entsso import SsoServer
from lab.windows.eventlog import EventLog
from lab.windows.files import FileSystem, normal
from lab.windows.identity import HostIdentity
from lab.windows.installer import WindowsInstaller
from lab.windows.lsa import LSA, VALUE, LocalSecurityAuthority
from lab.windows.pcns import QueuedChange
from lab.windows.power import Power
from lab.windows.process import SimulatedProcess
from lab.windows.registry import Registry
from lab.windows.scheduled_tasks import TaskScheduler
from lab.windows.seed import CHANNELS, FOLDERS, seed
from lab.windows.services import Behaviour, ServiceControlManager
from lab.windows.surroundings import Surroundings
from lab.windows.tools.cmd import run_line
from lab.windows.tools.curl import Web
from lab.windows.wmi import Wmi

PENDING_RENAMES = "PendingFileRenameOperations"
SESSION_MANAGER = r"SYSTEM\CurrentControlSet\Control\Session Manager"
TERMINATED_UNEXPECTEDLY = 1067
"""Exit code of a service whose process ended by itself (ERROR_PROCESS_ABORTED)."""


class SimulatedHost:
    """One machine of the estate."""

    def __init__(self, identity: HostIdentity, surroundings: Surroundings) -> None:
        """Makes a machine that has booted once."""
        self.identity = identity
        self.computer_name = identity.name
        self.surroundings = surroundings
        self.settings: LabSettings = surroundings.settings
        self.faults = HostFaults()
        self.boot_time = surroundings.scheduler.now()
        self.registry = Registry()
        self.pcns_queue: list[QueuedChange] = []
        """What is in pcns.dat: changes that a target did not take yet; it outlives the service and a restart."""
        self.files = FileSystem(FOLDERS, lambda: self.faults.disk_full)
        self.access = FolderAccess()
        self.tasks = TaskScheduler(self)
        self.events = EventLog(identity.fqdn, self.now, CHANNELS)
        self.lsa = LocalSecurityAuthority(self.registry, self.files, self.events)
        self._process_ids = itertools.count(1200, 4)
        self.services = ServiceControlManager(
            self.registry,
            self._behaviour,
            self._image_exists,
            self._failing_service,
            self.new_process_id,
            self._service_started,
        )
        self.installer = WindowsInstaller(self)
        self.web = Web()
        """What its curl.exe reaches."""
        self.sso_server: SsoServer | None = None
        """The ENTSSO server's own settings, on machines that have ENTSSO."""
        self.power = Power(self, surroundings.scheduler, self.settings.windows)
        self.processes: dict[int, SimulatedProcess] = {}
        self.process_log: list[str] = []
        """Every command line that was started, for tests."""
        self.session_user = surroundings.operator
        self._wmi = Wmi(self)
        seed(self)
        self.coming_up()

    def now(self) -> datetime:
        """Returns the machine's own idea of the time, UTC."""
        return self.surroundings.scheduler.now() + timedelta(seconds=self.faults.clock_offset_seconds)

    def new_process_id(self) -> int:
        """Returns a process identifier that was not used before."""
        return next(self._process_ids)

    # What WinRM asks (lab.backend.Backend).

    def is_on(self) -> bool:
        """See ``Backend``."""
        return self.power.on

    def accounts(self) -> Mapping[str, str]:
        """See ``Backend``."""
        domain, _unused, name = self.surroundings.operator.partition("\\")
        password = self.surroundings.operator_password
        return {
            f"{domain}\\{name}": password,
            f"{name}@{self.identity.domain}": password,
            **self.surroundings.more_accounts,
        }

    def wmi_instances(self, namespace: str, class_name: str) -> Sequence[Mapping[str, CimValue]] | None:
        """See ``Backend``."""
        with self.surroundings.scheduler.lock:
            return self._wmi.instances(namespace, class_name)

    def wmi_key_names(self, namespace: str, class_name: str) -> Sequence[str]:
        """See ``Backend``."""
        return self._wmi.key_names(namespace, class_name)

    def wmi_invoke(
        self,
        namespace: str,
        class_name: str,
        method: str,
        instance: Mapping[str, CimValue] | None,
        parameters: Mapping[str, Sequence[str]],
    ) -> Mapping[str, CimValue]:
        """See ``Backend``."""
        with self.surroundings.scheduler.lock:
            return self._wmi.invoke(namespace, class_name, method, instance, parameters)

    def event_channel(self, channel: str) -> Sequence[EventRecord] | ChannelUnreadable:
        """See ``Backend``."""
        with self.surroundings.scheduler.lock:
            return self.events.read(channel)

    def start_process(
        self, command_line: str, working_directory: str | None, environment: Mapping[str, str]
    ) -> Process:
        """See ``Backend``."""
        scheduler = self.surroundings.scheduler
        with scheduler.lock:
            folder = normal(working_directory) if working_directory else r"C:\Users\svc-ansible"
            process = SimulatedProcess(command_line, self.new_process_id(), scheduler, self.process_ended)
            self.processes[process.process_id] = process
            self.process_log.append(command_line)
            variables = {**self._environment(), **{name.upper(): value for name, value in environment.items()}}
            job = run_line(
                self,
                command_line,
                folder,
                variables,
                process.stdin,
                process.write_out,
                process.write_error,
                self.program_of,
            )
            process.begin(job)
            return process

    def program_of(self, path: str) -> Program | None:
        """Returns what a program does, None for a file that the lab can't run."""
        return program_of(self, path)

    def variables_of_system(self) -> dict[str, str]:
        """Returns the variables of a process that runs as SYSTEM."""
        domain = self.session_user.partition("\\")[0]
        profile = r"C:\Windows\System32\config\systemprofile"
        own = {"USERDOMAIN": domain, "USERNAME": f"{self.identity.name}$", "USERPROFILE": profile}
        return {**self._environment(), **own}

    def process_ended(self, process: SimulatedProcess) -> None:
        """Forgets a process."""
        self.processes.pop(process.process_id, None)

    # For tests and for the lab itself.

    def run(self, command_line: str, stdin: bytes = b"") -> tuple[int, str, str]:
        """Runs a command line to its end, without WinRM; returns exit code, output and errors.

        Raises:
            TimeoutError: It did not end within a minute of the lab's clock.
        """
        process = self.start_process(command_line, None, {})
        process.write_stdin(stdin)
        process.close_stdin()
        for _unused in range(6000):
            if process.exit_code is not None:
                break
            self.surroundings.scheduler.wait(0.01)
        if process.exit_code is None:
            process.terminate()
            raise TimeoutError(command_line)
        output = process.read()
        streams = {name: b"".join(data for stream, data in output if stream == name) for name in ("stdout", "stderr")}
        return process.exit_code, streams["stdout"].decode(errors="replace"), streams["stderr"].decode(errors="replace")

    def find_program(self, name: str, folder: str) -> str | None:
        """Returns the path of the program that cmd would start for a name, None when there is none."""
        names = [name] if name.lower().endswith((".exe", ".com", ".cmd", ".bat")) else [f"{name}.exe", name]
        absolute = "\\" in name or "/" in name or ":" in name
        folders = [folder] if absolute else [folder, r"C:\Windows\System32", r"C:\Windows"]
        for candidate in (normal(item, place) for place in folders for item in names):
            file = self.files.get(candidate)
            if file is not None:
                return file.path
        return None

    def remove_tree(self, folder: str) -> None:
        """Deletes a folder with everything inside."""
        for file in self.files.inside(folder):
            self.files.delete(file.path)
        names = [
            item
            for item in self.files.checkpoint()[1].values()
            if (item + "\\").lower().startswith(folder.lower() + "\\")
        ]
        for name in sorted(names, key=len, reverse=True):
            self.files.remove_folder(name)

    def delete_at_boot(self, path: str) -> None:
        """Lets a file that is in use disappear at the next boot."""
        before = self.registry.multi_string(SESSION_MANAGER, PENDING_RENAMES) or ()
        self.registry.set_multi_string(SESSION_MANAGER, PENDING_RENAMES, (*before, f"\\??\\{path}", ""))

    @property
    def boot_count(self) -> int:
        """How many times the machine has booted since the lab began."""
        return 1 + self.power.restarts

    def remove_notification_package(self, name: str) -> None:
        """Takes an entry out of `Notification Packages` as somebody does by hand; what is loaded stays loaded."""
        with self.surroundings.scheduler.lock:
            left = [item for item in self.lsa.registered if item.lower() != name.lower()]
            self.registry.set_multi_string(LSA, VALUE, left)

    def power_on(self) -> None:
        """Brings a machine up that stays down."""
        self.power.up()

    def snapshot(self) -> dict[str, object]:
        """Returns the machine's whole state in a form for JSON, without anything that reading or time changes."""
        return {
            "on": self.power.on,
            "boot_time": self.boot_time.isoformat(),
            "registry": self.registry.dump(),
            "files": self.files.dump(),
            "services": self.services.dump(),
            "events": self.events.dump(),
            "lsa": [[item.name, item.path, item.version, item.sha256] for item in self.lsa.loaded],
            "restart_scheduled": self.power.scheduled,
            "tasks": self.tasks.dump(),
            "sso_server": self.sso_server.dump() if self.sso_server else None,
        }

    # What its power does (lab.windows.power.Machine).

    def going_down(self) -> None:
        """See ``Machine``."""
        for process in tuple(self.processes.values()):
            process.terminate()
        self.services.stop_all()
        self.lsa.unload()

    def coming_up(self) -> None:
        """See ``Machine``."""
        self.faults.clock_offset_seconds += self.faults.clock_jump_at_boot
        self.faults.clock_jump_at_boot = 0.0
        self.boot_time = self.now()
        renames = self.registry.multi_string(SESSION_MANAGER, PENDING_RENAMES) or ()
        for source, target in zip(renames[::2], renames[1::2], strict=False):
            if not target:
                self.files.delete(source.removeprefix("\\??\\"))
        self.registry.delete_value(SESSION_MANAGER, PENDING_RENAMES)
        self.lsa.boot(
            audit=self.settings.windows.audit_security_system_extension, blocked_error=self.faults.filter_blocked_error
        )
        self.services.start_all()

    def stays_down(self) -> bool:
        """See ``Machine``."""
        return self.faults.restart_never_returns

    def _behaviour(self, image_path: str) -> Behaviour | None:
        return behaviour_of(self, image_path)

    def _image_exists(self, image_path: str) -> bool:
        return self.files.get(program_path(image_path)) is not None

    def _failing_service(self, name: str) -> int | None:
        return self.faults.services_that_fail.get(name.lower())

    def _service_started(self, name: str) -> None:
        seconds = self.faults.services_that_stop.get(name.lower())
        if seconds is not None:
            self.surroundings.scheduler.after(seconds, lambda: self._service_dies(name))

    def _service_dies(self, name: str) -> None:
        if self.services.is_running(name):
            self.services.end(name, TERMINATED_UNEXPECTEDLY)

    def _environment(self) -> dict[str, str]:
        domain, _unused, name = self.session_user.partition("\\")
        return {
            "SYSTEMROOT": r"C:\Windows",
            "WINDIR": r"C:\Windows",
            "SYSTEMDRIVE": "C:",
            "TEMP": r"C:\Windows\Temp",
            "TMP": r"C:\Windows\Temp",
            "PROGRAMFILES": r"C:\Program Files",
            "COMMONPROGRAMFILES": r"C:\Program Files\Common Files",
            "COMPUTERNAME": self.identity.name,
            "USERDOMAIN": domain,
            "USERNAME": name,
            "USERPROFILE": rf"C:\Users\{name}",
        }


def program_path(image_path: str) -> str:
    """Returns the program of an ImagePath: what is in quotes, or what stands before the first argument."""
    text = image_path.strip()
    if text.startswith('"'):
        return normal(text[1:].partition('"')[0])
    head, found, _unused = text.partition(".exe")
    return normal(head + ".exe" if found else text)
