# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two real domain controllers: what is written to one is waited for on the other."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ansible import constants
from interop.directory_kit import PASSWORD
from unit.plugin_utils.directory_task import DirectoryTasks

from ansible_collections.entsso.password_sync.plugins.module_utils._plan import Unknown
from ansible_collections.entsso.password_sync.plugins.module_utils.health._replication import Neighbour
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_settings import LdapSettings, Protocol
from ansible_collections.entsso.password_sync.plugins.plugin_utils._system import System
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory import Directory
from ansible_collections.entsso.password_sync.plugins.plugin_utils.health._directory_reading import DirectoryLook
from lab.ldap.dns import NameServer
from lab.samba.directory import Domain
from lab.samba.second import SecondController, second_controller

pytestmark = pytest.mark.needs("samba", "unshare", "root")

CACHE = Path(__file__).parents[2] / "build" / "samba"
BOTH = ["dc1.corp.example", "dc2.corp.example"]
DC2_IS_BEHIND = "1 seconds not every domain controller has it: dc2.corp.example: it does not have it yet. Look at the"


@dataclass(frozen=True)
class Pair:
    """Two domain controllers, and tasks that find them by name."""

    second: SecondController
    tasks: DirectoryTasks


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with Domain.start(CACHE) as domain, second_controller(domain) as second:
        domain.add_user("svc-sso", PASSWORD)
        domain.add_user("svc-old", PASSWORD)
        second.replicate()
        hosts = {"dc1.corp.example": domain.address, "dc2.corp.example": second.address}
        with NameServer(hosts, {}) as names:
            tasks = DirectoryTasks(
                "service_principal_name",
                server="dc1.corp.example",
                name_servers=[names.name],
                auth_protocol="ntlm",
                username=f"CORP\\{domain.admin[0]}",
                password=domain.admin[1],
            )
            yield Pair(second, tasks)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path))


def test_the_task_ends_when_the_other_one_has_it(pair: Pair) -> None:
    replication = threading.Timer(0.3, pair.second.replicate)
    replication.start()
    done = pair.tasks.run(name="ENTSSO/sso01", account="svc-old", replication_timeout=60)
    replication.join()
    assert (done["changed"], done["seen_by"]) == (True, BOTH)
    # The second one says so itself.
    alone = {"server": "dc2.corp.example", "replication_servers": ["dc2.corp.example"]}
    assert pair.tasks.run(name="ENTSSO/sso01", account="svc-old", **alone)["changed"] is False


def test_one_that_is_behind_is_named(pair: Pair) -> None:
    error = pair.tasks.refused(name="ENTSSO/sso02", account="svc-sso", replication_timeout=1)
    assert DC2_IS_BEHIND in str(error)
    assert error.result["changed"] is True
    again = pair.tasks.refused(name="ENTSSO/sso02", account="svc-sso", replication_timeout=1)
    assert DC2_IS_BEHIND in str(again)
    assert again.result["changed"] is False
    pair.second.replicate()
    done = pair.tasks.run(name="ENTSSO/sso02", account="svc-sso", replication_timeout=1)
    assert (done["changed"], done["seen_by"]) == (False, BOTH)


def test_a_move_is_over_when_nobody_sees_two(pair: Pair) -> None:
    pair.tasks.run(name="ENTSSO/sso03", account="svc-old", replication_timeout=0)
    pair.second.replicate()
    error = pair.tasks.refused(name="ENTSSO/sso03", account="svc-sso", force=True, replication_timeout=1)
    assert DC2_IS_BEHIND in str(error)
    pair.second.replicate()
    assert pair.tasks.run(name="ENTSSO/sso03", account="svc-sso", replication_timeout=1)["seen_by"] == BOTH
    gone = pair.tasks.refused(name="ENTSSO/sso03", account="svc-sso", state="absent", replication_timeout=1)
    assert DC2_IS_BEHIND in str(gone)


def test_partners_that_the_directory_does_not_show_are_unknown(pair: Pair, tmp_path: Path) -> None:
    """Samba has no msDS-NCReplInboundNeighbors, as Windows for an account that may not read it."""
    common = pair.tasks.common
    settings = LdapSettings(
        "corp.example",
        protocol=Protocol.NTLM,
        username=common["username"],
        password=common["password"],
        name_servers=tuple(common["name_servers"]),
        timeout=10,
    )
    now = datetime.now(UTC)
    system = System("dc2.corp.example", "corp.example", True, "", "", "", now, now)
    with Directory(settings, str(tmp_path)) as directory:
        told = DirectoryLook(directory, lambda: Unknown("WMI is not there")).gates(system, serves=True)
        partner = Neighbour("DC1", "DC=corp,DC=example", 0, now)
        by_wmi = DirectoryLook(directory, lambda: (partner,)).gates(system, serves=True)
    assert [gate.verdict.value for gate in told] == ["passed", "passed", "passed", "unknown"]
    assert told[3].sentence.endswith("msDS-NCReplInboundNeighbors to this account, and WMI is not there")
    assert "`replication` in `accept_unknown`" in told[3].remedy
    assert by_wmi[3].sentence == "it has pulled from its partner since it started"
