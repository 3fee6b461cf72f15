# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The account of a connection, for what goes to the host or its domain by another way than WinRM (SMB, LDAP)."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._connection import (
    connection_settings,
    ticket_cache,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._connection_settings import KERBEROS


@dataclass(frozen=True)
class Credentials:
    """Who connects, and with what.

    Attributes:
        account: Account name as the inventory has it; empty for the default principal of the ticket cache.
        password: The password; None when the connection authenticates without one (ticket cache, keytab, certificate).
        kerberos: Whether the connection may use Kerberos.
        ticket_cache: Name of the Kerberos cache (as in KRB5CCNAME) to take tickets from; None for the system's default.
            With managed kinit it is there after the first exchange of the connection.
        host_name: The host's name for Kerberos; the address where no other is set.
        address: Where the host is reached.
    """

    account: str
    password: str | None = field(repr=False)
    kerberos: bool
    ticket_cache: str | None
    host_name: str
    address: str


def credentials_of(connection: Any, host: str) -> Credentials:
    """Reads the account of a task's winrm or psrp connection; nothing is sent.

    Args:
        connection: The connection of the task.
        host: The host's name in the inventory.

    Raises:
        UnsupportedConnection: It is no winrm or psrp connection.
    """
    settings = connection_settings(connection, host, checked=False)
    kerberos = KERBEROS in settings.mechanisms
    used = any(settings.uses_password(mechanism) for mechanism in settings.mechanisms)
    return Credentials(
        account=settings.account,
        password=settings.password if used else None,
        kerberos=kerberos,
        ticket_cache=(ticket_cache(connection) or os.environ.get("KRB5CCNAME")) if kerberos else None,
        host_name=settings.host_name,
        address=settings.address,
    )
