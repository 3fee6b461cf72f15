# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""preflight.yml on a small forest with one thing wrong on each domain controller, and on the same forest mended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
import yaml
from integration.estate import Estate, fqdn, message

from lab.forest import Forest
from lab.playbooks import Run
from lab.windows.lsa import LSA

UPDATE = r"SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired"
WRONG = {
    "dc02": "operating_system: Windows Server 2025 (build 26100) is not supported by PCNS",
    "dc03": "pending_restart: Windows waits for a restart already: Windows Update has installed updates",
    "dc04": "free_space: C: has 0.0 MiB free",
    "dc05": "media: PCNS: pcns-all-in-one.msi on the control node has SHA-256",
    "dc06": "lsa_protection: LSA protection is on (RunAsPPL is 1",
    "dc07": "reachable: WinRM: the host can't be reached",
    "dc08": "writable: The directory knows it as a read-only domain controller",
}


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    forest = Forest(populate=False)
    for number in range(1, 8):
        forest.add_domain_controller(f"DC{number:02}", "Paris")
    forest.add_domain_controller("DC08", "Paris", read_only=True)
    forest.add_domain_controller("DC09", "Paris")
    forest.add_sso_server("SSO01", "Paris")
    forest.directory.backed_up = (forest.host("dc01").now() - timedelta(days=3), "DC01")
    with Estate(forest, tmp_path_factory.mktemp("preflight")) as estate:
        yield estate


def _write(estate: Estate, hosts: Mapping[str, dict[str, object]]) -> None:
    """Writes the inventory; DC08 is among the writable ones, as somebody wrote it who did not know."""
    estate.hosts = dict(hosts)
    estate.write()
    data = yaml.safe_load(estate.inventory.read_text(encoding="utf-8"))
    group = data["all"]["children"]["domain_controllers"]
    group["hosts"] |= group.pop("children")["rodc"]["hosts"]
    estate.inventory.write_text(yaml.safe_dump(data), encoding="utf-8")


@pytest.fixture(scope="module")
def broken(estate: Estate) -> Iterator[Run]:
    host = estate.host
    before = host("dc02").identity
    host("dc02").identity = replace(before, version="10.0.26100", caption="Microsoft Windows Server 2025 Standard")
    host("dc03").registry.create_key(UPDATE)
    host("dc04").faults.disk_full = True
    host("dc06").registry.set_dword(LSA, "RunAsPPL", 1)
    estate.down("dc07")
    packages = estate.groups["domain_controllers"]["pcns_packages"]
    wrong_hash = [{**packages[0], "sha256": "0" * 64}]
    _write(estate, {"dc05": {"pcns_packages": wrong_hash}, "dc09": {"pcns_exempt": "to be demoted in June"}})
    state = estate.forest.snapshot()
    run = estate.run("preflight.yml")
    assert estate.forest.snapshot() == state
    yield run
    host("dc02").identity = before
    host("dc03").registry.delete_key(UPDATE)
    host("dc04").faults.disk_full = False
    host("dc06").registry.set_dword(LSA, "RunAsPPL", 0)
    estate.forest.endpoints[fqdn("dc07")].up()


def _table(run: Run) -> Sequence[str]:
    lines = run.output.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("host ") and "go/no-go" in line)
    return [line.rstrip() for line in lines[first + 1 :]]


def _row(run: Run, name: str) -> str:
    return next(line for line in _table(run) if line.startswith(fqdn(name)))


def test_it_ends_before_anything_is_changed_and_says_why(broken: Run) -> None:
    assert broken.exit_code == 2
    (report,) = broken.of("preflight_report")
    assert report is broken.results[-1]
    assert message(report).startswith(f"No-go for {len(WRONG)} of 9 hosts: dc02.corp.example, ")
    assert message(report).endswith("Nothing was changed.")
    for name, told in WRONG.items():
        assert f"{fqdn(name)}: {told}" in message(report)


@pytest.mark.parametrize("name", WRONG)
def test_every_no_go_has_its_reason_in_the_table(broken: Run, name: str) -> None:
    columns = _row(broken, name).split(None, 2)
    assert columns[1] == "NO-GO"
    assert columns[2].startswith(WRONG[name])


def test_what_is_well_is_a_go_and_what_is_exempt_is_not_looked_at(broken: Run, estate: Estate) -> None:
    assert _row(broken, "sso01").split() == [fqdn("sso01"), "go"]
    assert _row(broken, "dc01").split() == [fqdn("dc01"), "go"]
    assert _row(broken, "dc09").split(None, 2) == [fqdn("dc09"), "exempt", "to be demoted in June"]
    assert fqdn("dc09") not in {result.host for result in broken.of("domain_controller_preflight")}


def test_a_host_that_is_down_is_no_failure_of_the_task_that_looks(broken: Run) -> None:
    looks = {result.host: result.status for result in broken.of("domain_controller_preflight")}
    assert set(looks.values()) == {"ok"}
    assert len(looks) == 8


@pytest.fixture(scope="module")
def mended(estate: Estate, broken: Run) -> Run:
    """After `broken` has put everything back: what is left is accepted, or shown and let through."""
    assert broken.exit_code == 2
    estate.host("dc06").registry.set_dword(LSA, "RunAsPPL", 1)
    estate.host("dc02").identity = replace(estate.host("dc02").identity, version="10.0.20348")
    estate.host("dc03").registry.delete_key(UPDATE)
    estate.host("dc04").faults.disk_full = False
    estate.forest.endpoints[fqdn("dc07")].up()
    tested = {"pcns_preflight_accept": {"lsa_protection": "tested on dc01"}}
    _write(
        estate,
        {"dc05": {}, "dc06": tested, "dc08": {"pcns_exempt": "RODC"}, "dc09": {"pcns_exempt": "demoted in June"}},
    )
    return estate.run("preflight.yml", "--check")


def test_mended_and_accepted_it_is_a_go_in_check_mode_too(mended: Run) -> None:
    assert mended.exit_code == 0, mended.output
    assert "Go for all 8 hosts. 2 exempt." in mended.output
    assert not mended.changed
    warning = next(line for line in _table(mended) if line.startswith(f"warning for {fqdn('dc06')}: lsa_protection"))
    assert warning.endswith("Accepted: tested on dc01.")


def test_the_directory_is_asked_once(mended: Run) -> None:
    assert len(mended.of("domain_controller_info")) == 1


def test_a_rollout_does_not_touch_a_read_only_one_that_the_inventory_calls_writable(
    estate: Estate, mended: Run
) -> None:
    assert mended.exit_code == 0
    _write(estate, {"dc08": {}})
    before = estate.snapshots("dc08")
    run = estate.run("domain_controllers.yml", "--limit", fqdn("dc08"), variables={"pcns_restart_allowed": True})
    assert estate.snapshots("dc08") == before
    assert [result.result.get("waves") or [] for result in run.of("rollout_plan")] == [[]]


def test_a_directory_that_can_not_be_read_is_a_no_go_with_its_reason(estate: Estate, mended: Run) -> None:
    assert mended.exit_code == 0
    _write(estate, {"dc08": {"pcns_exempt": "RODC"}})
    run = estate.run("preflight.yml", variables={"password_sync_ldap_server": "127.99.0.1"})
    assert run.exit_code == 2
    assert len(run.of("domain_controller_info")) == 1
    assert len(run.of("domain_controller_preflight")) == 7
    assert _row(run, "sso01").split() == [fqdn("sso01"), "go"]
    for number in range(1, 8):
        columns = _row(run, f"dc{number:02}").split(None, 2)
        assert columns[1] == "NO-GO"
        assert columns[2].startswith("directory: ")
