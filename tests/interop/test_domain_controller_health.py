# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gates that a directory answers, and the probe, against a real domain controller."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from interop.directory_kit import PASSWORD, session_as

from ansible_collections.entsso.password_sync.plugins.module_utils._plan import Unknown
from ansible_collections.entsso.password_sync.plugins.module_utils.health._directory_gates import (
    PING_ATTRIBUTE,
    ping_filter,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_settings import LdapSettings, Protocol
from ansible_collections.entsso.password_sync.plugins.plugin_utils._system import System
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory import Directory
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._ldap_probe import Probe, probe
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._ldap_session import Scope
from ansible_collections.entsso.password_sync.plugins.plugin_utils.health._directory_reading import DirectoryLook
from lab.forest import Forest
from lab.ldap.state import root_state
from lab.samba.directory import Domain

pytestmark = pytest.mark.needs("samba", "root")

CACHE = Path(__file__).parents[2] / "build" / "samba"
NOW = datetime(2026, 11, 20, tzinfo=UTC)
SYSTEM = System("dc1.corp.example", "corp.example", True, "10.0.20348", "Windows", r"C:\Windows\System32", NOW, NOW)


@pytest.fixture(scope="module")
def settings() -> Iterator[LdapSettings]:
    """Those of a user without any right of his own."""
    with Domain.start(CACHE) as domain:
        domain.add_user("reader", PASSWORD)
        yield LdapSettings(
            "corp.example",
            server="dc1.corp.example",
            protocol=Protocol.NTLM,
            username="CORP\\reader",
            password=PASSWORD,
            name_servers=(domain.address,),
            timeout=10,
        )


def test_a_lone_domain_controller_passes_its_gates_for_any_user(settings: LdapSettings, tmp_path: Path) -> None:
    with Directory(settings, str(tmp_path)) as directory:
        look = DirectoryLook(directory, lambda: Unknown("nobody asks WMI of it"))
        waiting = look.gates(SYSTEM, serves=False)
        gates = look.gates(SYSTEM, serves=True)
        assert look.gates(SYSTEM, serves=True) == gates, "over the same session"
    assert {gate.verdict.value for gate in waiting} == {"waiting"}
    assert [(gate.name.value, gate.verdict.value) for gate in gates] == [
        ("ldap", "passed"),
        ("synchronized", "passed"),
        ("advertised", "passed"),
        ("replication", "passed"),
    ]
    assert gates[1].sentence == "its directory is synchronized, and it is ready as a global catalog"
    assert gates[3].sentence == "it is the only domain controller, so nothing is replicated"


def test_one_of_another_name_is_not_taken_for_it(settings: LdapSettings, tmp_path: Path) -> None:
    address = settings.name_servers[0]
    with Directory(settings, str(tmp_path)) as directory:
        gates = DirectoryLook(directory, lambda: Unknown("")).gates(replace(SYSTEM, name=address), serves=True)
    assert [gate.verdict.value for gate in gates] == ["failed", "waiting", "waiting", "waiting"]
    assert f"dc1.corp.example answers over LDAP, and not {address}" in gates[0].sentence


def test_the_probe_needs_no_account(settings: LdapSettings) -> None:
    nobody = replace(settings, username="CORP\\nobody", password="none", server="")
    assert probe(nobody, ["dc1.corp.example"]) == {"dc1.corp.example": Probe(True, True)}


def test_the_lab_answers_the_ping_as_a_real_one_does(settings: LdapSettings, tmp_path: Path) -> None:
    session = session_as(settings, tmp_path)
    entry = session.search("", ping_filter("corp.example"), (PING_ATTRIBUTE,), Scope.BASE).entries[0]
    session.close()
    real = entry.raw(PING_ATTRIBUTE)[0]
    forest = Forest()
    simulated = root_state(forest.host("dc01"), "corp.example")[PING_ATTRIBUTE][0]
    assert real[:4] == simulated[:4] == b"\x17\0\0\0"
    # Samba: PDC, closest and full secrets besides; the lab: time service.
    both = int.from_bytes(real[4:8], "little") & int.from_bytes(simulated[4:8], "little")
    assert both == 0x4 | 0x8 | 0x10 | 0x20 | 0x100
    assert b"\x04corp\x07example\0" in simulated
    assert real[24:].startswith(b"\x04corp\x07example\0")
    assert simulated[24:].startswith(b"\x04corp\x07example\0")
