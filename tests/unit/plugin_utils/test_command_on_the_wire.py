# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands over a real WinRM connection to a simulated host: what goes in, what comes out, and how long it may take."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from unit.plugin_utils.time_lapse import Stage, stage

from ansible_collections.entsso.password_sync.plugins.module_utils import _quoting as quoting
from ansible_collections.entsso.password_sync.plugins.module_utils._errors import OutcomeUnknown, Unquotable
from lab.windows.console import Forever, Invocation, Job, Program, Sleep, instant

CODE_PAGES = r"SYSTEM\CurrentControlSet\Control\Nls\CodePage"
RECEIVE = "shell/Receive"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as served:
        yield served


def writes(out: bytes, error: bytes = b"", code: int = 0) -> Program:
    """Returns a program that writes bytes as they are."""

    def run(call: Invocation) -> int:
        call.write_out(out)
        call.write_error(error)
        return code

    return instant(run)


@pytest.mark.parametrize(
    ("code_page", "out", "error"),
    [
        ("437", "Größe: ½ ¥", "Zugriff verweigert für ä"),
        ("850", "Taille: ½ À Ð", "Accès refusé"),
        ("932", "表示 ソ 能力", "エラー"),
    ],
)
def test_old_tools_write_the_hosts_code_page(
    lab: Stage, monkeypatch: pytest.MonkeyPatch, code_page: str, out: str, error: str
) -> None:
    lab.machine.registry.set_string(CODE_PAGES, "OEMCP", code_page)
    codec = f"cp{code_page}"
    lab.program("old", writes(f"{out}\r\nok\r\n".encode(codec), error.encode(codec), 5), monkeypatch)
    result = lab.host.run("old")
    assert (result.exit_code, result.stdout, result.stderr) == (5, f"{out}\r\nok\r\n", error)
    assert not result.truncated


def test_new_tools_write_utf_8_and_the_registry_is_not_read(lab: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.program("new", writes("Größe 表示".encode()), monkeypatch)
    assert lab.host.run("new").stdout == "Größe 表示"
    assert [action for action in lab.endpoint.statistics.actions if "StdRegProv" in action] == []


def test_bytes_of_no_code_page_are_replaced_and_nothing_fails(lab: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.machine.registry.set_string(CODE_PAGES, "OEMCP", "65001")
    lab.program("broken", writes(b"a\xff\xfeb\r\nc"), monkeypatch)
    assert lab.host.run("broken").stdout == "a\ufffd\ufffdb\r\nc"


def test_environment_and_working_directory_reach_the_program(lab: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, dict[str, str]]] = []

    def look(call: Invocation) -> int:
        seen.append((call.folder, dict(call.environment)))
        return 0

    lab.program("look", instant(look), monkeypatch)
    given = {"PLAIN": "x", "A B<&>\"'": "v & w <1>", "EMPTY": "", "UMLAUT": "ä 表", "SPACES": "  two  "}
    lab.host.run("look", environment=given, working_directory=r"C:\Program Files\Common Files")
    lab.host.run("look")
    (folder, variables), (_profile, others) = seen
    assert folder == r"C:\Program Files\Common Files"
    assert {name: variables[name] for name in given} == given
    assert not set(given) & set(others)


def test_input_that_is_larger_than_an_envelope(lab: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    data = bytes(range(256)) * 8000
    received: list[str] = []

    def read(call: Invocation) -> Job:
        data = yield from call.stdin.read_all()
        received.append(hashlib.sha256(data).hexdigest())
        return 0

    lab.program("reader", read, monkeypatch)
    assert len(data) > 4 * 500 * 1024 * 3 // 4
    assert lab.host.run("reader", stdin=data).exit_code == 0
    assert received == [hashlib.sha256(data).hexdigest()]
    assert sum(action.endswith("shell/Send") for action in lab.endpoint.statistics.actions) >= 5


def test_a_line_of_8191_characters_works_and_one_above_is_not_sent(lab: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit counts the two quotes that are put around the line."""
    seen: list[str] = []

    def look(call: Invocation) -> int:
        seen.append(call.tail)
        return 0

    lab.program("look", instant(look), monkeypatch)
    longest = "look " + "x" * (quoting.COMMAND_LINE_LIMIT - 2 - len("look "))
    assert lab.host.run(longest).exit_code == 0
    assert len(lab.machine.process_log[-1]) == 8191
    assert seen == [longest.removeprefix("look ")]
    before = lab.endpoint.statistics.requests
    with pytest.raises(Unquotable, match="it has 8192 characters with the two quotes"):
        lab.host.run(longest + "x")
    assert lab.endpoint.statistics.requests == before


def test_two_megabytes_of_output(lab: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    out, error = b"0123456789abcde\n" * 100_000, b"e" * 400_000
    lab.program("talker", writes(out, error, 3), monkeypatch)
    result = lab.host.run("talker")
    assert (result.exit_code, result.truncated) == (3, False)
    assert result.stdout.encode() == out
    assert result.stderr.encode() == error
    more = lab.host.run("talker", output_limit=1_000_000)
    assert more.truncated
    assert len(more.stdout) + len(more.stderr) == 1_000_000
    assert more.exit_code == 3


def installer(minutes: int) -> Program:
    """Returns an installer that says something once a minute."""

    def run(call: Invocation) -> Job:
        for minute in range(minutes):
            yield Sleep(60)
            call.out(f"minute {minute + 1}")
        return 3010

    return run


class TestTwentyMinutes:
    def test_silence_between_its_words_is_no_end(self, lab: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        lab.program("slow", installer(20), monkeypatch)
        result = lab.host.run("slow", deadline=7200)
        assert result.exit_code == 3010
        assert result.stdout.splitlines() == [f"minute {number}" for number in range(1, 21)]
        assert 80 <= lab.exchange.receives <= 85
        assert 1200 <= lab.host.clock() < 1240

    def test_dropped_connections_do_not_end_it(self, lab: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        """Within a Receive before and after the host took its output, and between two by an idle time-out."""
        lab.program("slow", installer(20), monkeypatch)
        for nth in (5, 20, 35):
            lab.endpoint.faults.drop_before(nth, action=RECEIVE)
            lab.endpoint.faults.drop_after(nth + 5, action=RECEIVE)
            lab.endpoint.faults.close_after(nth + 10, action=RECEIVE)
        result = lab.host.run("slow", deadline=7200)
        assert result.exit_code == 3010
        assert result.stdout.splitlines()[-1] == "minute 20"
        assert result.truncated
        assert lab.endpoint.faults.pending == 0
        assert lab.endpoint.statistics.processes_started == 1

    def test_a_shell_that_the_host_forgot(self, lab: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        lab.program("slow", installer(20), monkeypatch)
        lab.endpoint.faults.fault(2150858843, "The shell is not there.", 10, action=RECEIVE)
        with pytest.raises(OutcomeUnknown) as caught:
            lab.host.run("slow", deadline=7200)
        told = str(caught.value)
        assert told.startswith(
            "command slow on dc01.corp.example: its outcome is not known: the host no longer knows the shell that it "
            "ran in, and Windows ends what runs in a shell together with it ("
        )
        assert "2150858843 (0x8033805B)" in told
        assert "its last output was 'minute 2'" in told
        assert told.endswith(
            "Run again when it has ended: the next run looks at the host first and goes on from there."
        )

    def test_our_deadline_does_not_end_it(self, lab: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        lab.program("slow", installer(20), monkeypatch)
        with pytest.raises(OutcomeUnknown, match=r"had not ended after 300 seconds; its last output was 'minute 4'"):
            lab.host.run("slow", deadline=300)
        assert lab.host.clock() <= 321
        lab.host.close()
        assert len(lab.machine.processes) == 1
        lab.machine.surroundings.scheduler.advance(1200)
        assert lab.machine.processes == {}

    def test_a_host_that_is_gone_for_good(self, lab: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        lab.program("slow", installer(20), monkeypatch)
        lab.endpoint.faults.drop_before(10, times=None, action=RECEIVE)
        with pytest.raises(OutcomeUnknown, match="the connection was lost"):
            lab.host.run("slow", deadline=7200)
        assert lab.host.clock() < 500


def test_what_waits_for_ever_ends_at_the_deadline(lab: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def dialog(call: Invocation) -> Job:
        yield Forever()
        return 0

    lab.program("dialog", dialog, monkeypatch)
    with pytest.raises(OutcomeUnknown, match="had not ended after 60 seconds"):
        lab.host.run("dialog", deadline=60, terminate_on_deadline=True)
    assert lab.machine.processes == {}
