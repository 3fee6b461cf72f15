# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An entry in LSA's `Notification Packages` and whether LSA has loaded it.

LSA loads password filters only when it starts, which is when Windows starts (pcns.md 2). Registered and
loaded are therefore different things, and "loaded" is graded by its evidence.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ansible_collections.entsso.password_sync.plugins.module_utils import _host_remains
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import (
    Change,
    Effect,
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
        others: The other entries, in order. They are never changed, only restored when the entry is taken out.
        version: File version of the DLL, empty when it has none.
        restored: All entries once this one is taken out; None when nobody asked for it.
        kept: Why these are not the entries from before the installation; empty when they are.
    """

    registered: bool = False
    installed: bool = False
    loaded: str = "no"
    blocked: bool = False
    grade: str = field(default="", metadata=UNVERIFIED)
    evidence: str = field(default="", metadata=UNVERIFIED)
    others: tuple[str, ...] = ()
    version: str = field(default="", metadata=UNVERIFIED)
    restored: tuple[str, ...] | None = field(default=None, metadata=UNVERIFIED)
    kept: str = field(default="", metadata=UNVERIFIED)


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

    The package's MSI owns the entry; this repairs one that was removed by hand and rolls back. Taking it out leaves the
    value as it was before the installation, or as others have left it since.

    Raises:
        PlanError: The state is unknown; or the DLL that the entry names is not there: a missing DLL in the list
            would be refused at every boot; or nothing would be left in the list.
    """
    state = observed_state(subject, name, estate)
    if not registered:
        return _removal(subject, name, state)
    if state.registered:
        return ()
    if not state.installed:
        raise PlanError(
            subject,
            f"{name} can't be registered on {subject}: its DLL is not in System32.",
            "Install the capture component first (entsso.password_sync.msi_package), then run again.",
        )
    return (
        Change(
            subject=subject,
            resource=RESOURCE,
            name=name,
            operation=Operation.UPDATE,
            old={"registered": False},
            new={"registered": True},
            implies=frozenset() if state.loaded == "yes" else frozenset({Implication.HOST_RESTART}),
        ),
    )


def _removal(subject: str, name: str, state: NotificationPackageState) -> tuple[Change, ...]:
    entries = state.others if state.restored is None else state.restored
    if not state.registered and state.others == entries:
        return ()
    if not entries:
        raise PlanError(
            subject,
            f"{name} is the only notification package of {subject}, so nothing would be left of Windows' own.",
            "Find out who removed scecli, put it back into Notification Packages, then run again.",
        )
    return (
        Change(
            subject=subject,
            resource=RESOURCE,
            name=name,
            operation=Operation.UPDATE,
            old={"registered": state.registered, "others": list(state.others)},
            new={"registered": False, "others": list(entries)},
            implies=frozenset() if state.loaded == "no" else frozenset({Implication.HOST_RESTART}),
            leaves=(Effect(_host_remains.key(subject), {}),),
        ),
    )
