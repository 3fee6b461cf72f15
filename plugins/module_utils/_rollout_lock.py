# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rollout lock: one rollout at a time, however many control nodes there are.

The lock is a folder on one host that all runs name: making a folder is something in which exactly one of two runs
succeeds. Each holder has a folder of its own number: whoever may take over a lock that has expired makes the next
number, and of two that try one fails. The highest number is the holder.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ansible_collections.entsso.password_sync.plugins.module_utils._plan import (
    KNOWN_AFTER_APPLY,
    Absent,
    Change,
    Estate,
    Key,
    Operation,
    PlanError,
    Unknown,
)

RESOURCE = "rollout_lock"
NAME = "rollout"


@dataclass(frozen=True)
class LockState:
    """A lock that somebody holds, or held.

    Attributes:
        number: Which holder since the lock was last free, from 1.
        owner: Who: account, control node and process of the run.
        expires: Until when, ISO 8601 in UTC, by the clock of the lock's host; empty where nobody has written it.
        ended: The run that holds it is on this control node and no longer runs.
    """

    number: int = 1
    owner: str = ""
    expires: str = ""
    ended: bool = field(default=False, metadata={"verified": False})


@dataclass(frozen=True)
class DesiredLock:
    """The lock as wanted.

    Attributes:
        held: Whether this run shall hold it; else it shall not.
        owner: Who this run is.
        minutes: How long the lock lasts from now.
        force: Whether somebody else's lock is taken or removed.
    """

    held: bool
    owner: str
    minutes: int = 120
    force: bool = False


def key(subject: str) -> Key:
    """Returns the key of the lock on a host."""
    return Key(subject, RESOURCE, NAME)


def plan(subject: str, desired: DesiredLock, now: datetime, estate: Estate) -> tuple[Change, ...]:
    """Returns the change that takes, prolongs or frees the lock, or nothing.

    Args:
        subject: The host that the lock is on.
        desired: What is wanted.
        now: The host's clock, UTC.
        estate: What is observed.

    Raises:
        PlanError: Somebody else holds it, or it could not be read.
    """
    observed = estate.get(key(subject))
    if isinstance(observed, Unknown):
        raise PlanError(
            subject,
            f"The rollout lock on {subject} could not be read: {observed.reason}.",
            "Make sure that the account may read WMI and the registry there, then run again.",
        )
    state: LockState | None = None if isinstance(observed, Absent) else observed.state
    if not desired.held:
        return _free(subject, desired, state)
    if state is None:
        return (_take(subject, desired, 1),)
    if state.owner == desired.owner:
        # Prolonged in the second half of its time, so that a run does not write at each of its hosts.
        if _left(state, now) > timedelta(minutes=desired.minutes) / 2:
            return ()
        new = {"expires": KNOWN_AFTER_APPLY}
        return (Change(subject, RESOURCE, NAME, Operation.UPDATE, old={"expires": state.expires}, new=new),)
    if desired.force or state.ended or _left(state, now) <= timedelta():
        return (_take(subject, desired, state.number + 1, state),)
    holder = f"{state.owner} holds it until {state.expires}" if state.owner else "its holder has not written who it is"
    raise PlanError(
        subject,
        f"Another rollout has the rollout lock on {subject}: {holder}.",
        "Wait for its end. Only if that run is known to be dead, take the lock over with `force: true`.",
    )


def _free(subject: str, desired: DesiredLock, state: LockState | None) -> tuple[Change, ...]:
    if state is None or not (desired.force or state.owner == desired.owner):
        return ()
    return (Change(subject, RESOURCE, NAME, Operation.DELETE, old={"owner": state.owner, "expires": state.expires}),)


def _take(subject: str, desired: DesiredLock, number: int, before: LockState | None = None) -> Change:
    return Change(
        subject,
        RESOURCE,
        NAME,
        Operation.CREATE if before is None else Operation.UPDATE,
        old={} if before is None else {"number": before.number, "owner": before.owner, "expires": before.expires},
        new={"number": number, "owner": desired.owner, "expires": KNOWN_AFTER_APPLY},
    )


def until(desired: DesiredLock, now: datetime) -> str:
    """Returns when a lock that is taken or prolonged now expires, in the form of `LockState.expires`."""
    return f"{(now + timedelta(minutes=desired.minutes)).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _left(state: LockState, now: datetime) -> timedelta:
    """How long a lock still holds; what can't be read as a time has not expired, since nobody knows."""
    try:
        expires = datetime.fromisoformat(state.expires)
    except ValueError:
        return timedelta.max
    return (expires if expires.tzinfo else expires.replace(tzinfo=UTC)) - now
