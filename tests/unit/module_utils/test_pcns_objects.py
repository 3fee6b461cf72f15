# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PCNS objects of a directory: names found in the schema, values in every form, and what two sources say together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entsso.password_sync.plugins.module_utils._pcns_agreement import (
    GroupAnswer,
    GroupState,
    from_listing,
    merge,
    sids,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._pcns_configuration import ConfigurationState
from ansible_collections.entsso.password_sync.plugins.module_utils._pcns_target import TargetState
from ansible_collections.entsso.password_sync.plugins.module_utils._pcnscfg import Listing
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import Absent, Present, Unknown
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_entry import Entry
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._pcns_objects import (
    SERVICE_CLASS,
    TARGET_CLASS,
    PcnsObjects,
    ServiceObject,
    TargetObject,
    pcns_names,
    pcns_objects,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._security_identifier import (
    domain_of,
    has_sid,
    sid_bytes,
    sid_text,
)

USERS, GONE = "S-1-5-21-1-2-3-513", "S-1-5-21-1-2-3-1999"
GUID = "515f9932-6332-4468-8dda-975a74e2d337"


def entry(dn: str, values: Mapping[str, str | bytes | list[str]]) -> Entry:
    def raw(value: str | bytes | list[str]) -> tuple[bytes, ...]:
        items = value if isinstance(value, list) else [value]
        return tuple(item if isinstance(item, bytes) else item.encode() for item in items)

    return Entry(dn, {name.lower(): raw(value) for name, value in values.items()})


def schema(**more: str) -> list[Entry]:
    """Returns a schema with the public names; `more` has common names by OID's last part."""
    public = {
        "1895": "TargetGUID", "1896": "TargetSPN", "1897": "TargetServer", "1899": "TargetUserNameFormat",
        "1900": "TargetKeepAliveInterval", "1901": "TargetDisabled", "1903": "ServiceMaxQueueLength",
        "1904": "ServiceMaxQueueAge", "1908": "TargetExclusionSID", "1909": "TargetInclusionSID",
    }  # fmt: skip
    names = {**public, **{key.removeprefix("oid"): value for key, value in more.items()}}
    found = [
        entry(
            f"CN={name}",
            {
                "cn": f"MS-MIIS-PCNS-{name}",
                "lDAPDisplayName": f"mS-MIIS-PCNS-{name}",
                "attributeID": f"1.2.840.113556.1.4.{number}",
            },
        )
        for number, name in names.items()
    ]
    for oid, name in ((SERVICE_CLASS, "Service"), (TARGET_CLASS, "Target")):
        found.append(entry(f"CN={name}", {"cn": name, "lDAPDisplayName": f"pcns{name}", "governsID": oid}))
    return found


class TestNames:
    def test_by_oid_and_by_words(self) -> None:
        names = pcns_names(
            schema(
                oid1905="ServiceMaxNotificationRetries", oid1910="ServiceRetryInterval", oid1911="TargetWarningLevel"
            )
        )
        assert names.complete
        assert names.attributes["max_notification_retries"] == "mS-MIIS-PCNS-ServiceMaxNotificationRetries"
        assert names.attributes["retry_interval"] == "mS-MIIS-PCNS-ServiceRetryInterval"
        assert names.attributes["queue_warning_level"] == "mS-MIIS-PCNS-TargetWarningLevel"
        assert "queue_warning_interval" not in names.attributes

    def test_where_several_fit_none_is_taken(self) -> None:
        names = pcns_names(schema(oid1910="ServiceRetryInterval", oid1911="ServiceRetryPauseInterval"))
        assert "retry_interval" not in names.attributes
        assert not any("EncryptionKey" in item for item in names.wanted())

    def test_a_schema_without(self) -> None:
        assert not pcns_names([]).complete


class TestObjects:
    def target(self, **more: str | bytes) -> Entry:
        values: dict[str, str | bytes | list[str]] = {
            "objectClass": ["top", "PCNSTARGET"],
            "cn": "ENTSSO",
            "mS-MIIS-PCNS-TargetServer": "sso01",
            "mS-MIIS-PCNS-TargetDisabled": "TRUE",
            "mS-MIIS-PCNS-TargetInclusionSID": sid_bytes(USERS),
        }
        return entry("CN=ENTSSO", {**values, **{f"mS-MIIS-PCNS-{name}": value for name, value in more.items()}})

    def test_every_form(self) -> None:
        names = pcns_names(schema())
        for guid in (UUID(GUID).bytes_le, GUID, f"{{{GUID.upper()}}}"):
            for sid in (sid_bytes(GONE), GONE):
                for flag, enabled in (("TRUE", False), ("FALSE", True), ("1", False), ("0", True)):
                    found = pcns_objects(
                        [self.target(TargetGUID=guid, TargetExclusionSID=sid, TargetDisabled=flag)], names
                    )
                    (item,) = found.targets
                    assert (item.guid, item.exclusion_sid, item.inclusion_sid) == (GUID, GONE, USERS)
                    assert item.values == {"address": "sso01", "enabled": enabled}
                    assert found.problems == ()

    def test_numbers_of_32_bits(self) -> None:
        values = {"objectClass": "pcnsService", "mS-MIIS-PCNS-ServiceMaxQueueLength": "-1"}
        found = pcns_objects([entry("CN=s", values)], pcns_names(schema()))
        assert found.service == ServiceObject("CN=s", {"max_queue_length": 4294967295})

    def test_what_can_not_be_understood_is_told(self) -> None:
        broken = self.target(
            TargetGUID=b"\x00", TargetExclusionSID=b"\xff", TargetDisabled="perhaps", TargetKeepAliveInterval="soon"
        )
        found = pcns_objects([broken, entry("CN=x", {"objectClass": "container"})], pcns_names(schema()))
        assert len(found.problems) == 4
        assert "mS-MIIS-PCNS-TargetDisabled of CN=ENTSSO is perhaps" in found.problems
        assert found.targets[0].values == {"address": "sso01"}

    @given(
        st.dictionaries(st.sampled_from([item.text("lDAPDisplayName") for item in schema()]), st.binary(max_size=30))
    )
    def test_no_value_is_the_end(self, values: dict[str, bytes]) -> None:
        pcns_objects(
            [
                entry("CN=t", {"objectClass": "pcnsTarget", **values}),
                entry("CN=s", {"objectClass": "pcnsService", **values}),
            ],
            pcns_names(schema()),
        )


@given(st.integers(0, 2**48 - 1), st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=15))
def test_security_identifiers(authority: int, parts: list[int]) -> None:
    text = "-".join(["S-1", str(authority), *map(str, parts)])
    assert sid_text(sid_bytes(text)) == text
    assert sid_text(text.lower().encode()) == text
    assert has_sid(text).count("\\") == 8 + 4 * len(parts)


def test_domains_of_security_identifiers() -> None:
    assert domain_of(USERS) == "S-1-5-21-1-2-3"
    assert (domain_of("S-1-5-32-545"), domain_of("S-1-5-11")) == ("", "")
    for wrong in (b"", b"S-2-5", b"\x01\x02abc", "S-1-5-é".encode()):
        with pytest.raises(ValueError, match="is no security identifier"):
            sid_text(wrong)


STATE = TargetState("sso01", "ENTSSO/sso01", "CORP\\Domain Users", "", 3, 15, 100, 30, enabled=True)
PRINTED = frozenset(STATE.__dataclass_fields__)
FOUND = {USERS: GroupAnswer(GroupState.FOUND, "CORP\\Domain Users")}
OBJECT = TargetObject(
    "CN=ENTSSO", frozenset({"entsso"}), GUID, {"address": "SSO01", "keep_alive_interval": 15, "enabled": True}, USERS
)
SERVICE = ServiceObject("CN=s", {"max_queue_age": 259200})
NONE = ConfigurationState()


def listing(state: TargetState | None = STATE, configuration: ConfigurationState | None = NONE) -> Listing:
    targets = {"ENTSSO": state} if state else {}
    return Listing(configuration, targets, dict.fromkeys(targets, PRINTED), dict.fromkeys(targets, GUID))


class TestAgreement:
    def test_the_same(self) -> None:
        seen = merge(listing(), PcnsObjects(SERVICE, (OBJECT,)), FOUND)
        assert seen.differences == ()
        assert seen.configuration == Present(NONE)
        assert seen.target("entsso").observation == Present(STATE)
        assert sids(PcnsObjects(None, (OBJECT, OBJECT))) == (USERS,)

    @pytest.mark.parametrize(
        ("change", "told"),
        [
            ({"values": {"address": "other"}}, "address is 'sso01' in pcnscfg list and 'other' in the directory"),
            ({"values": {"enabled": False}}, "enabled is True in pcnscfg list and False in the directory"),
            ({"exclusion_sid": GONE}, None),
        ],
    )
    def test_a_value(self, change: dict[str, Any], told: str | None) -> None:
        seen = merge(listing(), PcnsObjects(SERVICE, (replace(OBJECT, **change),)), FOUND)
        assert seen.differences == ((f"ENTSSO: {told}",) if told else ())
        assert isinstance(seen.target("ENTSSO").observation, Present)

    def test_a_group(self) -> None:
        other = {USERS: GroupAnswer(GroupState.FOUND, "CORP\\Other")}
        seen = merge(listing(), PcnsObjects(SERVICE, (OBJECT,)), other)
        assert "inclusion_group is 'CORP\\\\Domain Users' in pcnscfg list and 'CORP\\\\Other'" in seen.differences[0]
        # The SID can't mean another group.
        assert seen.target("ENTSSO").observation == Present(replace(STATE, inclusion_group="CORP\\Other"))
        gone = merge(listing(), PcnsObjects(SERVICE, (OBJECT,)), {USERS: GroupAnswer(GroupState.GONE)})
        assert gone.target("ENTSSO").observation == Present(replace(STATE, inclusion_group=USERS))
        unknown = merge(listing(), PcnsObjects(SERVICE, (OBJECT,)), {})
        assert unknown.target("ENTSSO").observation == Present(STATE)

    def test_existence(self) -> None:
        assert isinstance(merge(listing(), PcnsObjects(SERVICE), {}).target("ENTSSO").observation, Unknown)
        assert isinstance(
            merge(listing(None), PcnsObjects(SERVICE, (OBJECT,)), FOUND).target("ENTSSO").observation, Unknown
        )
        assert merge(listing(None), PcnsObjects(), {}).configuration == Absent()
        odd = listing(None, ConfigurationState(retry_interval=17))
        assert isinstance(merge(odd, PcnsObjects(), {}).configuration, Unknown)
        assert isinstance(merge(listing(None, None), PcnsObjects(SERVICE), {}).configuration, Unknown)

    def test_one_source_alone(self) -> None:
        assert from_listing(listing()).target("ENTSSO").observation == Present(STATE)
        seen = merge(None, PcnsObjects(SERVICE, (OBJECT,)), FOUND)
        assert seen.configuration == Present(NONE)
        found = seen.target("ENTSSO").observation
        assert isinstance(found, Present)
        assert (found.state.address, found.state.inclusion_group) == ("SSO01", "CORP\\Domain Users")

    def test_two_objects_of_one_name(self) -> None:
        """By GUID they are told apart; where it says nothing, none is taken for the other."""
        twin = replace(OBJECT, dn="CN=twin", guid="")
        seen = merge(listing(), PcnsObjects(SERVICE, (OBJECT, twin)), FOUND)
        assert any("CN=twin" in text for text in seen.differences)
        assert seen.target("ENTSSO").observation == Present(STATE)
