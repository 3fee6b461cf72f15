# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""service_principal_name over the lab's responder: what a task gets, and what happens when something breaks midway."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sansldap
import yaml
from ansible import constants
from unit.plugin_utils.directory_task import DirectoryTasks
from unit.plugin_utils.ldap_kit import BASE, PASSWORD, READER, server, settings

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import DeadlineExceeded
from ansible_collections.entsso.password_sync.plugins.modules import service_principal_name
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory import _directory
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory import Directory
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._ldap_session import LdapSession
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._replication import (
    Awaited,
    wait_until_seen,
)
from lab.ldap import LdapServer
from lab.ldap.changes import Request, Store, Verdict
from lab.ldap.dns import NameServer
from lab.ldap.example import CHILD, example_forest, example_objects

SSO, OLD, GONE = (f"CN={name},OU=Dienste\\, Köln,{BASE}" for name in ("svc-sso", "svc-old", "svc-gone"))
KID = f"CN=kid-svc,DC=child,{BASE}"
SPN = "servicePrincipalName"


def _user(dn: str, name: str, *spns: str) -> str:
    values = "".join(f"{SPN}: {item}\n" for item in spns)
    return f"dn: {dn}\nchangetype: add\nobjectClass: user\nsAMAccountName: {name}\n{values}"


ACCOUNTS = "\n".join(
    [
        f"dn: OU=Dienste\\, Köln,{BASE}\nchangetype: add\nobjectClass: organizationalUnit\n",
        _user(SSO, "svc-sso", *(f"MANY/{number}" for number in range(7))),
        _user(OLD, "svc-old", "ENTSSO/sso01", "ENTSSO/dup"),
        _user(GONE, "svc-gone", "entsso/DUP"),
        f"{_user(f'CN=t1,{BASE}', 't1')}userPrincipalName: twice@corp.example\n",
        f"{_user(f'CN=t2,{BASE}', 't2')}userPrincipalName: Twice@corp.example\n",
    ]
)
KIDS = f"{CHILD}\ndn: DC=child,{BASE}\nchangetype: add\nobjectClass: domainDNS\n\n{_user(KID, 'kid-svc', 'ENTSSO/kid')}"


class Directories:
    """A store behind a responder."""

    def __init__(self, additions: str = ACCOUNTS, *, writers: tuple[str, ...] = (READER,)) -> None:
        self.store = Store([*example_objects(example_forest(), additions)], writers)
        self.refuse_after = 1_000_000
        self.service: LdapServer = server(self.store, value_limit=2, change=self._change)

    def _change(self, user: str, request: Request) -> Verdict:
        if self.store.changes >= self.refuse_after:
            return Verdict(sansldap.LDAPResultCode.INSUFFICIENT_ACCESS_RIGHTS, "no")
        return self.store.change(user, request)

    def tasks(self, **more: Any) -> DirectoryTasks:
        common = {
            "server": self.service.address, "port": self.service.port, "auth_protocol": "ntlm",
            "username": READER, "password": PASSWORD, "replication_timeout": 0,
        }  # fmt: skip
        return DirectoryTasks("service_principal_name", **{**common, **more})

    def spns(self) -> dict[str, tuple[str, ...]]:
        return {dn: self.store.values(dn, SPN) for dn in (SSO, OLD, GONE)}


@pytest.fixture
def place() -> Iterator[Directories]:
    found = Directories()
    with found.service:
        yield found
    assert found.service.errors == []


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    return tmp_path


def test_both_forms(place: Directories) -> None:
    done = place.tasks().converge(place.spns, name=["PCNSCLNT/a.corp.example", "PCNSCLNT/a"], account="CORP\\svc-sso")
    assert place.spns()[SSO][-2:] == ("PCNSCLNT/a.corp.example", "PCNSCLNT/a")
    assert done["msg"] == (
        f"localhost changed: create service_principal_name PCNSCLNT/a.corp.example (accounts=[{SSO}]); "
        f"create service_principal_name PCNSCLNT/a (accounts=[{SSO}])."
    )
    place.tasks().converge(place.spns, name="pcnsclnt/A", account=SSO, state="absent")
    assert place.spns()[SSO][-1] == "PCNSCLNT/a.corp.example"


def test_duplicates_are_named_and_resolved(place: Directories) -> None:
    before = place.spns()
    text = str(place.tasks().refused(name="ENTSSO/dup", account="svc-sso"))
    assert f"The SPN ENTSSO/dup is on {GONE} and on {OLD}, and {SSO} is to have it alone" in text
    assert place.spns() == before
    done = place.tasks().converge(place.spns, name="ENTSSO/dup", account="svc-sso", force=True)
    assert [item["operation"] for item in done["changes"]] == ["update", "delete", "create"]
    assert place.spns() == {SSO: (*before[SSO], "ENTSSO/dup"), OLD: ("ENTSSO/sso01",), GONE: ()}


def test_findings(place: Directories) -> None:
    def judged(account: str, *names: str) -> list[tuple[str, str]]:
        result = place.tasks().run(name=list(names), account=account, check=True, force=True)
        return [(item["status"], item["message"]) for item in result["findings"]]

    before = place.spns()
    assert judged("svc-old", "ENTSSO/sso01", "ENTSSO/none", "ENTSSO/dup") == [
        ("compliant", f"{OLD} alone has the SPN ENTSSO/sso01."),
        ("drift", f"No account has the SPN ENTSSO/none, and {OLD} is to have it."),
        ("manual", f"The SPN ENTSSO/dup is on {GONE} and on {OLD}, and {OLD} is to have it alone."),
    ]
    assert judged("svc-sso", "ENTSSO/sso01")[0][0] == "manual"
    assert place.spns() == before
    assert place.tasks().run(name="ENTSSO/sso01", account="svc-sso", state="absent", check=True)["findings"] == []


def test_one_of_two_keeps_it(place: Directories) -> None:
    done = place.tasks().converge(place.spns, name="ENTSSO/dup", account="svc-old", force=True)
    assert [(item["operation"], item["new"]) for item in done["changes"]] == [("update", {"accounts": [OLD]})]
    assert (place.spns()[OLD], place.spns()[GONE]) == (("ENTSSO/sso01", "ENTSSO/dup"), ())


def test_what_is_returned_is_what_is_documented(place: Directories) -> None:
    documented = set(yaml.safe_load(service_principal_name.RETURN))
    result = place.tasks().run(name="ENTSSO/x", account="svc-sso", check=True, diff=True)
    assert set(result) - {"changed", "failed"} == documented


def test_two_accounts_of_one_name(place: Directories) -> None:
    text = str(place.tasks().refused(name="A/b", account="twice@corp.example"))
    assert f"several accounts have this name: CN=t1,{BASE} and CN=t2,{BASE}. Give the distinguished name" in text


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("svc-ssso", "there is no such account in corp.example. Create it or correct `account`"),
        ("SSO01", "the name of a computer or managed service account ends with $."),
        ("KIDS\\svc", "the forest has no domain KIDS; it has CORP. Correct the domain of `account`."),
        (
            f"CN=nobody,{BASE}",
            "there is no such object. Create it or correct `account`, and check that it may be read.",
        ),
        ("CN=svc-sso,DC=corp,DC=exampel", "it is in none of the domains of the forest, corp.example."),
        (f"OU=Dienste\\, Köln,{BASE}", "is no user, computer or managed service account but of the class organiz"),
        ("nobody@corp.example", "there is no such account in corp.example"),
    ],
)
def test_accounts_that_are_none(place: Directories, given: str, reason: str) -> None:
    assert reason in str(place.tasks().refused(name="A/b", account=given))


@pytest.mark.parametrize(
    "given", ["svc-sso", "CORP\\SVC-SSO", "corp.example\\svc-sso", "svc-sso@corp.example", SSO.upper()]
)
def test_names_of_an_account(place: Directories, given: str) -> None:
    assert place.tasks().run(name="A/b", account=given, check=True)["account"] == SSO


def test_a_domain_that_cannot_be_searched() -> None:
    place = Directories(f"{ACCOUNTS}\n{KIDS}")
    with place.service:
        text = str(place.tasks().refused(name="ENTSSO/new", account="svc-sso"))
        assert "not known whether another account of the forest has the SPN ENTSSO/new: the domain child.corp." in text
        assert "kid1.child.corp.example" in text
        assert "knows no address" in str(place.tasks().refused(name="A/b", account="nobody@corp.example"))
        assert "knows no address" in str(place.tasks().refused(name="A/b", account=KID))
        assert place.tasks().run(name="ENTSSO/dup", account="svc-gone", state="absent")["changed"] is True


def test_a_race_on_the_same_account(place: Directories, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else does the same between the look and the write."""
    change = place.store.change

    def twice(user: str, request: Request) -> Verdict:
        change(user, request)
        return change(user, request)

    monkeypatch.setattr(place.store, "change", twice)
    assert place.tasks().run(name="A/b", account="svc-sso")["changed"] is True
    assert place.tasks().run(name="A/b", account="svc-sso", state="absent")["changed"] is True


def test_a_race_names_the_winner(place: Directories, monkeypatch: pytest.MonkeyPatch) -> None:
    change = place.store.change

    def late(user: str, request: Request) -> Verdict:
        change(user, Request(0, OLD, request.modifications))
        return change(user, request)

    monkeypatch.setattr(place.store, "change", late)
    error = place.tasks().refused(name="A/b", account="svc-sso")
    assert f"the directory refused it, since the SPN A/b is on {OLD}. Somebody registered it" in str(error)
    assert error.result["changes"] == []


def test_a_name_is_not_a_filter(place: Directories) -> None:
    assert "there is no such account" in str(place.tasks().refused(name="A/b", account="svc-sso)(|"))
    assert place.tasks().run(name="A/*)(b=c", account="svc-sso", check=True)["changed"] is True


def test_no_right(place: Directories) -> None:
    place.refuse_after = 0
    text = str(place.tasks().refused(name="A/b", account="svc-sso"))
    assert f"SPN A/b of {SSO} on 127.0.0.1: {READER} may not write it" in text
    assert 'Give it the right "Write servicePrincipalName"' in text


def test_what_can_be_taken_and_neither_given_nor_given_back(place: Directories) -> None:
    place.refuse_after = 1
    error = place.tasks().refused(name="ENTSSO/sso01", account="svc-sso", force=True)
    assert f"IT COULD NOT BE GIVEN BACK to {OLD} (" in str(error)
    assert "which has lost it" in str(error)
    assert error.result["changed"] is True


def test_a_connection_that_breaks_during_the_write(place: Directories, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(_user: str, _request: Request) -> Verdict:
        raise OSError("the responder goes away")

    monkeypatch.setattr(place.store, "change", stop)
    error = place.tasks().refused(name="A/b", account="svc-sso")
    assert "it is not known whether it was written: the connection broke" in str(error)
    assert str(error).endswith("Run again: what is there is looked at first.")
    assert error.result["changed"] is True


def test_a_refusal_that_nobody_explains(place: Directories, monkeypatch: pytest.MonkeyPatch) -> None:
    verdict = Verdict(sansldap.LDAPResultCode.CONSTRAINT_VIOLATION, "0000200B: validation failed")
    monkeypatch.setattr(place.store, "change", lambda _user, _request: verdict)
    text = str(place.tasks().refused(name="A/b", account="svc-sso"))
    assert "0000200B: validation failed); no account was found that has it. If the name is right: Give it" in text


@pytest.mark.parametrize(
    ("code", "reason", "remedy"),
    [
        (sansldap.LDAPResultCode.ADMIN_LIMIT_EXCEEDED, "takes no more values", "Remove SPNs that it does not need."),
        (sansldap.LDAPResultCode.REFERRAL, "it can't be written there", "Name a writable domain controller of its "),
    ],
)
def test_other_refusals(
    code: sansldap.LDAPResultCode, reason: str, remedy: str, place: Directories, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place.store, "change", lambda _user, _request: Verdict(code))
    text = str(place.tasks().refused(name="A/b", account="svc-sso"))
    assert f"SPN A/b of {SSO} on 127.0.0.1: " in text
    assert reason in text
    assert remedy in text


@pytest.mark.parametrize("name", ["ENTSSO/kid", "ENTSSO/new"])
def test_a_domain_that_only_the_global_catalog_has(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Directories(f"{ACCOUNTS}\n{KIDS}")
    catalog = server(place.store, "kid1.child.corp.example")
    with place.service, catalog:
        monkeypatch.setattr(_directory, "_USUAL_PORTS", (place.service.port,))
        monkeypatch.setattr(_directory, "_CATALOG_PORT", catalog.port)
        with NameServer({"dc1.corp.example": place.service.address}, {}) as names:
            tasks = place.tasks(server="dc1.corp.example", name_servers=[names.name])
            if name == "ENTSSO/new":
                assert tasks.run(name=name, account="svc-sso")["changed"] is True
            else:
                assert f"is on {KID}, and {SSO}" in str(tasks.refused(name=name, account="svc-sso"))
            assert tasks.run(name=name, account="KIDS\\kid-svc", check=True, force=True)["domain"] == (
                "child.corp.example"
            )
    assert catalog.errors == []


def test_every_domain_is_asked_at_a_domain_controller_of_its_own() -> None:
    place = Directories(f"{ACCOUNTS}\n{KIDS}")
    kid = server(place.store, "kid1.child.corp.example", change=place.store.change)
    with place.service:
        kid.start("127.0.0.2", place.service.port)
        hosts = {"dc1.corp.example": place.service.address, "kid1.child.corp.example": kid.address}
        with NameServer(hosts, {}) as names:
            tasks = place.tasks(server="dc1.corp.example", name_servers=[names.name], replication_timeout=5)
            done = tasks.run(name=["ENTSSO/kid", "ENTSSO/sso01"], account="kid-svc@child.corp.example", force=True)
        kid.stop()
    assert [(item["operation"], item["new"]) for item in done["changes"]] == [
        ("delete", {}),
        ("create", {"accounts": [KID]}),
    ]
    assert (done["domain"], done["forest"]) == ("child.corp.example", "corp.example")
    assert done["seen_by"] == ["kid1.child.corp.example"]
    assert place.store.values(KID, SPN) == ("ENTSSO/kid", "ENTSSO/sso01")


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)


def test_waiting_for_replication(place: Directories, tmp_path: Path) -> None:
    clock = Clock()
    asked: list[str] = []

    def sees(session: LdapSession) -> bool:
        asked.append(session.host)
        return clock.now >= 3

    with Directory(settings(place.service.port), str(tmp_path)) as directory:
        awaited = Awaited("it", sees)
        wait_until_seen(directory, ["127.0.0.1"], awaited, 60, clock=clock, sleep=clock.sleep)
        assert clock.slept == [0.5, 1.0, 2.0]
        assert len(asked) == 4
        assert place.service.connections == 1
        clock.now = -1000.0
        with pytest.raises(DeadlineExceeded) as caught:
            wait_until_seen(directory, ["127.0.0.1", "127.0.0.9"], awaited, 60, clock=clock, sleep=clock.sleep)
    assert clock.now == -940.0
    assert max(clock.slept) == 10
    text = str(caught.value)
    assert text.startswith(
        "it: it was written, and after 60 seconds not every domain controller has it: 127.0.0.1: it "
    )
    assert "127.0.0.9: it can't be reached (127.0.0.9 port" in text


def test_waiting_has_an_end_whatever_is_waited_for(place: Directories, tmp_path: Path) -> None:
    """Each question may take long: no further one is asked once the time is over."""
    clock = Clock()

    def slow(_session: LdapSession) -> bool:
        clock.now += 40
        return True

    servers = ["127.0.0.1", "localhost", "third.corp.example"]
    with Directory(settings(place.service.port), str(tmp_path)) as directory:
        with pytest.raises(DeadlineExceeded, match=r"has it: third\.corp\.example: there was no time left to ask it"):
            wait_until_seen(directory, servers, Awaited("it", slow), 60, clock=clock, sleep=clock.sleep)
        assert not any(directory.knows(server) for server in servers)
    assert clock.now == 80


def test_a_rejected_account_is_not_shown_again_while_waiting(place: Directories, tmp_path: Path) -> None:
    clock = Clock()
    awaited = Awaited("it", lambda _session: True)
    with (
        Directory(settings(place.service.port, password="wrong"), str(tmp_path)) as directory,
        pytest.raises(DeadlineExceeded, match=r"127\.0\.0\.1: name or password is wrong"),
    ):
        wait_until_seen(directory, ["127.0.0.1"], awaited, 60, clock=clock, sleep=clock.sleep)
    assert (clock.slept, place.service.rejections) == ([], 1)
