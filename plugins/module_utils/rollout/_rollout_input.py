# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rollout is planned from, put together from the directory and from what the run observed; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.entsso.password_sync.plugins.module_utils._plan import PlanError
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._domain_controllers import Role
from ansible_collections.entsso.password_sync.plugins.module_utils.report._printable import one_line
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_file import change_from_json
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_policy import (
    DomainController,
    Work,
)

NOT_OBSERVED = "this run did not look at it"
OUTSIDE = "not part of this run"
UNLISTED = "Active Directory knows it and the inventory does not"
RODC = "read-only domain controller"


def collect(
    names: Sequence[str],
    directory: Sequence[Mapping[str, Any]],
    observed: Mapping[str, Mapping[str, Any]],
    worst_case_seconds: int,
    observation: str,
) -> tuple[DomainController, ...]:
    """Returns every domain controller of the forest.

    Args:
        names: Those of this run, as the inventory names them.
        directory: What Active Directory knows of each: `dns_name`, `site`, `domain`, and where they are set `roles`,
            `global_catalog`, `read_only` and `available`.
        observed: Variables of the hosts of the inventory, by name.
        worst_case_seconds: For hosts that have no `pcns_worst_case_seconds`.
        observation: Variable with what `pcns_info` returned.

    Raises:
        PlanError: The directory does not list one of this run, or what it says can't be understood.
    """
    inventory = {name.lower(): name for name in observed}
    wanted = {name.lower() for name in names}
    found, known = [], set()
    for entry in directory:
        listed = _text(entry, "dns_name").rstrip(".").lower()
        short = listed.partition(".")[0]
        key = listed if listed in inventory or short not in wanted else short
        name = inventory.get(key, listed)
        known.add(key)
        variables = observed.get(name)
        found.append(_one(name, entry, variables, key in wanted, worst_case_seconds, observation))
    missing = sorted(name for name in names if name.lower() not in known)
    if missing:
        raise PlanError(
            missing[0],
            f"Active Directory does not list {', '.join(missing)}, so site and roles are not known.",
            "Name domain controllers in the inventory by their DNS names, and remove those that are none.",
        )
    return tuple(found)


def _one(
    name: str,
    entry: Mapping[str, Any],
    variables: Mapping[str, Any] | None,
    wanted: bool,
    worst_case_seconds: int,
    observation: str,
) -> DomainController:
    result = (variables or {}).get(observation)
    result = result if isinstance(result, Mapping) else {}
    read_only = bool(entry.get("read_only"))
    exempt = one_line(str((variables or {}).get("pcns_exempt") or ""))
    machine = one_line(str((result.get("system") or {}).get("name") or "")).lower()
    if machine and machine != _text(entry, "dns_name").rstrip(".").lower():
        result = {"msg": f"{machine} answered in its place; correct its address in the inventory"}
    work, reason = _work(result)
    if variables is None:
        work, reason = Work.EXEMPT, UNLISTED
    elif not wanted:
        work, reason = Work.EXEMPT, OUTSIDE
    elif exempt or read_only:
        work, reason = Work.EXEMPT, exempt or RODC
    pending = work is Work.PENDING
    return DomainController(
        name=name,
        site=_text(entry, "site"),
        domain=_text(entry, "domain").lower(),
        work=work,
        roles=_roles(name, entry),
        global_catalog=bool(entry.get("global_catalog")),
        read_only=read_only,
        available=_available(entry, result),
        worst_case_seconds=_seconds(name, (variables or {}).get("pcns_worst_case_seconds"), worst_case_seconds),
        reason=reason,
        changes=tuple(change_from_json(item) for item in result["planned"]) if pending else (),
        possible=tuple(change_from_json(item) for item in result.get("possible") or ()) if pending else (),
    )


def _work(result: Mapping[str, Any]) -> tuple[Work, str]:
    """Returns what there is to do according to an observation, and why that is not known."""
    if "planned" not in result:
        return Work.UNKNOWN, one_line(str(result.get("msg") or NOT_OBSERVED)).removeprefix("Task failed: ")
    problems = result.get("problems") or {}
    if problems:
        return Work.UNKNOWN, " ".join(one_line(str(text)) for text in problems.values())
    return (Work.PENDING if result["planned"] else Work.NOTHING), ""


def _available(entry: Mapping[str, Any], result: Mapping[str, Any]) -> bool | None:
    if "planned" in result:
        return True
    if result.get("unreachable"):
        return False
    given = entry.get("available")
    return None if given is None else bool(given)


def _roles(name: str, entry: Mapping[str, Any]) -> frozenset[Role]:
    try:
        return frozenset(Role(str(role)) for role in entry.get("roles") or ())
    except ValueError as error:
        raise PlanError(
            name, f"Of {name} the directory says: {error}.", f"Roles are {', '.join(Role)}; correct `directory`."
        ) from None


def _text(entry: Mapping[str, Any], name: str) -> str:
    value = one_line(str(entry.get(name) or ""))
    if not value:
        who = one_line(str(entry.get("dns_name") or "An entry"))
        raise PlanError(
            who,
            f"{who} of `directory` has no {name}.",
            "Give what entsso.password_sync.domain_controller_info returns.",
        )
    return value


def _seconds(name: str, value: object, default: int) -> int:
    text = str(default if value is None else value).strip()
    if not text.isdecimal() or int(text) < 1:
        raise PlanError(
            name, f"The worst case of {name} is {text}, which is no number of seconds.", "Give a whole number from 1."
        )
    return int(text)
