# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan file of a rollout: what an AD team reads and approves by its SHA-256.

The canonical form is JSON with sorted names, two spaces of indentation, a line end at the end and nothing but ASCII,
so that no character in it looks like another one. The SHA-256 is the one of that form, and `sha256sum` of the file says
the same. A file is brought to that form before it is compared, so other line ends or another indentation do not matter.
It holds no time: the same domain controllers with the same policy give the same file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from ansible_collections.entsso.password_sync.plugins.module_utils._plan import (
    Change,
    Implication,
    JsonValue,
    Operation,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._domain_controllers import Role
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_plan import RolloutPlan, Wave
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_policy import (
    DomainController,
    LoneDomainController,
    Policy,
    Work,
)

FORMAT, VERSION = "entsso.password_sync rollout plan", 1

_Item = TypeVar("_Item")


class PlanFileError(Exception):
    """A plan file can't be used; its text is one sentence about the file, without its name and a full stop."""


@dataclass(frozen=True)
class PlanFile:
    """A plan as it was written.

    Attributes:
        sha256: Of the canonical form.
        policy: What the plan keeps to.
        waves: What happens to whom, wave by wave.
    """

    sha256: str
    policy: Policy
    waves: tuple[Wave, ...]


def render_plan(plan: RolloutPlan) -> str:
    """Returns the text of the plan file in its canonical form."""
    return canonical(
        {
            "format": FORMAT,
            "version": VERSION,
            "policy": policy_json(plan.policy),
            "waves": [_wave_json(wave) for wave in plan.waves],
            "left_out": [
                {
                    "name": item.name,
                    "site": item.site,
                    "domain": item.domain,
                    "reason": item.reason if item.work is Work.EXEMPT else "nothing to do",
                }
                for item in plan.left_out
            ],
        }
    )


def canonical(document: Mapping[str, JsonValue]) -> str:
    """Returns a document in its canonical form."""
    return json.dumps(document, sort_keys=True, indent=2) + "\n"


def digest(text: str) -> str:
    """Returns the SHA-256 of a text in its canonical form, in lower case."""
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def policy_json(policy: Policy) -> dict[str, JsonValue]:
    """Returns a policy with the names of the module's options."""
    return {
        "max_unavailable_total": policy.max_unavailable_total,
        "max_unavailable_per_site": policy.max_unavailable_per_site,
        "lone_domain_controller": policy.lone_domain_controller.value,
        "keep_global_catalog": policy.keep_global_catalog,
        "canaries": list(policy.canaries),
        "order": list(policy.order),
        "window_seconds": policy.window_seconds,
        "assume_available": policy.assume_available,
    }


def policy_from_json(data: Mapping[str, Any]) -> Policy:
    """Reads what `policy_json` wrote; the values have been checked."""
    return Policy(
        max_unavailable_total=data["max_unavailable_total"],
        max_unavailable_per_site=data["max_unavailable_per_site"],
        lone_domain_controller=LoneDomainController(data["lone_domain_controller"]),
        keep_global_catalog=data["keep_global_catalog"],
        canaries=tuple(data["canaries"]),
        order=tuple(data["order"]),
        window_seconds=data["window_seconds"],
        assume_available=bool(data["assume_available"]),
    )


def change_from_json(data: Mapping[str, Any]) -> Change:
    """Reads what `Change.to_json` wrote."""
    return Change(
        subject=_text(data, "subject"),
        resource=_text(data, "resource"),
        name=_text(data, "name"),
        operation=Operation(_text(data, "operation")),
        old=dict(data["old"]),
        new=dict(data["new"]),
        implies=frozenset(Implication(item) for item in data["implies"]),
    )


def read_plan(content: bytes, approved: str) -> PlanFile:
    """Reads a plan file.

    Args:
        content: What is in the file.
        approved: The SHA-256 that was approved.

    Raises:
        PlanFileError: It is no plan file, or not the approved one.
    """
    document = _document(content)
    if document.get("format") != FORMAT:
        raise PlanFileError("is no plan of a rollout")
    if document.get("version") != VERSION:
        raise PlanFileError(f"was written by another version of this collection (format {document.get('version')!r})")
    found = digest(canonical(document))
    if found != approved.strip().lower():
        raise PlanFileError(f"has the SHA-256 {found}, so it is not the plan that was approved, or was changed since")
    try:
        waves = tuple(_wave_from_json(item) for item in _list(document, "waves"))
        return PlanFile(found, policy_from_json(document["policy"]), waves)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise PlanFileError(f"lacks something that a plan of a rollout has ({type(error).__name__}: {error})") from None


def _document(content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(
            content.decode("utf-8-sig"), object_pairs_hook=_once, parse_float=_no_number, parse_constant=_no_number
        )
    except UnicodeError:
        raise PlanFileError("is no UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise PlanFileError(f"is no JSON (line {error.lineno}: {error.msg})") from None
    except (ValueError, RecursionError) as error:
        raise PlanFileError(f"is no JSON of this collection ({error})") from None
    if not isinstance(document, dict):
        raise PlanFileError("is no plan of a rollout")
    return document


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is there twice")
    return found


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no whole number")


def _wave_json(wave: Wave) -> dict[str, JsonValue]:
    return {
        "number": wave.number,
        "window": wave.window,
        "domain_controllers": [
            {
                "name": item.name,
                "site": item.site,
                "domain": item.domain,
                "roles": sorted(item.roles) if item.roles_known else None,
                "global_catalog": item.global_catalog if item.roles_known else None,
                "read_only": item.read_only,
                "worst_case_seconds": item.worst_case_seconds,
                "changes": [change.to_json() for change in item.changes],
                "possible": [change.to_json() for change in item.possible],
            }
            for item in wave.domain_controllers
        ],
    }


def _wave_from_json(data: Mapping[str, Any]) -> Wave:
    members = tuple(
        DomainController(
            name=_text(item, "name"),
            site=_text(item, "site"),
            domain=_text(item, "domain"),
            work=Work.PENDING,
            roles=frozenset(Role(role) for role in _list(item, "roles")) if item["roles"] is not None else frozenset(),
            roles_known=item["roles"] is not None,
            global_catalog=bool(item["global_catalog"]),
            read_only=bool(item["read_only"]),
            worst_case_seconds=int(item["worst_case_seconds"]),
            changes=_changes(item, "changes"),
            possible=_changes(item, "possible"),
        )
        for item in _list(data, "domain_controllers")
    )
    return Wave(int(data["number"]), int(data["window"]), members)


def _changes(data: Mapping[str, Any], name: str) -> tuple[Change, ...]:
    return _each(data, name, change_from_json)


def _each(data: Mapping[str, Any], name: str, read: Callable[[Mapping[str, Any]], _Item]) -> tuple[_Item, ...]:
    return tuple(read(item) for item in _list(data, name))


def _list(data: Mapping[str, Any], name: str) -> list[Any]:
    value = data[name]
    if not isinstance(value, list):
        raise ValueError(f"{name} is no list")
    return value


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data[name]
    if not isinstance(value, str):
        raise ValueError(f"{name} is no text")
    return value
