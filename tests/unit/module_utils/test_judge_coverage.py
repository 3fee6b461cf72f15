# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory against the directory: nobody is forgotten, and what is not known is not compliant."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from unit.directory_answers import PROMOTED, answer, controller, leftover

from ansible_collections.entsso.password_sync.plugins.module_utils.judge._coverage import DirectoryAnswer, Listed, match
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._finding import Finding, Severity, Status
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._judge_coverage import (
    Coverage,
    judge_coverage,
    unread_coverage,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.report._report import (
    Report,
    finding_line,
)

NOW = "2026-11-22T02:10:31Z"
SYSTEMS = ("RACF", "LDAP")


def host(name: str, *names: str, **more: Any) -> Listed:
    return Listed(name, "Paris", names or (name,), **more)


def judged(listed: list[Listed], *working: str, **directory: Any) -> Coverage:
    controllers = directory.pop("controllers")
    read = DirectoryAnswer.from_result(answer(*controllers, **directory))
    return judge_coverage(listed, read, working, SYSTEMS, NOW)


def only(coverage: Coverage) -> Finding:
    (finding,) = coverage.findings
    return finding


def test_every_one_is_there() -> None:
    listed = [host("dc01.corp.example"), host("DC02"), host("dc06.corp.example", read_only=True)]
    known = [controller("dc01"), controller("dc02"), controller("dc06", read_only=True)]
    finding = only(judged(listed, "DC02", controllers=known))
    assert (finding.control, finding.status, finding.subject) == ("PCNS-001", Status.COMPLIANT, "corp.example")
    assert finding.message == (
        "The directory knows 2 writable domain controllers; the inventory has all of them, and 1 proved to work in "
        "this run."
    )


def test_one_that_the_inventory_does_not_have() -> None:
    coverage = judged([host("dc01")], controllers=[controller("dc01"), controller("dc07", site="Lyon")])
    finding = only(coverage)
    assert (finding.severity, finding.status) == (Severity.CRITICAL, Status.MANUAL)
    assert finding_line(finding) == (
        "PCNS-001 CRITICAL manual dc07.corp.example (Lyon). It is a writable domain controller of corp.example since "
        f"{PROMOTED}, and the inventory does not have it. No run has seen a capture component on this DC, so password "
        "changes made on it are being lost: they never reach RACF or LDAP; those users must change again. "
        "Evidence: directory, 02:10:31Z. Repair by hand (no restart): Add it to the group domain_controllers (with "
        "pcns_exempt and the reason if it is left out on purpose), then ansible-playbook "
        "playbooks/domain_controllers.yml --limit dc07.corp.example"
    )
    assert [item.name for item in coverage.missing] == ["dc07.corp.example"]


def test_it_comes_first_in_a_report() -> None:
    missing = only(judged([], controllers=[controller("dc07")]))
    others = [
        Finding(control, "title", Severity.HIGH, status, "a")
        for control in ("PCNS-000", "PCNS-001", "PCNS-004")
        for status in Status
    ]
    assert Report("Title", NOW, findings=(*others, missing)).open_findings[0] == missing


def test_what_the_directory_does_not_know_of_it_is_not_said() -> None:
    known = [controller("dc07", promoted_at="", enabled=False, netbios_name=None)]
    assert only(judged([], controllers=known)).message == (
        "It is a writable domain controller of corp.example, and the inventory does not have it. "
        "Its account is disabled."
    )


def test_a_read_only_one_that_the_inventory_does_not_have_needs_nothing() -> None:
    known = [controller("dc01"), controller("dc06", read_only=True)]
    assert only(judged([host("dc01")], controllers=known)).status is Status.COMPLIANT


def test_an_exempt_one_is_there() -> None:
    exempt = host("dc01", exempt=True)
    assert only(judged([exempt], controllers=[controller("dc01")])).status is Status.COMPLIANT
    assert only(judged([host("dc02"), host("gone", exempt=True)], controllers=[controller("dc02")])).status is (
        Status.COMPLIANT
    )


def test_a_host_that_the_directory_does_not_know() -> None:
    coverage = judged([host("dc01"), host("dc09.corp.example")], controllers=[controller("dc01")])
    stranger = next(item for item in coverage.findings if item.subject == "dc09.corp.example")
    assert (stranger.severity, stranger.status) == (Severity.HIGH, Status.MANUAL)
    assert stranger.message == "The directory of corp.example has no domain controller of this name."
    assert "remove it if it was demoted" in stranger.repair


def test_a_host_of_which_the_directory_has_leftovers() -> None:
    coverage = judged([host("dc01"), host("dc09")], controllers=[controller("dc01")], leftovers=[leftover("dc09")])
    stranger = next(item for item in coverage.findings if item.subject == "dc09")
    assert stranger.message.endswith("has no NTDS Settings: a demoted domain controller.")
    (note,) = coverage.notes
    assert note.startswith("In the directory is left over: CN=DC09,CN=Servers,CN=Lyon,")
    assert note.endswith("has no NTDS Settings: a demoted domain controller.")


def test_leftovers_alone_are_information() -> None:
    coverage = judged([host("dc01")], controllers=[controller("dc01")], leftovers=[leftover("dc09")])
    assert only(coverage).status is Status.COMPLIANT
    assert len(coverage.notes) == 1


def test_contradictions_are_told() -> None:
    coverage = judged([host("dc01")], controllers=[controller("dc01", problems=["It has two names."])])
    assert coverage.notes == ("dc01.corp.example: It has two names.",)


def test_a_host_of_a_domain_that_was_not_asked_for_is_unknown() -> None:
    for elsewhere in (host("kid1.child.corp.example"), host("x", "kid1.corp.example", domain="child.corp.example")):
        coverage = judged([host("dc01"), elsewhere], controllers=[controller("dc01")])
        finding = next(item for item in coverage.findings if item.subject == elsewhere.name)
        assert finding.status is Status.UNKNOWN
        assert "password_sync_ldap_forest" in finding.repair


def test_a_machine_knows_its_domain_better_than_its_name_does() -> None:
    stranger = host("dc01.other.example", domain="corp.example")
    assert judged([stranger], controllers=[controller("dc02")]).findings[-1].status is Status.MANUAL


def test_a_read_only_one_that_the_inventory_has_as_writable() -> None:
    known = [controller("dc01"), controller("dc06", read_only=True)]
    coverage = judged([host("dc01"), host("dc06")], controllers=known)
    finding = next(item for item in coverage.findings if item.subject == "dc06")
    assert (finding.severity, finding.status) == (Severity.HIGH, Status.MANUAL)
    assert "group rodc" in finding.repair


def test_a_writable_one_that_the_inventory_has_as_read_only() -> None:
    coverage = judged([host("dc01", read_only=True)], controllers=[controller("dc01")])
    finding = next(item for item in coverage.findings if item.subject == "dc01")
    assert (finding.severity, finding.status) == (Severity.CRITICAL, Status.MANUAL)
    assert "are being lost" in finding.consequence
    assert coverage.missing == ()


def test_a_domain_that_could_not_be_read_is_unknown() -> None:
    coverage = judged([host("dc01")], controllers=[controller("dc01")], unread={"corp.example": "It is closed."})
    finding = only(coverage)
    assert (finding.status, finding.subject) == (Status.UNKNOWN, "corp.example")
    assert finding.message == "Whether the inventory has every domain controller is not known: It is closed."


def test_an_account_that_is_shown_nothing() -> None:
    assert only(judged([], controllers=[])).status is Status.UNKNOWN


def test_a_directory_that_was_not_asked() -> None:
    for domain, subject in (("corp.example", "corp.example"), ("", "directory")):
        finding = only(unread_coverage("the directory was not asked", domain, SYSTEMS, asked=False, observed_at=NOW))
        assert (finding.status, finding.subject) == (Status.UNKNOWN, subject)
        assert "never reach RACF or LDAP" in finding.consequence
        assert "password_sync_ldap_domain" in finding.repair


def test_which_host_is_which() -> None:
    read = DirectoryAnswer.from_result(
        answer(
            controller("dc01"),
            controller("dc01", domain="child.corp.example"),
            controller("paris", netbios_name="PAR01"),
            controller("lyon"),
        )
    )
    listed = [
        host("dc01"),  # two bear this name
        host("DC01.Corp.Example."),
        host("par01"),
        host("par01.corp.example"),
        host("anything", "lyon.corp.example"),
        host("lyon", "elsewhere.corp.example"),  # the machine itself says who it is
        host("by address"),
    ]
    found = {name: known.name for name, known in match(listed, read).items()}
    assert found == {
        "DC01.Corp.Example.": "dc01.corp.example",
        "par01": "paris.corp.example",
        "par01.corp.example": "paris.corp.example",
        "anything": "lyon.corp.example",
    }


names = st.integers(1, 6).map(lambda number: f"dc{number:02}")
controllers = st.dictionaries(names, st.booleans(), max_size=6)
hosts = st.dictionaries(names, st.tuples(st.booleans(), st.booleans(), st.booleans()), max_size=6)


@given(controllers, hosts)
def test_nobody_is_forgotten(known: dict[str, bool], inventory: dict[str, tuple[bool, bool, bool]]) -> None:
    """It is compliant exactly when every writable one is looked after or exempt, and every host is what it is."""
    listed = [
        host(f"{name}.corp.example" if full else name, read_only=read_only, exempt=exempt)
        for name, (read_only, exempt, full) in inventory.items()
    ]
    coverage = judged(listed, controllers=[controller(name, read_only=known[name]) for name in known])
    writable = {name for name, read_only in known.items() if not read_only}
    kept = {name for name, (read_only, exempt, _full) in inventory.items() if exempt or not read_only}
    wrong = {
        name
        for name, (read_only, exempt, _full) in inventory.items()
        if not exempt and (name not in known or known[name] != read_only)
    }
    good = bool(writable) and writable <= kept and not wrong
    assert all(item.status.passes for item in coverage.findings) == good
    critical = {item.subject.partition(".")[0] for item in coverage.findings if item.severity is Severity.CRITICAL}
    assert critical == writable - kept
    assert {item.name.partition(".")[0] for item in coverage.missing} == writable - set(inventory)
    assert len({(item.subject, item.control) for item in coverage.findings}) == len(coverage.findings)
