# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A forest in which the domain controllers are as they come: read-only, disabled, misplaced, half demoted, elsewhere.

The same LDIF goes to Samba and to the responder, on top of a domain corp.example with one domain controller DC1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from lab.forest import Forest

from .ldif import parse_ldif
from .objects import LdapObject, forest_objects

BASE = "DC=corp,DC=example"
CONFIGURATION = f"CN=Configuration,{BASE}"
FIRST_SITE = "Default-First-Site-Name"


@dataclass(frozen=True)
class Controller:
    """A domain controller to be; whatever is left out of it makes it one of the difficult ones."""

    name: str
    site: str = FIRST_SITE
    container: str = f"OU=Domain Controllers,{BASE}"
    control: int = 532480
    """userAccountControl: 532480 is that of a writable one, 83890176 that of a read-only one (samba.md 2)."""
    options: int = 0
    operating_system: str = "Windows Server 2022 Standard"
    version: str = "10.0 (20348)"
    parts: frozenset[str] = field(default=frozenset({"computer", "server", "service"}))
    read_only_service: bool = False
    account_dns_name: str = ""
    """The account's DNS name where it is not that of the server object."""


def ldif(controllers: Sequence[Controller]) -> str:
    """Return what must be added for domain controllers; sites and containers must be there."""
    return "\n".join(block for item in controllers for block in _blocks(item))


def _blocks(item: Controller) -> Sequence[str]:
    full = f"{item.name.lower()}.corp.example"
    computer = f"CN={item.name},{item.container}"
    server = f"CN={item.name},CN=Servers,CN={item.site},CN=Sites,{CONFIGURATION}"
    blocks = []
    if "computer" in item.parts:
        blocks.append(
            f"dn: {computer}\nchangetype: add\nobjectClass: computer\nsAMAccountName: {item.name}$\n"
            f"userAccountControl: {item.control}\ndNSHostName: {item.account_dns_name or full}\n"
            f"operatingSystem: {item.operating_system}\noperatingSystemVersion: {item.version}\n"
        )
    if "server" in item.parts:
        reference = f"serverReference: {computer}\n" if "computer" in item.parts else ""
        blocks.append(f"dn: {server}\nchangetype: add\nobjectClass: server\n{reference}dNSHostName: {full}\n")
    if "service" in item.parts:
        category = "NTDS-DSA-RO" if item.read_only_service else "NTDS-DSA"
        held = "".join(f"hasMasterNCs: {name}\n" for name in (BASE, CONFIGURATION) if not item.read_only_service)
        blocks.append(
            f"dn: CN=NTDS Settings,{server}\nchangetype: add\nobjectClass: nTDSDSA\n"
            f"objectCategory: CN={category},CN=Schema,{CONFIGURATION}\noptions: {item.options}\n{held}"
        )
    return blocks


KOELN = "Köln"
PLACES = f"""\
dn: CN={KOELN},CN=Sites,{CONFIGURATION}
changetype: add
objectClass: site

dn: CN=Servers,CN={KOELN},CN=Sites,{CONFIGURATION}
changetype: add
objectClass: serversContainer

dn: OU=Tier 0\\, Öst,{BASE}
changetype: add
objectClass: organizationalUnit
"""

CHILD = f"""\
dn: CN=KIDS,CN=Partitions,{CONFIGURATION}
changetype: add
objectClass: crossRef
nCName: DC=child,{BASE}
dnsRoot: child.corp.example
nETBIOSName: KIDS
systemFlags: 3

dn: CN=KID1,CN=Servers,CN={FIRST_SITE},CN=Sites,{CONFIGURATION}
changetype: add
objectClass: server
dNSHostName: kid1.child.corp.example

dn: CN=NTDS Settings,CN=KID1,CN=Servers,CN={FIRST_SITE},CN=Sites,{CONFIGURATION}
changetype: add
objectClass: nTDSDSA
options: 1
"""
"""A child domain with a NetBIOS name unlike its DNS name, whose one domain controller can't be reached. Samba's KDC
issues no tickets for LDAP any more once it is there."""

CONTROLLERS = (
    Controller("DC2", KOELN, options=1),
    Controller("DC3", container=f"OU=Tier 0\\, Öst,{BASE}", control=532482, operating_system="Windows Server 2019"),
    Controller("DC4", account_dns_name="dc4-old.corp.example"),
    Controller("RODC1", KOELN, control=83890176, options=37, read_only_service=True),
    Controller("DC5", read_only_service=True),
    Controller("GONE1", KOELN, parts=frozenset({"server"})),
    Controller("GONE2", parts=frozenset({"server", "service"})),
    Controller("GONE3", parts=frozenset({"computer"})),
)
"""DC2 plain; DC3 disabled and elsewhere; DC4 with two names; RODC1; DC5 whose account and service disagree; then what
three kinds of demotions and promotions leave."""

ADDITIONS = f"{PLACES}\n{ldif(CONTROLLERS)}"


def example_forest() -> Forest:
    """Return a forest like Samba's after its provisioning: one domain with one domain controller."""
    forest = Forest(populate=False)
    forest.add_domain_controller("DC1", FIRST_SITE)
    return forest


def example_objects(forest: Forest, additions: str = ADDITIONS) -> list[LdapObject]:
    """Return the objects of the forest with those of the LDIF."""
    return [*forest_objects(forest), *parse_ldif(additions, CONFIGURATION)]
