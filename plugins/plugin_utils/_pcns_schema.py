# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module pcns_schema: the PCNS part of a forest's schema, written on the schema master by the package itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

from ansible_collections.entsso.password_sync.plugins.module_utils import _pcns_schema
from ansible_collections.entsso.password_sync.plugins.module_utils._errors import HostError
from ansible_collections.entsso.password_sync.plugins.module_utils._pcns_schema import PROPERTIES, Circumstances
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import (
    Absent,
    Change,
    Estate,
    Key,
    Observation,
    PlanError,
    Present,
    Unknown,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._judge_schema import judge_schema
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._directory_rights import DirectoryRights
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._pcns_schema import SchemaView
from ansible_collections.entsso.password_sync.plugins.module_utils.msi._msiexec import install_command
from ansible_collections.entsso.password_sync.plugins.plugin_utils._action import OBSERVE_ONLY, ConvergingAction
from ansible_collections.entsso.password_sync.plugins.plugin_utils._msi_run import failure, log_path, run_msiexec
from ansible_collections.entsso.password_sync.plugins.plugin_utils._resource import Resource, Task, unknown
from ansible_collections.entsso.password_sync.plugins.plugin_utils._system import read_system, require_domain_controller
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory import Directory
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory_domains import ForestDomains
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory_rights import directory_rights
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._replication import (
    Awaited,
    wait_until_seen,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._schema_reads import (
    Spread,
    read_schema,
    schema_master,
    spread,
    writable_domain_controllers,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host, open_host
from ansible_collections.entsso.password_sync.plugins.plugin_utils.transfer._media import (
    check_host,
    describe_media,
    on_host,
    tidy_media,
)

PACKAGE = "PCNS schema"

_NOT_CONFIGURED = "no directory is configured"
_CONFIGURE = "Set password_sync_ldap_domain or password_sync_ldap_server, and see that the directory can be asked."


class PcnsSchemaResource(Resource):
    """The schema of the forest that the host's domain is in.

    Args:
        host: A domain controller.
        task: The task.
        directory: How the directory is reached; None where nothing says so.
        judging: Whether only what is, is wanted.
    """

    shared = True

    def __init__(self, host: Host, task: Task, directory: Directory | None, *, judging: bool) -> None:
        super().__init__(host, task)
        arguments = task.arguments
        self.media = (
            describe_media(task, str(arguments["path"]), str(arguments["sha256"]), bool(arguments["remote_src"]))[0]
            if arguments["path"]
            else None
        )
        system = read_system(host)
        require_domain_controller(task.subject, system)
        self.forest = system.domain
        """Until the directory has said what the forest is."""
        self._here, self._domain = system.name, system.domain
        self._observed_at = f"{system.local_time:%Y-%m-%dT%H:%M:%SZ}"
        self._directory = directory
        self._domains: ForestDomains | None = None
        self._judging = judging
        self._master = ""
        self._view = SchemaView()
        self._rights: DirectoryRights | None = None
        self._remedy = _CONFIGURE
        self._spread: Spread | None = None
        self._written = False

    def observe(self) -> Mapping[Key, Observation]:
        try:
            observed = self._observed()
        except HostError as error:
            self._remedy = f"{error.remedy.rstrip('.')}."
            observed = unknown(error)
        return {_pcns_schema.key(self.forest): observed}

    def _observed(self) -> Observation:
        if self._directory is None:
            return Unknown(_NOT_CONFIGURED)
        domains = self._domains = self._domains or ForestDomains(self._directory)
        self.forest = domains.forest
        self._master = schema_master(domains.session)
        self._view = read_schema(self._directory.session_with((self._master,)))
        if self._view.missing and not self._judging and self._here == self._master:
            check_host(self.host, self.media)
            self._rights = self._rights_of_the_connection(domains)
        return _pcns_schema.observation(self._view)

    def _rights_of_the_connection(self, domains: ForestDomains) -> DirectoryRights:
        """The package runs as the account of the connection, which need not be the one that asks the directory."""
        credentials = self.host.credentials
        account = credentials.account if credentials is not None else ""
        if not account and domains.directory.settings.username:
            reason = "the account of the connection comes from a ticket cache"
            return DirectoryRights("the account of the connection", unknown=reason)
        own = next((item for item in domains.every if item.dns_name == self._domain), None)
        return directory_rights(domains, account or None, own)

    def plan(self, estate: Estate) -> tuple[Change, ...]:
        return _pcns_schema.plan(self.task.subject, self.forest, self._circumstances(), estate)

    def _circumstances(self) -> Circumstances:
        return Circumstances(
            here=self._here,
            master=self._master,
            conflicts=self._view.conflicts,
            rights=self._rights,
            has_package=self.media is not None,
            complete_partial=bool(self.task.arguments["complete_partial"]),
            judging=self._judging,
            remedy=self._remedy,
        )

    def apply(self, change: Change) -> None:
        if self.media is None:
            raise PlanError(self.task.subject, "There is no package to extend the schema with.", "Give `path`.")
        if self._rights is not None and self._rights.unknown:
            self.task.warn(
                f"Whether {self._rights.account} may extend the schema is not known: {self._rights.unknown}. The "
                "package itself decides."
            )
        given = {str(name): str(value) for name, value in (self.task.arguments["properties"] or {}).items()}
        log = log_path(self.host, PACKAGE, change.operation.value)
        self._written = True
        self._hang_up()
        with on_host(self.host, self.task, self.media) as path:
            self.task.say(f"extending the schema of {self.forest}, log {log}")
            outcome = run_msiexec(self.host, self.task, install_command(path, log, properties={**given, **PROPERTIES}))
        if not outcome.succeeded:
            raise failure(self.host, self.task, PACKAGE, outcome, log)
        if outcome.restart_required:
            self.task.warn(
                f"Windows Installer asks for a restart after the schema-only mode ({outcome.code}), which should "
                "install nothing. This host is not restarted; look at what the package did."
            )

    def _hang_up(self) -> None:
        """Ends the sessions with the directory: they would be idle for as long as the package runs."""
        self._domains = None
        if self._directory is not None:
            self._directory.close()

    def tidy(self) -> None:
        tidy_media(self.host, self.task, self.media)

    def settle(self) -> None:
        seconds = float(self.task.arguments["replication_timeout"])
        domains = self._domains
        if domains is None or seconds <= 0:
            return
        servers, unread = self._servers(domains)
        awaited: Sequence[str] = servers
        if not self._written:
            # What was written in an earlier run need not wait for a domain controller that is down today.
            found = spread(domains, self._view, servers)
            unread |= found.unread
            awaited = tuple(found.behind)
        for name, reason in unread.items():
            self.task.warn(f"Whether {name} has the PCNS schema is not known: {reason}")
        subject = f"PCNS schema of {self.forest}"
        sees = Awaited(subject, lambda session: not read_schema(session).behind(self._view))
        wait_until_seen(domains.directory, awaited, sees, seconds)
        self._spread = Spread(has=[name for name in servers if name not in unread], unread=unread)

    def _servers(self, domains: ForestDomains) -> tuple[list[str], dict[str, str]]:
        named = [str(item).strip().rstrip(".").lower() for item in self.task.arguments["replication_servers"]]
        if named:
            return named, {}
        found, unread = writable_domain_controllers(domains)
        return [item.lower() for item in found], unread

    def result(self, estate: Estate, changes: tuple[Change, ...]) -> Mapping[str, Any]:
        observed = estate.get(_pcns_schema.key(self.forest))
        found = self._spread or self._look_around(observed)
        state = observed.state if isinstance(observed, Present) else None
        findings = judge_schema(
            self.forest, observed, self._circumstances(), found.behind, found.unread, self._observed_at
        )
        return {
            "forest": self.forest,
            "schema_master": self._master,
            "state": _word(observed),
            "missing": list(state.missing) if state is not None else [],
            "discovered": list(self._view.discovered),
            "conflicts": list(self._view.conflicts),
            "seen_by": found.has,
            "not_seen_by": [{"name": name, "missing": list(missing)} for name, missing in found.behind.items()],
            "not_asked": [{"name": name, "reason": reason} for name, reason in found.unread.items()],
            "findings": [finding.to_json() for finding in findings],
        }

    def _look_around(self, observed: Observation) -> Spread:
        """Asks the domain controllers once, where there is something that they could have."""
        wanted = float(self.task.arguments["replication_timeout"]) > 0 and not isinstance(observed, Unknown)
        if self._domains is None or not wanted or self._view.absent:
            return Spread()
        servers, unread = self._servers(self._domains)
        found = spread(self._domains, self._view, servers)
        found.unread.update(unread)
        for name in found.behind:
            self.task.warn(f"{name} does not have all of the PCNS schema yet, which {self._master} has.")
        return found


class PcnsSchemaAction(ConvergingAction):
    """Converges, with a directory where one is configured."""

    def _perform(self, task: Task, task_vars: Mapping[str, Any]) -> dict[str, Any]:
        directory = self._directory_or_none(task_vars)
        judging = bool(task_vars.get(OBSERVE_ONLY))
        with directory or nullcontext(), open_host(self._connection, task_vars, name=task.subject) as host:
            return self._converge(PcnsSchemaResource(host, task, directory, judging=judging), task, task_vars)


def _word(observed: Observation) -> str:
    if isinstance(observed, Unknown):
        return "unknown"
    if isinstance(observed, Absent):
        return "absent"
    return "partial" if observed.state.missing else "present"
