# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""preflight_report: what the hosts of a run registered becomes one table, and a no-go ends the run."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleActionFail
from unit.lab_host import Spoken

from ansible_collections.entsso.password_sync.plugins.action.preflight_report import ActionModule
from ansible_collections.entsso.password_sync.plugins.plugin_utils import _preflight_report
from ansible_collections.entsso.password_sync.plugins.plugin_utils._resource import Task

RIGHTS = [
    {"name": name, "title": f"Title {name}", "status": "ok", "needed_for": "all", "grant": ""}
    for name in ("wmi_cimv2", "registry_methods", "services", "shell", "admin_share")
]
SSO = {"reachable": True, "problem": "", "rights": RIGHTS}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Spoken:
    spoken = Spoken()
    monkeypatch.setattr(_preflight_report, "display", spoken)
    return spoken


def found(*checks: tuple[str, str], go: bool) -> dict[str, Any]:
    """What domain_controller_preflight returned."""
    made = [
        {"name": name, "verdict": verdict, "msg": f"About {name}.", "remedy": "Mend it."} for name, verdict in checks
    ]
    return {"go": go, "checks": made}


def report(sso: dict[str, Any], dcs: dict[str, dict[str, Any]], *, gate: bool = True) -> dict[str, Any]:
    """Runs the module on what the hosts registered; it needs no host."""
    hosts = {name: {"pcns_preflight": value} if "pcns_exempt" not in value else value for name, value in dcs.items()}
    hosts["sso01"] = {"sso_preflight": sso}
    arguments = {"sso_servers": ["sso01"], "domain_controllers": list(dcs), "gate": gate}
    task = Task("sso01", arguments, False, lambda _text: None, lambda _text: None, lambda path: path)
    action = ActionModule.__new__(ActionModule)
    result: dict[str, Any] = action._perform(task, {"hostvars": hosts})
    return result


def test_go_for_all_with_the_warnings_of_several_hosts_in_one_line(told: Spoken) -> None:
    warned = found(("backup", "warning"), ("reachable", "go"), go=True)
    result = report(SSO, {"dc02": warned, "dc01": warned, "dc03": {"pcns_exempt": "  old\n one "}})
    assert result["msg"] == "Go for all 3 hosts. 1 exempt."
    assert told.said == [*result["table"], result["msg"]]
    assert result["table"][1:] == [
        "sso01  go",
        "dc01   go",
        "dc02   go",
        "dc03   exempt    old one",
        "warning for dc01, dc02: backup: About backup. Mend it.",
    ]


def test_a_no_go_ends_the_run_after_the_table(told: Spoken) -> None:
    dcs = {"dc01": found(("media", "no_go"), ("signature", "unknown"), go=False), "dc02": found(go=True)}
    with pytest.raises(AnsibleActionFail) as caught:
        report(SSO, dcs)
    assert str(caught.value) == (
        "No-go for 1 of 3 hosts: dc01. dc01: media: About media. Mend it. Nothing was changed."
    )
    assert [item["verdict"] for item in caught.value.result["hosts"]] == ["go", "no_go", "go"]
    assert "dc01   NO-GO     media: About media. Mend it." in told.said
    assert report(SSO, dcs, gate=False)["msg"] == "No-go for 1 of 3 hosts: dc01."


def test_many_no_goes_are_not_all_in_the_message(told: Spoken) -> None:
    dcs = {f"dc{number:02}": found(("media", "no_go"), go=False) for number in range(1, 13)}
    with pytest.raises(AnsibleActionFail, match="The others are in the table above and in `hosts`") as caught:
        report(SSO, dcs)
    assert "dc11: " not in str(caught.value)
    assert all(f"{name}   NO-GO" in "\n".join(told.said) for name in dcs)


@pytest.mark.parametrize(
    ("registered", "reason"),
    [
        ({}, "reachable: This run did not look at it."),
        ({"msg": "Task failed: `accept` can't be followed."}, "reachable: `accept` can't be followed."),
    ],
)
def test_a_host_that_nobody_looked_at_is_a_no_go(registered: dict[str, Any], reason: str) -> None:
    result = report(registered, {"dc01": registered}, gate=False)
    assert [(item["verdict"], item["reasons"][0].startswith(reason)) for item in result["hosts"]] == [
        ("no_go", True)
    ] * 2


@pytest.mark.parametrize(
    ("right", "status", "verdict"),
    [
        ("shell", "denied", "no_go"),
        ("wmi_cimv2", "denied", "no_go"),
        ("admin_share", "denied", "go"),
        ("shell", "unknown", "go"),
    ],
)
def test_an_sso_server_without_a_right_that_is_needed(right: str, status: str, verdict: str) -> None:
    rights = [{**item, "status": status, "grant": "Grant it."} if item["name"] == right else item for item in RIGHTS]
    (row,) = report({**SSO, "rights": rights}, {}, gate=False)["hosts"]
    assert row["verdict"] == verdict
    if verdict == "no_go":
        assert row["reasons"] == [f"rights: Title {right} is denied, which is needed for all. Grant it."]


def test_an_sso_server_that_is_not_reached() -> None:
    sso = {"reachable": False, "problem": "WinRM on sso01: the host can't be reached. Start it.", "rights": []}
    (row,) = report(sso, {}, gate=False)["hosts"]
    assert row["reasons"] == ["reachable: WinRM on sso01: the host can't be reached. Start it."]
