# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module notification_package: an entry in LSA's `Notification Packages`."""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.entsso.password_sync.plugins.module_utils import _notification_package
from ansible_collections.entsso.password_sync.plugins.module_utils._errors import HostError
from ansible_collections.entsso.password_sync.plugins.module_utils._names import LSA_KEY, NOTIFICATION_PACKAGES_VALUE
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import Change, Estate, Key, Observation
from ansible_collections.entsso.password_sync.plugins.module_utils._previous_packages import restoration, without
from ansible_collections.entsso.password_sync.plugins.plugin_utils._domain_controller import (
    REGISTERED_MARKER,
    TAKEN_OUT_MARKER,
    observe_notification_packages,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils._markers import write_marker
from ansible_collections.entsso.password_sync.plugins.plugin_utils._previous_packages import read_previous
from ansible_collections.entsso.password_sync.plugins.plugin_utils._resource import Resource, Task
from ansible_collections.entsso.password_sync.plugins.plugin_utils._system import read_system, require_domain_controller
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host


class NotificationPackageResource(Resource):
    """One entry."""

    def __init__(self, host: Host, task: Task) -> None:
        super().__init__(host, task)
        self.name = str(task.arguments["name"])
        self.registered = task.arguments["state"] == "present"

    def observe(self) -> Mapping[Key, Observation]:
        system = read_system(self.host)
        require_domain_controller(self.task.subject, system)
        return observe_notification_packages(
            self.host, self.task.subject, [self.name], system, removing=not self.registered
        )

    def plan(self, estate: Estate) -> tuple[Change, ...]:
        changes = _notification_package.plan(self.task.subject, self.name, estate, registered=self.registered)
        kept = _notification_package.observed_state(self.task.subject, self.name, estate).kept
        if changes and not self.registered and kept:
            self.task.warn(f"Only {self.name} is taken out of {NOTIFICATION_PACKAGES_VALUE}, since {kept}.")
        return changes

    def apply(self, change: Change) -> None:
        listed = self.host.registry.multi_string(LSA_KEY, NOTIFICATION_PACKAGES_VALUE)
        if listed is None:
            raise HostError(
                self.task.subject, NOTIFICATION_PACKAGES_VALUE, "the value disappeared while this ran", "Run again"
            )
        now = read_system(self.host).local_time
        if self.registered:
            write_marker(self.host, REGISTERED_MARKER.format(self.name), "yes", now)
            entries = (*without(listed, self.name), self.name)
        else:
            entries = restoration(listed, self.name, read_previous(self.host, self.name)).entries
            if list(entries) != change.new["others"]:
                raise HostError(
                    self.task.subject,
                    NOTIFICATION_PACKAGES_VALUE,
                    f"somebody changed it while this ran; it is {' '.join(listed)} now",
                    "Run again",
                )
            write_marker(self.host, TAKEN_OUT_MARKER.format(self.name), "yes", now)
        self.host.registry.set_multi_string(LSA_KEY, NOTIFICATION_PACKAGES_VALUE, entries)
