# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module msi_package: an MSI on a host."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from ansible_collections.entsso.password_sync.plugins.module_utils import _package
from ansible_collections.entsso.password_sync.plugins.module_utils._package import DesiredPackage, Leaves
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import (
    Change,
    Estate,
    Implication,
    Key,
    Observation,
    Operation,
    PlanError,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.msi._msiexec import (
    MsiOutcome,
    install_command,
    remove_command,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils._domain_controller import (
    INSTALLED_MARKER,
    observe_notification_packages,
    observe_package,
    observe_service,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils._markers import (
    read_marker,
    restore_markers,
    write_marker,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils._msi_identity import MsiIdentity
from ansible_collections.entsso.password_sync.plugins.plugin_utils._msi_run import failure, log_path, run_msiexec
from ansible_collections.entsso.password_sync.plugins.plugin_utils._previous_packages import (
    kept_by_removal,
    recorded_installation,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils._resource import Resource, Task
from ansible_collections.entsso.password_sync.plugins.plugin_utils._system import read_system
from ansible_collections.entsso.password_sync.plugins.plugin_utils._tools import observe_tool
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._command import RunAs
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._system_task import SystemTask, system_task
from ansible_collections.entsso.password_sync.plugins.plugin_utils.transfer._media import (
    Media,
    check_host,
    describe_media,
    on_host,
    tidy_media,
)


class MsiPackageResource(Resource):
    """One package."""

    def __init__(self, host: Host, task: Task) -> None:
        super().__init__(host, task)
        self.media, package = _media_of(task, task.arguments)
        self.desired = desired_package(task.subject, task.arguments, package)
        self.upgrade_code = package.upgrade_code if package is not None else ""

    def observe(self) -> Mapping[Key, Observation]:
        check_host(self.host, self.media)
        subject, leaves = self.task.subject, self.desired.leaves
        observations: dict[Key, Observation] = {
            _package.key(subject, self.desired): observe_package(self.host, self.desired, self.upgrade_code)
        }
        if leaves.notification_packages:
            system = read_system(self.host)
            observations |= observe_notification_packages(self.host, subject, leaves.notification_packages, system)
        for name in leaves.services:
            observations[Key(subject, "pcns_service", name)] = observe_service(self.host, name)
        for name, path in leaves.tools.items():
            observations[Key(subject, "tool", name)] = observe_tool(self.host, path)
        return observations

    def plan(self, estate: Estate) -> tuple[Change, ...]:
        return _package.plan(self.task.subject, self.desired, estate)

    def tidy(self) -> None:
        tidy_media(self.host, self.task, self.media)

    def apply(self, change: Change) -> None:
        log = log_path(self.host, self.desired.name, change.operation.value)
        entries = self.desired.leaves.notification_packages
        removing = change.operation is Operation.REMOVE
        with self._system_task() as system:
            if removing:
                command = remove_command(str(change.old["product_code"]), log)
                with kept_by_removal(self.host, self.task, entries):
                    outcome = run_msiexec(self.host, self.task, command, system)
            else:
                outcome = self._install(log, system)
        if not outcome.succeeded:
            raise failure(self.host, self.task, self.desired.name, outcome, log)
        if not removing:
            self._remember([INSTALLED_MARKER.format(name) for name in entries])
        if outcome.restart_required and Implication.HOST_RESTART not in change.implies:
            reason = "LSA runs nothing of it" if entries else "`leaves.notification_packages` is empty"
            self.task.warn(
                f"Windows Installer asks for a restart after {self.desired.name} ({outcome.code}), which "
                f"its declaration does not predict: {reason}. This host is not restarted."
            )

    def _install(self, log: str, system: SystemTask | None) -> MsiOutcome:
        if self.media is None:
            raise PlanError(
                self.task.subject,
                f"{self.desired.name} can't be installed without media.",
                "Give `path` and `sha256`.",
            )
        with on_host(self.host, self.task, self.media) as path:
            package = path if system is None else system.take(path, self.media.sha256)
            self.task.say(f"installing {self.desired.name} {self.desired.version}, log {log}")
            command = install_command(package, log, properties=self.desired.properties)
            entries = self.desired.leaves.notification_packages
            return recorded_installation(
                self.host, entries, lambda: self._remembered(lambda: run_msiexec(self.host, self.task, command, system))
            )

    def _remembered(self, install: Callable[[], MsiOutcome]) -> MsiOutcome:
        """Remembers an installation before it begins, since it goes on where the run is killed; a failed one is not."""
        names = [INSTALLED_MARKER.format(name) for name in self.desired.leaves.notification_packages]
        before = {name: read_marker(self.host, name) for name in names}
        self._remember(names)
        outcome = install()
        if not outcome.succeeded:
            restore_markers(self.host, before)
        return outcome

    def _remember(self, names: Sequence[str]) -> None:
        if names:
            now = read_system(self.host).local_time
            for name in names:
                write_marker(self.host, name, self.desired.version, now)

    @contextmanager
    def _system_task(self) -> Iterator[SystemTask | None]:
        """Gives what runs commands as SYSTEM, None where the account of the connection does."""
        if RunAs(self.task.arguments["run_as"]) is RunAs.CONNECTION:
            yield None
            return
        with system_task(self.host, self.task.warn) as system:
            self.task.say(f"running as SYSTEM in the scheduled task {system.name}")
            yield system


def desired_package(subject: str, arguments: Mapping[str, Any], package: MsiIdentity | None) -> DesiredPackage:
    """Builds the wanted package from module arguments and what the MSI says of itself.

    Raises:
        PlanError: The package is on the host and its identity was not given.
    """
    leaves = arguments.get("leaves") or {}
    product_code = str(arguments.get("product_code") or (package.product_code if package else ""))
    version = str(arguments.get("version") or (package.version if package else ""))
    if not product_code or not (version or arguments.get("state") == "absent"):
        raise PlanError(
            subject,
            f"The identity of {arguments['name']} is not known, since its media is not on the control node.",
            "Give `product_code` and `version` of the MSI, or let the control node read it (remote_src: false).",
        )
    return DesiredPackage(
        name=str(arguments["name"]),
        present=arguments.get("state") != "absent",
        product_code=product_code.upper(),
        version=version,
        properties={str(name): str(value) for name, value in (arguments.get("properties") or {}).items()},
        leaves=Leaves(
            notification_packages=tuple(str(name) for name in leaves.get("notification_packages") or ()),
            services=tuple(str(name) for name in leaves.get("services") or ()),
            tools={str(name): str(path) for name, path in (leaves.get("tools") or {}).items()},
        ),
    )


def _media_of(task: Task, arguments: Mapping[str, Any]) -> tuple[Media | None, MsiIdentity | None]:
    if not arguments.get("path"):
        return None, None
    return describe_media(task, str(arguments["path"]), str(arguments["sha256"]), bool(arguments["remote_src"]))


def describe_packages(task: Task) -> tuple[tuple[DesiredPackage, str], ...]:
    """Builds the packages of `packages`: each with its upgrade code, empty when not known."""
    described = []
    for arguments in task.arguments["packages"]:
        package = _media_of(task, arguments)[1]
        upgrade_code = package.upgrade_code if package is not None else ""
        described.append((desired_package(task.subject, arguments, package), upgrade_code))
    return tuple(described)
