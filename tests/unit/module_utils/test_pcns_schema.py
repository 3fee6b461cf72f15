# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The PCNS schema: what objects of a schema mean, what is planned on them, how they are judged, and who may do it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entsso.password_sync.plugins.module_utils._pcns_schema import (
    Circumstances,
    SchemaState,
    key,
    observation,
    plan,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import (
    Absent,
    Estate,
    Observation,
    PlanError,
    Present,
    Unknown,
    differences,
    overlay,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._finding import Status
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._judge_schema import judge_schema
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._directory_rights import (
    DirectoryRights,
    rights_of,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_entry import Entry
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._pcns_schema import (
    ATTRIBUTES,
    CLASSES,
    SchemaView,
    schema_view,
)

FOREST = "corp.example"
MASTER = "dc01.corp.example"
ALL = {**CLASSES, **ATTRIBUTES}
MAY = DirectoryRights("CORP\\adm", domain_admin=True, schema_admin=True)
HERE = Circumstances(MASTER, MASTER, rights=MAY, has_package=True)


def entry(oid: str, name: str, *, defunct: bool = False) -> Entry:
    kind = "governsid" if oid in CLASSES or oid.endswith(".7") else "attributeid"
    values = {"cn": (name.encode(),), kind: (oid.encode(),)}
    return Entry(f"CN={name}", values | ({"isdefunct": (b"TRUE",)} if defunct else {}))


def planned(observed: Observation, circumstances: Circumstances = HERE) -> object:
    estate = Estate({key(FOREST): observed}, {"pcns_schema": SchemaState})
    changes = plan("dc01", FOREST, circumstances, estate)
    after = overlay(estate, [effect for change in changes for effect in change.effects])
    assert not changes or after.get(key(FOREST)) == Present(SchemaState(discovered=_discovered(observed)))
    seen = Estate({key(FOREST): Present(SchemaState(discovered=("MS-MIIS-PCNS-More",)))})
    assert differences(after, seen, changes) == ()
    return [(change.operation.value, dict(change.old)) for change in changes]


def _discovered(observed: Observation) -> tuple[str, ...]:
    return tuple(observed.state.discovered) if isinstance(observed, Present) else ()


parts = st.lists(st.sampled_from(sorted(ALL.items())), unique=True)
others = st.lists(st.sampled_from(["MS-MIIS-PCNS-More", "ms-miis-pcns-other"]), unique=True)


@given(parts, others, st.randoms())
def test_a_view_says_what_is_there(found: list[tuple[str, str]], more: list[str], random: object) -> None:
    entries = [entry(oid, name) for oid, name in found] + [entry(f"1.2.3.{at}", name) for at, name in enumerate(more)]
    random.shuffle(entries)  # type: ignore[attr-defined]
    view = schema_view(entries)
    assert view.found == {name for _oid, name in found}
    assert set(view.missing) | view.found == set(ALL.values())
    assert not set(view.missing) & view.found
    assert view.discovered == tuple(sorted(more))
    assert view.conflicts == ()
    assert view.absent == (not entries)
    # What is missing on the master is no delay of replication, and what it has is.
    assert view.behind(view) == ()
    assert set(SchemaView().behind(view)) == view.everything
    assert isinstance(observation(view), Absent) == view.absent


@pytest.mark.parametrize(
    ("objects", "said"),
    [
        (
            [entry("1.2.840.113556.1.5.249", "Contoso-Badge")],
            "Contoso-Badge has the OID 1.2.840.113556.1.5.249, which is that of MS-MIIS-PCNS-Target",
        ),
        (
            [entry("1.2.3.7", "ms-miis-pcns-SERVICE")],
            "ms-miis-pcns-SERVICE has the OID 1.2.3.7 and not 1.2.840.113556.1.5.250",
        ),
        (
            [entry("1.2.840.113556.1.5.250", "MS-MIIS-PCNS-Service", defunct=True)],
            "MS-MIIS-PCNS-Service is defunct (isDefunct)",
        ),
    ],
)
def test_what_no_package_can_mend(objects: Sequence[Entry], said: str) -> None:
    view = schema_view(objects)
    assert view.conflicts == (said,)
    assert not view.found
    with pytest.raises(PlanError, match="nothing was run"):
        planned(
            observation(view), Circumstances(MASTER, MASTER, conflicts=view.conflicts, rights=MAY, has_package=True)
        )
    first = judge_schema(FOREST, observation(view), Circumstances(MASTER, MASTER, view.conflicts), {}, {}, "now")[0]
    assert (first.status, said in first.message) == (Status.MANUAL, True)


def test_a_defunct_attribute_that_nobody_wants_is_left_out() -> None:
    assert schema_view([entry("1.2.3.4", "MS-MIIS-PCNS-Old", defunct=True)]) == SchemaView()


def test_what_is_planned() -> None:
    part = Present(SchemaState(("MS-MIIS-PCNS-TargetSPN",), ("MS-MIIS-PCNS-More",)))
    complete = Circumstances(MASTER, MASTER, rights=MAY, has_package=True, complete_partial=True)
    assert planned(Absent()) == [("create", {})]
    assert planned(Present(SchemaState())) == []
    assert planned(part, complete) == [("update", {"missing": ("MS-MIIS-PCNS-TargetSPN",)})]


@pytest.mark.parametrize(
    ("observed", "circumstances", "said"),
    [
        (Unknown("it is silent"), Circumstances(MASTER, remedy="Wake it."), "is not known: it is silent. Wake it."),
        (Present(SchemaState(("X",))), HERE, "only in part; it lacks X. Find out why"),
        (Absent(), Circumstances("dc02.corp.example", MASTER), "which is dc01.corp.example and not dc02.corp.example"),
        (Absent(), Circumstances(MASTER, MASTER, rights=DirectoryRights("a", schema_admin=True)), "Domain Admins, and"),
        (Absent(), Circumstances(MASTER, MASTER, rights=MAY), "there is no package to extend it with"),
    ],
)
def test_what_is_refused_and_what_a_judge_says_of_it(
    observed: Observation, circumstances: Circumstances, said: str
) -> None:
    with pytest.raises(PlanError, match=said.replace(".", r"\.")):
        planned(observed, circumstances)
    judging = Circumstances(circumstances.here, circumstances.master, judging=True)
    expected = [("create", {})] if isinstance(observed, Absent) else []
    assert planned(observed, judging) == expected


def test_findings_of_domain_controllers() -> None:
    behind, unread = {"dc02": ("X", "Y")}, {"dc03": "it is down."}
    found = judge_schema(FOREST, Present(SchemaState()), HERE, behind, unread, "now")
    assert [(item.subject, item.status) for item in found] == [
        (FOREST, Status.COMPLIANT),
        ("dc02", Status.MANUAL),
        ("dc03", Status.UNKNOWN),
    ]
    assert found[1].message.endswith("which dc01.corp.example has; it lacks X, Y.")
    assert judge_schema(FOREST, Absent(), HERE, {}, {}, "now")[0].status is Status.DRIFT
    assert judge_schema(FOREST, Present(SchemaState(("X",))), HERE, {}, {}, "now")[0].status is Status.MANUAL


DOMAIN, ROOT = "S-1-5-21-1-2-3", "S-1-5-21-7-8-9"


@pytest.mark.parametrize(
    ("sids", "domain_admin", "schema_admin", "enterprise_admin"),
    [
        ((f"{DOMAIN}-512",), True, False, False),
        ((f"{ROOT}-512",), False, False, False),  # of another domain
        ((f"{ROOT}-518", f"{DOMAIN}-512"), True, True, False),
        ((f"{DOMAIN}-518", f"{DOMAIN}-519"), False, False, False),  # only those of the first domain count
        ((f"{ROOT}-519".lower(),), False, False, True),
        ((f"{DOMAIN}-5120", "S-1-5-32-544"), False, False, False),
    ],
)
def test_rights(sids: Sequence[str], domain_admin: bool, schema_admin: bool, enterprise_admin: bool) -> None:
    found = rights_of("CORP\\adm", sids, DOMAIN, ROOT)
    assert found == DirectoryRights("CORP\\adm", domain_admin, schema_admin, enterprise_admin)
    assert found.may_configure == (domain_admin or enterprise_admin)
    assert found.may_extend_schema == (not found.missing_for_schema)
