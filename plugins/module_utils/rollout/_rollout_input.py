# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rollout is planned from, put together from the directory and from what the run observed; pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.entsso.password_sync.plugins.module_utils._hosts import EXEMPT, OBSERVATION
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import PlanError
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._domain_controllers import Role
from ansible_collections.entsso.password_sync.plugins.module_utils.report._printable import one_line
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_file import change_from_json
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_policy import (
    UNLISTED,
    DomainController,
    Problem,
    Work,
)

NOT_OBSERVED = "this run did not look at it"
OUTSIDE = "not part of this run"
RODC = "read-only domain controller"
NO_SITE = "(not known)"
_NOT_ALLOWED = "it must restart, and may not (pcns_restart_allowed is false)"
_ALLOW = "Set pcns_restart_allowed to true for those that may restart, and leave the others out with --limit"
PREFLIGHT = "pcns_preflight"
"""Variable with what `domain_controller_preflight` returned."""


@dataclass(frozen=True)
class Seen:
    """What a run has observed.

    Attributes:
        variables: Variables of the hosts of the inventory, by name.
        worst_case_seconds: For hosts that have no `pcns_worst_case_seconds`.
        directory_first: Whether the directory's word on who answers is newer than the observation of hosts that are
            not asked for.
    """

    variables: Mapping[str, Mapping[str, Any]]
    worst_case_seconds: int
    directory_first: bool = False


def collect(names: Sequence[str], directory: Sequence[Mapping[str, Any]], seen: Seen) -> tuple[DomainController, ...]:
    """Returns every domain controller of the forest, as the directory knows them.

    Args:
        names: Those that are asked for, as the inventory names them.
        directory: What Active Directory knows of each: `dns_name`, `site`, `domain`, and where they are set `roles`,
            `global_catalog`, `read_only` and `available`.
        seen: What was observed.

    Raises:
        PlanError: The directory does not list one of this run, or what it says can't be understood.
    """
    inventory = {name.lower(): name for name in seen.variables}
    wanted = {name.lower() for name in names}
    found, known = [], set()
    for entry in directory:
        listed = _text(entry, "dns_name").rstrip(".").lower()
        short = listed.partition(".")[0]
        key = listed if listed in inventory or short not in wanted else short
        name = inventory.get(key, listed)
        known.add(key)
        found.append(_one(name, entry, key in wanted, seen))
    missing = sorted(name for name in names if name.lower() not in known)
    if missing:
        raise PlanError(
            missing[0],
            f"Active Directory does not list {', '.join(missing)}, so site and roles are not known.",
            "Name domain controllers in the inventory by their DNS names, and remove those that are none.",
        )
    return tuple(found)


def collect_without_directory(
    names: Sequence[str], inventory: Sequence[str], seen: Seen
) -> tuple[DomainController, ...]:
    """Returns the domain controllers of the inventory, of which roles and global catalogs are not known.

    The domain is the one that was observed or, where nobody looked, that of the name; the site is `pcns_site`.

    Args:
        names: Those that are asked for.
        inventory: All writable ones that the inventory has.
        seen: What was observed.
    """
    found = []
    wanted = {name.lower() for name in names}
    for name in dict.fromkeys((*names, *inventory)):
        variables = seen.variables.get(name) or {}
        system = _mapping(variables, OBSERVATION).get("system") or {}
        entry = {
            "dns_name": system.get("name") or name,
            "site": one_line(str(variables.get("pcns_site") or "")) or NO_SITE,
            "domain": system.get("domain") or name.partition(".")[2] or name,
        }
        found.append(replace(_one(name, entry, name.lower() in wanted, seen), roles_known=False))
    return tuple(found)


def _one(name: str, entry: Mapping[str, Any], wanted: bool, seen: Seen) -> DomainController:
    variables = seen.variables.get(name)
    result = _mapping(variables or {}, OBSERVATION)
    read_only = bool(entry.get("read_only"))
    exempt = one_line(str((variables or {}).get(EXEMPT) or ""))
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
        available=_available(entry, result, seen.directory_first and not wanted),
        worst_case_seconds=_seconds(name, (variables or {}).get("pcns_worst_case_seconds"), seen.worst_case_seconds),
        reason=reason,
        refused=_refused(name, _mapping(variables or {}, PREFLIGHT)) if pending else None,
        changes=tuple(change_from_json(item) for item in result["planned"]) if pending else (),
        possible=tuple(change_from_json(item) for item in result.get("possible") or ()) if pending else (),
    )


def _mapping(variables: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = variables.get(name)
    return value if isinstance(value, Mapping) else {}


def without_permission(
    items: Sequence[DomainController], allowed: Callable[[str], bool]
) -> tuple[DomainController, ...]:
    """Refuses those that would restart and may not.

    Args:
        items: All domain controllers.
        allowed: Says of one by its name whether it may restart.
    """
    return tuple(
        replace(item, refused=Problem(item.name, _NOT_ALLOWED, _ALLOW))
        if item.restarts and item.refused is None and not allowed(item.name)
        else item
        for item in items
    )


def _refused(name: str, preflight: Mapping[str, Any]) -> Problem | None:
    """Returns why the preflight says no; nothing where it says yes or was not asked."""
    if not preflight or preflight.get("skipped") or preflight.get("go") is True:
        return None
    told = one_line(str(preflight.get("msg") or "no reason was given")).removeprefix("Task failed: ")
    return Problem(name, f"the preflight says no: {told.rstrip('.')}", "Mend that, or exempt it with a reason")


def _work(result: Mapping[str, Any]) -> tuple[Work, str]:
    """Returns what there is to do according to an observation, and why that is not known."""
    if "planned" not in result:
        return Work.UNKNOWN, one_line(str(result.get("msg") or NOT_OBSERVED)).removeprefix("Task failed: ")
    problems = result.get("problems") or {}
    if problems:
        return Work.UNKNOWN, " ".join(one_line(str(text)) for text in problems.values())
    return (Work.PENDING if result["planned"] else Work.NOTHING), ""


def _available(entry: Mapping[str, Any], result: Mapping[str, Any], directory_first: bool) -> bool | None:
    given = entry.get("available")
    told = None if given is None else bool(given)
    if directory_first and told is not None:
        return told
    if "planned" in result:
        return True
    return False if result.get("unreachable") else told


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
