# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which domain controllers answer: asked without a logon, many at once, and none holds up the others for long."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from ansible import constants
from unit.plugin_utils.directory_task import DirectoryTasks
from unit.plugin_utils.ldap_kit import server, settings

from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_settings import Protocol, TlsMode
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._ldap_probe import AT_ONCE, Probe, probe
from lab.endpoint.tls import self_signed
from lab.forest import Forest
from lab.ldap import LdapServer
from lab.ldap.dns import NameServer
from lab.ldap.example import example_forest, example_objects

SECONDS = 0.3


@contextmanager
def controllers(**states: str) -> Iterator[tuple[dict[str, str], int]]:
    """Runs domain controllers on one port, by short name what each says of being synchronized."""
    objects = example_objects(example_forest())
    started: list[LdapServer] = []
    hosts: dict[str, str] = {}
    try:
        for number, (name, state) in enumerate(states.items(), 1):
            told = {"issynchronized": (state.encode(),)} if state else {}
            service = server(lambda: objects, f"{name}.corp.example", state=lambda told=told: told)
            started.append(service.start(f"127.0.0.{number}", started[0].port if started else 0))
            hosts[f"{name}.corp.example"] = f"127.0.0.{number}"
        yield hosts, started[0].port
    finally:
        for service in started:
            service.stop()
        assert [error for service in started for error in service.errors] == []
        assert [service.rejections for service in started] == [0] * len(started)


def test_each_says_how_it_is() -> None:
    with controllers(dc1="TRUE", dc2="FALSE", dc3="", dc4="TRUE") as (hosts, port):
        hosts |= {"down.corp.example": "127.0.0.99", "moved.corp.example": hosts.pop("dc4.corp.example")}
        with NameServer(hosts, {}) as names:
            asked = [*hosts, "gone.corp.example", ""]
            found = probe(settings(port, names), asked)
    assert list(found) == asked
    assert found["dc1.corp.example"] == Probe(True, True)
    assert found["dc2.corp.example"] == Probe(False, False, "its directory is not synchronized")
    assert found["dc3.corp.example"] == Probe(True, None)
    assert found["moved.corp.example"] == Probe(False, True, "dc4.corp.example answers in its place")
    assert "Connection refused" in found["down.corp.example"].reason
    assert "knows no address for this name" in found["gone.corp.example"].reason
    assert found[""].reason == "the directory has no name for it"
    assert not any(item.available for name, item in found.items() if name.startswith(("down", "gone", "moved")))


def test_silent_ones_cost_one_time_out_together() -> None:
    count = AT_ONCE
    with socket.create_server(("127.0.0.1", 0), backlog=2 * count) as listener:
        port = listener.getsockname()[1]
        hosts = {f"dc{number}.corp.example": "127.0.0.1" for number in range(count)}
        with NameServer(hosts, {}) as names:
            began = time.monotonic()
            found = probe(replace(settings(port, names), connection_timeout=SECONDS, timeout=60), list(hosts))
            took = time.monotonic() - began
    assert {item.available for item in found.values()} == {False}
    assert all("had not come after 0.3 seconds" in item.reason for item in found.values())
    assert took < 8 * SECONDS


def test_tls_proves_who_answers_where_it_is_wanted(tmp_path: Path) -> None:
    certificate = self_signed(["dc1.corp.example"])
    (tmp_path / "ca.pem").write_bytes(certificate.certificate)
    objects = example_objects(example_forest())
    with (
        server(lambda: objects, tls=certificate) as service,
        NameServer(dict.fromkeys(["dc1.corp.example", "dc2.corp.example"], "127.0.0.1"), {}) as names,
    ):
        given = settings(service.port, names, tls_mode=TlsMode.START_TLS, ca_cert=str(tmp_path / "ca.pem"))
        found = probe(replace(given, protocol=Protocol.SIMPLE), ["dc1.corp.example", "dc2.corp.example"])
    assert found["dc1.corp.example"].available is True
    assert found["dc2.corp.example"].available is False
    assert "certificate" in found["dc2.corp.example"].reason


class TestTask:
    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path))

    def test_the_module_returns_it_and_asks_only_when_told(self) -> None:
        forest = Forest()
        with forest, NameServer({name: forest.address(name) for name in forest.hosts}, {}) as names:
            forest.host("dc02").faults.not_synchronized = True
            forest.host("dc03").power.off()
            tasks = DirectoryTasks(
                "domain_controller_info",
                server="dc01.corp.example",
                port=10389,
                auth_protocol="ntlm",
                username=forest.operator,
                password=forest.operator_password,
                name_servers=[names.name],
            )
            plain = tasks.run()
            assert not any({"available", "synchronized"} & item.keys() for item in plain["domain_controllers"])
            done = {item["dns_name"]: item for item in tasks.run(probe=True)["domain_controllers"]}
        assert {name: item["available"] for name, item in done.items()} == {
            **{f"dc0{number}.corp.example": True for number in (1, 4, 5, 6)},
            "dc02.corp.example": False,
            "dc03.corp.example": False,
        }
        assert done["dc02.corp.example"]["unavailable_reason"] == "its directory is not synchronized"
        assert done["dc01.corp.example"] | {"available": 0} == {
            **next(item for item in plain["domain_controllers"] if item["dns_name"] == "dc01.corp.example"),
            "available": 0,
            "synchronized": True,
            "unavailable_reason": "",
        }
