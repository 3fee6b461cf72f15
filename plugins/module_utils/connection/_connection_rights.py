# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rights that an account needs on a host: what each is for, how to grant it, and which controls hang on it.

The rights are those of docs/rights.md (MS-WSMV 3.1.4.1.28 and wsman.md 5). Which controls turn unknown without a right
is held by a test that takes the rights away one by one (tests/integration/test_least_privilege.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Outcome(Enum):
    """How an account stands to a right. What could not be tried is unknown, never granted."""

    OK = "ok"
    DENIED = "denied"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Right:
    """Something that an account may do on a host.

    Attributes:
        name: Identifier in results.
        title: For people.
        needed_for: What this collection does with it.
        grant: What to grant, one sentence.
        unknown_without: Controls that can't be judged on a domain controller without this right, all others given.
    """

    name: str
    title: str
    needed_for: str
    grant: str
    unknown_without: tuple[str, ...] = ()


_NAMESPACE = (
    "Make the account a member of Remote Management Users, and give it Enable Account and Remote Enable on the WMI "
    "namespace {}."
)
_UNUSED = "nothing in this version"
_READERS = "Make the account a member of Event Log Readers."

CIMV2 = Right(
    "wmi_cimv2",
    "WMI namespace root/cimv2",
    "everything",
    _NAMESPACE.format("root/cimv2"),
    ("PCNS-001",),
)
DEFAULT = Right(
    "wmi_default",
    "WMI namespace root/default",
    f"{_UNUSED}; other tools read the registry there",
    _NAMESPACE.format("root/default"),
)
ACTIVE_DIRECTORY = Right(
    "wmi_microsoftactivedirectory",
    "WMI namespace root/MicrosoftActiveDirectory",
    f"{_UNUSED}; replication status",
    _NAMESPACE.format("root/MicrosoftActiveDirectory"),
)
DFS = Right(
    "wmi_microsoftdfs",
    "WMI namespace root/MicrosoftDFS",
    f"{_UNUSED}; SYSVOL replication status",
    _NAMESPACE.format("root/MicrosoftDFS"),
)
METHODS = Right(
    "registry_methods",
    "Calling StdRegProv, through which the registry is read",
    "reading the registry",
    "Give the account Execute Methods on the WMI namespace root/cimv2.",
    ("PCNS-002", "PCNS-003", "PCNS-004", "PCNS-005"),
)
LSA = Right(
    "registry_lsa",
    r"Reading HKLM\SYSTEM\CurrentControlSet\Control\Lsa",
    "which notification packages are registered",
    "Give the account Read on this registry key.",
    ("PCNS-002", "PCNS-003"),
)
UNINSTALL = Right(
    "registry_uninstall",
    r"Reading HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall",
    "which packages are installed",
    "Give the account Read on this registry key and on its twin below HKLM\\SOFTWARE\\Wow6432Node.",
    ("PCNS-004",),
)
SERVICES = Right(
    "services",
    "Seeing services in Win32_Service",
    "whether PCNS runs",
    "Give the account Connect and Enumerate on the service control manager, and Query on PCNSSVC (sc sdset).",
    ("PCNS-005",),
)
APPLICATION = Right("events_application", "Event log Application", "event 2201 of PCNSSVC", _READERS)
SYSTEM = Right("events_system", "Event log System", "event 16953, LSA refused a package", _READERS)
SECURITY = Right("events_security", "Event log Security", "event 4614, LSA loaded a package", _READERS)
SHELL = Right(
    "shell",
    "WinRM command shell (WinRS)",
    "pcnscfg, the ENTSSO tools, installations and restarts; not for observing a domain controller",
    "Give the account Execute on the WinRM shell (winrm configSDDL, or local administrator).",
)
SHARE = Right(
    "admin_share",
    "Administrative share C$",
    "pushing media fast; not for observing",
    "Make the account a local administrator of the host, and let TCP 445 through.",
)

RIGHTS: tuple[Right, ...] = (
    CIMV2,
    DEFAULT,
    ACTIVE_DIRECTORY,
    DFS,
    METHODS,
    LSA,
    UNINSTALL,
    SERVICES,
    APPLICATION,
    SYSTEM,
    SECURITY,
    SHELL,
    SHARE,
)
"""All rights, in the order in which they are probed and reported."""


@dataclass(frozen=True)
class RightStanding:
    """What a probe found.

    Attributes:
        right: The right.
        outcome: How the account stands to it.
        detail: Why it is denied or unknown; empty when it is granted.
    """

    right: Right
    outcome: Outcome
    detail: str = ""

    def to_json(self) -> dict[str, str]:
        """Returns it in the form that the module returns."""
        return {
            "name": self.right.name,
            "title": self.right.title,
            "status": self.outcome.value,
            "detail": self.detail,
            "needed_for": self.right.needed_for,
            "grant": self.right.grant if self.outcome is Outcome.DENIED else "",
        }
