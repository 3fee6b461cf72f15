# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What pcns_configuration and pcns_target have in common: `pcnscfg` on a domain controller, and its directory."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar

from ansible_collections.entsso.password_sync.plugins.module_utils import _pcns_agreement as agreement
from ansible_collections.entsso.password_sync.plugins.module_utils._errors import AccessDenied, HostError
from ansible_collections.entsso.password_sync.plugins.module_utils._names import PCNS_SERVICE
from ansible_collections.entsso.password_sync.plugins.module_utils._pcnscfg import Listing, ListingError, parse_list
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import (
    Absent,
    Key,
    Observation,
    Unknown,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._finding import Finding, Status
from ansible_collections.entsso.password_sync.plugins.plugin_utils._action import OBSERVE_ONLY, ConvergingAction
from ansible_collections.entsso.password_sync.plugins.plugin_utils._resource import Resource, Task
from ansible_collections.entsso.password_sync.plugins.plugin_utils._system import read_system, require_domain_controller
from ansible_collections.entsso.password_sync.plugins.plugin_utils._tools import (
    observe_tool,
    run_tool,
    run_writing_tool,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory import Directory
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host, open_host
from ansible_collections.entsso.password_sync.plugins.plugin_utils.pcns_directory._directory_view import DirectoryView
from ansible_collections.entsso.password_sync.plugins.plugin_utils.pcns_directory._elsewhere import (
    Competing,
    Elsewhere,
    look_elsewhere,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.pcns_directory._sso_servers import (
    observed_sso_servers,
)


@dataclass(frozen=True)
class Surroundings:
    """What a resource knows besides its host.

    Attributes:
        directory: How the directory is reached; None where that is not configured.
        judging: Whether the task only judges (`password_sync_observe_only`).
        sso_servers: Names and addresses of the SSO servers of this run, each with the domain observed there.
    """

    directory: Directory | None = None
    judging: bool = False
    sso_servers: Mapping[str, str] = field(default_factory=dict)


class PcnscfgResource(Resource):
    """Something that `pcnscfg` reads and writes. It always works on this very domain controller."""

    shared = True

    def __init__(self, host: Host, task: Task, around: Surroundings) -> None:
        super().__init__(host, task)
        self.tool = str(task.arguments["pcnscfg"])
        self.around = around
        system = read_system(host)
        require_domain_controller(task.subject, system)
        self.domain, self.server = system.domain, system.name
        self.now = system.local_time
        self.observed_at = f"{system.local_time:%Y-%m-%dT%H:%M:%SZ}"
        self.seen_by: tuple[str, ...] = ()
        self.unread: str | None = "" if around.directory is None else None
        """Why the directory can't be asked; empty where it is not configured, None where it was asked."""
        self.seen = agreement.DomainView(Absent(), {})
        self.elsewhere = Elsewhere()

    def close(self) -> None:
        """Ends what was opened to look."""
        if "view" in self.__dict__:
            self.view.close()

    @cached_property
    def view(self) -> DirectoryView:
        """The directory of this domain controller; only where it is configured."""
        if self.around.directory is None:
            raise RuntimeError("the directory is not configured")
        return DirectoryView(self.around.directory, self.server, self.domain)

    @property
    def has_directory(self) -> bool:
        """Whether the directory is configured and was read."""
        return self.unread is None

    def observe(self) -> Mapping[Key, Observation]:
        tool = observe_tool(self.host, self.tool)
        return {Key(self.task.subject, "tool", "pcnscfg"): tool, **self._observed(tool)}

    def _observed(self, tool: Observation) -> Mapping[Key, Observation]:
        listing: Listing | None = None
        if not isinstance(tool, Absent):
            output = run_tool(self.host, self.tool, ["list", f"/Server:{self.server}"])
            try:
                listing = parse_list(output)
            except ListingError as error:
                head = " ".join(output.split())[:120] or "nothing"
                return self.all_are(
                    Unknown(f"the output of pcnscfg list could not be understood: {error} (it printed: {head})")
                )
        seen = self._merged(listing)
        if seen is None:
            # A service without its tool is a broken or foreign installation, not an absent one.
            installed = self.host.services.get(PCNS_SERVICE) is not None
            return self.all_are(
                Unknown(f"PCNS is installed and its tool is not at {self.tool}") if installed else Absent()
            )
        self.seen = seen
        return self.from_view(seen)

    def _merged(self, listing: Listing | None) -> agreement.DomainView | None:
        if self.has_directory:
            try:
                return self.view.merged(listing)
            except AccessDenied as error:
                # pcnscfg reads with the account of the connection, which may see more.
                self.unread = str(error)
                if not self.around.judging:
                    self.task.warn(f"pcnscfg alone is believed, and replication is not waited for: {error}")
            except HostError as error:
                if not self.around.judging:
                    raise
                self.unread = str(error)
        return agreement.from_listing(listing) if listing is not None else None

    def say_differences(self, differences: tuple[str, ...]) -> None:
        """Warns of what pcnscfg and the directory tell differently, where nobody judges it."""
        for text in differences if not self.around.judging else ():
            self.task.warn(f"pcnscfg and the directory tell different things: {text}")

    def look_elsewhere(self, write: Competing) -> None:
        """Refuses a write that would compete with what other domain controllers have; a task that judges keeps why.

        Raises:
            PlanError: One of them has what is to be written.
            HostError: Who they are can't be read.
        """
        if not self.has_directory:
            return
        try:
            self.elsewhere = look_elsewhere(self.view, self.server, write)
        except HostError as error:
            if not self.around.judging:
                raise
            self.unread = str(error)
        if self.around.judging:
            return
        if self.elsewhere.clause:
            raise self.elsewhere.refusal(self.domain)
        if self.elsewhere.unknown:
            self.task.warn(self.elsewhere.unknown)

    def judged(self, findings: Iterable[Finding]) -> list[Finding]:
        """Returns findings; what a run would refuse to repair is for a person to do."""
        clause, remedy = self.elsewhere.clause, self.elsewhere.remedy.rstrip(".")
        return [
            replace(item, status=Status.MANUAL, message=f"{item.message} {clause}.", repair=remedy, restarts=0)
            if clause and item.status is Status.DRIFT
            else item
            for item in findings
        ]

    def settle(self) -> None:
        seconds = float(self.task.arguments["replication_timeout"])
        if not self.has_directory or seconds <= 0:
            return
        named = [str(item).strip().rstrip(".").lower() for item in self.task.arguments["replication_servers"]]
        servers = tuple(dict.fromkeys(named)) or self.view.domain_controllers()
        self.wait_for(servers, seconds)
        self.seen_by = servers

    @abstractmethod
    def wait_for(self, servers: tuple[str, ...], seconds: float) -> None:
        """Waits until domain controllers have what this one has."""

    @abstractmethod
    def all_are(self, observation: Observation) -> Mapping[Key, Observation]:
        """Returns the same observation for everything that this resource looks at."""

    @abstractmethod
    def from_view(self, seen: agreement.DomainView) -> Mapping[Key, Observation]:
        """Returns what was seen of this resource."""

    def write(self, arguments: list[str]) -> None:
        """Runs a writing verb."""
        run_writing_tool(self.host, self.tool, arguments)


class PcnscfgAction(ConvergingAction):
    """Converges one resource of `pcnscfg`."""

    resource: ClassVar[type[PcnscfgResource]]

    def _perform(self, task: Task, task_vars: Mapping[str, Any]) -> dict[str, Any]:
        around = Surroundings(
            self._directory_or_none(task_vars), bool(task_vars.get(OBSERVE_ONLY)), observed_sso_servers(task_vars)
        )
        with open_host(self._connection, task_vars, name=task.subject) as host:
            resource = self.resource(host, task, around)
            try:
                return self._converge(resource, task, task_vars)
            finally:
                resource.close()
