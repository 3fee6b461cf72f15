# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges whether the inventory has every domain controller that the directory knows, and as what it is."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from ansible_collections.entsso.password_sync.plugins.module_utils.judge._controls import SYSTEMS, get_control
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._coverage import (
    DirectoryAnswer,
    Known,
    Listed,
    is_elsewhere,
    left_over,
    match,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._finding import Finding, Severity, Status
from ansible_collections.entsso.password_sync.plugins.module_utils.report._printable import count

CONTROL = "PCNS-001"
EVIDENCE = "directory"
RUN = "ansible-playbook playbooks/domain_controllers.yml --limit"

LOST = (
    "No run has seen a capture component on this DC, so password changes made on it are being lost: they never reach "
    f"{SYSTEMS}; those users must change again."
)
TOUCHED = "A run would install the capture component on it and restart it, and an RODC does not need that."
UNSEEN = (
    "A domain controller that nobody put into the inventory has no capture component, and the password changes made "
    f"on it never reach {SYSTEMS}."
)

NOT_ASKED = "the directory was not asked"
SET_UP = (
    "Set password_sync_ldap_domain to the DNS name of the domain, and how to log on to it (password_sync_ldap_username "
    "and password_sync_ldap_password, or a Kerberos ticket), in the group all of the inventory"
)
CORRECT = "Correct what the sentence names in the variables password_sync_ldap_*, and run this again"


@dataclass(frozen=True)
class Coverage:
    """The directory against the inventory.

    Attributes:
        findings: On the directory, and on each domain controller or host that one has and the other has not.
        missing: Writable domain controllers that the inventory does not have.
        notes: What else a reader should know.
    """

    findings: tuple[Finding, ...]
    missing: tuple[Known, ...] = ()
    notes: tuple[str, ...] = ()


def judge_coverage(
    listed: Sequence[Listed],
    answer: DirectoryAnswer,
    working: Collection[str],
    systems: Sequence[str],
    observed_at: str,
) -> Coverage:
    """Compares the inventory with the directory.

    Args:
        listed: The domain controllers of the whole inventory, whether or not this run looked at them.
        answer: What the directory says.
        working: Names in the inventory of those that this run proved to work.
        systems: Names of the systems that password changes go to.
        observed_at: UTC time of the observation.
    """
    matches = match(listed, answer)
    covered = {known.name for known in matches.values()}
    missing = tuple(known for known in answer.known if not known.read_only and known.name not in covered)
    findings = [_missing(known, systems, observed_at) for known in missing]
    findings += _misread(listed, answer, matches, systems, observed_at)
    working_names = {matches[name].name for name in working if name in matches}
    for domain in answer.domains:
        findings += _domain(domain, answer, missing, working_names, systems, observed_at)
    notes = [f"{known.name}: {text}" for known in answer.known for text in known.problems]
    notes += [f"In the directory is left over: {sentence}" for _name, sentence in answer.leftovers]
    return Coverage(tuple(findings), missing, tuple(notes))


def unread_coverage(reason: str, domain: str, systems: Sequence[str], *, asked: bool, observed_at: str) -> Coverage:
    """Returns the coverage when the directory was not asked or did not answer. Unknown is never compliant.

    Args:
        reason: Why.
        domain: DNS name of the domain; empty when not known.
        systems: Names of the systems that password changes go to.
        asked: Whether it was.
        observed_at: UTC time of the report.
    """
    finding = get_control(CONTROL).finding(
        Status.UNKNOWN,
        domain or "directory",
        f"Whether the inventory has every domain controller is not known: {reason.rstrip('.')}.",
        consequence=UNSEEN,
        systems=systems,
        observed_at=observed_at,
        repair=CORRECT if asked else SET_UP,
    )
    return Coverage((finding,))


def _missing(known: Known, systems: Sequence[str], observed_at: str) -> Finding:
    since = f" since {known.promoted_at}" if known.promoted_at else ""
    disabled = " Its account is disabled." if known.enabled is False else ""
    return get_control(CONTROL).finding(
        Status.MANUAL,
        known.name,
        f"It is a writable domain controller of {known.domain}{since}, and the inventory does not have it.{disabled}",
        site=known.site,
        systems=systems,
        evidence=EVIDENCE,
        observed_at=observed_at,
        repair=(
            f"Add it to the group domain_controllers (with pcns_exempt and the reason if it is left out on purpose), "
            f"then {RUN} {known.name}"
        ),
        severity=Severity.CRITICAL,
        consequence=LOST,
    )


def _misread(
    listed: Sequence[Listed],
    answer: DirectoryAnswer,
    matches: dict[str, Known],
    systems: Sequence[str],
    observed_at: str,
) -> Iterator[Finding]:
    """Yields findings on hosts that are not what the inventory has them for."""
    control = get_control(CONTROL)
    for host in listed:
        known = matches.get(host.name)
        if host.exempt or (known is not None and known.read_only == host.read_only):
            continue
        if known is None:
            yield _stranger(host, answer, systems, observed_at)
        elif known.read_only:
            yield control.finding(
                Status.MANUAL,
                host.name,
                "The directory says that it is a read-only domain controller, and the inventory has it as writable.",
                site=known.site,
                systems=systems,
                evidence=EVIDENCE,
                observed_at=observed_at,
                repair="Put it into the group rodc",
                consequence=TOUCHED,
            )
        else:
            yield control.finding(
                Status.MANUAL,
                host.name,
                "The directory says that it is a writable domain controller, and the inventory has it in the group "
                "rodc, so that no run looks after it.",
                site=known.site,
                systems=systems,
                evidence=EVIDENCE,
                observed_at=observed_at,
                repair=f"Take it out of the group rodc, then {RUN} {host.name}",
                severity=Severity.CRITICAL,
                consequence=LOST,
            )


def _stranger(host: Listed, answer: DirectoryAnswer, systems: Sequence[str], observed_at: str) -> Finding:
    asked = " and ".join(answer.domains)
    elsewhere = is_elsewhere(host, answer)
    rest = left_over(host, answer)
    return get_control(CONTROL).finding(
        Status.UNKNOWN if elsewhere else Status.MANUAL,
        host.name,
        f"It is in another domain than {asked}, and the directory was asked for that one only."
        if elsewhere
        else f"The directory of {asked} has no domain controller of this name.{f' {rest}' if rest else ''}",
        site=host.site,
        systems=systems,
        evidence=EVIDENCE,
        observed_at=observed_at,
        repair=(
            "Set password_sync_ldap_forest to true, or correct the name or ansible_host"
            if elsewhere
            else "Correct its name or ansible_host in the inventory, or remove it if it was demoted"
        ),
    )


def _domain(
    domain: str,
    answer: DirectoryAnswer,
    missing: Sequence[Known],
    working: Collection[str],
    systems: Sequence[str],
    observed_at: str,
) -> Iterator[Finding]:
    """Yields what is to be said of a domain as a whole; where one is missing, the finding on that one says it."""
    control = get_control(CONTROL)
    writable = [known.name for known in answer.known if known.domain == domain and not known.read_only]
    reason = answer.unread.get(domain, "")
    if not writable:
        reason = reason or "the directory shows no writable domain controller to this account"
    if reason:
        yield from unread_coverage(reason, domain, systems, asked=True, observed_at=observed_at).findings
    elif not any(known.domain == domain for known in missing):
        works = sum(name in working for name in writable)
        yield control.finding(
            Status.COMPLIANT,
            domain,
            f"The directory knows {count(len(writable), 'writable domain controller')}; "
            f"the inventory has all of them, and {works} proved to work in this run.",
            evidence=EVIDENCE,
            observed_at=observed_at,
        )
