# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All domains of a forest, each asked at a domain controller of its own, else at a global catalog."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import HostError
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap import _ldap_dn
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._domain_controllers import (
    Domain,
    DomainController,
    domain_controllers_of,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_entry import Entry
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory import Directory
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory_forest import (
    domain_controllers_in,
    main_domain,
    read_domains,
    read_servers,
    session_of,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._ldap_session import LdapSession


class ForestDomains:
    """The domains of the forest that a directory belongs to.

    Attributes:
        directory: The directory.
        every: All domains.
        main: The one that the task is about.
        forest: DNS name of the forest, which is that of its first domain.

    Raises:
        DirectoryError: The forest has no such domain as the task names.
        HostError: The directory can't be read.
    """

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self._session = directory.session
        self.every = read_domains(self._session)
        self.main = main_domain(directory, self._session, self.every)
        root = _ldap_dn.key(self._session.root.root_domain)
        self.forest = next((item for item in self.every if _ldap_dn.key(item.dn) == root), self.main).dns_name

    @cached_property
    def _servers(self) -> tuple[Entry, ...]:
        return read_servers(self._session)

    @property
    def configuration(self) -> str:
        """Distinguished name of the configuration."""
        return self._session.root.configuration

    @property
    def session(self) -> LdapSession:
        """The session with the domain controller that is asked first."""
        return self._session

    def session_of(self, domain: Domain) -> LdapSession:
        """Returns a session with a domain controller of a domain; raises as `Directory.session_with`."""
        if _ldap_dn.key(self._session.root.domain) == _ldap_dn.key(domain.dn):
            return self._session
        candidates = domain_controllers_of(self._servers, domain, self.every)
        return session_of(self.directory, self._session, domain, candidates)

    def domain_of(self, name: str) -> Domain | None:
        """Returns the domain that an object is in; None when that is not in the forest."""
        around = _ldap_dn.enclosing(name, [item.dn for item in self.every])
        return next((item for item in self.every if item.dn == around), None)

    def domain_controllers(self, domain: Domain) -> tuple[DomainController, ...]:
        """Returns the domain controllers of a domain, without their roles."""
        return domain_controllers_in(self.session_of(domain), domain, self.every, self._servers)

    def search(self, domain: Domain, query: str, attributes: Sequence[str]) -> tuple[Entry, ...]:
        """Searches a domain.

        Where none of its domain controllers can be asked, the global catalog of the one that is asked first is: it
        has less of each object, and may be behind.

        Raises:
            HostError: Neither can be asked; the sentence is that of the domain's own.
        """
        try:
            return self.session_of(domain).search(domain.dn, query, attributes).entries
        except HostError as error:
            if domain == self.main:
                raise
            try:
                catalog = self.directory.catalog(self._session.root.host)
                return catalog.search(domain.dn, query, attributes).entries
            except HostError:
                raise error from None
