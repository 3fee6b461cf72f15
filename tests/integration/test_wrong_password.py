# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A wrong password is tried once, however many hosts and workers there are: no account is locked out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from integration.estate import ALLOWED, Estate, findings, fqdn, message, says, small_forest

WRONG = {"ansible_password": "Lab-only-wrong-Passw0rd"}
DCS = tuple(f"dc{number:02}" for number in range(1, 7))
REJECTED = ("account CORP\\svc-ansible on", "rejected it (transport ntlm)", "Correct the account's name or password")
NOT_TRIED = ("rejected by", "not tried on this host", "Correct its name or password and run again")


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    with Estate(small_forest(len(DCS)), tmp_path_factory.mktemp("password")) as estate:
        yield estate


@pytest.fixture(autouse=True)
def _fresh(estate: Estate) -> None:
    for endpoint in estate.forest.endpoints.values():
        endpoint.statistics.reset()


def _attempts(estate: Estate) -> tuple[int, int]:
    """Returns how many attempts to log on were rejected and accepted, over all hosts."""
    counters = [endpoint.statistics for endpoint in estate.forest.endpoints.values()]
    return sum(item.rejected_logons for item in counters), sum(item.logons for item in counters)


def test_five_workers_try_once(estate: Estate) -> None:
    before = estate.forest.snapshot()
    run = estate.run("compliance.yml", "--limit", "domain_controllers", "--forks", "5", variables=WRONG)
    assert run.exit_code == 2
    assert _attempts(estate) == (1, 0)
    assert estate.forest.snapshot() == before
    told = {item.host: message(item) for item in run.results if item.status == "unreachable"}
    assert set(told) == {fqdn(name) for name in DCS}
    tried = [host for host, text in told.items() if "not tried" not in text]
    assert len(tried) == 1
    for host, text in told.items():
        says(text, *(REJECTED if host in tried else (*NOT_TRIED, f"rejected by {tried[0]}")), f"on {host}")
    for name in DCS:
        (finding,) = findings(estate.report(), fqdn(name))
        assert finding["status"] == "unknown"
        assert "CORP\\svc-ansible" in finding["message"]


def test_the_next_play_does_not_try_again(estate: Estate) -> None:
    """The SSO server rejects the account; the domain controllers of the next plays are not asked."""
    run = estate.run("compliance.yml", "--forks", "5", variables=WRONG)
    assert run.exit_code == 2
    assert _attempts(estate) == (1, 0)
    assert estate.forest.endpoints[fqdn("sso01")].statistics.rejected_logons == 1
    assert all(estate.forest.endpoints[fqdn(name)].statistics.connections == 0 for name in DCS)
    assert len(findings(estate.report(), fqdn("sso01"))) == 1
    says(str(findings(estate.report(), fqdn("dc06"))[0]["message"]), "rejected by sso01.corp.example", "not tried")


@pytest.mark.parametrize("limit", [(), ("--limit", "domain_controllers")], ids=["all", "without SSO servers"])
def test_a_deployment_tries_it_in_its_preflight_and_nowhere_else(estate: Estate, limit: tuple[str, ...]) -> None:
    """The directory's own password is right in both; that says nothing of the other."""
    before = estate.forest.snapshot()
    run = estate.run("site.yml", *limit, "--forks", "5", variables={**ALLOWED, **WRONG})
    assert run.exit_code != 0
    assert _attempts(estate) == (1, 0)
    assert estate.forest.snapshot() == before
    (shown,) = run.of("preflight_report")
    reasons = {item["host"]: " ".join(item["reasons"]) for item in shown.result["hosts"]}
    assert set(reasons) == {fqdn(name) for name in (*DCS, *(() if limit else ("sso01",)))}
    (tried,) = [host for host, text in reasons.items() if "not tried" not in text]
    assert all(part in reasons[tried] for part in ("rejected it (transport ntlm)", REJECTED[2]))
    assert all(f"rejected by {tried}" in text for host, text in reasons.items() if host != tried)


def test_a_rollout_tries_it_once_and_does_not_start(estate: Estate) -> None:
    """Which of the hosts tries is for Ansible to choose; the plan then names all of them."""
    before = estate.forest.snapshot()
    run = estate.run("domain_controllers.yml", "--forks", "5", variables={**ALLOWED, **WRONG})
    assert run.exit_code != 0
    assert _attempts(estate) == (1, 0)
    assert estate.forest.snapshot() == before
    told = [item for item in run.results if item.status == "unreachable"]
    assert {item.host for item in told} == {fqdn(name) for name in DCS}
    (tried,) = [item for item in told if "not tried" not in message(item)]
    says(message(tried), *REJECTED, tried.host)
