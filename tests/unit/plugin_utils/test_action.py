# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way that every module goes: check mode, diff mode, overlay, verification, and what a failure looks like."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from ansible import constants
from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from unit.lab_host import Lab, running
from unit.plugin_utils.test_msi_package import ALL

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import HostError, HostUnreachable
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import Change, Effect, Key, Operation
from ansible_collections.entsso.password_sync.plugins.plugin_utils._action import (
    PLANNED_FACT,
    change_diff,
    planned_effects,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils._notification_package import (
    NotificationPackageResource,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils._resource import unknown
from ansible_collections.entsso.password_sync.plugins.plugin_utils._tools import run_tool, tool_error

TARGET: dict[str, Any] = {
    "name": "ENTSSO",
    "address": "sso01.corp.example",
    "service_principal_name": "ENTSSO/sso01",
    "inclusion_group": "Domain Users",
}


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """A lab in which nothing is installed and nothing is changed."""
    with running() as started:
        before = started.snapshot()
        yield started
        assert started.snapshot() == before


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run of its own for what is remembered of rejected passwords."""
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    return tmp_path


class TestCheckMode:
    def test_plans_of_later_modules_stand_on_earlier_ones(self, lab: Lab) -> None:
        lab.forget()
        first = lab.run("msi_package", "dc01", check=True, **ALL)
        planned = first["ansible_facts"][PLANNED_FACT]
        assert [item["resource"] for item in planned] == ["msi_package", "notification_package", "pcns_service", "tool"]
        assert json.loads(json.dumps(planned)) == planned
        restart = lab.run("domain_controller_restart", "dc01", check=True, allowed=True)
        # Facts are replaced, not added to, so they hold everything that was planned on this host.
        assert restart["ansible_facts"][PLANNED_FACT][: len(planned)] == planned
        assert lab.run("notification_package", "dc01", check=True)["changed"] is False
        assert lab.run("msi_package", "dc01", check=True, **ALL)["changed"] is False
        lab.run("pcns_target", "dc01", check=True, **TARGET)
        assert lab.run("pcns_target", "dc01", check=True, **TARGET)["changed"] is False

    def test_another_host_knows_only_of_shared_things(self, lab: Lab) -> None:
        lab.forget()
        lab.run("msi_package", "dc01", check=True, **ALL)
        assert lab.run("msi_package", "dc02", check=True, **ALL)["changed"] is True
        assert "does not exist on dc03" in str(lab.refused("pcns_service", "dc03", check=True))

    def test_a_play_that_judges_sees_only_what_is(self, lab: Lab) -> None:
        lab.forget()
        lab.run("msi_package", "dc01", check=True, **ALL)
        observe_only = {"password_sync_observe_only": True}
        judged = lab.run("msi_package", "dc01", check=True, variables=observe_only, **ALL)
        assert [change["operation"] for change in judged["changes"]] == ["install"]
        assert judged["changed"] is False
        assert "ansible_facts" not in judged

    def test_a_real_run_leaves_no_facts(self, lab: Lab) -> None:
        lab.forget()
        assert "ansible_facts" not in lab.run("domain_controller_restart", "dc01")

    def test_own_effects_come_last(self) -> None:
        def variables(host: str, version: str) -> dict[str, Any]:
            effect = Effect(Key("corp", "pcns_target", "x"), {"version": version})
            return {"inventory_hostname": host, "ansible_facts": {PLANNED_FACT: [effect.to_json()]}}

        class Everybody(dict[str, Any]):
            def raw_get(self, name: str) -> Any:
                return self[name]

        hosts = Everybody({"dc01": variables("dc01", "1"), "dc02": variables("dc02", "2"), "dc03": {}})
        own = {**variables("dc01", "1"), "hostvars": hosts}
        assert [effect.values for effect in planned_effects(own, others=True)] == [{"version": "2"}, {"version": "1"}]
        assert [effect.values for effect in planned_effects(own)] == [{"version": "1"}]
        assert planned_effects({**own, "password_sync_observe_only": True}, others=True) == []
        assert planned_effects({}) == []


class TestDiffMode:
    def test_every_change_is_shown(self, lab: Lab) -> None:
        lab.forget()
        (diff,) = lab.run("msi_package", "dc01", check=True, diff=True, **ALL)["diff"]
        assert diff["before_header"] == "dc01.corp.example: msi_package PCNS"
        assert diff["after_header"] == "dc01.corp.example: msi_package PCNS (install)"
        assert diff["before"] == ""
        assert 'version: "1.0.100.0"\n' in diff["after"]
        assert diff["after"].endswith("# implies: host restart\n")
        assert "diff" not in lab.run("msi_package", "dc01", check=True, **ALL)

    def test_before_and_after_are_sorted(self) -> None:
        change = Change("h", "r", "n", Operation.UPDATE, old={"b": 1, "a": None}, new={"b": True, "a": ("x",)})
        diff = change_diff(change)
        assert diff["before"] == "a: null\nb: 1\n"
        assert diff["after"] == 'a: ["x"]\nb: true\n'

    def test_the_message_says_what_would_be_done(self, lab: Lab) -> None:
        lab.forget()
        message = lab.run("msi_package", "dc01", check=True, **ALL)["msg"]
        assert message.startswith("dc01.corp.example would change: install msi_package PCNS (product_code={")
        assert lab.run("domain_controller_restart", "dc02")["msg"] == "dc02.corp.example is as wanted."


class TestArguments:
    def test_the_message_names_the_module_and_the_option(self, lab: Lab) -> None:
        error = str(lab.refused("pcns_service", "dc01", stat="running"))
        assert "Unsupported parameters for (entsso.password_sync.pcns_service) module: stat" in error
        assert "missing required arguments: name" in str(lab.refused("pcns_target", "dc01"))
        assert "value of state must be one of" in str(lab.refused("pcns_service", "dc01", state="started"))

    def test_async_is_refused(self, lab: Lab) -> None:
        action = lab.action("pcns_service", "dc01")
        action._task.async_val = 30
        with pytest.raises(AnsibleActionFail, match="does not support async"):
            action.run(None, lab.variables("dc01"))

    def test_a_delegated_task_speaks_of_the_host_it_works_on(self, lab: Lab) -> None:
        action = lab.action("pcns_service", "dc01", check=True)
        action._task.delegate_to = "dc01.corp.example"
        with pytest.raises(AnsibleActionFail, match=r"does not exist on dc01\.corp\.example"):
            action.run(None, {**lab.variables("sso01"), "inventory_hostname": "sso01.corp.example"})


class TestFailures:
    def test_a_host_that_is_down_is_unreachable(self, lab: Lab, folder: Path) -> None:
        endpoint = lab.endpoint("dc05")
        endpoint.down()
        try:
            error = lab.refused("pcns_info", "dc05")
            assert isinstance(error, AnsibleConnectionFailure)
            assert "WinRM on dc05.corp.example: the host can't be reached" in str(error)
            judging = {"password_sync_observe_only": True}
            assert isinstance(lab.refused("pcns_info", "dc05", variables=judging), AnsibleConnectionFailure)
            # A play that must come to its end hears of a failure instead, which `rescue` sees.
            failure = lab.refused("pcns_info", "dc05", variables={"password_sync_unreachable_is_failure": True})
            assert isinstance(failure, AnsibleActionFail)
            assert failure.result["changed"] is False
            assert failure.result["host"] == "dc05.corp.example"
        finally:
            endpoint.up()

    def test_a_wrong_password_is_tried_once(self, lab: Lab, folder: Path) -> None:
        before = lab.endpoint("dc04").statistics.rejected_logons
        texts = []
        for name in ("dc04", "dc05"):
            action = lab.action("pcns_info", name)
            action._connection = lab.connection(name, ansible_password="wrong")
            with pytest.raises(AnsibleConnectionFailure) as caught:
                action.run(None, lab.variables(name))
            texts.append(str(caught.value))
        assert lab.endpoint("dc04").statistics.rejected_logons == before + 1
        assert lab.endpoint("dc05").statistics.rejected_logons == 0
        assert "was rejected by dc04.corp.example" in texts[1]

    def test_become_is_refused(self, lab: Lab, folder: Path) -> None:
        action = lab.action("pcns_info", "dc01")
        action._connection.become = object()
        before = lab.endpoint("dc01").statistics.http_requests
        with pytest.raises(AnsibleActionFail, match="become has no effect"):
            action.run(None, lab.variables("dc01"))
        assert lab.endpoint("dc01").statistics.http_requests == before

    def test_a_web_server_is_unreachable_as_well(self, lab: Lab, folder: Path) -> None:
        endpoint = lab.endpoint("dc05")
        endpoint.faults.foreign_server()
        try:
            assert isinstance(lab.refused("pcns_info", "dc05"), AnsibleConnectionFailure)
        finally:
            endpoint.faults.clear()

    def test_a_judgement_goes_on_when_something_can_not_be_read(self, lab: Lab) -> None:
        judging = {"password_sync_observe_only": True}
        result = lab.run("notification_package", "sso01", check=True, variables=judging)
        assert result["changed"] is False
        assert "is not a domain controller" in result["msg"]
        assert "changes" not in result

    def test_what_was_done_before_a_failure_is_returned(self, lab: Lab) -> None:
        """Two changes, of which the second fails: the result says that something was changed, and what."""
        first, second = (Change("dc01", "x", name, Operation.UPDATE) for name in ("a", "b"))

        class Fails(NotificationPackageResource):
            def plan(self, _estate: object) -> tuple[Change, ...]:
                return first, second

            def apply(self, change: Change) -> None:
                if change is second:
                    raise HostError("dc01", "b", "it broke", "Mend it")

        action = lab.action("notification_package", "dc01")
        with (
            patch.object(type(action), "resource", Fails),
            pytest.raises(AnsibleActionFail, match=r"b on dc01: it broke\. Mend it\.") as caught,
        ):
            action.run(None, lab.variables("dc01"))
        assert caught.value.result["changed"] is True
        assert [change["name"] for change in caught.value.result["changes"]] == ["a"]


class TestTools:
    @pytest.mark.parametrize(
        ("output", "told"),
        [
            ("ERROR: 0x800706BA: The RPC server is unavailable.", "ERROR: 0x800706BA: The RPC server is unavailable."),
            ("x\r\n  FEHLER: 0xC0002A46: gibt es nicht\r\n", "FEHLER: 0xC0002A46: gibt es nicht"),
            ("Error: the group was not found", "Error: the group was not found"),
            ("Der Vorgang wurde erfolgreich beendet.", ""),
            ("A mapping of an account whose description says that it is old: 0x1", ""),
            ("", ""),
        ],
    )
    def test_printed_errors(self, output: str, told: str) -> None:
        assert tool_error(output) == told

    def test_what_only_stands_on_standard_error_is_returned(self, lab: Lab) -> None:
        with lab.open("dc01") as host:
            assert "not recognized" in run_tool(host, r"C:\none.exe", [])

    def test_what_could_not_be_read_is_one_clause(self) -> None:
        assert unknown(HostUnreachable("h", "WinRM", "it is down.", "Start it")).reason == "WinRM: it is down"
        assert unknown(HostUnreachable("h", "", "it is down", "Start it")).reason == "it is down"
