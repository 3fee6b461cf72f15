# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's Task Scheduler, schtasks, icacls and batch files, against what Microsoft's pages say of them."""

from __future__ import annotations

import pytest

from lab.forest import Forest
from lab.windows import catalog
from lab.windows.console import Invocation, Job, Sleep
from lab.windows.host import SimulatedHost
from lab.windows.scheduled_tasks import TaskRefused, definition_of

NAMESPACE = "http://schemas.microsoft.com/windows/2004/02/mit/task"
XML = r"C:\Windows\Temp\t.xml"
ACTION = r"<Actions><Exec><Command>C:\Windows\slow.exe</Command><Arguments>/x</Arguments></Exec></Actions>"
SYSTEM = "<Principals><Principal><UserId>S-1-5-18</UserId></Principal></Principals>"


def task(inner: str = SYSTEM + ACTION, head: str = '<?xml version="1.0" ?>') -> bytes:
    return f'{head}<Task xmlns="{NAMESPACE}">{inner}</Task>'.encode()


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> SimulatedHost:
    machine = Forest(populate=False).add_domain_controller("dc01", "Paris")

    def slow(call: Invocation) -> Job:
        yield Sleep(60)
        call.host.files.write(r"C:\Windows\Temp\done", call.user.encode(), call.host.now())
        return 0

    monkeypatch.setitem(catalog._PROGRAMS, "slow", slow)
    machine.files.put(r"C:\Windows\slow.exe", 1, "0" * 64, machine.now())
    machine.files.write(XML, task(), machine.now())
    return machine


def done(host: SimulatedHost) -> bytes | None:
    file = host.files.get(r"C:\Windows\Temp\done")
    return file.content if file else None


def test_a_task_runs_as_system_and_belongs_to_no_shell(host: SimulatedHost) -> None:
    shell = host.start_process(rf"schtasks /create /tn t /xml {XML} && schtasks /run /tn t", None, {})
    assert shell.exit_code == 0
    shell.terminate()
    host.surroundings.scheduler.advance(61)
    assert done(host) == rb"NT AUTHORITY\SYSTEM"


def test_deleting_a_task_does_not_interrupt_its_program(host: SimulatedHost) -> None:
    host.run(rf"schtasks /create /tn t /xml {XML}")
    host.run("schtasks /run /tn t")
    host.surroundings.scheduler.advance(1)
    assert host.run("schtasks /delete /tn t /f")[0] == 0
    assert host.tasks.dump() == []
    host.surroundings.scheduler.advance(61)
    assert done(host) is not None


def test_a_restart_ends_it(host: SimulatedHost) -> None:
    host.run(rf"schtasks /create /tn t /xml {XML}")
    host.run("schtasks /run /tn t")
    host.power.restart()
    host.surroundings.scheduler.advance(120)
    assert done(host) is None
    assert host.tasks.dump() == ["t"]


def test_deleting_asks_where_it_is_not_told_not_to(host: SimulatedHost) -> None:
    host.run(rf"schtasks /create /tn t /xml {XML}")
    asked = host.start_process("schtasks /delete /tn t", None, {})
    host.surroundings.scheduler.advance(60)
    assert asked.exit_code is None
    assert host.tasks.dump() == ["t"]


@pytest.mark.parametrize(
    "line",
    [
        "schtasks /run /tn nothing",
        "schtasks /delete /tn nothing /f",
        r"schtasks /create /tn t /xml C:\nothing.xml",
        "schtasks /create /tn t /tr x",
        rf"schtasks /create /tn {'t' * 239} /xml {XML}",
    ],
)
def test_what_can_not_be_done_is_an_error(host: SimulatedHost, line: str) -> None:
    code, _out, error = host.run(line)
    assert code == host.settings.windows.schtasks_failure_exit_code
    assert error.startswith("ERROR: ")


def test_a_name_that_is_taken(host: SimulatedHost) -> None:
    line = rf"schtasks /create /tn t /xml {XML}"
    assert [host.run(line)[0], host.run(line)[0], host.run(f"{line} /f")[0]] == [0, 1, 0]


@pytest.mark.parametrize(
    "xml",
    [
        b"no xml",
        task(head='<?xml version="1.0" encoding="UTF-16"?>'),
        task(SYSTEM),
        task(SYSTEM + ACTION + "<Other/>"),
        task(SYSTEM + ACTION + "<Settings><Priority>11</Priority></Settings>"),
        task(SYSTEM + ACTION + "<Settings><Enabled>yes</Enabled></Settings>"),
        task(SYSTEM + ACTION + "<Settings><Unheard>true</Unheard></Settings>"),
        task(ACTION),
        task().replace(b"2004/02", b"2004/03"),
    ],
)
def test_a_malformed_definition_is_refused(xml: bytes) -> None:
    """MS-TSCH 2.5: the server must validate it and return an error."""
    with pytest.raises(TaskRefused):
        definition_of("t", xml)


def test_what_the_definition_leaves_out_has_the_documented_default() -> None:
    found = definition_of("t", task())
    assert (found.on_demand, found.enabled, found.runs_on_batteries, found.time_limit) == (True, True, False, "P3D")


def test_access_to_folders(host: SimulatedHost) -> None:
    for name in ("ours", r"ours\in"):
        host.files.make_folder(rf"C:\Windows\Temp\{name}")
    path = r"C:\Windows\Temp\ours\in\x.cmd"
    assert host.access.users_may_write(path)
    line = r"icacls C:\Windows\Temp\ours {}*S-1-5-18:(OI)(CI)F *S-1-5-32-544:(OI)(CI)F /q"
    assert host.run(line.format("/grant:r "))[0] == 0
    assert host.access.users_may_write(path)
    assert host.run(line.format("/inheritance:r /grant:r "))[0] == 0
    assert not host.access.users_may_write(path)
    assert not host.access.users_may_read(path)
    assert host.run(r"icacls C:\nowhere /inheritance:r")[0] != 0


def test_a_batch_file(host: SimulatedHost) -> None:
    lines = (
        "@echo off",
        "setlocal EnableExtensions",
        'set "A=x & y"',
        r"cd /d C:\Windows\Temp",
        r'>"one" echo %A%',
        "cmd-that-is-not-there 2>nul",
        "echo still here",
        '>"two" echo %errorlevel% 100%%',
        r'move /y "two" "three" >nul',
    )
    host.files.write(r"C:\Windows\Temp\b.cmd", "\r\n".join(lines).encode(), host.now())
    code, out, _error = host.run(r'"C:\Windows\Temp\b.cmd" >C:\Windows\Temp\out')
    assert (code, out) == (0, "")
    contents = {name: host.files.get(rf"C:\Windows\Temp\{name}") for name in ("one", "two", "three", "out")}
    assert contents["two"] is None
    assert contents["three"] is not None
    assert contents["three"].content == b"1 100%\r\n"
    assert contents["out"] is not None
    assert contents["out"].content == b"still here\r\n"
