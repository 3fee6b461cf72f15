# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Windows Installer on one machine: takes a request, leaves the machine either done or as it was, and says so.

Exit codes: wsman.md 3.4. Event numbers and their texts: Windows Installer, "Event Logging". Restart rules: pcns.md 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from lab.windows.eventlog import Level
from lab.windows.files import DiskFull
from lab.windows.msi import pcns_actions
from lab.windows.msi.conditions import ConditionError, holds
from lab.windows.msi.log import Log
from lab.windows.msi.package import (
    STANDARD_FOLDERS,
    BadPackage,
    Package,
    compare_versions,
    formatted,
    load,
    number,
    text,
)
from lab.windows.msi.registration import Registered, Registration
from lab.windows.msi.session import InstallFailed, Session

if TYPE_CHECKING:
    from lab.windows.host import SimulatedHost

SUCCESS = 0
FATAL = 1603
NOT_INSTALLED = 1605
BUSY = 1618
CANNOT_OPEN = 1619
INVALID_PACKAGE = 1620
WRONG_PLATFORM = 1633
OTHER_VERSION = 1638
RESTART_INITIATED = 1641
RESTART_REQUIRED = 3010
PROVIDER = "MsiInstaller"


class Action(StrEnum):
    """What is asked for."""

    INSTALL = "install"
    REMOVE = "remove"
    REPAIR = "repair"


@dataclass(frozen=True)
class Request:
    """One call of msiexec."""

    action: Action
    package: str
    """Path of a package, or a product code."""
    properties: Mapping[str, str] = field(default_factory=dict)
    suppress_restart: bool = False
    force_restart: bool = False
    user: str = ""
    """Who asks, DOMAIN\\name or SYSTEM."""


class WindowsInstaller:
    """The installer service of one machine."""

    def __init__(self, host: SimulatedHost) -> None:
        """Takes the machine."""
        self._host = host
        self.registration = Registration(host)
        self.active = False
        """Whether an installation is running: another one then ends in 1618."""

    def run(self, request: Request, log: Log) -> int:
        """Carries out a request; returns msiexec's exit code."""
        content = self._content(request.package)
        if isinstance(content, int):
            return content
        try:
            package = load(content)
        except BadPackage as error:
            log.error(str(error))
            return INVALID_PACKAGE
        if any(item not in self._host.settings.windows.package_platforms for item in package.platforms):
            log.error("This installation package is not supported by this processor type. Contact your product vendor.")
            return WRONG_PLATFORM
        registered = self.registration.find(package.product_code)
        wants_installed = request.action is not Action.INSTALL or request.properties.get("REMOVE", "").upper() == "ALL"
        if registered is None and wants_installed:
            log.error("This action is only valid for products that are currently installed.")
            return NOT_INSTALLED
        recached = "V" in request.properties.get("REINSTALLMODE", "").upper()
        if registered is not None and registered.package_code != package.package_code and not recached:
            log.error("Another version of this product is already installed.")
            return OTHER_VERSION
        return self._transaction(request, package, content, registered, log)

    def _content(self, package: str) -> bytes | int:
        if package.startswith("{"):
            found = self.registration.find(package)
            if found is None:
                return NOT_INSTALLED
            package = found.local_package
        file = self._host.files.get(package)
        if file is None:
            return CANNOT_OPEN
        return INVALID_PACKAGE if file.content is None else file.content

    def _transaction(
        self, request: Request, package: Package, content: bytes, registered: Registered | None, log: Log
    ) -> int:
        host = self._host
        removing = request.action is Action.REMOVE or request.properties.get("REMOVE", "").upper() == "ALL"
        checkpoint = (host.registry.checkpoint(), host.files.checkpoint(), host.services.checkpoint())
        self._event(1040, Level.INFORMATION, request.package, "4711", "(NULL)")
        try:
            if removing and registered is not None:
                restart = self._remove(package, registered, log)
            else:
                restart = self._install(request, package, content, registered, log)
        except (InstallFailed, ConditionError, DiskFull) as error:
            action = error.action if isinstance(error, InstallFailed) else "InstallExecute"
            log.error(str(error))
            # Windows Installer writes a message twice, once by itself and once as said of the product.
            log.note(f"Product: {package.name} -- {error}")
            log.action(action, 3)
            log.action("INSTALL", 3)
            host.registry.restore(checkpoint[0])
            host.files.restore(checkpoint[1])
            host.services.restore(checkpoint[2])
            self._outcome(package, removing, FATAL, log)
            return FATAL
        finally:
            self._event(1042, Level.INFORMATION, request.package, "4711", "(NULL)")
        log.action("INSTALL", 1)
        self._outcome(package, removing, SUCCESS, log)
        return self._restart(request, package, restart, log)

    def _install(
        self, request: Request, package: Package, content: bytes, registered: Registered | None, log: Log
    ) -> bool:
        properties = self._properties(request, package, registered)
        related = self._find_related(package, properties) if registered is None else []
        for row in package.rows("LaunchCondition"):
            if not holds(text(row, "Condition"), properties):
                raise InstallFailed("LaunchConditions", formatted(text(row, "Description"), properties, {}))
        self._custom_actions(package, properties)
        session = Session(self._host, package, properties, log)
        previous = registered.features if registered is not None else ()
        features = session.select_features(previous)
        pcns_actions.before_install(self._host, package, properties, features, request.user)
        restart = False
        for product in related:
            old = load(self._package_of(product))
            log.note(f"Removing the related product {product.product_code} {product.version}")
            restart = self._remove(old, product, log) or restart
        session.install(features, previous)
        if features:
            self.registration.add(package, features, content, properties, request.package.rpartition("\\")[0] + "\\")
        pcns_actions.after_install(self._host, package, features)
        scheduled = bool(features) and self._schedules_restart(package, properties)
        changed = registered is None or tuple(previous) != tuple(features)
        return restart or session.restart_needed or (scheduled and changed)

    def _remove(self, package: Package, registered: Registered, log: Log) -> bool:
        properties = {**package.properties, **self._machine(), "Installed": "00:00:00", "REMOVE": "ALL"}
        session = Session(self._host, package, properties, log)
        session.remove(registered.features)
        self.registration.remove(package)
        log.action("RemoveExistingProducts", 1)
        return session.restart_needed

    def _package_of(self, product: Registered) -> bytes:
        file = self._host.files.get(product.local_package)
        if file is None or file.content is None:
            raise InstallFailed("RemoveExistingProducts", "The installation source for this product is not available.")
        return file.content

    def _properties(self, request: Request, package: Package, registered: Registered | None) -> dict[str, str]:
        properties = {**package.properties, **STANDARD_FOLDERS, **self._machine(), **request.properties}
        if registered is not None:
            properties["Installed"] = "00:00:00"
            if request.action is Action.REPAIR:
                properties.setdefault("REINSTALL", "ALL")
        return properties

    def _machine(self) -> dict[str, str]:
        """Properties that Windows Installer sets from the machine."""
        return {
            "VersionNT": "603",
            "VersionNT64": "603",
            "MsiNTProductType": str(self._host.identity.product_type),
            "Privileged": "1",
            "AdminUser": "1",
            "ALLUSERS": "1",
            "UILevel": "2",
        }

    def _find_related(self, package: Package, properties: dict[str, str]) -> list[Registered]:
        """Looks at the Upgrade table; returns the products to be removed, and sets the action properties."""
        found: list[Registered] = []
        for row in package.rows("Upgrade"):
            attributes = number(row, "Attributes")
            low, high = text(row, "VersionMin"), text(row, "VersionMax")
            for product in self.registration.related(text(row, "UpgradeCode")):
                above = compare_versions(product.version, low) if low else 1
                below = compare_versions(product.version, high) if high else -1
                if above < 0 or (above == 0 and not attributes & 0x100):
                    continue
                if below > 0 or (below == 0 and not attributes & 0x200):
                    continue
                name = text(row, "ActionProperty")
                properties[name] = ";".join(filter(None, (properties.get(name, ""), product.product_code)))
                if not attributes & 0x2 and product not in found:
                    found.append(product)
        return found

    def _custom_actions(self, package: Package, properties: dict[str, str]) -> None:
        """Carries out custom actions that set a property (51) or stop with a message (19); others have no effect
        here."""
        actions = {text(row, "Action"): row for row in package.rows("CustomAction")}
        for step in sorted(package.rows("InstallExecuteSequence"), key=lambda row: number(row, "Sequence")):
            row = actions.get(text(step, "Action"))
            if row is None or number(step, "Sequence") <= 0 or not holds(text(step, "Condition"), properties):
                continue
            kind = number(row, "Type") & 0x3F
            if kind == 51:
                properties[text(row, "Source")] = formatted(text(row, "Target"), properties, {})
            elif kind == 19:
                raise InstallFailed(text(row, "Action"), formatted(text(row, "Target"), properties, {}))

    def _schedules_restart(self, package: Package, properties: Mapping[str, str]) -> bool:
        return any(
            text(row, "Action") in ("ScheduleReboot", "ForceReboot") and holds(text(row, "Condition"), properties)
            for row in package.rows("InstallExecuteSequence")
        )

    def _restart(self, request: Request, package: Package, needed: bool, log: Log) -> int:
        if request.force_restart:
            self._host.power.schedule_restart(5)
            return RESTART_INITIATED
        if not needed:
            return SUCCESS
        self._event(
            1038, Level.INFORMATION, *self._about(package), "1", "0", package.properties.get("Manufacturer", "")
        )
        suppressed = request.suppress_restart or request.properties.get("REBOOT", "")[:1].upper() in ("R", "S")
        if suppressed or not self._host.settings.windows.unasked_restart:
            log.note("Windows Installer requires a system restart; it was suppressed.")
            return RESTART_REQUIRED
        self._event(1005, Level.INFORMATION)
        self._host.power.schedule_restart(5)
        return RESTART_INITIATED

    def _outcome(self, package: Package, removing: bool, status: int, log: Log) -> None:
        done = status == SUCCESS
        verb = "Removal" if removing else "Installation"
        words = "completed successfully" if done else "failed"
        log.note(f"Product: {package.name} -- {verb} {words}.")
        number_ = (11724 if done else 11725) if removing else (11707 if done else 11708)
        level = Level.INFORMATION if done else Level.ERROR
        self._event(number_, level, f"Product: {package.name} -- {verb} {words}.")
        manufacturer = package.properties.get("Manufacturer", "")
        self._event(1034 if removing else 1033, Level.INFORMATION, *self._about(package), str(status), manufacturer)

    def _about(self, package: Package) -> tuple[str, str, str]:
        return package.name, package.version, package.properties.get("ProductLanguage", "")

    def _event(self, event_id: int, level: Level, *data: str) -> None:
        self._host.events.write("Application", PROVIDER, event_id, level, data)
