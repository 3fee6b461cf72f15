# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a whole domain controller: every resource in the order of the role `pcns`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from ansible_collections.entsso.password_sync.plugins.module_utils import (
    _host_remains,
    _notification_package,
    _package,
    _pcns_service,
    _restart,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._names import NOTIFICATION_PACKAGE, PCNS_SERVICE
from ansible_collections.entsso.password_sync.plugins.module_utils._package import DesiredPackage
from ansible_collections.entsso.password_sync.plugins.module_utils._pcns_service import DesiredService
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import (
    KNOWN_AFTER_APPLY,
    Change,
    Estate,
    Operation,
    plan_in_order,
)


def plan_domain_controller(
    subject: str, packages: Sequence[DesiredPackage], service: DesiredService, estate: Estate
) -> tuple[tuple[Change, ...], dict[str, str]]:
    """Plans everything that belongs to one domain controller, each step on what the earlier ones leave behind.

    It is the order in which the role `pcns` runs the modules, with the same plan functions.

    Returns:
        The changes, and for each resource that can't be planned the reason.
    """
    return plan_in_order(
        estate,
        [
            *((_package.RESOURCE, partial(_package.plan, subject, package)) for package in packages),
            (_notification_package.RESOURCE, partial(_notification_package.plan, subject, NOTIFICATION_PACKAGE)),
            (_restart.RESOURCE, partial(_restart.plan, subject, [NOTIFICATION_PACKAGE])),
            (_pcns_service.RESOURCE, partial(_pcns_service.plan, subject, PCNS_SERVICE, service)),
        ],
    )


def plan_removal(
    subject: str, packages: Sequence[DesiredPackage], estate: Estate
) -> tuple[tuple[Change, ...], dict[str, str]]:
    """Plans the removal of everything that belongs to one domain controller, whatever is left of it.

    The service first, so that nothing is captured into a queue that nobody empties; then the entry, so that the restart
    unloads the filter, which nothing else does (pcns.md 2); then the packages, whose files nobody uses any more; last
    what this collection keeps there itself. It is the order in which the role `pcns` runs the modules.

    Returns:
        The changes, and for each resource that can't be planned the reason. After a problem nothing further is
        planned, since every step needs the one before it.
    """
    entry = NOTIFICATION_PACKAGE
    changes: tuple[Change, ...] = ()
    for step in (
        (_pcns_service.RESOURCE, partial(_pcns_service.plan, subject, PCNS_SERVICE, _pcns_service.REMOVED)),
        (_notification_package.RESOURCE, partial(_notification_package.plan, subject, entry, registered=False)),
        (_restart.RESOURCE, partial(_restart.plan, subject, [entry], loaded=False)),
        *((_package.RESOURCE, partial(_package.plan, subject, gone)) for gone in _to_be_removed(packages)),
        (_host_remains.RESOURCE, partial(_host_remains.plan, subject)),
    ):
        planned, problems = plan_in_order(estate, [step])
        changes += planned
        if problems:
            return changes, problems
        for change in planned:
            estate = change.project(estate)
    return changes, {}


def _to_be_removed(packages: Sequence[DesiredPackage]) -> list[DesiredPackage]:
    """What was installed last is removed first."""
    return [replace(package, present=False) for package in reversed(packages)]


def possible_changes(subject: str, service: DesiredService, changes: Sequence[Change]) -> tuple[Change, ...]:
    """Returns what may have to be done besides the changes of a plan, since Windows decides it meanwhile.

    A package leaves the service in a state that nobody knows before (`KNOWN_AFTER_APPLY`). Where that is not the wanted
    one, a run changes it, so whoever approves a plan must have seen it.
    """
    key = _pcns_service.key(subject, PCNS_SERVICE)
    values = [effect.values or {} for change in changes for effect in change.leaves if effect.key == key]
    attributes = sorted({name for value in values for name in value if value[name] == KNOWN_AFTER_APPLY})
    new = {name: getattr(service, name) for name in attributes if getattr(service, name) is not None}
    if not new:
        return ()
    old = dict.fromkeys(new, KNOWN_AFTER_APPLY)
    return (Change(subject, _pcns_service.RESOURCE, PCNS_SERVICE, Operation.UPDATE, old=old, new=new),)
