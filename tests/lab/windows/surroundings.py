# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a machine sees of the rest of the estate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from lab.directory import Directory
from lab.scheduler import Scheduler
from lab.settings import LabSettings

if TYPE_CHECKING:
    from lab.sso import SsoSystem
    from lab.windows.host import SimulatedHost


class Surroundings(Protocol):
    """The estate as one of its machines sees it."""

    scheduler: Scheduler
    settings: LabSettings
    sso: SsoSystem
    operator: str
    """Account that administrators log on with, DOMAIN\\name."""
    operator_password: str

    hosts: dict[str, SimulatedHost]
    """Every machine by full name in lower case."""

    more_accounts: dict[str, str]
    """Further accounts that log on, with passwords; what they may do is a setting of the endpoint."""

    def directory_of(self, domain: str) -> Directory:
        """Returns a domain by its DNS name."""

    def find_host(self, name: str) -> SimulatedHost | None:
        """Returns a machine by short or full name, None when the name resolves to nothing."""

    def schema_master(self) -> SimulatedHost | None:
        """Returns the domain controller that has the role; None when there is no domain controller."""

    def groups_of(self, account: str) -> frozenset[str]:
        """Returns the names of the groups of an account, `DOMAIN\\name`, in lower case; SYSTEM has none."""
