# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PCNS configuration and targets as one domain controller's directory has them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property

from ansible_collections.entsso.password_sync.plugins.module_utils import _pcns_agreement as agreement
from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    AccessDenied,
    AuthenticationRejected,
    DirectoryError,
    HostError,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._pcns_configuration import ConfigurationState
from ansible_collections.entsso.password_sync.plugins.module_utils._pcnscfg import Listing
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap import _ldap_dn
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap import _pcns_objects as pcns
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._domain_controllers import Domain
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_filter import equals
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_result import NO_SUCH_OBJECT
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._pcns_schema import QUERY
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory import Directory
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory_domains import ForestDomains
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._ldap_session import LdapSession, Scope
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._replication import (
    Awaited,
    wait_until_seen,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.pcns_directory._groups import Groups

_ANY = "(objectClass=*)"


class DirectoryView:
    """The directory of the domain controller that pcnscfg writes to; opened when it is first asked.

    Args:
        directory: How the directory is reached, and who asks.
        server: Full name of the domain controller.
        domain: DNS name of its domain.
    """

    def __init__(self, directory: Directory, server: str, domain: str) -> None:
        self._directory = directory.at(server, domain)
        self._server = server

    def close(self) -> None:
        """Ends all sessions."""
        self._directory.close()

    @cached_property
    def domains(self) -> ForestDomains:
        """The forest; raises as `ForestDomains`."""
        with _no_logon_of_the_host():
            return ForestDomains(self._directory)

    @property
    def domain(self) -> Domain:
        """The domain of the domain controller."""
        return self.domains.main

    @cached_property
    def groups(self) -> Groups:
        """The groups of the forest."""
        return Groups(self.domains, self.domain)

    @cached_property
    def names(self) -> pcns.PcnsNames:
        """What the schema calls the classes and attributes of PCNS."""
        return _names_at(self.domains.session)

    def objects(self, session: LdapSession | None = None) -> pcns.PcnsObjects:
        """Returns what a domain controller of the domain has: this one, unless a session with another is given."""
        asked = session or self.domains.session
        container = f"{pcns.CONTAINER},{self.domain.dn}"
        # The schema of another may have reached it before this one.
        names = self.names if session is None or self.names.complete else _names_at(session)
        if not names.complete:
            return pcns.PcnsObjects()
        try:
            return pcns.pcns_objects(asked.search(container, _ANY, names.wanted()).entries, names)
        except DirectoryError as error:
            if error.code != NO_SUCH_OBJECT:
                raise
            return pcns.PcnsObjects()

    def merged(self, listing: Listing | None) -> agreement.DomainView:
        """Returns what pcnscfg and this domain controller's directory say together.

        Raises:
            AccessDenied: There are objects that the account may not read.
            HostError: The directory can't be read.
        """
        with _no_logon_of_the_host():
            objects = self.objects()
            if objects.hidden:
                raise AccessDenied(
                    self._server,
                    objects.hidden[0],
                    f"{self._directory.settings.account} may not read this object",
                    "Let it read what is below CN=Password Change Notification Service,CN=System of the domain, or "
                    "name another account in password_sync_ldap_username",
                )
            if not self.names.complete and listing is not None and _says_something(listing):
                raise DirectoryError(
                    self._server,
                    "schema",
                    "pcnscfg lists PCNS objects and the schema has no classes with the OIDs that are known for them",
                    "Compare the schema with docs/evidence.md, or run without the variables password_sync_ldap_*",
                )
            return agreement.merge(listing, objects, {sid: self.groups.behind(sid) for sid in agreement.sids(objects)})

    def domain_controllers(self) -> tuple[str, ...]:
        """Returns the full names of the writable domain controllers of the domain, this one first."""
        with _no_logon_of_the_host():
            others = [
                item.dns_name.lower()
                for item in self.domains.domain_controllers(self.domain)
                if not item.read_only and item.enabled is not False and item.dns_name
            ]
            return tuple(dict.fromkeys((self.domains.session.root.host.lower(), *others)))

    def wait(self, subject: str, servers: Sequence[str], target: str | None, seconds: float) -> None:
        """Waits until domain controllers have what this one has, or no longer have what it has not.

        Args:
            subject: What that is, for the sentence.
            servers: Their full names.
            target: Distinguished name of the target; None for the service object.
            seconds: How long to wait for all of them.

        Raises:
            DeadlineExceeded: Some don't have it; each is named with the reason.
        """
        with _no_logon_of_the_host():
            wanted = _part(self.objects(), target)
            awaited = Awaited(subject, lambda session: _part(self.objects(session), target) == wanted)
            wait_until_seen(self._directory, servers, awaited, seconds)

    def others(self) -> tuple[dict[str, str], dict[str, str]]:
        """Compares the other writable domain controllers of the domain with this one.

        Returns:
            Those that have something else, each with the first difference; those that could not be asked, each with
            the reason.
        """
        mine = self.objects()
        return self.ask_others(
            lambda theirs: "" if theirs == mine else f"it has something else for {_first_difference(mine, theirs)}"
        )

    def ask_others(self, tell: Callable[[pcns.PcnsObjects], str]) -> tuple[dict[str, str], dict[str, str]]:
        """Asks the other writable domain controllers of the domain, each once.

        Args:
            tell: Returns what there is to tell of what one has; empty for nothing.

        Returns:
            What there is to tell of each; those that could not be asked, each with the reason.

        Raises:
            HostError: Who they are can't be read.
        """
        told: dict[str, str] = {}
        silent: dict[str, str] = {}
        for server in self.domain_controllers()[1:]:
            try:
                theirs = self.objects(self._directory.session_with((server,)))
                if theirs.hidden:
                    silent[server] = f"{self._directory.settings.account} may not read {theirs.hidden[0]} there"
                elif text := tell(theirs):
                    told[server] = text
            except HostError as error:
                silent[server] = error.reason
            self._directory.forget(server)
        return told, silent

    def domain_of_computer(self, address: str) -> str:
        """Returns the DNS name of the domain that a computer is in, by its DNS name; empty where there is none."""
        query = equals("dNSHostName", address.rstrip("."))
        if "." not in address:
            query = f"(|{query}{equals('sAMAccountName', f'{address}$')})"
        with _no_logon_of_the_host():
            for domain in self.domains.every:
                if self.domains.search(domain, f"(&(objectClass=computer){query})", ("cn",)):
                    return domain.dns_name
        return ""


def _names_at(session: LdapSession) -> pcns.PcnsNames:
    found = session.search(session.root.schema, QUERY, pcns.SCHEMA_ATTRIBUTES, Scope.ONE_LEVEL)
    return pcns.pcns_names(found.entries)


def _says_something(listing: Listing) -> bool:
    return bool(listing.targets) or listing.configuration not in (None, ConfigurationState())


def _part(objects: pcns.PcnsObjects, target: str | None) -> object:
    if target is None:
        return objects.service
    return next((item for item in objects.targets if _ldap_dn.key(item.dn) == _ldap_dn.key(target)), None)


def _first_difference(mine: pcns.PcnsObjects, theirs: pcns.PcnsObjects) -> str:
    if mine.service != theirs.service:
        return "the service object"
    left, right = _by_dn(mine.targets), _by_dn(theirs.targets)
    wrong = sorted(dn for dn in left.keys() | right.keys() if left.get(dn) != right.get(dn))
    return wrong[0] if wrong else "a value that can't be understood"


def _by_dn(targets: Iterable[pcns.TargetObject]) -> dict[str, pcns.TargetObject]:
    return {item.dn.lower(): item for item in targets}


@contextmanager
def _no_logon_of_the_host() -> Iterator[None]:
    """A refused LDAP logon says nothing about the WinRM connection to the host of the play."""
    try:
        yield
    except AuthenticationRejected as error:
        raise DirectoryError(error.host, "LDAP", error.reason, error.remedy) from None
