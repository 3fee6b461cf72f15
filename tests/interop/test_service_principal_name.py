# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""service_principal_name against a real directory: Samba decides what is a duplicate and who may write."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible import constants
from interop.directory_kit import PASSWORD, kerberos
from interop.own_domain import own_domain
from unit.plugin_utils.directory_task import DirectoryTasks

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import DirectoryError
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import Estate
from ansible_collections.entsso.password_sync.plugins.module_utils._state_types import STATE_TYPES
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_change import How, Modification
from ansible_collections.entsso.password_sync.plugins.plugin_utils._action import OBSERVE_ONLY
from ansible_collections.entsso.password_sync.plugins.plugin_utils._resource import Task
from ansible_collections.entsso.password_sync.plugins.plugin_utils._service_principal_name import (
    ServicePrincipalNameResource,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory import Directory
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._ldap_session import LdapSession, Scope
from lab.ldap.example import CHILD
from lab.samba.directory import SYSTEM_PYTHON, Domain

pytestmark = pytest.mark.needs("samba", "kinit", "gssapi", "krb5", "root")

CACHE = Path(__file__).parents[2] / "build" / "samba"
WRITE, VALIDATED = "WP", "SW"
SPN_ATTRIBUTE = "f3a64788-5306-11d1-a9c5-0000f80367c1"
"""schemaIDGUID of servicePrincipalName, and rightsGuid of the validated write to it (MS-ADA3, MS-ADTS 6.1.1.2.7.29)."""


@dataclass
class Place:
    """A domain with accounts of each kind, and an administrator's session."""

    domain: Domain
    session: LdapSession
    accounts: dict[str, str] = field(default_factory=dict)
    """Distinguished names by sAMAccountName."""

    def add(self, name: str, *classes: str, container: str = "CN=Users", **more: str) -> str:
        """Adds an account that nobody can log on with."""
        dn = f"CN={name.rstrip('$')},{container},{self.domain.base}"
        values = {"sAMAccountName": [name.encode()]} | {key: [value.encode()] for key, value in more.items()}
        self.session.add(dn, {"objectClass": [item.encode() for item in classes or ("user",)], **values})
        self.accounts[name] = dn
        return dn

    def spns(self, name: str) -> list[str]:
        found = self.session.search(self.accounts[name], "(objectClass=*)", ["servicePrincipalName"], Scope.BASE)
        return sorted(found.entries[0].texts("servicePrincipalName"))

    def register(self, name: str, *spns: str) -> None:
        values = tuple(item.encode() for item in spns)
        self.session.modify(self.accounts[name], [Modification(How.ADD, "servicePrincipalName", values)])

    def everything(self) -> dict[str, tuple[str, ...]]:
        found = self.session.search(self.domain.base, "(servicePrincipalName=*)", ["servicePrincipalName"])
        return {entry.dn: entry.texts("servicePrincipalName") for entry in found.entries}

    def grant(self, writer: str, right: str, account: str) -> None:
        """Gives a user a right on the SPNs of an account."""
        user = self.session.search(self.domain.base, f"(sAMAccountName={writer})", ["objectSid"]).entries[0]
        raw = user.raw("objectSid")[0]
        parts = [int.from_bytes(raw[8 + 4 * i : 12 + 4 * i], "little") for i in range(raw[1])]
        sid = f"S-1-{int.from_bytes(raw[2:8], 'big')}-{'-'.join(map(str, parts))}"
        self.domain.samba_tool(
            "dsacl", "set", f"--objectdn={self.accounts[account]}", "--action=allow",
            f"--trusteedn={user.dn}", f"--sddl=(OA;;{right};{SPN_ATTRIBUTE};;{sid})",
        )  # fmt: skip

    def tasks(self, user: str = "", password: str = PASSWORD, **more: Any) -> DirectoryTasks:
        name, secret = (user, password) if user else self.domain.admin
        common = {
            "domain": "corp.example",
            "name_servers": [self.domain.address],
            "auth_protocol": "kerberos",
            "username": f"{name}@CORP.EXAMPLE",
            "password": secret,
        }
        return DirectoryTasks("service_principal_name", **{**common, **more})


@pytest.fixture(scope="module")
def domain() -> Iterator[Domain]:
    """A domain of this file's own: another has domain controllers that only exist on paper, and all are waited for."""
    with own_domain() as started:
        yield started


@pytest.fixture(scope="module")
def place(domain: Domain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    settings = kerberos(domain, username=f"{domain.admin[0]}@CORP.EXAMPLE", password=domain.admin[1])
    domain.add_user("spn-writer", PASSWORD)
    domain.add_user("spn-reader", PASSWORD)
    with Directory(settings, str(tmp_path_factory.mktemp("admin"))) as directory:
        found = Place(domain, directory.session)
        found.add("svc-sso", userPrincipalName="sso-service@other.example")
        found.add("svc-old")
        found.add("SSO01$", "computer", container="CN=Computers", userAccountControl="4096")
        found.add(
            "gmsa-sso$", "msDS-GroupManagedServiceAccount", container="CN=Managed Service Accounts",
            userAccountControl="4096", dNSHostName="gmsa-sso.corp.example",
            **{"msDS-ManagedPasswordInterval": "30"},
        )  # fmt: skip
        found.accounts["DC1$"] = f"CN=DC1,OU=Domain Controllers,{domain.base}"
        yield found


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    return tmp_path


@pytest.fixture(autouse=True)
def clean(place: Place) -> Iterator[None]:
    yield
    for name in place.accounts:
        if name != "DC1$" and place.spns(name):
            place.session.modify(place.accounts[name], [Modification(How.REPLACE, "servicePrincipalName")])


BOTH = ["ENTSSO/sso01.corp.example", "ENTSSO/sso01"]


def test_both_forms_are_registered_and_removed(place: Place) -> None:
    dn = place.accounts["svc-sso"]
    place.register("svc-sso", "OTHER/x")
    done = place.tasks().converge(place.everything, name=BOTH, account="svc-sso")
    assert place.spns("svc-sso") == ["ENTSSO/sso01", "ENTSSO/sso01.corp.example", "OTHER/x"]
    assert [(item["operation"], item["name"], item["new"]) for item in done["changes"]] == [
        ("create", name, {"accounts": [dn]}) for name in BOTH
    ]
    assert (done["account"], done["domain"], done["forest"]) == (dn, "corp.example", "corp.example")
    assert done["seen_by"] == ["dc1.corp.example"]
    assert done["diff"][0]["before_header"] == f"corp.example: service_principal_name {BOTH[0]}"
    gone = place.tasks().converge(place.everything, name=BOTH, account="svc-sso", state="absent")
    assert [item["operation"] for item in gone["changes"]] == ["delete", "delete"]
    assert place.spns("svc-sso") == ["OTHER/x"]


def test_case_does_not_count(place: Place) -> None:
    place.register("svc-sso", "entsso/SSO01.corp.example")
    assert place.tasks().run(name=BOTH[0], account="svc-sso")["changed"] is False
    # Samba takes it a second time in another case (samba.md 5); both go.
    place.register("svc-sso", "ENTSSO/sso01.corp.example")
    place.tasks().converge(place.everything, name=BOTH[0].upper(), account="svc-sso", state="absent")
    assert place.spns("svc-sso") == []


def test_an_spn_of_another_account_is_not_moved(place: Place) -> None:
    place.register("svc-old", "entsso/sso01", "ENTSSO/sso01.corp.example")
    before = place.everything()
    for check in (True, False):
        error = place.tasks().refused(name=BOTH, account="svc-sso", check=check)
        for name in BOTH:
            assert f"he SPN {name} is on {place.accounts['svc-old']}" in str(error)
        assert "or set `force` to true" in str(error)
        assert error.result["changed"] is False
    assert place.everything() == before
    # Nor is it taken from somebody whom the task does not name.
    assert place.tasks().run(name=BOTH, account="svc-sso", state="absent")["changed"] is False
    assert place.everything() == before


def test_force_moves_in_two_changes(place: Place) -> None:
    old, new = place.accounts["svc-old"], place.accounts["gmsa-sso$"]
    place.register("svc-old", "entsso/SSO01", "KEEP/x")
    done = place.tasks().converge(place.everything, name="ENTSSO/sso01", account="gmsa-sso$", force=True)
    assert [(item["operation"], item["old"], item["new"]) for item in done["changes"]] == [
        ("delete", {"accounts": [old]}, {}),
        ("create", {}, {"accounts": [new]}),
    ]
    assert (place.spns("svc-old"), place.spns("gmsa-sso$")) == (["KEEP/x"], ["ENTSSO/sso01"])


_BEHIND_ITS_BACK = """\
import sys
import ldb
database = ldb.Ldb(sys.argv[1])
((_changetype, message),) = database.parse_ldif(sys.stdin.read())
database.modify(message)
"""
"""Changes the file of the domain without Samba's modules, which refuse duplicates even from replication."""


def test_real_duplicates_are_named(place: Place) -> None:
    """As two domain controllers make them before they replicate."""
    place.register("svc-old", "ENTSSO/sso01")
    change = f"dn: {place.accounts['SSO01$']}\nchangetype: modify\nadd: servicePrincipalName\n"
    subprocess.run(
        [SYSTEM_PYTHON, "-c", _BEHIND_ITS_BACK, str(*place.domain.folder.glob("private/sam.ldb.d/DC=CORP*.ldb"))],
        input=f"{change}servicePrincipalName: ENTSSO/sso01\n",
        text=True,
        check=True,
        timeout=30,
    )
    error = place.tasks().refused(name="ENTSSO/sso01", account="SSO01$")
    assert f"The SPN ENTSSO/sso01 is on {place.accounts['svc-old']}, and {place.accounts['SSO01$']} is" in str(error)
    planned = place.tasks().run(name="ENTSSO/sso01", account="SSO01$", force=True, check=True)
    assert [(item["operation"], item["new"]) for item in planned["changes"]] == [
        ("update", {"accounts": [place.accounts["SSO01$"]]})
    ]
    # Samba 4.17 does not let go of a name that two have, whoever asks; the unit tests go on from here.
    error = place.tasks().refused(name="ENTSSO/sso01", account="SSO01$", force=True)
    assert "CONSTRAINT_VIOLATION: error in module samldb" in str(error)
    assert error.result["changes"] == []


@pytest.mark.parametrize(
    ("given", "account"),
    [
        ("svc-sso", "svc-sso"),
        ("CORP\\SVC-SSO", "svc-sso"),
        ("corp.example\\svc-sso", "svc-sso"),
        ("sso-service@other.example", "svc-sso"),
        ("svc-sso@CORP.EXAMPLE", "svc-sso"),
        ("cn=SVC-SSO, cn=users,DC=corp,DC=example", "svc-sso"),
        ("CORP\\SSO01$", "SSO01$"),
        ("gmsa-sso$", "gmsa-sso$"),
    ],
)
def test_the_account_is_found_by_every_name(place: Place, given: str, account: str) -> None:
    assert place.tasks().run(name="ENTSSO/x", account=given, check=True)["account"] == place.accounts[account]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("svc-ssso", "account svc-ssso on dc1.corp.example: there is no such account in corp.example. Create it"),
        ("SSO01", "the name of a computer or managed service account ends with $."),
        ("svc*", "there is no such account in corp.example"),
        ("CROP\\svc-sso", "the forest has no domain CROP; it has CORP. Correct the domain of `account`."),
        ("CN=nobody,CN=Users,DC=corp,DC=example", "there is no such object. Create it or correct `account`"),
        ("CN=svc-sso,DC=corp,DC=exampel", "it is in none of the domains of the forest, corp.example. Correct"),
        ("Domain Users", "is no user, computer or managed service account but of the class group. Give the account"),
        ("NT AUTHORITY\\SYSTEM", "logs on as its computer: give the computer's account in `account`, for example"),
    ],
)
def test_accounts_that_are_none(place: Place, given: str, reason: str) -> None:
    assert reason in str(place.tasks().refused(name="ENTSSO/x", account=given))


def test_a_domain_that_is_not_there(place: Place) -> None:
    tasks = place.tasks(domain="corp.exampel", server="dc1.corp.example")
    assert "the forest of this domain controller has no such domain" in str(tasks.refused(name="A/b", account="x"))


def test_the_missing_right_is_named(place: Place) -> None:
    reader, writer = place.tasks("spn-reader"), place.tasks("spn-writer")
    assert reader.run(name="ENTSSO/sso01", account="svc-sso", check=True)["changed"] is True
    (warned,) = reader.spoken.warned
    assert f"has no right to write the service principal names of {place.accounts['svc-sso']}. Give it" in warned
    assert reader.run(name="ENTSSO/sso01", account="svc-sso", check=True, variables={OBSERVE_ONLY: True})["findings"]
    assert len(reader.spoken.warned) == 1
    error = place.tasks("spn-reader").refused(name="ENTSSO/sso01", account="svc-sso")
    text = str(error)
    assert text.startswith(f"SPN ENTSSO/sso01 of {place.accounts['svc-sso']} on dc1.corp.example: spn-reader@CORP.")
    assert 'Give it the right "Write servicePrincipalName" on that object' in text
    assert (error.result["changed"], error.result["changes"]) == (False, [])
    place.grant("spn-writer", WRITE, "svc-sso")
    assert writer.run(name="ENTSSO/sso01", account="svc-sso", check=True)["changed"] is True
    assert writer.spoken.warned == []
    assert writer.run(name="ENTSSO/sso01", account="svc-sso")["changed"] is True


def test_what_cannot_be_moved_is_given_back(place: Place) -> None:
    place.register("svc-old", "ENTSSO/Sso01")
    place.grant("spn-writer", WRITE, "svc-old")
    error = place.tasks("spn-writer").refused(name="ENTSSO/sso01", account="gmsa-sso$", force=True)
    assert f"it was given back to {place.accounts['svc-old']}. Give it the right" in str(error)
    assert [item["operation"] for item in error.result["changes"]] == ["delete"]
    assert (place.spns("svc-old"), place.spns("gmsa-sso$")) == (["ENTSSO/Sso01"], [])


def test_a_validated_write_is_for_own_names_only(place: Place) -> None:
    place.grant("spn-writer", VALIDATED, "SSO01$")
    tasks = place.tasks("spn-writer")
    assert tasks.run(name="ENTSSO/sso01", account="SSO01$")["changed"] is True
    text = str(tasks.refused(name="ENTSSO/sso02", account="SSO01$"))
    assert "Write servicePrincipalName" in text
    assert "for the own names of a computer" in text


def test_a_name_that_host_stands_for(place: Place) -> None:
    """Nothing that counts as a duplicate, and an administrator may; nobody else (MS-ADTS 3.1.1.5.1.3)."""
    place.grant("spn-writer", WRITE, "svc-sso")
    text = str(place.tasks("spn-writer").refused(name="http/DC1.corp.example", account="svc-sso"))
    assert (
        f"since host/DC1.corp.example stands for it: the SPN host/DC1.corp.example is on {place.accounts['DC1$']}"
        in (text)
    )
    place.tasks().converge(place.everything, name="http/DC1.corp.example", account="svc-sso")


def test_a_race_names_the_winner(place: Place, tmp_path: Path) -> None:
    settings = kerberos(place.domain, username=f"{place.domain.admin[0]}@CORP.EXAMPLE", password=place.domain.admin[1])
    arguments = {
        "name": ["ENTSSO/sso01"], "account": "svc-sso", "state": "present", "force": False,
        "replication_servers": [], "replication_timeout": 0.0,
    }  # fmt: skip
    with Directory(settings, str(tmp_path)) as directory:
        task = Task("localhost", arguments, False, print, print, str)
        resource = ServicePrincipalNameResource(directory, task)
        (change,) = resource.plan(Estate(resource.observe(), STATE_TYPES))
        place.register("svc-old", "entsso/SSO01")
        with pytest.raises(DirectoryError) as caught:
            resource.apply(change)
        assert f"since the SPN ENTSSO/sso01 is on {place.accounts['svc-old']}" in str(caught.value)
        # Where somebody else registered it on the same account, all is well.
        place.session.modify(place.accounts["svc-old"], [Modification(How.REPLACE, "servicePrincipalName")])
        place.register("svc-sso", "ENTSSO/sso01")
        resource.apply(change)


def test_an_account_with_many(place: Place) -> None:
    place.register("svc-sso", *(f"MANY/host{number}.corp.example" for number in range(1600)))
    place.tasks().converge(place.everything, name=["ENTSSO/sso01", "many/HOST1555.corp.example"], account="svc-sso")
    assert len(place.spns("svc-sso")) == 1601
    place.tasks().converge(place.everything, name="many/HOST1555.corp.example", account="svc-sso", state="absent")
    assert len(place.spns("svc-sso")) == 1600


def test_earlier_tasks_count_in_check_mode(place: Place) -> None:
    first = place.tasks().run(name="ENTSSO/sso01", account="svc-old", check=True)
    facts = first["ansible_facts"]
    error = place.tasks().refused(name="entsso/sso01", account="svc-sso", check=True, facts=facts)
    assert place.accounts["svc-old"] in str(error)
    assert place.tasks().run(name="ENTSSO/sso01", account="svc-old", check=True, facts=facts)["changed"] is False


def test_the_global_catalog_has_spns_of_its_domains(place: Place) -> None:
    """It is asked where a domain can't be."""
    place.register("svc-sso", "ENTSSO/sso01")
    settings = kerberos(place.domain, username=f"{place.domain.admin[0]}@CORP.EXAMPLE", password=place.domain.admin[1])
    with Directory(settings, constants.DEFAULT_LOCAL_TMP) as directory:
        catalog = directory.catalog("dc1.corp.example")
        found = catalog.search(place.domain.base, "(servicePrincipalName=entsso/SSO01)", ("1.1",))
        assert [entry.dn for entry in found.entries] == [place.accounts["svc-sso"]]
        with pytest.raises(DirectoryError, match="no such object"):
            catalog.search(f"DC=child,{place.domain.base}", "(servicePrincipalName=entsso/sso01)", ("1.1",))


def test_a_domain_that_cannot_be_searched(tmp_path: Path) -> None:
    with Domain.start(CACHE) as domain:
        domain.apply(CHILD, relax=True)
        domain.add_user("svc-sso", PASSWORD)
        tasks = DirectoryTasks(
            "service_principal_name", server="dc1.corp.example", name_servers=[domain.address], auth_protocol="ntlm",
            username=f"CORP\\{domain.admin[0]}", password=domain.admin[1],
        )  # fmt: skip
        text = str(tasks.refused(name="ENTSSO/sso01", account="svc-sso"))
        assert text.startswith("It is not known whether another account of the forest has the SPN ENTSSO/sso01: ")
        assert "the domain child.corp.example could not be read (kid1.child.corp.example: " in text
        assert text.endswith("or a global catalog, reachable from the control node.")
        # To take it from an account nothing need be known of other domains.
        domain.add_spn("ENTSSO/sso01", "svc-sso")
        assert tasks.run(name="ENTSSO/sso01", account="svc-sso", state="absent")["changed"] is True


def test_a_playbook_moves_an_spn(place: Place, tmp_path: Path) -> None:
    place.register("svc-old", "ENTSSO/sso01")
    module = "entsso.password_sync.service_principal_name"
    common = {"name": BOTH, "account": "CORP\\svc-sso"}
    tasks: list[dict[str, Any]] = [
        {module: common, "register": "refused", "ignore_errors": True},
        {module: {**common, "force": True}, "check_mode": True, "register": "predicted"},
        {module: {**common, "force": True}, "register": "done"},
        {module: common, "register": "again"},
        {
            "ansible.builtin.assert": {
                "that": [
                    "refused is failed",
                    f"'{place.accounts['svc-old']}' in refused.msg",
                    "predicted is changed",
                    "predicted.changes == done.changes",
                    "done.changes | map(attribute='operation') | list == ['create', 'delete', 'create']",
                    "again is not changed",
                    "again.seen_by == ['dc1.corp.example']",
                ]
            }
        },
    ]
    defaults = {
        "group/entsso.password_sync.password_sync": {
            "domain": "corp.example",
            "name_servers": [place.domain.address],
            "auth_protocol": "kerberos",
        }
    }
    play = tmp_path / "play.yml"
    play.write_text(
        yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "module_defaults": defaults, "tasks": tasks}])
    )
    cache = place.domain.kinit(*place.domain.admin)
    finished = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", "--diff", str(play)],
        env=os.environ
        | place.domain.environment()
        | {
            "ANSIBLE_COLLECTIONS_PATH": str(Path(__file__).parents[2] / "build" / "collections"),
            "ANSIBLE_LOCAL_TEMP": str(tmp_path / "local"),
            "KRB5CCNAME": f"FILE:{cache}",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert f'+accounts: ["{place.accounts["svc-sso"]}"]' in finished.stdout
    assert (place.spns("svc-old"), place.spns("svc-sso")) == ([], sorted(BOTH))
