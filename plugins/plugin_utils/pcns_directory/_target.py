# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module pcns_target: one target of a domain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.entsso.password_sync.plugins.module_utils import _pcns_queue, _pcns_target
from ansible_collections.entsso.password_sync.plugins.module_utils._errors import HostError
from ansible_collections.entsso.password_sync.plugins.module_utils._pcns_agreement import DomainView, TargetView
from ansible_collections.entsso.password_sync.plugins.module_utils._pcns_target import (
    USER_NAME_FORMATS,
    DesiredTarget,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._pcnscfg import (
    GROUPS,
    plain_arguments,
    security_arguments,
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
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._judge_domain import judge_target
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._judge_target import (
    judge_groups,
    judge_server_domain,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap import _ldap_dn
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._pcns_objects import PcnsObjects, TargetObject
from ansible_collections.entsso.password_sync.plugins.plugin_utils._resource import Task
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host
from ansible_collections.entsso.password_sync.plugins.plugin_utils.pcns_directory._elsewhere import Competing
from ansible_collections.entsso.password_sync.plugins.plugin_utils.pcns_directory._pcnscfg import (
    PcnscfgAction,
    PcnscfgResource,
    Surroundings,
)

_ENTSSO = "entsso/"
"""Class of the SPNs that Microsoft documents for ENTSSO (pcns.md 4)."""


class PcnsTargetResource(PcnscfgResource):
    """One target of the domain. Targets that are not named are never touched."""

    def __init__(self, host: Host, task: Task, around: Surroundings) -> None:
        self.desired = _desired(task.arguments)
        wrong = _pcns_target.wrong_values(self.desired)
        if wrong:
            raise PlanError(task.subject, f"{'; '.join(wrong)}.", "Correct the value.")
        self.queues = _queues(task)
        super().__init__(host, task, around)
        self._of_domain(str(task.arguments["domain"] or ""))
        self.target = TargetView(self.desired.name, Unknown("it was not looked at"))
        self._server_domain = ("", "")
        self._missing = ""
        """Why a wanted group can't be the target's, where the task only judges."""

    def _of_domain(self, wanted: str) -> None:
        if wanted and wanted.strip().rstrip(".").lower() != self.domain:
            raise PlanError(
                self.task.subject,
                f"The PCNS target {self.desired.name} belongs to the domain {wanted}, and {self.server} is in "
                f"{self.domain}.",
                "Run the task on a domain controller of that domain, or correct `domain`.",
            )

    def all_are(self, observation: Observation) -> Mapping[Key, Observation]:
        self.target = TargetView(self.desired.name, observation)
        return {self._key: observation}

    def from_view(self, seen: DomainView) -> Mapping[Key, Observation]:
        before = self.target.dn
        self.target = seen.target(self.desired.name)
        if not self.target.dn and before:
            # Deleted by this task: others are waited for by the name that it had.
            self.target = replace(self.target, dn=before)
        self.say_differences(self.target.differences)
        if self.has_directory:
            self._look_around()
        else:
            self._server_domain = self._observed_domain(self._address())
        return {self._key: self.target.observation}

    def _look_around(self) -> None:
        """Reads what names in the directory stand for. In a run that judges, what can't be read is told as unknown."""
        try:
            address = self._address()
            self._server_domain = self._observed_domain(address)
            if address and not self._server_domain[0]:
                self._server_domain = (self.view.domain_of_computer(address), "directory")
            if self.desired.present:
                self.desired = self._with_groups()
        except (HostError, PlanError) as error:
            if not self.around.judging:
                raise
            if isinstance(error, HostError):
                self.unread = str(error)
            else:
                self._missing = error.reason

    def _with_groups(self) -> DesiredTarget:
        """Returns what is wanted, with its groups as the directory calls them."""
        wanted = {name: str(value) for name in GROUPS if (value := getattr(self.desired, name))}
        called: dict[str, Any] = {
            name: self.view.groups.called(self.domain, name, text) for name, text in wanted.items()
        }
        return replace(self.desired, **called)

    def _address(self) -> str:
        """Where the target is to send, else where it does."""
        observed = self.target.observation
        return self.desired.address or (str(observed.state.address) if isinstance(observed, Present) else "")

    def _observed_domain(self, address: str) -> tuple[str, str]:
        return self.around.sso_servers.get(address.lower(), ""), "SSO server"

    @property
    def _key(self) -> Key:
        return _pcns_target.key(self.domain, self.desired.name)

    def plan(self, estate: Estate) -> tuple[Change, ...]:
        changes = _pcns_target.plan(
            self.task.subject, self.domain, self.desired, estate, read_without_tool=self.has_directory
        )
        for change in changes:
            if not self.around.judging:
                self._require_place(change)
                self._require_domain(change)
            self._look_elsewhere(change)
            if not self.around.judging:
                self._require_empty_queues(change, estate.get(self._key))
        return changes

    def _look_elsewhere(self, change: Change) -> None:
        """Asks the others about a target that is made or switched; `_modify` switches one that moves, too. What check
        mode planned before is on no domain controller: what was seen counts."""
        what, observed = f"The PCNS target {self.desired.name}", self.target.observation
        if isinstance(observed, Absent) and change.operation is Operation.CREATE:
            self.look_elsewhere(Competing(what, "on", "not on", "created", lambda theirs: bool(self._of(theirs))))
        elif isinstance(observed, Present) and change.operation is Operation.UPDATE:
            enabled = bool(observed.state.enabled)
            words = ("disabled on", "enabled on") if enabled else ("enabled on", "disabled on")
            if "enabled" in change.new or (enabled and "address" in change.new):
                self.look_elsewhere(
                    Competing(
                        what,
                        *words,
                        "changed",
                        lambda theirs: any(item.values.get("enabled") is (not enabled) for item in self._of(theirs)),
                    )
                )

    def _of(self, objects: PcnsObjects) -> tuple[TargetObject, ...]:
        """Returns what a domain controller has of this target."""
        name, dn = self.desired.name.casefold(), self.target.dn
        return tuple(
            item for item in objects.targets if name in item.names or (dn and _ldap_dn.key(item.dn) == _ldap_dn.key(dn))
        )

    def _require_place(self, change: Change) -> None:
        count = len(self.seen.targets)
        if change.operation is Operation.CREATE and count >= _pcns_target.MOST_TARGETS:
            raise PlanError(
                self.domain,
                f"{self.domain} has {count} PCNS targets already, and more than {_pcns_target.MOST_TARGETS} are not "
                "possible.",
                "Remove one that nobody needs.",
            )

    def _require_domain(self, change: Change) -> None:
        """Refuses an address of an SSO server of this run that is known to be of another domain (event 10709)."""
        domain = self.around.sso_servers.get(self._address().lower(), "")
        if "address" in change.new and domain and domain != self.domain:
            raise PlanError(
                self.domain,
                f"The SSO server {self._address()} is in the domain {domain}, and takes no password change from a "
                f"domain controller of {self.domain} (event 10709).",
                f"Give an SSO server of {self.domain} in `address`, or run the task on a domain controller of "
                f"{domain}.",
            )

    def _require_empty_queues(self, change: Change, observed: Observation) -> None:
        what = _pcns_target.discards(change, observed)
        if not what or self.task.arguments["discard_queue"]:
            return
        servers = self.view.domain_controllers() if self.has_directory else (self.server,)
        known = tuple(state.server for state in self.queues)
        reasons = _pcns_queue.unproved(self.desired.name, (*servers, *known), self.queues, self.now)
        if reasons:
            listed = "; ".join(f"{server}: {reason}" for server, reason in reasons.items())
            raise PlanError(
                self.domain,
                f"{what} the PCNS target {self.desired.name} loses the password changes that wait for it, and it is "
                f"not proved that none do ({listed}); nothing was changed.",
                "Let them be delivered, then run playbooks/directory.yml or playbooks/remove.yml, which ask every "
                "domain controller first (pcns_directory_drain_restart_service lets PCNS tell), or set "
                "`discard_queue` to true to lose them.",
            )
        if not self.has_directory:
            self.task.warn(
                "the directory is not configured, so it is not known whether all domain controllers of "
                f"{self.domain} were asked what waits for the target {self.desired.name}"
            )

    def apply(self, change: Change) -> None:
        name, server = self.desired.name, self.server
        if change.operation is Operation.DELETE:
            self.write(plain_arguments("deletetarget", name, server))
        elif change.operation is Operation.CREATE:
            self.write(target_arguments("addtarget", name, change.new, server))
        else:
            self._modify(change)

    def _modify(self, change: Change) -> None:
        """Groups have a verb of their own, and so have enabling and disabling. A target that moves is disabled
        meanwhile, so that nothing is sent to a place that is half described."""
        name, server, observed = self.desired.name, self.server, self.target.observation
        enabled = isinstance(observed, Present) and bool(observed.state.enabled)
        wanted = bool(change.new.get("enabled", enabled))
        moves = "address" in change.new
        settings = {key: value for key, value in change.new.items() if key not in (*GROUPS, "enabled")}
        groups = {key: value for key, value in change.new.items() if key in GROUPS}
        if enabled and (moves or not wanted):
            self.write(plain_arguments("disabletarget", name, server))
        if settings:
            self.write(target_arguments("modifytarget", name, settings, server))
        if groups:
            self.write(security_arguments(name, groups, server))
        if wanted and (moves or not enabled):
            self.write(plain_arguments("enabletarget", name, server))

    def wait_for(self, servers: tuple[str, ...], seconds: float) -> None:
        if self.target.dn:
            self.view.wait(f"PCNS target {self.desired.name} of {self.domain}", servers, self.target.dn, seconds)

    def result(self, estate: Estate, changes: tuple[Change, ...]) -> Mapping[str, Any]:
        systems = [str(name) for name in self.task.arguments["systems"]]
        observed = estate.get(self._key)
        findings = self.judged(
            judge_target(
                self.domain,
                self.desired,
                observed,
                changes,
                systems,
                self.observed_at,
                entsso=self._is_entsso(observed),
            )
        )
        if self.desired.present:
            seen = replace(self.target, observation=observed)
            findings.append(
                judge_groups(self.domain, self.desired, seen, self.unread, self._missing, systems, self.observed_at)
            )
            address = self._address() if isinstance(observed, Present) else ""
            found = self._server_domain
            findings.append(
                judge_server_domain(self.domain, self.desired, address, found, self.unread, systems, self.observed_at)
            )
        return {
            "domain": self.domain,
            "findings": [finding.to_json() for finding in findings],
            "seen_by": list(self.seen_by),
            "discards_queue": any(_pcns_target.discards(change, observed) for change in changes),
        }

    def _is_entsso(self, observed: Observation) -> bool:
        """Whether the target is known to be ENTSSO, by its SPN or as an SSO server of this run."""
        if not isinstance(observed, Present):
            return False
        spn = str(observed.state.service_principal_name).lower()
        return spn.startswith(_ENTSSO) or str(observed.state.address).lower() in self.around.sso_servers


class PcnsTargetAction(PcnscfgAction):
    """Converges."""

    resource = PcnsTargetResource


def _desired(arguments: Mapping[str, Any]) -> DesiredTarget:
    user_names = arguments["user_name_format"]
    return DesiredTarget(
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


def _queues(task: Task) -> tuple[_pcns_queue.QueueState, ...]:
    try:
        return tuple(_pcns_queue.QueueState.from_json(item) for item in task.arguments["queues"])
    except ValueError as error:
        raise PlanError(
            task.subject,
            f"An item of `queues` is not what pcns_queue returned: {error}.",
            "Give the `queues` that entsso.password_sync.pcns_queue returned on each domain controller.",
        ) from None
