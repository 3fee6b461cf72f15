# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which account is to have the service principal names of the targets; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

SSO_OBSERVATION = "password_sync_adapters_observation"
"""Variable in which the role password_sync_adapters registers what sso_info returned."""

_OWN_COMPUTER = frozenset({"localsystem", "nt authority\\system", "nt authority\\networkservice", "networkservice"})
"""Accounts that log on over the network as their computer, as Win32_Service names them."""


def observed_system(variables: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns which machine answered as an SSO server; empty where none was observed."""
    observation = variables.get(SSO_OBSERVATION)
    system = observation.get("system") if isinstance(observation, Mapping) else None
    return system if isinstance(system, Mapping) else {}


def server_names(name: str, variables: Mapping[str, Any]) -> frozenset[str]:
    """Returns names and addresses that an SSO server is known by, in lower case.

    Args:
        name: Its name in the inventory.
        variables: Its variables.
    """
    own = str(observed_system(variables).get("name") or "")
    given = (name, own, own.partition(".")[0], variables.get("ansible_host"), variables.get("sso_cluster_name"))
    return frozenset(str(item).lower() for item in given if item)


def target_names(
    targets: Sequence[Mapping[str, Any]],
    servers: Sequence[str],
    variables: Mapping[str, Mapping[str, Any]],
    account: str = "",
) -> list[dict[str, Any]]:
    """Returns accounts, each with the names that it is to have; those of which the account is not known come with an
    empty one.

    Args:
        targets: As the role pcns_directory takes them; those that are to be absent need no name.
        servers: SSO servers of the inventory.
        variables: Ansible's variables of the hosts.
        account: The account of all of them, if it is given; else what ENTSSO was observed to run as on the server that
            a target sends to.
    """
    found: dict[str, list[str]] = {}
    for target in targets:
        name = str(target.get("service_principal_name") or "")
        if name and target.get("state", "present") == "present":
            owner = account or _observed_account(str(target.get("address") or ""), servers, variables)
            names = found.setdefault(owner, [])
            if name.lower() not in (item.lower() for item in names):
                names.append(name)
    return [{"account": owner, "names": names} for owner, names in found.items()]


def _observed_account(address: str, servers: Sequence[str], variables: Mapping[str, Mapping[str, Any]]) -> str:
    for name in servers:
        if address.lower() in server_names(name, variables[name]):
            system = observed_system(variables[name])
            if system:
                return _account(str(variables[name][SSO_OBSERVATION].get("service_account") or ""), system)
    return ""


def _account(text: str, system: Mapping[str, Any]) -> str:
    if text.lower() not in _OWN_COMPUTER:
        return text
    computer, _dot, _rest = str(system.get("name") or "").partition(".")
    return f"{system.get('domain')}\\{computer}$"
