# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running commands over a scripted exchange."""

from __future__ import annotations

import base64
import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    ConnectionLost,
    OutcomeUnknown,
    Unquotable,
    WsmanFault,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._quoting import check_variable
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._winrs import STDIN_CHUNK, create_request
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._command import CommandResult
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host
from ansible_collections.entsso.password_sync.tests.unit.plugin_utils.scripted import (
    NOT_FOUND,
    NOTHING,
    SENT,
    SHELL,
    SIGNALLED,
    TIMED_OUT,
    Clock,
    ScriptedExchange,
    Step,
    command_started,
    fault,
    output,
    received,
    shell_created,
)

LOST = ConnectionLost("reset by peer")
CREATE = Step("/Create", shell_created(), ("WINRS_CODEPAGE",))
COMMAND = Step("/Command", command_started(), ("SHELL",))
SIGNAL = Step("/Signal", SIGNALLED, ("signal/terminate",))
DELETE = Step("/Delete", NOTHING, ("SHELL",))


class SlowExchange(ScriptedExchange):
    """Lets the clock go on with every Receive, as a host that waits for output does."""

    def __init__(self, clock: Clock, *steps: Step) -> None:
        super().__init__(*steps)
        self._clock = clock

    def exchange(self, body: bytes) -> tuple[int, bytes]:
        if b"shell/Receive" in body:
            found = re.search(rb"<w:OperationTimeout>PT([0-9.]+)S", body)
            assert found
            self._clock.now += float(found[1])
        return super().exchange(body)


def _host(*steps: Step) -> tuple[Host, ScriptedExchange]:
    clock = Clock()
    exchange = SlowExchange(clock, *steps)
    return Host("dc01", exchange, sleep=clock.sleep, clock=clock), exchange


def test_a_command_from_start_to_end() -> None:
    host, exchange = _host(
        CREATE,
        Step("/Command", command_started(), ('<r:Command>"msiexec /i "C:\\a b.msi""</r:Command>',)),
        Step("/Receive", received(b"h\xc3\xa9")),
        Step("/Receive", TIMED_OUT),
        Step("/Receive", received(b"llo", b"oops", 3010)),
        SIGNAL,
        DELETE,
    )
    with host:
        result = host.run('msiexec /i "C:\\a b.msi"')
    assert result == CommandResult(3010, "h\u00e9llo", "oops", False)
    assert exchange.done()
    assert exchange.closed


def test_one_shell_serves_many_commands_and_each_directory_has_its_own() -> None:
    host, exchange = _host(
        CREATE,
        *[COMMAND, Step("/Receive", received(exit_code=0)), SIGNAL] * 2,
        Step("/Create", shell_created("OTHER"), (r"<r:WorkingDirectory>C:\Temp</r:WorkingDirectory>",)),
        Step("/Command", command_started(), ("OTHER",)),
        Step("/Receive", received(exit_code=1)),
        SIGNAL,
        Step("/Delete", NOTHING, ("OTHER",)),
        DELETE,
    )
    with host:
        host.run("a")
        host.run("b")
        assert host.run("c", working_directory="C:\\Temp").exit_code == 1
    assert exchange.done()


def test_each_environment_has_a_shell_of_its_own() -> None:
    variable = '<r:Environment><r:Variable Name="A&amp;&lt;&gt;">x &amp; y</r:Variable></r:Environment>'
    host, exchange = _host(
        Step("/Create", shell_created(), (variable,)),
        *[COMMAND, Step("/Receive", received(exit_code=0)), SIGNAL] * 2,
        Step("/Create", shell_created("OTHER")),
        Step("/Command", command_started(), ("OTHER",)),
        Step("/Receive", received(exit_code=0)),
        SIGNAL,
        Step("/Delete", NOTHING, ("OTHER",)),
        DELETE,
    )
    with host:
        for environment in ({"A&<>": "x & y"}, {"A&<>": "x & y"}, None):
            host.run("x", environment=environment)
    assert "Environment" not in exchange.requests[7]
    assert exchange.done()


@given(st.dictionaries(st.text(min_size=1), st.text(), max_size=4))
def test_variables_stand_in_the_request_as_they_are_or_are_refused(environment: dict[str, str]) -> None:
    try:
        for name, value in environment.items():
            check_variable(name, value)
    except Unquotable:
        return
    root = ET.fromstring(create_request(environment=environment))
    found = root.iterfind(f".//{{{SHELL}}}Environment/{{{SHELL}}}Variable")
    assert {item.attrib["Name"]: item.text or "" for item in found} == environment


def test_a_variable_that_no_program_can_have_is_refused_before_anything_is_sent() -> None:
    host, exchange = _host()
    with pytest.raises(Unquotable, match=r"environment variable 'A=' of command x on dc01: that is no name"):
        host.run("x", environment={"A=": "b"})
    assert exchange.requests == []


def test_output_in_the_hosts_code_page_is_read_with_it_and_asked_for_once() -> None:
    answers = [COMMAND, Step("/Receive", received(b"Gr\x94\xe1e", b"caf\x82", exit_code=0)), SIGNAL]
    host, exchange = _host(
        CREATE,
        *answers,
        Step("/GetStringValue", output("StdRegProv", "GetStringValue", ReturnValue=0, sValue="850"), ("OEMCP",)),
        *answers,
        DELETE,
    )
    with host:
        for _time in range(2):
            assert host.run("x") == CommandResult(0, "Größe", "café", False)
    assert exchange.done()


@pytest.mark.parametrize("answer", [NOT_FOUND, output("StdRegProv", "GetStringValue", ReturnValue=2), (500, b""), LOST])
def test_output_in_a_code_page_that_can_not_be_known_is_replaced(answer: tuple[int, bytes] | Exception) -> None:
    steps = (CREATE, COMMAND, Step("/Receive", received(b"Gr\x94\xe1e", exit_code=0)), SIGNAL)
    host, _exchange = _host(*steps, *[Step("/GetStringValue", answer)] * 4)
    assert host.run("x").stdout == "Gr\ufffd\ufffde"


def test_reading_opens_no_shell() -> None:
    host, exchange = _host()
    with host:
        pass
    assert exchange.requests == []


def test_an_installer_is_never_cut_short() -> None:
    # 50 seconds: two full waits and one of 10; then the shell is left alone, since deleting it would end the installer.
    host, exchange = _host(
        CREATE, COMMAND, *[Step("/Receive", TIMED_OUT)] * 2, Step("/Receive", received(b"step 3\r\n"), ("PT10.000S",))
    )
    with host, pytest.raises(OutcomeUnknown, match="had not ended after 50 seconds; its last output was 'step 3'"):
        host.run("msiexec /i x.msi", deadline=50)
    assert exchange.done()


def test_a_harmless_command_is_ended_at_its_deadline() -> None:
    host, exchange = _host(CREATE, COMMAND, Step("/Receive", TIMED_OUT), SIGNAL, DELETE)
    with host, pytest.raises(OutcomeUnknown, match="had not ended after 20 seconds"):
        host.run("certutil x", deadline=20, terminate_on_deadline=True)
    assert exchange.done()


def test_lost_connections_while_waiting_are_survived_and_told() -> None:
    host, exchange = _host(
        CREATE,
        COMMAND,
        Step("/Receive", LOST),
        Step("/Receive", LOST),
        Step("/Receive", received(exit_code=0)),
        SIGNAL,
        DELETE,
    )
    with host:
        assert host.run("x") == CommandResult(0, "", "", True)
    assert exchange.done()


def test_a_host_that_stays_away_leaves_the_outcome_unknown() -> None:
    host, exchange = _host(CREATE, COMMAND, *[Step("/Receive", LOST)] * 7)
    with (
        host,
        pytest.raises(OutcomeUnknown, match="command x on dc01: its outcome is not known: the connection was lost"),
    ):
        host.run("x")
    assert exchange.done()


def test_a_lost_answer_to_the_start_is_an_unknown_outcome() -> None:
    host, _exchange = _host(CREATE, Step("/Command", LOST))
    with host, pytest.raises(OutcomeUnknown):
        host.run("x")


@pytest.mark.parametrize("code", [2150858843, 2150859174])
def test_a_used_up_shell_is_replaced_once(code: int) -> None:
    host, exchange = _host(
        CREATE,
        Step("/Command", fault(code)),
        DELETE,
        Step("/Create", shell_created("NEW")),
        Step("/Command", command_started(), ("NEW",)),
        Step("/Receive", received(exit_code=0)),
        SIGNAL,
        Step("/Delete", NOTHING, ("NEW",)),
    )
    with host:
        assert host.run("x").exit_code == 0
    assert exchange.done()


def test_a_used_up_shell_is_not_replaced_twice() -> None:
    host, exchange = _host(
        CREATE, Step("/Command", fault(2150859174)), DELETE, CREATE, Step("/Command", fault(2150859174)), DELETE
    )
    with host, pytest.raises(WsmanFault):
        host.run("x")
    assert exchange.done()


def test_a_command_that_vanishes_has_an_unknown_outcome() -> None:
    host, _exchange = _host(CREATE, COMMAND, Step("/Receive", fault(2150858843, "gone")))
    with (
        host,
        pytest.raises(OutcomeUnknown, match=r"no longer knows the shell that it ran in, .*gone"),
    ):
        host.run("x")


def test_input_is_sent_in_pieces_and_ended() -> None:
    data = bytes(range(256)) * (2 * STDIN_CHUNK // 256 + 1)
    host, exchange = _host(
        CREATE, COMMAND, *[Step("/Send", SENT)] * 3, Step("/Receive", received(exit_code=0)), SIGNAL, DELETE
    )
    with host:
        host.run("sort", stdin=data)
    sent = [request for request in exchange.requests if "<r:Send>" in request]
    pieces = [re.search(r">([A-Za-z0-9+/=]*)</r:Stream>", request) for request in sent]
    assert b"".join(base64.b64decode(piece[1]) for piece in pieces if piece) == data
    assert ['End="true"' in request for request in sent] == [False, False, True]
    assert all(len(request) < 512_000 for request in sent)


def test_empty_input_is_ended_and_no_input_is_not() -> None:
    host, exchange = _host(
        CREATE, COMMAND, Step("/Send", SENT, ('End="true"',)), Step("/Receive", received(exit_code=0)), SIGNAL, DELETE
    )
    with host:
        host.run("sort", stdin=b"")
    assert exchange.done()


def test_a_command_that_no_longer_reads_still_tells_how_it_ended() -> None:
    host, exchange = _host(
        CREATE, COMMAND, Step("/Send", fault(995)), Step("/Receive", received(b"", b"bad", 2)), SIGNAL, DELETE
    )
    with host:
        assert host.run("x", stdin=bytes(3 * STDIN_CHUNK)).exit_code == 2
    assert exchange.done()


def test_output_is_limited_over_both_streams() -> None:
    host, _exchange = _host(
        CREATE,
        COMMAND,
        Step("/Receive", received(b"12345", b"67890")),
        Step("/Receive", received(b"x", b"", 0)),
        SIGNAL,
        DELETE,
    )
    with host:
        assert host.run("x", output_limit=7) == CommandResult(0, "12345", "67", True)


def test_what_cmd_can_not_take_is_refused_before_anything_is_sent() -> None:
    host, exchange = _host()
    with pytest.raises(Unquotable, match="command echo on dc01"):
        host.run("echo a\nb")
    assert exchange.requests == []


def test_a_quota_that_is_full_is_a_fault_with_its_number() -> None:
    host, _exchange = _host(Step("/Create", fault(2150859173, "Too many shells.")))
    with pytest.raises(WsmanFault, match="2150859173"):
        host.run("x")


def test_a_host_that_did_not_answer_is_not_asked_to_tidy_up() -> None:
    host, exchange = _host(CREATE, COMMAND, Step("/Receive", received(exit_code=0)), Step("/Signal", LOST))
    with host:
        host.run("shutdown /r /t 0")
    assert exchange.done()
