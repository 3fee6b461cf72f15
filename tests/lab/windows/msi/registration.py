# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Windows Installer writes about a product: Uninstall key, Installer keys, cached package."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.windows.guid import packed
from lab.windows.msi.package import Package

if TYPE_CHECKING:
    from lab.windows.host import SimulatedHost

UNINSTALL = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall"
INSTALLER = r"SOFTWARE\Classes\Installer"
USER_DATA = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Installer\UserData\S-1-5-18\Products"


@dataclass(frozen=True)
class Registered:
    """A product that is installed."""

    product_code: str
    package_code: str
    version: str
    local_package: str
    features: tuple[str, ...]


class Registration:
    """The installed products of one machine; the registry is the only place where they are kept."""

    def __init__(self, host: SimulatedHost) -> None:
        """Takes the machine."""
        self._host = host

    def find(self, product_code: str) -> Registered | None:
        """Returns a product that Windows Installer has installed, None when there is none."""
        code = product_code.upper()
        registry = self._host.registry
        if not re.fullmatch(r"\{[0-9A-F-]{36}\}", code):
            return None
        key = rf"{USER_DATA}\{packed(code)}\InstallProperties"
        package = registry.string(key, "LocalPackage")
        if package is None:
            return None
        features = registry.values(rf"{INSTALLER}\Features\{packed(code)}") or ()
        return Registered(
            code,
            registry.string(key, "PackageCode") or "",
            registry.string(key, "DisplayVersion") or "",
            package,
            tuple(item.name for item in features),
        )

    def related(self, upgrade_code: str) -> list[Registered]:
        """Returns the installed products of an upgrade code."""
        names = {
            item.name for item in self._host.registry.values(rf"{INSTALLER}\UpgradeCodes\{packed(upgrade_code)}") or ()
        }
        codes = self._host.registry.keys(UNINSTALL) or ()
        found = (self.find(code) for code in codes if code.startswith("{") and packed(code) in names)
        return [item for item in found if item is not None]

    def add(
        self, package: Package, features: Sequence[str], content: bytes, properties: Mapping[str, str], source: str
    ) -> None:
        """Registers a product with the features that are installed now."""
        host, registry, code = self._host, self._host.registry, package.product_code
        now = host.now()
        before = self.find(code)
        local = (
            before.local_package
            if before
            else rf"C:\Windows\Installer\{hashlib.sha256(code.encode()).hexdigest()[:7]}.msi"
        )
        host.files.write(local, content, now)
        major, minor, build = ([int(part) for part in re.findall(r"\d+", package.version)] + [0, 0, 0])[:3]
        install_properties = rf"{USER_DATA}\{packed(code)}\InstallProperties"
        for key in (rf"{UNINSTALL}\{code}", install_properties):
            registry.set_string(key, "DisplayName", package.name)
            registry.set_string(key, "DisplayVersion", package.version)
            registry.set_string(key, "Publisher", package.properties.get("Manufacturer", ""))
            registry.set_string(key, "InstallDate", f"{now:%Y%m%d}")
            registry.set_string(key, "InstallLocation", properties.get("ARPINSTALLLOCATION", ""))
            registry.set_string(key, "InstallSource", source)
            registry.set_expand_string(key, "UninstallString", f"MsiExec.exe /X{code}")
            registry.set_expand_string(key, "ModifyPath", f"MsiExec.exe /X{code}")
            registry.set_dword(key, "Language", int(package.properties.get("ProductLanguage", "0") or 0))
            registry.set_dword(key, "Version", major << 24 | minor << 16 | build)
            registry.set_dword(key, "VersionMajor", major)
            registry.set_dword(key, "VersionMinor", minor)
            registry.set_dword(key, "WindowsInstaller", 1)
        registry.set_string(install_properties, "LocalPackage", local)
        registry.set_string(install_properties, "PackageCode", package.package_code)
        product = rf"{INSTALLER}\Products\{packed(code)}"
        registry.set_string(product, "ProductName", package.name)
        registry.set_string(product, "PackageCode", packed(package.package_code))
        registry.set_dword(product, "Version", major << 24 | minor << 16 | build)
        registry.set_dword(product, "Assignment", 1)
        upgrade_code = package.properties.get("UpgradeCode")
        if upgrade_code:
            registry.set_string(rf"{INSTALLER}\UpgradeCodes\{packed(upgrade_code)}", packed(code), "")
        feature_key = rf"{INSTALLER}\Features\{packed(code)}"
        registry.delete_key(feature_key, recursive=True)
        parents = {str(row["Feature"]): str(row.get("Feature_Parent") or "") for row in package.rows("Feature")}
        registry.create_key(feature_key)
        for feature in features:
            registry.set_string(feature_key, feature, parents.get(feature, ""))

    def remove(self, package: Package) -> None:
        """Takes a product out of the registry."""
        registry, code = self._host.registry, package.product_code
        registered = self.find(code)
        if registered is not None:
            self._host.files.delete(registered.local_package)
        for key in (
            rf"{UNINSTALL}\{code}",
            rf"{USER_DATA}\{packed(code)}",
            rf"{INSTALLER}\Products\{packed(code)}",
            rf"{INSTALLER}\Features\{packed(code)}",
        ):
            registry.delete_key(key, recursive=True)
        upgrade_code = package.properties.get("UpgradeCode")
        if upgrade_code:
            key = rf"{INSTALLER}\UpgradeCodes\{packed(upgrade_code)}"
            registry.delete_value(key, packed(code))
            if not registry.values(key):
                registry.delete_key(key)
