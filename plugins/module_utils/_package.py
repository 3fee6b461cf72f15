# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An MSI package on a host: what is wanted, what is observed, what would change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.entsso.password_sync.plugins.module_utils import _host_remains
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import (
    KNOWN_AFTER_APPLY,
    Absent,
    Change,
    Effect,
    Estate,
    Implication,
    JsonValue,
    Key,
    Observation,
    Operation,
    PlanError,
    Present,
    Unknown,
)

RESOURCE = "msi_package"


@dataclass(frozen=True)
class PackageState:
    """An installed product, from its uninstall key.

    Attributes:
        product_code: MSI product code in braces, upper case.
        version: Display version, for example `4.6.673.0`.
    """

    product_code: str = ""
    version: str = ""


@dataclass(frozen=True)
class ToolState:
    """A command line tool that a package brings.

    Attributes:
        path: Full path on the host.
    """

    path: str = ""


@dataclass(frozen=True)
class Leaves:
    """What a package leaves behind. It is declared, since custom actions of an MSI can't be read.

    Attributes:
        notification_packages: Entries in LSA's `Notification Packages`; they need a restart to load.
        services: Services that start automatically.
        tools: Tool name to full path on the host.
    """

    notification_packages: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    tools: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DesiredPackage:
    """One package as the user wants it on a host.

    Attributes:
        name: Name for people and for plans.
        present: Whether it is wanted.
        product_code: From the media, or given where the media is not on the control node.
        version: From the media, or given.
        properties: Public MSI properties for the installation.
        leaves: What it leaves behind.
    """

    name: str
    present: bool = True
    product_code: str = ""
    version: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)
    leaves: Leaves = field(default_factory=Leaves)


def key(subject: str, package: DesiredPackage) -> Key:
    """Returns the key of a package on a host."""
    return Key(subject, RESOURCE, package.name)


def plan(subject: str, desired: DesiredPackage, estate: Estate) -> tuple[Change, ...]:
    """Returns the change that brings a package to its wanted state, or nothing.

    Raises:
        PlanError: The state is unknown, or a newer version is installed.
    """
    observed = estate.get(key(subject, desired))
    if isinstance(observed, Unknown):
        raise PlanError(
            subject,
            f"Whether {desired.name} is installed on {subject} could not be read: {observed.reason}.",
            "Make the uninstall keys of the registry readable for this account, then run again.",
        )
    if not desired.present:
        return () if isinstance(observed, Absent) else (_removal(subject, desired, observed.state, estate),)
    if isinstance(observed, Absent):
        return (_installation(subject, desired, Operation.INSTALL, {}),)
    state: PackageState = observed.state
    order = compare_versions(state.version, desired.version)
    if order == 0:
        return ()
    if order > 0:
        raise PlanError(
            subject,
            f"{desired.name} {state.version} is installed on {subject}, which is newer than {desired.version}.",
            "Give the media of the newer version; this collection does not downgrade.",
        )
    old: dict[str, JsonValue] = {"product_code": state.product_code, "version": state.version}
    return (_installation(subject, desired, Operation.UPGRADE, old),)


def _installation(subject: str, desired: DesiredPackage, operation: Operation, old: Mapping[str, JsonValue]) -> Change:
    leaves = desired.leaves
    effects = [
        Effect(Key(subject, "notification_package", name), {"registered": True, "installed": True, "loaded": "no"})
        for name in leaves.notification_packages
    ]
    effects += [
        # Whether the MSI starts the service is not public; its event log level is 1 until somebody sets it (pcns.md 1).
        Effect(
            Key(subject, "pcns_service", name),
            {"start_mode": "auto", "state": KNOWN_AFTER_APPLY, "event_log_level": None},
        )
        for name in leaves.services
    ]
    effects += [Effect(Key(subject, "tool", name), {"path": path}) for name, path in sorted(leaves.tools.items())]
    implies = frozenset({Implication.HOST_RESTART}) if leaves.notification_packages else frozenset()
    return Change(
        subject=subject,
        resource=RESOURCE,
        name=desired.name,
        operation=operation,
        old=old,
        new={"product_code": desired.product_code, "version": desired.version},
        implies=implies,
        leaves=tuple(effects),
    )


def _removal(subject: str, desired: DesiredPackage, state: PackageState, estate: Estate) -> Change:
    leaves = desired.leaves
    entries = [Key(subject, "notification_package", name) for name in leaves.notification_packages]
    running = [entry for entry in entries if not _not_loaded(estate.get(entry))]
    effects = [
        Effect(
            entry,
            {"registered": False, "installed": False, "loaded": KNOWN_AFTER_APPLY if entry in running else "no"},
        )
        for entry in entries
    ]
    effects += [Effect(Key(subject, "pcns_service", name), None) for name in leaves.services]
    effects += [Effect(Key(subject, "tool", name), None) for name in sorted(leaves.tools)]
    effects.append(Effect(_host_remains.key(subject), {}))
    # What LSA runs stays loaded until Windows starts; where it has been unloaded before, the files are not in use.
    implies = frozenset({Implication.HOST_RESTART}) if running else frozenset()
    return Change(
        subject=subject,
        resource=RESOURCE,
        name=desired.name,
        operation=Operation.REMOVE,
        old={"product_code": state.product_code, "version": state.version},
        implies=implies,
        leaves=tuple(effects),
    )


def _not_loaded(entry: Observation) -> bool:
    return isinstance(entry, Present) and getattr(entry.state, "loaded", "") == "no"


def compare_versions(left: str, right: str) -> int:
    """Compares two versions as Windows Installer does: numbers, part by part.

    Returns:
        Negative when left is older, 0 when equal, positive when newer. Missing parts count as zero; a part
        that is no number counts as its text after every number.
    """
    parts_left, parts_right = _version_parts(left), _version_parts(right)
    return (parts_left > parts_right) - (parts_left < parts_right)


def _version_parts(version: str) -> tuple[tuple[int, int, str], ...]:
    parts = [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in version.strip().split(".") if part]
    while parts and parts[-1] == (0, 0, ""):
        parts.pop()
    return tuple(parts)


def package_present(estate: Estate, subject: str, package: DesiredPackage) -> bool | None:
    """Returns whether a package is installed; `None` when that is not known."""
    observed = estate.get(key(subject, package))
    if isinstance(observed, Unknown):
        return None
    return isinstance(observed, Present)
