# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SPNs: what is one, who may have it, and how it gets there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
import sansldap
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entsso.password_sync.plugins.module_utils import _service_principal_name as spn
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import (
    Change,
    Estate,
    Operation,
    PlanError,
    Unknown,
    differences,
    overlay,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._state_types import STATE_TYPES
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._account_name import Form, account_name
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_filter import equals

FOREST = "corp.example"
ACCOUNTS = [f"CN={name},OU=Konten\\, Köln,DC=corp,DC=example" for name in ("svc-a", "svc-b", "svc-c", "svc-d")]
NAMES = ["ENTSSO/sso01.corp.example", "ENTSSO/sso01", "PCNSCLNT/sso01:5000/x"]

held = st.fixed_dictionaries({name: st.lists(st.sampled_from(ACCOUNTS), unique=True, max_size=4) for name in NAMES})
desired = st.builds(
    spn.DesiredSpns,
    st.lists(st.sampled_from(NAMES), min_size=1, unique=True).map(tuple),
    st.sampled_from([*ACCOUNTS, ACCOUNTS[0].upper()]),
    st.booleans(),
    st.booleans(),
)


def _estate(holders: Mapping[str, Sequence[str]]) -> Estate:
    return Estate({spn.key(FOREST, name): spn.observation(accounts) for name, accounts in holders.items()}, STATE_TYPES)


def _after(estate: Estate, changes: Sequence[Change]) -> Estate:
    return overlay(estate, [effect for change in changes for effect in change.effects])


def _accounts(estate: Estate, name: str) -> tuple[str, ...]:
    observed = estate.get(spn.key(FOREST, name))
    found: tuple[str, ...] = getattr(getattr(observed, "state", None), "accounts", ())
    return found


@given(held, desired)
def test_a_plan_does_what_is_wanted_and_nothing_else(holders: dict[str, list[str]], wanted: spn.DesiredSpns) -> None:
    estate = _estate(holders)
    others = {
        name: [item for item in accounts if not spn.same_accounts([item], [wanted.account])]
        for name, accounts in holders.items()
    }
    taken = [account for name in wanted.names for account in others[name]]
    if taken and wanted.present and not wanted.force:
        with pytest.raises(PlanError) as caught:
            spn.plan(FOREST, wanted, estate)
        assert all(account in caught.value.reason for account in taken)
        return
    changes = spn.plan(FOREST, wanted, estate)
    after = _after(estate, changes)
    for name, accounts in holders.items():
        if name not in wanted.names:
            expected = accounts
        elif wanted.present:
            expected = [wanted.account]
        else:
            expected = others[name]
        assert spn.same_accounts(_accounts(after, name), expected)
    assert spn.plan(FOREST, wanted, after) == ()
    assert differences(after, after, changes) == ()
    for change in changes:
        before, now = (set(values.get("accounts", ())) for values in (change.old, change.new))  # type: ignore[arg-type]
        assert len(before ^ now) == 1
        assert (change.operation is Operation.DELETE) == (not now)
        assert (change.operation is Operation.CREATE) == (not before)


@given(held, desired)
def test_what_others_have_is_taken_before_it_is_given(holders: dict[str, list[str]], wanted: spn.DesiredSpns) -> None:
    changes = spn.plan(FOREST, spn.DesiredSpns(wanted.names, wanted.account, force=True), _estate(holders))
    estate = _estate(holders)
    for change in changes:
        given_now = [item for item in change.new.get("accounts", ()) if item not in change.old.get("accounts", ())]  # type: ignore[union-attr,operator]
        if given_now:
            assert _accounts(estate, change.name) == ()
        estate = change.project(estate)


def test_a_conflict_in_one_sentence() -> None:
    estate = _estate({NAMES[0]: ACCOUNTS[1:3], NAMES[1]: [ACCOUNTS[1]], NAMES[2]: []})
    with pytest.raises(PlanError) as caught:
        spn.plan(FOREST, spn.DesiredSpns(tuple(NAMES), ACCOUNTS[0]), estate)
    assert caught.value.reason == (
        f"The SPN {NAMES[0]} is on {ACCOUNTS[1]} and on {ACCOUNTS[2]}; the SPN {NAMES[1]} is on {ACCOUNTS[1]}, and "
        f"{ACCOUNTS[0]} is to have them alone; nothing was changed."
    )


@pytest.mark.parametrize("force", [True, False])
def test_what_is_not_known_is_not_unique(force: bool) -> None:
    estate = Estate({spn.key(FOREST, "A/b"): Unknown("the domain child.corp.example could not be read (x)")})
    with pytest.raises(PlanError, match=r"not known whether another account of the forest has the SPN A/b: the domain"):
        spn.plan(FOREST, spn.DesiredSpns(("A/b",), ACCOUNTS[0], force=force), estate)


@pytest.mark.parametrize(
    "name", ["ENTSSO/sso01", "a/b:1433", "a/b:INSTANCE", "ldap/dc1.corp.example/corp.example", "a/b:1/c/d", "HTTP/köln"]
)
def test_names(name: str) -> None:
    assert spn.spns("host", [f" {name} "]) == (name,)


@pytest.mark.parametrize(
    "name",
    ["", "sso01", "ENTSSO/", "/sso01", "EN TSSO/sso01", "ENTSSO/sso 01", "a/b:", "a/:1", "a//b", "a/b\u202e", "a/b/"],
)
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(PlanError, match=r"is not a service principal name\. Write class/host in `name`"):
        spn.spns("host", ["ENTSSO/sso01", name])


def test_no_names() -> None:
    with pytest.raises(PlanError, match="There is none"):
        spn.spns("host", [])


def test_a_name_given_twice_counts_once() -> None:
    assert spn.spns("host", ["ENTSSO/B", "entsso/a", "entsso/b", "ENTSSO/A"]) == ("ENTSSO/B", "entsso/a")


MAPPINGS = ["host=alerter,http,cifs", "other=special"]


@pytest.mark.parametrize(
    ("name", "general"),
    [
        ("HTTP/a:80", "host/a:80"),
        ("special/x/y", "other/x/y"),
        ("host/a", None),
        ("ENTSSO/a", None),
        ("PCNSCLNT/a", None),
    ],
)
def test_names_that_another_stands_for(name: str, general: str | None) -> None:
    assert spn.alias(name, MAPPINGS) == general


@given(st.text(min_size=1))
def test_a_filter_holds_any_text_as_itself(text: str) -> None:
    parsed = sansldap.LDAPFilter.from_string(equals("servicePrincipalName", text))
    assert isinstance(parsed, sansldap.FilterEquality)
    assert (parsed.attribute, parsed.value) == ("servicePrincipalName", text.encode())


@pytest.mark.parametrize(
    ("text", "form", "name", "domain"),
    [
        ("svc-sso", Form.PLAIN, "svc-sso", ""),
        ("SSO01$", Form.PLAIN, "SSO01$", ""),
        ("CORP\\svc-sso", Form.DOWN_LEVEL, "svc-sso", "CORP"),
        ("svc@Corp.Example", Form.PRINCIPAL, "svc", "corp.example"),
        ("CN=a\\, b,DC=corp", Form.DISTINGUISHED, "CN=a\\, b,DC=corp", ""),
        ("CN=a\\\\b,DC=corp", Form.DISTINGUISHED, "CN=a\\\\b,DC=corp", ""),
    ],
)
def test_names_of_accounts(text: str, form: Form, name: str, domain: str) -> None:
    found = account_name("host", f" {text} ")
    assert (found.form, found.name, found.domain) == (form, name, domain)


@pytest.mark.parametrize("text", ["", "CORP\\", "\\x", "x@", "@corp.example", "a\\b\\", " "])
def test_names_of_no_account(text: str) -> None:
    with pytest.raises(PlanError, match="is not the name of an account"):
        account_name("host", text)


@pytest.mark.parametrize(
    "text", ["LocalSystem", "NT AUTHORITY\\NetworkService", "nt service\\x", ".\\svc", "Network Service"]
)
def test_accounts_that_no_directory_has(text: str) -> None:
    with pytest.raises(PlanError, match="is an account of one machine"):
        account_name("host", text)
