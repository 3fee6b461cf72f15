# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing SPNs to accounts: what a refusal means, and no SPN lost between two accounts."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from ansible_collections.entsso.password_sync.plugins.module_utils import _service_principal_name as spn
from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    AccessDenied,
    DeadlineExceeded,
    DirectoryError,
    DirectoryUnreachable,
    HostError,
    OutcomeUnknown,
    UnreadableOutput,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap import _ldap_dn
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_change import How, Modification
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_filter import equals
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_result import (
    ADMINISTRATIVE_LIMIT_EXCEEDED,
    ATTRIBUTE_OR_VALUE_EXISTS,
    CONSTRAINT_VIOLATION,
    NO_SUCH_ATTRIBUTE,
    REFERRAL,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory_domains import ForestDomains
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._ldap_session import LdapSession, Scope

_RIGHTS = (
    'Give it the right "Write servicePrincipalName" on that object; for the own names of a computer or managed service '
    'account "Validated write to service principal name" is enough'
)
"""MS-ADTS 3.1.1.5.3.1.1.4: the validated write is for computers and their subclasses, and their own host names."""
_WRITABLE = "allowedAttributesEffective"


class SpnWriter:
    """Gives SPNs to accounts of a forest and takes them away.

    Args:
        domains: The forest.
        writer: Who writes, for sentences.
    """

    def __init__(self, domains: ForestDomains, writer: str) -> None:
        self._domains = domains
        self._writer = writer
        self._taken: dict[str, list[tuple[str, Sequence[str]]]] = {}

    def lacks(self, account: str) -> str:
        """Returns what the writer lacks to change the SPNs of an account, as sentences; empty where it lacks nothing.

        The directory tells which attributes of an object the logon may write (`allowedAttributesEffective`, MS-ADTS
        3.1.1.4.5; a validated write is none of them).

        Raises:
            HostError: The account can't be read.
        """
        entries = self._session(account).search(account, "(objectClass=*)", (_WRITABLE,), Scope.BASE).entries
        writable = {item.casefold() for entry in entries for item in entry.texts(_WRITABLE)}
        if spn.ATTRIBUTE.casefold() in writable:
            return ""
        return f"{self._writer} has no right to write the service principal names of {account}. {_RIGHTS}."

    def take(self, name: str, account: str) -> None:
        """Takes an SPN from an account; one that has it no longer is content.

        Raises:
            HostError: It could not be taken.
        """
        session = self._session(account)
        values = session.search(account, "(objectClass=*)", (spn.ATTRIBUTE,), Scope.BASE).entries[0]
        spelled = [item for item in values.texts(spn.ATTRIBUTE) if item.casefold() == name.casefold()]
        self._write(session, How.DELETE, name, account, spelled or [name])
        self._taken.setdefault(name.casefold(), []).append((account, spelled or [name]))

    def give(self, name: str, account: str) -> None:
        """Gives an SPN to an account. If that fails, those from whom it was taken get it back.

        Raises:
            HostError: It could not be given.
        """
        try:
            self._write(self._session(account), How.ADD, name, account, [name])
        except OutcomeUnknown:
            raise
        except HostError as error:
            error.reason = f"{error.reason.rstrip('. ')}{self._give_back(name)}"
            raise

    def _give_back(self, name: str) -> str:
        """Gives an SPN back; returns how that went, as the rest of a sentence."""
        told = ""
        for account, spelled in self._taken.pop(name.casefold(), ()):
            try:
                self._write(self._session(account), How.ADD, name, account, spelled)
                told += f"; it was given back to {account}"
            except HostError as error:
                told += f"; IT COULD NOT BE GIVEN BACK to {account} ({error.reason}), which has lost it"
        return told

    def _session(self, account: str) -> LdapSession:
        domain = self._domains.domain_of(account) or self._domains.main
        return self._domains.session_of(domain)

    def _write(self, session: LdapSession, how: How, name: str, account: str, values: Sequence[str]) -> None:
        subject = f"SPN {name} of {account}"
        change = Modification(how, spn.ATTRIBUTE, tuple(item.encode() for item in values))
        try:
            session.modify(account, [change])
        except AccessDenied as error:
            denied = AccessDenied(session.host, subject, f"{self._writer} may not write it ({error.reason})", _RIGHTS)
            # Samba says so too of a name that an alias of another account stands for.
            raise (self._conflict(session, name, account, None) if how is How.ADD else None) or denied from None
        except (DirectoryUnreachable, DeadlineExceeded, UnreadableOutput) as error:
            raise OutcomeUnknown(
                session.host,
                subject,
                f"it is not known whether it was written: {error.reason}",
                "Run again: what is there is looked at first",
            ) from None
        except DirectoryError as error:
            done = ATTRIBUTE_OR_VALUE_EXISTS if how is How.ADD else NO_SUCH_ATTRIBUTE
            if error.code == done:
                return  # somebody else did the same since it was observed
            if error.code == CONSTRAINT_VIOLATION and how is How.ADD:
                unexplained = DirectoryError(
                    session.host,
                    subject,
                    f"{error.reason}; no account was found that has it",
                    f"If the name is right: {_RIGHTS}",
                    code=error.code,
                )
                raise self._conflict(session, name, account, error.code) or unexplained from None
            if error.code == REFERRAL:
                raise DirectoryError(
                    session.host,
                    subject,
                    f"it can't be written there ({error.reason})",
                    "Name a writable domain controller of its domain in `server`",
                    code=error.code,
                ) from None
            if error.code == ADMINISTRATIVE_LIMIT_EXCEEDED:
                raise DirectoryError(
                    session.host,
                    subject,
                    f"the object takes no more values ({error.reason})",
                    "Remove SPNs that it does not need",
                    code=error.code,
                ) from None
            raise

    def _conflict(self, session: LdapSession, name: str, account: str, code: int | None) -> DirectoryError | None:
        """Returns who keeps an SPN from being given: whoever has it, or another one that stands for it."""
        subject = f"SPN {name} of {account}"
        others = self._others(name, account)
        if others:
            reason = f"the directory refused it, since {spn.conflicts({name: others})}"
            remedy = "Somebody registered it in the meantime: find out which account is right, and run again"
            return DirectoryError(session.host, subject, reason, remedy, code=code)
        general = spn.alias(name, self._mappings(session))
        others = self._others(general, account) if general is not None else ()
        if general is None or not others:
            return None
        reason = f"the directory refused it, since {general} stands for it: {spn.conflicts({general: others})}"
        remedy = "Only an administrator may register it in spite of that: find out which account is right"
        return DirectoryError(session.host, subject, reason, remedy, code=code)

    def _others(self, name: str, account: str) -> tuple[str, ...]:
        found: list[str] = []
        for domain in self._domains.every:
            with suppress(HostError):  # what can't be read explains nothing
                found += [item.dn for item in self._domains.search(domain, equals(spn.ATTRIBUTE, name), ("1.1",))]
        return tuple(item for item in found if _ldap_dn.key(item) != _ldap_dn.key(account))

    def _mappings(self, session: LdapSession) -> tuple[str, ...]:
        """Returns the forest's sPNMappings (MS-ADTS 3.1.1.5.1.3); none when they can't be read."""
        service = f"CN=Directory Service,CN=Windows NT,CN=Services,{self._domains.configuration}"
        try:
            entries = session.search(service, "(objectClass=*)", ("sPNMappings",), Scope.BASE).entries
        except HostError:
            return ()
        return entries[0].texts("sPNMappings") if entries else ()
