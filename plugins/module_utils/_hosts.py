# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hosts are left out of a run, which are to be observed, and which write the settings of a domain; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.entsso.password_sync.plugins.module_utils.codec._computer_name import COMPUTER_NAMES
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._finding import CaptureState
from ansible_collections.entsso.password_sync.plugins.module_utils.report._printable import one_line

EXEMPT, OBSERVATION = "pcns_exempt", "pcns_observation"
"""Variables: the reason why a domain controller is left out, and what was observed of it."""
ROLLOUT, FAILED = "pcns_rollout", "pcns_rollout_failed"
"""Variables: what `rollout_plan` returned, and whether the rollout failed."""


def exempt_hosts(names: Sequence[str], variables: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Returns the hosts that are left out on purpose, in the order in which they are given."""
    return [name for name in names if one_line(str(variables[name].get(EXEMPT) or ""))]


def hosts_to_observe(
    names: Sequence[str], variables: Mapping[str, Mapping[str, Any]], *, after_rollout: bool = False
) -> list[str]:
    """Returns the hosts of which this run does not know what is the case, in the order in which they are given.

    Exempt ones are none of them.

    Args:
        names: Domain controllers.
        variables: Ansible's variables of the hosts.
        after_rollout: Whether an observation from before a rollout is out of date, too. That of a host that worked
            stands where the run had nothing to do. After a rollout that failed none is wanted, as nothing follows.
    """
    exempt = set(exempt_hosts(names, variables))
    wanted = [name for name in names if name not in exempt]
    if not after_rollout:
        return [name for name in wanted if variables[name].get(OBSERVATION) is None]
    return [name for name in wanted if not variables[name].get(FAILED) and not _still_works(variables[name])]


def _works(variables: Mapping[str, Any]) -> bool:
    observation = variables.get(OBSERVATION)
    return isinstance(observation, Mapping) and observation.get("capture_state") == CaptureState.WORKING


def _still_works(variables: Mapping[str, Any]) -> bool:
    rollout = variables.get(ROLLOUT)
    return _works(variables) and isinstance(rollout, Mapping) and not rollout.get("waves", "not planned")


def domain_writers(names: Sequence[str], variables: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Returns one host for each domain: of those that are not exempt the first that works, which has `pcnscfg`.

    Where none works it is the first. The domain is what the host itself was observed to be in. Hosts of which it is
    not known are left out, unless it is not known of any: then they count as one domain.

    Args:
        names: Domain controllers, in the order in which they are worked on.
        variables: Ansible's variables of the hosts.
    """
    exempt = set(exempt_hosts(names, variables))
    found: dict[str, str] = {}
    for name in sorted(names, key=lambda name: not _works(variables[name])):
        if name not in exempt:
            found.setdefault(_domain(variables[name]), name)
    chosen = {name for domain, name in found.items() if domain} or set(found.values())
    return [name for name in names if name in chosen]


def _domain(variables: Mapping[str, Any]) -> str:
    observation = variables.get(OBSERVATION)
    system = observation.get("system") if isinstance(observation, Mapping) else None
    return str(system.get("domain") or "").lower() if isinstance(system, Mapping) else ""


def hosts_of(names: Sequence[str], variables: Mapping[str, Mapping[str, Any]], computer: str) -> list[str]:
    """Returns the hosts that are meant to be one computer, in the order in which they are given.

    A host whose name, address or other name (`password_sync_computer_names`) is the full name comes alone. Only where
    there is none, the short name decides, for hosts that the inventory gives no full name.

    Args:
        names: Hosts.
        variables: Ansible's variables of the hosts.
        computer: Full name of the computer.
    """
    wanted = computer.strip().rstrip(".").lower()
    if not wanted:
        return []
    known = {name: _names_of(name, variables[name]) for name in names}
    full = [name for name, called in known.items() if wanted in called]
    short = wanted.partition(".")[0]
    return full or [name for name, called in known.items() if short in called]


def _names_of(name: str, variables: Mapping[str, Any]) -> set[str]:
    given = variables.get(COMPUTER_NAMES) or ()
    others = [given] if isinstance(given, str) else list(given)
    return {str(item).strip().rstrip(".").lower() for item in (name, variables.get("ansible_host") or "", *others)}
