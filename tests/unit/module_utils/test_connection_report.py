# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of the connection diagnostic: what a reader of a ticket must find in it, and what must not be there."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entsso.password_sync.plugins.module_utils.connection._connection_report import (
    Clock,
    ConnectionReport,
    ControlNode,
    NameResolution,
    PortState,
    Standing,
    Target,
    TicketCache,
    shortened,
    ticket_text,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.connection._connection_rights import (
    RIGHTS,
    SECURITY,
    Outcome,
    RightStanding,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._controls import CONTROLS

RIGHTS_FOUND = tuple(
    RightStanding(right, Outcome.DENIED, "access was denied (Access is denied)")
    if right is SECURITY
    else RightStanding(right, Outcome.OK)
    for right in RIGHTS
)
REPORT = ConnectionReport(
    host="dc01.corp.example",
    made_at="2026-11-20T02:10:31Z",
    node=ControlNode("0.1.0", "3.12.3", "/home/jane/venv/bin/python", {"pywinrm": "0.5.0", "krb5": ""}),
    target=Target(
        "winrm",
        "http://dc01.corp.example:5985/wsman",
        "dc01.corp.example",
        5985,
        "jane.doe@CORP.EXAMPLE",
        ("kerberos", "ntlm"),
        "dc01.corp.example",
    ),
    resolutions=(
        NameResolution("dc01.corp.example", ("192.0.2.10", "2001:db8::10"), {"192.0.2.10": "dc01.corp.example"}),
        NameResolution("dc-alias", (), {}, "Name or service not known"),
    ),
    ports=(PortState(5985, "WinRM over http", "open"), PortState(445, "SMB", "connection refused")),
    tickets=TicketCache("FILE:/tmp/krb5cc_1000", "jane.doe@CORP.EXAMPLE", "2026-11-20T01:00:00Z", "expired"),
    standing=Standing(
        True, "", "kerberos", "message", "DC01, Windows Server 2022", ("DC01",), Clock(-301.25, 0.02), RIGHTS_FOUND
    ),
)
NOT_REACHED = replace(
    REPORT,
    standing=Standing(False, "WinRM on dc01.corp.example: it can't be reached. Look.", "", "", "", (), Clock(), ()),
)


def test_the_text_tells_what_a_reader_needs() -> None:
    text = ticket_text(REPORT, redact=False)
    for line in (
        (
            "Result            dc01.corp.example lets the account in (kerberos, message encryption); "
            "denied: events_security."
        ),
        "Connection        winrm to http://dc01.corp.example:5985/wsman",
        "Account           jane.doe@CORP.EXAMPLE",
        "Tried in turn     kerberos, ntlm",
        "Authenticated by  kerberos",
        "Protected by      message encryption",
        (
            "Clock             301.2 s behind the control node, round trip 0.020 s; "
            "too far apart for Kerberos (five minutes)"
        ),
        "Tickets           FILE:/tmp/krb5cc_1000 of jane.doe@CORP.EXAMPLE until 2026-11-20T01:00:00Z: expired",
        "Name resolution   dc01.corp.example -> 192.0.2.10 -> dc01.corp.example",
        "Name resolution   dc01.corp.example -> 2001:db8::10 -> no name",
        "Name resolution   dc-alias: Name or service not known",
        "TCP 445           connection refused (SMB)",
        "Libraries         pywinrm 0.5.0, krb5 -",
        "  denied  Event log Security: access was denied (Access is denied)",
        "          Make the account a member of Event Log Readers.",
    ):
        assert f"\n{line}\n" in text
    assert text.count("\n  ok ") == len(RIGHTS) - 1


def test_what_is_not_encrypted_is_told_loudly() -> None:
    bare = replace(REPORT, standing=replace(REPORT.standing, authentication="basic", encrypted=""))
    assert "Protected by      NOT ENCRYPTED\n" in ticket_text(bare, redact=False)


def test_a_host_that_was_not_reached_claims_nothing() -> None:
    text = ticket_text(NOT_REACHED, redact=False)
    assert "was not reached. WinRM on dc01.corp.example: it can't be reached. Look." in text
    assert "Authenticated by  nothing\nProtected by      unknown\n" in text
    assert "Clock             unknown\n" in text
    assert "  ok" not in text


@pytest.mark.parametrize("report", [REPORT, NOT_REACHED], ids=["reached", "not reached"])
def test_redaction_shortens_every_name(report: ConnectionReport) -> None:
    text = ticket_text(report, redact=True).lower()
    for name in ("dc01", "corp", "jane", "doe", "192.0.2.10", "2001:db8", "krb5cc_1000", "venv", "dc-alias"):
        assert name not in text, name
    for kept in ("kerberos", "5985", "pywinrm 0.5.0", "3.12.3"):
        assert kept in text, kept


def test_redaction_keeps_what_is_the_same_the_same() -> None:
    assert shortened("dc01.corp.example and DC01 and dc02", ("dc01.corp.example", "dc01")) == "dc~ and DC~ and dc02"
    assert shortened("within a word: predc01x", ("dc01",)) == "within a word: predc01x"
    assert shortened("nothing to do", ()) == "nothing to do"


@given(st.text(), st.lists(st.text(min_size=3)))
def test_redaction_takes_any_text(text: str, names: list[str]) -> None:
    assert isinstance(shortened(text, names), str)


def test_the_data_are_json_and_hold_the_whole_names() -> None:
    data = json.loads(json.dumps(REPORT.to_json()))
    assert data["target"]["account"] == "jane.doe@CORP.EXAMPLE"
    assert data["clock"] == {
        "ahead_seconds": -301.25,
        "round_trip_seconds": 0.02,
        "within_tolerance": False,
        "problem": "",
    }
    (denied,) = [item for item in data["rights"] if item["status"] == "denied"]
    assert denied["grant"] == SECURITY.grant
    assert {item["grant"] for item in data["rights"] if item["status"] == "ok"} == {""}


@pytest.mark.parametrize(("ahead", "fits"), [(300.0, True), (-300.1, False), (None, None)])
def test_kerberos_takes_five_minutes(ahead: float | None, fits: bool | None) -> None:
    assert Clock(ahead).fits is fits


def test_rights_have_names_of_their_own_and_name_controls_that_exist() -> None:
    assert len({right.name for right in RIGHTS}) == len(RIGHTS)
    named = {control for right in RIGHTS for control in right.unknown_without}
    assert named <= {control.id for control in CONTROLS}
    assert all(right.grant.endswith(".") for right in RIGHTS)
