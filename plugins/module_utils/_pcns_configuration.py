# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The PCNS configuration of a domain: queue and retry settings of its service object in Active Directory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

from ansible_collections.entsso.password_sync.plugins.module_utils._plan import (
    Absent,
    Change,
    Estate,
    JsonValue,
    Key,
    Operation,
    PlanError,
    Present,
    Unknown,
)

RESOURCE = "pcns_configuration"
NAME = "service"

RANGES = {
    "max_queue_length": (0, 4294967295),
    "max_queue_age": (0, 4294967295),
    "max_notification_retries": (0, 1000),
    "retry_interval": (10, 3600),
}
"""Ranges of the verb `service` in Microsoft's help (pcns.md 3, H1)."""


@dataclass(frozen=True)
class ConfigurationState:
    """The settings; the defaults are those of a service object that was never configured (pcns.md 3, H1).

    Attributes:
        max_queue_length: Changes a domain controller keeps; 0 is unlimited. When full, the oldest is lost.
        max_queue_age: Seconds after which a kept change is lost; 0 is unlimited.
        max_notification_retries: 0 is unlimited.
        retry_interval: Seconds.
    """

    max_queue_length: int = 0
    max_queue_age: int = 259200
    max_notification_retries: int = 0
    retry_interval: int = 60


@dataclass(frozen=True)
class DesiredConfiguration:
    """The settings as wanted; what is `None` is left alone."""

    max_queue_length: int | None = None
    max_queue_age: int | None = None
    max_notification_retries: int | None = None
    retry_interval: int | None = None

    def out_of_range(self) -> tuple[str, ...]:
        """Returns one sentence for each value that `pcnscfg` does not take."""
        sentences = []
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                sentences.append(f"{name} is {value} and must be from {low} to {high}")
        return tuple(sentences)


def key(domain: str) -> Key:
    """Returns the key of a domain's configuration."""
    return Key(domain, RESOURCE, NAME)


def require_tool(host: str, estate: Estate) -> None:
    """Refuses to plan where `pcnscfg` neither exists nor comes with an earlier step.

    Raises:
        PlanError: The tool is missing.
    """
    tool = estate.get(Key(host, "tool", "pcnscfg"))
    if not isinstance(tool, Present):
        reason = f": {tool.reason}" if isinstance(tool, Unknown) else ""
        raise PlanError(
            host,
            f"pcnscfg is not on {host}{reason}.",
            "Install PCNS there first (playbooks/domain_controllers.yml), or give its path in `pcnscfg`.",
        )


def with_tool(
    host: str, estate: Estate, plan: Callable[[], tuple[Change, ...]], *, read_without_tool: bool
) -> tuple[Change, ...]:
    """Returns a plan for which the tool must be there: to read, unless that is done elsewhere, and to write.

    Raises:
        PlanError: The tool is missing, or as the plan.
    """
    if not read_without_tool:
        require_tool(host, estate)
    changes = plan()
    if changes:
        require_tool(host, estate)
    return changes


def plan(
    host: str, domain: str, desired: DesiredConfiguration, estate: Estate, *, read_without_tool: bool = False
) -> tuple[Change, ...]:
    """Returns the change that writes the wanted settings, or nothing.

    All given settings are written together, since that is what the tool does. Where there is no configuration and none
    is given, the documented defaults are written, since PCNS stops without one (event 6000).

    Args:
        host: The domain controller that pcnscfg runs on.
        domain: Its domain.
        desired: What is wanted.
        estate: What is known.
        read_without_tool: Whether the settings are known from elsewhere where the tool is missing.

    Raises:
        PlanError: The configuration could not be read, or the tool is missing.
    """
    return with_tool(host, estate, lambda: _plan(host, domain, desired, estate), read_without_tool=read_without_tool)


def _plan(host: str, domain: str, desired: DesiredConfiguration, estate: Estate) -> tuple[Change, ...]:
    wanted: dict[str, JsonValue] = {
        item.name: value for item in fields(desired) if (value := getattr(desired, item.name)) is not None
    }
    observed = estate.get(key(domain))
    if isinstance(observed, Unknown):
        raise PlanError(
            domain,
            f"The PCNS configuration of {domain} could not be read on {host}: {observed.reason}.",
            "Run `pcnscfg list` there by hand. Where it only says that there is no configuration, run `pcnscfg service "
            "/R:0` once, which creates it with the documented defaults, then run again.",
        )
    if isinstance(observed, Absent):
        wanted = wanted or {item.name: getattr(ConfigurationState(), item.name) for item in fields(ConfigurationState)}
        return (Change(domain, RESOURCE, NAME, Operation.UPDATE, new=wanted),)
    old: dict[str, JsonValue] = {name: getattr(observed.state, name) for name in wanted}
    return () if old == wanted else (Change(domain, RESOURCE, NAME, Operation.UPDATE, old=old, new=wanted),)
