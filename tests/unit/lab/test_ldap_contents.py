# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the responder of a running forest has beside domain controllers: accounts, rights, SPNs, and what is PCNS's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import AccessDenied, DirectoryError
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_change import How, Modification
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_entry import Entry
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_settings import LdapSettings, Protocol
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._security_identifier import (
    has_sid,
    sid_bytes,
    sid_text,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._ldap_session import (
    LdapSession,
    Scope,
    open_session,
)
from lab.directory import PcnsConfiguration, PcnsObjects, PcnsTarget
from lab.forest import Forest
from lab.ldap.services import PORT
from lab.pcns_entries import CONTAINER, object_entries
from lab.settings import GuidForm, LabSettings, PcnsDirectorySettings, Placement, SidForm

BASE = "DC=corp,DC=example"
SPN = "servicePrincipalName"


@pytest.fixture(scope="module")
def forest() -> Iterator[Forest]:
    estate = Forest(populate=False)
    for name in ("DC01", "DC02"):
        estate.add_domain_controller(name, "Paris")
    with estate:
        estate.more_accounts["CORP\\alice"] = "Reader-Passw0rd"
        yield estate


def session(forest: Forest, folder: Path, server: str = "dc01.corp.example", user: str = "") -> LdapSession:
    known = {"username": user, "password": "Reader-Passw0rd"} if user else {}
    settings = LdapSettings(
        port=PORT,
        protocol=Protocol.NTLM,
        name_servers=(forest.name_server,),
        username=forest.operator,
        password=forest.operator_password,
    )
    return open_session(replace(settings, **known), server, str(folder))


def found(asked: LdapSession, base: str, query: str, *attributes: str, scope: Scope = Scope.SUBTREE) -> Sequence[Entry]:
    return asked.search(base, query, attributes or ("cn",), scope).entries


def test_groups_and_accounts(forest: Forest, tmp_path: Path) -> None:
    asked = session(forest, tmp_path)
    (group,) = found(asked, BASE, "(sAMAccountName=domain admins)", "objectSid", "member")
    sid = sid_text(group.raw("objectSid")[0])
    assert sid == f"{forest.directory.domain_sid}-512"
    for query in (has_sid(sid), f"(objectSid={sid})"):
        assert [item.text("cn") for item in found(asked, BASE, query)] == ["Domain Admins"]
    assert found(asked, BASE, has_sid(f"{forest.directory.domain_sid}-9999")) == ()
    assert "CN=svc-ansible,CN=Users,DC=corp,DC=example" in group.texts("member")
    (user,) = found(asked, "CN=alice,CN=Users," + BASE, "(objectClass=*)", "tokenGroups", scope=Scope.BASE)
    assert sid_bytes(f"{forest.directory.domain_sid}-513") in user.raw("tokenGroups")
    (everything,) = found(asked, "CN=alice,CN=Users," + BASE, "(objectClass=*)", "*", scope=Scope.BASE)
    assert (everything.text("cn"), everything.raw("tokenGroups")) == ("alice", ())
    asked.close()


def test_the_root_tells_who_asks(forest: Forest, tmp_path: Path) -> None:
    sids = {}
    for user in ("", "CORP\\alice"):
        asked = session(forest, tmp_path, user=user)
        (root,) = found(asked, "", "(objectClass=*)", "tokenGroups", scope=Scope.BASE)
        sids[user] = {sid_text(value) for value in root.raw("tokenGroups")}
        asked.close()
    rights = {f"{forest.directory.domain_sid}-{number}" for number in (512, 518)}
    assert rights <= sids[""]
    assert not rights & sids["CORP\\alice"]


def test_spns_are_the_forest_s(forest: Forest, tmp_path: Path) -> None:
    asked = session(forest, tmp_path)
    account = "CN=svc-entsso,CN=Users," + BASE
    change = Modification(How.ADD, SPN, (b"ENTSSO/new",))
    asked.modify(account, [change])
    assert forest.directory.spn_accounts("entsso/NEW") == ("svc-entsso",)
    with pytest.raises(DirectoryError):
        asked.modify("CN=alice,CN=Users," + BASE, [change])
    with pytest.raises(DirectoryError):
        asked.modify(account, [Modification(How.ADD, "description", (b"x",))])
    asked.close()
    reader = session(forest, tmp_path, user="CORP\\alice")
    with pytest.raises(AccessDenied):
        reader.modify(account, [Modification(How.DELETE, SPN, (b"ENTSSO/new",))])
    reader.close()


def target(forest: Forest, **more: object) -> PcnsTarget:
    group = forest.directory.find_group("Domain Users")
    assert group is not None
    given = PcnsTarget(
        "A, B",
        forest.directory.new_guid("a"),
        "sso01",
        "ENTSSO/sso01",
        group.sid,
        None,
        3,
        60,
        9,
        2**32 - 1,
        False,
        "k",
    )
    return replace(given, **more)  # type: ignore[arg-type]


def test_each_domain_controller_has_its_own_view(forest: Forest, tmp_path: Path) -> None:
    directory = forest.directory
    directory.hold_replication("DC02")
    directory.set_pcns(PcnsObjects(PcnsConfiguration(), (target(forest),)))
    directory.schema.write(directory.schema.parts - {"target"})
    seen = {}
    for name in ("dc01", "dc02"):
        asked = session(forest, tmp_path, f"{name}.corp.example")
        objects = found(asked, f"CN=System,{BASE}", "(objectClass=mS-MIIS-PCNS-Target)", "*")
        schema = found(asked, asked.root.schema, "(governsID=1.2.840.113556.1.5.249)")
        seen[name] = (len(objects), len(schema))
        asked.close()
    assert seen == {"dc01": (1, 0), "dc02": (0, 1)}
    directory.release_replication("DC02")


def test_the_forms_that_are_not_public(forest: Forest) -> None:
    objects = PcnsObjects(PcnsConfiguration(max_queue_length=2**32 - 1), (target(forest),))
    plain, other = (
        LabSettings().pcns_directory,
        PcnsDirectorySettings(
            SidForm.TEXT,
            GuidForm.TEXT,
            large_integers=False,
            placement=Placement.BELOW_SERVICE,
            target_named_by_guid=True,
        ),
    )
    first, second = object_entries(plain, BASE, objects)[-1], object_entries(other, BASE, objects)[-1]
    guid, sid = objects.targets[0].guid, objects.targets[0].inclusion_sid
    assert first.dn == f"CN=A\\, B,{CONTAINER},{BASE}"
    assert second.dn == f"CN={guid},CN=PCNS Service,{CONTAINER},{BASE}"
    assert (first.values["cn"], second.values["displayName"]) == (["A, B"], ["A, B"])
    key = "mS-MIIS-PCNS-TargetInclusionSID"
    assert (first.values[key], second.values[key]) == ([sid_bytes(sid)], [sid])
    assert second.values["mS-MIIS-PCNS-TargetGUID"] == [guid]
    assert first.values["mS-MIIS-PCNS-TargetLabReminder"] == ["4294967295"]
    assert second.values["mS-MIIS-PCNS-TargetLabReminder"] == ["-1"]
    itself = object_entries(replace(plain, placement=Placement.CONTAINER_IS_SERVICE), BASE, objects)
    assert (itself[0].dn, itself[0].object_class) == (f"{CONTAINER},{BASE}", "mS-MIIS-PCNS-Service")
    assert object_entries(plain, BASE, PcnsObjects()) == []
