# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module service_principal_name: SPNs on an account, unique in the forest."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ansible_collections.entsso.password_sync.plugins.module_utils import _service_principal_name as spn
from ansible_collections.entsso.password_sync.plugins.module_utils._errors import HostError
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import (
    Change,
    Estate,
    Key,
    Observation,
    Unknown,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._judge_names import judge_names
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap import _ldap_dn
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._account_name import account_name
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_filter import equals
from ansible_collections.entsso.password_sync.plugins.plugin_utils._action import OBSERVE_ONLY, ConvergingAction
from ansible_collections.entsso.password_sync.plugins.plugin_utils._resource import Managed, Task
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory import Directory
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory_account import find_account
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory_action import DirectoryAction
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory_domains import ForestDomains
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._ldap_session import LdapSession
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._replication import (
    Awaited,
    wait_until_seen,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._spn_writer import SpnWriter

_NAME_ALONE = ("1.1",)
"""No attributes (RFC 4511 4.5.1.8): an account may have a thousand SPNs."""


class ServicePrincipalNameResource(Managed):
    """SPNs of one account."""

    shared = True

    def __init__(self, directory: Directory, task: Task, *, judging: bool = False) -> None:
        super().__init__(task)
        self._judging = judging
        arguments = task.arguments
        names = spn.spns(task.subject, [str(item) for item in arguments["name"]])
        wanted = account_name(task.subject, str(arguments["account"]))
        self.domains = ForestDomains(directory)
        self.account = find_account(self.domains, wanted)
        present = arguments["state"] == "present"
        self.desired = spn.DesiredSpns(names, self.account.dn, present, force=bool(arguments["force"]))
        self.forest = self.domains.forest
        self.seen_by: tuple[str, ...] = ()
        self._writer = SpnWriter(self.domains, directory.settings.account)

    def observe(self) -> Mapping[Key, Observation]:
        return {spn.key(self.forest, name): self._observed(name) for name in self.desired.names}

    def _observed(self, name: str) -> Observation:
        # Whoever else may have an SPN that the account is not to have: that is no matter of this task.
        domains = self.domains.every if self.desired.present else (self.account.domain,)
        holders: list[str] = []
        for domain in domains:
            try:
                found = self.domains.search(domain, equals(spn.ATTRIBUTE, name), _NAME_ALONE)
            except HostError as error:
                if domain == self.account.domain:
                    raise
                return Unknown(f"the domain {domain.dns_name} could not be read ({error.host}: {error.reason})")
            holders += [entry.dn for entry in found]
        return spn.observation(holders)

    def plan(self, estate: Estate) -> tuple[Change, ...]:
        return spn.plan(self.forest, self.desired, estate)

    def apply(self, change: Change) -> None:
        before, after = _accounts(change.old), _accounts(change.new)
        for account in before:
            if not _is_in(account, after):
                self._writer.take(change.name, account)
        for account in after:
            if not _is_in(account, before):
                self._writer.give(change.name, account)

    def _foresee(self, changes: tuple[Change, ...]) -> None:
        """Warns of the accounts whose SPNs a run would be refused to write."""
        touched: list[str] = []
        for change in changes:
            before, after = _accounts(change.old), _accounts(change.new)
            touched += [item for item in before if not _is_in(item, after)]
            touched += [item for item in after if not _is_in(item, before)]
        for account in dict.fromkeys(touched):
            try:
                lacks = self._writer.lacks(account)
            except HostError as error:
                lacks = f"Whether the SPNs of {account} may be written is not known: {error}"
            if lacks:
                self.task.warn(lacks)

    def settle(self) -> None:
        seconds = float(self.task.arguments["replication_timeout"])
        if seconds <= 0:
            return
        named = [str(item).strip().rstrip(".").lower() for item in self.task.arguments["replication_servers"]]
        servers = tuple(dict.fromkeys(named or self._domain_controllers()))
        subject = f"{' and '.join(self.desired.names)} on {self.account.dn}"
        wait_until_seen(self.domains.directory, servers, Awaited(subject, self._is_seen), seconds)
        self.seen_by = servers

    def _domain_controllers(self) -> list[str]:
        """Returns the one that was written to, and the others of the domain that password changes are made on."""
        domain = self.account.domain
        others = [
            item.dns_name
            for item in self.domains.domain_controllers(domain)
            if not item.read_only and item.enabled is not False
        ]
        return [self.domains.session_of(domain).root.host.lower(), *others]

    def _is_seen(self, session: LdapSession) -> bool:
        domain = self.account.domain.dn
        for name in self.desired.names:
            found = [entry.dn for entry in session.search(domain, equals(spn.ATTRIBUTE, name), _NAME_ALONE).entries]
            if self.desired.present and not spn.same_accounts(found, (self.account.dn,)):
                return False
            if not self.desired.present and _is_in(self.account.dn, found):
                return False
        return True

    def result(self, estate: Estate, changes: tuple[Change, ...]) -> Mapping[str, Any]:
        if self.task.check_mode and changes and not self._judging:
            self._foresee(changes)
        domain = self.account.domain.dns_name
        findings = judge_names(self.forest, domain, self.desired, estate, f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
        return {
            "findings": [finding.to_json() for finding in findings],
            "account": self.account.dn,
            "domain": domain,
            "forest": self.forest,
            "seen_by": list(self.seen_by),
        }


class ServicePrincipalNameAction(DirectoryAction, ConvergingAction):
    """Converges."""

    def _perform(self, task: Task, task_vars: Mapping[str, Any]) -> dict[str, Any]:
        with self._directory(task.arguments, task_vars) as directory:
            judging = bool(task_vars.get(OBSERVE_ONLY))
            return self._converge(ServicePrincipalNameResource(directory, task, judging=judging), task, task_vars)


def _accounts(values: Mapping[str, Any]) -> list[str]:
    return [str(item) for item in values.get("accounts", ())]


def _is_in(account: str, accounts: list[str]) -> bool:
    return _ldap_dn.key(account) in {_ldap_dn.key(item) for item in accounts}
