# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Win32_Share and MSAD_ReplNeighbor: what a domain controller shares, and whom it pulls changes from. Properties as
learn.microsoft.com lists them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lab.backend import CimValue
from lab.replication import pulls

if TYPE_CHECKING:
    from lab.windows.host import SimulatedHost

_OF_WINDOWS = {"ADMIN$": r"C:\Windows", "C$": "C:\\", "IPC$": ""}
_OF_A_DOMAIN_CONTROLLER = {
    "NETLOGON": r"C:\Windows\SYSVOL\sysvol\{domain}\SCRIPTS",
    "SYSVOL": r"C:\Windows\SYSVOL\sysvol",
}
_SPECIAL = 0x80000000


def shares(host: SimulatedHost) -> Sequence[Mapping[str, CimValue]]:
    """Returns what the machine shares."""
    found = dict(_OF_WINDOWS)
    if host.identity.role.is_dc:
        found |= _OF_A_DOMAIN_CONTROLLER
    return [
        {
            "AccessMask": None,
            "AllowMaximum": True,
            "Caption": name,
            "Description": "",
            "InstallDate": None,
            "MaximumAllowed": None,
            "Name": name,
            "Path": path.format(domain=host.identity.domain),
            "Status": "OK",
            "Type": _SPECIAL if name in _OF_WINDOWS else 0,
        }
        for name, path in found.items()
        if name.lower() not in host.faults.shares_missing
    ]


def neighbours(host: SimulatedHost) -> Sequence[Mapping[str, CimValue]]:
    """Returns its partners; none on a machine that is no domain controller."""
    if not host.identity.role.is_dc:
        return []
    return [
        {
            "IsDeletedSourceDsa": False,
            "LastSyncResult": item.result,
            "NamingContextDN": item.context,
            "NumConsecutiveSyncFailures": item.failures,
            "SourceDsaCN": item.partner.identity.name,
            "SourceDsaSite": item.partner.identity.site,
            "SyncOnStartup": item.on_startup,
            "TimeOfLastSyncSuccess": item.last_success,
        }
        for item in pulls(host)
    ]
