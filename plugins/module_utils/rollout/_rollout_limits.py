# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The limits of a rollout policy: of which domain controllers how many may be down by the rollout at the same time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ansible_collections.entsso.password_sync.plugins.module_utils.report._printable import count
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_policy import (
    DomainController,
    LoneDomainController,
    Policy,
)


class Rule(StrEnum):
    """What a limit is for."""

    TOTAL = "total"
    SITE = "site"
    SITE_KEEPS_ONE = "site keeps one"
    DOMAIN_KEEPS_ONE = "domain keeps one"
    SITE_KEEPS_CATALOG = "site keeps a global catalog"
    FOREST_KEEPS_CATALOG = "forest keeps a global catalog"


@dataclass(frozen=True)
class Limit:
    """At most so many of these may be in a wave.

    Attributes:
        rule: What it is for.
        place: Site or domain; empty for the forest.
        names: The domain controllers.
        most: How many; never below zero.
        because: What leaves no more than `most`, a clause for people.
    """

    rule: Rule
    place: str
    names: frozenset[str]
    most: int
    because: str


def limits(domain_controllers: Sequence[DomainController], policy: Policy) -> tuple[Limit, ...]:
    """Returns every limit that the policy sets on these domain controllers."""
    found = [_budget(Rule.TOTAL, "", domain_controllers, policy.max_unavailable_total)]
    writable = [item for item in domain_controllers if not item.read_only]
    for site, members in _groups(domain_controllers, lambda item: item.site):
        found.append(_budget(Rule.SITE, site, members, policy.max_unavailable_per_site))

    def keeps_one(rule: Rule, place: str, members: Sequence[DomainController], what: str) -> Limit:
        answers = (True, None) if policy.assume_available else (True,)
        return _keeps_one(rule, place, members, [item for item in members if item.available in answers], what)

    refuses = policy.lone_domain_controller is LoneDomainController.REFUSE
    for site, members in _groups(writable, lambda item: item.site):
        if len(members) > 1 or refuses:
            found.append(keeps_one(Rule.SITE_KEEPS_ONE, site, members, f"writable domain controller of site {site}"))
    for domain, members in _groups(writable, lambda item: item.domain):
        if len(members) > 1:
            what = f"writable domain controller of domain {domain}"
            found.append(keeps_one(Rule.DOMAIN_KEEPS_ONE, domain, members, what))
    catalogs = [item for item in writable if item.global_catalog]
    if policy.keep_global_catalog:
        for site, members in _groups(catalogs, lambda item: item.site):
            if len(members) > 1:
                what = f"writable global catalog of site {site}"
                found.append(keeps_one(Rule.SITE_KEEPS_CATALOG, site, members, what))
        if catalogs and len(writable) > 1:
            what = "writable global catalog of the forest"
            found.append(keeps_one(Rule.FOREST_KEEPS_CATALOG, "", catalogs, what))
    return tuple(found)


def lower_bound(names: Sequence[str], given: Sequence[Limit]) -> int:
    """Returns how many waves domain controllers need at least whose order is free.

    A wave takes at most `most` of the domain controllers of a limit, so those of them that are to be placed need at
    least `ceil(their number / most)` waves; the largest of these numbers holds.
    """
    wanted = frozenset(names)
    needed = [-(-len(wanted & limit.names) // limit.most) for limit in given if limit.most > 0]
    return max(needed, default=0) if wanted else 0


def fits(wave: Sequence[str], given: Sequence[Limit]) -> bool:
    """Returns whether these may be down together."""
    down = frozenset(wave)
    return all(len(down & limit.names) <= limit.most for limit in given)


def _budget(rule: Rule, place: str, members: Sequence[DomainController], allowed: int) -> Limit:
    down = sorted(item.name for item in members if item.available is False)
    where = f" of site {place}" if place else ""
    option = "max_unavailable_per_site" if rule is Rule.SITE else "max_unavailable_total"
    shown = ", ".join(down[:5]) + (f" and {count(len(down) - 5, 'more')}" if len(down) > 5 else "")
    because = f"{shown}{where} {'does' if len(down) == 1 else 'do'} not answer, and `{option}` is {allowed}"
    return Limit(rule, place, frozenset(item.name for item in members), max(allowed - len(down), 0), because)


def _keeps_one(
    rule: Rule, place: str, members: Sequence[DomainController], up: Sequence[DomainController], what: str
) -> Limit:
    names = frozenset(item.name for item in up)
    silent = sorted(item.name for item in members if item.name not in names)
    because = f"it is the only {what}"
    if silent:
        because += f" that is known to answer (not known or down: {', '.join(silent[:5])})"
    # One that is down can't be taken down, so what counts are those that answer.
    return Limit(rule, place, names, max(len(names) - 1, 0), because)


def _groups(
    members: Sequence[DomainController], key: Callable[[DomainController], str]
) -> list[tuple[str, list[DomainController]]]:
    found: dict[str, list[DomainController]] = {}
    for item in members:
        found.setdefault(key(item), []).append(item)
    return sorted(found.items())
