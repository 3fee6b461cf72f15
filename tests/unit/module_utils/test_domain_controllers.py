# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which domain controllers there are, out of objects as directories have them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entsso.password_sync.plugins.module_utils.ldap import _domain_controllers
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._domain_controllers import (
    Domain,
    DomainController,
    DomainObjects,
    Forest,
    LeftoverKind,
    Role,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_entry import Entry

BASE = "DC=corp,DC=example"
CONFIGURATION = f"CN=Configuration,{BASE}"
CORP = Domain(BASE, "corp.example", "CORP")
CHILD = Domain(f"DC=child,{BASE}", "child.corp.example", "KIDS")


def entry(dn: str, **values: str | Sequence[str]) -> Entry:
    given_ones = {name: (value,) if isinstance(value, str) else value for name, value in values.items()}
    return Entry(dn, {name.lower(): tuple(item.encode() for item in items) for name, items in given_ones.items()})


def computer(name: str, control: int = 532480, dn: str = "", **more: str) -> Entry:
    return entry(
        dn or f"CN={name},OU=Domain Controllers,{BASE}",
        sAMAccountName=f"{name}$",
        dNSHostName=f"{name.lower()}.corp.example",
        userAccountControl=str(control),
        whenCreated="20240302091100.0Z",
        **more,
    )


def server(name: str, site: str = "Paris", reference: str = "", **more: str) -> Entry:
    return entry(
        f"CN={name},CN=Servers,CN={site},CN=Sites,{CONFIGURATION}",
        objectClass=("top", "server"),
        serverReference=reference or f"CN={name},OU=Domain Controllers,{BASE}",
        whenCreated="20250302091100.0Z",
        **{"dNSHostName": f"{name.lower()}.corp.example", **more},
    )


def service(of: Entry, category: str = "NTDS-DSA", **more: str | Sequence[str]) -> Entry:
    return entry(
        f"CN=NTDS Settings,{of.dn}",
        **{
            "objectClass": ("top", "applicationSettings", "nTDSDSA"),
            "objectCategory": f"CN={category},CN=Schema,{CONFIGURATION}",
            "whenCreated": "20261119220144.0Z",
            "options": "1",
            **more,
        },
    )


def found(
    sites: Sequence[Entry],
    computers: Sequence[Entry] = (),
    *,
    readable: bool = True,
    wanted: tuple[Domain, ...] = (CORP,),
) -> Forest:
    head = entry(BASE, wellKnownObjects=(f"B:32:A361B2FFFFD211D1AA4B00C04FD7D83A:OU=Domain Controllers,{BASE}", "x"))
    objects = {BASE: DomainObjects(head, {}, computers)} if readable else {}
    return _domain_controllers.forest((CHILD, CORP), wanted, sites, {}, objects)


def one(sites: Sequence[Entry], *computers: Entry, readable: bool = True) -> DomainController:
    (item,) = found(sites, computers, readable=readable).domain_controllers
    return item


def test_a_domain_controller() -> None:
    dc = server("DC1")
    item = one([dc, service(dc)], computer("DC1", operatingSystem="Windows Server 2025", operatingSystemVersion="10.0"))
    assert item == DomainController(
        dns_name="dc1.corp.example",
        netbios_name="DC1",
        domain=CORP,
        site="Paris",
        read_only=False,
        global_catalog=True,
        roles=(),
        promoted_at="2026-11-19T22:01:44Z",
        operating_system="Windows Server 2025",
        operating_system_version="10.0",
        enabled=True,
        distinguished_name=f"CN=DC1,OU=Domain Controllers,{BASE}",
        in_default_container=True,
    )


@pytest.mark.parametrize(
    ("category", "classes"), [("NTDS-DSA-RO", ("nTDSDSA",)), ("NTDS-DSA", ("nTDSDSA", "nTDSDSARO"))]
)
def test_a_read_only_one_by_category_or_class(category: str, classes: tuple[str, ...]) -> None:
    """Samba has the category alone (samba.md 2); on Windows the class is nTDSDSARO."""
    dc = server("RODC1")
    item = one([dc, service(dc, category, objectClass=classes)], computer("RODC1", 83890176, primaryGroupID="521"))
    assert item.read_only
    assert item.problems == ()


def test_account_and_service_that_disagree() -> None:
    dc = server("DC1")
    item = one([dc, service(dc)], computer("DC1", 83890176))
    assert not item.read_only
    assert item.problems == ("Its account says that it is read-only, and its NTDS Settings that it is writable.",)


def test_roles_of_forest_and_domain() -> None:
    first, second = server("DC1"), server("DC2")
    services = [service(first), service(second)]
    head = entry(BASE)
    owners = {Role.PDC: services[1].dn.lower(), Role.RID: services[1].dn, Role.INFRASTRUCTURE: services[0].dn}
    objects = {BASE: DomainObjects(head, owners, [computer("DC1"), computer("DC2")])}
    forest_roles = {Role.SCHEMA: services[0].dn, Role.NAMING: services[1].dn}
    read = _domain_controllers.forest((CORP,), (CORP,), [first, second, *services], forest_roles, objects)
    assert [item.roles for item in read.domain_controllers] == [
        (Role.SCHEMA, Role.INFRASTRUCTURE),
        (Role.NAMING, Role.PDC, Role.RID),
    ]
    assert read.vacant_roles == ()


def test_roles_that_nobody_holds() -> None:
    dc = server("DC1")
    gone = f"CN=NTDS Settings\\0ADEL:b0a7,CN=DC9\\0ADEL:77,CN=Servers,CN=Paris,CN=Sites,{CONFIGURATION}"
    objects = {BASE: DomainObjects(entry(BASE), {Role.PDC: gone, Role.RID: ""}, [computer("DC1")])}
    sites = [dc, service(dc)]
    read = _domain_controllers.forest((CORP,), (CORP,), sites, {Role.SCHEMA: service(dc).dn}, objects)
    start, end = f"of the domain {BASE}: it belongs to ", "Seize the role on another one."
    assert read.vacant_roles == (
        f"No domain controller holds the role pdc_emulator {start}a deleted one. {end}",
        f"No domain controller holds the role rid_master {start}nobody. {end}",
    )


def test_leftovers_of_every_kind() -> None:
    demoted, lost = server("GONE1", "Köln"), server("GONE2", reference="CN=elsewhere,DC=other")
    read = found([demoted, lost, service(lost)], [computer("GONE3")])
    kinds = {item.name: (item.kind, item.domain, item.site, item.created_at[:4]) for item in read.leftovers}
    assert kinds == {
        "GONE1": (LeftoverKind.NO_SERVICE, "corp.example", "Köln", "2025"),
        "GONE2": (LeftoverKind.NO_COMPUTER, "corp.example", "Paris", "2026"),
        "GONE3": (LeftoverKind.NO_SERVER, "corp.example", "", "2024"),
    }
    assert read.domain_controllers == ()
    assert all(item.sentence().startswith(item.distinguished_name) for item in read.leftovers)


def test_a_domain_that_could_not_be_read() -> None:
    dc = server("DC1")
    item = one([dc, service(dc)], readable=False)
    assert (item.enabled, item.operating_system, item.in_default_container, item.netbios_name) == (None,) * 4
    assert (item.dns_name, item.site, item.domain) == ("dc1.corp.example", "Paris", CORP)
    assert item.distinguished_name == f"CN=DC1,OU=Domain Controllers,{BASE}"


@pytest.mark.parametrize(
    "known_by",
    [
        {"reference": f"CN=DC1,OU=Domain Controllers,{CHILD.dn}", "dNSHostName": "dc1.corp.example"},
        {"reference": "CN=none", "dNSHostName": "dc1.child.corp.example"},
    ],
)
def test_the_domain_of_a_server(known_by: dict[str, str]) -> None:
    dc = server("DC1", **known_by)
    assert found([dc, service(dc)]).domain_controllers == ()
    (item,) = found([dc, service(dc)], wanted=(CHILD,)).domain_controllers
    assert item.domain == CHILD


def test_the_domain_that_the_service_holds() -> None:
    dc = server("DC1", reference="CN=none", dNSHostName="dc1.elsewhere.example")
    held = {"hasMasterNCs": (CONFIGURATION, CHILD.dn.upper())}
    (item,) = found([dc, service(dc, **held)], wanted=(CHILD,)).domain_controllers
    assert item.domain == CHILD


def test_domains_are_the_crossrefs_of_domains_alone() -> None:
    references = [
        entry("CN=CORP", nCName=BASE, dnsRoot="Corp.Example", nETBIOSName="CORP", systemFlags="3"),
        entry("CN=zones", nCName=f"DC=ForestDnsZones,{BASE}", dnsRoot="x", systemFlags="5"),
        entry("CN=outside", nCName="DC=other", dnsRoot="other"),
    ]
    assert _domain_controllers.domains(references) == (CORP,)


def test_whom_to_ask_for_a_domain() -> None:
    sites: list[Entry] = []
    for name, category in (("RODC1", "NTDS-DSA-RO"), ("DC2", "NTDS-DSA"), ("DC1", "NTDS-DSA")):
        dc = server(name)
        sites += [dc, service(dc, category)]
    sites += [server("GONE1")]
    assert _domain_controllers.domain_controllers_of(sites, CORP, (CORP, CHILD)) == (
        "dc1.corp.example",
        "dc2.corp.example",
        "rodc1.corp.example",
    )
    assert _domain_controllers.domain_controllers_of(sites, CHILD, (CORP, CHILD)) == ()


PARTS = st.fixed_dictionaries(
    {name: st.sets(st.sampled_from(["computer", "server", "service"])) for name in ("DC1", "DC2", "DC3")}
)


@given(PARTS, st.randoms(use_true_random=False))
def test_nothing_is_lost_and_order_does_not_matter(parts: dict[str, set[str]], random: st.DataObject) -> None:
    sites: list[Entry] = []
    computers = []
    for name, kinds in parts.items():
        dc = server(name)
        sites += [dc] if "server" in kinds else []
        sites += [service(dc)] if kinds >= {"server", "service"} else []
        computers += [computer(name)] if "computer" in kinds else []
    first = found(sites, computers)
    random.shuffle(sites)  # type: ignore[attr-defined]
    random.shuffle(computers)  # type: ignore[attr-defined]
    assert found(sites, computers) == first
    whole = {item.netbios_name for item in first.domain_controllers}
    assert whole == {name for name, kinds in parts.items() if len(kinds) == 3}
    left = {item.name for item in first.leftovers}
    assert left == {name for name, kinds in parts.items() if kinds & {"computer", "server"}} - whole
