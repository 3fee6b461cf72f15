# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules pcns_configuration and pcns_target, through `pcnscfg` on a domain controller."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from ansible_collections.entsso.password_sync.plugins.module_utils import _pcns_configuration, _pcns_target
from ansible_collections.entsso.password_sync.plugins.module_utils._names import PCNS_SERVICE
from ansible_collections.entsso.password_sync.plugins.module_utils._pcns_configuration import (
    DesiredConfiguration,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._pcns_target import (
    USER_NAME_FORMATS,
    DesiredTarget,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._pcnscfg import (
    Listing,
    ListingError,
    parse_list,
    plain_arguments,
    service_arguments,
    target_arguments,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import (
    Absent,
    Change,
    Estate,
    Key,
    Observation,
    Operation,
    PlanError,
    Present,
    Unknown,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._judge_domain import (
    judge_configuration,
    judge_target,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils._resource import Resource, Task
from ansible_collections.entsso.password_sync.plugins.plugin_utils._system import read_system, require_domain_controller
from ansible_collections.entsso.password_sync.plugins.plugin_utils._tools import (
    observe_tool,
    run_tool,
    run_writing_tool,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host


class PcnscfgResource(Resource):
    """Something that `pcnscfg` reads and writes. It always works on this very domain controller."""

    shared = True

    def __init__(self, host: Host, task: Task) -> None:
        super().__init__(host, task)
        self.tool = str(task.arguments["pcnscfg"])
        system = read_system(host)
        require_domain_controller(task.subject, system)
        self.domain, self.server = system.domain, system.name
        self.observed_at = f"{system.local_time:%Y-%m-%dT%H:%M:%SZ}"

    def observe(self) -> Mapping[Key, Observation]:
        tool = observe_tool(self.host, self.tool)
        observations: dict[Key, Observation] = {Key(self.task.subject, "tool", "pcnscfg"): tool}
        if isinstance(tool, Absent):
            # A service without its tool is a broken or foreign installation, not an absent one.
            installed = self.host.services.get(PCNS_SERVICE) is not None
            observations |= self.without_tool(
                Unknown(f"PCNS is installed and its tool is not at {self.tool}") if installed else Absent()
            )
        else:
            observations |= self._listed()
        return observations

    def _listed(self) -> Mapping[Key, Observation]:
        output = run_tool(self.host, self.tool, ["list", f"/Server:{self.server}"])
        try:
            return self.from_listing(parse_list(output))
        except ListingError as error:
            head = " ".join(output.split())[:120] or "nothing"
            return self.without_tool(
                Unknown(f"the output of pcnscfg list could not be understood: {error} (it printed: {head})")
            )

    @abstractmethod
    def without_tool(self, observation: Observation) -> Mapping[Key, Observation]:
        """Returns the same observation for everything that this resource looks at."""

    @abstractmethod
    def from_listing(self, listing: Listing) -> Mapping[Key, Observation]:
        """Returns what the tool's output says of this resource."""

    def write(self, arguments: list[str]) -> None:
        """Runs a writing verb."""
        run_writing_tool(self.host, self.tool, arguments)


class PcnsConfigurationResource(PcnscfgResource):
    """The queue and retry settings of the domain."""

    def __init__(self, host: Host, task: Task) -> None:
        self.desired = DesiredConfiguration(
            max_queue_length=task.arguments["max_queue_length"],
            max_queue_age=task.arguments["max_queue_age"],
            max_notification_retries=task.arguments["max_notification_retries"],
            retry_interval=task.arguments["retry_interval"],
        )
        wrong = self.desired.out_of_range()
        if wrong:
            raise PlanError(task.subject, f"{'; '.join(wrong)}.", "Correct the value; the ranges are pcnscfg's own.")
        super().__init__(host, task)

    def without_tool(self, observation: Observation) -> Mapping[Key, Observation]:
        return {_pcns_configuration.key(self.domain): observation}

    def from_listing(self, listing: Listing) -> Mapping[Key, Observation]:
        found = listing.configuration
        return {_pcns_configuration.key(self.domain): Absent() if found is None else Present(found)}

    def plan(self, estate: Estate) -> tuple[Change, ...]:
        return _pcns_configuration.plan(self.task.subject, self.domain, self.desired, estate)

    def result(self, estate: Estate, changes: tuple[Change, ...]) -> Mapping[str, Any]:
        findings = judge_configuration(self.domain, changes, self.observed_at)
        return {"domain": self.domain, "findings": [finding.to_json() for finding in findings]}

    def apply(self, change: Change) -> None:
        self.write(service_arguments({name: int(str(value)) for name, value in change.new.items()}, self.server))


class PcnsTargetResource(PcnscfgResource):
    """One target of the domain. Targets that are not named are never touched."""

    def __init__(self, host: Host, task: Task) -> None:
        arguments = task.arguments
        super().__init__(host, task)
        user_names = arguments["user_name_format"]
        self.desired = DesiredTarget(
            name=str(arguments["name"]),
            present=arguments["state"] == "present",
            address=arguments["address"],
            service_principal_name=arguments["service_principal_name"],
            inclusion_group=arguments["inclusion_group"],
            exclusion_group=arguments["exclusion_group"],
            user_name_format=USER_NAME_FORMATS[user_names] if user_names else None,
            keep_alive_interval=arguments["keep_alive_interval"],
            queue_warning_level=arguments["queue_warning_level"],
            queue_warning_interval=arguments["queue_warning_interval"],
            enabled=arguments["enabled"],
        )

    def without_tool(self, observation: Observation) -> Mapping[Key, Observation]:
        return {_pcns_target.key(self.domain, self.desired.name): observation}

    def from_listing(self, listing: Listing) -> Mapping[Key, Observation]:
        wanted = _pcns_target.key(self.domain, self.desired.name)
        for name, state in listing.targets.items():
            if _pcns_target.key(self.domain, name) == wanted:
                return {wanted: Present(state)}
        return {wanted: Absent()}

    def plan(self, estate: Estate) -> tuple[Change, ...]:
        return _pcns_target.plan(self.task.subject, self.domain, self.desired, estate)

    def result(self, estate: Estate, changes: tuple[Change, ...]) -> Mapping[str, Any]:
        systems = [str(name) for name in self.task.arguments["systems"]]
        observed = estate.get(_pcns_target.key(self.domain, self.desired.name))
        findings = judge_target(self.domain, self.desired, observed, changes, systems, self.observed_at)
        return {"domain": self.domain, "findings": [finding.to_json() for finding in findings]}

    def apply(self, change: Change) -> None:
        name = self.desired.name
        if change.operation is Operation.DELETE:
            self.write(plain_arguments("deletetarget", name, self.server))
        elif set(change.new) == {"enabled"}:
            verb = "enabletarget" if change.new["enabled"] else "disabletarget"
            self.write(plain_arguments(verb, name, self.server))
        else:
            verb = "addtarget" if change.operation is Operation.CREATE else "modifytarget"
            self.write(target_arguments(verb, name, change.new, self.server))
