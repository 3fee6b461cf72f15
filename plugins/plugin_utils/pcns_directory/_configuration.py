# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module pcns_configuration: queue and retry settings of a domain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.entsso.password_sync.plugins.module_utils import _pcns_configuration
from ansible_collections.entsso.password_sync.plugins.module_utils._errors import HostError
from ansible_collections.entsso.password_sync.plugins.module_utils._pcns_agreement import DomainView
from ansible_collections.entsso.password_sync.plugins.module_utils._pcns_configuration import DesiredConfiguration
from ansible_collections.entsso.password_sync.plugins.module_utils._pcnscfg import service_arguments
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import (
    Absent,
    Change,
    Estate,
    Key,
    Observation,
    PlanError,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._finding import Finding
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._judge_domain import judge_configuration
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._judge_target import judge_agreement
from ansible_collections.entsso.password_sync.plugins.plugin_utils._resource import Task
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host
from ansible_collections.entsso.password_sync.plugins.plugin_utils.pcns_directory._elsewhere import Competing
from ansible_collections.entsso.password_sync.plugins.plugin_utils.pcns_directory._pcnscfg import (
    PcnscfgAction,
    PcnscfgResource,
    Surroundings,
)


class PcnsConfigurationResource(PcnscfgResource):
    """The queue and retry settings of the domain."""

    def __init__(self, host: Host, task: Task, around: Surroundings) -> None:
        self.desired = DesiredConfiguration(
            max_queue_length=task.arguments["max_queue_length"],
            max_queue_age=task.arguments["max_queue_age"],
            max_notification_retries=task.arguments["max_notification_retries"],
            retry_interval=task.arguments["retry_interval"],
        )
        wrong = self.desired.out_of_range()
        if wrong:
            raise PlanError(task.subject, f"{'; '.join(wrong)}.", "Correct the value; the ranges are pcnscfg's own.")
        super().__init__(host, task, around)

    def all_are(self, observation: Observation) -> Mapping[Key, Observation]:
        return {_pcns_configuration.key(self.domain): observation}

    def from_view(self, seen: DomainView) -> Mapping[Key, Observation]:
        self.say_differences(seen.differences)
        return {_pcns_configuration.key(self.domain): seen.configuration}

    def plan(self, estate: Estate) -> tuple[Change, ...]:
        changes = _pcns_configuration.plan(
            self.task.subject, self.domain, self.desired, estate, read_without_tool=self.has_directory
        )
        # What check mode planned before is on no domain controller: what was seen counts.
        if changes and isinstance(self.seen.configuration, Absent):
            what = f"The PCNS configuration of {self.domain}"
            self.look_elsewhere(Competing(what, "on", "not on", "created", lambda theirs: theirs.service is not None))
        return changes

    def apply(self, change: Change) -> None:
        self.write(service_arguments({name: int(str(value)) for name, value in change.new.items()}, self.server))

    def wait_for(self, servers: tuple[str, ...], seconds: float) -> None:
        self.view.wait(f"PCNS configuration of {self.domain}", servers, None, seconds)

    def result(self, estate: Estate, changes: tuple[Change, ...]) -> Mapping[str, Any]:
        findings = self.judged(judge_configuration(self.domain, changes, self.observed_at))
        if self.around.judging:
            findings.append(self._agreement())
        return {
            "domain": self.domain,
            "findings": [finding.to_json() for finding in findings],
            "seen_by": list(self.seen_by),
        }

    def _agreement(self) -> Finding:
        different: dict[str, str] = {}
        silent: dict[str, str] = {}
        if self.has_directory:
            try:
                different, silent = self.view.others()
            except HostError as error:
                self.unread = str(error)
        return judge_agreement(self.domain, self.seen.differences, different, silent, self.unread, self.observed_at)


class PcnsConfigurationAction(PcnscfgAction):
    """Converges."""

    resource = PcnsConfigurationResource
