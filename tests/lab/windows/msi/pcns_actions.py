# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a PCNS package does beside its tables: it looks at the schema, and writes to the directory (pcns.md 2).

The custom actions of the real package are not public. The lab knows such a package by the service or the password
filter that it brings, and its own schema step by the property LABSCHEMAEXTENDED that only the lab's media set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from lab.directory import PcnsConfiguration
from lab.schema import ATTRIBUTES, CLASSES, EVERYTHING, Schema
from lab.windows.msi.package import Package, text
from lab.windows.msi.session import InstallFailed

if TYPE_CHECKING:
    from lab.windows.host import SimulatedHost


def before_install(
    host: SimulatedHost, package: Package, properties: Mapping[str, str], features: Sequence[str], user: str
) -> None:
    """Extends the schema where that is asked for, and refuses to install without it.

    Raises:
        InstallFailed: The schema is not extended, or could not be.
    """
    if not _is_pcns(package):
        return
    directory = host.surroundings.directory_of(host.identity.domain)
    schema = directory.schema
    if properties.get("LABSCHEMAEXTENDED") == "1":
        _extend(host, schema, user)
    elif features and not set(CLASSES) <= schema.view(host.identity.fqdn):
        raise InstallFailed(
            "LabCheckSchema",
            "The Active Directory schema has no PCNS classes. Run this package with SCHEMAONLY=TRUE as a Schema Admin "
            "first.",
        )


def _extend(host: SimulatedHost, schema: Schema, user: str) -> None:
    settings = host.settings.pcns
    surroundings = host.surroundings
    if settings.schema_needs_groups and not {"schema admins", "domain admins"} <= surroundings.groups_of(user):
        raise InstallFailed("LabExtendSchema", "Access is denied.")
    if settings.schema_only_on_master and surroundings.schema_master() is not host:
        raise InstallFailed("LabExtendSchema", "The server is unwilling to process the request.")
    taken = {item.oid for item in schema.foreign}
    parts = {**ATTRIBUTES, **host.settings.pcns_directory.unpublished, **CLASSES}
    if any(oid in taken for _name, oid in parts.values()):
        raise InstallFailed("LabExtendSchema", "Schema update failed: duplicate OID.")
    schema.write(EVERYTHING, host.identity.fqdn)


def after_install(host: SimulatedHost, package: Package, features: Sequence[str]) -> None:
    """Creates the configuration object, where the setting says that the package does."""
    if not (_is_pcns(package) and features and host.settings.pcns.msi_creates_configuration):
        return
    directory = host.surroundings.directory_of(host.identity.domain)
    objects = directory.pcns(host.identity.name)
    if objects.configuration is None:
        directory.set_pcns(replace(objects, configuration=PcnsConfiguration()), host.identity.name)


def _is_pcns(package: Package) -> bool:
    return any(text(row, "Name").upper() == "PCNSSVC" for row in package.rows("ServiceInstall"))
