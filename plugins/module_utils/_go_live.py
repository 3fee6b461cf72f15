# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which domain controllers of a domain would lose password changes once its targets are enabled; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.entsso.password_sync.plugins.module_utils._hosts import OBSERVATION, exempt_hosts
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._coverage import (
    DirectoryAnswer,
    Listed,
    match,
)

WORKING = "working"

_Variables = Mapping[str, Mapping[str, Any]]


def lost_changes(
    names: Sequence[str], variables: _Variables, domain: str, answer: Mapping[str, Any] | None
) -> list[str]:
    """Returns one clause for each domain controller that neither works nor is exempt.

    A host of which the domain is not known may be of this one, so it counts.

    Args:
        names: Domain controllers of the run.
        variables: Ansible's variables of the hosts.
        domain: DNS name of the domain.
        answer: What domain_controller_info returned; None where the directory is not configured.
    """
    exempt = set(exempt_hosts(names, variables))
    own = [name for name in names if _system(variables[name]).get("domain", domain).lower() == domain.lower()]
    lost = [
        f"{name} ({_state(variables[name])})"
        for name in own
        if name not in exempt and _observed(variables[name]).get("planned_capture_state") != WORKING
    ]
    if answer is None or "domain_controllers" not in answer:
        return lost
    directory = DirectoryAnswer.from_result(answer)
    listed = [
        Listed(name, "", tuple(item for item in (str(_system(variables[name]).get("name") or ""), name) if item))
        for name in names
    ]
    seen = {item.name for item in match(listed, directory).values()}
    missing = [
        f"{item.name} (the directory knows it, and this run did not look at it)"
        for item in directory.known
        if item.domain.lower() == domain.lower()
        and not item.read_only
        and item.enabled is not False
        and item.name not in seen
    ]
    unread = [f"{name} could not be read: {reason}" for name, reason in directory.unread.items() if name == domain]
    return [*lost, *missing, *unread]


def _observed(variables: Mapping[str, Any]) -> Mapping[str, Any]:
    value = variables.get(OBSERVATION)
    return value if isinstance(value, Mapping) else {}


def _system(variables: Mapping[str, Any]) -> Mapping[str, str]:
    value = _observed(variables).get("system")
    return value if isinstance(value, Mapping) else {}


def _state(variables: Mapping[str, Any]) -> str:
    return str(_observed(variables).get("planned_capture_state") or "unknown, since it could not be observed")
