# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Configuration and targets with two real domain controllers: what the lab's pcnscfg writes is Samba's to tell."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from interop.directory_kit import PASSWORD
from unit.lab.estate_kit import install, restart
from unit.lab_host import Lab, Result, running, settings
from unit.plugin_utils.test_pcns_directory import FULL

from ansible_collections.entsso.password_sync.plugins.plugin_utils._action import OBSERVE_ONLY
from lab.forest import Forest
from lab.ldap.dns import NameServer
from lab.samba.directory import Domain
from lab.samba.pcns_objects import mirror
from lab.samba.second import SecondController, second_controller
from lab.settings import DESCRIPTIVE_NAMES, PcnsDirectorySettings

pytestmark = pytest.mark.needs("samba", "unshare", "root")

CACHE = Path(__file__).parents[2] / "build" / "samba"
BOTH = ["dc1.corp.example", "dc2.corp.example"]
SCHEMA = "CN=Schema,CN=Configuration,DC=corp,DC=example"


@dataclass(frozen=True)
class Place:
    """A host of the lab with pcnscfg, and the two directories behind it."""

    lab: Lab
    domain: Domain
    second: SecondController
    variables: dict[str, Any]

    def run(self, module: str = "pcns_target", **given: Any) -> Result:
        return self.lab.run(module, "dc1", variables=self.variables, **{"replication_timeout": 20, **given})

    def refused(self, module: str = "pcns_target", **given: Any) -> str:
        return str(self.lab.refused(module, "dc1", variables=self.variables, **given))

    def judged(self, module: str = "pcns_target", **given: Any) -> dict[str, tuple[str, str]]:
        variables = {**self.variables, OBSERVE_ONLY: True}
        result = self.lab.run(module, "dc1", check=True, variables=variables, **given)
        return {item["control"]: (item["status"], item["message"]) for item in result["findings"]}

    def replicated(self, module: str = "pcns_target", **given: Any) -> Result:
        """Runs a module while the second one fetches what is new."""
        later = threading.Timer(0.5, self.second.replicate)
        later.start()
        done = self.run(module, **given)
        later.join()
        return done


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    made = PcnsDirectorySettings(unpublished=DESCRIPTIVE_NAMES)
    forest = Forest(replace(settings(), pcns_directory=made), populate=False)
    host = forest.add_domain_controller("DC1", "Default-First-Site-Name")
    assert install(host) == 3010
    restart(forest, host)
    forest.directory.add_group("Synced")
    forest.directory.schema.parts = frozenset()
    with Domain.start(CACHE) as domain, second_controller(domain) as second:
        domain.add_user("reader", PASSWORD)
        mirror(forest, domain).after_attributes.append(lambda: second.replicate(SCHEMA))
        forest.directory.schema.pcns_extended = True
        second.replicate(SCHEMA)
        second.replicate()
        with running(forest) as lab, NameServer({BOTH[0]: domain.address, BOTH[1]: second.address}, {}) as names:
            variables = {
                "password_sync_ldap_domain": "corp.example",
                "password_sync_ldap_name_servers": [names.name],
                "password_sync_ldap_server": BOTH[0],
                "password_sync_ldap_auth_protocol": "ntlm",
                "password_sync_ldap_username": f"CORP\\{domain.admin[0]}",
                "password_sync_ldap_password": domain.admin[1],
            }
            yield Place(lab, domain, second, variables)


def test_written_read_and_replicated(place: Place) -> None:
    done = place.replicated("pcns_configuration", max_queue_length=4294967295, retry_interval=30)
    assert (done["changed"], done["seen_by"]) == (True, BOTH)
    wanted = {**FULL, "inclusion_group": "synced"}
    text = place.refused(**wanted, replication_timeout=0.5)
    assert "dc2.corp.example: it does not have it yet" in text
    status, message = place.judged("pcns_configuration")["PCNS-014"]
    assert status == "manual"
    assert "dc2.corp.example: it has something else for cn=entsso," in message
    assert place.replicated(**wanted)["changed"] is False
    assert place.judged("pcns_configuration")["PCNS-014"][0] == "compliant"
    assert place.judged(**wanted)["PCNS-011"] == (
        "compliant", "The target ENTSSO has CORP\\Synced and CORP\\Domain Admins."
    )  # fmt: skip
    assert place.lab.warned == ""


def test_an_account_that_may_not_read_them(place: Place) -> None:
    """Samba hides objects of a class without default rights; which rights PCNS gives its own is not public."""
    reader = {"password_sync_ldap_username": "CORP\\reader", "password_sync_ldap_password": PASSWORD}
    hidden = replace(place, variables={**place.variables, **reader})
    status, message = hidden.judged("pcns_configuration", retry_interval=30)["PCNS-014"]
    assert status == "unknown"
    assert "CORP\\reader may not read this object" in message
    assert hidden.run("pcns_configuration", retry_interval=30)["changed"] is False
    assert "pcnscfg alone is believed, and replication is not waited for" in place.lab.warned
    place.lab.forget()


def test_a_group_that_is_deleted(place: Place) -> None:
    place.domain.samba_tool("group", "delete", "Synced")
    status, message = place.judged(name="ENTSSO")["PCNS-011"]
    assert status == "manual"
    assert "its inclusion group S-1-5-21-" in message
    assert "The group CORP\\Synced does not exist in corp.example." in place.refused(
        name="ENTSSO", inclusion_group="CORP\\Synced"
    )
    done = place.replicated(name="ENTSSO", inclusion_group="CORP\\Domain Users")
    assert done["changes"][0]["new"] == {"inclusion_group": "CORP\\Domain Users"}
    assert place.judged(name="ENTSSO")["PCNS-011"][0] == "compliant"


def test_a_builtin_group(place: Place) -> None:
    done = place.run(name="ENTSSO", exclusion_group="builtin\\administrators", check=True)
    assert done["changes"][0]["new"] == {"exclusion_group": "BUILTIN\\Administrators"}


def test_a_server_that_the_directory_knows(place: Place) -> None:
    wanted = {**FULL, "address": "dc1.corp.example"}
    assert place.judged(**wanted)["PCNS-013"] == (
        "compliant", "dc1.corp.example, where the target ENTSSO sends, is in the domain corp.example."
    )  # fmt: skip
    place.replicated(name="ENTSSO", state="absent")
    assert place.judged(**FULL)["PCNS-007"][0] == "drift"
