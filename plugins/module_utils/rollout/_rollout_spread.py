# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Spreads domain controllers whose order is free over as few waves as their limits allow.

Sites, the writable ones in them and the global catalogs of these lie within one another. Dealt out in that order like
cards, each of these groups is spread as evenly as can be: a group of n is at most `ceil(n / waves)` times in a wave. So
these limits hold with the number of waves that is the lower bound.

Domains lie across sites. A domain's limit is broken only where all its domain controllers came into one wave. Then
that wave is split anew together with another one: every group is paired off from the inside to the outside, each domain
that is wholly in the two waves has one pair of its own, and the two of a pair go into different waves. A domain
controller is in at most one pair of the first kind and one of the second, so pairs make paths and circles of even
length, and two waves always suffice. Nothing that held before is broken by it.

Only the global catalogs of the forest lie across sites and domains. Where all of them are in one wave and no such split
parts them, one gets a wave of its own: one wave above the lower bound, and sometimes there is no better plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Union

Pair = tuple["Item", "Item"]
Halves = tuple[list["Item"], list["Item"]]


@dataclass(frozen=True, order=True)
class Item:
    """One domain controller: the groups that it is in, from the outside to the inside, and its name."""

    groups: tuple[Union[str, bool], ...]
    name: str


def spread(
    items: Sequence[Item], number: int, domains: Sequence[frozenset[str]], catalogs: frozenset[str]
) -> list[list[str]]:
    """Returns the names in `number` waves, or one more.

    Args:
        items: What is spread.
        number: The lower bound; at least 2 where `domains` or `catalogs` are given.
        domains: Names that must not all be in one wave, set by set; the sets share no name.
        catalogs: More names that must not all be in one wave; may be empty.
    """
    ordered = sorted(items)
    waves = [ordered[start::number] for start in range(number)]
    for domain in domains:
        here = _together(waves, domain)
        if here is not None:
            _divide(waves, here, 1 if here == 0 else 0, domains, ())
    here = _together(waves, catalogs)
    if here is not None:
        _part_catalogs(waves, here, domains, catalogs)
    return [sorted(item.name for item in wave) for wave in waves]


def _together(waves: Sequence[Sequence[Item]], names: frozenset[str]) -> int | None:
    """Returns the wave that has all of these; `None` when there is none."""
    for number, wave in enumerate(waves):
        held = sum(item.name in names for item in wave)
        if held:
            return number if held == len(names) else None
    return None


def _part_catalogs(
    waves: list[list[Item]], here: int, domains: Sequence[frozenset[str]], catalogs: frozenset[str]
) -> None:
    first, *others = sorted(item for item in waves[here] if item.name in catalogs)
    for there in range(len(waves)):
        if there != here and any(_divide(waves, here, there, domains, [(first, other)]) for other in others):
            return
    waves[here].remove(first)
    waves.append([first])


def _divide(
    waves: list[list[Item]], here: int, there: int, domains: Iterable[frozenset[str]], apart: Sequence[Pair]
) -> bool:
    """Splits two waves anew; returns whether all pairs can be parted, and changes nothing when not."""
    items = sorted(waves[here] + waves[there])
    pairs = [*_nested_pairs(items), *_domain_pairs(items, domains), *apart]
    halves = _two_colours(items, pairs)
    if halves is not None:
        waves[here], waves[there] = halves
    return halves is not None


def _nested_pairs(items: Sequence[Item]) -> Iterator[Pair]:
    """Pairs off the items of each group, the innermost first; at most one of a group is left to the group around it."""
    left = list(items)
    for depth in range(len(items[0].groups), -1, -1):
        waiting: dict[tuple[Union[str, bool], ...], Item] = {}
        for item in left:
            partner = waiting.pop(item.groups[:depth], None)
            if partner is None:
                waiting[item.groups[:depth]] = item
            else:
                yield partner, item
        left = list(waiting.values())


def _domain_pairs(items: Sequence[Item], domains: Iterable[frozenset[str]]) -> Iterator[Pair]:
    for domain in domains:
        members = [item for item in items if item.name in domain]
        if len(members) == len(domain):
            yield members[0], members[1]


def _two_colours(items: Sequence[Item], pairs: Sequence[Pair]) -> Halves | None:
    """Puts the items into two halves so that no pair is in one; `None` when that is not possible."""
    partners: dict[Item, list[Item]] = {item: [] for item in items}
    for one, other in pairs:
        partners[one].append(other)
        partners[other].append(one)
    half: dict[Item, bool] = {}
    for start in items:
        if start in half:
            continue
        half[start] = False
        reached = [start]
        while reached:
            item = reached.pop()
            for partner in partners[item]:
                if partner not in half:
                    half[partner] = not half[item]
                    reached.append(partner)
                elif half[partner] == half[item]:
                    return None
    return [item for item in items if not half[item]], [item for item in items if half[item]]
