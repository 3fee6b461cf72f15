# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges the service principal names that domain controllers authenticate the server of a target by."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.entsso.password_sync.plugins.module_utils._plan import Estate, Present, Unknown
from ansible_collections.entsso.password_sync.plugins.module_utils._service_principal_name import (
    DesiredSpns,
    key,
    same_accounts,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._controls import get_control
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._finding import Finding, Status
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._judge_domain import REPAIR_SETTINGS

CONTROL = "PCNS-012"


def judge_names(forest: str, domain: str, desired: DesiredSpns, estate: Estate, observed_at: str) -> Sequence[Finding]:
    """Returns one finding for each SPN that an account is to have; none where it is to have none.

    Args:
        forest: DNS name of the forest.
        domain: DNS name of the account's domain.
        desired: The names and the account.
        estate: Who has them.
        observed_at: Time of the observation.
    """
    if not desired.present:
        return ()
    return [_judged(forest, domain, name, desired.account, estate, observed_at) for name in desired.names]


def _judged(forest: str, domain: str, name: str, account: str, estate: Estate, observed_at: str) -> Finding:
    def finding(status: Status, message: str, repair: str = "") -> Finding:
        return get_control(CONTROL).finding(
            status, domain, message, about=name, evidence="directory", observed_at=observed_at, repair=repair
        )

    observed = estate.get(key(forest, name))
    if isinstance(observed, Unknown):
        return finding(
            Status.UNKNOWN,
            f"Who has the SPN {name} is not known: {observed.reason}.",
            "Make a domain controller of that domain, or a global catalog, reachable from the control node",
        )
    if not isinstance(observed, Present):
        return finding(Status.DRIFT, f"No account has the SPN {name}, and {account} is to have it.", REPAIR_SETTINGS)
    accounts = tuple(observed.state.accounts)
    if same_accounts(accounts, (account,)):
        return finding(Status.COMPLIANT, f"{account} alone has the SPN {name}.")
    return finding(
        Status.MANUAL,
        f"The SPN {name} is on {' and on '.join(accounts)}, and {account} is to have it alone.",
        f"Take it from the others (setspn -D {name} <account>), or correct pcns_directory_service_account, then "
        f"{REPAIR_SETTINGS}",
    )
