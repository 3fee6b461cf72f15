# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Password Synchronization feature of ENTSSO on an SSO server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ansible_collections.entsso.password_sync.plugins.module_utils._names import PASSWORD_SYNC_LIBRARY
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import (
    Absent,
    Change,
    Effect,
    Estate,
    Implication,
    Key,
    Observation,
    Operation,
    PlanError,
    Present,
    Unknown,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._eventlog import Event

RESOURCE = "sso_feature"
NAME = "Password Synchronization"

STARTED_EVENTS = (10650, 10651)
"""ENTSSO, Application log: password sync services are available, were initialized (entsso.md 6.1)."""

LIBRARY_FAILED_EVENT = 10512
"""ENTSSO: a server DLL, which the event names, could not be loaded (entsso.md 1.1 and 6)."""

FAILED_EVENTS = (LIBRARY_FAILED_EVENT, 10652)
"""Ditto, and 10652: password sync services failed to initialize (entsso.md 6.1)."""


@dataclass(frozen=True)
class FeatureState:
    """The feature as observed.

    Attributes:
        installed: True; a feature that is not installed is Absent.
        evidence: What proves it.
    """

    installed: bool = True
    evidence: str = field(default="", metadata={"verified": False})


@dataclass(frozen=True)
class DesiredFeature:
    """What installs the feature.

    Attributes:
        can_install: Whether media and arguments were given; otherwise the feature is only verified.
        tools: Tools that come with the feature, name to full path.
    """

    can_install: bool
    tools: Mapping[str, str] = field(default_factory=dict)


def key(subject: str) -> Key:
    """Returns the key of the feature on an SSO server."""
    return Key(subject, RESOURCE, NAME)


def judge_presence(
    *, entsso_exists: bool, library_exists: bool, events: Sequence[Event], boot_time: datetime | None
) -> Observation:
    """Judges whether the feature is installed.

    The library alone proves nothing: Microsoft's support tells people to copy it to silence an event. ENTSSO
    itself says at each start whether password sync services are available (entsso.md 1.1).

    Args:
        entsso_exists: Whether the ENTSSO service exists.
        library_exists: Whether SSOPSServer.dll is in the installation directory.
        events: Events of the source ENTSSO, any order.
        boot_time: Start of Windows; older events are not considered.
    """
    if not entsso_exists:
        return Unknown("the ENTSSO service does not exist here, so there is nothing that the feature could belong to")
    if not library_exists:
        return Absent()
    told = [event for event in events if _about_the_feature(event) and (boot_time is None or event.time >= boot_time)]
    if not told:
        return Unknown(
            "SSOPSServer.dll is there, and ENTSSO has logged neither 10651 (initialized) nor an error since Windows "
            "started; restart the ENTSSO service so that it says which"
        )
    last = max(told, key=lambda event: (event.time, event.record_id))
    if last.event_id in FAILED_EVENTS:
        return Unknown(
            f"SSOPSServer.dll is there and ENTSSO logged error {last.event_id} at {last.time:%Y-%m-%dT%H:%M:%SZ}"
        )
    return Present(FeatureState(evidence=f"event {last.event_id} of {last.time:%Y-%m-%dT%H:%M:%SZ}"))


def _about_the_feature(event: Event) -> bool:
    if event.event_id == LIBRARY_FAILED_EVENT:
        return any(PASSWORD_SYNC_LIBRARY.lower() in value.lower() for value in event.data)
    return event.event_id in (*STARTED_EVENTS, *FAILED_EVENTS)


def plan(subject: str, desired: DesiredFeature, estate: Estate) -> tuple[Change, ...]:
    """Returns the installation, or nothing.

    Raises:
        PlanError: The state is unknown, or the feature is missing and there is nothing to install it from.
    """
    observed = estate.get(key(subject))
    if isinstance(observed, Present):
        return ()
    if isinstance(observed, Unknown):
        raise PlanError(
            subject,
            f"Whether Password Synchronization is installed on {subject} is not known: {observed.reason}.",
            "Clear this up on the SSO server, then run again.",
        )
    if not desired.can_install:
        raise PlanError(
            subject,
            f"Password Synchronization is not installed on {subject}, and no setup was given.",
            "Install it by hand from Platforms\\SSO of the media, or give setup_path, setup_sha256, setup_arguments.",
        )
    # ENTSSO says only when it starts which services it has, so it is restarted unless the setup does so.
    implies = frozenset({Implication.SERVICE_RESTART})
    leaves = [Effect(Key(subject, "tool", name), {"path": path}) for name, path in sorted(desired.tools.items())]
    return (
        Change(
            subject, RESOURCE, NAME, Operation.INSTALL, new={"installed": True}, implies=implies, leaves=tuple(leaves)
        ),
    )
