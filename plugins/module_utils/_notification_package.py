# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An entry in LSA's `Notification Packages` and whether LSA has loaded it.

LSA loads password filters only when it starts, which is when Windows starts (pcns.md 2). Registered and
loaded are therefore different things, and "loaded" is graded by its evidence.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ansible_collections.entsso.password_sync.plugins.module_utils._plan import (
    Change,
    Estate,
    Implication,
    Key,
    Operation,
    PlanError,
    Present,
    Unknown,
)

RESOURCE = "notification_package"
UNVERIFIED = {"verified": False}


@dataclass(frozen=True)
class NotificationPackageState:
    """One entry as observed.

    Attributes:
        registered: The entry is in the registry value.
        installed: The DLL is in System32.
        loaded: `yes`, `no` or `unknown`: whether LSA runs it now.
        blocked: LSA tried to load it since the last boot and was refused (System event 16953).
        grade: `proved` or `inferred`; empty when unknown.
        evidence: What says so, for people.
        others: The other entries, in order. They are never changed.
        version: File version of the DLL, empty when it has none.
    """

    registered: bool = False
    installed: bool = False
    loaded: str = "no"
    blocked: bool = False
    grade: str = field(default="", metadata=UNVERIFIED)
    evidence: str = field(default="", metadata=UNVERIFIED)
    others: tuple[str, ...] = field(default=(), metadata=UNVERIFIED)
    version: str = field(default="", metadata=UNVERIFIED)


def key(subject: str, name: str) -> Key:
    """Returns the key of an entry on a host."""
    return Key(subject, RESOURCE, name)


def observed_state(subject: str, name: str, estate: Estate) -> NotificationPackageState:
    """Returns what is observed of an entry.

    Raises:
        PlanError: It could not be read.
    """
    observed = estate.get(key(subject, name))
    if isinstance(observed, Present) and isinstance(observed.state, NotificationPackageState):
        return observed.state
    reason = observed.reason if isinstance(observed, Unknown) else "the registry value is missing"
    raise PlanError(
        subject,
        f"The notification package {name} could not be read on {subject}: {reason}.",
        "Make sure that the account may read the registry over WMI, then run again.",
    )


def plan(subject: str, name: str, estate: Estate, *, registered: bool = True) -> tuple[Change, ...]:
    """Returns the change that puts the entry into the registry value or takes it out, or nothing.

    The package's MSI owns the entry; this repairs one that was removed by hand and rolls back.

    Raises:
        PlanError: The state is unknown, or the DLL that the entry names is not there: a missing DLL in the list
            would be refused at every boot.
    """
    state = observed_state(subject, name, estate)
    if state.registered == registered:
        return ()
    if registered and not state.installed:
        raise PlanError(
            subject,
            f"{name} can't be registered on {subject}: its DLL is not in System32.",
            "Install the capture component first (entsso.password_sync.msi_package), then run again.",
        )
    loaded_as_wanted = state.loaded == ("yes" if registered else "no")
    return (
        Change(
            subject=subject,
            resource=RESOURCE,
            name=name,
            operation=Operation.UPDATE,
            old={"registered": state.registered},
            new={"registered": registered},
            implies=frozenset() if loaded_as_wanted else frozenset({Implication.HOST_RESTART}),
        ),
    )
