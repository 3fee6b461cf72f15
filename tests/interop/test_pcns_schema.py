# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pcns_schema with real directories: the lab's hosts run the package, and what it writes is written to Samba."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from interop.directory_kit import PASSWORD, session_as
from unit.lab_host import Lab, Result, media, running, settings

from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_settings import LdapSettings, Protocol
from ansible_collections.entsso.password_sync.plugins.plugin_utils._action import OBSERVE_ONLY
from lab.directory import PcnsConfiguration, PcnsObjects, PcnsTarget
from lab.forest import Forest
from lab.ldap.dns import NameServer
from lab.pcns_entries import CONTAINER
from lab.samba.directory import Domain
from lab.samba.pcns_objects import mirror
from lab.samba.second import SecondController, second_controller
from lab.schema import EVERYTHING
from lab.settings import DESCRIPTIVE_NAMES, GuidForm, LabSettings, PcnsDirectorySettings, Placement, SidForm

pytestmark = pytest.mark.needs("samba", "unshare", "root")

CACHE = Path(__file__).parents[2] / "build" / "samba"
DC1, DC2 = "dc1.corp.example", "dc2.corp.example"
SCHEMA = "CN=Schema,CN=Configuration,DC=corp,DC=example"
PACKAGE = media("pcns-all-in-one.msi", properties={"ACCEPT_EULA": "1"})


@dataclass(frozen=True)
class Place:
    """Hosts of the lab, and the directory that stands behind them."""

    lab: Lab
    domain: Domain
    variables: dict[str, Any]

    def run(self, host: str = "dc1", *, judge: bool = False, **given: Any) -> Result:
        self.lab.forget()
        variables = {**self.variables, **({OBSERVE_ONLY: True} if judge else {})}
        return self.lab.run("pcns_schema", host, check=judge, variables=variables, **given)

    def refused(self, host: str = "dc1", **given: Any) -> str:
        self.lab.forget()
        return str(self.lab.refused("pcns_schema", host, variables=self.variables, **given))


@contextmanager
def placed(domain: Domain, lab_settings: LabSettings, second: SecondController | None = None) -> Iterator[Place]:
    """Starts hosts for a domain in which nobody has extended the schema."""
    forest = Forest(lab_settings, populate=False)
    forest.add_domain_controller("DC1", "Default-First-Site-Name")
    if second is not None:
        forest.add_domain_controller("DC2", "Default-First-Site-Name")
    forest.directory.schema.parts = frozenset()
    written = mirror(forest, domain)
    if second is not None:
        written.after_attributes.append(lambda: second.replicate(SCHEMA))
    hosts = {DC1: domain.address, **({DC2: second.address} if second else {})}
    with running(forest) as lab, NameServer(hosts, {}) as names:
        variables = {
            "password_sync_ldap_domain": "corp.example",
            "password_sync_ldap_server": DC1,
            "password_sync_ldap_name_servers": [names.name],
            "password_sync_ldap_auth_protocol": "ntlm",
            "password_sync_ldap_username": "CORP\\reader",
            "password_sync_ldap_password": PASSWORD,
        }
        yield Place(lab, domain, variables)


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[Place, SecondController]]:
    with Domain.start(CACHE) as domain, second_controller(domain) as second:
        for account in ("reader", "svc-ansible"):
            domain.add_user(account, PASSWORD)
        second.replicate()
        with placed(domain, settings(), second) as place:
            yield place, second


def test_the_schema_is_extended_and_replicated(pair: tuple[Place, SecondController]) -> None:
    place, second = pair
    absent = place.run(judge=True)
    assert (absent["state"], absent["schema_master"], absent["missing"]) == ("absent", DC1, [])
    assert [item["operation"] for item in absent["changes"]] == ["create"]

    text = place.refused("dc2", **PACKAGE)
    assert "only its schema master can write it, which is dc1.corp.example and not dc2.corp.example" in text

    # Any account may read, and is told what the account of the connection lacks.
    text = place.refused(**PACKAGE)
    assert (
        "CORP\\svc-ansible may not extend the schema of corp.example: it is not a member of Schema Admins and" in text
    )
    place.domain.samba_tool("group", "addmembers", "Domain Admins", "svc-ansible")
    assert "it is not a member of Schema Admins, and both" in place.refused(**PACKAGE)
    place.domain.samba_tool("group", "addmembers", "Schema Admins", "svc-ansible")

    text = place.refused(replication_timeout=0.5, **PACKAGE)
    assert "dc2.corp.example: it does not have it yet" in text
    # One that is behind is no schema with a part missing.
    late = place.run(judge=True)
    assert (late["state"], late["changes"], late["seen_by"]) == ("present", [], [DC1])
    assert late["not_seen_by"] == [{"name": DC2, "missing": ["MS-MIIS-PCNS-Service", "MS-MIIS-PCNS-Target"]}]
    assert {item["subject"]: item["status"] for item in late["findings"]} == {
        "corp.example": "compliant",
        DC2: "manual",
    }
    second.replicate(SCHEMA)
    done = place.run(replication_timeout=5)
    assert (done["changed"], done["seen_by"]) == (False, [DC1, DC2])
    assert "MS-MIIS-PCNS-ServiceLabPause" in done["discovered"]


def targets(domain: Domain, folder: Path) -> list[tuple[str, str]]:
    """Returns what Samba has of targets below the service object: TargetDisabled and the inclusion group."""
    asker = {"username": f"CORP\\{domain.admin[0]}", "password": domain.admin[1]}
    asked = session_as(LdapSettings(server=domain.address, protocol=Protocol.NTLM, **asker), folder)
    base = f"CN=PCNS Service,{CONTAINER},{domain.base}"
    names = ("mS-MIIS-PCNS-TargetDisabled", "mS-MIIS-PCNS-TargetInclusionSID")
    found = asked.search(base, "(objectClass=mS-MIIS-PCNS-Target)", names).entries
    asked.close()
    return [(item.text(names[0]), item.text(names[1])) for item in found]


def test_a_part_of_it_other_names_and_what_is_out_of_use(tmp_path: Path) -> None:
    other = PcnsDirectorySettings(
        SidForm.TEXT,
        GuidForm.TEXT,
        large_integers=False,
        placement=Placement.BELOW_SERVICE,
        unpublished=DESCRIPTIVE_NAMES,
    )
    with Domain.start(CACHE) as domain:
        domain.add_user("reader", PASSWORD)
        domain.add_user("svc-ansible", PASSWORD, ["Domain Admins", "Schema Admins"])
        quick = settings()
        with placed(domain, LabSettings(quick.pcns, other, quick.sso, quick.windows)) as place:
            schema = place.lab.forest.directory.schema
            schema.write(EVERYTHING - {"target", "spn"})
            judged = place.run(judge=True)
            assert (judged["state"], judged["changes"]) == ("partial", [])
            assert judged["missing"] == ["MS-MIIS-PCNS-Target", "MS-MIIS-PCNS-TargetSPN"]
            assert "it lacks MS-MIIS-PCNS-Target, MS-MIIS-PCNS-TargetSPN." in place.refused(**PACKAGE)

            done = place.run(complete_partial=True, **PACKAGE)
            assert (done["changes"][0]["operation"], done["state"]) == ("update", "present")
            assert "MS-MIIS-PCNS-ServiceRetryInterval" in done["discovered"]

            # What pcnscfg writes comes with it, in the forms that these settings give it.
            directory = place.lab.forest.directory
            group = directory.find_group("Domain Users")
            assert group is not None
            row = PcnsTarget("A, B", directory.new_guid("a"), "sso", "ENTSSO/sso", group.sid, None, 3, 9, 9, 9, False)
            for disabled in (False, True):
                directory.set_pcns(PcnsObjects(PcnsConfiguration(), (replace(row, disabled=disabled),)))
            assert targets(domain, tmp_path) == [("TRUE", group.sid)]
            directory.set_pcns(PcnsObjects(PcnsConfiguration()))
            assert targets(domain, tmp_path) == []

            # Out of use is not there: only an administrator of the schema can mend that.
            domain.apply(
                f"dn: CN=MS-MIIS-PCNS-Target,{SCHEMA}\nchangetype: modify\nreplace: isDefunct\nisDefunct: TRUE\n"
            )
            assert "MS-MIIS-PCNS-Target is defunct (isDefunct)" in place.refused(complete_partial=True, **PACKAGE)
            assert place.run(judge=True)["findings"][0]["status"] == "manual"
