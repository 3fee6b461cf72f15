# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The capture state of a domain controller: one word for what it does with password changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ansible_collections.entsso.password_sync.plugins.module_utils import _notification_package, _pcns_service
from ansible_collections.entsso.password_sync.plugins.module_utils._notification_package import NotificationPackageState
from ansible_collections.entsso.password_sync.plugins.module_utils._package import DesiredPackage, package_present
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import (
    KNOWN_AFTER_APPLY,
    Absent,
    Estate,
    Present,
    Unknown,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._finding import CaptureState


@dataclass(frozen=True)
class Capture:
    """The state and what it rests on.

    Attributes:
        state: One word.
        grade: `proved` or `inferred`, of the loading; empty when it does not apply.
        evidence: For people.
    """

    state: CaptureState
    grade: str = ""
    evidence: str = ""


def capture(
    subject: str, packages: Sequence[DesiredPackage], notification_package: str, service: str, estate: Estate
) -> Capture:
    """Returns the capture state of one domain controller from what is observed of it."""
    entry = estate.get(_notification_package.key(subject, notification_package))
    if not isinstance(entry, Present):
        reason = entry.reason if isinstance(entry, Unknown) else "the registry value is missing"
        return Capture(CaptureState.UNKNOWN, evidence=reason)
    state: NotificationPackageState = entry.state
    if state.blocked:
        return Capture(CaptureState.BLOCKED, state.grade, state.evidence)
    if state.loaded == "unknown":
        return Capture(CaptureState.UNKNOWN, evidence=state.evidence)
    if state.loaded == "no":
        missing = [package.name for package in packages if package_present(estate, subject, package) is False]
        if missing or not state.registered:
            return Capture(CaptureState.ABSENT, state.grade, state.evidence)
        return Capture(CaptureState.RESTART_PENDING, state.grade, state.evidence)
    if not state.registered:
        return Capture(CaptureState.UNREGISTERED, state.grade, state.evidence)
    running = _service_running(subject, service, estate)
    if running is None:
        return Capture(CaptureState.UNKNOWN, evidence="the service could not be read")
    return Capture(CaptureState.WORKING if running else CaptureState.LOADED, state.grade, state.evidence)


def _service_running(subject: str, service: str, estate: Estate) -> bool | None:
    observed = estate.get(_pcns_service.key(subject, service))
    if isinstance(observed, Absent):
        return False
    if isinstance(observed, Present):
        return observed.state.state in ("running", KNOWN_AFTER_APPLY)
    return None
