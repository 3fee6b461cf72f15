# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ENTSSO on one machine: the server's own settings, the service, and what a fresh SSO server has on disk."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from lab.sso_delivery import Caller, Delivery
from lab.tracking import PasswordChange, Receipt
from lab.windows.eventlog import Level
from lab.windows.guid import packed

if TYPE_CHECKING:
    from lab.windows.host import SimulatedHost

FOLDER = r"C:\Program Files\Common Files\Enterprise Single Sign-On"
KEY = r"SOFTWARE\Microsoft\ENTSSO"
DATABASE_KEY = rf"{KEY}\SQL"
PRODUCT_CODE = "{F89B22BC-2768-4237-B300-5CFA52D9AC84}"
"""BizTalk 2016's (entsso.md 1.5); others are not public."""
PRODUCT_VERSION = "10.0.2242.0"
MEDIA = r"C:\Media\Platforms\SSO"
SERVICE = "ENTSSO"
SERVICE_ACCOUNT = "svc-entsso"
SERVER_DLL = "SSOPSServer.dll"
FEATURES = ("SSOServer", "SSOAdmin")
"""The two feature names that are public (entsso.md 1.2)."""
_FILES = (
    "ENTSSO.exe",
    "ssoconfig.exe",
    "ssomanage.exe",
    "ssoclient.exe",
    "SSOConfigOM.dll",
    "SSOMessage.dll",
    "SSOSS.dll",
)
FEATURE_FILES = (SERVER_DLL, "SSOPSAdmin.dll", "SSOPSHelper.dll")
"""Which files Password Synchronization brings beside SSOPSServer.dll is not public (entsso.md 1.8 lists names only)."""


@dataclass
class SsoServer:
    """Settings of one SSO server (entsso.md 4.2). Where ENTSSO keeps them is UNKNOWN, so no registry value stands for
    them."""

    host: SimulatedHost
    sync_age_hours: int
    allow_pcns: bool = False
    allow_miis: bool = False
    remote_lookup: bool = False
    replay_folder: str = ""
    ssl: bool = False
    audit_levels: tuple[int, int] = (0, 1)

    @property
    def service(self) -> EntssoService | None:
        """The running service, None when it does not run."""
        behaviour = self.host.services.behaviour(SERVICE)
        return behaviour if isinstance(behaviour, EntssoService) else None

    @property
    def feature_installed(self) -> bool:
        """Whether the file is there that Password Synchronization needs."""
        return self.host.files.get(f"{FOLDER}\\{SERVER_DLL}") is not None

    @property
    def receives_from_pcns(self) -> bool:
        """Whether Password Sync for Windows is running."""
        service = self.service
        if service is None:
            return False
        if self.host.settings.sso.password_sync_needs_restart:
            return service.password_sync
        return self.feature_installed

    def receive(self, change: PasswordChange, caller: Caller, user_name_format: int) -> Receipt:
        """Takes a change that a DC delivers to this server."""
        service = self.service
        if service is None:
            return Receipt(accepted=False, event_id=0, reason="the SSO server does not run")
        return service.delivery.receive(change, caller, user_name_format)

    def dump(self) -> dict[str, object]:
        """Returns the settings in a form for JSON."""
        return {
            "sync_age_hours": self.sync_age_hours,
            "allow_pcns": self.allow_pcns,
            "allow_miis": self.allow_miis,
            "remote_lookup": self.remote_lookup,
            "replay_folder": self.replay_folder,
            "ssl": self.ssl,
            "audit_levels": list(self.audit_levels),
        }


class EntssoService:
    """The running service. Its events at start: entsso.md 6.1, 6.2 and the end of 6.3."""

    def __init__(self, host: SimulatedHost) -> None:
        """Takes the machine."""
        self._host = host
        self.password_sync = False
        self.delivery = Delivery(host)

    def started(self) -> int | None:
        """Starts; refuses accounts that ENTSSO does not run under."""
        registry, server = self._host.registry, self._host.sso_server
        database = (registry.string(DATABASE_KEY, "Server") or "", registry.string(DATABASE_KEY, "Database") or "")
        service = self._host.services.get(SERVICE)
        account = service.account if service is not None else ""
        if account.lower() == "localsystem":
            self._log(11038, Level.ERROR)
            return 1066
        if account.lower() == r"nt authority\localservice":
            self._log(11039, Level.ERROR)
            return 1066
        self._log(
            10611 if server is None or not server.ssl else 10501, Level.INFORMATION, self._host.identity.name, *database
        )
        if server is not None and server.feature_installed:
            for event_id in (10650, 10651, 10656, 10657, 10659, 10660, 11065, 11066):
                self._log(event_id, Level.INFORMATION)
            self.password_sync = True
        else:
            self._log(10512, Level.ERROR, SERVER_DLL, "0x8007007E")
        self._log(10502, Level.INFORMATION)
        return None

    def stopped(self) -> None:
        """Stops."""
        self._log(10504, Level.INFORMATION)
        self._log(10505, Level.INFORMATION)

    def _log(self, event_id: int, level: Level, *data: str) -> None:
        self._host.events.write("Application", "ENTSSO", event_id, level, data)


def seed_entsso(host: SimulatedHost) -> None:
    """Installs ENTSSO without Password Synchronization, and puts its media on the disk."""
    long_ago = host.now() - timedelta(days=100)
    host.files.make_folder(FOLDER)
    host.files.make_folder(MEDIA)
    names = _FILES + (("SSOPS.exe",) if host.settings.sso.ssops_before_feature else ())
    for name in names:
        put_program(host, f"{FOLDER}\\{name}", long_ago_days=100)
    host.files.write(rf"{MEDIA}\setup.exe", b"entsso.password_sync lab: stand-in for ENTSSO set-up\r\n", long_ago)
    registry = host.registry
    registry.set_string(KEY, "InstallPath", FOLDER + "\\")
    registry.set_string(KEY, "ProductCode", PRODUCT_CODE)
    registry.set_string(KEY, "ProductLanguage", "1033")
    registry.set_string(KEY, "ProductName", "Microsoft Enterprise Single Sign-On")
    registry.set_string(KEY, "ProductVersion", PRODUCT_VERSION)
    registry.set_string(DATABASE_KEY, "Server", host.identity.fqdn)
    registry.set_string(DATABASE_KEY, "Database", "SSODB")
    uninstall = rf"SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\{PRODUCT_CODE}"
    registry.set_string(uninstall, "DisplayName", "Microsoft Enterprise Single Sign-On")
    registry.set_string(uninstall, "DisplayVersion", PRODUCT_VERSION)
    registry.set_string(uninstall, "Publisher", "Microsoft Corporation")
    registry.set_string(uninstall, "InstallLocation", FOLDER + "\\")
    registry.set_dword(uninstall, "WindowsInstaller", 1)
    for feature in FEATURES:
        registry.set_string(rf"SOFTWARE\Classes\Installer\Features\{packed(PRODUCT_CODE)}", feature, "")
    host.services.create(
        SERVICE,
        f'"{FOLDER}\\ENTSSO.exe"',
        display_name="Enterprise Single Sign-On Service",
        description="Provides single sign-on services to enterprise applications.",
        account=f"{host.identity.netbios_domain}\\{SERVICE_ACCOUNT}",
    )
    host.sso_server = SsoServer(host, host.settings.sso.sync_age_default)
    host.services.start(SERVICE)


def put_program(host: SimulatedHost, path: str, *, long_ago_days: int = 0) -> None:
    """Puts a program of ENTSSO on the disk, of which the lab knows only name and version."""
    digest = hashlib.sha256(f"entsso/{path.lower()}/{PRODUCT_VERSION}".encode()).hexdigest()
    written = host.now() - timedelta(days=long_ago_days)
    host.files.put(path, 81920, digest, written, version=PRODUCT_VERSION, manufacturer="Microsoft Corporation")
