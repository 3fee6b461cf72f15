# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One installation or removal: the tables of a package carried out on a machine.

Everything here either happens as a whole or the caller puts the machine back. Sources: Windows Installer's pages on the
File, Registry, ServiceInstall, ServiceControl, Upgrade, Feature and Condition tables.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lab.windows.files import DiskFull, normal
from lab.windows.lsa import LSA, VALUE
from lab.windows.msi.conditions import holds
from lab.windows.msi.log import Log
from lab.windows.msi.package import Component, Package, PackageFile, compare_versions, formatted, number, text
from lab.windows.msi.registry_rows import RegistryRows
from lab.windows.services import Reply, StartMode

if TYPE_CHECKING:
    from lab.windows.host import SimulatedHost

STOP_ON_INSTALL, START_ON_INSTALL, DELETE_ON_INSTALL = 2, 1, 8
START_ON_UNINSTALL, STOP_ON_UNINSTALL, DELETE_ON_UNINSTALL = 16, 32, 128
_START_MODES = {0: StartMode.BOOT, 1: StartMode.SYSTEM, 2: StartMode.AUTO, 3: StartMode.MANUAL, 4: StartMode.DISABLED}


class InstallFailed(Exception):
    """The installation can't go on (exit code 1603)."""

    def __init__(self, action: str, message: str) -> None:
        """Takes the action that failed and what the log says."""
        super().__init__(message)
        self.action = action


class Session:
    """Carries out one package."""

    def __init__(self, host: SimulatedHost, package: Package, properties: Mapping[str, str], log: Log) -> None:
        """Takes the machine, the package, the properties in force, and the log."""
        self._host = host
        self._package = package
        self._properties = properties
        self._log = log
        self._rows = RegistryRows(host, package, properties, self._file_paths())
        self.restart_needed = False

    def select_features(self, installed: Sequence[str]) -> list[str]:
        """Returns the features that are to be installed afterwards, in table order.

        Args:
            installed: What is installed now; empty for a first installation.

        Raises:
            InstallFailed: ADDLOCAL, REMOVE or REINSTALL names a feature that the package does not have.
        """
        levels = {text(row, "Feature"): number(row, "Level") for row in self._package.rows("Feature")}
        parents = {text(row, "Feature"): text(row, "Feature_Parent") for row in self._package.rows("Feature")}
        for row in self._package.rows("Condition"):
            if holds(text(row, "Condition"), self._properties):
                levels[text(row, "Feature_")] = number(row, "Level")
        install_level = int(self._properties.get("INSTALLLEVEL", "1") or 1)
        add, remove = self._named("ADDLOCAL", levels), self._named("REMOVE", levels)
        self._named("REINSTALL", levels)
        if add:
            chosen = {name for name in add if levels[name] > 0} | set(installed)
        elif installed:
            chosen = set(installed)
        else:
            chosen = {name for name, level in levels.items() if 0 < level <= install_level}
        for name in tuple(chosen):
            while parents.get(name):
                name = parents[name]
                chosen.add(name)
        chosen -= set(remove)
        return [name for name in levels if name in chosen and levels[name] > 0]

    def install(self, features: Sequence[str], previous: Sequence[str]) -> None:
        """Installs the features that are new, and removes those that are not wanted any more.

        Raises:
            InstallFailed: Something could not be done.
        """
        before = self._host.lsa.registered
        gone = [name for name in previous if name not in features]
        # A feature that is there already is left alone unless it is to be reinstalled.
        acted_on = (
            features if self._properties.get("REINSTALL") else [name for name in features if name not in previous]
        )
        kept = self._components(features)
        wanted = self._components(acted_on)
        if gone:
            self._take_away([item for item in self._components(gone) if item not in kept])
        self._stop_services(wanted, STOP_ON_INSTALL, DELETE_ON_INSTALL)
        for component in wanted:
            for file in self._files_of(component):
                self._put(component, file)
        self._log.action("InstallFiles", 1)
        for component in wanted:
            self._rows.write(component)
        self._log.action("WriteRegistryValues", 1)
        self._install_services(wanted)
        self._start_services(wanted, START_ON_INSTALL)
        self._log.action("StartServices", 1)
        self._note_packages(before)

    def remove(self, features: Sequence[str]) -> None:
        """Removes everything of the features."""
        before = self._host.lsa.registered
        self._take_away(self._components(features))
        self._note_packages(before)

    def _named(self, name: str, levels: Mapping[str, int]) -> list[str]:
        value = self._properties.get(name, "")
        if value.upper() == "ALL":
            return list(levels)
        names = [item.strip() for item in value.split(",") if item.strip()]
        for item in names:
            if item not in levels:
                raise InstallFailed(
                    "CostFinalize",
                    f"The installer has encountered an unexpected error: 2711. Feature not found: {item}.",
                )
        return names

    def _components(self, features: Sequence[str]) -> list[Component]:
        names = dict.fromkeys(name for feature in features for name in self._package.components_of(feature))
        found = [self._package.components[name] for name in names]
        return [item for item in found if holds(item.condition, self._properties)]

    def _files_of(self, component: Component) -> list[PackageFile]:
        return [item for item in self._package.files.values() if item.component == component.name]

    def _file_paths(self) -> dict[str, str]:
        paths = {}
        for key, file in self._package.files.items():
            component = self._package.components.get(file.component)
            if component is not None:
                paths[key] = f"{self._package.folder(component.folder, self._properties)}\\{file.name}"
        return paths

    def _put(self, component: Component, file: PackageFile) -> None:
        host = self._host
        folder = self._package.folder(component.folder, self._properties)
        path = f"{folder}\\{file.name}"
        existing = host.files.get(path)
        if existing is not None and existing.version and file.version:
            newer = compare_versions(existing.version, file.version) > 0
            if newer:
                self._log.note(f"File: {path}; Won't Overwrite; the existing file is newer")
                return
        if existing is not None and host.lsa.holds(path):
            self._set_aside(path)
        host.files.make_folder(folder)
        # The cabinets are not unpacked: what counts is that another version is another content.
        seed = f"{self._package.product_code}/{self._package.package_code}/{file.key}/{file.version}"
        try:
            host.files.put(
                path,
                file.size,
                hashlib.sha256(seed.encode()).hexdigest(),
                host.now(),
                version=file.version,
                manufacturer=self._package.properties.get("Manufacturer"),
            )
        except DiskFull as error:
            raise InstallFailed(
                "InstallFiles",
                f"Error 1304. Error writing to file: {path}.  System error 112.  Verify that you have access to that "
                "directory. There is not enough space on the disk.",
            ) from error
        self._log.note(f"File: {path}; To be installed; Won't patch; No existing file")

    def _set_aside(self, path: str) -> None:
        """Moves a file in use out of the way; it disappears at the next boot."""
        aside = rf"C:\Config.Msi\{hashlib.sha256(path.lower().encode()).hexdigest()[:6]}.rbf"
        self._host.files.make_folder(r"C:\Config.Msi")
        self._host.files.move(path, aside)
        self._host.delete_at_boot(aside)
        self._log.note(f"The file {path} is being held in use. Close that application and retry. Restart needed.")
        self.restart_needed = True

    def _take_away(self, components: Sequence[Component]) -> None:
        host = self._host
        self._stop_services(components, STOP_ON_UNINSTALL, DELETE_ON_UNINSTALL)
        installed_services = {
            text(row, "Component_"): text(row, "Name") for row in self._package.rows("ServiceInstall")
        }
        for component in components:
            self._rows.remove(component)
            for file in self._files_of(component):
                folder = self._package.folder(component.folder, self._properties)
                path = f"{folder}\\{file.name}"
                if host.files.get(path) is None:
                    continue
                if host.lsa.holds(path):
                    self._set_aside(path)
                else:
                    host.files.delete(path)
                host.files.remove_folder(normal(folder))
            name = installed_services.get(component.name)
            if name and host.services.get(name) is not None:
                host.services.delete(name)
        self._log.action("RemoveFiles", 1)

    def _stop_services(self, components: Sequence[Component], stop: int, delete: int) -> None:
        for name, event, _unused in self._controls(components):
            if event & (stop | delete) and self._host.services.is_running(name):
                self._host.services.stop(name)
            if event & delete and self._host.services.get(name) is not None:
                self._host.services.delete(name)

    def _start_services(self, components: Sequence[Component], start: int) -> None:
        for name, event, wait in self._controls(components):
            if not event & start:
                continue
            reply = self._host.services.start(name)
            if reply not in (Reply.OK, Reply.ALREADY_RUNNING) and wait:
                raise InstallFailed(
                    "StartServices",
                    f"Error 1920. Service '{name}' ({name}) failed to start. Verify that you have sufficient "
                    "privileges to start system services.",
                )

    def _controls(self, components: Sequence[Component]) -> list[tuple[str, int, bool]]:
        names = {item.name for item in components}
        return [
            (text(row, "Name"), number(row, "Event"), row.get("Wait") not in (0, None))
            for row in self._package.rows("ServiceControl")
            if text(row, "Component_") in names
        ]

    def _install_services(self, components: Sequence[Component]) -> None:
        names = {item.name: item for item in components}
        paths = self._file_paths()
        for row in self._package.rows("ServiceInstall"):
            component = names.get(text(row, "Component_"))
            if component is None:
                continue
            path = paths.get(component.key_path, "")
            image = f'"{path}"' if " " in path else path
            arguments = formatted(text(row, "Arguments"), self._properties, paths)
            name = text(row, "Name")
            running = self._host.services.is_running(name)
            self._host.services.create(
                name,
                f"{image} {arguments}".strip(),
                display_name=formatted(text(row, "DisplayName"), self._properties, paths),
                description=formatted(text(row, "Description"), self._properties, paths),
                start_mode=_START_MODES.get(number(row, "StartType"), StartMode.MANUAL),
                account=text(row, "StartName") or "LocalSystem",
                service_type=number(row, "ServiceType"),
                dependencies=[item for item in text(row, "Dependencies").split("[~]") if item],
            )
            self._log.note(f"Service {name} installed{' (was running)' if running else ''}")

    def _note_packages(self, before: Sequence[str]) -> None:
        if tuple(before) != self._host.lsa.registered:
            self._log.note(rf"HKLM\{LSA}\{VALUE} changed: {' '.join(self._host.lsa.registered)}")
            self.restart_needed = True
