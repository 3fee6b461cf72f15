# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a domain controller must restart so that LSA loads its notification packages."""

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


def plan(subject: str, packages: Sequence[str], estate: Estate) -> tuple[Change, ...]:
    """Returns the restart that is needed, or nothing. The need follows from state, never from an exit code.

    Args:
        subject: The domain controller.
        packages: Notification packages that LSA should run.
        estate: What is observed.

    Raises:
        PlanError: LSA refused a package at the last boot, or whether it is loaded is not known.
    """
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
    if not pending:
        return ()
    leaves = [Effect(_notification_package.key(subject, name), {"loaded": "yes"}) for name in pending]
    return (
        Change(
            subject=subject,
            resource=RESOURCE,
            name=subject,
            operation=Operation.RESTART,
            old={"loaded": "no"},
            new={"loads": ", ".join(sorted(pending))},
            implies=frozenset({Implication.HOST_RESTART}),
            leaves=tuple(leaves),
        ),
    )
