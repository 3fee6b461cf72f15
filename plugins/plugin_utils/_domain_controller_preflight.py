# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module domain_controller_preflight: go or no-go for one domain controller. Nothing is changed on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.entsso.password_sync.plugins.module_utils import _pcns_service
from ansible_collections.entsso.password_sync.plugins.module_utils._capture import capture
from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    AccessDenied,
    HostError,
    UnsupportedConnection,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._names import (
    LSA_KEY,
    NOTIFICATION_PACKAGE,
    PCNS_SERVICE,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._package import key as package_key
from ansible_collections.entsso.password_sync.plugins.module_utils._pcns_service import DesiredService
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import Estate, Key, Observation
from ansible_collections.entsso.password_sync.plugins.module_utils._plan_domain_controller import plan_domain_controller
from ansible_collections.entsso.password_sync.plugins.module_utils._state_types import STATE_TYPES
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._finding import CaptureState
from ansible_collections.entsso.password_sync.plugins.module_utils.preflight._check import (
    NEVER_ACCEPTED,
    Check,
    Name,
    Unread,
    Verdict,
    settled,
    stopping,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.preflight._judge_directory import (
    DirectoryAnswer,
    directory_answer,
    judge_backup,
    judge_directory,
    judge_directory_rights,
    judge_replication,
    judge_site,
    judge_writable,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.preflight._judge_host import (
    judge_free_space,
    judge_lsa_protection,
    judge_notification_packages,
    judge_rights,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.preflight._judge_media import (
    judge_media,
    judge_signature,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.preflight._pending_restart import (
    judge_pending_restart,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.preflight._supported_systems import (
    PackageVersion,
    judge_operating_system,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils import _preflight_reads as reads
from ansible_collections.entsso.password_sync.plugins.plugin_utils._action import WindowsAction
from ansible_collections.entsso.password_sync.plugins.plugin_utils._domain_controller import (
    load_queries,
    observe_notification_packages,
    observe_package,
    observe_service,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils._preflight_directory import (
    DirectoryReading,
    read_directory,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils._preflight_media import (
    Described,
    describe,
    look_on_host,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils._resource import Task
from ansible_collections.entsso.password_sync.plugins.plugin_utils._system import System, read_system
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._events import EventReading
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host, open_host

_LOADED = (CaptureState.LOADED, CaptureState.WORKING, CaptureState.UNREGISTERED)


@dataclass
class _Found:
    """What has been found so far; filled in while the host is asked, so that an error leaves the rest."""

    checks: list[Check]
    work: bool | None = None
    notification_packages: Sequence[str] | None = None
    pending_restart: list[dict[str, str]] | None = None
    requests: int = 0
    bytes_sent: int = 0


class DomainControllerPreflightAction(WindowsAction):
    """Finds out; fails only where its own options contradict each other."""

    def _perform(self, task: Task, task_vars: Mapping[str, Any]) -> dict[str, Any]:
        accepted = self._accepted(task.arguments["accept"])
        answer = directory_answer(task.arguments["directory_answer"])
        packages = [describe(task, item) for item in task.arguments["packages"]]
        found = _Found([judge_directory(answer)])
        try:
            with open_host(self._connection, task_vars, name=task.subject) as host:
                try:
                    system = read_system(host)
                    _look(host, task, system, packages, found)
                    if system.domain_controller and answer.configured and not answer.problem:
                        found.checks += self._directory_checks(task, task_vars, answer, system, host)
                finally:
                    found.requests, found.bytes_sent = host.statistics.requests, host.statistics.bytes_sent
        except HostError as error:
            found.checks.append(_refusal(error))
        return _result(task.subject, found, accepted)

    def _accepted(self, given: Mapping[str, Any]) -> dict[Name, str]:
        names = {name.value: name for name in Name if name not in NEVER_ACCEPTED}
        wrong = sorted(
            str(name) for name, reason in given.items() if name not in names or not str(reason or "").strip()
        )
        if wrong:
            raise self._failure(
                f"`accept` can't be followed for {', '.join(wrong)}: it takes names of checks, each with a reason.",
                f"The checks that can be accepted are {', '.join(names)}.",
                {},
            )
        return {names[name]: " ".join(str(reason).split()) for name, reason in given.items()}

    def _directory_checks(
        self, task: Task, task_vars: Mapping[str, Any], answer: DirectoryAnswer, system: System, host: Host
    ) -> list[Check]:
        """Makes the checks that need the directory.

        Raises:
            HostError: The host does not answer any more.
        """
        checks = [judge_writable(answer, system.name, system.domain)]
        site = judge_site(answer, system.name)
        own = answer.find(system.name)
        if site is None or own is None or own.read_only:
            return checks
        try:
            directory = self._directory_or_none(task_vars)
        except UnsupportedConnection as error:
            found = DirectoryReading.unread(reads.as_unread(error))
        else:
            found = (
                read_directory(directory, system, host)
                if directory is not None
                else DirectoryReading.unread(Unread("the variables password_sync_ldap_* name no directory"))
            )
        days = int(task.arguments["backup_max_age_days"])
        return [
            *checks,
            site,
            judge_replication(found.partners, system.domain, system.local_time),
            judge_backup(found.backup, system.local_time, days),
            judge_directory_rights(found.rights, found.over_ldap, found.extended, system.domain),
        ]


def _look(host: Host, task: Task, system: System, packages: Sequence[Described], found: _Found) -> None:
    """Asks the host everything.

    Raises:
        HostError: It can no longer be asked.
    """
    checks = found.checks
    checks.append(Check(Name.REACHABLE, Verdict.GO, f"It answers ({host.authentication})."))
    if not system.domain_controller:
        checks.append(
            Check(
                Name.DOMAIN_CONTROLLER,
                Verdict.NO_GO,
                f"{system.name or 'The machine that answers'} is not a domain controller.",
                "Take it out of the inventory group domain_controllers, or correct its address.",
            )
        )
        return
    checks.append(Check(Name.DOMAIN_CONTROLLER, Verdict.GO, f"It is a domain controller of {system.domain}."))
    reading = host.events.read((*load_queries(system), reads.protection_query(system)))
    media = [look_on_host(host, item) for item in packages]
    if packages:
        checks += [judge_media(media), judge_signature(media)]
        checks.append(
            judge_operating_system(
                system.version,
                system.caption,
                [PackageVersion(item.package.name, item.package.version) for item in packages if item.package],
                allow_unsupported=bool(task.arguments["allow_unsupported_os"]),
            )
        )
    estate = _observe(host, task.subject, packages, system, reading)
    wanted = [item.package for item in packages if item.package is not None]
    changes, problems = plan_domain_controller(task.subject, wanted, DesiredService(), estate)
    found.work = bool(changes) or bool(problems) if len(wanted) == len(packages) else None
    state = capture(task.subject, wanted, NOTIFICATION_PACKAGE, PCNS_SERVICE, estate).state
    checks.append(judge_rights(reads.attempt(lambda: host.registry.may_set_values(LSA_KEY)), dict(reading.unreadable)))
    drive = system.system_directory[:2]
    free = reads.attempt(lambda: reads.read_free_space(host, drive))
    checks.append(judge_free_space(free, int(task.arguments["minimum_free_bytes"]), drive))
    protection = reads.attempt(lambda: reads.read_lsa_protection(host, reading))
    checks.append(judge_lsa_protection(protection, loaded=state in _LOADED))
    listed = reads.attempt(lambda: reads.read_notification_packages(host))
    found.notification_packages = None if isinstance(listed, Unread) else listed
    checks.append(judge_notification_packages(listed, NOTIFICATION_PACKAGE))
    pending = reads.attempt(lambda: reads.read_pending_restarts(host))
    found.pending_restart = None if isinstance(pending, Unread) else [item.to_json() for item in pending]
    checks.append(judge_pending_restart(pending))


def _observe(host: Host, subject: str, packages: Sequence[Described], system: System, reading: EventReading) -> Estate:
    """Observes what the plan of a rollout stands on, with events that were read already."""
    observations: dict[Key, Observation] = {
        package_key(subject, item.package): observe_package(host, item.package, item.upgrade_code)
        for item in packages
        if item.package is not None
    }
    observations |= observe_notification_packages(host, subject, [NOTIFICATION_PACKAGE], system, reading)
    observations[_pcns_service.key(subject, PCNS_SERVICE)] = observe_service(host, PCNS_SERVICE)
    return Estate(observations, STATE_TYPES)


def _refusal(error: HostError) -> Check:
    """Returns the check of a host that could not be asked, or not any more."""
    name = Name.RIGHTS if isinstance(error, AccessDenied) else Name.REACHABLE
    unread = reads.as_unread(error)
    return Check(name, Verdict.NO_GO, f"{unread.reason.rstrip('.')}.", f"{unread.remedy.strip().rstrip('.')}.")


def _result(subject: str, found: _Found, accepted: Mapping[Name, str]) -> dict[str, Any]:
    made = {check.name: check for check in found.checks}
    checks = settled(list(made.values()), accepted, work=found.work is not False)
    stops = stopping(checks)
    warnings = sum(check.verdict is Verdict.WARNING for check in checks)
    told = f"{warnings} warning{'' if warnings == 1 else 's'}" if warnings else ""
    return {
        "changed": False,
        "go": not stops,
        "checks": [check.to_json() for check in checks],
        "work": found.work,
        "notification_packages": None if found.notification_packages is None else list(found.notification_packages),
        "pending_restart": found.pending_restart,
        "statistics": {"requests": found.requests, "bytes_sent": found.bytes_sent},
        "msg": (
            f"{subject}: no-go. " + " ".join(check.sentence for check in stops)
            if stops
            else f"{subject}: go{f', {told}' if told else ''}."
        ),
    }
