# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""WinRS: shells and commands through pywinrm, judged by the recorded conversations."""

from __future__ import annotations

import base64
import threading
import time
import xml.etree.ElementTree as ET

import pytest
import yaml
from unit.lab.endpoint_kit import (
    NS,
    RECORDINGS,
    EchoProcess,
    Machine,
    needs_recordings,
    pywinrm,
    refused,
    serving,
    shape,
)
from winrm.exceptions import WinRMOperationTimeoutError, WSManFaultError

from lab.endpoint import EndpointSettings

SHELL = NS["rsp"]


def test_run_a_command() -> None:
    machine = Machine()
    with serving(machine) as endpoint:
        client = pywinrm(endpoint.address)
        shell = client.open_shell(working_directory="C:\\t", env_vars={"A<B>": 'x & "y"'})
        command = client.run_command(shell, "msiexec", ["/i", '"C:\\a b.msi"', "/qn"])
        assert client.get_command_output(shell, command) == (b"hi\r\n", b"", 0)
        client.cleanup_command(shell, command)
        assert endpoint.open_shells == 1
        client.close_shell(shell)
        assert endpoint.open_shells == 0
        assert endpoint.statistics.processes_started == 1
    assert machine.started == [('msiexec /i "C:\\a b.msi" /qn', "C:\\t", {"A<B>": 'x & "y"'})]


def test_output_of_both_streams_and_the_exit_code() -> None:
    process = EchoProcess([("stdout", b"out"), ("stderr", b"err\xff"), ("stdout", b"more")], 3221225786, reads=False)
    with serving(Machine(next_process=process)) as endpoint:
        client = pywinrm(endpoint.address)
        shell = client.open_shell()
        command = client.run_command(shell, "x")
        assert client.get_command_output(shell, command) == (b"outmore", b"err\xff", 3221225786)


def test_input_reaches_the_process_and_its_end_too() -> None:
    process = EchoProcess([], 0, reads=True)
    with serving(Machine(next_process=process)) as endpoint:
        client = pywinrm(endpoint.address)
        shell = client.open_shell()
        command = client.run_command(shell, "findstr", ['"^"'])
        data = bytes(range(256)) * 400
        client.send_command_input(shell, command, data)
        client.send_command_input(shell, command, b"end", end=True)
        output, _errors, code = client.get_command_output(shell, command)
    assert output == data + b"end"
    assert code == 0


def test_large_output_is_cut_to_the_envelope() -> None:
    data = bytes(range(256)) * 4000
    process = EchoProcess([("stdout", data)], 0, reads=False)
    with serving(Machine(next_process=process)) as endpoint:
        client = pywinrm(endpoint.address)
        shell = client.open_shell()
        command = client.run_command(shell, "type")
        assert client.get_command_output(shell, command) == (data, b"", 0)
        receives = [action for action in endpoint.statistics.actions if action.endswith("/Receive")]
        assert len(receives) > 5


def test_receive_waits_and_then_times_out() -> None:
    """wsman.md 1.9 (e): normal while a process says nothing."""
    process = EchoProcess([], 0, reads=True)
    with serving(Machine(next_process=process)) as endpoint:
        client = pywinrm(endpoint.address, operation_timeout_sec=1)
        shell = client.open_shell()
        command = client.run_command(shell, "setup.exe")
        began = time.monotonic()
        with pytest.raises(WinRMOperationTimeoutError):
            client.get_command_output_raw(shell, command)
        assert 0.9 < time.monotonic() - began < 3
        process.close_stdin()
        assert client.get_command_output(shell, command) == (b"", b"", 0)


def test_receive_returns_as_soon_as_there_is_output() -> None:
    process = EchoProcess([], 0, reads=True)
    with serving(Machine(next_process=process)) as endpoint:
        client = pywinrm(endpoint.address)
        shell = client.open_shell()
        command = client.run_command(shell, "x")
        timer = threading.Timer(0.3, process.write_stdin, [b"late"])
        timer.start()
        began = time.monotonic()
        output, _errors, _code, done = client.get_command_output_raw(shell, command)
        timer.join()
        assert (output, done) == (b"late", False)
        assert time.monotonic() - began < 2


def test_closing_a_shell_ends_what_runs_in_it() -> None:
    process = EchoProcess([], 0, reads=True)
    with serving(Machine(next_process=process)) as endpoint:
        client = pywinrm(endpoint.address)
        shell = client.open_shell()
        client.run_command(shell, "x")
        client.close_shell(shell)
        assert process.terminated


def test_terminate_removes_the_command() -> None:
    process = EchoProcess([], 0, reads=True)
    with serving(Machine(next_process=process)) as endpoint:
        client = pywinrm(endpoint.address)
        shell = client.open_shell()
        command = client.run_command(shell, "x")
        client.cleanup_command(shell, command)
        assert process.terminated
        with pytest.raises(WSManFaultError) as caught:
            client.get_command_output_raw(shell, command)
        assert caught.value.wsman_fault_code == 2150858843
        assert caught.value.fault_subcode == "w:InvalidSelectors"


def test_an_unknown_shell_is_a_fault() -> None:
    with serving() as endpoint, pytest.raises(WSManFaultError) as caught:
        pywinrm(endpoint.address).run_command("00000000-0000-0000-0000-000000000000", "x")
    assert caught.value.wsman_fault_code == 2150858843


def test_too_many_shells_are_refused_in_the_shape_of_newer_servers() -> None:
    """wsman.md 1.9 (c): MSFT_WmiError and no WSManFault."""
    with serving(settings=EndpointSettings(max_shells=2)) as endpoint:
        client = pywinrm(endpoint.address)
        first = client.open_shell()
        client.open_shell()
        with pytest.raises(WSManFaultError) as caught:
            client.open_shell()
        assert caught.value.wmierror_code == 2150859173
        client.close_shell(first)
        client.open_shell()


def test_an_idle_shell_is_closed() -> None:
    process = EchoProcess([], 0, reads=True)
    with serving(Machine(next_process=process), settings=EndpointSettings(shell_idle_timeout=0.1)) as endpoint:
        client = pywinrm(endpoint.address)
        shell = client.open_shell()
        client.run_command(shell, "x")
        time.sleep(0.2)
        client.open_shell()
        assert process.terminated
        assert endpoint.open_shells == 1


@needs_recordings
@pytest.mark.parametrize("name", ["standard", "send", "stderr_rc", "unicode"])
def test_recorded_requests_get_answers_of_the_recorded_shape(name: str) -> None:
    """Sends what pypsrp sent to Windows, with this shell's identifiers, and compares every answer."""
    conversation = yaml.safe_load((RECORDINGS / "winrs" / f"{name}.yml").read_text())["messages"]
    process = EchoProcess(_recorded_output(conversation), _recorded_code(conversation), reads=False)
    renamed: dict[str, str] = {}
    settings = EndpointSettings(activity_id="ActivityId" in conversation[0]["response"])
    with serving(Machine(next_process=process), settings=settings) as endpoint:
        client = pywinrm(endpoint.address)
        for exchange in conversation:
            request = exchange["request"]
            for before, after in renamed.items():
                request = request.replace(before, after)
            answer = ET.fromstring(client.transport.send_message(request))
            recorded = ET.fromstring(exchange["response"])
            assert shape(answer) == shape(recorded)
            assert answer.findtext(".//a:Action", "", NS) == recorded.findtext(".//a:Action", "", NS)
            for tag in ("ShellId", "CommandId"):
                original = recorded.findtext(f".//{{{SHELL}}}{tag}")
                if original:
                    renamed[original] = answer.findtext(f".//{{{SHELL}}}{tag}", "")
            assert _states(answer) == _states(recorded)
        assert endpoint.open_shells == 0


@needs_recordings
def test_a_time_out_has_the_recorded_shape() -> None:
    conversation = yaml.safe_load((RECORDINGS / "winrs" / "operation_timeout.yml").read_text())["messages"]
    recorded = next(ET.fromstring(one["response"]) for one in conversation if "transport_error" in one)
    request = next(one["request"] for one in conversation if "transport_error" in one).replace(">PT10S<", ">PT0.5S<")
    process = EchoProcess([], 0, reads=True)
    with serving(Machine(next_process=process)) as endpoint:
        client = pywinrm(endpoint.address)
        shell = client.open_shell()
        command = client.run_command(shell, "x")
        selector = ET.fromstring(request).findtext(".//w:Selector", "", NS)
        desired = ET.fromstring(request).find(".//rsp:DesiredStream", NS)
        assert desired is not None
        answer = refused(client, request.replace(selector, shell).replace(desired.attrib["CommandId"], command))
    assert shape(answer.root) == shape(recorded)
    assert (answer.status, answer.code, answer.subcode) == (500, 2150858793, "w:TimedOut")
    assert answer.text == recorded.findtext(".//s:Reason/s:Text", "", NS)


def _states(answer: ET.Element) -> list[tuple[str | None, str | None]]:
    return [
        (state.get("State"), state.findtext("rsp:ExitCode", None, NS))
        for state in answer.findall(".//rsp:CommandState", NS)
    ]


def _recorded_output(conversation: list[dict[str, str]]) -> list[tuple[str, bytes]]:
    streams = [stream for one in conversation for stream in ET.fromstring(one["response"]).findall(".//rsp:Stream", NS)]
    return [(stream.attrib["Name"], base64.b64decode(stream.text)) for stream in streams if stream.text]


def _recorded_code(conversation: list[dict[str, str]]) -> int:
    codes = [ET.fromstring(one["response"]).findtext(".//rsp:ExitCode", None, NS) for one in conversation]
    return int(next(code for code in codes if code is not None))
