# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shipped playbooks with two real domain controllers: the hosts are the lab's, the directory is Samba's."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from integration.estate import ALLOWED, Estate
from interop.directory_kit import session_as

from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_settings import LdapSettings, Protocol
from lab.forest import OPERATOR, Forest
from lab.ldap.dns import NameServer
from lab.pcns_entries import CONTAINER
from lab.playbooks import identities
from lab.samba.directory import Domain, DomainError
from lab.samba.pcns_objects import mirror
from lab.samba.second import SecondController, second_controller
from lab.settings import DESCRIPTIVE_NAMES, LabSettings, PcnsDirectorySettings, WindowsSettings

pytestmark = pytest.mark.needs("samba", "unshare", "root")

CACHE = Path(__file__).parents[2] / "build" / "samba"
BOTH = ["dc1.corp.example", "dc2.corp.example"]
SITE = "Default-First-Site-Name"
SCHEMA = "CN=Schema,CN=Configuration,DC=corp,DC=example"
SPN = "ENTSSO/sso01.corp.example"


@dataclass(frozen=True)
class Place:
    """An estate of the lab, and the domain behind it."""

    estate: Estate
    domain: Domain
    second: SecondController


@dataclass
class Replication:
    """Lets the second one fetch what is new: when it is asked, and again and again, as domain controllers do."""

    second: SecondController
    _one: threading.Lock = field(default_factory=threading.Lock)
    _ended: threading.Event = field(default_factory=threading.Event)

    def now(self) -> None:
        """Returns when the second one has what the first one has."""
        with self._one:
            self.second.replicate(SCHEMA)
            self.second.replicate()

    def _go_on(self) -> None:
        while not self._ended.wait(0.3):
            # While one has more of the schema than the other a round fails, and the next one goes on.
            with suppress(DomainError):
                self.now()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Replicates until the end."""
        thread = threading.Thread(target=self._go_on)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = PcnsDirectorySettings(unpublished=DESCRIPTIVE_NAMES)
    quick = WindowsSettings(install_seconds=0.0, reboot_seconds=0.2)
    forest = Forest(LabSettings(pcns_directory=made, windows=quick), populate=False)
    for name in ("DC1", "DC2"):
        forest.add_domain_controller(name, SITE)
    forest.add_sso_server("SSO01", SITE)
    forest.directory.schema.parts = frozenset()
    with Domain.start(CACHE) as domain, second_controller(domain) as second:
        domain.add_computer("sso01.corp.example")
        domain.add_user("svc-entsso", "Service-Passw0rd")
        domain.add_user(OPERATOR.rpartition("\\")[2], "Operator-Passw0rd", ["Schema Admins", "Domain Admins"])
        mirror(forest, domain).after_attributes.append(lambda: second.replicate(SCHEMA))
        replication = Replication(second)
        # What pcnscfg writes on a domain controller is there when it returns; the mirror writes it to the first one.
        forest.directory.watchers.append(lambda _domain_controller: replication.now())
        with (
            NameServer({BOTH[0]: domain.address, BOTH[1]: second.address}, {}) as names,
            replication.running(),
            Estate(forest, tmp_path_factory.mktemp("site")) as estate,
        ):
            name, password = domain.admin
            estate.groups["all"] |= {
                "password_sync_ldap_domain": "corp.example",
                "password_sync_ldap_server": BOTH[0],
                "password_sync_ldap_port": 389,
                "password_sync_ldap_name_servers": [names.name],
                "password_sync_ldap_auth_protocol": "ntlm",
                "password_sync_ldap_username": f"CORP\\{name}",
                "password_sync_ldap_password": password,
            }
            # Samba has none of the attributes in which a directory tells of its partners.
            estate.groups["domain_controllers"] |= {"pcns_health_accept_unknown": ["replication"]}
            estate.write()
            yield Place(estate, domain, second)


def read(place: Place, host: str, folder: Path, base: str, query: str, *names: str) -> list[tuple[str, ...]]:
    """Returns attributes of what one of the two has."""
    user, password = place.domain.admin
    address = {BOTH[0]: place.domain.address, BOTH[1]: place.second.address}[host]
    asker = LdapSettings(server=address, protocol=Protocol.NTLM, username=f"CORP\\{user}", password=password)
    session = session_as(asker, folder)
    found = session.search(f"{base}{place.domain.base}", query, names).entries
    session.close()
    return [tuple(entry.text(name) for name in names) for entry in found]


def targets(place: Place, host: str, folder: Path) -> list[tuple[str, ...]]:
    """Returns name of the account, SPN and state of each target that one of the two has."""
    names = ("cn", "mS-MIIS-PCNS-TargetSPN", "mS-MIIS-PCNS-TargetDisabled")
    return read(place, host, folder, f"{CONTAINER},", "(objectClass=mS-MIIS-PCNS-Target)", *names)


def spn_accounts(place: Place, host: str, folder: Path) -> list[tuple[str, ...]]:
    """Returns who has the service principal name."""
    return read(place, host, folder, "", f"(servicePrincipalName={SPN})", "sAMAccountName")


def test_site_brings_a_forest_to_work(place: Place, tmp_path: Path) -> None:
    predicted = place.estate.run("site.yml", "--check", variables=ALLOWED)
    assert predicted.exit_code == 0, predicted.output
    assert [spn_accounts(place, host, tmp_path) for host in BOTH] == [[], []]

    done = place.estate.run("site.yml", variables=ALLOWED)
    assert done.exit_code == 0, done.output
    assert identities(done.changes) == identities(predicted.changes)
    assert place.estate.boots() == {"dc1": 1, "dc2": 1, "sso01": 0}
    # dc1 has the roles of the forest, so it is last, and the settings are written from dc2.
    waves = [wave["domain_controllers"] for wave in done.of("rollout_plan")[0].result["waves"]]
    assert waves == [[BOTH[1]], [BOTH[0]]]
    for host in BOTH:
        assert targets(place, host, tmp_path) == [("ENTSSO", SPN, "FALSE")]
        assert spn_accounts(place, host, tmp_path) == [("svc-entsso",)]
    # That the SSO server accepts changes is proved by the first that comes; nothing else is open.
    assert [(item["control"], item["status"]) for item in wrong(place)] == [("SSO-003", "unknown")]


def wrong(place: Place) -> list[Mapping[str, Any]]:
    """Returns what the last report finds that is not right."""
    return [item for item in place.estate.report()["findings"] if item["status"] not in ("compliant", "exempt")]


def test_a_second_run_changes_nothing(place: Place) -> None:
    again = place.estate.run("site.yml", variables=ALLOWED)
    assert (again.exit_code, again.changed) == (0, []), again.output


def test_a_domain_controller_that_only_the_directory_knows_is_the_first_finding(place: Place) -> None:
    known = yaml.safe_load(place.estate.inventory.read_text(encoding="utf-8"))
    del known["all"]["children"]["domain_controllers"]["hosts"][BOTH[1]]
    place.estate.inventory.write_text(yaml.safe_dump(known), encoding="utf-8")
    run = place.estate.run("compliance.yml")
    place.estate.write()
    assert run.exit_code == 2
    first = next(line for line in run.output.splitlines() if " CRITICAL " in line or " HIGH " in line)
    assert first.startswith(f"PCNS-001 CRITICAL manual {BOTH[1]} ({SITE}). It is a writable domain controller")
    assert " since 20" in first


def test_removal_takes_the_targets_and_leaves_the_schema(place: Place, tmp_path: Path) -> None:
    meant = {**ALLOWED, "pcns_remove": "corp.example", "pcns_directory_remove_objects": True}
    gone = place.estate.run("remove.yml", variables={**meant, "pcns_directory_drain_restart_service": True})
    assert gone.exit_code == 0, gone.output
    for host in BOTH:
        assert targets(place, host, tmp_path) == []
        schema = read(place, host, tmp_path, "CN=Schema,CN=Configuration,", "(cn=MS-MIIS-PCNS-Target)", "cn")
        assert schema == [("MS-MIIS-PCNS-Target",)]
    assert place.estate.boots() == {"dc1": 2, "dc2": 2, "sso01": 0}
