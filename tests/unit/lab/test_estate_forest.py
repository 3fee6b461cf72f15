# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The forest as a whole: what a snapshot sees, the clock, and hosts behind real endpoints."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest
import yaml
from unit.lab.estate_kit import put, sso, working_forest
from winrm.protocol import Protocol

from lab.forest import Forest
from lab.inventory import write_inventory
from lab.scheduler import Scheduler


def client(forest: Forest, name: str) -> Protocol:
    """Returns pywinrm's client for a host."""
    return Protocol(
        endpoint=f"http://{forest.address(name)}:5985/wsman",
        transport="ntlm",
        username=forest.operator,
        password=forest.operator_password,
    )


def run(protocol: Protocol, line: str) -> tuple[str, int]:
    """Runs a command line through WinRM; returns its output and exit code."""
    shell = protocol.open_shell()
    command = protocol.run_command(shell, line)
    output, _unused, exit_code = protocol.get_command_output(shell, command)
    protocol.cleanup_command(shell, command)
    protocol.close_shell(shell)
    return output.decode(), exit_code


def test_the_standard_estate() -> None:
    forest = Forest()
    sites = {name: host.identity.site for name, host in forest.hosts.items()}
    assert sites == {
        "dc01.corp.example": "Paris",
        "dc02.corp.example": "Paris",
        "dc03.corp.example": "Paris",
        "dc04.corp.example": "Lyon",
        "dc05.corp.example": "Lyon",
        "dc06.corp.example": "Lyon",
        "sso01.corp.example": "Paris",
    }
    assert len(forest.domain_controllers) == 6
    assert forest.host("DC01") is forest.host("dc01.corp.example")
    assert forest.find_host("dc01.other.example") is None
    with pytest.raises(KeyError):
        forest.host("dc99")


def test_a_snapshot_is_json_and_does_not_change_by_looking_or_by_time() -> None:
    forest = working_forest()
    before = json.dumps(forest.snapshot())
    server = forest.host("sso01")
    for host in forest.hosts.values():
        for name in ("Win32_OperatingSystem", "Win32_Service", "CIM_DataFile", "Win32_Process", "Win32_LogicalDisk"):
            assert host.wmi_instances("root/cimv2", name)
        host.wmi_invoke("root/cimv2", "StdRegProv", "EnumKey", None, {"sSubKeyName": ["SYSTEM"]})
        host.event_channel("Application")
        host.run("ver")
        host.run(r"certutil -hashfile C:\Windows\System32\cmd.exe SHA256")
    for tool, arguments in (
        ("ssops", "-list"),
        ("ssops", "-display RACF"),
        ("ssoconfig", "-syncage"),
        ("ssomanage", "-listapps"),
    ):
        assert sso(server, tool, arguments)[0] == 0
    forest.advance(30 * 24 * 3600)
    assert json.dumps(forest.snapshot()) == before


def test_a_snapshot_sees_every_kind_of_change() -> None:
    forest = working_forest()
    host = forest.host("dc01")
    seen = [forest.snapshot()]

    def changed() -> bool:
        seen.append(forest.snapshot())
        return seen[-1] != seen[-2]

    host.registry.set_dword(r"SOFTWARE\X", "v", 1)
    assert changed()
    put(host, "x.txt", b"x")
    assert changed()
    host.services.stop("PCNSSVC")
    assert changed()
    forest.disable_adapter("RACF")
    assert changed()
    forest.directory.add_group("New")
    assert changed()
    sso(forest.host("sso01"), "ssoconfig", "-syncage 99")
    assert changed()
    host.run("shutdown /r /t 600")
    assert changed()
    host.run("shutdown /a")
    assert changed()
    assert not changed()


def test_replication_can_be_held_back() -> None:
    forest = working_forest()
    forest.directory.hold_replication("dc01")
    forest.directory.set_pcns(type(forest.directory.pcns())())
    assert forest.host("dc01").services.is_running("PCNSSVC")
    forest.directory.release_replication("dc01")
    assert not forest.host("dc01").services.is_running("PCNSSVC")


def test_many_hosts_are_cheap() -> None:
    forest = Forest()
    started = time.process_time()
    for number in range(100):
        forest.add_domain_controller(f"DX{number}", "Paris")
    assert len(forest.domain_controllers) == 106
    assert time.process_time() - started < 10


def test_real_clients_see_a_running_forest(tmp_path: Path) -> None:
    with Forest() as forest:
        before = forest.snapshot()
        output, exit_code = run(client(forest, "dc01"), "ver")
        assert "Version 10.0.20348" in output
        assert exit_code == 0
        assert forest.snapshot() == before
        path = write_inventory(forest, tmp_path / "inventory", {"all": {"more": 1}, "sso_servers": {"x": "y"}})
        groups = yaml.safe_load(path.read_text(encoding="utf-8"))["all"]["children"]
        assert len(groups["domain_controllers"]["hosts"]) == 5
        assert list(groups["domain_controllers"]["children"]["rodc"]["hosts"]) == ["dc06.corp.example"]
        assert groups["sso_servers"]["hosts"]["sso01.corp.example"]["ansible_host"] == forest.address("sso01")
        variables = yaml.safe_load((path.parent / "group_vars" / "all.yml").read_text(encoding="utf-8"))
        assert (variables["ansible_user"], variables["more"]) == ("CORP\\svc-ansible", 1)
        assert forest.add_domain_controller("DC07", "Lyon").boot_count == 1
        assert run(client(forest, "dc07"), "echo new")[0].strip() == "new"
        assert [error for endpoint in forest.endpoints.values() for error in endpoint.errors] == []


def test_a_restart_takes_the_endpoint_down_and_up() -> None:
    with Forest() as forest:
        host, endpoint = forest.host("dc02"), forest.endpoints["dc02.corp.example"]
        assert run(client(forest, "dc02"), "shutdown /r /t 20 /d p:4:1")[1] == 0
        seen_down = False
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and not (host.boot_count == 2 and endpoint.is_up):
            seen_down = seen_down or not endpoint.is_up
            time.sleep(0.01)
        assert seen_down
        assert host.boot_count == 2
        assert run(client(forest, "dc02"), "echo back")[0].strip() == "back"


def test_the_clock_stands_still_or_runs() -> None:
    scheduler = Scheduler()
    seen: list[str] = []
    scheduler.after(2, lambda: seen.append("second"))
    scheduler.after(1, lambda: seen.append("first"))
    scheduler.after(1.5, lambda: seen.append("never")).cancel()
    first = scheduler.now()
    assert scheduler.now() == first
    scheduler.advance(3)
    assert seen == ["first", "second"]
    assert (scheduler.now() - first).total_seconds() == 3
    done = threading.Event()
    scheduler.start()
    with pytest.raises(RuntimeError):
        scheduler.advance(1)
    scheduler.after(0.01, done.set)
    assert done.wait(5)
    scheduler.stop()
    assert scheduler.time() >= 3.01
