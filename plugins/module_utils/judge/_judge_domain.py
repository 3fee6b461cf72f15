# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges the controls of a domain: its PCNS configuration and its target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ansible_collections.entsso.password_sync.plugins.module_utils._pcns_target import USER_NAME_FORMATS, DesiredTarget
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import Change, Observation, Present
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._controls import get_control
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._finding import Finding, Status

REPAIR_SETTINGS = "ansible-playbook playbooks/directory.yml"
REPAIR_ENABLED = "ansible-playbook playbooks/go_live.yml"
EVIDENCE = "pcnscfg list"

NT4 = USER_NAME_FORMATS["nt4"]


def judge_configuration(domain: str, changes: Sequence[Change], observed_at: str) -> tuple[Finding, ...]:
    """Returns the finding on the queue and retry settings of a domain."""
    control = get_control("PCNS-006")
    if not changes:
        message = "The PCNS configuration is as wanted."
        return (control.finding(Status.COMPLIANT, domain, message, evidence=EVIDENCE, observed_at=observed_at),)
    change = changes[0]
    message = (
        f"The PCNS configuration is not as wanted: {_wrong(change.old, change.new)}."
        if change.old
        else "There is no PCNS configuration."
    )
    return (
        control.finding(
            Status.DRIFT, domain, message, evidence=EVIDENCE, observed_at=observed_at, repair=REPAIR_SETTINGS
        ),
    )


def judge_target(
    domain: str,
    desired: DesiredTarget,
    observed: Observation,
    changes: Sequence[Change],
    systems: Sequence[str],
    observed_at: str,
    *,
    entsso: bool = False,
) -> tuple[Finding, ...]:
    """Returns the findings on one target: its settings, and, when that is wanted, whether it is enabled.

    Args:
        domain: DNS name of the domain.
        desired: The target as wanted.
        observed: The target as it is.
        changes: What a run would change.
        systems: Names of the systems whose users are affected.
        observed_at: Time of the observation.
        entsso: Whether the target is known to be ENTSSO, which takes NT4 names only.
    """

    def finding(control: str, status: Status, message: str, repair: str) -> Finding:
        return get_control(control).finding(
            status,
            domain,
            message,
            about=desired.name,
            systems=systems,
            evidence=EVIDENCE,
            observed_at=observed_at,
            repair=repair,
        )

    name, change = desired.name, changes[0] if changes else None
    exists = isinstance(observed, Present)
    settings = {key: value for key, value in change.new.items() if key != "enabled"} if change else {}
    if not desired.present:
        message = f"The target {name} {'still exists' if exists else 'does not exist, as wanted'}."
        return (finding("PCNS-007", Status.DRIFT if exists else Status.COMPLIANT, message, REPAIR_SETTINGS),)
    if not exists:
        first = finding("PCNS-007", Status.DRIFT, f"The target {name} does not exist.", REPAIR_SETTINGS)
    elif settings and change is not None:
        message = f"The target {name} is not as wanted: {_wrong(change.old, settings)}{_refused(settings)}."
        first = finding("PCNS-007", Status.DRIFT, message, REPAIR_SETTINGS)
    elif entsso and isinstance(observed, Present) and observed.state.user_name_format != NT4:
        message = (
            f"The target {name} names users in the form {observed.state.user_name_format}, and ENTSSO takes "
            "DOMAIN\\name alone and refuses every other change (event 10750)."
        )
        first = finding("PCNS-007", Status.MANUAL, message, f"Set user_name_format to nt4, then {REPAIR_SETTINGS}")
    else:
        first = finding("PCNS-007", Status.COMPLIANT, f"The target {name} is as wanted.", "")
    if desired.enabled is None:
        return (first,)
    if not isinstance(observed, Present):
        return first, finding("PCNS-008", Status.NOT_APPLICABLE, "This follows from PCNS-007.", "")
    state = f"The target {name} is {'enabled' if observed.state.enabled else 'disabled'}."
    met = observed.state.enabled == desired.enabled
    return first, finding("PCNS-008", Status.COMPLIANT if met else Status.DRIFT, state, REPAIR_ENABLED)


def unread_findings(controls: Sequence[str], domain: str, reason: str) -> tuple[Finding, ...]:
    """Returns unknown findings for controls that could not be judged."""
    return tuple(
        get_control(control).finding(Status.UNKNOWN, domain, f"It could not be read: {reason.rstrip('.')}.")
        for control in controls
    )


def _refused(settings: Mapping[str, object]) -> str:
    if settings.get("user_name_format") != NT4:
        return ""
    return "; ENTSSO refuses every change whose user is not named as DOMAIN\\name (event 10750)"


def _wrong(old: Mapping[str, object], new: Mapping[str, object]) -> str:
    return ", ".join(f"{name} is {old.get(name)!r} instead of {value!r}" for name, value in new.items())
