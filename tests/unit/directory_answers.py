# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What domain_controller_info returns, in the form that its documentation has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

PROMOTED = "2026-11-19T22:01:44Z"


def controller(name: str, *, read_only: bool = False, domain: str = "corp.example", **more: Any) -> dict[str, Any]:
    """Returns a domain controller by its short name."""
    return {
        "dns_name": f"{name}.{domain}",
        "netbios_name": name.upper(),
        "domain": domain,
        "netbios_domain": "CORP",
        "site": "Paris",
        "read_only": read_only,
        "global_catalog": True,
        "roles": [],
        "promoted_at": PROMOTED,
        "operating_system": "Windows Server 2022 Standard",
        "operating_system_version": "10.0 (20348)",
        "enabled": True,
        "distinguished_name": f"CN={name.upper()},OU=Domain Controllers,DC=corp,DC=example",
        "in_default_container": True,
        "problems": [],
        **more,
    }


def answer(
    *controllers: Mapping[str, Any],
    domains: Sequence[str] = ("corp.example",),
    unread: Mapping[str, str] | None = None,
    leftovers: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Returns the result of a task that succeeded."""
    return {
        "changed": False,
        "msg": "Domain controllers of corp.example.",
        "domain_controllers": [dict(item) for item in controllers],
        "leftovers": [dict(item) for item in leftovers],
        "domains": [{"dns_name": name, "netbios_name": "", "distinguished_name": ""} for name in domains],
        "vacant_roles": [],
        "unread": dict(unread or {}),
        "asked": [],
        "authentication": "kerberos",
    }


def leftover(name: str) -> dict[str, Any]:
    """Returns the server object of a demoted domain controller."""
    place = f"CN={name.upper()},CN=Servers,CN=Lyon,CN=Sites,CN=Configuration,DC=corp,DC=example"
    return {
        "distinguished_name": place,
        "name": name.upper(),
        "domain": "corp.example",
        "site": "Lyon",
        "kind": "no_ntds_settings",
        "created_at": PROMOTED,
        "message": f"{place} has no NTDS Settings: a demoted domain controller.",
    }
