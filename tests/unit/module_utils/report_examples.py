# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports for the tests of the report: the drift that the demo injects, and the estate after its repair."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

from ansible_collections.entsso.password_sync.plugins.module_utils._plan import Change, Implication, Operation
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._controls import CONTROLS, get_control
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._finding import CaptureState, Finding, Status
from ansible_collections.entsso.password_sync.plugins.module_utils.report._report import (
    AdapterRow,
    DomainControllerRow,
    Report,
)

OBSERVED_AT = "2026-11-22T02:10:31Z"
SITES = {
    "sso01": "Paris",
    "dc01": "Paris",
    "dc02": "Paris",
    "dc03": "Paris",
    "dc04": "Lyon",
    "dc05": "Lyon",
    "dc06": "Lyon",
    "dc07": "Lyon",
}
VERSION = "4.6.34.0"


def fqdn(name: str) -> str:
    """Returns the name of a DC as the inventory has it."""
    return f"{name}.corp.example"


def working_row(name: str) -> DomainControllerRow:
    """A DC on which everything works."""
    return DomainControllerRow(
        name=fqdn(name),
        site=SITES[name],
        capture_state=CaptureState.WORKING,
        grade="proved",
        evidence="event 4614 of 2026-11-21T23:02:11Z",
        version=VERSION,
    )


def read_only_row() -> DomainControllerRow:
    """The RODC."""
    return DomainControllerRow(
        name=fqdn("dc06"),
        site=SITES["dc06"],
        capture_state=CaptureState.EXEMPT,
        read_only=True,
        exempt_reason="Read-only: password changes are made on writable DCs",
    )


def compliant_findings(names: tuple[str, ...]) -> tuple[Finding, ...]:
    """Every control met on these DCs and on the SSO server."""
    found = []
    for control in CONTROLS:
        subjects = ("sso01.corp.example",) if control.id.startswith("SSO") else tuple(fqdn(name) for name in names)
        adapters = ("RACF", "LDAP") if control.id in ("SSO-006", "SSO-007", "SSO-008") else ("",)
        for subject, about in product(subjects, adapters):
            found.append(
                control.finding(
                    Status.COMPLIANT,
                    subject,
                    "As wanted.",
                    about=about,
                    site=SITES[subject.split(".")[0]],
                    evidence="ssops -display" if about else "registry",
                    observed_at=OBSERVED_AT,
                )
            )
    return tuple(found)


def exempt_finding() -> Finding:
    """The RODC's."""
    return get_control("PCNS-004").finding(
        Status.EXEMPT,
        fqdn("dc06"),
        "dc06 is read-only; RODCs are exempt unless the inventory says otherwise.",
        site="Lyon",
    )


def repaired_report() -> Report:
    """The estate after everything is repaired: compliant."""
    names = ("dc01", "dc02", "dc03", "dc04", "dc05", "dc07")
    return Report(
        title="Password synchronization in corp.example",
        generated_at="2026-11-22T02:11:04Z",
        findings=(*compliant_findings(names), exempt_finding()),
        domain_controllers=(*(working_row(name) for name in names), read_only_row()),
        adapters=(AdapterRow("RACF", True, ("RACF_PROD",)), AdapterRow("LDAP", True, ("LDAP_CORP", "LDAP_DMZ"))),
    )


def drift_findings() -> tuple[Finding, ...]:
    """The three that the demo injects."""
    systems = ("RACF", "LDAP")
    playbook = "ansible-playbook playbooks/domain_controllers.yml --limit"
    return (
        get_control("PCNS-004").finding(
            Status.DRIFT,
            fqdn("dc07"),
            "PCNS is absent",
            site="Lyon",
            systems=systems,
            evidence="registry",
            observed_at=OBSERVED_AT,
            repair=f"{playbook} dc07.corp.example",
            restarts=1,
        ),
        get_control("PCNS-002").finding(
            Status.DRIFT,
            fqdn("dc03"),
            "PCNSFLT is loaded, and its entry in Notification Packages is gone",
            site="Paris",
            systems=systems,
            evidence="registry",
            observed_at="2026-11-22T02:10:29Z",
            repair=f"{playbook} dc03.corp.example",
        ),
        get_control("SSO-007").finding(
            Status.DRIFT,
            "sso01.corp.example",
            "The adapter LDAP is disabled",
            about="LDAP",
            site="Paris",
            systems=("LDAP",),
            evidence="ssops -list",
            observed_at="2026-11-22T02:10:33Z",
            repair="ansible-playbook playbooks/adapters.yml --limit sso01.corp.example",
        ),
    )


def drift_report() -> Report:
    """The estate as step 6 of the demo leaves it: three drift, no more."""
    repaired = repaired_report()
    drift = drift_findings()
    touched = {(item.title, item.subject) for item in drift}
    # On a DC without the packages, what needs them is not judged a second time.
    kept = tuple(
        replace(item, status=Status.NOT_APPLICABLE, message="Nothing is installed that could be judged; see PCNS-004.")
        if item.subject == fqdn("dc07") and item.control in ("PCNS-002", "PCNS-003", "PCNS-005", "PCNS-009")
        else item
        for item in repaired.findings
        if (item.title, item.subject) not in touched
    )
    rows = {
        fqdn("dc07"): DomainControllerRow(
            fqdn("dc07"), "Lyon", CaptureState.ABSENT, "inferred", "its DLL is not in System32"
        ),
        fqdn("dc03"): replace(working_row("dc03"), capture_state=CaptureState.UNREGISTERED, until_next_restart=True),
    }
    return replace(
        repaired,
        findings=(*drift, *kept),
        domain_controllers=tuple(rows.get(row.name, row) for row in repaired.domain_controllers),
        adapters=(AdapterRow("RACF", True, ("RACF_PROD",)), AdapterRow("LDAP", False, ("LDAP_CORP", "LDAP_DMZ"))),
    )


def stopped_report() -> Report:
    """A rollout that stopped half-way, with what it had changed and with every kind of finding."""
    base = drift_report()
    reach = get_control("PCNS-001").finding(
        Status.UNKNOWN,
        fqdn("dc04"),
        "dc04.corp.example did not answer within 30 seconds",
        site="Lyon",
        systems=("RACF", "LDAP"),
        evidence="WS-Management, port 5985",
        observed_at=OBSERVED_AT,
        repair="ansible-playbook playbooks/compliance.yml --limit dc04.corp.example",
    )
    manual = get_control("PCNS-007").finding(
        Status.MANUAL,
        fqdn("dc01"),
        "The SPN ENTSSO/sso01.corp.example is on two accounts",
        site="Paris",
        systems=("RACF", "LDAP"),
        evidence="LDAP",
        observed_at=OBSERVED_AT,
        repair="Remove it from the account that does not run ENTSSO: setspn -D ENTSSO/sso01.corp.example CORP\\old-sso",
    )
    waived = get_control("SSO-004").finding(
        Status.WAIVED, "sso01.corp.example", "Waived until 2027-01-31 by j.martin: the age is raised for a migration."
    )
    left = {("PCNS-007", fqdn("dc01")), ("SSO-004", "sso01.corp.example")}
    kept = (item for item in base.findings if item.subject != fqdn("dc04") and (item.control, item.subject) not in left)
    rows = tuple(
        DomainControllerRow(row.name, row.site, CaptureState.UNKNOWN) if row.name == fqdn("dc04") else row
        for row in base.domain_controllers
    )
    changes = (
        Change(
            "dc05.corp.example",
            "msi_package",
            "Password Change Notification Service",
            Operation.INSTALL,
            new={"version": VERSION},
            implies=frozenset({Implication.HOST_RESTART}),
        ),
        Change("dc05.corp.example", "domain_controller_restart", "dc05", Operation.RESTART),
        Change(
            "dc05.corp.example",
            "pcns_service",
            "PCNSSVC",
            Operation.UPDATE,
            old={"start_mode": "manual", "running": False},
            new={"start_mode": "automatic", "running": True},
        ),
    )
    return replace(
        base,
        findings=(reach, manual, waived, *kept),
        domain_controllers=rows,
        changes=changes,
        notes=(
            "The rollout stopped at dc04.corp.example because it did not answer after its restart; dc07 was not begun",
        ),
    )
