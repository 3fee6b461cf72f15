# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges what only the directory tells of PCNS targets: their groups, their server's domain, and who sees the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ansible_collections.entsso.password_sync.plugins.module_utils._pcns_agreement import GroupState, TargetView
from ansible_collections.entsso.password_sync.plugins.module_utils._pcns_target import DesiredTarget
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import Present
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._controls import get_control
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._finding import Finding, Status
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._judge_coverage import (
    CORRECT,
    NOT_ASKED,
    SET_UP,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._judge_domain import REPAIR_SETTINGS

GROUPS, SERVER_DOMAIN, AGREEMENT = "PCNS-011", "PCNS-013", "PCNS-014"

EVIDENCE = "directory"

_WAITS_FOR_TARGET = "This follows from PCNS-007."
_REPLICATION = "Look at the replication to them (repadmin /showrepl)"


def judge_groups(
    domain: str,
    desired: DesiredTarget,
    view: TargetView,
    unread: str | None,
    missing: str,
    systems: Sequence[str],
    observed_at: str,
) -> Finding:
    """Returns the finding on the groups of a target, which must be what a SID in the target stands for.

    Args:
        domain: DNS name of the domain.
        desired: The target as wanted.
        view: The target as it is.
        unread: Why the directory could not be read; empty where it was not asked, None where it was read.
        missing: One sentence on a wanted group that does not exist; empty where they do.
        systems: Names of the systems whose users are affected.
        observed_at: Time of the observation.
    """

    def finding(status: Status, message: str, repair: str = "") -> Finding:
        return get_control(GROUPS).finding(
            status,
            domain,
            message,
            about=desired.name,
            systems=systems,
            evidence=EVIDENCE,
            observed_at=observed_at,
            repair=repair,
        )

    if unread is not None:
        return finding(Status.UNKNOWN, _unread("Whether the groups exist is not known", unread), _way_out(unread))
    if not isinstance(view.observation, Present):
        return finding(Status.NOT_APPLICABLE, _WAITS_FOR_TARGET)
    gone = {name: sid for name, (sid, answer) in view.groups.items() if answer.state is GroupState.GONE}
    if missing:
        return finding(Status.MANUAL, missing, f"Create it or correct its name, then {REPAIR_SETTINGS}")
    if gone:
        message = f"The target {desired.name} filters out everything: " + "; ".join(
            f"its {name.replace('_', ' ')} {sid} does not exist" for name, sid in gone.items()
        )
        if all(getattr(desired, name) is not None for name in gone):
            return finding(Status.DRIFT, f"{message}.", REPAIR_SETTINGS)
        options = " and ".join(f"`{name}`" for name in gone if getattr(desired, name) is None)
        return finding(
            Status.MANUAL,
            f"{message}, and nobody says which it should be.",
            f"Give {options} (an empty exclusion_group takes it away), then {REPAIR_SETTINGS}",
        )
    doubtful = [answer.name for _sid, answer in view.groups.values() if answer.state is GroupState.UNKNOWN]
    if doubtful or "inclusion_group" not in view.groups:
        reason = "; ".join(doubtful) or "the directory shows no SID of its inclusion group"
        return finding(Status.UNKNOWN, f"Whether the groups exist is not known: {reason}.")
    names = " and ".join(answer.name for _sid, answer in view.groups.values())
    return finding(Status.COMPLIANT, f"The target {desired.name} has {names}.")


def judge_server_domain(
    domain: str,
    desired: DesiredTarget,
    address: str,
    found: tuple[str, str],
    unread: str | None,
    systems: Sequence[str],
    observed_at: str,
) -> Finding:
    """Returns the finding on the domain of a target's server.

    Args:
        domain: DNS name of the domain.
        desired: The target as wanted.
        address: Where it sends; empty where there is no target.
        found: DNS name of the server's domain, empty where that is not known, and where it was seen.
        unread: As in `judge_groups`.
        systems: As in `judge_groups`.
        observed_at: As in `judge_groups`.
    """

    def finding(status: Status, message: str, repair: str = "") -> Finding:
        return get_control(SERVER_DOMAIN).finding(
            status,
            domain,
            message,
            about=desired.name,
            systems=systems,
            evidence=found[1] or EVIDENCE,
            observed_at=observed_at,
            repair=repair,
        )

    if not address:
        return finding(Status.NOT_APPLICABLE, _WAITS_FOR_TARGET)
    if found[0]:
        message = f"{address}, where the target {desired.name} sends, is in the domain {found[0]}."
        if found[0].lower() == domain.lower():
            return finding(Status.COMPLIANT, message)
        return finding(
            Status.MANUAL,
            message,
            f"Give the target an SSO server of {domain} as `address`, then {REPAIR_SETTINGS}",
        )
    what = f"The domain of {address} is not known"
    if unread is not None:
        return finding(Status.UNKNOWN, _unread(what, unread), _way_out(unread))
    return finding(
        Status.UNKNOWN,
        f"{what}: no computer of the forest has this DNS name.",
        "Give the full DNS name of the SSO server as `address`",
    )


def judge_agreement(
    domain: str,
    differences: Sequence[str],
    different: Mapping[str, str],
    silent: Mapping[str, str],
    unread: str | None,
    observed_at: str,
) -> Finding:
    """Returns the finding on whether tool, directory and all domain controllers tell the same of a domain.

    Args:
        domain: DNS name of the domain.
        differences: Where pcnscfg and the directory contradict each other, each as a clause.
        different: Domain controllers that don't have the same, each with the first difference.
        silent: Domain controllers that could not be asked, each with the reason.
        unread: As in `judge_groups`.
        observed_at: As in `judge_groups`.
    """

    def finding(status: Status, message: str, repair: str = "") -> Finding:
        return get_control(AGREEMENT).finding(
            status, domain, message, evidence="pcnscfg list, directory", observed_at=observed_at, repair=repair
        )

    if unread is not None:
        what = "Whether every domain controller has the same is not known"
        return finding(Status.UNKNOWN, _unread(what, unread), _way_out(unread))
    if differences:
        return finding(
            Status.UNKNOWN,
            f"pcnscfg and the directory tell different things: {'; '.join(differences)}.",
            "Compare `pcnscfg list` with the objects in the directory by hand",
        )
    if different:
        message = f"Not every domain controller has the same: {_listed({**different, **silent})}."
        return finding(Status.MANUAL, message, _REPLICATION)
    if silent:
        message = f"What these domain controllers have is not known: {_listed(silent)}."
        return finding(Status.UNKNOWN, message, "Make them reachable over LDAP from the control node")
    return finding(Status.COMPLIANT, "pcnscfg and the directory agree, and every domain controller has the same.")


def _listed(reasons: Mapping[str, str]) -> str:
    return "; ".join(f"{server}: {reason.rstrip('.')}" for server, reason in reasons.items())


def _unread(what: str, reason: str) -> str:
    return f"{what}: {(reason or NOT_ASKED).strip().rstrip('.')}."


def _way_out(unread: str) -> str:
    return CORRECT if unread else SET_UP
