# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this collection itself keeps on a domain controller: remarks in the registry, logs and folders."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.entsso.password_sync.plugins.module_utils._plan import (
    Absent,
    Change,
    Estate,
    Key,
    Operation,
    PlanError,
    Present,
    Unknown,
)

RESOURCE = "host_remains"
NAME = "entsso.password_sync"


@dataclass(frozen=True)
class HostRemainsState:
    """What is there.

    Attributes:
        markers: Names of our markers on password capture.
        folders: Folders of ours below `C:\\Program Files\\entsso.password_sync`, except that of a lock that is held.
    """

    markers: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()


def key(subject: str) -> Key:
    """Returns the key of what is kept on a host."""
    return Key(subject, RESOURCE, NAME)


def plan(subject: str, estate: Estate) -> tuple[Change, ...]:
    """Returns the change that removes it all, or nothing.

    Raises:
        PlanError: It could not be read.
    """
    observed = estate.get(key(subject))
    if isinstance(observed, Unknown):
        raise PlanError(
            subject,
            f"What this collection keeps on {subject} could not be read: {observed.reason}.",
            "Make the registry and the file system readable for this account over WMI, then run again.",
        )
    if isinstance(observed, Absent):
        return ()
    state = observed.state if isinstance(observed, Present) else HostRemainsState()
    old = {"markers": list(state.markers), "folders": list(state.folders)}
    return (Change(subject, RESOURCE, NAME, Operation.DELETE, old=old),)
