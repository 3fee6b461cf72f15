# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A check of a host before a rollout: its verdict, and what all of them come to. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """What a check says. What could not be read is unknown, and is never taken for go."""

    GO = "go"
    WARNING = "warning"
    UNKNOWN = "unknown"
    NO_GO = "no_go"


class Name(StrEnum):
    """The checks, in the order in which they are told."""

    REACHABLE = "reachable"
    DOMAIN_CONTROLLER = "domain_controller"
    DIRECTORY = "directory"
    WRITABLE = "writable"
    RIGHTS = "rights"
    OPERATING_SYSTEM = "operating_system"
    MEDIA = "media"
    SIGNATURE = "signature"
    FREE_SPACE = "free_space"
    LSA_PROTECTION = "lsa_protection"
    NOTIFICATION_PACKAGES = "notification_packages"
    PENDING_RESTART = "pending_restart"
    REPLICATION = "replication"
    SITE = "site"
    BACKUP = "backup"
    DIRECTORY_RIGHTS = "directory_rights"


OPTIONAL = frozenset({Name.SIGNATURE, Name.BACKUP, Name.DIRECTORY_RIGHTS})
"""Checks that may stay unknown: Active Directory, or the file, does not always tell, or others may do that part."""

ALWAYS = frozenset({Name.REACHABLE, Name.DOMAIN_CONTROLLER, Name.DIRECTORY, Name.WRITABLE, Name.MEDIA})
"""Checks that stop a run also where nothing is to be done: the inventory, the variables or the network are wrong."""

NEVER_ACCEPTED = frozenset({Name.REACHABLE, Name.DOMAIN_CONTROLLER})
"""Checks without which nothing could be done."""

ORDER = {name: number for number, name in enumerate(Name)}


@dataclass(frozen=True)
class Unread:
    """Something that could not be read.

    Attributes:
        reason: Why, a clause or a sentence.
        remedy: What to do, one sentence.
    """

    reason: str
    remedy: str = ""


@dataclass(frozen=True)
class Check:
    """One check of one host.

    Attributes:
        name: Which.
        verdict: What it says.
        msg: Why, whole sentences; the host is not named in them.
        remedy: What to do, one sentence; empty where there is nothing to do.
    """

    name: Name
    verdict: Verdict
    msg: str
    remedy: str = ""

    @property
    def stops(self) -> bool:
        """Whether it makes the host a no-go."""
        return self.verdict is Verdict.NO_GO or (self.verdict is Verdict.UNKNOWN and self.name not in OPTIONAL)

    @property
    def sentence(self) -> str:
        """What it says and what to do."""
        return f"{self.msg} {self.remedy}".strip()

    def to_json(self) -> dict[str, str]:
        """Returns it in the form that the module returns."""
        return {"name": self.name.value, "verdict": self.verdict.value, "msg": self.msg, "remedy": self.remedy}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Check:
        """Returns what `to_json` returned."""
        return cls(Name(data["name"]), Verdict(data["verdict"]), str(data["msg"]), str(data["remedy"]))


def unread(name: Name, what: str, reading: Unread) -> Check:
    """Returns the check of something that could not be read.

    Args:
        name: The check.
        what: What it is that is not known, a clause that begins with a capital.
        reading: Why.
    """
    remedy = reading.remedy.strip().rstrip(".")
    return Check(
        name, Verdict.UNKNOWN, f"{what}: {reading.reason.strip().rstrip('.')}.", f"{remedy}." if remedy else ""
    )


def settled(checks: Sequence[Check], accepted: Mapping[Name, str], *, work: bool) -> tuple[Check, ...]:
    """Returns the checks in their order, with what was accepted and what does not matter as warnings.

    Args:
        checks: What was found.
        accepted: By name the reason why what it found is accepted.
        work: Whether there is something to do on the host. Where there is nothing, what a change would need does
            not matter now.
    """
    return tuple(_settled(check, accepted, work=work) for check in sorted(checks, key=lambda item: ORDER[item.name]))


def _settled(check: Check, accepted: Mapping[Name, str], *, work: bool) -> Check:
    if not check.stops:
        return check
    reason = accepted.get(check.name)
    if reason and check.name not in NEVER_ACCEPTED:
        return replace(check, verdict=Verdict.WARNING, msg=f"{check.msg} Accepted: {reason.rstrip('.')}.", remedy="")
    if not work and check.name not in ALWAYS:
        return replace(check, verdict=Verdict.WARNING, msg=f"{check.msg} Nothing is to be done here now.")
    return check


def stopping(checks: Sequence[Check]) -> tuple[Check, ...]:
    """Returns the checks that make a host a no-go; none when it is a go."""
    return tuple(check for check in checks if check.stops)
