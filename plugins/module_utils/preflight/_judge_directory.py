# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges what the directory says of a domain controller and of those around it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Union

from ansible_collections.entsso.password_sync.plugins.module_utils._plan import Unknown
from ansible_collections.entsso.password_sync.plugins.module_utils.health._replication import (
    Neighbour,
    NoPartners,
    Partners,
    matters,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap import _ldap_dn
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._directory_rights import DirectoryRights
from ansible_collections.entsso.password_sync.plugins.module_utils.preflight._check import (
    Check,
    Name,
    Unread,
    Verdict,
    unread,
)

STALE = timedelta(days=1)
"""A partner that was last pulled from longer ago is told: between sites it is every three hours unless somebody set
something else (learn.microsoft.com, "Determine the interval"), and at least daily in any usual schedule."""


@dataclass(frozen=True)
class KnownDomainController:
    """A domain controller as the directory knows it.

    Attributes:
        dns_name: Full name, lower case.
        site: Its site.
        read_only: Whether it is an RODC.
        enabled: Whether its account is; None when not known.
        available: Whether it answered when it was asked; None when it was not.
        problems: What contradicts itself, sentences.
    """

    dns_name: str
    site: str
    read_only: bool
    enabled: Union[bool, None]
    available: Union[bool, None]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class DirectoryAnswer:
    """What the directory answered once for all hosts of the run.

    Attributes:
        configured: Whether the directory is configured at all.
        problem: Why it could not be read; empty when it was.
        domains: DNS names of the domains that were read, lower case.
        unread: By DNS name of a domain, why it could not be read.
        domain_controllers: All domain controllers of those domains.
    """

    configured: bool = False
    problem: str = ""
    domains: tuple[str, ...] = ()
    unread: tuple[tuple[str, str], ...] = ()
    domain_controllers: tuple[KnownDomainController, ...] = ()

    def find(self, name: str) -> Union[KnownDomainController, None]:
        """Returns a domain controller by its full name, None when it is not there."""
        return next((item for item in self.domain_controllers if item.dns_name == name.lower()), None)


def directory_answer(registered: Union[Mapping[str, Any], None]) -> DirectoryAnswer:
    """Returns what a registered `domain_controller_info` says; a task that was skipped is none."""
    if not registered or registered.get("skipped"):
        return DirectoryAnswer()
    if registered.get("failed") or "domain_controllers" not in registered:
        message = str(registered.get("msg") or "no reason was given").removeprefix("Task failed: ")
        return DirectoryAnswer(configured=True, problem=" ".join(message.split()))
    return DirectoryAnswer(
        configured=True,
        domains=tuple(str(item["dns_name"]).lower() for item in registered.get("domains") or ()),
        unread=tuple((str(name).lower(), str(reason)) for name, reason in (registered.get("unread") or {}).items()),
        domain_controllers=tuple(_known(item) for item in registered["domain_controllers"]),
    )


def _known(item: Mapping[str, Any]) -> KnownDomainController:
    return KnownDomainController(
        dns_name=str(item["dns_name"]).lower(),
        site=str(item.get("site") or ""),
        read_only=bool(item.get("read_only")),
        enabled=item.get("enabled"),
        available=item.get("available"),
        problems=tuple(str(text) for text in item.get("problems") or ()),
    )


def judge_directory(answer: DirectoryAnswer) -> Check:
    """Judges whether the directory can be asked at all."""
    name = Name.DIRECTORY
    if not answer.configured:
        return Check(
            name,
            Verdict.WARNING,
            "The directory is not configured, so it is not known whether this domain controller is read-only, whether "
            "it replicates, whether another one of its site is up, and when it was backed up.",
            "Set password_sync_ldap_domain or password_sync_ldap_server.",
        )
    if answer.problem:
        return Check(
            name,
            Verdict.UNKNOWN,
            f"The directory could not be read: {answer.problem}",
            "" if answer.problem.endswith(".") else "Correct the variables password_sync_ldap_*.",
        )
    return Check(name, Verdict.GO, f"The directory knows {len(answer.domain_controllers)} domain controllers.")


def judge_writable(answer: DirectoryAnswer, name: str, domain: str) -> Check:
    """Judges whether the directory knows a host as a writable domain controller.

    Args:
        answer: What the directory says.
        name: Full name of the host, as it says itself.
        domain: DNS name of its domain, as it says itself.
    """
    found = answer.find(name)
    if found is None:
        reason = dict(answer.unread).get(domain.lower())
        if reason is not None or domain.lower() not in answer.domains:
            return unread(
                Name.WRITABLE,
                "Whether it is writable is not known",
                Unread(
                    reason or f"the directory was asked for {', '.join(answer.domains) or 'no domain'}",
                    "Set password_sync_ldap_forest to true, so that all domains of the forest are asked",
                ),
            )
        return Check(
            Name.WRITABLE,
            Verdict.NO_GO,
            f"{name} says that it is a domain controller of {domain}, and the directory has none of that name.",
            "Look whether its promotion or demotion ended, and whether its address in the inventory is right.",
        )
    if found.read_only:
        return Check(
            Name.WRITABLE,
            Verdict.NO_GO,
            "The directory knows it as a read-only domain controller, and the inventory has it among the writable "
            "ones. Password changes are never made on it.",
            "Move it to the group rodc, or exempt it with a reason in pcns_exempt.",
        )
    if found.enabled is False:
        return Check(
            Name.WRITABLE,
            Verdict.NO_GO,
            "Its account is disabled in the directory, so it does not replicate and may not come back as a domain "
            "controller after a restart.",
            "Enable the account, or demote the domain controller and take it out of the inventory.",
        )
    if found.problems:
        return Check(Name.WRITABLE, Verdict.WARNING, f"It is writable. {' '.join(found.problems)}")
    return Check(Name.WRITABLE, Verdict.GO, "The directory knows it as a writable domain controller.")


def judge_site(answer: DirectoryAnswer, name: str) -> Union[Check, None]:
    """Judges whether another writable domain controller of the site serves while this one restarts.

    Returns:
        The check; None when the directory does not know the host, which is told by `judge_writable`.
    """
    own = answer.find(name)
    if own is None:
        return None
    others = [
        item
        for item in answer.domain_controllers
        if item.site == own.site and not item.read_only and item.enabled is not False and item is not own
    ]
    site = own.site or "unknown"
    if not others:
        return Check(
            Name.SITE,
            Verdict.WARNING,
            f"It is the only writable domain controller of the site {site}, whose clients log on in another site while "
            "it restarts.",
        )
    up = [item.dns_name for item in others if item.available]
    if up:
        return Check(Name.SITE, Verdict.GO, f"Up in the site {site} as well: {', '.join(up)}.")
    names = ", ".join(item.dns_name for item in others)
    if any(item.available is None for item in others):
        return unread(
            Name.SITE,
            f"Whether another domain controller of the site {site} is up is not known",
            Unread(f"nobody asked {names}", "Run the playbook preflight.yml, which asks them"),
        )
    return Check(
        Name.SITE,
        Verdict.NO_GO,
        f"No other domain controller of the site {site} is up: {names} did not answer.",
        "Bring one of them up before this one restarts.",
    )


@dataclass(frozen=True)
class Backup:
    """The last backup of a partition of the directory, as replicated metadata tell it.

    Attributes:
        made_at: When, UTC.
        server: Distinguished name of the directory service that made it; may be empty.
    """

    made_at: datetime
    server: str


def judge_backup(backup: Union[Backup, Unread, None], now: datetime, days: int) -> Check:
    """Judges how old the last backup of the domain is, of which any domain controller can have made it.

    Where the directory does not tell, it is a warning: not every backup software registers what it does.
    """
    name = Name.BACKUP
    advice = "Back up the system state of a domain controller before the rollout, and see that it can be restored."
    if isinstance(backup, Unread):
        return Check(name, Verdict.WARNING, f"When the domain was backed up is not known: {backup.reason}.", advice)
    if backup is None:
        return Check(name, Verdict.WARNING, "The directory tells of no backup of the domain.", advice)
    age = (now - backup.made_at).total_seconds() / 86400
    when = (
        f"The domain was last backed up on {backup.made_at:%Y-%m-%d}{_by(backup.server)}, {max(0, int(age))} days ago"
    )
    if age > days:
        return Check(name, Verdict.NO_GO, f"{when}; at most {days} are wanted.", advice)
    return Check(name, Verdict.GO, f"{when}.")


def _by(server: str) -> str:
    """`CN=NTDS Settings,CN=DC01,CN=Servers,...` is DC01."""
    parts = server.split(",")
    return f" by {parts[1].partition('=')[2]}" if len(parts) > 1 else ""


def judge_replication(partners: Union[Partners, Unread], domain: str, now: datetime) -> Check:
    """Judges whether a domain controller pulls changes from all its partners.

    Args:
        partners: What is known of them.
        domain: DNS name of its domain.
        now: Its own time.
    """
    name = Name.REPLICATION
    if isinstance(partners, (Unread, Unknown)):
        remedy = partners.remedy if isinstance(partners, Unread) else ""
        advice = remedy or (
            "Let the directory account read it (the right Monitor Active Directory Replication), or look with repadmin "
            "/showrepl and accept replication"
        )
        return unread(name, "Whether it replicates is not known", Unread(partners.reason, advice))
    if isinstance(partners, NoPartners):
        return Check(name, Verdict.GO, "It is the only domain controller, so nothing is replicated.")
    counted = [item for item in partners if matters(item.context, domain)]
    if not counted:
        reason = "it names no partner that it pulls its domain, the configuration or the schema from"
        return unread(name, "Whether it replicates is not known", Unread(reason, "Look with repadmin /showrepl"))
    wrong = {item: text for item in counted if (text := _trouble(item, now))}
    if not wrong:
        number = len({item.partner.casefold() for item in counted})
        told = f"It pulls changes from {number} partner{'' if number == 1 else 's'} without error."
        return Check(name, Verdict.GO, told)
    told = "; ".join(wrong.values())
    well = {_ldap_dn.key(item.context) for item in counted if item not in wrong}
    if all(_ldap_dn.key(item.context) in well for item in wrong):
        return Check(
            name,
            Verdict.WARNING,
            f"It does not pull from every partner: {told}. Another partner brings it the same changes.",
            "Look with repadmin /showrepl.",
        )
    return Check(
        name,
        Verdict.NO_GO,
        f"It does not pull all changes: {told}.",
        "Mend replication first (repadmin /showrepl); a restart would make it harder to see what is wrong.",
    )


def _trouble(item: Neighbour, now: datetime) -> str:
    what = f"{item.context} from {item.partner}"
    if item.result != 0:
        since = f", last success {item.last_success:%Y-%m-%dT%H:%MZ}" if item.last_success else ", never a success"
        return f"{what} failed with error {item.result}{since}"
    if item.last_success is None:
        return f"{what} was never pulled"
    if now - item.last_success > STALE:
        return f"{what} was last pulled {item.last_success:%Y-%m-%dT%H:%MZ}"
    return ""


def judge_directory_rights(
    rights: Union[DirectoryRights, Unread],
    over_ldap: Union[DirectoryRights, Unread],
    extended: Union[bool, Unread],
    domain: str,
) -> Check:
    """Judges what the accounts may do in the directory, which other people may have to do instead.

    Args:
        rights: Groups of the account of the connection, with which pcnscfg and the packages run.
        over_ldap: Those of the account that the directory is asked with, which writes service principal names.
        extended: Whether the schema has the classes of PCNS.
        domain: DNS name of the domain.
    """
    name = Name.DIRECTORY_RIGHTS
    what = "What the account may do in the directory is not known"
    if isinstance(rights, Unread):
        return unread(name, what, rights)
    if isinstance(over_ldap, Unread):
        return unread(name, what, over_ldap)
    if rights.unknown or over_ldap.unknown:
        return unread(name, what, Unread(rights.unknown or over_ldap.unknown))
    lacks: list[str] = []
    if not rights.may_configure:
        lacks.append(f"PCNS configuration and targets (pcnscfg) need Domain Admins of {domain} or Enterprise Admins")
    if extended is not True and not rights.may_extend_schema:
        state = "is not extended yet, and extending it needs" if extended is False else "may have to be extended, with"
        lacks.append(f"the schema {state} {' and '.join(rights.missing_for_schema)}")
    told = []
    if lacks:
        told.append(f"{rights.account} may not write all that PCNS has in the directory: {'; '.join(lacks)}.")
    if not over_ldap.may_configure:
        told.append(
            f"Service principal names are written over LDAP by {over_ldap.account}, which is no administrator of "
            f"{domain}: directory.yml in check mode tells whether it has the right to."
        )
    if told:
        return Check(
            name,
            Verdict.WARNING,
            " ".join(told),
            "Let somebody with these rights run schema.yml, directory.yml and go_live.yml, or add the account for the "
            "time of the rollout.",
        )
    return Check(name, Verdict.GO, f"{rights.account} may write what PCNS has in the directory.")
