# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who a domain controller pulls changes from, and how that goes: from every other writable one that has the same part
of the directory. Nothing is really copied, since the lab's directory is one; only the state is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from lab.windows.identity import HostRole

if TYPE_CHECKING:
    from lab.windows.host import SimulatedHost

UNREACHABLE = 1722
"""RPC_S_SERVER_UNAVAILABLE: what a pull from a machine that is down ends with."""


@dataclass(frozen=True)
class Pull:
    """The state of one part of the directory with one partner."""

    partner: SimulatedHost
    context: str
    result: int
    failures: int
    last_success: datetime
    on_startup: bool
    """Whether it pulls from this one when it starts; from other sites it does on a schedule."""


def pulls(host: SimulatedHost) -> Iterator[Pull]:
    """Yields what a domain controller knows of its partners."""
    configuration = f"CN=Configuration,{_base(_root_domain(host))}"
    for partner in host.surroundings.hosts.values():
        identity = partner.identity
        if partner is host or identity.role is not HostRole.WRITABLE_DC:
            continue
        contexts = [configuration, f"CN=Schema,{configuration}"]
        if identity.domain == host.identity.domain:
            contexts.insert(0, _base(identity.domain))
        error = host.faults.replication_error or (0 if partner.power.on else UNREACHABLE)
        last = host.boot_time - timedelta(hours=1) if error else host.now()
        for context in contexts:
            same_site = identity.site == host.identity.site
            yield Pull(partner, context, error, 3 if error else 0, last, same_site)


def _base(dns_name: str) -> str:
    return ",".join(f"DC={label}" for label in dns_name.split("."))


def _root_domain(host: SimulatedHost) -> str:
    """Returns the domain of the first machine of the estate, which the forest began with."""
    return next(iter(host.surroundings.hosts.values())).identity.domain
