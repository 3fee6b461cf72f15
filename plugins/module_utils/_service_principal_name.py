# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Service principal names: each on one account of the forest and on no other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ansible_collections.entsso.password_sync.plugins.module_utils._plan import (
    Absent,
    Change,
    Estate,
    Key,
    Observation,
    Operation,
    PlanError,
    Present,
    Unknown,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap import _ldap_dn

RESOURCE = "service_principal_name"

ATTRIBUTE = "servicePrincipalName"

_SYNTAX = re.compile(r"[^\s/:]+/[^\s/:]+(?::[^\s/:]+)?(?:/[^\s]+)?")
"""class/host, class/host:port, and either with /name behind (MS-ADTS 2.2.21)."""


def same_accounts(left: object, right: object) -> bool:
    """Compares accounts by distinguished name, in any order."""
    return _keys(left) == _keys(right)


@dataclass(frozen=True)
class SpnState:
    """An SPN that somebody has.

    Attributes:
        accounts: Distinguished names of the accounts that have it; more than one is wrong.
    """

    accounts: tuple[str, ...] = field(default=(), metadata={"same": same_accounts})


@dataclass(frozen=True)
class DesiredSpns:
    """What is wanted.

    Attributes:
        names: The SPNs.
        account: Distinguished name of the account.
        present: Whether the account is to have them.
        force: Whether they may be taken from others.
    """

    names: tuple[str, ...]
    account: str
    present: bool = True
    force: bool = False


def key(forest: str, name: str) -> Key:
    """Returns the key of an SPN, which is one for the whole forest."""
    return Key(forest, RESOURCE, name)


def spns(subject: str, names: Iterable[str]) -> tuple[str, ...]:
    """Returns the names, each once: their case does not count.

    Raises:
        PlanError: One of them is no SPN, or there is none.
    """
    given = [name.strip() for name in names]
    wrong = [name for name in given if not _SYNTAX.fullmatch(name) or not name.isprintable()]
    if wrong or not given:
        what = (
            f"{', '.join(repr(name) for name in wrong)} is not a service principal name" if wrong else "There is none"
        )
        raise PlanError(
            subject, f"{what}.", "Write class/host in `name`, for example ENTSSO/sso01.corp.example and ENTSSO/sso01."
        )
    first: dict[str, str] = {}
    for name in given:
        first.setdefault(name.casefold(), name)
    return tuple(first.values())


def observation(accounts: Sequence[str]) -> Observation:
    """Returns what is known of an SPN when these accounts have it."""
    return Present(SpnState(tuple(sorted(accounts, key=_ldap_dn.key)))) if accounts else Absent()


def plan(forest: str, desired: DesiredSpns, estate: Estate) -> tuple[Change, ...]:
    """Returns the changes that bring SPNs to their wanted state, or nothing. Each takes or gives one SPN.

    What others have is taken first: a domain controller refuses an SPN that another account has.

    Raises:
        PlanError: Others have one of them and it may not be taken, or it is not known who does.
    """
    holders = {name: _holders(forest, name, estate) for name in desired.names}
    if not desired.present:
        return tuple(
            _change(forest, name, before, _without(before, desired.account))
            for name, before in holders.items()
            if _has(before, desired.account)
        )
    others = {name: _without(before, desired.account) for name, before in holders.items()}
    taken = {name: accounts for name, accounts in others.items() if accounts}
    if taken and not desired.force:
        raise PlanError(
            forest,
            f"T{conflicts(taken)[1:]}, and {desired.account} is to have "
            f"{'it' if len(taken) == 1 else 'them'} alone; nothing was changed.",
            "Correct `account` if it is not what the service runs as. Else remove the SPN there, or set `force` to "
            "true to take it from there: what runs as that account and answers to this name can then no longer be "
            "logged on to with Kerberos.",
        )
    changes: list[Change] = []
    for name, before in holders.items():
        now = before
        for other in others[name]:
            changes.append(_change(forest, name, now, _without(now, other)))
            now = _without(now, other)
        if not _has(now, desired.account):
            changes.append(_change(forest, name, now, (*now, desired.account)))
    return tuple(changes)


def conflicts(holders: dict[str, tuple[str, ...]]) -> str:
    """Returns who has which SPN, as a clause."""
    return "; ".join(f"the SPN {name} is on {' and on '.join(accounts)}" for name, accounts in holders.items())


def alias(name: str, mappings: Iterable[str]) -> str | None:
    """Returns the SPN that stands for another without being written anywhere, HOST/x for HTTP/x; None for none.

    Args:
        name: The SPN.
        mappings: The forest's sPNMappings, `host=alerter,http,...` (MS-ADTS 3.1.1.5.1.3).
    """
    service, _slash, rest = name.partition("/")
    for mapping in mappings:
        general, _equals, special = mapping.partition("=")
        if service.casefold() in (item.strip().casefold() for item in special.split(",")):
            return f"{general.strip()}/{rest}"
    return None


def _holders(forest: str, name: str, estate: Estate) -> tuple[str, ...]:
    observed = estate.get(key(forest, name))
    if isinstance(observed, Unknown):
        raise PlanError(
            forest,
            f"It is not known whether another account of the forest has the SPN {name}: {observed.reason}.",
            "Make a domain controller of that domain, or a global catalog, reachable from the control node.",
        )
    return () if isinstance(observed, Absent) else tuple(observed.state.accounts)


def _change(forest: str, name: str, before: tuple[str, ...], after: tuple[str, ...]) -> Change:
    if not after:
        return Change(forest, RESOURCE, name, Operation.DELETE, old={"accounts": list(before)})
    operation = Operation.UPDATE if before else Operation.CREATE
    old = {"accounts": list(before)} if before else {}
    return Change(forest, RESOURCE, name, operation, old=old, new={"accounts": list(after)})


def _has(accounts: Iterable[str], account: str) -> bool:
    return _ldap_dn.key(account) in _keys(accounts)


def _without(accounts: tuple[str, ...], account: str) -> tuple[str, ...]:
    return tuple(item for item in accounts if _ldap_dn.key(item) != _ldap_dn.key(account))


def _keys(accounts: object) -> frozenset[tuple[str, ...]]:
    return frozenset(_ldap_dn.key(str(item)) for item in accounts) if isinstance(accounts, Iterable) else frozenset()
