# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""connection_info on the lab: what it finds on a good host, on each kind of bad one, and with each right gone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest
from unit.lab_host import Lab, Result, running, settings
from unit.plugin_utils.ansible_connection import connection

from ansible_collections.entsso.password_sync.plugins.module_utils.connection._connection_rights import RIGHTS
from lab.endpoint.access import WMI_REFUSALS, Access, Services
from lab.windows.seed import CHANNELS

LSA = r"SYSTEM\CurrentControlSet\Control\Lsa"
UNINSTALL = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall"
NOT_TRIED = ("shell", "admin_share")
CIMV2 = ("wmi_cimv2", "registry_methods", "registry_lsa", "registry_uninstall", "services")


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with running() as started:
        yield started


@pytest.fixture(autouse=True)
def fresh(lab: Lab) -> None:
    lab.forget()


def limit(lab: Lab, name: str, access: Access) -> None:
    """Takes rights from the account on a host: its WinRM service comes back with another configuration."""
    endpoint = lab.endpoint(name)
    endpoint.settings = replace(endpoint.settings, limited={lab.forest.operator.lower(): access})
    endpoint.down()
    endpoint.up()


def statuses(result: Result) -> dict[str, str]:
    return {item["name"]: item["status"] for item in result["rights"]}


def detail(result: Result, name: str) -> str:
    return next(item["detail"] for item in result["rights"] if item["name"] == name)


def test_a_good_host(lab: Lab) -> None:
    result = lab.run("connection_info", "dc01")
    assert (result["changed"], result["reachable"], result["problem"]) == (False, True, "")
    assert result.get("failed") is not True
    assert result["authentication"] == {"mechanism": "ntlm", "encrypted": "message"}
    assert result["target"]["account"] == lab.forest.operator
    assert result["system"].startswith("DC01, Microsoft Windows Server")
    assert {"port": 5985, "purpose": "WinRM over http", "state": "open"} in result["ports"]
    assert {item["port"]: item["state"] for item in result["ports"]}[5986] == "connection refused"
    assert abs(result["clock"]["ahead_seconds"]) < 1
    assert result["clock"]["within_tolerance"] is True
    expected = dict.fromkeys((right.name for right in RIGHTS), "ok") | dict.fromkeys(NOT_TRIED, "unknown")
    assert statuses(result) == expected
    assert result["msg"] in result["report"]


def test_it_changes_nothing_in_either_mode_and_starts_nothing(lab: Lab) -> None:
    before = lab.snapshot()
    result = lab.run("connection_info", "dc02", check=True, probe_shell=True)
    assert lab.snapshot() == before
    assert result["changed"] is False
    assert statuses(result)["shell"] == "ok"
    endpoint = lab.endpoint("dc02")
    assert (endpoint.statistics.processes_started, endpoint.open_shells) == (0, 0)
    assert (endpoint.open_subscriptions, endpoint.open_enumerations) == (0, 0)


def test_no_shell_is_opened_unasked(lab: Lab) -> None:
    actions = lab.endpoint("dc03").statistics.actions
    seen = len(actions)
    result = lab.run("connection_info", "dc03")
    assert not [action for action in actions[seen:] if action.endswith("transfer/Create")]
    assert detail(result, "shell") == "not tried: set probe_shell to true to open and delete one"


TAKEN = {
    "wmi_default": (Access(namespaces=("root/default",)), ("wmi_default",)),
    "wmi_microsoftactivedirectory": (
        Access(namespaces=("root/MicrosoftActiveDirectory",)),
        ("wmi_microsoftactivedirectory",),
    ),
    "wmi_microsoftdfs": (Access(namespaces=("root/MicrosoftDFS",)), ("wmi_microsoftdfs",)),
    "wmi_cimv2": (Access(namespaces=("root/cimv2",)), CIMV2),
    "registry_methods": (
        Access(execute=False),
        ("registry_methods", "registry_lsa", "registry_uninstall"),
    ),
    "registry_lsa": (Access(keys=(LSA,)), ("registry_lsa",)),
    "registry_uninstall": (Access(keys=(UNINSTALL,)), ("registry_uninstall",)),
    "services_hidden": (Access(services=Services.HIDDEN), ("services",)),
    "services_refused": (Access(services=Services.REFUSED), ("services",)),
    "events_application": (Access(channels=("Application",)), ("events_application",)),
    "events_system": (Access(channels=("System",)), ("events_system",)),
    "events_security": (Access(channels=("Security",)), ("events_security",)),
    "shell": (Access(shell=False), ("shell",)),
}


@pytest.mark.parametrize("name", TAKEN)
def test_a_right_that_is_missing_is_denied_with_what_to_grant(lab: Lab, name: str) -> None:
    access, denied = TAKEN[name]
    for refusal in WMI_REFUSALS if "wmi" in name or "methods" in name or "refused" in name else WMI_REFUSALS[:1]:
        limit(lab, "dc04", replace(access, refusal=refusal))
        result = lab.run("connection_info", "dc04", probe_shell=True)
        assert {right for right, status in statuses(result).items() if status == "denied"} == set(denied)
        assert {status for right, status in statuses(result).items() if right not in (*denied, "admin_share")} == {"ok"}
        grants = {item["name"]: item["grant"] for item in result["rights"]}
        assert all(grants[right] for right in denied)
        assert result["reachable"] is True
        assert all(right in result["msg"] for right in denied)


def test_without_cimv2_the_clock_is_unknown_and_the_host_is_reached_all_the_same(lab: Lab) -> None:
    limit(lab, "dc04", Access(namespaces=("root/cimv2",)))
    result = lab.run("connection_info", "dc04")
    assert result["clock"]["within_tolerance"] is None
    assert "Win32_OperatingSystem: access was denied" in result["problem"]
    assert result["clock"]["problem"] == result["problem"]
    assert result["authentication"]["mechanism"] == "ntlm"


def test_a_namespace_that_is_not_there_is_unknown_and_not_denied() -> None:
    with running(settings(absent_namespaces=frozenset({"root/microsoftdfs"}))) as other:
        result = other.run("connection_info", "dc05")
    assert statuses(result)["wmi_microsoftdfs"] == "unknown"
    assert "namespace" in detail(result, "wmi_microsoftdfs")


@pytest.mark.parametrize("seconds", [400.0, -4000.0])
def test_a_clock_that_is_wrong_is_measured(lab: Lab, seconds: float) -> None:
    host = lab.simulated("dc03")
    host.faults.clock_offset_seconds = seconds
    try:
        result = lab.run("connection_info", "dc03")
    finally:
        host.faults.clock_offset_seconds = 0.0
    assert result["clock"]["ahead_seconds"] == pytest.approx(seconds, abs=1)
    assert result["clock"]["within_tolerance"] is False
    assert "too far apart for Kerberos" in result["report"]


def not_reached(result: Result, *told: str) -> None:
    assert (result["changed"], result["reachable"]) == (False, False)
    assert "failed" not in result
    assert "unreachable" not in result
    assert not [part for part in told if part not in result["problem"]], result["problem"]
    assert set(statuses(result).values()) == {"unknown"}
    assert result["control_node"]["libraries"]["pywinrm"]
    assert result["problem"] in result["report"]


def test_a_host_that_is_down_still_gives_a_report(lab: Lab) -> None:
    endpoint = lab.endpoint("dc06")
    endpoint.down()
    try:
        result = lab.run("connection_info", "dc06")
    finally:
        endpoint.up()
    not_reached(result, "WinRM on dc06.corp.example", "can't be reached", "Check that the host is up")
    assert {item["state"] for item in result["ports"]} == {"connection refused"}


def test_what_is_not_windows(lab: Lab) -> None:
    faults = lab.endpoint("sso01").faults
    faults.foreign_server()
    try:
        not_reached(lab.run("connection_info", "sso01"), "no WinRM service")
    finally:
        faults.clear()


def test_another_machine_under_the_name_is_no_host_that_was_reached(lab: Lab) -> None:
    elsewhere = lab.connection("dc02")
    not_reached(run_with(lab, "dc01", elsewhere), "calls itself DC02", "Correct ansible_host")


def run_with(lab: Lab, name: str, instead: Any, **given: Any) -> Result:
    with patch.object(lab, "connection", lambda _name: instead):
        return lab.run("connection_info", name, **given)


def test_a_rejected_password_is_tried_once_and_is_in_no_result(lab: Lab) -> None:
    wrong = "Wr0ng-and-secret"
    statistics = lab.endpoint("dc01").statistics
    before = statistics.rejected_logons
    result = run_with(lab, "dc01", lab.connection("dc01", ansible_password=wrong))
    not_reached(result, "account CORP\\svc-ansible", "rejected")
    assert statistics.rejected_logons == before + 1
    assert wrong not in json.dumps(result)


def test_a_password_in_what_a_library_says_is_taken_out(lab: Lab) -> None:
    secret = lab.forest.operator_password
    with (
        patch(
            "ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._connection_info.resolve",
            side_effect=lambda *_a: (),
        ),
        patch(
            "ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._connection_info.control_node"
        ) as node,
    ):
        node.return_value.collection = "0"
        node.return_value.python = f"says {secret}"
        node.return_value.executable = ""
        node.return_value.libraries = {}
        result = lab.run("connection_info", "dc01")
    assert "says ********" in result["report"]
    assert secret not in json.dumps(result)


@pytest.mark.parametrize("kind", ["ssh", "local"])
def test_another_connection_is_a_result_that_says_what_to_set(lab: Lab, kind: str) -> None:
    result = run_with(lab, "dc01", connection(kind), deadline=1)
    not_reached(result, f"connection {kind}", "Set ansible_connection: winrm")
    assert result["target"]["connection"] == kind
    assert result["target"]["port"] is None


def test_redaction_is_of_what_people_paste(lab: Lab) -> None:
    result = lab.run("connection_info", "dc01", redact=True)
    for name in ("svc-ansible", "dc01", "corp.example", lab.endpoint("dc01").address):
        assert name not in result["report"].lower()
        assert name not in result["msg"].lower()
    assert result["target"]["account"] == lab.forest.operator


def test_the_channels_are_those_of_the_lab() -> None:
    """The lab knows the three that are probed, so that `ok` above means that they were read."""
    assert {"Application", "System", "Security"} <= set(CHANNELS)
