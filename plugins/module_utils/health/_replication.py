# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a domain controller has caught up: what it says of the partners that it pulls changes from.

The same facts come in two forms: XML in the constructed attribute `msDS-NCReplInboundNeighbors` of a naming context
(MS-ADTS 3.1.1.4.5; the elements are named as the fields of DS_REPL_NEIGHBORW, MS-DRSR 4.1.13.1.7), and instances of the
WMI class MSAD_ReplNeighbor (wsman.md 4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Union

from ansible_collections.entsso.password_sync.plugins.module_utils._plan import Unknown
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._untrusted_xml import parse_untrusted
from ansible_collections.entsso.password_sync.plugins.module_utils.health._gate import Gate, GateName, Verdict
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap import _ldap_dn

LOST_BEFORE = timedelta(days=1)
"""A partner that was last pulled from so long before the change was lost before it, and is not waited for."""

_SYNC_ON_STARTUP = 0x20
"""DS_REPL_NBR_SYNC_ON_STARTUP in `dwReplicaFlags`: normally of partners in the same site (ntdsapi.h)."""

_DELETED = "\\0ADEL:"
"""What the name of a deleted object has in it (MS-ADTS 3.1.1.5.5)."""

_NEVER_BEFORE = 1980
"""Year before which a time means never: the zero of Windows is 1601."""

_REMEDY = (
    "Look at it with `repadmin /showrepl`; where the partner is gone for good, remove its remains from the directory"
)
_UNKNOWN_REMEDY = (
    "Configure a directory account that may read msDS-NCReplInboundNeighbors (the right Monitor Active Directory "
    "Replication), or name `replication` in `accept_unknown` to go on without knowing"
)


@dataclass(frozen=True)
class Neighbour:
    """A partner that changes of one part of the directory are pulled from.

    Attributes:
        partner: Its short name.
        context: Distinguished name of the part.
        result: Win32 error of the last attempt; 0 for success.
        last_success: When it was last pulled from, UTC; None for never.
        on_startup: Whether it is pulled from when Windows starts; else only on a schedule, which may be hours away.
        deleted: Whether it is a domain controller no more, and what is left of it has not been tidied up yet.
    """

    partner: str
    context: str
    result: int
    last_success: datetime | None
    on_startup: bool = True
    deleted: bool = False


@dataclass(frozen=True)
class NoPartners:
    """There is nobody to pull from: it is the only domain controller of its forest."""


Partners = Union[tuple[Neighbour, ...], NoPartners, Unknown]


def parse_neighbour(text: str) -> Neighbour:
    """Reads one value of `msDS-NCReplInboundNeighbors`.

    Raises:
        ValueError: It is none.
    """
    root = parse_untrusted(text.rstrip("\0 \r\n\t").encode())
    if root.tag != "DS_REPL_NEIGHBOR":
        raise ValueError(f"the answer is {root.tag[:60]!r} and no DS_REPL_NEIGHBOR")
    values = {child.tag: (child.text or "").strip() for child in root}
    missing = [name for name in ("pszNamingContext", "pszSourceDsaDN", "dwLastSyncResult") if not values.get(name)]
    if missing:
        raise ValueError(f"the answer has no {' and no '.join(missing)}")
    try:
        when = datetime.fromisoformat(values.get("ftimeLastSyncSuccess") or "1601-01-01T00:00:00Z")
        result = int(values["dwLastSyncResult"])
        flags = int(values.get("dwReplicaFlags") or _SYNC_ON_STARTUP)
    except ValueError:
        raise ValueError("the answer holds a time or a number that can't be read") from None
    return Neighbour(
        partner=_server(values["pszSourceDsaDN"]),
        context=values["pszNamingContext"],
        result=result,
        last_success=past(when),
        on_startup=bool(flags & _SYNC_ON_STARTUP),
        deleted=_DELETED in values["pszSourceDsaDN"],
    )


def past(when: datetime | None) -> datetime | None:
    """Returns a time of replication in UTC; None where it means never."""
    if when is None or when.year < _NEVER_BEFORE:
        return None
    return when.astimezone(UTC) if when.tzinfo is not None else when.replace(tzinfo=UTC)


def matters(context: str, domain: str) -> bool:
    """Whether a part of the directory counts: the own domain, the configuration and the schema.

    Args:
        context: Distinguished name of the part.
        domain: DNS name of the own domain.
    """
    names = _ldap_dn.parts(context)
    if all(item.lower().startswith("dc=") for item in names):
        return ".".join(_ldap_dn.value(item) for item in names).casefold() == domain.casefold()
    first = names[0].casefold() if names else ""
    return first in ("cn=configuration", "cn=schema")


def replication_gate(partners: Partners, domain: str, booted: datetime, since: datetime | None = None) -> Gate:
    """Says whether every partner has been pulled from, those that are at every start since this one.

    Args:
        partners: What was read.
        domain: DNS name of the own domain.
        booted: When Windows started.
        since: When the change began, unless Windows has started later: what was lost long before is not waited for.
    """
    if isinstance(partners, Unknown):
        return Gate(GateName.REPLICATION, Verdict.UNKNOWN, partners.reason, _UNKNOWN_REMEDY)
    if isinstance(partners, NoPartners):
        return Gate(GateName.REPLICATION, Verdict.PASSED, "it is the only domain controller, so nothing is replicated")
    counted = [item for item in partners if matters(item.context, domain) and not item.deleted]
    if not counted:
        return Gate(
            GateName.REPLICATION,
            Verdict.UNKNOWN,
            "it names no partner that it pulls its domain, the configuration or the schema from",
            _UNKNOWN_REMEDY,
        )
    behind = [item for item in counted if not _caught_up(item, booted)]
    begin = max(booted, since or booted)
    lost = [item for item in behind if _lost_before(item, begin) and _another(item, counted, booted)]
    waited = [item for item in behind if item not in lost]
    if waited:
        told = "; ".join(_told(item) for item in _by_partner(waited))
        return Gate(
            GateName.REPLICATION, Verdict.WAITING, f"it has not caught up with {told} since it started", _REMEDY
        )
    told = _passed([item for item in counted if item not in lost])
    if lost:
        told += f"; it had lost {'; '.join(_told(item) for item in _by_partner(lost))} long before"
    return Gate(GateName.REPLICATION, Verdict.PASSED, told)


def _caught_up(item: Neighbour, booted: datetime) -> bool:
    if item.result != 0 or item.last_success is None:
        return False
    # The times of replication have no fractions.
    return not item.on_startup or item.last_success >= booted.replace(microsecond=0)


def _lost_before(item: Neighbour, begin: datetime) -> bool:
    return item.last_success is None or begin - item.last_success > LOST_BEFORE


def _another(item: Neighbour, counted: Sequence[Neighbour], booted: datetime) -> bool:
    context = _ldap_dn.key(item.context)
    return any(_ldap_dn.key(other.context) == context and _caught_up(other, booted) for other in counted)


def _by_partner(items: Sequence[Neighbour]) -> list[Neighbour]:
    """Returns one of each partner, the one with an error first."""
    ordered = sorted(items, key=lambda item: (item.partner.casefold(), item.result == 0, item.context))
    return list({item.partner.casefold(): item for item in reversed(ordered)}.values())[::-1]


def _passed(items: Sequence[Neighbour]) -> str:
    fresh = {item.partner.casefold() for item in items if item.on_startup}
    scheduled = {item.partner.casefold() for item in items} - fresh
    parts = []
    if fresh:
        parts.append(
            f"it has pulled from {'its partner' if len(fresh) == 1 else f'all {len(fresh)} partners'} since it started"
        )
    if scheduled:
        parts.append(f"it pulls from {len(scheduled)} on a schedule, the last time without an error")
    return ", and ".join(parts)


def _told(item: Neighbour) -> str:
    last = f"{item.last_success:%Y-%m-%dT%H:%M:%SZ}" if item.last_success else "never"
    return f"{item.partner} for {item.context} (last success {last}, last result {item.result})"


def _server(settings: str) -> str:
    """Returns DC02 of CN=NTDS Settings,CN=DC02,CN=Servers,...; the whole where it is no such name."""
    names = _ldap_dn.parts(settings)
    return _ldap_dn.value(names[1]) if len(names) > 2 and names[0].casefold() == "cn=ntds settings" else settings
