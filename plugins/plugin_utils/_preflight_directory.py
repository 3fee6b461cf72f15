# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what the directory tells of one domain controller: replication, backup, and what the account may do there."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import HostError
from ansible_collections.entsso.password_sync.plugins.module_utils.health._replication import Partners
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._directory_rights import DirectoryRights
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._pcns_objects import SERVICE_CLASS, TARGET_CLASS
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._replication_metadata import last_change
from ansible_collections.entsso.password_sync.plugins.module_utils.preflight._check import Unread
from ansible_collections.entsso.password_sync.plugins.module_utils.preflight._judge_directory import Backup
from ansible_collections.entsso.password_sync.plugins.plugin_utils._preflight_reads import as_unread, attempt
from ansible_collections.entsso.password_sync.plugins.plugin_utils._system import System
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory import Directory
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory_domains import ForestDomains
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory_rights import (
    asks_itself,
    directory_rights,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._ldap_session import LdapSession, Scope
from ansible_collections.entsso.password_sync.plugins.plugin_utils.health._directory_reading import read_partners
from ansible_collections.entsso.password_sync.plugins.plugin_utils.health._host_reading import read_neighbours
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host

_CLASSES = f"(|(governsID={TARGET_CLASS})(governsID={SERVICE_CLASS}))"

METADATA = "msDS-ReplAttributeMetaData"
SIGNATURE = "dSASignature"
"""A backup of the system state changes it in every partition, and the change replicates (KB 914034; `repadmin
/showbackup` tells it). How a backup is told to the directory by other software is up to that software."""


@dataclass(frozen=True)
class DirectoryReading:
    """What was read.

    Attributes:
        partners: Whom the domain controller pulls changes from.
        backup: The last backup of its domain; None when the directory does not tell.
        rights: What the account of the connection may do.
        over_ldap: What the account may do that the directory is asked with.
        extended: Whether the schema has the classes of PCNS.
    """

    partners: Partners | Unread
    backup: Backup | Unread | None
    rights: DirectoryRights | Unread
    over_ldap: DirectoryRights | Unread
    extended: bool | Unread

    @classmethod
    def unread(cls, reason: Unread) -> DirectoryReading:
        """Returns that nothing could be read."""
        return cls(reason, reason, reason, reason, reason)


def read_directory(directory: Directory, system: System, host: Host) -> DirectoryReading:
    """Asks the domain controller itself, over one session.

    Args:
        directory: How to reach the directory.
        system: The domain controller as Windows tells it.
        host: The same over WinRM.

    Raises:
        HostError: The host does not answer any more.
    """
    with directory.at(system.name, system.domain) as own:
        try:
            session = own.session
        except HostError as error:
            return DirectoryReading.unread(as_unread(error))
        account = host.credentials.account if host.credentials is not None else None
        rights = attempt(lambda: _read_rights(own, account), ())
        here, over_ldap = (rights, rights) if isinstance(rights, Unread) else rights
        return DirectoryReading(
            partners=attempt(lambda: read_partners(session, lambda: read_neighbours(host))),
            backup=attempt(lambda: read_backup(session), ()),
            rights=here,
            over_ldap=over_ldap,
            extended=attempt(lambda: read_schema(session), ()),
        )


def _read_rights(directory: Directory, account: str | None) -> tuple[DirectoryRights, DirectoryRights]:
    """Reads what the account of the connection may do, and what the one may do that asks; once where they are one.

    Raises:
        HostError: The forest can't be read.
    """
    domains = ForestDomains(directory)
    asking = directory_rights(domains)
    return asking if asks_itself(directory, account) else directory_rights(domains, account), asking


def read_schema(session: LdapSession) -> bool:
    """Reads whether the schema has both classes of PCNS.

    Raises:
        HostError: It can't be read.
    """
    return len(session.search(session.root.schema, _CLASSES, ("cn",), Scope.ONE_LEVEL).entries) == 2


def read_backup(session: LdapSession) -> Backup | None:
    """Reads when the domain of a session was last backed up, None when the directory does not tell.

    Raises:
        HostError: It can't be read.
    """
    found = session.search(session.root.domain, "(objectClass=*)", (METADATA,), Scope.BASE).entries
    values = found[0].raw(METADATA) if found else ()
    changed = last_change(values, SIGNATURE)
    return None if changed is None else Backup(changed.at, changed.server)
