# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random estates: a forest that changes as the plans say, to hold check, apply and compliance together."""

from __future__ import annotations

from dataclasses import fields, replace

from hypothesis import strategies as st

from ansible_collections.entsso.password_sync.plugins.module_utils import (
    _notification_package,
    _package,
    _pcns_service,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._notification_package import NotificationPackageState
from ansible_collections.entsso.password_sync.plugins.module_utils._package import (
    DesiredPackage,
    Leaves,
    PackageState,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._pcns_service import DesiredService, ServiceState
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import (
    KNOWN_AFTER_APPLY,
    Absent,
    Change,
    Effect,
    Estate,
    Key,
    Observation,
    Present,
    Unknown,
)

SUBJECT = "dc01.corp.example"
STATE_TYPES = {
    "msi_package": PackageState,
    "notification_package": NotificationPackageState,
    "pcns_service": ServiceState,
}

CAPTURE = DesiredPackage(
    name="Capture", product_code="{A}", version="2.0.0", leaves=Leaves(notification_packages=("PCNSFLT",))
)
SERVICE = DesiredPackage(name="PCNS", product_code="{B}", version="2.0.0", leaves=Leaves(services=("PCNSSVC",)))
BOTH_IN_ONE = DesiredPackage(
    name="PCNS",
    product_code="{C}",
    version="2.0.0",
    leaves=Leaves(("PCNSFLT",), ("PCNSSVC",), {"pcnscfg": "C:\\x.exe"}),
)

package_sets = st.sampled_from([(BOTH_IN_ONE,), (CAPTURE, SERVICE)])
desired_services = st.builds(
    DesiredService,
    state=st.sampled_from([None, "running", "stopped"]),
    start_mode=st.sampled_from([None, "auto", "manual"]),
    event_log_level=st.sampled_from([None, 0, 1, 2, 3]),
)
unknown = st.just(Unknown("access denied"))


def _package_observations(package: DesiredPackage) -> st.SearchStrategy[Observation]:
    states = st.sampled_from(["1.0.0", "2.0.0", "3.0"]).map(
        lambda version: Present(PackageState(package.product_code, version))
    )
    return st.one_of(st.just(Absent()), states, unknown)


_entries = st.builds(
    NotificationPackageState,
    registered=st.booleans(),
    installed=st.booleans(),
    loaded=st.sampled_from(["yes", "no", "unknown"]),
    blocked=st.booleans(),
    others=st.lists(st.sampled_from(["scecli", "rassfm"]), unique=True).map(tuple),
)
_services = st.builds(
    ServiceState,
    state=st.sampled_from(["running", "stopped"]),
    start_mode=st.sampled_from(["auto", "manual", "disabled"]),
    event_log_level=st.sampled_from([None, 0, 1, 2, 3]),
)


@st.composite
def estates(draw: st.DrawFn, packages: tuple[DesiredPackage, ...]) -> Estate:
    """Draws what may be observed of one domain controller, sense or nonsense."""
    observations: dict[Key, Observation] = {
        _package.key(SUBJECT, package): draw(_package_observations(package)) for package in packages
    }
    entry = draw(st.one_of(_entries.map(Present), unknown))
    service = draw(st.one_of(_services.map(Present), st.just(Absent()), unknown))
    observations[_notification_package.key(SUBJECT, "PCNSFLT")] = entry
    observations[_pcns_service.key(SUBJECT, "PCNSSVC")] = service
    return Estate(observations, STATE_TYPES)


class Windows:
    """A host that does what a change asks of it, written without the plan's own `project`.

    What Windows itself decides (`KNOWN_AFTER_APPLY`) is decided here by the drawn values.
    """

    def __init__(self, estate: Estate, started_state: str) -> None:
        self.observations = {key: estate.get(key) for key in estate.objects()}
        self.decided = {"state": started_state}

    def observe(self) -> Estate:
        return Estate(self.observations, STATE_TYPES)

    def carry_out(self, change: Change) -> None:
        for effect in change.effects:
            self._write(effect)

    def _write(self, effect: Effect) -> None:
        state_type = STATE_TYPES.get(effect.key.resource)
        if state_type is None:
            return
        if effect.values is None:
            self.observations[effect.key] = Absent()
            return
        before = self.observations.get(effect.key)
        state = before.state if isinstance(before, Present) else state_type()
        for item in fields(state_type):
            if item.name in effect.values:
                value = effect.values[item.name]
                state = replace(state, **{item.name: self.decided[item.name] if value == KNOWN_AFTER_APPLY else value})
        self.observations[effect.key] = Present(state)
