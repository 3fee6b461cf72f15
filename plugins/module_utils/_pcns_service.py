# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Password Change Notification Service on a domain controller."""

from __future__ import annotations

from dataclasses import dataclass, field

from ansible_collections.entsso.password_sync.plugins.module_utils._plan import (
    KNOWN_AFTER_APPLY,
    Absent,
    Change,
    Estate,
    Implication,
    JsonValue,
    Key,
    Operation,
    PlanError,
    Unknown,
)

RESOURCE = "pcns_service"


DEFAULT_EVENT_LOG_LEVEL = 1


def same_level(left: object, right: object) -> bool:
    """Compares event log levels; a level that is not set is the default."""
    return (DEFAULT_EVENT_LOG_LEVEL if left is None else left) == (DEFAULT_EVENT_LOG_LEVEL if right is None else right)


@dataclass(frozen=True)
class ServiceState:
    """The service as observed.

    Attributes:
        state: `running`, `stopped` or a state in between, lower case.
        start_mode: `auto`, `manual` or `disabled`.
        event_log_level: 0 to 3, or `None` where the value is not set, which counts as 1 (pcns.md 1).
        account: Account the service runs as.
    """

    state: str = "stopped"
    start_mode: str = "auto"
    event_log_level: int | None = field(default=None, metadata={"same": same_level})
    account: str = field(default="", metadata={"verified": False})


@dataclass(frozen=True)
class DesiredService:
    """The service as wanted; what is `None` is left alone."""

    state: str | None = "running"
    start_mode: str | None = "auto"
    event_log_level: int | None = None


REMOVED = DesiredService(state="stopped", start_mode="disabled")
"""As the service is wanted until its package is removed: a restart in between must not start it. One that does not
exist is as wanted."""


def key(subject: str, name: str) -> Key:
    """Returns the key of the service on a host."""
    return Key(subject, RESOURCE, name)


def plan(subject: str, name: str, desired: DesiredService, estate: Estate) -> tuple[Change, ...]:
    """Returns the change that brings the service to its wanted state, or nothing.

    Raises:
        PlanError: The service does not exist or could not be read.
    """
    observed = estate.get(key(subject, name))
    if isinstance(observed, Unknown):
        raise PlanError(
            subject,
            f"The service {name} could not be read on {subject}: {observed.reason}.",
            "Make sure that the account may query services over WMI, then run again.",
        )
    if isinstance(observed, Absent) and desired == REMOVED:
        return ()
    if isinstance(observed, Absent):
        raise PlanError(
            subject,
            f"The service {name} does not exist on {subject}.",
            "Install PCNS first (entsso.password_sync.msi_package), then run again.",
        )
    state: ServiceState = observed.state
    old: dict[str, JsonValue] = {}
    new: dict[str, JsonValue] = {}
    for attribute in ("start_mode", "state", "event_log_level"):
        wanted, actual = getattr(desired, attribute), getattr(state, attribute)
        if attribute == "event_log_level" and actual is None:
            actual = DEFAULT_EVENT_LOG_LEVEL
        if wanted is not None and actual not in (wanted, KNOWN_AFTER_APPLY):
            old[attribute], new[attribute] = actual, wanted
    if not new:
        return ()
    # S3 in pcns.md 1 restarts the service for a new level to count; nothing says that it is read while running.
    implies = frozenset({Implication.SERVICE_RESTART}) if "event_log_level" in new else frozenset()
    return (Change(subject, RESOURCE, name, Operation.UPDATE, old=old, new=new, implies=implies),)
