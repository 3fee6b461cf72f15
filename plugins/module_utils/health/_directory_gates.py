# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gates that the directory service of the domain controller answers over LDAP."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.entsso.password_sync.plugins.module_utils.health._gate import Gate, GateName, Verdict
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_filter import equals

PING_ATTRIBUTE = "netlogon"
"""Read from the rootDSE, over TCP too, it is the LDAP ping (MS-ADTS 3.1.1.3.2.14)."""

_NT_VERSION = r"(NtVer=\06\00\00\00)"
"""NETLOGON_NT_VERSION_5 and _5EX (MS-ADTS 6.3.1.1): the answer has the layout of 6.3.1.9."""

_SERVES, _PAUSED, _PAUSED_EX = 23, 20, 24
"""LOGON_SAM_LOGON_RESPONSE_EX, LOGON_SAM_PAUSE_RESPONSE and _EX (MS-ADTS 6.3.1.3)."""

_FLAGS = {0x8: "LDAP server", 0x10: "domain controller", 0x20: "Kerberos server"}
"""DS_LDAP_FLAG, DS_DS_FLAG, DS_KDC_FLAG (MS-ADTS 6.3.1.2)."""

_TRUE = "TRUE"


@dataclass(frozen=True)
class Synchronized:
    """What the rootDSE says of the state of the copy (MS-ADTS 3.1.1.3.2).

    Attributes:
        synchronized: `isSynchronized`; empty where it is not told.
        catalog: Whether it is meant to be a global catalog.
        catalog_ready: `isGlobalCatalogReady`; empty where it is not told.
    """

    synchronized: str
    catalog: bool
    catalog_ready: str


def ping_filter(domain: str) -> str:
    """Returns the filter of the LDAP ping for a domain (MS-ADTS 6.3.3)."""
    return f"(&{equals('DnsDomain', domain)}{_NT_VERSION})"


def ldap_gate(expected: str, answered: str) -> Gate:
    """Says whether the domain controller itself answers.

    Args:
        expected: Its full name, as Windows tells it.
        answered: The name in the rootDSE.
    """
    if expected.casefold() == answered.casefold():
        return Gate(GateName.LDAP, Verdict.PASSED, "it answers over LDAP")
    return Gate(
        GateName.LDAP,
        Verdict.FAILED,
        f"at its name {answered or 'something without a name'} answers over LDAP, and not {expected}",
        "Correct the address of the domain controller in DNS, or in the inventory",
    )


def synchronized_gate(seen: Synchronized) -> Gate:
    """Says whether it has synchronized since it started."""
    if not seen.synchronized:
        return Gate(
            GateName.SYNCHRONIZED,
            Verdict.UNKNOWN,
            "its rootDSE does not say whether it is synchronized",
            "Name `synchronized` in `accept_unknown` where that is expected",
        )
    if seen.synchronized.upper() != _TRUE:
        return Gate(
            GateName.SYNCHRONIZED,
            Verdict.WAITING,
            "its directory is not synchronized yet",
            "Look at its replication with `repadmin /showrepl`",
        )
    if seen.catalog and seen.catalog_ready.upper() != _TRUE:
        return Gate(
            GateName.SYNCHRONIZED,
            Verdict.WAITING,
            "its directory is synchronized, and it is not ready as a global catalog yet",
            "Look in its Directory Service log for what keeps it from being one",
        )
    return Gate(
        GateName.SYNCHRONIZED,
        Verdict.PASSED,
        "its directory is synchronized" + (", and it is ready as a global catalog" if seen.catalog else ""),
    )


def advertised_gate(answer: bytes) -> Gate:
    """Says whether it offers itself to clients.

    Args:
        answer: What it answered to the LDAP ping; empty for nothing.
    """
    remedy = "Look at Netlogon and at SYSVOL there (`dcdiag /test:advertising`)"
    if not answer:
        return Gate(
            GateName.ADVERTISED, Verdict.WAITING, "it does not answer the LDAP ping by which clients find it", remedy
        )
    opcode = int.from_bytes(answer[:2], "little")
    if opcode in (_PAUSED, _PAUSED_EX):
        return Gate(
            GateName.ADVERTISED, Verdict.WAITING, "it answers the LDAP ping of clients that it is paused", remedy
        )
    if opcode != _SERVES or len(answer) < 8:
        return Gate(
            GateName.ADVERTISED,
            Verdict.UNKNOWN,
            f"its answer to the LDAP ping can't be understood (operation code {opcode}, {len(answer)} bytes)",
            "Name `advertised` in `accept_unknown` to go on without knowing",
        )
    flags = int.from_bytes(answer[4:8], "little")
    missing = [name for bit, name in _FLAGS.items() if not flags & bit]
    if missing:
        return Gate(
            GateName.ADVERTISED, Verdict.WAITING, f"it does not offer itself as {' and '.join(missing)}", remedy
        )
    return Gate(
        GateName.ADVERTISED,
        Verdict.PASSED,
        "it offers itself to clients as domain controller, LDAP and Kerberos server",
    )
