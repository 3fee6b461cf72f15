# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Enumerate, Pull and Release, judged by what real servers answered."""

from __future__ import annotations

import time
import xml.etree.ElementTree as ET

import pytest
from unit.lab.endpoint_kit import (
    CIMV2,
    ENUMERATION,
    NS,
    RECORDINGS,
    Machine,
    enumerate_message,
    message,
    needs_recordings,
    pull_message,
    pywinrm,
    recorded_items,
    refused,
    send,
    service,
    serving,
    shape,
)
from winrm.protocol import Protocol

from lab.endpoint import EndpointSettings

SERVER_2008 = RECORDINGS / "wmi" / "server_2008"


def exchange(client: Protocol, wql: str, size: int = 512000) -> list[ET.Element]:
    """Enumerate and Pull to the end; return every answer."""
    answers = [ET.fromstring(client.transport.send_message(enumerate_message(wql, size=size)))]
    while answers[-1].find(".//w:EndOfSequence", NS) is None and answers[-1].find(".//n:EndOfSequence", NS) is None:
        context = answers[-1].findtext(".//n:EnumerationContext", "", NS)
        answers.append(ET.fromstring(client.transport.send_message(pull_message(context, size=size))))
    return answers


def items(answer: ET.Element) -> list[ET.Element]:
    """Return the items of one answer."""
    return [item for holder in answer.iter() if holder.tag.endswith("}Items") for item in holder]


@needs_recordings
@pytest.mark.parametrize("kind", ["star", "all"])
def test_many_rows_come_in_the_messages_that_windows_sent(kind: str) -> None:
    """The rows of a real server, asked for as the recording was, give the same messages: counts, shapes and items."""
    paths = sorted(SERVER_2008.glob(f"Win32_Service_{kind}_*.xml"))
    assert len(paths) == 4
    recorded = [ET.parse(path).getroot() for path in paths]
    machine = Machine(services=[row for path in paths for row in recorded_items(path)])
    columns = "*" if kind == "star" else ",".join(reversed(list(machine.services[0])))
    with serving(machine) as endpoint:
        answers = exchange(pywinrm(endpoint.address), f"select {columns} from Win32_Service", size=153600)
        assert endpoint.open_enumerations == 0
    assert [len(items(answer)) for answer in answers] == [len(items(answer)) for answer in recorded]
    for answer, original in zip(answers, recorded, strict=True):
        assert [ET.canonicalize(ET.tostring(item)) for item in items(answer)] == [
            ET.canonicalize(ET.tostring(item)) for item in items(original)
        ]
        assert shape(answer) == shape(original)
        assert abs(len(ET.tostring(answer)) - len(ET.tostring(original))) < 20


@needs_recordings
@pytest.mark.parametrize(
    ("path", "class_name"),
    [
        ("Win32_OperatingSystem_star_000.xml", "Win32_OperatingSystem"),
        ("Win32_ComputerSystem_star_000.xml", "Win32_ComputerSystem"),
    ],
)
def test_one_row_comes_at_once(path: str, class_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine()
    row = recorded_items(SERVER_2008 / path)
    monkeypatch.setattr(machine, "wmi_instances", lambda namespace, name: row if name == class_name else None)
    with serving(machine) as endpoint:
        answers = exchange(pywinrm(endpoint.address), f"select * from {class_name}")
        assert endpoint.statistics.requests == 1
        assert endpoint.open_enumerations == 0
    recorded = ET.parse(SERVER_2008 / path).getroot()
    assert len(answers) == 1
    response = answers[0].find(".//n:EnumerateResponse", NS)
    assert response is not None
    original = recorded.find(".//n:EnumerateResponse", NS)
    assert original is not None
    assert [child.tag for child in response] == [child.tag for child in original]
    assert response.findtext("n:EnumerationContext", None, NS) == ""


def test_no_row_is_an_empty_sequence() -> None:
    with serving(Machine(services=[])) as endpoint:
        answers = exchange(pywinrm(endpoint.address), "select * from Win32_Service")
    assert len(answers) == 1
    assert items(answers[0]) == []
    assert answers[0].find(".//w:EndOfSequence", NS) is not None


def test_a_small_envelope_takes_many_pulls_with_a_new_context_each() -> None:
    machine = Machine(services=[service(f"Service{number:03d}") for number in range(60)])
    with serving(machine) as endpoint:
        answers = exchange(pywinrm(endpoint.address), "select Name from Win32_Service", size=8192)
    assert len(answers) > 3
    assert [item.findtext("Name") for answer in answers for item in items(answer)] == [
        row["Name"] for row in machine.services
    ]
    contexts = [answer.findtext(".//n:EnumerationContext", None, NS) for answer in answers]
    assert contexts[-1] is None
    assert len(set(contexts[:-1])) == len(answers) - 1
    assert max(len(ET.tostring(answer)) for answer in answers) <= 4096


def test_the_first_answer_can_be_filled_as_older_servers_do() -> None:
    with serving(settings=EndpointSettings(first_items=None)) as endpoint:
        assert len(exchange(pywinrm(endpoint.address), "select * from Win32_Service")) == 1


def test_without_optimisation_nothing_comes_before_the_first_pull() -> None:
    with serving() as endpoint:
        client = pywinrm(endpoint.address)
        body = send(client, enumerate_message("select * from Win32_Service", optimised=False))
        assert body.find(".//w:Items", NS) is None
        pulled = send(client, pull_message(body.findtext(".//n:EnumerationContext", "", NS), most=1))
        assert len(items(pulled)) == 1
        rest = send(client, pull_message(pulled.findtext(".//n:EnumerationContext", "", NS)))
        assert len(items(rest)) == 1
        assert rest.find(".//n:EndOfSequence", NS) is not None


def test_a_context_is_good_for_one_pull() -> None:
    machine = Machine(services=[service(str(number)) for number in range(4)])
    with serving(machine) as endpoint:
        client = pywinrm(endpoint.address)
        context = send(client, enumerate_message("select * from Win32_Service")).findtext(
            ".//n:EnumerationContext", "", NS
        )
        send(client, pull_message(context, most=1))
        assert refused(client, pull_message(context)).code == 2150858779


def test_release_ends_an_enumeration() -> None:
    with serving() as endpoint:
        client = pywinrm(endpoint.address)
        context = send(client, enumerate_message("select * from Win32_Service")).findtext(
            ".//n:EnumerationContext", "", NS
        )
        assert endpoint.open_enumerations == 1
        body = f'<k:Release xmlns:k="{ENUMERATION}"><k:EnumerationContext>{context}</k:EnumerationContext></k:Release>'
        send(client, message(f"{ENUMERATION}/Release", f"{CIMV2}*", body))
        assert endpoint.open_enumerations == 0
        assert refused(client, pull_message(context)).code == 2150858779


def test_an_idle_enumeration_is_forgotten() -> None:
    with serving(settings=EndpointSettings(enumeration_timeout=0.05)) as endpoint:
        client = pywinrm(endpoint.address)
        context = send(client, enumerate_message("select * from Win32_Service")).findtext(
            ".//n:EnumerationContext", "", NS
        )
        time.sleep(0.1)
        assert refused(client, pull_message(context)).code == 2150858779


@needs_recordings
def test_a_missing_class_is_the_fault_that_was_recorded() -> None:
    recorded = ET.parse(RECORDINGS / "faults" / "soap_fault_v2.xml").getroot()
    query = 'Select * from Win32_Processa where name="sshd.exe"'
    with serving() as endpoint:
        answer = refused(pywinrm(endpoint.address), enumerate_message(query))
    assert (answer.status, answer.code, answer.subcode) == (500, 2150858778, "n:CannotProcessFilter")
    assert shape(answer.root) == shape(recorded)
    texts = [element.text for element in answer.root.iter() if element.text and element.text.strip()]
    originals = [element.text for element in recorded.iter() if element.text and element.text.strip()]
    volatile = {position for position, text in enumerate(originals) if text.startswith("uuid:")}
    assert [text for position, text in enumerate(texts) if position not in volatile] == [
        text for position, text in enumerate(originals) if position not in volatile
    ]


@pytest.mark.parametrize(
    ("wql", "code"),
    [("selec * from Win32_Service", 2150858778), ("select Nope from Win32_Service", 2150858778)],
)
def test_bad_queries(wql: str, code: int) -> None:
    with serving() as endpoint:
        assert refused(pywinrm(endpoint.address), enumerate_message(wql)).code == code


def test_a_query_needs_the_all_classes_uri() -> None:
    text = enumerate_message("select * from Win32_Service").replace(f"{CIMV2}*", f"{CIMV2}Win32_Service")
    with serving() as endpoint:
        assert refused(pywinrm(endpoint.address), text).code == 2150859003


def test_a_class_is_enumerated_without_a_query() -> None:
    wanted = "<m:OptimizeEnumeration/><m:MaxElements>9</m:MaxElements>"
    body = f'<k:Enumerate xmlns:k="{ENUMERATION}">{wanted}</k:Enumerate>'
    with serving(settings=EndpointSettings(first_items=None)) as endpoint:
        text = message(f"{ENUMERATION}/Enumerate", f"{CIMV2}Win32_Service", body)
        assert len(items(send(pywinrm(endpoint.address), text))) == 2
