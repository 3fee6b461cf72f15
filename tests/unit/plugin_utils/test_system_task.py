# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands as SYSTEM on a simulated host, over the wire: what comes back, what stays, and what is said of failures."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from unit.plugin_utils.time_lapse import Stage, stage

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    OperationFailed,
    OutcomeUnknown,
    Unquotable,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._command import CommandResult, RunAs
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._protected_folder import PROTECTED_ROOT
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._system_task import system_task
from lab.settings import LabSettings
from lab.windows.access import ADMINISTRATORS, SYSTEM
from lab.windows.console import Invocation, Job, Program, Sleep, instant

NAME = "system-task-0123456789abcdef"


class Interrupted(BaseException):
    """Somebody ends the run."""


class Probe:
    """A program that remembers how it was called."""

    def __init__(self, seconds: float = 0.0, code: int = 3010, out: bytes = b"out\r\n", error: bytes = b"") -> None:
        self.calls: list[Invocation] = []
        self.ended = 0
        self._seconds = seconds
        self._code = code
        self._out = out
        self._error = error

    def __call__(self, call: Invocation) -> Job:
        self.calls.append(call)
        call.write_out(self._out)
        call.write_error(self._error)
        yield Sleep(self._seconds)
        self.ended += 1
        return self._code


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as served:
        yield served
        assert served.machine.tasks.exposed == []


def install(lab: Stage, monkeypatch: pytest.MonkeyPatch, probe: Program) -> None:
    lab.program("probe", probe, monkeypatch)


def run(host: Host, line: str = "probe /x", deadline: float = 7200) -> CommandResult:
    return host.run(line, deadline=deadline, run_as=RunAs.SYSTEM_TASK)


def left(lab: Stage) -> list[str]:
    """Returns what is there of ours: tasks, and folders below the protected one."""
    folders = [name for name in lab.machine.files.checkpoint()[1].values() if name.startswith(f"{PROTECTED_ROOT}\\")]
    return [*lab.machine.tasks.dump(), *folders, *(file.path for file in lab.machine.files.inside(PROTECTED_ROOT))]


class TestWhatComesBack:
    def test_output_errors_and_exit_code(self, lab: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        probe = Probe(3, 3010, b"Gr\x94\xe1e\r\n", "für".encode())
        install(lab, monkeypatch, probe)
        assert run(lab.host, 'probe /i "C:\\Program Files\\a b.msi" X="&"') == CommandResult(
            3010, "Größe\r\n", "für", False
        )
        (call,) = probe.calls
        assert call.user == "NT AUTHORITY\\SYSTEM"
        assert call.tail == '/i "C:\\Program Files\\a b.msi" X="&"'
        assert call.environment["USERNAME"] == "DC01$"
        assert left(lab) == []

    @pytest.mark.parametrize(("code", "unsigned"), [(0, 0), (-1073741819, 0xC0000005)])
    def test_exit_codes(self, lab: Stage, monkeypatch: pytest.MonkeyPatch, code: int, unsigned: int) -> None:
        install(lab, monkeypatch, Probe(code=code))
        assert run(lab.host).exit_code == unsigned

    def test_environment_and_directory(self, lab: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        probe = Probe()
        install(lab, monkeypatch, probe)
        folder = r"C:\Program Files\Common Files"
        lab.host.run("probe", run_as=RunAs.SYSTEM_TASK, working_directory=folder, environment={"A": "x & y", "B": "z"})
        (call,) = probe.calls
        assert (call.folder, call.environment["A"], call.environment["B"]) == (folder, "x & y", "z")

    def test_a_directory_that_is_not_there(self, lab: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        probe = Probe()
        install(lab, monkeypatch, probe)
        result = lab.host.run("probe", run_as=RunAs.SYSTEM_TASK, working_directory=r"C:\Program Files\nowhere")
        assert (result.exit_code, probe.calls) == (1, [])

    def test_output_beyond_the_limit(self, lab: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        install(lab, monkeypatch, Probe(out=b"o" * 3_000_000, error=b"e" * 10))
        result = run(lab.host)
        assert result.truncated
        assert len(result.stdout) == 2_000_000
        assert left(lab) == []

    def test_several_commands_in_one_folder(self, lab: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        install(lab, monkeypatch, Probe())
        with system_task(lab.host) as task:
            assert [task.run("probe").exit_code for _time in range(2)] == [3010] * 2
            assert lab.machine.tasks.dump() == [task.name]
        assert left(lab) == []

    def test_its_definition(self, lab: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        """Neither a battery nor the three days that Windows allows by default end it."""
        found = []
        real = lab.machine.tasks.run

        def look(name: str) -> None:
            found.extend(lab.machine.tasks.tasks.values())
            real(name)

        install(lab, monkeypatch, Probe())
        monkeypatch.setattr(lab.machine.tasks, "run", look)
        run(lab.host)
        (task,) = found
        assert (task.runs_on_batteries, task.time_limit, task.on_demand) == (True, "PT0S", True)

    def test_what_it_can_not_do(self, lab: Stage) -> None:
        with pytest.raises(ValueError, match="no standard input"):
            lab.host.run("x", stdin=b"", run_as=RunAs.SYSTEM_TASK)
        with pytest.raises(ValueError, match="not terminated"):
            lab.host.run("x", terminate_on_deadline=True, run_as=RunAs.SYSTEM_TASK)

    def test_what_no_batch_file_can_hold(self, lab: Stage) -> None:
        with pytest.raises(Unquotable) as caught:
            run(lab.host, "probe /p:50%")
        told = str(caught.value)
        assert told.startswith("command line of command probe as SYSTEM on dc01.corp.example: it holds %")
        assert left(lab) == []
        assert lab.machine.tasks.log == []


class TestNobodyElse:
    def test_only_administrators_and_system_get_at_the_folder(
        self, lab: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        install(lab, monkeypatch, Probe())
        with system_task(lab.host) as task:
            task.run("probe")
            assert task.folder.startswith(PROTECTED_ROOT)
            for path in (task.folder, rf"{task.folder}\1\run.cmd", rf"{task.folder}\1\stdout"):
                assert not lab.machine.access.users_may_write(path)
            assert not lab.machine.access.users_may_read(rf"{task.folder}\1\stdout")
        ((sids, inherits),) = lab.machine.access._set.values()
        assert (sids, inherits) == ({SYSTEM, ADMINISTRATORS}, False)

    def test_the_lab_would_see_it_in_a_folder_that_users_may_write_to(self, lab: Stage) -> None:
        """The oracle of these tests is not blind."""
        assert lab.machine.access.users_may_write(r"C:\Windows\Temp\x\run.cmd")
        assert not lab.machine.access.users_may_write(r"C:\Windows\run.cmd")

    def test_a_folder_whose_access_can_not_be_limited_is_not_used(
        self, lab: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        probe = Probe()
        install(lab, monkeypatch, probe)
        lab.machine.faults.tool_exit_code["icacls"] = 5
        with pytest.raises(OperationFailed, match="could not be limited to administrators and SYSTEM"):
            run(lab.host)
        assert probe.calls == []
        assert left(lab) == []

    def test_a_file_is_hashed_where_nobody_can_replace_it(self, lab: Stage) -> None:
        lab.machine.files.make_folder(r"C:\Media")
        lab.machine.files.write(r"C:\Media\p.msi", b"good", lab.machine.now())
        good = hashlib.sha256(b"good").hexdigest()
        with system_task(lab.host) as task:
            path = task.take(r"C:\Media\p.msi", good)
            assert path == rf"{task.folder}\p.msi"
            assert not lab.machine.access.users_may_write(path)
            lab.machine.files.write(r"C:\Media\p.msi", b"evil", lab.machine.now())
            with pytest.raises(OperationFailed, match=r"its copy has SHA-256 .* nothing was executed"):
                task.take(r"C:\Media\p.msi", good)
            with pytest.raises(OperationFailed, match="it could not be copied"):
                task.take(r"C:\Media\q.msi", good)
        assert left(lab) == []


class TestLongRuns:
    def test_looking_starts_nothing_on_the_host(self, lab: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        install(lab, monkeypatch, Probe(1))
        run(lab.host)
        short = len(lab.machine.process_log)
        lab.machine.process_log.clear()
        install(lab, monkeypatch, Probe(100))
        assert run(lab.host).exit_code == 3010
        assert len(lab.machine.process_log) == short
        assert 100 <= lab.host.clock() < 130

    def test_dropped_connections(self, lab: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        probe = Probe(1200)
        install(lab, monkeypatch, probe)
        for nth in (30, 60, 90, 120):
            lab.endpoint.faults.drop_before(nth, times=4, action="/Enumerate")
            lab.endpoint.faults.drop_after(nth + 10, action="/Enumerate")
            lab.endpoint.faults.close_after(nth + 15)
        assert run(lab.host) == CommandResult(3010, "out\r\n", "", False)
        assert lab.endpoint.faults.pending == 0
        assert len(probe.calls) == 1
        assert left(lab) == []

    def test_the_answer_to_the_start_is_lost(self, lab: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whether it runs is seen on the host; it is never started twice."""
        install(lab, monkeypatch, probe := Probe(5))
        real = lab.machine.tasks.run

        def start(name: str) -> None:
            real(name)
            lab.endpoint.faults.drop_before(action="shell/Receive", times=7)

        monkeypatch.setattr(lab.machine.tasks, "run", start)
        assert run(lab.host).exit_code == 3010
        assert len(probe.calls) == 1
        assert left(lab) == []

    def test_our_deadline_ends_nothing_and_the_next_run_waits_its_turn(
        self, lab: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        install(lab, monkeypatch, probe := Probe(1200))
        with pytest.raises(OutcomeUnknown) as caught:
            run(lab.host, deadline=60)
        told = str(caught.value)
        (name,) = lab.machine.tasks.dump()
        assert "it had not ended after 60 seconds; at the last look it was running" in told
        assert f"If it still runs, it does so as task {name}." in told
        assert "removes the task" in told
        assert lab.host.clock() < 80
        with lab.again(tmp_path) as second:
            with pytest.raises(OperationFailed) as refused:
                run(second)
            assert f"scheduled task {name} on dc01.corp.example: an earlier run of this collection was cut off" in str(
                refused.value
            )
            assert name in " ".join(left(lab))
            lab.machine.surroundings.scheduler.advance(1200)
            assert probe.ended == 1
            assert run(second).exit_code == 3010
        assert left(lab) == []

    def test_a_run_that_is_killed_leaves_what_the_next_one_removes(
        self, lab: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        install(lab, monkeypatch, Probe(30))

        def interrupted(seconds: float) -> None:
            raise Interrupted

        lab.host.sleep = interrupted
        with pytest.raises(Interrupted):
            run(lab.host)
        assert len(lab.machine.tasks.dump()) == 1
        lab.machine.surroundings.scheduler.advance(60)
        with lab.again(tmp_path) as second:
            assert run(second).exit_code == 3010
        assert left(lab) == []

    def test_a_run_that_is_killed_before_it_started_anything(self, lab: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        install(lab, monkeypatch, Probe())
        lab.machine.files.make_folder(rf"{PROTECTED_ROOT}\{NAME}\1")
        lab.machine.files.make_folder(rf"{PROTECTED_ROOT}\logs")
        lab.machine.files.make_folder(rf"{PROTECTED_ROOT}\system-task-not-ours")
        run(lab.host)
        assert left(lab) == [rf"{PROTECTED_ROOT}\logs", rf"{PROTECTED_ROOT}\system-task-not-ours"]


class TestFailures:
    @pytest.mark.parametrize(("code", "german"), [(1, False), (0x80070005, True)])
    def test_a_policy_that_forbids_tasks(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, german: bool
    ) -> None:
        settings = LabSettings()
        windows = replace(settings.windows, schtasks_failure_exit_code=code, schtasks_german=german)
        with stage(tmp_path, replace(settings, windows=windows)) as lab:
            install(lab, monkeypatch, probe := Probe())
            lab.machine.faults.tasks_refused = True
            with pytest.raises(OperationFailed) as caught:
                run(lab.host)
            told = str(caught.value)
            assert told.startswith("command probe as SYSTEM on dc01.corp.example: the Task Scheduler refused the task")
            assert "Access is denied. Nothing was run." in told
            assert "set run_as: connection" in told
            assert probe.calls == []
            assert left(lab) == []

    def test_a_task_that_never_starts(self, lab: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        install(lab, monkeypatch, probe := Probe())
        lab.machine.faults.tasks_never_start = True
        with pytest.raises(OperationFailed) as caught:
            run(lab.host)
        assert "it did not start within 120 seconds. The task is removed, and nothing was run" in str(caught.value)
        assert lab.host.clock() < 140
        assert probe.calls == []
        assert left(lab) == []

    def test_a_deadline_before_it_started(self, lab: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        install(lab, monkeypatch, Probe())
        lab.machine.faults.tasks_never_start = True
        with pytest.raises(OperationFailed, match=r"it did not start within 5 seconds\. The task is removed, and"):
            run(lab.host, deadline=5)
        assert left(lab) == []

    def test_a_task_that_can_not_be_removed_is_found_again(
        self, lab: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        install(lab, monkeypatch, Probe())
        lab.machine.faults.tasks_stay = True
        warned: list[str] = []
        with system_task(lab.host, warned.append) as task:
            task.run("probe")
        assert f"{task.folder} on dc01.corp.example could not be removed; the next run does it." in warned[0]
        assert f"Remove it and {task.folder}" in warned[0]
        assert lab.machine.tasks.dump() == [task.name]
        lab.machine.faults.tasks_stay = False
        with lab.again(tmp_path) as second:
            run(second)
        assert left(lab) == []

    def test_an_account_that_does_not_see_what_runs(self, lab: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        install(lab, monkeypatch, probe := Probe())
        lab.machine.faults.command_lines_hidden = True
        with pytest.raises(OperationFailed, match="does not see the command lines of services"):
            run(lab.host)
        assert probe.calls == []
        assert left(lab) == []

    def test_a_task_that_starts_late(self, lab: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        install(lab, monkeypatch, Probe())
        lab.machine.faults.task_start_delay = 90
        assert run(lab.host).exit_code == 3010

    def test_a_task_that_would_start_after_it_was_given_up(self, lab: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        install(lab, monkeypatch, probe := Probe())
        lab.machine.faults.task_start_delay = 300
        with pytest.raises(OperationFailed, match="nothing was run"):
            run(lab.host)
        lab.machine.surroundings.scheduler.advance(600)
        assert probe.calls == []

    def test_a_task_that_starts_while_it_is_given_up(self, lab: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        """Deleting a task does not end its program: what has started is awaited."""
        install(lab, monkeypatch, probe := Probe(60))
        lab.machine.faults.task_start_delay = 1000
        real = lab.machine.tasks.delete

        def delete(name: str) -> None:
            if not probe.calls:
                lab.machine.faults.task_start_delay = 0
                lab.machine.tasks.run(name)
                lab.machine.surroundings.scheduler.advance(0)
            real(name)

        monkeypatch.setattr(lab.machine.tasks, "delete", delete)
        assert run(lab.host).exit_code == 3010
        assert len(probe.calls) == 1
        assert left(lab) == []

    def test_somebody_ends_it(self, lab: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        install(lab, monkeypatch, probe := Probe(1200))
        lab.machine.faults.task_killed_after = 100
        with pytest.raises(OutcomeUnknown, match=r"it ended without an exit code: it was killed, or dc01.* restarted"):
            run(lab.host)
        assert probe.ended == 0
        assert lab.host.clock() < 130
        assert left(lab) == []

    def test_the_host_restarts_meanwhile(self, lab: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        install(lab, monkeypatch, Probe(1200))
        lab.machine.surroundings.scheduler.after(200, lab.machine.power.restart)
        with pytest.raises(OutcomeUnknown, match="ended without an exit code"):
            run(lab.host)
        assert left(lab) == []

    def test_a_host_that_stays_away(self, lab: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        install(lab, monkeypatch, Probe(1200))
        lab.machine.surroundings.scheduler.after(100, lambda: lab.endpoint.faults.drop_before(times=None))
        with pytest.raises(OutcomeUnknown, match=r"not ended after 150 seconds; at the last look the host can't be re"):
            run(lab.host, deadline=150)
        assert lab.host.clock() < 180
        lab.endpoint.faults.clear()
        lab.machine.surroundings.scheduler.advance(1200)
        with lab.again(tmp_path) as second:
            assert run(second).exit_code == 3010
        assert left(lab) == []

    def test_an_account_that_may_do_nothing(self, lab: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        install(lab, monkeypatch, probe := Probe())

        def denied(call: Invocation) -> int:
            call.error("Access is denied.")
            return 5

        lab.program("schtasks", instant(denied), monkeypatch)
        lab.machine.files.delete(r"C:\Windows\schtasks.exe")
        with pytest.raises(OperationFailed, match=r"refused the task \(exit code 5\): Access is denied"):
            run(lab.host)
        assert probe.calls == []
        assert left(lab) == []
