# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A finding: one control judged on one subject."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import Enum, StrEnum
from typing import Any

from ansible_collections.entsso.password_sync.plugins.module_utils._plan import JsonValue


class Status(StrEnum):
    """How a control stands. Only `COMPLIANT`, `WAIVED`, `EXEMPT` and `NOT_APPLICABLE` let a check pass."""

    COMPLIANT = "compliant"
    DRIFT = "drift"
    MANUAL = "manual"
    UNKNOWN = "unknown"
    WAIVED = "waived"
    EXEMPT = "exempt"
    NOT_APPLICABLE = "not_applicable"

    @property
    def passes(self) -> bool:
        """Whether a finding of this status lets the check pass; unknown never does."""
        return self in (Status.COMPLIANT, Status.WAIVED, Status.EXEMPT, Status.NOT_APPLICABLE)


class Severity(StrEnum):
    """How much is at stake while a control is not met, the gravest first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class CaptureState(StrEnum):
    """What a domain controller does with the password changes that are made on it."""

    ABSENT = "absent"
    RESTART_PENDING = "restart_pending"
    UNREGISTERED = "unregistered"
    BLOCKED = "blocked"
    LOADED = "loaded"
    WORKING = "working"
    UNKNOWN = "unknown"
    EXEMPT = "exempt"

    @property
    def captures(self) -> bool:
        """Whether LSA hands password changes on now. `LOADED` does not: nothing sends them on."""
        return self in (CaptureState.WORKING, CaptureState.UNREGISTERED)


@dataclass(frozen=True)
class Finding:
    """One control judged on one subject.

    Attributes:
        control: Identifier in the controls reference, for example `PCNS-004`.
        title: The control in a few words.
        severity: What is at stake.
        status: How it stands.
        subject: Host, domain or SSO system.
        site: Active Directory site of the subject, empty when it has none or is not known.
        message: What is the case, one sentence.
        consequence: What follows for users, one sentence; empty when compliant.
        evidence: Where it was seen, for example `registry`.
        observed_at: UTC time of the observation, ISO 8601 with `Z`.
        repair: The command that repairs it, or what a person must do; empty when nothing is to be done.
        restarts: How many host restarts the repair needs.
    """

    control: str
    title: str
    severity: Severity
    status: Status
    subject: str
    site: str = ""
    message: str = ""
    consequence: str = ""
    evidence: str = ""
    observed_at: str = ""
    repair: str = ""
    restarts: int = 0

    def to_json(self) -> dict[str, JsonValue]:
        """Returns the form that modules return and the JSON report holds."""
        return {
            item.name: value.value if isinstance(value := getattr(self, item.name), Enum) else value
            for item in fields(self)
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Finding:
        """Reads the form that `to_json` wrote.

        Raises:
            ValueError: The mapping is not a finding.
        """
        try:
            return cls(
                control=str(data["control"]),
                title=str(data["title"]),
                severity=Severity(str(data["severity"])),
                status=Status(str(data["status"])),
                subject=str(data["subject"]),
                site=str(data.get("site", "")),
                message=str(data.get("message", "")),
                consequence=str(data.get("consequence", "")),
                evidence=str(data.get("evidence", "")),
                observed_at=str(data.get("observed_at", "")),
                repair=str(data.get("repair", "")),
                restarts=int(data.get("restarts", 0)),
            )
        except KeyError as error:
            raise ValueError(f"a finding has no {error.args[0]}") from error
