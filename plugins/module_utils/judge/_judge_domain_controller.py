# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges the controls of one domain controller from what is observed and what a run would change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.entsso.password_sync.plugins.module_utils import _notification_package, _package
from ansible_collections.entsso.password_sync.plugins.module_utils._capture import Capture
from ansible_collections.entsso.password_sync.plugins.module_utils._notification_package import NotificationPackageState
from ansible_collections.entsso.password_sync.plugins.module_utils._package import DesiredPackage
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import (
    Change,
    Estate,
    Implication,
    Present,
    Unknown,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._controls import get_control
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._finding import CaptureState, Finding, Status

REPAIR = "ansible-playbook playbooks/domain_controllers.yml --limit {subject}"


@dataclass(frozen=True)
class Judged:
    """Everything that the judgement of one domain controller rests on.

    Attributes:
        subject: Its name in the inventory.
        site: Its Active Directory site; empty when not known.
        systems: Names of the systems that password changes go to.
        packages: The wanted packages.
        notification_package: The entry of the capture component.
        capture: Its capture state.
        estate: What is observed.
        changes: What a run would change, by the same plan.
        problems: Resource name to the sentences why it can't be planned.
        observed_at: UTC time of the observation.
    """

    subject: str
    site: str
    systems: Sequence[str]
    packages: Sequence[DesiredPackage]
    notification_package: str
    capture: Capture
    estate: Estate
    changes: Sequence[Change]
    problems: Mapping[str, str]
    observed_at: str

    def finding(self, control: str, status: Status, message: str, evidence: str) -> Finding:
        """Judges one control; the repair is the playbook that makes the change."""
        restarts = sum(Implication.HOST_RESTART in change.implies for change in self.changes)
        manual = status in (Status.MANUAL, Status.UNKNOWN)
        return get_control(control).finding(
            status,
            self.subject,
            message,
            site=self.site,
            systems=self.systems,
            evidence=evidence,
            observed_at=self.observed_at,
            repair="" if manual else REPAIR.format(subject=self.subject),
            restarts=1 if restarts and not manual else 0,
        )


def judge_domain_controller(judged: Judged) -> tuple[Finding, ...]:
    """Returns one finding for each control of a domain controller."""
    packages = _packages(judged)
    if packages.status is Status.DRIFT and judged.capture.state is CaptureState.ABSENT:
        follows = "This follows from PCNS-004."
        rest = [
            judged.finding(control, Status.NOT_APPLICABLE, follows, "")
            for control in ("PCNS-002", "PCNS-003", "PCNS-005")
        ]
        return (packages, *rest)
    return (packages, _registered(judged), _loaded(judged), _service(judged))


def _packages(judged: Judged) -> Finding:
    unknown = [
        f"{package.name} ({observed.reason})"
        for package in judged.packages
        if isinstance(observed := judged.estate.get(_package.key(judged.subject, package)), Unknown)
    ]
    if unknown:
        return judged.finding(
            "PCNS-004", Status.UNKNOWN, f"Whether it is installed is not known: {'; '.join(unknown)}.", "registry"
        )
    problem = judged.problems.get("msi_package")
    if problem:
        return judged.finding("PCNS-004", Status.MANUAL, problem, "registry")
    if not judged.packages:
        return judged.finding("PCNS-004", Status.NOT_APPLICABLE, "No packages are managed by this run.", "")
    planned = [change for change in judged.changes if change.resource == "msi_package"]
    if not planned:
        versions = ", ".join(
            f"{package.name} {observed.state.version}"
            for package in judged.packages
            if isinstance(observed := judged.estate.get(_package.key(judged.subject, package)), Present)
        )
        return judged.finding("PCNS-004", Status.COMPLIANT, f"Installed: {versions}.", "registry")
    absent = [change.name for change in planned if not change.old]
    older = [
        f"{change.name} is {change.old['version']} instead of {change.new['version']}"
        for change in planned
        if change.old
    ]
    parts = [f"{_listed(absent)} {'is' if len(absent) == 1 else 'are'} absent"] if absent else []
    return judged.finding(
        "PCNS-004", Status.DRIFT, f"{'; '.join([*parts, *older])}.{_by_hand(judged) if absent else ''}", "registry"
    )


def _by_hand(judged: Judged) -> str:
    """Says that a capture component is there which no package has brought (pcns.md 2, the manual way of C1)."""
    state = _entry(judged)
    if state is None or state.loaded != "yes":
        return ""
    return (
        f" LSA runs {judged.notification_package} all the same: its files were copied by hand, or belong to a product "
        "that is not in pcns_packages. A run installs over them."
    )


def _entry(judged: Judged) -> NotificationPackageState | None:
    observed = judged.estate.get(_notification_package.key(judged.subject, judged.notification_package))
    return observed.state if isinstance(observed, Present) else None


def _registered(judged: Judged) -> Finding:
    name, state = judged.notification_package, _entry(judged)
    if state is None:
        return judged.finding(
            "PCNS-002", Status.UNKNOWN, f"Whether {name} is registered could not be read.", "registry"
        )
    if state.registered:
        return judged.finding("PCNS-002", Status.COMPLIANT, f"{name} is in Notification Packages.", "registry")
    still = " and still loaded, so it captures only until the next restart" if state.loaded == "yes" else ""
    status = (
        Status.DRIFT if any(change.resource == "notification_package" for change in judged.changes) else Status.MANUAL
    )
    return judged.finding("PCNS-002", status, f"{name} is missing from Notification Packages{still}.", "registry")


def _loaded(judged: Judged) -> Finding:
    name, state = judged.notification_package, _entry(judged)
    if state is None or state.loaded == "unknown":
        reason = state.evidence if state is not None else "the registry could not be read"
        return judged.finding(
            "PCNS-003", Status.UNKNOWN, f"Whether LSA has loaded {name} is not known: {reason}.", "events"
        )
    evidence = f"{state.grade}: {state.evidence}"
    if state.loaded == "yes":
        return judged.finding("PCNS-003", Status.COMPLIANT, f"LSA has loaded {name}.", evidence)
    if state.blocked:
        return judged.finding("PCNS-003", Status.MANUAL, f"LSA refused to load {name}.", evidence)
    return judged.finding("PCNS-003", Status.DRIFT, f"LSA has not loaded {name} since the last restart.", evidence)


def _service(judged: Judged) -> Finding:
    planned = [change for change in judged.changes if change.resource == "pcns_service"]
    problem = judged.problems.get("pcns_service")
    if problem:
        return judged.finding("PCNS-005", Status.UNKNOWN, problem, "service control manager")
    if not planned:
        return judged.finding(
            "PCNS-005", Status.COMPLIANT, "The service runs and starts automatically.", "service control manager"
        )
    wrong = ", ".join(
        f"{name} is {planned[0].old.get(name)} instead of {value}" for name, value in planned[0].new.items()
    )
    return judged.finding(
        "PCNS-005", Status.DRIFT, f"The PCNS service is not as wanted: {wrong}.", "service control manager"
    )


def exempt_finding(subject: str, site: str, reason: str) -> Finding:
    """Returns the one finding of a domain controller that is left out on purpose."""
    return get_control("PCNS-004").finding(Status.EXEMPT, subject, f"Exempt: {reason}.", site=site)


def judge_versions(
    versions: Mapping[str, Mapping[str, str]], unread: Sequence[str], observed_at: str
) -> tuple[Finding, ...]:
    """Judges whether every domain controller has the same version of each package.

    Args:
        versions: Domain controller to package and version; one without packages says nothing.
        unread: Domain controllers whose packages are not known, which PCNS-001 or PCNS-004 says of them.
        observed_at: UTC time of the report.

    Returns:
        One finding a package that any domain controller has, on all of them together.
    """
    packages = sorted({package for installed in versions.values() for package in installed})
    findings = []
    for package in packages:
        holders: dict[str, list[str]] = {}
        for name, installed in versions.items():
            if package in installed:
                holders.setdefault(installed[package], []).append(name)
        listed = "; ".join(f"{version} on {', '.join(names)}" for version, names in sorted(holders.items()))
        same = len(holders) == 1
        one = Status.NOT_APPLICABLE if unread else Status.COMPLIANT
        rest = f" Not known on {_listed(unread)}, as PCNS-001 or PCNS-004 says." if unread else ""
        findings.append(
            get_control("PCNS-009").finding(
                one if same else Status.MANUAL,
                "domain controllers",
                f"{package} has {'one version' if same else 'several versions'}: {listed}.{rest}",
                about=package,
                evidence="registry",
                observed_at=observed_at,
            )
        )
    return tuple(findings)


def unobserved_finding(subject: str, site: str, reason: str, systems: Sequence[str], observed_at: str) -> Finding:
    """Returns the one finding of a domain controller that could not be observed. Unknown is never compliant."""
    return get_control("PCNS-001").finding(
        Status.UNKNOWN,
        subject,
        f"It could not be observed: {reason.rstrip('.')}.",
        site=site,
        systems=systems,
        observed_at=observed_at,
        repair="",
    )


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
