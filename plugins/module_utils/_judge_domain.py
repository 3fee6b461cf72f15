# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges the controls of a domain: its PCNS configuration and its target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ansible_collections.entsso.password_sync.plugins.module_utils._controls import get_control
from ansible_collections.entsso.password_sync.plugins.module_utils._finding import Finding, Status
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import Change, Operation

REPAIR_SETTINGS = "ansible-playbook playbooks/directory.yml"
REPAIR_ENABLED = "ansible-playbook playbooks/go_live.yml"
EVIDENCE = "pcnscfg list"


def judge_configuration(domain: str, changes: Sequence[Change], observed_at: str) -> tuple[Finding, ...]:
    """Returns the finding on the queue and retry settings of a domain."""
    control = get_control("PCNS-006")
    if not changes:
        message = "The PCNS configuration is as wanted."
        return (control.finding(Status.COMPLIANT, domain, message, evidence=EVIDENCE, observed_at=observed_at),)
    change = changes[0]
    message = (
        f"The PCNS configuration is not as wanted: {_wrong(change)}."
        if change.old
        else "There is no PCNS configuration."
    )
    return (
        control.finding(
            Status.DRIFT, domain, message, evidence=EVIDENCE, observed_at=observed_at, repair=REPAIR_SETTINGS
        ),
    )


def judge_target(
    domain: str, name: str, changes: Sequence[Change], systems: Sequence[str], observed_at: str
) -> tuple[Finding, ...]:
    """Returns the findings on one target: its settings, and whether it is enabled."""
    change = changes[0] if changes else None
    settings = sorted(set(change.new) - {"enabled"}) if change else []
    disabled = change is not None and ("enabled" in change.new or change.operation is Operation.CREATE)
    created = change is not None and change.operation is Operation.CREATE
    if created:
        message = f"The target {name} does not exist."
    elif settings and change is not None:
        message = f"The target {name} is not as wanted: {_wrong(change)}."
    else:
        message = f"The target {name} is as wanted."
    first = get_control("PCNS-007").finding(
        Status.DRIFT if settings else Status.COMPLIANT,
        domain,
        message,
        systems=systems,
        evidence=EVIDENCE,
        observed_at=observed_at,
        repair=REPAIR_SETTINGS,
    )
    second = get_control("PCNS-008").finding(
        Status.NOT_APPLICABLE if created else Status.DRIFT if disabled else Status.COMPLIANT,
        domain,
        "This follows from PCNS-007." if created else f"The target {name} is {'disabled' if disabled else 'enabled'}.",
        systems=systems,
        evidence=EVIDENCE,
        observed_at=observed_at,
        repair=REPAIR_ENABLED,
    )
    return first, second


def unread_findings(controls: Sequence[str], domain: str, reason: str) -> tuple[Finding, ...]:
    """Returns unknown findings for controls that could not be judged."""
    return tuple(
        get_control(control).finding(Status.UNKNOWN, domain, f"It could not be read: {reason.rstrip('.')}.")
        for control in controls
    )


def _wrong(change: Change) -> str:
    old: Mapping[str, object] = change.old
    return ", ".join(f"{name} is {old.get(name)!r} instead of {value!r}" for name, value in change.new.items())
