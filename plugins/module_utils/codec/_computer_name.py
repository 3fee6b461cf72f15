# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the machine that answers is the one that the inventory means."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from ansible_collections.entsso.password_sync.plugins.module_utils.codec._cim_instance import CimInstance

CLUSTER_NAME = "sso_cluster_name"
"""Variable: the network name of a clustered SSO server. Any of its nodes may answer under it."""

COMPUTER_NAMES = "password_sync_computer_names"
"""Variable: names that the machine may have beside those of the inventory."""

_NETBIOS_LENGTH = 15
_COMPUTER_SYSTEM = "win32_computersystem"
_PROPERTIES = ("CSName", "SystemName", "DNSHostName")
"""Where classes of root/cimv2 carry the name of their computer (recordings/wmi): operating system and files; services
and disks; the computer itself."""


@dataclass(frozen=True)
class ExpectedMachine:
    """Which machine is meant.

    Attributes:
        names: What it may call itself, host part in lower case; empty where nothing names it.
    """

    names: tuple[str, ...] = ()

    def is_called(self, reported: str) -> bool:
        """Whether a name that the machine gave itself is one of them.

        Only host parts are compared: a machine's DNS suffix need not be that of the inventory. NetBIOS names are cut
        to 15 characters.
        """
        name = host_part(reported)
        return any(name == own or (len(name) == _NETBIOS_LENGTH and own.startswith(name)) for own in self.names)


def expected_machine(
    inventory_name: str, address: str, cluster_name: str = "", computer_names: Iterable[str] = ()
) -> ExpectedMachine:
    """Returns which machine an inventory means.

    Args:
        inventory_name: The host's name in the inventory.
        address: Where it is reached.
        cluster_name: The SSO cluster's network name, empty where there is none.
        computer_names: Names given by the user for this host.
    """
    named = [host_part(name) for name in (inventory_name, address) if not _is_address(name)]
    given = [host_part(name) for name in computer_names]
    cluster = host_part(cluster_name)
    if cluster and cluster in named:
        # Every node answers under the cluster's name; which one does is known only where the user names them.
        return ExpectedMachine(tuple(dict.fromkeys((*given, cluster))) if given else ())
    return ExpectedMachine(tuple(dict.fromkeys(name for name in (*named, *given, cluster) if name)))


def reported_names(instance: CimInstance) -> tuple[str, ...]:
    """Returns what an instance says of the computer that it is on; empty where it says nothing."""
    properties = (*_PROPERTIES, "Name") if instance.class_name.lower() == _COMPUTER_SYSTEM else _PROPERTIES
    found = [item for name in properties for item in instance.items_of(name) if isinstance(item, str)]
    return tuple(dict.fromkeys(item.strip() for item in found if item.strip()))


def host_part(name: str) -> str:
    """Returns the host part of a name in lower case."""
    return name.strip().partition(".")[0].lower()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip().strip("[]").partition("%")[0])
    except ValueError:
        return False
    return True
