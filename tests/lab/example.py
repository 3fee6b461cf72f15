# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables of a first real run, for the standard forest: what a user would write into group_vars."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from lab.forest import Forest
from lab.windows.entsso import MEDIA

MEDIA_FOLDER = Path(__file__).parent / "media"
ALL_IN_ONE = "pcns-all-in-one.msi"
TWO_PACKAGES = ("capture-component.msi", "pcns-service.msi")
ADAPTERS = ("RACF", "LDAP")

PCNSCFG = r"C:\Program Files\Microsoft Password Change Notification\pcnscfg.exe"
CAPTURE_LEAVES = {"notification_packages": ["PCNSFLT"]}
SERVICE_LEAVES = {"services": ["PCNSSVC"], "tools": {"pcnscfg": PCNSCFG}}

FAST = {
    "pcns_restart_interval": 0.1,
    "pcns_busy_interval": 0.2,
    "pcns_restart_deadline": 30,
    "pcns_health_interval": 0.1,
    "pcns_health_deadline": 30,
}
"""The lab's clock runs faster than a data centre's."""


def package(name: str, file: str, leaves: dict[str, Any]) -> dict[str, Any]:
    """Returns one item of `pcns_packages`, pushed from the control node."""
    path = MEDIA_FOLDER / file
    return {
        "name": name,
        "path": str(path),
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "properties": {"ACCEPT_EULA": "1"},
        "leaves": leaves,
    }


def one_package() -> list[dict[str, Any]]:
    """Returns packages as the public documents describe them: one MSI with filter, service and tool."""
    return [package("PCNS", ALL_IN_ONE, {**CAPTURE_LEAVES, **SERVICE_LEAVES})]


def two_packages() -> list[dict[str, Any]]:
    """Returns packages as the public documents name them: the capture component and PCNS."""
    capture, service = TWO_PACKAGES
    return [
        package("Windows Password Capture", capture, CAPTURE_LEAVES),
        package("PCNS", service, SERVICE_LEAVES),
    ]


def variables(forest: Forest) -> dict[str, dict[str, Any]]:
    """Returns group variables for the standard forest."""
    setup = forest.host("sso01").files.get(rf"{MEDIA}\setup.exe")
    feature = forest.settings.sso.feature_id
    return {
        "all": {"pcns_systems": list(ADAPTERS)},
        "domain_controllers": {
            "pcns_packages": one_package(),
            "pcns_directory_configuration": {"max_queue_age": 604800, "retry_interval": 60},
            "pcns_directory_targets": [
                {
                    "name": "ENTSSO",
                    "address": "sso01.corp.example",
                    "service_principal_name": "ENTSSO/sso01.corp.example",
                    "inclusion_group": "CORP\\Domain Users",
                    "exclusion_group": "CORP\\Domain Admins",
                    "keep_alive_interval": 60,
                    "queue_warning_level": 100,
                    "queue_warning_interval": 30,
                }
            ],
            **FAST,
        },
        "sso_servers": {
            "sso_password_sync_setup_path": rf"{MEDIA}\setup.exe",
            "sso_password_sync_setup_sha256": setup.sha256 if setup is not None else "",
            "sso_password_sync_setup_arguments": ["/quiet", "/norestart", "/ADDLOCAL", feature],
            "password_sync_adapters_template_confirmed": True,
            "password_sync_adapters_applications": [application(name) for name in ADAPTERS],
            "password_sync_adapters_items": [adapter(name) for name in ADAPTERS],
        },
    }


def application(name: str) -> dict[str, Any]:
    """Returns one item of `password_sync_adapters_applications`."""
    return {
        "name": f"{name}_Users",
        "description": f"Accounts in {name}",
        "contact": "identity@corp.example",
        "user_account": "CORP\\SSO Application Users",
        "admin_account": "CORP\\SSO Affiliate Administrators",
        "fields": [{"label": "User Id", "masked": False}, {"label": "Password", "masked": True}],
        "flags": {"enableApp": True, "allowTickets": False},
    }


def adapter(name: str) -> dict[str, Any]:
    """Returns one item of `password_sync_adapters_items`."""
    return {
        "name": name,
        "description": f"Password changes for {name}",
        "contact": "identity@corp.example",
        "computer": "sso01.corp.example",
        "access_account": "CORP\\SSO Adapter Access",
        "administrators_account": "CORP\\SSO Affiliate Administrators",
        "flags": {"syncToAdapter": True, "allowMappingConflicts": False},
        "applications": [f"{name}_Users"],
    }


def map_user(forest: Forest, user: str) -> None:
    """Gives a user an account in every connected system, as an administrator does with ssomanage."""
    for name in ADAPTERS:
        forest.sso.map_user("CORP", user, f"{name}_Users", user.upper())
