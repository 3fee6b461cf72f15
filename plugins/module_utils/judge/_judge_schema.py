# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges whether the schema of a forest knows PCNS, and whether its domain controllers have it already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ansible_collections.entsso.password_sync.plugins.module_utils._pcns_schema import PLAYBOOK, Circumstances
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import Absent, Observation, Present, Unknown
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._controls import get_control
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._finding import Finding, Status

CONTROL = "PCNS-010"
EVIDENCE = "directory"
REPAIR = f"ansible-playbook {PLAYBOOK}"

_COMPLETE = (
    f"Find out why, then {REPAIR} -e pcns_directory_schema_complete_partial=true, which runs the package's schema-only "
    "mode again"
)
_LOOK = "Have the owner of the schema look at these objects; no package can mend that"
_REPLICATION = "Look at the replication to it (repadmin /showrepl)"


def judge_schema(
    forest: str,
    observed: Observation,
    circumstances: Circumstances,
    behind: Mapping[str, Sequence[str]],
    unread: Mapping[str, str],
    observed_at: str,
) -> Sequence[Finding]:
    """Returns the finding on the schema itself, and one for each domain controller that does not have it, or not known.

    Args:
        forest: DNS name of the forest; of the domain where the forest is not known.
        observed: What the schema master has.
        circumstances: What stands in the way, and what to do where nothing could be read.
        behind: By domain controller, what it lacks of that.
        unread: By domain controller or domain, why it could not be asked.
        observed_at: Time of the observation.
    """

    def finding(status: Status, subject: str, message: str, repair: str = "") -> Finding:
        return get_control(CONTROL).finding(
            status, subject, message, evidence=EVIDENCE, observed_at=observed_at, repair=repair
        )

    if isinstance(observed, Unknown):
        reason = observed.reason.rstrip(".")
        message = f"Whether the schema has PCNS is not known: {reason}."
        return (finding(Status.UNKNOWN, forest, message, circumstances.remedy.rstrip(".")),)
    first = finding(*_schema(forest, observed, circumstances))
    lagging = [
        finding(
            Status.MANUAL,
            name,
            f"It does not have all of the PCNS schema yet, which {circumstances.master} has; it lacks "
            f"{', '.join(missing)}.",
            _REPLICATION,
        )
        for name, missing in behind.items()
    ]
    silent = [
        finding(Status.UNKNOWN, name, f"Whether it has the PCNS schema is not known: {reason.rstrip('.')}.")
        for name, reason in unread.items()
    ]
    return (first, *lagging, *silent)


def _schema(forest: str, observed: Observation, circumstances: Circumstances) -> tuple[Status, str, str, str]:
    if circumstances.conflicts:
        return Status.MANUAL, forest, f"In the schema {'; '.join(circumstances.conflicts)}.", _LOOK
    if isinstance(observed, Absent):
        return Status.DRIFT, forest, "The schema has nothing of PCNS.", REPAIR
    missing = observed.state.missing if isinstance(observed, Present) else ()
    if missing:
        return Status.MANUAL, forest, f"The schema has PCNS only in part; it lacks {', '.join(missing)}.", _COMPLETE
    return Status.COMPLIANT, forest, "The schema has the classes and attributes of PCNS.", ""
