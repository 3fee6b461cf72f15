# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The PCNS part of the forest's schema, and which domain controller has how much of it.

Names and OIDs: pcns.md 2 (schema objects). What is UNKNOWN there (syntaxes, the names and OIDs of four attributes)
comes from `lab.settings.PcnsDirectorySettings`; here each attribute has a word of the lab's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

OIDS = "1.2.840.113556.1"
CLASSES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "target": ("MS-MIIS-PCNS-Target", f"{OIDS}.5.249"),
        "service": ("MS-MIIS-PCNS-Service", f"{OIDS}.5.250"),
    }
)
"""The lab's word to the class's common name and OID."""
ATTRIBUTES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "guid": ("MS-MIIS-PCNS-TargetGUID", f"{OIDS}.4.1895"),
        "spn": ("MS-MIIS-PCNS-TargetSPN", f"{OIDS}.4.1896"),
        "server": ("MS-MIIS-PCNS-TargetServer", f"{OIDS}.4.1897"),
        "authentication_service": ("MS-MIIS-PCNS-TargetAuthenticationService", f"{OIDS}.4.1898"),
        "user_name_format": ("MS-MIIS-PCNS-TargetUserNameFormat", f"{OIDS}.4.1899"),
        "keep_alive": ("MS-MIIS-PCNS-TargetKeepAliveInterval", f"{OIDS}.4.1900"),
        "disabled": ("MS-MIIS-PCNS-TargetDisabled", f"{OIDS}.4.1901"),
        "encryption_key": ("MS-MIIS-PCNS-TargetEncryptionKey", f"{OIDS}.4.1902"),
        "max_queue_length": ("MS-MIIS-PCNS-ServiceMaxQueueLength", f"{OIDS}.4.1903"),
        "max_queue_age": ("MS-MIIS-PCNS-ServiceMaxQueueAge", f"{OIDS}.4.1904"),
        "exclusion_sid": ("MS-MIIS-PCNS-TargetExclusionSID", f"{OIDS}.4.1908"),
        "inclusion_sid": ("MS-MIIS-PCNS-TargetInclusionSID", f"{OIDS}.4.1909"),
    }
)
"""As above, for the attributes whose OID is public."""
UNPUBLISHED = ("max_retries", "retry_interval", "warning_level", "warning_interval")
"""Attributes that there must be, since pcnscfg writes them, and whose name or OID no public source says."""
EVERYTHING = frozenset({*CLASSES, *ATTRIBUTES, *UNPUBLISHED})


@dataclass(frozen=True)
class Foreign:
    """Something else of somebody else in the schema."""

    common_name: str
    oid: str
    is_class: bool = False


@dataclass
class _Held:
    parts: frozenset[str]
    written: bool = False


@dataclass
class Schema:
    """The schema of a forest. Domain controllers are named by their full names, lower case."""

    parts: frozenset[str] = EVERYTHING
    """What those that replicate have, in the lab's words."""
    foreign: list[Foreign] = field(default_factory=list)
    watchers: list[Callable[[], None]] = field(default_factory=list)
    """Told of each change."""
    _held: dict[str, _Held] = field(default_factory=dict)

    @property
    def pcns_extended(self) -> bool:
        """Whether all of it is there."""
        return self.parts == EVERYTHING

    @pcns_extended.setter
    def pcns_extended(self, extended: bool) -> None:
        self.write(EVERYTHING if extended else ())

    def view(self, domain_controller: str) -> frozenset[str]:
        """Returns what one domain controller has."""
        held = self._held.get(domain_controller)
        return held.parts if held else self.parts

    def write(self, parts: Iterable[str], domain_controller: str = "") -> None:
        """Makes the schema have these parts; on a domain controller that does not replicate, only there."""
        held = self._held.get(domain_controller)
        if held is not None:
            held.parts, held.written = frozenset(parts), True
        else:
            self.parts = frozenset(parts)
        for watcher in self.watchers:
            watcher()

    def hold(self, domain_controller: str) -> None:
        """Lets a domain controller neither receive nor send changes from now on."""
        self._held.setdefault(domain_controller, _Held(self.parts))

    def release(self, domain_controller: str) -> None:
        """Lets it replicate again; what was written on it meanwhile wins."""
        held = self._held.pop(domain_controller, None)
        if held is not None and held.written:
            self.write(held.parts)

    def dump(self) -> dict[str, object]:
        """Returns everything in a form for JSON."""
        return {
            "parts": sorted(self.parts),
            "foreign": [[item.common_name, item.oid] for item in self.foreign],
            "held": {name: sorted(held.parts) for name, held in sorted(self._held.items())},
        }
