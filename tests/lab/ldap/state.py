# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a domain controller says of itself: its rootDSE (MS-ADTS 3.1.1.3.2), the LDAP ping (6.3.3), and the partners
that it pulls changes from, as the constructed attribute that each part of the directory has for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from lab.replication import pulls
from lab.windows.identity import HostRole

from .objects import LdapObject, base_of, settings_dn

if TYPE_CHECKING:
    from lab.windows.host import SimulatedHost

_NEIGHBOURS = "msds-ncreplinboundneighbors"
_SERVES, _PAUSED = 23, 24
_WRITABLE_PART, _ON_STARTUP, _SCHEDULED = 0x10, 0x20, 0x40
"""DS_REPL_NBR_WRITEABLE, _SYNC_ON_STARTUP and _DO_SCHEDULED_SYNCS (ntdsapi.h)."""
_CATALOG, _LDAP, _DOMAIN_CONTROLLER, _KERBEROS, _TIME, _WRITABLE = 0x4, 0x8, 0x10, 0x20, 0x40, 0x100


def root_state(host: SimulatedHost, forest: str) -> Mapping[str, tuple[bytes, ...]]:
    """Return what changes with the state of the machine, by attribute in lower case.

    Args:
        host: The domain controller.
        forest: DNS name of the forest.
    """
    configuration = f"CN=Configuration,{base_of(forest)}"
    values = {
        "currenttime": f"{host.now():%Y%m%d%H%M%S}.0Z",
        "dsservicename": settings_dn(host, configuration),
        "isglobalcatalogready": "TRUE",
        "issynchronized": "FALSE" if host.faults.not_synchronized else "TRUE",
    }
    return {**{name: (text.encode(),) for name, text in values.items()}, "netlogon": (_ping(host, forest),)}


def with_partners(objects: Sequence[LdapObject], host: SimulatedHost, forest: str) -> list[LdapObject]:
    """Return the objects of a directory with the partners of one domain controller in them."""
    configuration = f"CN=Configuration,{base_of(forest)}"
    found: dict[str, list[bytes]] = {}
    if not host.faults.replication_hidden:
        for item in pulls(host):
            lines = {
                "pszNamingContext": item.context,
                "pszSourceDsaDN": settings_dn(item.partner, configuration),
                "ftimeLastSyncSuccess": f"{item.last_success:%Y-%m-%dT%H:%M:%SZ}",
                "dwReplicaFlags": str(_WRITABLE_PART | _SCHEDULED | (_ON_STARTUP if item.on_startup else 0)),
                "dwLastSyncResult": str(item.result),
                "cNumConsecutiveSyncFailures": str(item.failures),
            }
            inner = "".join(f"\t<{name}>{escape(text)}</{name}>\n" for name, text in lines.items())
            text = f"<DS_REPL_NEIGHBOR>\n{inner}</DS_REPL_NEIGHBOR>\n\0"
            found.setdefault(item.context.lower(), []).append(text.encode())
    return [
        LdapObject(item.dn, {**item.values, _NEIGHBOURS: tuple(found[item.dn.lower()])})
        if item.dn.lower() in found
        else item
        for item in objects
    ]


def _ping(host: SimulatedHost, forest: str) -> bytes:
    """Return a NETLOGON_SAM_LOGON_RESPONSE_EX (MS-ADTS 6.3.1.9), its names without compression."""
    identity = host.identity
    flags = _CATALOG | _LDAP | _DOMAIN_CONTROLLER
    for service, flag in (("Kdc", _KERBEROS), ("W32Time", _TIME)):
        flags |= flag if host.services.is_running(service) else 0
    flags |= _WRITABLE if identity.role is HostRole.WRITABLE_DC else 0
    paused = host.faults.not_advertised or not host.services.is_running("Netlogon")
    names = (
        forest,
        identity.domain,
        identity.fqdn,
        host.surroundings.directory_of(identity.domain).netbios_name,
        identity.name,
        "",
        identity.site,
        "",
    )
    return b"".join(
        (
            (_PAUSED if paused else _SERVES).to_bytes(2, "little"),
            bytes(2),
            flags.to_bytes(4, "little"),
            bytes(16),
            *(_encoded(name) for name in names),
            (5).to_bytes(4, "little"),
            b"\xff\xff\xff\xff",
        )
    )


def _encoded(name: str) -> bytes:
    """Return a name as RFC 1035 has it."""
    labels = [label.encode() for label in name.split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
