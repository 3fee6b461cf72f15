# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an account may do in a directory, by the groups that pcns.md 2 names for PCNS; nothing is asked here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

DOMAIN_ADMINS, SCHEMA_ADMINS, ENTERPRISE_ADMINS = 512, 518, 519
"""Relative identifiers; the first is of each domain, the others are of the first domain of a forest (MS-DTYP 2.4.2.4).
"""


@dataclass(frozen=True)
class DirectoryRights:
    """Which of the groups that matter an account is in, whichever way it came in.

    Attributes:
        account: The account, for sentences.
        domain_admin: Whether it is in Domain Admins of the domain that was asked about.
        schema_admin: Whether it is in Schema Admins.
        enterprise_admin: Whether it is in Enterprise Admins.
        unknown: Why none of this is known; empty when it is.
    """

    account: str
    domain_admin: bool = False
    schema_admin: bool = False
    enterprise_admin: bool = False
    unknown: str = ""

    @property
    def may_extend_schema(self) -> bool:
        """Whether the account may run the package's schema-only mode: both groups are needed (pcns.md 2, T2)."""
        return self.schema_admin and self.domain_admin

    @property
    def may_configure(self) -> bool:
        """Whether the account may run pcnscfg: one of two groups is enough (pcns.md 2, H1)."""
        return self.domain_admin or self.enterprise_admin

    @property
    def missing_for_schema(self) -> tuple[str, ...]:
        """The groups that an account lacks for the schema-only mode."""
        missing = {"Schema Admins": not self.schema_admin, "Domain Admins": not self.domain_admin}
        return tuple(name for name, lacks in missing.items() if lacks)


def rights_of(account: str, sids: Iterable[str], domain: str, root_domain: str) -> DirectoryRights:
    """Returns the rights of a logon.

    Args:
        account: The account, for sentences.
        sids: Security identifiers of all groups that it is in, nested ones too.
        domain: Security identifier of the domain.
        root_domain: That of the first domain of the forest.
    """
    held = {item.upper() for item in sids}
    return DirectoryRights(
        account,
        domain_admin=f"{domain.upper()}-{DOMAIN_ADMINS}" in held,
        schema_admin=f"{root_domain.upper()}-{SCHEMA_ADMINS}" in held,
        enterprise_admin=f"{root_domain.upper()}-{ENTERPRISE_ADMINS}" in held,
    )
