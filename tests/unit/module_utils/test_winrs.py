# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command shell codec against recorded conversations with a Windows server."""

from __future__ import annotations

import base64
import contextlib
import xml.etree.ElementTree as ET
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    DeadlineExceeded,
    HostError,
    UnreadableOutput,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.codec import _soap as soap
from ansible_collections.entsso.password_sync.plugins.module_utils.codec import _winrs as winrs
from ansible_collections.entsso.password_sync.tests.unit import recordings

# What the recorded programs wrote and returned, read off the recordings: stdout, exit code, time-outs, stderr.
EXPECTED = {
    "operation_timeout": ("hi\nhi again\n", 0, 2, ""),
    "send": ("output 1\noutput 2\n", 0, 0, ""),
    "standard": ("hi\r\n", 0, 0, ""),
    "stderr_rc": ("out \r\n", 1, 0, "err \r\n"),
    "unicode": ("\u3053\u3093\u306b\u3061\u306f\n", 0, 0, ""),
}


def _header(request: bytes, tag: str) -> str:
    root = ET.fromstring(request)
    return next((element.text or "" for element in root.iter(tag)), "")


def _action(message: recordings.Message) -> str:
    return _header(message.request, f"{{{soap.ADDRESSING}}}Action").rpartition("/")[2]


def _shape(request: bytes) -> object:
    """What a request says, apart from prefixes, identifiers, order of headers and the sender's preferences.

    The recorded client gave arguments apart from the command, which the server joins with a space (wsman.md 3.1), and
    it released an ended command with ctrl_c where we say terminate, as pywinrm does.
    """
    root = ET.fromstring(request)
    header = root.find(f"{{{soap.SOAP}}}Header")
    body = root.find(f"{{{soap.SOAP}}}Body")
    assert header is not None
    assert body is not None
    headers = {
        element.tag: (element.text or "").strip()
        for element in header
        if element.tag in (f"{{{soap.ADDRESSING}}}Action", f"{{{soap.WSMAN}}}ResourceURI")
    }
    selectors = [(item.get("Name"), item.text) for item in header.iter(f"{{{soap.WSMAN}}}Selector")]
    content = [
        (item.tag, sorted(_attributes(item)), (item.text or "").strip().replace("signal/ctrl_c", "signal/terminate"))
        for item in body.iter()
        if item.tag != f"{{{soap.SHELL}}}Arguments"
    ]
    return headers, selectors, content


def _attributes(element: ET.Element) -> Iterator[tuple[str, str]]:
    """Attributes, without the ones that say what the schema's default is."""
    for name, value in element.attrib.items():
        if (name, value.lower()) != ("End", "false"):
            yield name, value.lower()


def _built(message: recordings.Message, shell: str, command: str) -> bytes:
    """Builds with our codec the request that stands in a recording."""
    action = _action(message)
    if action == "Create":
        return winrs.create_request()
    if action == "Command":
        return winrs.command_request(shell, _header(message.request, f"{{{soap.SHELL}}}Command"))
    if action == "Send":
        (stream,) = ET.fromstring(message.request).iter(f"{{{soap.SHELL}}}Stream")
        return winrs.send_request(
            shell, command, base64.b64decode(stream.text or ""), end=stream.get("End", "").lower() == "true"
        )
    if action == "Receive":
        return winrs.receive_request(shell, command)
    if action == "Signal":
        return winrs.terminate_request(shell, command)
    assert action == "Delete"
    return winrs.delete_request(shell)


@recordings.needed
class TestRecordedConversations:
    @pytest.mark.parametrize("name", EXPECTED)
    def test_every_message(self, name: str) -> None:
        shell = command = ""
        output = {"stdout": b"", "stderr": b""}
        timeouts, exit_code = 0, None
        for message in recordings.conversation(name):
            assert _shape(_built(message, shell, command)) == _shape(message.request)
            match _action(message):
                case "Create":
                    shell = winrs.parse_created(message.response)
                    assert shell.encode() in message.response
                case "Command":
                    command = winrs.parse_command(message.response)
                    assert f"CommandId>{command}<".encode() in message.response
                case "Receive":
                    try:
                        received = winrs.parse_received(message.response, command)
                    except DeadlineExceeded:
                        timeouts += 1
                        assert message.status == 500
                        continue
                    output["stdout"] += received.stdout
                    output["stderr"] += received.stderr
                    exit_code = received.exit_code if received.done else exit_code
        assert (output["stdout"].decode(), exit_code, timeouts, output["stderr"].decode()) == EXPECTED[name]

    def test_no_conversation_is_left_out(self) -> None:
        assert set(EXPECTED) <= set(recordings.conversations())


def _receive(body: str) -> bytes:
    return (
        f'<s:Envelope xmlns:s="{soap.SOAP}" xmlns:r="{soap.SHELL}"><s:Body><r:ReceiveResponse>{body}'
        "</r:ReceiveResponse></s:Body></s:Envelope>"
    ).encode()


def _done(code: str) -> str:
    return (
        f'<r:CommandState CommandId="C" State="{soap.SHELL}/CommandState/Done">'
        f"<r:ExitCode>{code}</r:ExitCode></r:CommandState>"
    )


class TestForms:
    @pytest.mark.parametrize(
        ("text", "code"), [("0", 0), ("3010", 3010), ("3221225786", 3221225786), ("-1073741510", 3221225786)]
    )
    def test_exit_codes_of_both_signs(self, text: str, code: int) -> None:
        assert winrs.parse_received(_receive(_done(text)), "c") == winrs.Received(b"", b"", True, code)

    @pytest.mark.parametrize("text", ["", "zero", "4294967296", "-2147483649"])
    def test_an_end_without_a_readable_exit_code_is_an_error(self, text: str) -> None:
        with pytest.raises(UnreadableOutput, match="exit code"):
            winrs.parse_received(_receive(_done(text)), "C")

    def test_output_of_another_command_is_not_ours(self) -> None:
        reply = _receive(
            '<r:Stream Name="stdout" CommandId="D">YQ==</r:Stream><r:Stream Name="stdout" CommandId="C">Yg==</r:Stream>'
        )
        assert winrs.parse_received(reply, "C").stdout == b"b"

    def test_broken_output_is_an_error(self) -> None:
        with pytest.raises(UnreadableOutput, match="no base64"):
            winrs.parse_received(_receive('<r:Stream Name="stdout">a</r:Stream>'), "C")

    def test_a_shell_asks_for_utf8(self) -> None:
        root = ET.fromstring(winrs.create_request("C:\\Temp"))
        options = {item.get("Name"): item.text for item in root.iter(f"{{{soap.WSMAN}}}Option")}
        assert options == {"WINRS_NOPROFILE": "FALSE", "WINRS_CODEPAGE": "65001"}
        (directory,) = root.iter(f"{{{soap.SHELL}}}WorkingDirectory")
        assert directory.text == "C:\\Temp"

    def test_a_full_piece_of_input_stays_below_the_envelope_limit(self) -> None:
        request = winrs.send_request("S" * 36, "C" * 36, bytes(winrs.STDIN_CHUNK), end=False)
        assert len(request) < soap.MAX_ENVELOPE_SIZE - 50_000

    @given(st.binary(max_size=2000), st.booleans())
    def test_any_input_arrives_as_it_was(self, data: bytes, end: bool) -> None:
        (stream,) = ET.fromstring(winrs.send_request("S", "C", data, end=end)).iter(f"{{{soap.SHELL}}}Stream")
        assert base64.b64decode(stream.text or "") == data
        assert (stream.get("End") == "true") is end

    @given(st.binary() | st.text(alphabet="<>/CommandStreaId= \"'").map(_receive))
    def test_arbitrary_bytes_raise_our_errors_only(self, data: bytes) -> None:
        for read in (winrs.parse_created, winrs.parse_command, lambda reply: winrs.parse_received(reply, "C")):
            with contextlib.suppress(HostError):
                read(data)
