# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files: what is asked of WMI, and pushing to a small command shell that keeps files and knows four tools."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    ConnectionLost,
    OperationFailed,
    OutcomeUnknown,
    Unquotable,
    UnreadableOutput,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._files import FileState
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host
from ansible_collections.entsso.password_sync.tests.unit.plugin_utils.scripted import (
    NOTHING,
    SENT,
    SHELL,
    SIGNALLED,
    ScriptedExchange,
    Step,
    action_of,
    command_started,
    fault,
    page,
    received,
    shell_created,
)

DLL = r"C:\Windows\System32\pcnsflt.dll"


class TestStat:
    def test_a_file(self) -> None:
        row: dict[str, object] = {
            "FileSize": 5000000000,
            "Name": DLL.lower(),
            "Version": "5.0.1.0",
            "LastModified": None,
        }
        answer = page([row], first=True)
        answer = (
            200,
            answer[1].replace(
                b"<Version>", b"<CreationDate><Datetime>2026-11-22T10:00:00Z</Datetime></CreationDate><Version>"
            ),
        )
        exchange = ScriptedExchange(Step("/Enumerate", answer, (r"WHERE Name = 'C:\\Windows\\System32\\pcnsflt.dll'",)))
        assert Host("dc01", exchange).files.stat(DLL) == FileState(
            DLL.lower(), 5000000000, "5.0.1.0", datetime(2026, 11, 22, 10, tzinfo=UTC), None
        )

    def test_no_file(self) -> None:
        assert Host("dc01", ScriptedExchange(Step("/Enumerate", page([], first=True)))).files.stat(DLL) is None

    @pytest.mark.parametrize(
        "path", ["pcnsflt.dll", r"\Windows\x", r"\\server\share\x", "C:/x", r"C:\a*", "C:x", 'C:\\"', ""]
    )
    def test_only_whole_paths(self, path: str) -> None:
        with pytest.raises(OperationFailed, match="no absolute path"):
            Host("dc01", ScriptedExchange()).files.stat(path)


class SmallShell:
    """An exchange with a command shell that keeps files in memory and knows findstr, certutil, move, del and mkdir."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.shells = 0
        self.input = b""
        self.line = ""
        self.lines: list[str] = []
        self.spaced = False
        self.lose_send: int | None = None
        self.wrong_hash = False
        self.damage = b""
        self.denied: tuple[str, ...] = ()
        self.largest = 0

    def exchange(self, body: bytes) -> tuple[int, bytes]:
        self.largest = max(self.largest, len(body))
        text = body.decode()
        match action_of(text).rpartition("/")[2]:
            case "Create":
                self.shells += 1
                return shell_created()
            case "Delete":
                self.shells -= 1
                return NOTHING
            case "Signal":
                return SIGNALLED
            case "Command":
                (element,) = ElementTree.fromstring(body).iter(f"{{{SHELL}}}Command")
                wrapped = element.text or ""
                assert (wrapped[0], wrapped[-1]) == ('"', '"')
                self.line, self.input = wrapped[1:-1], b""
                self.lines.append(self.line)
                return command_started()
            case "Send":
                if self.lose_send is not None:
                    self.lose_send -= 1
                    if self.lose_send < 0:
                        raise ConnectionLost("reset by peer")
                found = re.search(r">([A-Za-z0-9+/=]*)</r:Stream>", text)
                assert found
                self.input += base64.b64decode(found[1])
                return SENT
            case "Receive":
                code, out = self._run()
                return received(out, b"", code)
            case "Enumerate":
                found = re.search(r"Name = '([^']*)'", text)
                assert found
                name = found[1].replace("\\\\", "\\")
                rows: list[dict[str, object]] = []
                if name in self.files:
                    rows = [{"Name": name, "FileSize": len(self.files[name])}]
                return page(rows, first=True)
        return fault(5)

    def reset(self) -> None:
        pass

    def close(self) -> None:
        pass

    def _run(self) -> tuple[int, bytes]:
        line = self.line
        if any(word in line for word in self.denied):
            return 5, b"Zugriff verweigert"
        if found := re.fullmatch(r'findstr "\^" > "([^"]*)"', line):
            assert all(len(row) <= 76 for row in self.input.split(b"\r\n"))
            self.files[found[1]] = self.input
            return 0, b""
        if found := re.fullmatch(r'certutil -decode "([^"]*)" "([^"]*)"', line):
            self.files[found[2]] = base64.b64decode(self.files[found[1]]) + self.damage
            return 0, b"Die Eingabedatei wurde dekodiert."
        if found := re.fullmatch(r'certutil -hashfile "([^"]*)" SHA256', line):
            if found[1] not in self.files:
                return 0x80070002, b"CertUtil: -hashfile FEHLER: 0x80070002"
            digest = hashlib.sha256(self.files[found[1]]).hexdigest()
            shown = " ".join(re.findall("..", digest)) if self.spaced else digest
            return 0, f"SHA256-Hash von {found[1]}:\r\n{'' if self.wrong_hash else shown}\r\nerfolgreich\r\n".encode()
        if found := re.fullmatch(r'move /y "([^"]*)" "([^"]*)"', line):
            self.files[found[2]] = self.files.pop(found[1])
            return 0, b"1 file(s) moved."
        if found := re.fullmatch(r'del /f /q "([^"]*)"(?: "([^"]*)")?', line):
            for name in found.groups():
                self.files.pop(name or "", None)
            return 0, b""
        if line.startswith("mkdir "):
            return 0, b""
        raise AssertionError(line)


TARGET = r"C:\Temp\pkg.msi"


def _push(shell: SmallShell, folder: Path, data: bytes, **more: object) -> None:
    source = folder / "source"
    source.write_bytes(data)
    with Host("dc01", shell) as host:
        host.files.push(str(source), TARGET, hashlib.sha256(data).hexdigest(), **more)  # type: ignore[arg-type]


class TestPush:
    @settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    @given(data=st.binary(min_size=1, max_size=400), spaced=st.booleans())
    def test_any_file_arrives_as_it_was(self, tmp_path: Path, data: bytes, spaced: bool) -> None:
        shell = SmallShell()
        shell.spaced = spaced
        _push(shell, tmp_path, data)
        assert shell.files == {TARGET: data}
        assert shell.shells == 0

    def test_a_large_file_in_envelopes_that_fit(self, tmp_path: Path) -> None:
        shell = SmallShell()
        data = bytes(range(256)) * 4000
        seen: list[tuple[int, int]] = []
        warnings: list[str] = []
        _push(shell, tmp_path, data, progress=lambda done, total: seen.append((done, total)), warn=warnings.append)
        assert shell.files == {TARGET: data}
        assert seen[-1] == (len(data), len(data))
        assert [done for done, _total in seen] == sorted(done for done, _total in seen)
        assert "certutil" in warnings[0]
        assert 400_000 < shell.largest < 512_000

    def test_a_file_that_is_there_is_replaced(self, tmp_path: Path) -> None:
        shell = SmallShell()
        shell.files[TARGET] = b"old"
        _push(shell, tmp_path, b"new")
        assert shell.files == {TARGET: b"new"}

    def test_what_arrives_damaged_is_removed_and_the_old_file_stays(self, tmp_path: Path) -> None:
        shell = SmallShell()
        shell.files[TARGET] = b"old"
        shell.damage = b"x"
        with pytest.raises(UnreadableOutput, match="what arrived has SHA-256"):
            _push(shell, tmp_path, b"new")
        assert shell.files == {TARGET: b"old"}
        assert shell.shells == 0

    @pytest.mark.parametrize("denied", ["findstr", "-decode", "-hashfile", "move"])
    def test_no_debris_whatever_fails(self, tmp_path: Path, denied: str) -> None:
        shell = SmallShell()
        shell.denied = (denied,)
        with pytest.raises(OperationFailed, match="exit code 5 \\(0x00000005\\): Zugriff verweigert"):
            _push(shell, tmp_path, b"new")
        assert shell.files == {}
        assert shell.shells == 0

    def test_no_debris_after_a_lost_connection(self, tmp_path: Path) -> None:
        shell = SmallShell()
        shell.lose_send = 1
        with pytest.raises(OutcomeUnknown):
            _push(shell, tmp_path, bytes(1_000_000))
        assert shell.lines[-1].startswith("del /f /q ")
        assert shell.files == {}

    def test_what_can_not_be_tidied_up_is_told(self, tmp_path: Path) -> None:
        shell = SmallShell()
        shell.damage = b"x"
        warnings: list[str] = []
        run = shell._run

        def break_at_del() -> tuple[int, bytes]:
            if shell.line.startswith("del"):
                raise ConnectionLost("gone")
            return run()

        shell._run = break_at_del  # type: ignore[method-assign]
        source = tmp_path / "source"
        source.write_bytes(b"new")
        host = Host("dc01", shell, sleep=lambda _seconds: None)
        with pytest.raises(UnreadableOutput):
            host.files.push(str(source), TARGET, hashlib.sha256(b"new").hexdigest(), warn=warnings.append)
        assert re.search(r"~[0-9a-f]{32}\.b64 and .* may be left on dc01 and can be deleted", warnings[-1])

    def test_the_wrong_local_file_is_not_sent(self, tmp_path: Path) -> None:
        source = tmp_path / "source"
        source.write_bytes(b"evil")
        exchange = ScriptedExchange()
        with pytest.raises(OperationFailed, match="instead of 0000"):
            Host("dc01", exchange).files.push(str(source), TARGET, "0" * 64)
        source.write_bytes(b"")
        with pytest.raises(OperationFailed, match="is empty"):
            Host("dc01", exchange).files.push(str(source), TARGET, "0" * 64)
        with pytest.raises(OperationFailed, match="can't be read"):
            Host("dc01", exchange).files.push(str(tmp_path / "none"), TARGET, "0" * 64)
        assert exchange.requests == []

    def test_a_name_that_cmd_would_change_is_refused(self, tmp_path: Path) -> None:
        source = tmp_path / "source"
        source.write_bytes(b"x")
        with pytest.raises(Unquotable, match="%"):
            Host("dc01", ScriptedExchange()).files.push(str(source), r"C:\%TEMP%\x", hashlib.sha256(b"x").hexdigest())


class TestOthers:
    @pytest.mark.parametrize("spaced", [False, True])
    def test_hash(self, spaced: bool) -> None:
        shell = SmallShell()
        shell.spaced = spaced
        shell.files[TARGET] = b"abc"
        with Host("dc01", shell) as host:
            assert host.files.sha256(TARGET) == hashlib.sha256(b"abc").hexdigest()
            shell.wrong_hash = True
            with pytest.raises(UnreadableOutput, match="wrote no SHA-256"):
                host.files.sha256(TARGET)
            with pytest.raises(OperationFailed, match="0x80070002"):
                host.files.sha256(r"C:\none")

    def test_remove(self) -> None:
        shell = SmallShell()
        shell.files[TARGET] = b"abc"
        with Host("dc01", shell) as host:
            assert host.files.remove(TARGET) is True
            assert host.files.remove(TARGET) is False
            shell.files[TARGET] = b"held open"
            shell.denied = ("del",)
            with pytest.raises(OperationFailed, match="could not be deleted: Zugriff verweigert"):
                host.files.remove(TARGET)

    def test_make_directory(self) -> None:
        shell = SmallShell()
        with Host("dc01", shell) as host:
            host.files.make_directory("C:\\Temp\\new\\")
            (line,) = shell.lines
            found = re.fullmatch(r'mkdir ("C:\\Temp\\new\\~[0-9a-f]{32}") && rmdir ("[^"]*")', line)
            assert found
            assert found[1] == found[2]
            shell.denied = ("mkdir",)
            with pytest.raises(OperationFailed, match=r"directory C:.* could not be created or written to"):
                host.files.make_directory(r"C:\Temp\new")
