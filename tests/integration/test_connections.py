# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Both connections of Ansible in real runs: every module over psrp, delegation, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from integration.estate import ALLOWED, Estate, fqdn, message, rows, says, small_forest

from lab.playbooks import Run

PSRP = {"ansible_connection": "psrp", "ansible_psrp_protocol": "http", "ansible_psrp_auth": "ntlm"}
INFO = "entsso.password_sync.pcns_info"


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    with Estate(small_forest(2), tmp_path_factory.mktemp("connections")) as estate:
        yield estate


@pytest.fixture(autouse=True)
def _fresh(estate: Estate) -> None:
    for endpoint in estate.forest.endpoints.values():
        endpoint.statistics.reset()


def _play(estate: Estate, *tasks: dict[str, Any], hosts: str = "all", **keywords: Any) -> Run:
    path = Path(estate.folder, "tasks.yml")
    content = {"name": "Try connections", "hosts": hosts, "gather_facts": False, "tasks": list(tasks), **keywords}
    path.write_text(yaml.safe_dump([content]), encoding="utf-8")
    return estate.run(str(path))


def _asked(estate: Estate, name: str) -> int:
    return estate.forest.endpoints[fqdn(name)].statistics.requests


def test_delegation_takes_the_connection_of_the_other_host(estate: Estate) -> None:
    """dc02 is reached by psrp and with an account that nobody else has, sso01 by winrm."""
    account, password = "CORP\\second", "Lab-only-Second-1"
    estate.forest.more_accounts[account] = password
    estate.hosts["dc02"] = {**PSRP, "ansible_user": account, "ansible_password": password}
    estate.write()
    task = {"name": "Look at another host", INFO: {}, "delegate_to": fqdn("dc02")}
    run = _play(estate, task, hosts=fqdn("sso01"))
    assert run.exit_code == 0, run.output
    (result,) = run.of("pcns_info")
    assert result.host == fqdn("sso01")
    assert estate.forest.endpoints[fqdn("dc02")].statistics.who[0].account.lower() == account.lower()
    assert _asked(estate, "sso01") == _asked(estate, "dc01") == 0


def _without_times(result: Mapping[str, Any]) -> dict[str, Any]:
    findings = [{**finding, "observed_at": ""} for finding in result["findings"]]
    return {**result, "findings": findings, "system": {**result["system"], "local_time": ""}}


def test_what_both_connections_observe_is_the_same(estate: Estate) -> None:
    task = {"name": "Look", INFO: {}}
    over_winrm, over_psrp = (
        _without_times(_play(estate, task, hosts=fqdn("dc01"), vars=given).of("pcns_info")[0].result)
        for given in ({}, PSRP)
    )
    assert over_winrm["capture_state"] == "absent"
    assert over_psrp == over_winrm


def test_what_is_refused_is_said_in_one_sentence(estate: Estate) -> None:
    refused: dict[str, dict[str, Any]] = {
        "Set become: false": {"become": True, "become_method": "runas", "become_user": "SYSTEM"},
        "Unset ansible_psrp_configuration_name": {"vars": {**PSRP, "ansible_psrp_configuration_name": "JEA"}},
        "password_sync_allow_exposed_password": {"vars": {"ansible_winrm_transport": "credssp"}},
        "AllowUnencrypted": {
            "vars": {**PSRP, "ansible_psrp_auth": "basic", "ansible_psrp_message_encryption": "never"}
        },
        "connection local does not reach": {"vars": {"ansible_connection": "local"}},
        "connection ssh does not reach": {"vars": {"ansible_connection": "ssh"}},
    }
    tasks = [{"name": part, INFO: {}, "ignore_errors": True, **given} for part, given in refused.items()]
    run = _play(estate, *tasks, hosts=fqdn("dc01"))
    told = {item.task: message(item) for item in run.results}
    assert list(told) == list(refused)
    for part, text in told.items():
        says(text, part, f"connection on {fqdn('dc01')}")
        assert len(text) < 400
    assert _asked(estate, "dc01") == 0
    assert estate.forest.endpoints[fqdn("dc01")].statistics.connections == 0


def test_every_module_works_over_psrp(tmp_path_factory: pytest.TempPathFactory) -> None:
    with Estate(small_forest(1), tmp_path_factory.mktemp("psrp")) as estate:
        estate.groups["all"] = {**estate.groups.get("all", {}), **PSRP}
        estate.write()
        run = estate.run("site.yml", variables=ALLOWED)
        assert run.exit_code == 0, run.output
        (row,) = rows(estate.report()).values()
        assert row["capture_state"] == "working"
        started = [line.lower() for host in estate.forest.hosts.values() for line in host.process_log]
        assert started
        assert not any("powershell" in line or "wsmprovhost" in line for line in started)
