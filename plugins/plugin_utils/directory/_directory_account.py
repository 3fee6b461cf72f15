# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding the account that somebody names, in whichever domain of the forest it is."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import DirectoryError, HostError
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._account_name import AccountName, Form
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._domain_controllers import Domain
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_entry import Entry
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_filter import equals
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_result import INVALID_NAME, NO_SUCH_OBJECT
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory_domains import ForestDomains
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._ldap_session import Scope

_ATTRIBUTES = ("objectClass", "sAMAccountName")


@dataclass(frozen=True)
class Account:
    """A user, computer or managed service account.

    Attributes:
        dn: Distinguished name as the directory writes it.
        domain: Its domain.
    """

    dn: str
    domain: Domain


def find_account(domains: ForestDomains, name: AccountName) -> Account:
    """Returns the account of a name.

    Raises:
        DirectoryError: There is none, there are several, or it is no account.
        HostError: The directory can't be read.
    """
    if name.form is Form.DISTINGUISHED:
        found = _by_distinguished_name(domains, name)
    elif name.form is Form.PRINCIPAL:
        found = _by_principal_name(domains, name)
    else:
        domain = _domain(domains, name) if name.domain else domains.main
        found = _accounts(domains, domain, equals("sAMAccountName", name.name))
    if not found:
        raise _missing(domains, name)
    if len(found) > 1:
        raise _error(
            domains,
            name,
            f"several accounts have this name: {' and '.join(item.dn for item, _domain in found)}",
            "Give the distinguished name of one of them in `account`",
        )
    entry, domain = found[0]
    if "user" not in (item.lower() for item in entry.texts("objectClass")):
        raise _error(
            domains,
            name,
            f"{entry.dn} is no user, computer or managed service account but of the class "
            f"{(entry.texts('objectClass') or ('unknown',))[-1]}",
            "Give the account that the service runs as in `account`",
        )
    return Account(entry.dn, domain)


_Found = list[tuple[Entry, Domain]]


def _by_distinguished_name(domains: ForestDomains, name: AccountName) -> _Found:
    domain = domains.domain_of(name.name)
    if domain is None:
        raise _error(
            domains,
            name,
            f"it is in none of the domains of the forest, {', '.join(item.dns_name for item in domains.every)}",
            "Correct `account`, or name a domain controller of its forest in `server`",
        )
    try:
        entries = domains.session_of(domain).search(name.name, "(objectClass=*)", _ATTRIBUTES, Scope.BASE).entries
    except DirectoryError as error:
        if error.code not in (NO_SUCH_OBJECT, INVALID_NAME):
            raise
        return []
    return [(entry, domain) for entry in entries]


def _by_principal_name(domains: ForestDomains, name: AccountName) -> _Found:
    """An account has the name that it was given, and also sAMAccountName@domain (MS-ADTS 5.1.1.1.1)."""
    found: _Found = []
    unread: HostError | None = None
    for domain in domains.every:
        query = equals("userPrincipalName", f"{name.name}@{name.domain}")
        if domain.dns_name == name.domain:
            query = f"(|{query}{equals('sAMAccountName', name.name)})"
        try:
            found += _accounts(domains, domain, query)
        except HostError as error:
            unread = unread or error
    if not found and unread is not None:
        raise unread
    return found


def _accounts(domains: ForestDomains, domain: Domain, query: str) -> _Found:
    entries = domains.search(domain, query, _ATTRIBUTES)
    return [(entry, domain) for entry in entries]


def _domain(domains: ForestDomains, name: AccountName) -> Domain:
    wanted = name.domain.lower()
    for domain in domains.every:
        if wanted in (domain.netbios_name.lower(), domain.dns_name):
            return domain
    raise _error(
        domains,
        name,
        f"the forest has no domain {name.domain}; it has {', '.join(item.netbios_name for item in domains.every)}",
        "Correct the domain of `account`",
    )


def _missing(domains: ForestDomains, name: AccountName) -> DirectoryError:
    remedy = "Create it or correct `account`, and check that it may be read"
    if name.form is not Form.DISTINGUISHED and not name.name.endswith("$"):
        remedy += "; the name of a computer or managed service account ends with $"
    where = name.domain or domains.main.dns_name
    reason = "there is no such object" if name.form is Form.DISTINGUISHED else f"there is no such account in {where}"
    return _error(domains, name, reason, remedy, NO_SUCH_OBJECT)


def _error(
    domains: ForestDomains, name: AccountName, reason: str, remedy: str, code: int | None = None
) -> DirectoryError:
    return DirectoryError(domains.session.host, f"account {name.text}", reason, remedy, code=code)
