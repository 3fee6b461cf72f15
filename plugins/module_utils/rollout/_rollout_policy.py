# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rollout is planned from: the domain controllers, and the policy that says who may be down together.

The policy, which `_rollout_plan.py` keeps to and `_rollout_check.py` checks on its own:

1. A domain controller on which there is something to do is in exactly one wave; any other is in none.
2. While a wave runs, at most `max_unavailable_total` domain controllers are down, with those that do not answer anyway.
3. In each site at most `max_unavailable_per_site` are down, counted the same way.
4. In a site with more than one writable domain controller, one that is known to answer stays up.
   With `LoneDomainController.REFUSE` that holds for a site with a single one too.
5. In a domain with more than one writable domain controller, one that is known to answer stays up.
6. In a site with more than one global catalog, one that is known to answer stays up, and so does one in a forest with
   more than one writable domain controller. Read-only ones do not count; `keep_global_catalog` switches this rule off.
7. A holder of an operations master role (FSMO) is alone in its wave, and no domain controller without a role comes
   after it. PDC emulators come after everything else.
8. Canaries come first: each alone in its wave, in the order in which they are named.
9. Domain controllers in `order` are never in an earlier wave than the one named before them. Where a stage
   (those without a role, holders of roles, PDC emulators) has some that are named and some that are not, the named
   ones come in earlier waves.
10. No domain controller is in a wave whose worst case is longer than the maintenance window.

With `assume_available` those that nobody looked at count as known to answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from itertools import pairwise

from ansible_collections.entsso.password_sync.plugins.module_utils._plan import Change, Operation
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._domain_controllers import Role
from ansible_collections.entsso.password_sync.plugins.module_utils.report._printable import listing

UNLISTED = "Active Directory knows it and the inventory does not"
"""Why a domain controller is left out that only the directory knows."""


class Work(StrEnum):
    """Whether a run has something to do on a domain controller."""

    NOTHING = "nothing"
    PENDING = "pending"
    EXEMPT = "exempt"
    UNKNOWN = "unknown"


class LoneDomainController(StrEnum):
    """What becomes of the only writable domain controller of a site, for which nobody in the site can stand in."""

    ALLOW = "allow"
    REFUSE = "refuse"


class Stage(IntEnum):
    """When a domain controller's turn is; a stage begins when the one before it has ended."""

    CANARY = 0
    ORDINARY = 1
    ROLE_HOLDER = 2
    PDC_EMULATOR = 3


@dataclass(frozen=True)
class DomainController:
    """What the plan needs to know of one domain controller.

    Attributes:
        name: As in the inventory; the names of a rollout differ in more than case.
        site: Active Directory site.
        domain: Its domain.
        work: Whether there is something to do.
        roles: Operations master roles that it holds.
        global_catalog: Whether it is one.
        read_only: Whether it is an RODC.
        available: Whether it answered; `None` when nobody looked.
        worst_case_seconds: Longest time that it may take from the first change until it serves again.
        reason: Why it is exempt or unknown; empty otherwise.
        refused: Why nothing may be begun on it, of the preflight for example; `None` where it may.
        roles_known: Whether `roles` and `global_catalog` come from the directory. Where they do not, rules 6 and 7
            can't be kept.
        changes: What would be done; empty unless there is something to do.
        possible: What may have to be done besides, since Windows decides it meanwhile.
    """

    name: str
    site: str
    domain: str
    work: Work
    roles: frozenset[Role] = frozenset()
    global_catalog: bool = False
    read_only: bool = False
    available: bool | None = True
    worst_case_seconds: int = 0
    reason: str = ""
    refused: Problem | None = None
    roles_known: bool = True
    changes: tuple[Change, ...] = ()
    possible: tuple[Change, ...] = ()

    @property
    def restarts(self) -> bool:
        """Whether one of its changes restarts it."""
        return any(change.operation is Operation.RESTART for change in self.changes)


@dataclass(frozen=True)
class Policy:
    """Who may be down together, and in which order; see the text at the top of this file.

    Attributes:
        max_unavailable_total: In the forest, at least 1.
        max_unavailable_per_site: In a site, at least 1.
        lone_domain_controller: Whether the only one of a site may go down.
        keep_global_catalog: Whether one global catalog of a site and of the forest stays up.
        canaries: Who comes first.
        order: Who comes before whom.
        window_seconds: Length of the maintenance window; `None` when there is none.
        assume_available: Whether those that nobody looked at count as known to answer.
    """

    max_unavailable_total: int = 1
    max_unavailable_per_site: int = 1
    lone_domain_controller: LoneDomainController = LoneDomainController.ALLOW
    keep_global_catalog: bool = True
    canaries: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    window_seconds: int | None = None
    assume_available: bool = False

    def stage(self, domain_controller: DomainController) -> Stage:
        """Returns when a domain controller's turn is."""
        if domain_controller.name in self.canaries:
            return Stage.CANARY
        if Role.PDC in domain_controller.roles:
            return Stage.PDC_EMULATOR
        return Stage.ROLE_HOLDER if domain_controller.roles else Stage.ORDINARY


@dataclass(frozen=True)
class Problem:
    """Something that can't be planned, or must not be done.

    Attributes:
        subject: The domain controller, or what else it is about.
        reason: What is the case, a clause without a full stop.
        remedy: The way out, a sentence without a full stop.
    """

    subject: str
    reason: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.reason}. {self.remedy}."


def contradictions(domain_controllers: Sequence[DomainController], policy: Policy) -> tuple[Problem, ...]:
    """Returns why no rollout can be planned with this policy at all; empty when one can."""
    found: list[Problem] = []
    for name, number in (
        ("max_unavailable_total", policy.max_unavailable_total),
        ("max_unavailable_per_site", policy.max_unavailable_per_site),
        ("window_seconds", policy.window_seconds),
    ):
        if number is not None and number < 1:
            found.append(Problem(name, f"it is {number}, so nothing could ever be done", "Give a number from 1"))
    found += _doubles(domain_controllers)
    for name in {item.domain: item for item in domain_controllers}:
        members = [item for item in domain_controllers if item.domain == name]
        holders = [item for item in members if Role.PDC in item.roles]
        if len(holders) != 1 and any(item.roles_known for item in members):
            told = listing(sorted(item.name for item in holders)).replace(" or ", " and ") or "no domain controller"
            found.append(
                Problem(
                    f"Domain {name}",
                    f"its PDC emulator must come last, and {told} holds that role",
                    "Read the roles from the directory again, with every domain controller of the domain",
                )
            )
    return (*found, *_named(domain_controllers, policy))


def _doubles(domain_controllers: Sequence[DomainController]) -> list[Problem]:
    seen: dict[str, str] = {}
    found = []
    for item in domain_controllers:
        if item.name.lower() in seen:
            found.append(Problem(item.name, "it is there twice", "Name every domain controller once"))
        seen[item.name.lower()] = item.name
    return found


def _named(domain_controllers: Sequence[DomainController], policy: Policy) -> list[Problem]:
    """Problems of the names in `canaries` and `order`."""
    known = {item.name: item for item in domain_controllers}
    found = []
    for option, names in (("canaries", policy.canaries), ("order", policy.order)):
        for name in dict.fromkeys(names):
            if name not in known:
                found.append(
                    Problem(
                        name,
                        f"`{option}` names it, and there is no such domain controller",
                        "Correct or remove the name",
                    )
                )
            elif names.count(name) > 1:
                found.append(Problem(name, f"`{option}` names it more than once", "Name it once"))
    for name in policy.canaries:
        if name in known and known[name].roles:
            roles = ", ".join(sorted(known[name].roles))
            found.append(
                Problem(
                    name,
                    f"it is a canary, so it comes first, and holds {roles}, so it comes late",
                    "Choose a canary without a role, or move the role to another domain controller first",
                )
            )
        elif name in known and known[name].work is Work.EXEMPT:
            found.append(
                Problem(name, "it is a canary and exempt, so it would try nothing out", "Choose another canary")
            )
    listed = [known[name] for name in policy.order if name in known]
    for earlier, later in pairwise(listed):
        if policy.stage(earlier) > policy.stage(later):
            found.append(
                Problem(
                    earlier.name,
                    f"`order` puts it before {later.name}, and {_turn(policy, earlier)}, while {_turn(policy, later)}",
                    "Swap the two, or remove one of them from the order",
                )
            )
    listed_canaries = [name for name in policy.order if name in policy.canaries]
    if listed_canaries != [name for name in policy.canaries if name in policy.order]:
        found.append(
            Problem("Canaries", "`order` and `canaries` name them in a different order", "Remove them from `order`")
        )
    return found


def _turn(policy: Policy, item: DomainController) -> str:
    return {
        Stage.CANARY: f"{item.name} is a canary, which come first",
        Stage.ORDINARY: f"{item.name} holds no role",
        Stage.ROLE_HOLDER: f"{item.name} holds {', '.join(sorted(item.roles))}, which come late",
        Stage.PDC_EMULATOR: f"{item.name} is a PDC emulator, which come last",
    }[policy.stage(item)]


def window_problem(item: DomainController, seconds: int | None) -> Problem | None:
    """Returns why a domain controller must not be started with that many seconds left; `None` when it may.

    Args:
        item: The domain controller.
        seconds: Length of the maintenance window or, while it runs, what is left of it. `None` is without end.
    """
    if seconds is None or item.worst_case_seconds <= seconds:
        return None
    return Problem(
        item.name,
        f"it may take {item.worst_case_seconds} s, and the maintenance window has {seconds} s for it",
        "Give a longer window or, if its deadlines are longer than it needs, a shorter worst case",
    )
