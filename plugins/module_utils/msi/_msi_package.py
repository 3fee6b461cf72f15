# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an installation package would leave on a host: product, features, files, services, registry values.

The plan of a package stands on this: nothing about a package is guessed, it is read from the user's own file. What
custom actions do is not in the tables; `MsiPackage.has_custom_actions` says that there are some.
Column meanings: Windows Installer, "Installer Database Reference".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.entsso.password_sync.plugins.module_utils.msi._msi import MsiDatabase, MsiRow
from ansible_collections.entsso.password_sync.plugins.module_utils.msi._msi_container import damaged
from ansible_collections.entsso.password_sync.plugins.module_utils.msi._msi_directory import (
    long_name,
    resolve_directories,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.msi._msi_registry import (
    MsiRegistryValue,
    RegistryKind,
    read_registry,
)

_GUID = re.compile(r"\{[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}")
_START_TYPES = {0: "boot", 1: "system", 2: "auto", 3: "demand", 4: "disabled"}
_CONTROL_START_ON_INSTALL = 0x001
_CONTROL_DELETE_ON_REMOVE = 0x080
_CUSTOM_ACTION_KIND = 0x3F
_CUSTOM_ACTIONS_WITHOUT_CODE = {19, 35, 51}
"""Show an error, set a directory, set a property (Windows Installer, "Summary List of All Custom Action Types")."""

_LSA_KEY = r"system\currentcontrolset\control\lsa"
_NOTIFICATION_PACKAGES = "notification packages"


@dataclass(frozen=True)
class MsiFeature:
    """A part of the product that can be chosen. A level of 0 or above INSTALLLEVEL (1 unless set): not by default."""

    name: str
    parent: str
    title: str
    level: int


@dataclass(frozen=True)
class MsiFile:
    r"""A file that the package installs.

    Attributes:
        key: Identifier in the File table.
        name: Its long name.
        path: Where it goes, as `%SystemRoot%\System32\pcnsflt.dll`; see `WindowsFolders.expand`.
        size: Bytes.
        version: File version, empty when the table has none.
        component: The component it belongs to.
        features: The features that bring it.
    """

    key: str
    name: str
    path: str
    size: int
    version: str
    component: str
    features: tuple[str, ...]


@dataclass(frozen=True)
class MsiService:
    """A service that the package registers.

    Attributes:
        name: Service name.
        display_name: Its name in lists.
        description: What it is for.
        path: The program, as `MsiFile.path`; empty when the component has no key file.
        arguments: What the program is started with.
        start: `auto`, `demand`, `disabled`, `boot` or `system`.
        account: Account it runs as; `LocalSystem` when the table names none.
        dependencies: Services and groups (with a leading `+`) that must run before it.
        started: Whether the installation starts it.
        removed: Whether the removal of the package deletes it.
    """

    name: str
    display_name: str
    description: str
    path: str
    arguments: str
    start: str
    account: str
    dependencies: tuple[str, ...]
    started: bool
    removed: bool


@dataclass(frozen=True)
class LaunchCondition:
    """A condition without which the package refuses to install, and what it then says."""

    condition: str
    message: str


@dataclass(frozen=True)
class MsiPackage:
    """Everything a plan needs to know about a package.

    Attributes:
        product_code: Identifier of the product in this version, upper case, in braces.
        upgrade_code: Identifier that all versions share, empty when there is none.
        version: Product version.
        name: Product name, as it will appear among the installed programs.
        manufacturer: Who made it.
        language: Language identifier of the product, 0 for neutral.
        platform: `x64`, `Intel`, `Arm64` or `Intel64`.
        package_code: Identifier of exactly this file.
        features: Its features.
        files: Its files.
        services: Its services.
        registry: What it writes to the registry.
        properties: The Property table.
        launch_conditions: What must hold before it installs.
        custom_actions: Names of the custom actions that run code of their own.
    """

    product_code: str
    upgrade_code: str
    version: str
    name: str
    manufacturer: str
    language: int
    platform: str
    package_code: str
    features: tuple[MsiFeature, ...] = ()
    files: tuple[MsiFile, ...] = ()
    services: tuple[MsiService, ...] = ()
    registry: tuple[MsiRegistryValue, ...] = ()
    properties: Mapping[str, str] = field(default_factory=dict)
    launch_conditions: tuple[LaunchCondition, ...] = ()
    custom_actions: tuple[str, ...] = ()

    @property
    def has_custom_actions(self) -> bool:
        """Whether the package runs code whose effects its tables do not show."""
        return bool(self.custom_actions)

    @property
    def notification_packages(self) -> tuple[str, ...]:
        """The entries it adds to the LSA value `Notification Packages`, as far as its tables show (pcns.md 1)."""
        return tuple(
            entry
            for value in self.registry
            if value.root == "HKLM" and value.key.lower() == _LSA_KEY and value.name.lower() == _NOTIFICATION_PACKAGES
            for entry in value.data
            if value.kind is RegistryKind.MULTI_STRING
        )


def summarize(database: MsiDatabase, properties: Mapping[str, str] | None = None) -> MsiPackage:
    """Gathers a package from its tables.

    Args:
        database: The tables.
        properties: Public properties that the installation will be given; they can move directories.

    Raises:
        MsiError: A table is damaged, or the package lacks what every product must have.
    """
    table = _properties(database)
    files = _files(database, resolve_directories(database, properties or {}))
    platforms = database.summary.platforms
    language = table.get("ProductLanguage", "")
    return MsiPackage(
        product_code=table["ProductCode"].upper(),
        upgrade_code=table.get("UpgradeCode", "").upper(),
        version=table["ProductVersion"],
        name=table["ProductName"],
        manufacturer=table.get("Manufacturer", ""),
        language=int(language) if language.isascii() and language.isdigit() else 0,
        # "If the platform specification is missing ..., the installer assumes the Intel architecture"
        # (Windows Installer, "Template Summary property").
        platform=platforms[0] if platforms else "Intel",
        package_code=database.summary.package_code.upper(),
        features=tuple(
            MsiFeature(_text(row, "Feature"), _text(row, "Feature_Parent"), _text(row, "Title"), _number(row, "Level"))
            for row in database.table("Feature")
        ),
        files=files,
        services=_services(database, files),
        registry=read_registry(database),
        properties=table,
        launch_conditions=tuple(
            LaunchCondition(_text(row, "Condition"), _text(row, "Description"))
            for row in database.table("LaunchCondition")
        ),
        custom_actions=tuple(
            _text(row, "Action")
            for row in database.table("CustomAction")
            if _number(row, "Type") & _CUSTOM_ACTION_KIND not in _CUSTOM_ACTIONS_WITHOUT_CODE
        ),
    )


def _properties(database: MsiDatabase) -> dict[str, str]:
    table = {_text(row, "Property"): _text(row, "Value") for row in database.table("Property")}
    for required in ("ProductCode", "ProductName", "ProductVersion"):
        if not table.get(required):
            raise damaged(database.name, f"its Property table has no {required}")
    for code in ("ProductCode", "UpgradeCode"):
        if table.get(code) and not _GUID.fullmatch(table[code]):
            raise damaged(database.name, f"its {code} is not a GUID in braces")
    return table


def _text(row: MsiRow, column: str) -> str:
    value = row.get(column)
    return "" if value is None else str(value)


def _number(row: MsiRow, column: str) -> int:
    value = row.get(column)
    return value if isinstance(value, int) else 0


def _files(database: MsiDatabase, directories: Mapping[str, str]) -> tuple[MsiFile, ...]:
    components = {_text(row, "Component"): _text(row, "Directory_") for row in database.table("Component")}
    features: dict[str, list[str]] = {}
    for row in database.table("FeatureComponents"):
        features.setdefault(_text(row, "Component_"), []).append(_text(row, "Feature_"))
    files: list[MsiFile] = []
    for row in database.table("File"):
        component = _text(row, "Component_")
        directory = directories.get(components.get(component, ""))
        if directory is None:
            raise damaged(database.name, f"its file {_text(row, 'File')} belongs to no directory")
        name = long_name(_text(row, "FileName"))
        files.append(
            MsiFile(
                key=_text(row, "File"),
                name=name,
                path=f"{directory}\\{name}",
                size=_number(row, "FileSize"),
                version=_text(row, "Version"),
                component=component,
                features=tuple(features.get(component, ())),
            )
        )
    return tuple(files)


def _services(database: MsiDatabase, files: tuple[MsiFile, ...]) -> tuple[MsiService, ...]:
    paths = {file.key: file.path for file in files}
    key_files = {_text(row, "Component"): paths.get(_text(row, "KeyPath"), "") for row in database.table("Component")}
    events: dict[str, int] = {}
    for row in database.table("ServiceControl"):
        service = _text(row, "Name").lower()
        events[service] = events.get(service, 0) | _number(row, "Event")
    return tuple(
        MsiService(
            name=_text(row, "Name"),
            display_name=_text(row, "DisplayName"),
            description=_text(row, "Description"),
            path=key_files.get(_text(row, "Component_"), ""),
            arguments=_text(row, "Arguments"),
            start=_START_TYPES.get(_number(row, "StartType"), "demand"),
            account=_text(row, "StartName") or "LocalSystem",
            dependencies=tuple(part for part in _text(row, "Dependencies").split("[~]") if part),
            started=bool(events.get(_text(row, "Name").lower(), 0) & _CONTROL_START_ON_INSTALL),
            removed=bool(events.get(_text(row, "Name").lower(), 0) & _CONTROL_DELETE_ON_REMOVE),
        )
        for row in database.table("ServiceInstall")
    )
