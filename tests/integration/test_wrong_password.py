# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A wrong password is tried once, however many hosts and workers there are: no account is locked out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from integration.estate import ALLOWED, FAILURES, Estate, findings, fqdn, message, says, small_forest

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


@pytest.mark.parametrize(
    ("arguments", "first", "status"),
    [
        (("site.yml",), "sso01", "unreachable"),
        (("site.yml", "--limit", "domain_controllers"), "dc01", "failed"),
        (("domain_controllers.yml",), "dc01", "failed"),
    ],
    ids=["site", "site without SSO servers", "domain_controllers"],
)
def test_a_rollout_stops_at_the_first_host(estate: Estate, arguments: tuple[str, ...], first: str, status: str) -> None:
    before = estate.forest.snapshot()
    run = estate.run(*arguments, "--forks", "5", variables={**ALLOWED, **WRONG})
    assert run.exit_code != 0
    assert _attempts(estate) == (1, 0)
    assert estate.forest.snapshot() == before
    told = [item for item in run.results if item.status in FAILURES]
    assert (told[0].host, told[0].status) == (fqdn(first), status)
    says(message(told[0]), *REJECTED, fqdn(first))
