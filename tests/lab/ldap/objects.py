# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's forest as the objects that Active Directory has for it (MS-ADTS 6.1.1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lab.pcns_entries import sid_bytes
from lab.windows.identity import HostRole

if TYPE_CHECKING:
    from lab.directory import Directory
    from lab.forest import Forest
    from lab.windows.host import SimulatedHost

Values = Mapping[str, Sequence[str | bytes]]

SPN_WRITABLE = ("servicePrincipalName",)
"""What the lab's only account, an administrator, may write of an account: as far as somebody asks."""

_CLASSES: Mapping[str, tuple[tuple[str, ...], str]] = {
    "domaindns": (("top", "domain", "domainDNS"), "Domain-DNS"),
    "configuration": (("top", "configuration"), "Configuration"),
    "dmd": (("top", "dMD"), "DMD"),
    "crossref": (("top", "crossRef"), "Cross-Ref"),
    "crossrefcontainer": (("top", "crossRefContainer"), "Cross-Ref-Container"),
    "sitescontainer": (("top", "sitesContainer"), "Sites-Container"),
    "site": (("top", "site"), "Site"),
    "serverscontainer": (("top", "serversContainer"), "Servers-Container"),
    "server": (("top", "server"), "Server"),
    "ntdsdsa": (("top", "applicationSettings", "nTDSDSA"), "NTDS-DSA"),
    "ntdsdsaro": (("top", "applicationSettings", "nTDSDSA", "nTDSDSARO"), "NTDS-DSA-RO"),
    "computer": (("top", "person", "organizationalPerson", "user", "computer"), "Computer"),
    "user": (("top", "person", "organizationalPerson", "user"), "Person"),
    "container": (("top", "container"), "Container"),
    "organizationalunit": (("top", "organizationalUnit"), "Organizational-Unit"),
    "group": (("top", "group"), "Group"),
    "ridmanager": (("top", "rIDManager"), "RID-Manager"),
    "attributeschema": (("top", "attributeSchema"), "Attribute-Schema"),
    "classschema": (("top", "classSchema"), "Class-Schema"),
    "ms-miis-pcns-service": (("top", "mS-MIIS-PCNS-Service"), "MS-MIIS-PCNS-Service"),
    "ms-miis-pcns-target": (("top", "mS-MIIS-PCNS-Target"), "MS-MIIS-PCNS-Target"),
    "infrastructureupdate": (("top", "infrastructureUpdate"), "Infrastructure-Update"),
}
"""By class in lower case: it with those above it, and the name of its category (MS-ADSC)."""

CATEGORIES = {name: category for name, (_classes, category) in _CLASSES.items()}


@dataclass(frozen=True)
class LdapObject:
    """One object: its distinguished name, and its values by attribute name in lower case."""

    dn: str
    values: Mapping[str, tuple[bytes, ...]] = field(default_factory=dict)


def make(dn: str, object_class: str, configuration: str, values: Values | None = None) -> LdapObject:
    """Return an object with what the directory itself adds to what a client gives."""
    classes, category = _CLASSES[object_class.lower()]
    given = {name.lower(): tuple(_bytes(item) for item in items) for name, items in (values or {}).items()}
    own: dict[str, tuple[bytes, ...]] = {
        "objectclass": tuple(name.encode() for name in classes),
        "objectcategory": (f"CN={category},CN=Schema,{configuration}".encode(),),
        "distinguishedname": (dn.encode(),),
        "whencreated": (f"{datetime.now(UTC):%Y%m%d%H%M%S}.0Z".encode(),),
    }
    return LdapObject(dn, own | given)


def _bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value


def forest_objects(forest: Forest) -> list[LdapObject]:
    """Return the forest's domains and domain controllers as they are now. The first domain controller of the forest
    holds all roles of the forest, and the first writable one of each domain those of its domain."""
    root = base_of(forest.directory.dns_name)
    configuration = f"CN=Configuration,{root}"
    controllers = [host for host in forest.hosts.values() if host.identity.role.is_dc]
    first = next((settings_dn(host, configuration) for host in controllers), "")
    master = forest.schema_master()
    schema_owner = settings_dn(master, configuration) if master else ""
    objects = list(_configuration(forest.domains, configuration, first, schema_owner))
    sites = dict.fromkeys(host.identity.site for host in controllers)
    for site in sites:
        objects.append(make(f"CN={site},CN=Sites,{configuration}", "site", configuration))
        objects.append(make(f"CN=Servers,CN={site},CN=Sites,{configuration}", "serversContainer", configuration))
    for domain in forest.domains:
        own = [host for host in controllers if host.identity.domain == domain.dns_name]
        writable = [host for host in own if host.identity.role is HostRole.WRITABLE_DC]
        objects += _domain(domain, configuration, settings_dn(writable[0], configuration) if writable else "")
        for host in own:
            objects += _domain_controller(host, domain, configuration, forest.promoted[host.identity.fqdn])
    return objects


def base_of(dns_name: str) -> str:
    """Return DC=corp,DC=example of corp.example."""
    return ",".join(f"DC={label}" for label in dns_name.split("."))


def settings_dn(host: SimulatedHost, configuration: str) -> str:
    """Return the name of a domain controller's nTDSDSA."""
    return f"CN=NTDS Settings,{_server_dn(host, configuration)}"


def _server_dn(host: SimulatedHost, configuration: str) -> str:
    return f"CN={host.identity.name},CN=Servers,CN={host.identity.site},CN=Sites,{configuration}"


def _configuration(
    domains: Sequence[Directory], configuration: str, owner: str, schema_owner: str
) -> Iterator[LdapObject]:
    yield make(configuration, "configuration", configuration)
    yield make(f"CN=Schema,{configuration}", "dMD", configuration, {"fSMORoleOwner": [schema_owner]})
    partitions = f"CN=Partitions,{configuration}"
    yield make(partitions, "crossRefContainer", configuration, {"fSMORoleOwner": [owner]})
    for name, context in (("Configuration", configuration), ("Schema", f"CN=Schema,{configuration}")):
        values = {"nCName": [context], "dnsRoot": [domains[0].dns_name], "systemFlags": ["1"]}
        yield make(f"CN=Enterprise {name},{partitions}", "crossRef", configuration, values)
    for domain in domains:
        values = {
            "nCName": [base_of(domain.dns_name)],
            "dnsRoot": [domain.dns_name],
            "nETBIOSName": [domain.netbios_name],
            "systemFlags": ["3"],
        }
        yield make(f"CN={domain.netbios_name},{partitions}", "crossRef", configuration, values)
    yield make(f"CN=Sites,{configuration}", "sitesContainer", configuration)


def _domain(domain: Directory, configuration: str, owner: str) -> Iterator[LdapObject]:
    base = base_of(domain.dns_name)
    head = {
        "fSMORoleOwner": [owner],
        "rIDManagerReference": [f"CN=RID Manager$,CN=System,{base}"],
        "wellKnownObjects": [
            f"B:32:2FBAC1870ADE11D297C400C04FD8D5CD:CN=Infrastructure,{base}",
            f"B:32:A361B2FFFFD211D1AA4B00C04FD7D83A:OU=Domain Controllers,{base}",
            f"B:32:AB1D30F3768811D1ADED00C04FD8D5CD:CN=System,{base}",
            f"B:32:A9D1CA15768811D1ADED00C04FD8D5CD:CN=Users,{base}",
        ],
    }
    own: Values = {
        "objectSid": [sid_bytes(domain.domain_sid)],
        "msDS-ReplAttributeMetaData": _backup(domain, configuration),
    }
    yield make(base, "domainDNS", configuration, {**head, **own})
    yield make(f"CN=System,{base}", "container", configuration)
    yield make(f"OU=Domain Controllers,{base}", "organizationalUnit", configuration)
    yield make(f"CN=RID Manager$,CN=System,{base}", "rIDManager", configuration, {"fSMORoleOwner": [owner]})
    yield make(f"CN=Infrastructure,{base}", "infrastructureUpdate", configuration, {"fSMORoleOwner": [owner]})


def _backup(domain: Directory, configuration: str) -> list[str]:
    """A backup of the system state changes dSASignature of each partition (KB 914034)."""
    if domain.backed_up is None:
        return []
    when, name = domain.backed_up
    value = (
        "<DS_REPL_ATTR_META_DATA>\n\t<pszAttributeName>dSASignature</pszAttributeName>\n"
        f"\t<ftimeLastOriginatingChange>{when:%Y-%m-%dT%H:%M:%SZ}</ftimeLastOriginatingChange>\n"
        f"\t<pszLastOriginatingDsaDN>CN=NTDS Settings,CN={name},CN=Servers,CN=Paris,CN=Sites,{configuration}"
        "</pszLastOriginatingDsaDN>\n</DS_REPL_ATTR_META_DATA>\n\0"
    )
    return [value]


def _domain_controller(
    host: SimulatedHost, domain: Directory, configuration: str, promoted: datetime
) -> Iterator[LdapObject]:
    identity = host.identity
    base = base_of(domain.dns_name)
    read_only = identity.role is HostRole.READ_ONLY_DC
    computer = f"CN={identity.name},OU=Domain Controllers,{base}"
    yield make(
        computer,
        "computer",
        configuration,
        {
            "sAMAccountName": [f"{identity.name}$"],
            "dNSHostName": [identity.fqdn],
            "userAccountControl": ["83890176" if read_only else "532480"],
            "primaryGroupID": ["521" if read_only else "516"],
            "servicePrincipalName": domain.service_principal_names.get(f"{identity.name}$".lower(), []),
            "allowedAttributesEffective": SPN_WRITABLE,
            "operatingSystem": [identity.caption.removeprefix("Microsoft ")],
            "operatingSystemVersion": [f"{identity.version.rpartition('.')[0]} ({identity.build})"],
        },
    )
    server = _server_dn(host, configuration)
    yield make(server, "server", configuration, {"serverReference": [computer], "dNSHostName": [identity.fqdn]})
    held = {} if read_only else {"hasMasterNCs": [base, configuration, f"CN=Schema,{configuration}"]}
    yield make(
        settings_dn(host, configuration),
        "nTDSDSARO" if read_only else "nTDSDSA",
        configuration,
        {
            "options": ["1"],
            "msDS-HasDomainNCs": [base],
            "whenCreated": [f"{promoted.astimezone(UTC):%Y%m%d%H%M%S}.0Z"],
            **held,
        },
    )
