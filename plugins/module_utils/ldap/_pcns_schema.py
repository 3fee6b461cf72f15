# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of PCNS a domain controller has in its schema.

Classes and attributes are known by OID (pcns.md 2, schema objects). Names or OIDs of four attributes are not public:
whatever else is there under a name of PCNS is listed, and nothing stands on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_entry import Entry

_ARC = "1.2.840.113556.1"

CLASSES: Mapping[str, str] = MappingProxyType(
    {
        f"{_ARC}.5.249": "MS-MIIS-PCNS-Target",
        f"{_ARC}.5.250": "MS-MIIS-PCNS-Service",
    }
)
"""By governsID."""

ATTRIBUTES: Mapping[str, str] = MappingProxyType(
    {
        f"{_ARC}.4.1895": "MS-MIIS-PCNS-TargetGUID",
        f"{_ARC}.4.1896": "MS-MIIS-PCNS-TargetSPN",
        f"{_ARC}.4.1897": "MS-MIIS-PCNS-TargetServer",
        f"{_ARC}.4.1898": "MS-MIIS-PCNS-TargetAuthenticationService",
        f"{_ARC}.4.1899": "MS-MIIS-PCNS-TargetUserNameFormat",
        f"{_ARC}.4.1900": "MS-MIIS-PCNS-TargetKeepAliveInterval",
        f"{_ARC}.4.1901": "MS-MIIS-PCNS-TargetDisabled",
        f"{_ARC}.4.1902": "MS-MIIS-PCNS-TargetEncryptionKey",
        f"{_ARC}.4.1903": "MS-MIIS-PCNS-ServiceMaxQueueLength",
        f"{_ARC}.4.1904": "MS-MIIS-PCNS-ServiceMaxQueueAge",
        f"{_ARC}.4.1908": "MS-MIIS-PCNS-TargetExclusionSID",
        f"{_ARC}.4.1909": "MS-MIIS-PCNS-TargetInclusionSID",
    }
)
"""By attributeID."""

_BY_OID = {**CLASSES, **ATTRIBUTES}
_BY_NAME = {name.lower(): oid for oid, name in _BY_OID.items()}
_PREFIX = "ms-miis-pcns-"

QUERY = (
    "(|(cn=MS-MIIS-PCNS-*)"
    + "".join(f"(governsID={oid})" for oid in CLASSES)
    + "".join(f"(attributeID={oid})" for oid in ATTRIBUTES)
    + ")"
)
"""Finds all of it, and whatever else took one of its OIDs."""

READ = ("cn", "attributeID", "governsID", "isDefunct")


@dataclass(frozen=True)
class SchemaView:
    """The PCNS part of the schema as one domain controller has it.

    Attributes:
        found: Classes and attributes of the lists above that it has, by common name.
        discovered: What else it has under a name of PCNS, sorted.
        conflicts: What is not as it should be, and no package can mend, each as a clause.
    """

    found: frozenset[str] = frozenset()
    discovered: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """What of the lists above it lacks, in their order."""
        return tuple(name for name in _BY_OID.values() if name not in self.found)

    @property
    def absent(self) -> bool:
        """Whether it has nothing at all."""
        return not self.found and not self.discovered

    @property
    def everything(self) -> frozenset[str]:
        """All that it has."""
        return self.found | frozenset(self.discovered)

    def behind(self, other: SchemaView) -> tuple[str, ...]:
        """Returns what another domain controller has and this one does not, sorted."""
        return tuple(sorted(other.everything - self.everything))


def schema_view(entries: Iterable[Entry]) -> SchemaView:
    """Returns what the schema's objects say.

    Args:
        entries: What `QUERY` finds in the schema of a domain controller, with the attributes `READ`.
    """
    found: set[str] = set()
    discovered: set[str] = set()
    conflicts: list[str] = []
    for entry in entries:
        name, oid = entry.text("cn"), entry.text("governsID") or entry.text("attributeID")
        expected = _BY_OID.get(oid)
        ours = name.lower().startswith(_PREFIX)
        if expected is not None and not ours:
            conflicts.append(f"{name} has the OID {oid}, which is that of {expected}")
        elif expected is None and name.lower() in _BY_NAME:
            conflicts.append(f"{name} has the OID {oid} and not {_BY_NAME[name.lower()]}")
        elif expected is not None and _is_defunct(entry):
            conflicts.append(f"{name} is defunct (isDefunct)")
        elif expected is not None:
            found.add(expected)
        elif ours and not _is_defunct(entry):
            discovered.add(name)
    return SchemaView(frozenset(found), tuple(sorted(discovered)), tuple(sorted(conflicts)))


def _is_defunct(entry: Entry) -> bool:
    """Whether an object of the schema was taken out of use, which is all that can be done with one."""
    return entry.text("isDefunct").upper() == "TRUE"
