# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One password change on its way from a domain controller to the adapters."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Outcome(StrEnum):
    """What has become of a password change so far."""

    NOT_CAPTURED = "not captured"
    """No filter is loaded on that DC: the change is lost for synchronization."""
    NOT_SENT = "not sent"
    """The filter is loaded, but no service takes the change, or no target is active."""
    FILTERED = "filtered"
    """The user is not in the inclusion group, or in the exclusion group."""
    QUEUED = "queued"
    """The target did not take it yet."""
    REJECTED = "rejected"
    """The target refused it."""
    DELIVERED = "delivered"
    """Every active target took it. What the adapters got is in `Tracking.adapters`."""


@dataclass(frozen=True)
class PasswordChange:
    """A change as PCNS hands it on; the password itself is not kept."""

    tracking_id: str
    domain: str
    """NetBIOS name."""
    user: str
    user_guid: str
    sha256: str
    length: int
    occurred_at: datetime

    @property
    def account(self) -> str:
        """DOMAIN\\user."""
        return f"{self.domain}\\{self.user}"


@dataclass
class Tracking:
    """What `Forest.change_password` returns; goes on being filled while the change is on its way."""

    change: PasswordChange
    domain_controller: str
    outcome: Outcome = Outcome.NOT_CAPTURED
    reason: str = ""
    adapters: list[str] = field(default_factory=list)
    """Names of the adapters that got the change."""


@dataclass(frozen=True)
class Arrival:
    """A password that reached an adapter."""

    adapter: str
    application: str
    external_account: str
    windows_account: str
    tracking_id: str
    sha256: str


@dataclass(frozen=True)
class Receipt:
    """How an SSO server answered a change."""

    accepted: bool
    event_id: int
    """Event that says so in the server's Application log; 0 for none."""
    reason: str
    adapters: tuple[str, ...] = ()
