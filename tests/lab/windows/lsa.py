# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The local security authority, as far as notification packages go: it loads them when the machine boots, never else.

Sources: pcns.md 1 (Notification Packages, System32), 2 (restart, RunAsPPL), 6d (4614, 16953, Wininit 12).
"""

from __future__ import annotations

from dataclasses import dataclass

from lab.windows.eventlog import EventLog, Level
from lab.windows.files import FileSystem
from lab.windows.registry import Registry

LSA = r"SYSTEM\CurrentControlSet\Control\Lsa"
VALUE = "Notification Packages"
SYSTEM32 = r"C:\Windows\System32"
SAM_PROVIDER = "Microsoft-Windows-Directory-Services-SAM"
OWN_PACKAGES = frozenset({"rassfm", "scecli"})
NOT_FOUND = 126


@dataclass(frozen=True)
class LoadedPackage:
    """A package in LSASS, with the version and hash that its file had when it was loaded."""

    name: str
    path: str
    version: str | None
    sha256: str


class LocalSecurityAuthority:
    """What LSASS has loaded since the machine booted."""

    def __init__(self, registry: Registry, files: FileSystem, events: EventLog) -> None:
        """Takes the machine's parts; nothing is loaded before `boot`."""
        self._registry = registry
        self._files = files
        self._events = events
        self.loaded: tuple[LoadedPackage, ...] = ()

    @property
    def registered(self) -> tuple[str, ...]:
        """The entries of `Notification Packages` as they are in the registry now."""
        return self._registry.multi_string(LSA, VALUE) or ()

    def is_loaded(self, name: str) -> bool:
        """Whether a package was loaded at the last boot."""
        return any(item.name.lower() == name.lower() for item in self.loaded)

    def holds(self, path: str) -> bool:
        """Whether a file is in use as a loaded package."""
        return any(item.path.lower() == path.lower() for item in self.loaded)

    def boot(self, *, audit: bool, blocked_error: int | None) -> None:
        """Loads the packages.

        Args:
            audit: Whether each loaded package is recorded as Security 4614.
            blocked_error: The error with which packages other than Windows' own are refused, None for not at all.
        """
        if self._registry.dword(LSA, "RunAsPPL"):
            self._events.write("System", "Microsoft-Windows-Wininit", 12, Level.INFORMATION, ("4",))
        loaded: list[LoadedPackage] = []
        for name in self.registered:
            path = name if ":" in name else f"{SYSTEM32}\\{name}"
            path = path if path.lower().endswith(".dll") else f"{path}.dll"
            file = self._files.get(path)
            error = NOT_FOUND if file is None else None
            if file is not None and blocked_error is not None and name.lower() not in OWN_PACKAGES:
                error = blocked_error
            if file is None or error is not None:
                # "The password notification DLL %1 failed to load with error %4": what %2 and %3 hold is not published.
                self._events.write("System", SAM_PROVIDER, 16953, Level.ERROR, (name, "", "", str(error)))
                continue
            loaded.append(LoadedPackage(name, file.path, file.version, file.sha256))
            if audit:
                self._events.write(
                    "Security",
                    "Microsoft-Windows-Security-Auditing",
                    4614,
                    Level.AUDIT,
                    (("NotificationPackageName", name),),
                )
        self.loaded = tuple(loaded)

    def unload(self) -> None:
        """Forgets everything, as the machine goes down."""
        self.loaded = ()
