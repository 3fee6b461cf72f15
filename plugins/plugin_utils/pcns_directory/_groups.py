# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups of PCNS targets: names to what the directory calls them, and SIDs back to names."""

from __future__ import annotations

from functools import cached_property

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import HostError
from ansible_collections.entsso.password_sync.plugins.module_utils._pcns_agreement import GroupAnswer, GroupState
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import PlanError
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._domain_controllers import Domain
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_filter import equals
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._security_identifier import (
    domain_of,
    has_sid,
    sid_text,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory_domains import ForestDomains
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._ldap_session import Scope

_BUILTIN, _BUILTIN_SID = "BUILTIN", "S-1-5-32-"
_WELL_KNOWN = "CN=WellKnown Security Principals"
"""Container of the configuration with Authenticated Users and their like (MS-ADTS 6.1.1.2.6)."""

_AUTHORITY = "nt authority"


class Groups:
    """The groups of a forest, seen from one of its domains.

    Args:
        domains: The forest.
        own: The domain whose name may be left out.
    """

    def __init__(self, domains: ForestDomains, own: Domain) -> None:
        self._domains = domains
        self._own = own

    def called(self, subject: str, option: str, text: str) -> str:
        """Returns a group's name as `DOMAIN\\name`, as the directory writes both.

        Args:
            subject: Whom the sentence is about.
            option: The option that names the group, for the sentence.
            text: `DOMAIN\\name` or, in the own domain, `name`.

        Raises:
            PlanError: There is no such group, or no such domain in the forest.
            HostError: The directory can't be read.
        """
        prefix, _slash, name = text.strip().rpartition("\\")
        if prefix.lower() == _AUTHORITY:
            return text  # no object of a domain
        domain = self._named(prefix)
        if domain is None:
            raise PlanError(
                subject,
                f"The forest has no domain {prefix} for the group {text}; it has "
                f"{', '.join(item.netbios_name for item in self._domains.every)}.",
                f"Correct `{option}`; nothing was changed.",
            )
        query = f"(&(objectClass=group){equals('sAMAccountName', name)})"
        found = self._domains.search(domain, query, ("sAMAccountName",))
        if not found:
            raise PlanError(
                subject,
                f"The group {text} does not exist in {domain.dns_name}.",
                f"Create it or correct `{option}`; nothing was changed. PCNS sends nothing at all for a target with a "
                "group that does not exist (event 6032).",
            )
        label = _BUILTIN if prefix.upper() == _BUILTIN else domain.netbios_name
        return f"{label}\\{found[0].text('sAMAccountName')}"

    def _named(self, prefix: str) -> Domain | None:
        if not prefix or prefix.upper() == _BUILTIN:
            return self._own
        wanted = prefix.lower()
        known = self._domains.every
        return next((item for item in known if wanted in (item.netbios_name.lower(), item.dns_name)), None)

    def behind(self, sid: str) -> GroupAnswer:
        """Returns what stands behind a SID; what can't be read is unknown."""
        try:
            if domain_of(sid):
                return self._of_a_domain(sid)
            if sid.startswith(_BUILTIN_SID):
                return self._found(self._own, sid, _BUILTIN)
            return self._well_known(sid)
        except HostError as error:
            return GroupAnswer(GroupState.UNKNOWN, f"{error.host}: {error.reason}")

    def _of_a_domain(self, sid: str) -> GroupAnswer:
        domain = self._by_sid.get(domain_of(sid))
        if domain is not None:
            return self._found(domain, sid, domain.netbios_name)
        unread = "; ".join(self._unread)
        return GroupAnswer(
            GroupState.UNKNOWN,
            f"{sid} is of a domain that could not be read ({unread})"
            if unread
            else f"{sid} is of no domain of the forest",
        )

    def _found(self, domain: Domain, sid: str, label: str) -> GroupAnswer:
        found = self._domains.search(domain, has_sid(sid), ("sAMAccountName", "cn"))
        if not found:
            return GroupAnswer(GroupState.GONE, f"no object of {domain.dns_name} has the SID {sid}")
        name = found[0].text("sAMAccountName") or found[0].text("cn")
        return GroupAnswer(GroupState.FOUND, f"{label}\\{name}")

    def _well_known(self, sid: str) -> GroupAnswer:
        container = f"{_WELL_KNOWN},{self._domains.configuration}"
        found = self._domains.session.search(container, has_sid(sid), ("cn",)).entries
        if found:
            return GroupAnswer(GroupState.FOUND, f"NT AUTHORITY\\{found[0].text('cn')}")
        return GroupAnswer(GroupState.UNKNOWN, f"the directory does not tell what {sid} is")

    @cached_property
    def _unread(self) -> list[str]:
        return []

    @cached_property
    def _by_sid(self) -> dict[str, Domain]:
        found: dict[str, Domain] = {}
        for domain in self._domains.every:
            try:
                head = self._domains.session_of(domain).search(domain.dn, "(objectClass=*)", ("objectSid",), Scope.BASE)
                raw = next(iter(head.entries[0].raw("objectSid")), None) if head.entries else None
                if raw is not None:
                    found[sid_text(raw)] = domain
            except (HostError, ValueError) as error:
                self._unread.append(f"{domain.dns_name}: {getattr(error, 'reason', error)}")
        return found
