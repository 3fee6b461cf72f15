# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a domain controller must restart so that LSA loads its notification packages, or is rid of them."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.entsso.password_sync.plugins.module_utils import _notification_package
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import (
    Change,
    Effect,
    Estate,
    Implication,
    Operation,
    PlanError,
)

RESOURCE = "domain_controller_restart"


def plan(subject: str, packages: Sequence[str], estate: Estate, *, loaded: bool = True) -> tuple[Change, ...]:
    """Returns the restart that is needed, or nothing. The need follows from state, never from an exit code.

    Args:
        subject: The domain controller.
        packages: Notification packages that LSA should run, or should not.
        estate: What is observed.
        loaded: Whether LSA should run them.

    Raises:
        PlanError: LSA refused a package at the last boot, or whether it is loaded is not known, or LSA would load again
            what it should not run.
    """
    pending = _to_load(subject, packages, estate) if loaded else _to_unload(subject, packages, estate)
    if not pending:
        return ()
    after = "yes" if loaded else "no"
    leaves = [Effect(_notification_package.key(subject, name), {"loaded": after}) for name in pending]
    return (
        Change(
            subject=subject,
            resource=RESOURCE,
            name=subject,
            operation=Operation.RESTART,
            old={"loaded": "no" if loaded else "yes"},
            new={"loads" if loaded else "unloads": ", ".join(sorted(pending))},
            implies=frozenset({Implication.HOST_RESTART}),
            leaves=tuple(leaves),
        ),
    )


def _to_load(subject: str, packages: Sequence[str], estate: Estate) -> list[str]:
    pending: list[str] = []
    for name in packages:
        state = _notification_package.observed_state(subject, name, estate)
        if not state.registered or state.loaded == "yes":
            continue
        if state.blocked:
            raise PlanError(
                subject,
                f"LSA on {subject} refused to load {name} at the last boot ({state.evidence}).",
                "Another restart does not help: look up the error of event 16953 in the System log (577 is a signature "
                "that LSA protection does not accept, 126 a missing file, 193 a wrong architecture).",
            )
        if state.loaded == "unknown":
            raise PlanError(
                subject,
                f"Whether LSA on {subject} runs {name} is not known: {state.evidence}.",
                "Let the account read the Security log (event 4614) or restart this DC by hand, then run again.",
            )
        pending.append(name)
    return pending


def _to_unload(subject: str, packages: Sequence[str], estate: Estate) -> list[str]:
    pending: list[str] = []
    for name in packages:
        state = _notification_package.observed_state(subject, name, estate)
        if state.loaded == "no":
            continue
        if state.registered:
            raise PlanError(
                subject,
                f"{name} is still in Notification Packages of {subject}, so LSA would load it again.",
                "Take it out first (entsso.password_sync.notification_package with state absent), then run again.",
            )
        if state.loaded == "unknown":
            raise PlanError(
                subject,
                f"Whether LSA on {subject} still runs {name} is not known: {state.evidence}.",
                "Let the account read the Security log (event 4614), then run again.",
            )
        pending.append(name)
    return pending
