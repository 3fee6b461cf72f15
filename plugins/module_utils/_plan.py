# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one plan: what is observed, what would change, and what a change leaves behind.

Every resource works in four steps: observe, plan, apply, verify. This file holds the parts that all
resources share. Nothing here does I/O; everything is a value.

* An `Estate` maps the key of an object to what is observed of it: `Present`, `Absent` or `Unknown`.
* A `Change` is data. Its effects say what the estate looks like afterwards; `project` applies them.
* Check mode plans on `overlay(observed, effects of the earlier changes of this run)`.
* Apply plans on what is observed, executes, observes again, and `differences` must then be empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from enum import Enum, StrEnum
from operator import eq
from typing import Any, Generic, TypeVar, Union

JsonScalar = Union[str, int, bool, None]
JsonValue = Union[JsonScalar, Sequence["JsonValue"], Mapping[str, "JsonValue"]]

State = TypeVar("State")

KNOWN_AFTER_APPLY = "(known after apply)"
"""Stands for a value that Windows assigns. It never decides whether a change exists."""


@dataclass(frozen=True)
class Present(Generic[State]):
    """The object exists; `state` is a frozen dataclass of its resource."""

    state: State


@dataclass(frozen=True)
class Absent:
    """The object was looked for and does not exist."""


@dataclass(frozen=True)
class Unknown:
    """The object could not be read, or what was read could not be understood. Never compliant."""

    reason: str


Observation = Union[Present[Any], Absent, Unknown]


@dataclass(frozen=True, order=True)
class Key:
    """Names one object: where it lives, of which resource it is, and its own name there.

    Attributes:
        scope: A host, a domain or an SSO system, as users name it in the inventory.
        resource: The resource's name, which is the module's name.
        name: The object's name within scope and resource; compared without regard to case.
    """

    scope: str
    resource: str
    name: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name.lower())
        object.__setattr__(self, "scope", self.scope.lower())


class Operation(StrEnum):
    """What a change does to its object."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    INSTALL = "install"
    UPGRADE = "upgrade"
    REMOVE = "remove"
    RESTART = "restart"


class Implication(StrEnum):
    """What a change makes necessary beyond itself."""

    SERVICE_RESTART = "service restart"
    HOST_RESTART = "host restart"


@dataclass(frozen=True)
class Effect:
    """One thing that is different after a change.

    Attributes:
        key: The object.
        values: Attributes that have a new value; `None` when the object is gone.
    """

    key: Key
    values: Mapping[str, JsonValue] | None

    def to_json(self) -> dict[str, JsonValue]:
        """Returns the form that is kept as a host fact in check mode."""
        return {
            "scope": self.key.scope,
            "resource": self.key.resource,
            "name": self.key.name,
            "values": None if self.values is None else dict(self.values),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Effect:
        """Reads the form that `to_json` wrote."""
        values = data["values"]
        return cls(
            Key(str(data["scope"]), str(data["resource"]), str(data["name"])),
            None if values is None else dict(values),
        )


@dataclass(frozen=True)
class Change:
    """One thing that a run does, or in check mode would do.

    Attributes:
        subject: Host, domain or SSO system it is done to, as users name it.
        resource: Name of the resource (module).
        name: The object within the resource, for people.
        operation: What is done.
        old: Attributes before, as far as they differ or explain.
        new: Attributes that are written. Two changes are the same when subject, resource, name, operation and
            `new` are equal ("check mode predicted exactly what apply did").
        implies: What the change makes necessary.
        leaves: What it leaves behind on other objects (files, services, tools, ...).
    """

    subject: str
    resource: str
    name: str
    operation: Operation
    old: Mapping[str, JsonValue] = field(default_factory=dict)
    new: Mapping[str, JsonValue] = field(default_factory=dict)
    implies: frozenset[Implication] = frozenset()
    leaves: tuple[Effect, ...] = ()

    @property
    def key(self) -> Key:
        """The object that is changed."""
        return Key(self.subject, self.resource, self.name)

    @property
    def effects(self) -> tuple[Effect, ...]:
        """Everything that is different afterwards: the object itself, then what the change leaves behind."""
        gone = self.operation in (Operation.DELETE, Operation.REMOVE)
        return (Effect(self.key, None if gone else self.new), *self.leaves)

    def project(self, estate: Estate) -> Estate:
        """Returns the estate as it is after this change; pure."""
        return overlay(estate, self.effects)

    def to_json(self) -> dict[str, JsonValue]:
        """Returns the form that modules return in `changes`."""
        return {
            "subject": self.subject,
            "resource": self.resource,
            "name": self.name,
            "operation": self.operation.value,
            "old": dict(self.old),
            "new": dict(self.new),
            "implies": sorted(item.value for item in self.implies),
        }

    def sentence(self) -> str:
        """Returns the change as a short phrase for people, for example `install PCNS 5.0.1`."""
        detail = ", ".join(f"{name}={_show(value)}" for name, value in self.new.items())
        return f"{self.operation.value} {self.resource} {self.name}" + (f" ({detail})" if detail else "")


def _show(value: JsonValue) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_show(item)}" for name, item in value.items()) + "}"
    if isinstance(value, Sequence):
        return "[" + ", ".join(_show(item) for item in value) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)


class Estate:
    """What is known of a set of objects; immutable."""

    def __init__(
        self, observations: Mapping[Key, Observation], state_types: Mapping[str, type[Any]] | None = None
    ) -> None:
        self._observations = dict(observations)
        self._state_types = dict(state_types or {})
        for key, observation in observations.items():
            if isinstance(observation, Present):
                self._state_types.setdefault(key.resource, type(observation.state))

    def get(self, key: Key) -> Observation:
        """Returns what is known of an object; an object that nobody looked at is unknown."""
        return self._observations.get(key, Unknown(f"{key.resource} {key.name} was not looked at on {key.scope}"))

    def objects(self) -> tuple[Key, ...]:
        """Returns the keys of all objects, sorted."""
        return tuple(sorted(self._observations))

    def with_effect(self, effect: Effect) -> Estate:
        """Returns a copy in which one effect has taken place.

        An effect on an object of a resource whose state type is not known here is left out: nobody
        who plans on this estate can ask for it.
        """
        if effect.values is None:
            return Estate({**self._observations, effect.key: Absent()}, self._state_types)
        state_type = self._state_types.get(effect.key.resource)
        if state_type is None or not is_dataclass(state_type):
            return self
        before = self._observations.get(effect.key)
        state = before.state if isinstance(before, Present) else state_type()
        known = {item.name for item in fields(state_type)}
        values = {name: _frozen(value) for name, value in effect.values.items() if name in known}
        after = Present(replace(state, **values))
        return Estate({**self._observations, effect.key: after}, self._state_types)

    def merged(self, other: Estate) -> Estate:
        """Returns both estates together; `other` wins where both know an object."""
        return Estate({**self._observations, **other._observations}, {**self._state_types, **other._state_types})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Estate) and self._observations == other._observations

    def __hash__(self) -> int:
        return hash(frozenset(self._observations))

    def __repr__(self) -> str:
        return f"Estate({self._observations!r})"


def _frozen(value: JsonValue) -> JsonValue:
    """Lists that came through JSON become tuples, so that states compare equal."""
    if isinstance(value, (str, bytes)) or value is None:
        return value
    if isinstance(value, Sequence):
        return tuple(_frozen(item) for item in value)
    return value


def overlay(estate: Estate, effects: Iterable[Effect]) -> Estate:
    """Returns the estate after the effects, taken in order."""
    for effect in effects:
        estate = estate.with_effect(effect)
    return estate


class PlanError(Exception):
    """What is wanted can't be planned on what is observed.

    Attributes:
        subject: Host, domain or SSO system.
        reason: One sentence: what stands in the way.
        remedy: One sentence: what to do.
    """

    def __init__(self, subject: str, reason: str, remedy: str) -> None:
        super().__init__(f"{reason} {remedy}")
        self.subject = subject
        self.reason = reason
        self.remedy = remedy


def plan_in_order(
    estate: Estate, steps: Iterable[tuple[str, Callable[[Estate], tuple[Change, ...]]]]
) -> tuple[tuple[Change, ...], dict[str, str]]:
    """Plans several resources, each on what the earlier ones leave behind.

    Args:
        estate: What is observed.
        steps: Resource name and its plan.

    Returns:
        The changes, and for each resource that can't be planned the first reason.
    """
    changes: list[Change] = []
    problems: dict[str, str] = {}
    for resource, plan in steps:
        try:
            planned = plan(estate)
        except PlanError as error:
            problems.setdefault(resource, error.reason)
            continue
        for change in planned:
            estate = change.project(estate)
        changes.extend(planned)
    return tuple(changes), problems


@dataclass(frozen=True)
class Difference:
    """One attribute that is not what the plan projected."""

    key: Key
    attribute: str
    projected: JsonValue
    observed: JsonValue

    def __str__(self) -> str:
        return (
            f"{self.key.resource} {self.key.name} on {self.key.scope}: {self.attribute} should be "
            f"{_show(self.projected)} and is {_show(self.observed)}"
        )


def differences(projected: Estate, observed: Estate, changes: Sequence[Change]) -> tuple[Difference, ...]:
    """Compares what the changes projected with what is observed after them.

    Only objects that the changes touch and that were observed again are compared. Values that were
    `KNOWN_AFTER_APPLY` are whatever Windows made them. A field of a state says in its metadata when it is not
    verified (`verified: False`, evidence and the like) or compared in its own way (`same: function`).
    """
    found: list[Difference] = []
    seen: set[Key] = set()
    observed_keys = set(observed.objects())
    for effect in (effect for change in changes for effect in change.effects):
        if effect.key in seen or effect.key not in observed_keys:
            continue
        seen.add(effect.key)
        want, have = projected.get(effect.key), observed.get(effect.key)
        if isinstance(want, Present) and isinstance(have, Present):
            for item in fields(want.state):
                expected, actual = getattr(want.state, item.name), getattr(have.state, item.name)
                if not item.metadata.get("verified", True) or expected == KNOWN_AFTER_APPLY:
                    continue
                if not item.metadata.get("same", eq)(expected, actual):
                    found.append(Difference(effect.key, item.name, expected, actual))
        elif type(want) is not type(have):
            found.append(Difference(effect.key, "state", describe(want), describe(have)))
    return tuple(found)


def describe(observation: Observation) -> str:
    """Returns one word, and the reason when unknown."""
    if isinstance(observation, Present):
        return "present"
    if isinstance(observation, Absent):
        return "absent"
    return f"unknown: {observation.reason}"


def observation_json(observation: Observation) -> JsonValue:
    """Returns an observation in the form that modules return."""
    if isinstance(observation, Present):
        values = {item.name: _jsonable(getattr(observation.state, item.name)) for item in fields(observation.state)}
        return {"state": "present", **values}
    if isinstance(observation, Absent):
        return {"state": "absent"}
    return {"state": "unknown", "reason": observation.reason}


def _jsonable(value: Any) -> JsonValue:
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, (tuple, list, frozenset)):
        return [_jsonable(item) for item in (sorted(value) if isinstance(value, frozenset) else value)]
    if value is None or isinstance(value, (str, int, bool)):
        return value
    if isinstance(value, Mapping):
        return {str(name): _jsonable(item) for name, item in value.items()}
    return str(value)
