# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tool `pcnscfg`: its command lines, and its `list` output.

Verbs, switches and the output are those of Microsoft's help (pcns.md 3, H1 and C1). Messages of the other verbs
and exit codes are not public, so success is always verified by listing again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.entsso.password_sync.plugins.module_utils._pcns_configuration import ConfigurationState
from ansible_collections.entsso.password_sync.plugins.module_utils._pcns_target import TargetState

_LINE = re.compile(r"^\s*(?P<label>[^:.]+?)\.*\s*:\s?(?P<value>.*?)\s*$")

_CONFIGURATION = {
    "maxqueuelength": "max_queue_length",
    "maxqueueage": "max_queue_age",
    "maxnotificationretries": "max_notification_retries",
    "retryinterval": "retry_interval",
}
_TARGET_TEXT = {
    "server fqdn or address": "address",
    "service principal name": "service_principal_name",
    "inclusion group name": "inclusion_group",
    "exclusion group name": "exclusion_group",
}
_TARGET_NUMBER = {
    "user name format": "user_name_format",
    "keep alive interval": "keep_alive_interval",
    "queue warning level": "queue_warning_level",
    "queue warning interval": "queue_warning_interval",
}


@dataclass(frozen=True)
class Listing:
    """What `pcnscfg list` says of one domain.

    Attributes:
        configuration: The queue and retry settings; `None` when the output holds none.
        targets: Target name to its state.
        printed: Target name to the attributes of `TargetState` that the output has; the others are that class's own.
        guids: Target name to its GUID in lower case, where the output has it.
    """

    configuration: ConfigurationState | None
    targets: Mapping[str, TargetState]
    printed: Mapping[str, frozenset[str]] = field(default_factory=dict)
    guids: Mapping[str, str] = field(default_factory=dict)


class ListingError(ValueError):
    """The output of `pcnscfg list` could not be understood; the message says what was missing."""


def parse_list(text: str) -> Listing:
    """Reads the output of `pcnscfg list`.

    Labels are matched without regard to dots, indent, blank lines and order, since all of these vary between the
    published samples. A label that is not known is left alone.

    Raises:
        ListingError: Nothing that looks like the tool's output was found, a number is none, or the count of targets
            in the output differs from the targets read.
    """
    configuration: dict[str, int] = {}
    targets: list[dict[str, Any]] = []
    guids: dict[str, str] = {}
    total: int | None = None
    for line in text.splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        label, value = match["label"].strip().lower(), match["value"].strip()
        if label in _CONFIGURATION:
            configuration[_CONFIGURATION[label]] = _number(label, value)
        elif label == "target name":
            targets.append({"name": value})
        elif label == "total targets":
            total = _number(label, value)
        elif targets and label == "target guid":
            guids[str(targets[-1]["name"])] = value.strip("{}").lower()
        elif targets and label in _TARGET_TEXT:
            targets[-1][_TARGET_TEXT[label]] = value
        elif targets and label in _TARGET_NUMBER:
            targets[-1][_TARGET_NUMBER[label]] = _number(label, value)
        elif targets and label == "disabled":
            targets[-1]["enabled"] = _boolean(label, value) is False
    if not configuration and not targets and total is None:
        raise ListingError("it holds none of the lines that Microsoft's help shows")
    if total is not None and total != len(targets):
        raise ListingError(f"it says {total} targets and {len(targets)} could be read")
    if configuration and set(configuration) != set(_CONFIGURATION.values()):
        missing = sorted(set(_CONFIGURATION.values()) - set(configuration))
        raise ListingError(f"the configuration lacks {', '.join(missing)}")
    printed = {str(target.pop("name")): target for target in targets}
    return Listing(
        ConfigurationState(**configuration) if configuration else None,
        {name: TargetState(**values) for name, values in printed.items()},
        {name: frozenset(values) for name, values in printed.items()},
        guids,
    )


def _number(label: str, value: str) -> int:
    match = re.match(r"\d+", value)
    if match is None:
        raise ListingError(f"{label!r} is {value[:40]!r}, which is no number")
    return int(match.group())


def _boolean(label: str, value: str) -> bool:
    if value.lower() not in ("true", "false"):
        raise ListingError(f"{label!r} is {value[:40]!r}, which is neither True nor False")
    return value.lower() == "true"


def service_arguments(values: Mapping[str, int], server: str) -> list[str]:
    """Returns the arguments that write queue and retry settings (verb `service`)."""
    switches = {"max_queue_length": "L", "max_queue_age": "A", "max_notification_retries": "R", "retry_interval": "I"}
    return [
        "service",
        *(f"/{switches[name]}:{values[name]}" for name in switches if name in values),
        f"/Server:{server}",
    ]


_TARGET_SWITCHES = {
    "address": "A",
    "service_principal_name": "S",
    "inclusion_group": "FI",
    "exclusion_group": "FE",
    "user_name_format": "F",
    "keep_alive_interval": "I",
    "queue_warning_level": "WL",
    "queue_warning_interval": "WI",
}

GROUPS = ("inclusion_group", "exclusion_group")
"""Attributes that `securetarget` writes."""


def target_arguments(verb: str, name: str, values: Mapping[str, object], server: str) -> list[str]:
    """Returns the arguments of `addtarget` and `modifytarget`.

    Args:
        verb: `addtarget` or `modifytarget`.
        name: The target's friendly name.
        values: Attributes of `TargetState` that are written; an empty exclusion group removes it.
        server: The domain controller to write to; it is always the one that the tool runs on.
    """
    arguments = [verb, f"/N:{name}"]
    arguments += [
        f"/{switch}:{values[attribute]}" for attribute, switch in _TARGET_SWITCHES.items() if attribute in values
    ]
    if "enabled" in values:
        arguments.append(f"/D:{'False' if values['enabled'] else 'True'}")
    return [*arguments, f"/Server:{server}"]


def security_arguments(name: str, values: Mapping[str, object], server: str) -> list[str]:
    """Returns the arguments of `securetarget`, the one verb that is documented to take an exclusion group away."""
    groups = [f"/{_TARGET_SWITCHES[item]}:{values[item]}" for item in GROUPS if item in values]
    return ["securetarget", f"/N:{name}", *groups, f"/Server:{server}"]


def plain_arguments(verb: str, name: str, server: str) -> list[str]:
    """Returns the arguments of `deletetarget`, `enabletarget` and `disabletarget`."""
    return [verb, f"/N:{name}", f"/Server:{server}"]
