# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PCNS configuration and targets as two sources tell them, `pcnscfg list` and the directory, made into one state.

What both know is compared. Whether an object exists must not be in doubt: where the sources contradict each other
there, it is unknown. Where a value differs, the tool's counts, since the tool is documented and the syntaxes of the
directory are not (pcns.md 2), and the difference is told. Groups are the exception: the directory holds their SIDs,
which cannot mean another group (pcns.md 2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any

from ansible_collections.entsso.password_sync.plugins.module_utils._pcns_configuration import ConfigurationState
from ansible_collections.entsso.password_sync.plugins.module_utils._pcns_target import TargetState, same_group
from ansible_collections.entsso.password_sync.plugins.module_utils._pcnscfg import Listing
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import Absent, Observation, Present, Unknown
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._pcns_objects import (
    PcnsObjects,
    TargetObject,
)

TOOL, DIRECTORY = "pcnscfg list", "the directory"


class GroupState(StrEnum):
    """What stands behind the SID of a group."""

    FOUND = "found"
    GONE = "gone"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class GroupAnswer:
    """What the directory knows of a SID.

    Attributes:
        state: Whether there is such a group.
        name: `DOMAIN\\name` where it was found; else why it is not known.
    """

    state: GroupState
    name: str = ""


@dataclass(frozen=True)
class TargetView:
    """One target.

    Attributes:
        name: Friendly name, as the tool prints it where it does.
        observation: What is known of it.
        groups: Attribute (`inclusion_group`, `exclusion_group`) to SID and what stands behind it.
        differences: Where the sources contradict each other, each as a clause.
        dn: Distinguished name of its object; empty where the directory does not have it or was not asked.
    """

    name: str
    observation: Observation
    groups: Mapping[str, tuple[str, GroupAnswer]] = field(default_factory=dict)
    differences: tuple[str, ...] = ()
    dn: str = ""


@dataclass(frozen=True)
class DomainView:
    """All that is known of a domain's PCNS objects.

    Attributes:
        configuration: The queue and retry settings.
        targets: All targets by name in lower case.
        differences: Where the sources contradict each other, of configuration and targets.
    """

    configuration: Observation
    targets: Mapping[str, TargetView]
    differences: tuple[str, ...] = ()

    def target(self, name: str) -> TargetView:
        """Returns a target; absent where neither source knows it."""
        return self.targets.get(name.casefold(), TargetView(name, Absent()))


def from_listing(listing: Listing) -> DomainView:
    """Returns what the tool says alone."""
    configuration = listing.configuration
    return DomainView(
        Absent() if configuration is None else Present(configuration),
        {name.casefold(): TargetView(name, Present(state)) for name, state in listing.targets.items()},
    )


def sids(objects: PcnsObjects) -> tuple[str, ...]:
    """Returns the SIDs of all groups of all targets, each once."""
    found = [sid for item in objects.targets for sid in (item.inclusion_sid, item.exclusion_sid) if sid]
    return tuple(dict.fromkeys(found))


def merge(listing: Listing | None, objects: PcnsObjects, answers: Mapping[str, GroupAnswer]) -> DomainView:
    """Returns what both sources say together.

    Args:
        listing: What the tool printed; None where there is no tool.
        objects: What the directory of the same domain controller has.
        answers: What stands behind the SIDs.
    """
    configuration, differences = _configuration(listing, objects)
    found: dict[str, TargetView] = {}
    left = list(objects.targets)
    for name, state in (listing.targets if listing else {}).items():
        item = _object_of(name, listing.guids.get(name, "") if listing else "", left)
        if item is not None:
            left.remove(item)
        printed = listing.printed.get(name) if listing else None
        found[name.casefold()] = _target(name, state, printed, item, answers)
    for item in left:
        # Another object of the same name does not stand in for the one that was found.
        name = next((own for own in sorted(item.names) if own not in found), item.dn)
        found[name] = (
            _alone(name, item, answers)
            if listing is None
            else TargetView(name, _contradiction(f"{DIRECTORY} has {item.dn} and {TOOL} does not name it"))
        )
    every = [*differences, *(f"{view.name}: {text}" for view in found.values() for text in _doubts(view))]
    return DomainView(configuration, found, (*every, *objects.problems))


def _doubts(view: TargetView) -> tuple[str, ...]:
    return (view.observation.reason,) if isinstance(view.observation, Unknown) else view.differences


def _configuration(listing: Listing | None, objects: PcnsObjects) -> tuple[Observation, tuple[str, ...]]:
    service = objects.service
    printed = listing.configuration if listing else None
    if service is None:
        if printed is None or printed == ConfigurationState():
            # Where there is no object, the tool may print the documented defaults (pcns.md 3): no contradiction.
            return Absent(), ()
        reason = f"{TOOL} prints settings and {DIRECTORY} has no service object"
        return _contradiction(reason), (reason,)
    if listing is not None and printed is None:
        reason = f"{DIRECTORY} has {service.dn} and {TOOL} prints no settings"
        return _contradiction(reason), (reason,)
    if printed is None:
        return Present(replace(ConfigurationState(), **service.values)), ()
    differences = tuple(
        f"{name} is {getattr(printed, name)} in {TOOL} and {value} in {DIRECTORY}"
        for name, value in service.values.items()
        if getattr(printed, name) != value
    )
    return Present(printed), differences


def _object_of(name: str, guid: str, targets: list[TargetObject]) -> TargetObject | None:
    """Returns the object of a target: by its GUID, else by its name."""
    if guid:
        for item in targets:
            if item.guid == guid:
                return item
    fitting = [item for item in targets if name.casefold() in item.names and not (guid and item.guid)]
    return fitting[0] if len(fitting) == 1 else None


def _target(
    name: str,
    state: TargetState,
    printed: frozenset[str] | None,
    item: TargetObject | None,
    answers: Mapping[str, GroupAnswer],
) -> TargetView:
    if item is None:
        return TargetView(name, _contradiction(f"{TOOL} names it and {DIRECTORY} does not have it"))
    told = frozenset(entry.name for entry in fields(TargetState)) if printed is None else printed
    differences: list[str] = []
    for entry in fields(TargetState):
        if entry.name not in item.values:
            continue
        value, own = item.values[entry.name], getattr(state, entry.name)
        if entry.name not in told:
            state = _with(state, {entry.name: value})
        elif not entry.metadata.get("same", lambda left, right: left == right)(value, own):
            differences.append(f"{entry.name} is {own!r} in {TOOL} and {value!r} in {DIRECTORY}")
    groups = _groups(item, answers)
    for attribute, (sid, answer) in groups.items():
        own = str(getattr(state, attribute))
        if answer.state is GroupState.FOUND and own and not same_group(own, answer.name) and own.upper() != sid:
            differences.append(f"{attribute} is {own!r} in {TOOL} and {answer.name!r} in {DIRECTORY}")
        if answer.state is not GroupState.UNKNOWN or not own:
            state = _with(state, {attribute: _group_text(sid, answer)})
    for attribute in ("inclusion_group", "exclusion_group"):
        own = str(getattr(state, attribute))
        if attribute not in groups and own and _readable(item, attribute):
            differences.append(f"{attribute} is {own!r} in {TOOL} and {DIRECTORY} has none")
    return TargetView(name, Present(state), groups, tuple(differences), item.dn)


def _alone(name: str, item: TargetObject, answers: Mapping[str, GroupAnswer]) -> TargetView:
    """Returns a target that only the directory tells of, because there is no tool."""
    known = {entry.name for entry in fields(TargetState)}
    groups = _groups(item, answers)
    texts = {attribute: _group_text(sid, answer) for attribute, (sid, answer) in groups.items()}
    values = {key: value for key, value in item.values.items() if key in known}
    return TargetView(name, Present(_with(TargetState(), {**values, **texts})), groups, dn=item.dn)


def _with(state: TargetState, values: Mapping[str, Any]) -> TargetState:
    return replace(state, **values)


def _groups(item: TargetObject, answers: Mapping[str, GroupAnswer]) -> dict[str, tuple[str, GroupAnswer]]:
    given = {"inclusion_group": item.inclusion_sid, "exclusion_group": item.exclusion_sid}
    missing = GroupAnswer(GroupState.UNKNOWN, "it was not looked up")
    return {attribute: (sid, answers.get(sid, missing)) for attribute, sid in given.items() if sid}


def _group_text(sid: str, answer: GroupAnswer) -> str:
    """A group that is gone keeps its SID: no name that somebody may want equals it, so that a plan writes it anew."""
    return answer.name if answer.state is GroupState.FOUND else sid


def _readable(item: TargetObject, attribute: str) -> bool:
    """Whether the attributes of SIDs are known here at all: then the other one was read."""
    other = item.exclusion_sid if attribute == "inclusion_group" else item.inclusion_sid
    return bool(other)


def _contradiction(reason: str) -> Unknown:
    return Unknown(f"two sources contradict each other: {reason}")
