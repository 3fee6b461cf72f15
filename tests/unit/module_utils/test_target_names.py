# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What plays decide about targets: whose the names are, which targets are a domain's, and who would lose changes."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.entsso.password_sync.plugins.filter import lost_changes as lost_filter
from ansible_collections.entsso.password_sync.plugins.filter import target_names as names_filter
from ansible_collections.entsso.password_sync.plugins.filter import targets_of as of_filter
from ansible_collections.entsso.password_sync.plugins.module_utils._go_live import lost_changes
from ansible_collections.entsso.password_sync.plugins.module_utils._target_names import target_names
from ansible_collections.entsso.password_sync.plugins.module_utils._wanted_targets import targets_of


def server(account: str, name: str = "sso01.corp.example", domain: str = "corp.example", **more: Any) -> dict[str, Any]:
    observed = {"service_account": account, "system": {"name": name, "domain": domain}}
    return {"password_sync_adapters_observation": observed, **more}


def wanted(name: str, address: str = "sso01.corp.example", **more: Any) -> dict[str, Any]:
    return {"name": name, "address": address, "service_principal_name": f"ENTSSO/{name}", **more}


class TestNames:
    def test_by_what_the_service_was_observed_to_run_as(self) -> None:
        hosts = {"one": server("CORP\\svc-a"), "two": server("CORP\\svc-b", "sso02.corp.example")}
        targets = [
            wanted("a"),
            wanted("b", "SSO02"),
            wanted("A"),
            wanted("c", "elsewhere"),
            wanted("d", state="absent"),
        ]
        assert target_names(targets, list(hosts), hosts) == [
            {"account": "CORP\\svc-a", "names": ["ENTSSO/a"]},
            {"account": "CORP\\svc-b", "names": ["ENTSSO/b"]},
            {"account": "", "names": ["ENTSSO/c"]},
        ]
        assert target_names(targets[:2], [], {}, "svc") == [{"account": "svc", "names": ["ENTSSO/a", "ENTSSO/b"]}]

    @pytest.mark.parametrize("account", ["LocalSystem", "NT AUTHORITY\\NetworkService", "nt authority\\SYSTEM"])
    def test_a_service_that_runs_as_the_machine(self, account: str) -> None:
        found = target_names([wanted("a")], ["one"], {"one": server(account)})
        assert found[0]["account"] == "corp.example\\sso01$"

    def test_a_cluster(self) -> None:
        hosts = {"one": server("CORP\\svc", sso_cluster_name="SSOCLU.corp.example")}
        assert target_names([wanted("a", "ssoclu.corp.example")], ["one"], hosts)[0]["account"] == "CORP\\svc"

    def test_not_observed(self) -> None:
        assert target_names([wanted("a")], ["one"], {"one": {}})[0]["account"] == ""


def test_targets_of_a_domain() -> None:
    targets = [{"name": "a"}, {"name": "b", "domain": "Corp.example."}, {"name": "c", "domain": "child.corp.example"}]
    assert [item["name"] for item in targets_of(targets, "corp.example")] == ["a", "b"]
    live = [{"name": "a", "enabled": False}, {"name": "b", "state": "absent"}, {"name": "c", "enabled": True}]
    assert [item["name"] for item in targets_of(live, "corp.example", live=True)] == ["c"]


def observed(state: str, name: str, domain: str = "corp.example") -> dict[str, Any]:
    return {"pcns_observation": {"planned_capture_state": state, "system": {"name": name, "domain": domain}}}


def known(name: str, **more: Any) -> dict[str, Any]:
    return {
        "dns_name": name, "netbios_name": None, "domain": name.partition(".")[2], "site": "", "read_only": False,
        "promoted_at": "", "enabled": True, "problems": [], **more,
    }  # fmt: skip


HOSTS = {
    "one": observed("working", "dc1.corp.example"),
    "two": observed("loaded", "dc2.corp.example"),
    "three": {"pcns_exempt": "loop breaker"},
    "four": {"pcns_observation": {"unreachable": True}},
    "kid": observed("absent", "dc1.child.corp.example", "child.corp.example"),
}


class TestLostChanges:
    def test_of_this_domain(self) -> None:
        assert lost_changes(list(HOSTS), HOSTS, "corp.example", None) == [
            "two (loaded)",
            "four (unknown, since it could not be observed)",
        ]

    def test_whom_only_the_directory_knows(self) -> None:
        hosts = {"one": HOSTS["one"], "DC3": {"pcns_exempt": "x"}}
        names = ("dc1.corp.example", "dc3.corp.example", "dc9.corp.example", "dc8.child.corp.example")
        items = [
            *map(known, names),
            known("ro.corp.example", read_only=True),
            known("off.corp.example", enabled=False),
        ]
        answer = {"domain_controllers": items, "domains": [], "unread": {"corp.example": "no"}, "leftovers": []}
        assert lost_changes(list(hosts), hosts, "corp.example", answer) == [
            "dc9.corp.example (the directory knows it, and this run did not look at it)",
            "corp.example could not be read: no",
        ]


def test_filters() -> None:
    (names,) = names_filter.FilterModule().filters().values()
    (targets,) = of_filter.FilterModule().filters().values()
    (lost,) = lost_filter.FilterModule().filters().values()
    assert names([wanted("a")], [], {}, None) == [{"account": "", "names": ["ENTSSO/a"]}]
    assert targets([{"name": "a"}], None) == [{"name": "a"}]
    assert lost([], {}, "corp.example") == []
    for wrong in (
        lambda: names("a", [], {}),
        lambda: names([], "a", {}),
        lambda: names([], [], []),
        lambda: targets("a", ""),
        lambda: lost("a", {}, ""),
        lambda: lost([], [], ""),
        lambda: lost([], {}, "", []),
    ):
        with pytest.raises(AnsibleFilterError, match="must be"):
            wrong()
