# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters on hosts: who is left out, who is to be observed, and who writes the settings of a domain."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.entsso.password_sync.plugins.filter.domain_writers import FilterModule as Writers
from ansible_collections.entsso.password_sync.plugins.filter.exempt_hosts import FilterModule as Exempt
from ansible_collections.entsso.password_sync.plugins.filter.hosts_to_observe import FilterModule as ToObserve

NAMES = ["dc01", "dc02", "dc03", "dc04"]


def domain_writers(names: object, hostvars: object) -> list[str]:
    found: list[str] = Writers().filters()["domain_writers"](names, hostvars)
    return found


def exempt_hosts(names: object, hostvars: object) -> list[str]:
    found: list[str] = Exempt().filters()["exempt_hosts"](names, hostvars)
    return found


def hosts_to_observe(names: object, hostvars: object, **more: bool) -> list[str]:
    found: list[str] = ToObserve().filters()["hosts_to_observe"](names, hostvars, **more)
    return found


def seen(domain: str, **more: Any) -> dict[str, Any]:
    return {"pcns_observation": {"system": {"domain": domain}}, **more}


def test_a_reason_exempts_and_white_space_is_none() -> None:
    hostvars = {"dc01": {}, "dc02": {"pcns_exempt": "is demoted"}, "dc03": {"pcns_exempt": " \n"}, "dc04": {}}
    assert exempt_hosts(NAMES, hostvars) == ["dc02"]


def test_whom_the_run_has_not_looked_at_is_to_be_observed() -> None:
    hostvars = {"dc01": seen("corp.example"), "dc02": {}, "dc03": {"pcns_exempt": "is demoted"}, "dc04": {}}
    assert hosts_to_observe(NAMES, hostvars) == ["dc02", "dc04"]


WORKS = {"pcns_observation": {"capture_state": "working"}}
IDLE, BUSY = {"waves": []}, {"waves": [{"domain_controllers": ["dc09"]}]}


@pytest.mark.parametrize(
    ("variables", "wanted"),
    [
        ({**WORKS, "pcns_rollout": IDLE}, False),
        ({**WORKS, "pcns_rollout": IDLE, "pcns_rollout_failed": False}, False),
        ({**WORKS, "pcns_rollout": BUSY}, True),
        ({**WORKS, "pcns_rollout": BUSY, "pcns_rollout_failed": True}, False),
        ({**WORKS, "pcns_rollout": {}}, True),
        (WORKS, True),
        ({"pcns_observation": {"capture_state": "installed"}, "pcns_rollout": IDLE}, True),
        ({"pcns_observation": {"unreachable": True}, "pcns_rollout": IDLE}, True),
        ({"pcns_rollout": IDLE}, True),
        ({"pcns_exempt": "is demoted"}, False),
    ],
)
def test_after_a_rollout_what_was_seen_before_it_is_out_of_date(variables: dict[str, Any], wanted: bool) -> None:
    assert hosts_to_observe(["dc01"], {"dc01": variables}, after_rollout=True) == (["dc01"] if wanted else [])


def test_one_of_each_domain_writes_and_the_order_decides() -> None:
    hostvars = {
        "dc01": seen("corp.example", pcns_exempt="is demoted"),
        "dc02": seen("corp.example"),
        "dc03": seen("Emea.corp.example"),
        "dc04": seen("emea.corp.example"),
    }
    assert domain_writers(NAMES, hostvars) == ["dc02", "dc03"]
    assert domain_writers(NAMES[::-1], hostvars) == ["dc04", "dc02"]


def test_one_that_works_writes_before_the_first() -> None:
    """While a rollout is half done, pcnscfg is only where PCNS is."""

    def seen_as(state: str, domain: str = "corp.example", **more: Any) -> dict[str, Any]:
        return {"pcns_observation": {"system": {"domain": domain}, "capture_state": state}, **more}

    hostvars = {
        "dc01": seen_as("absent"),
        "dc02": seen_as("working", pcns_exempt="is demoted"),
        "dc03": seen_as("working"),
        "dc04": seen_as("absent", "emea.corp.example"),
    }
    assert domain_writers(NAMES, hostvars) == ["dc03", "dc04"]
    assert domain_writers(NAMES[:2], hostvars) == ["dc01"]


@pytest.mark.parametrize("silent", [{}, {"pcns_observation": {"unreachable": True}}, {"pcns_observation": None}])
def test_one_that_did_not_answer_writes_nothing(silent: dict[str, Any]) -> None:
    assert domain_writers(["dc01", "dc02"], {"dc01": silent, "dc02": seen("corp.example")}) == ["dc02"]


def test_where_nobody_was_observed_they_are_one_domain() -> None:
    assert domain_writers(NAMES, {"dc01": {"pcns_exempt": "x"}, "dc02": {}, "dc03": {}, "dc04": {}}) == ["dc02"]
    assert domain_writers(["dc01"], {"dc01": {"pcns_exempt": "x"}}) == []
    assert domain_writers([], {}) == []


def test_a_wrong_use_is_a_sentence() -> None:
    with pytest.raises(AnsibleFilterError, match=r"exempt_hosts: the names of hosts must be a list, for example"):
        exempt_hosts("dc01", {})
    with pytest.raises(AnsibleFilterError, match=r"domain_writers: its argument must be `hostvars`"):
        domain_writers(["dc01"], ["dc01"])
    with pytest.raises(AnsibleFilterError, match=r"the inventory has no host dc09"):
        exempt_hosts(["dc09"], {"dc01": {}})
