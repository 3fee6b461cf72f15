# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of the things that PCNS and ENTSSO are made of, in one place."""

from __future__ import annotations

NOTIFICATION_PACKAGE = "PCNSFLT"
"""Entry in `Notification Packages`, without extension (pcns.md 1, Microsoft's password filter pages)."""

PCNS_SERVICE = "PCNSSVC"
"""Service name (pcns.md 1). One support text says FIMPCNS; no other source does."""

PCNSCFG = r"C:\Program Files\Microsoft Password Change Notification\pcnscfg.exe"
"""Where the PCNS packages put their tool (pcns.md 1)."""

LSA_KEY = r"SYSTEM\CurrentControlSet\Control\Lsa"
NOTIFICATION_PACKAGES_VALUE = "Notification Packages"
PCNS_PARAMETERS_KEY = r"SYSTEM\CurrentControlSet\Services\PCNSSVC\Parameters"
EVENT_LOG_LEVEL_VALUE = "EventLogLevel"

UNINSTALL_KEYS = (
    r"SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall",
    r"SOFTWARE\Wow6432Node\Microsoft\Windows\CurrentVersion\Uninstall",
)
"""Never Win32_Product: reading it makes Windows Installer check and repair every product (wsman.md 4)."""

UPGRADE_CODES_KEY = r"SOFTWARE\Classes\Installer\UpgradeCodes"

ENTSSO_SERVICE = "ENTSSO"
ENTSSO_DIRECTORY = r"C:\Program Files\Common Files\Enterprise Single Sign-On"
"""Default directory (entsso.md 1.4)."""

PASSWORD_SYNC_LIBRARY = "SSOPSServer.dll"
"""Marker of the feature; on its own it proves nothing (entsso.md 1.1)."""

MARKERS_KEY = r"SOFTWARE\entsso.password_sync\Markers"
"""Where this collection remembers settings that can be written and not read back."""

ROLLOUT_LOCK_FOLDER = r"C:\Program Files\entsso.password_sync\rollout-lock"
ROLLOUT_LOCK_KEY = r"SOFTWARE\entsso.password_sync\RolloutLock"
"""One folder for each holder of the rollout lock, and who that is."""
