# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks a directory which groups an account is in: the one that asks, or another."""

from __future__ import annotations

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import HostError
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import PlanError
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap import _ldap_dn
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._account_name import account_name
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._directory_rights import (
    DirectoryRights,
    rights_of,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._domain_controllers import Domain
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._security_identifier import sid_text
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory import Directory
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory_account import find_account
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory_domains import ForestDomains
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._ldap_session import LdapSession, Scope

TOKEN_GROUPS = "tokenGroups"
"""Of the rootDSE: what the logon of this session has. Of an account: what its logon would have (MS-ADTS 3.1.1.4.5.19).
Only given when asked for by name, with scope base."""

_ANY = "(objectClass=*)"


def directory_rights(
    domains: ForestDomains, account: str | None = None, domain: Domain | None = None
) -> DirectoryRights:
    """Returns what an account may do.

    Args:
        domains: The forest.
        account: `DOMAIN\\name`, `name@domain` or another form; None for the account that asks.
        domain: Whose Domain Admins count; the one that the task is about when not given.
    """
    subject = account if account is not None else domains.directory.settings.account
    try:
        if asks_itself(domains.directory, account):
            sids = _token(domains.session, "")
        else:
            known = find_account(domains, account_name(subject, subject))
            sids = _token(domains.session_of(known.domain), known.dn)
        if not sids:
            return DirectoryRights(subject, unknown=f"the directory does not tell which groups {subject} is in")
        root = next(
            (item for item in domains.every if item.dns_name == domains.forest),
            domains.main,
        )
        return rights_of(subject, sids, _sid_of(domains, domain or domains.main), _sid_of(domains, root))
    except PlanError as error:
        return DirectoryRights(subject, unknown=error.reason.rstrip("."))
    except (HostError, ValueError) as error:
        return DirectoryRights(subject, unknown=str(error).rstrip("."))


def asks_itself(directory: Directory, account: str | None) -> bool:
    """Tells whether an account is the one that asks; None is."""
    return account is None or (bool(account) and account.casefold() == directory.settings.username.casefold())


def _token(session: LdapSession, name: str) -> tuple[str, ...]:
    found = session.search(name, _ANY, (TOKEN_GROUPS,), Scope.BASE).entries
    return tuple(sid_text(value) for entry in found for value in entry.raw(TOKEN_GROUPS))


def _sid_of(domains: ForestDomains, domain: Domain) -> str:
    for entry in domains.search(domain, "(objectClass=domainDNS)", ("objectSid",)):
        if _ldap_dn.key(entry.dn) == _ldap_dn.key(domain.dn) and entry.raw("objectSid"):
            return sid_text(entry.raw("objectSid")[0])
    raise ValueError(f"the directory does not tell the security identifier of {domain.dns_name}")
