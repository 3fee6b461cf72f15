# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A gate: one thing that must hold before the next domain controller is touched, and what was seen of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What one look says of a gate."""

    PASSED = "passed"
    WAITING = "waiting"
    """Not yet; it may still come by itself."""
    FAILED = "failed"
    """It does not come by waiting."""
    UNKNOWN = "unknown"
    """It could not be read."""
    NOT_CHECKED = "not_checked"
    """It was left out, or there is nothing to look at."""


class GateName(StrEnum):
    """The gates, in the order in which a domain controller comes up."""

    BOOTED = "booted"
    NTDS = "ntds"
    NETLOGON = "netlogon"
    KDC = "kdc"
    DNS = "dns"
    DFSR = "dfsr"
    W32TIME = "w32time"
    SYSVOL_SHARE = "sysvol_share"
    NETLOGON_SHARE = "netlogon_share"
    FILTER = "filter"
    PCNS = "pcns"
    EVENTS = "events"
    LDAP = "ldap"
    SYNCHRONIZED = "synchronized"
    ADVERTISED = "advertised"
    REPLICATION = "replication"


@dataclass(frozen=True)
class Gate:
    """A gate as one look saw it.

    Attributes:
        name: Which.
        verdict: What is the case.
        sentence: What was seen, a clause without a full stop that follows the name of the domain controller.
        remedy: What to do, one sentence; empty where nothing is to be done.
    """

    name: GateName
    verdict: Verdict
    sentence: str
    remedy: str = ""

    def to_json(self) -> dict[str, str]:
        """Returns the form that the module returns."""
        return {
            "name": self.name.value,
            "verdict": self.verdict.value,
            "sentence": self.sentence,
            "remedy": self.remedy,
        }
