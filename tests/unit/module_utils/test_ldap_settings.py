# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a directory is to be reached: what is refused before anything is sent, and what refusals of a directory mean."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.entsso.password_sync.plugins.module_utils import _arguments
from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    AccessDenied,
    AuthenticationRejected,
    DirectoryError,
    DirectoryReferral,
    UnreadableOutput,
    UnsupportedConnection,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap import _ldap_result
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_entry import Entry
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_root_dse import root_dse
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_settings import (
    LdapSettings,
    Protocol,
    TlsMode,
    is_configured,
    ldap_settings,
    with_variables,
)

ACCOUNT = {"username": "CORP\\reader", "password": "Secret-Passw0rd"}


def _settings(**given: Any) -> LdapSettings:
    result = ArgumentSpecValidator(_arguments.LDAP).validate(given)
    assert result.error_messages == []
    return ldap_settings(result.validated_parameters)


def test_defaults() -> None:
    found = _settings(domain="Corp.Example.")
    assert (found.domain, found.protocol, found.tls_mode) == ("corp.example", Protocol.NEGOTIATE, TlsMode.NONE)
    assert (found.tcp_port, found.account) == (389, "the owner of the Kerberos ticket cache")


def test_the_port_of_ldaps_stands_for_it() -> None:
    assert _settings(server="dc1", auth_protocol="simple", port=636, **ACCOUNT).tls_mode is TlsMode.LDAPS
    assert _settings(server="dc1", auth_protocol="simple", tls_mode="ldaps", **ACCOUNT).tcp_port == 636
    assert _settings(server="dc1", auth_protocol="simple", tls_mode="start_tls", **ACCOUNT).tcp_port == 389


def test_a_password_does_not_show() -> None:
    assert "Secret-Passw0rd" not in repr(_settings(server="dc1", auth_protocol="ntlm", **ACCOUNT))


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, "it is not known where the directory is"),
        ({"server": "dc1", "auth_protocol": "simple", **ACCOUNT}, "would send the password as it is; nothing was sent"),
        (
            {"server": "dc1", "auth_protocol": "simple", "tls_mode": "ldaps", "username": "x"},
            "simple needs an account and a password that are not empty",
        ),
        (
            {"server": "dc1", "auth_protocol": "simple", "tls_mode": "ldaps", "username": "x", "password": ""},
            "simple needs an account and a password that are not empty",
        ),
        ({"server": "dc1", "auth_protocol": "ntlm"}, "ntlm needs an account and a password that are not empty"),
        ({"server": "dc1", "auth_protocol": "ntlm", "tls_mode": "ldaps", **ACCOUNT}, "signs and seals by itself"),
        ({"server": "dc1", "tls_mode": "start_tls", **ACCOUNT}, "signs and seals by itself"),
        ({"server": "dc1", "port": 636}, "signs and seals by itself"),
        ({"server": "dc1", "password": "x"}, "there is a `password` and no `username`"),
        ({"server": "dc1", "ticket_cache": "FILE:/x", **ACCOUNT}, "a `password` and a `ticket_cache`"),
        ({"server": "dc1", "timeout": 0}, "must be more than 0 seconds"),
        ({"server": "dc1", "connection_timeout": -1}, "must be more than 0 seconds"),
    ],
)
def test_what_is_refused(given: dict[str, Any], reason: str) -> None:
    with pytest.raises(UnsupportedConnection) as caught:
        _settings(**given)
    assert reason in str(caught.value)
    assert "Secret-Passw0rd" not in str(caught.value)


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("525", "the directory knows no such account"),
        ("52e", "name or password is wrong"),
        ("532", "the password has expired"),
        ("533", "the account is disabled"),
        ("701", "the account has expired"),
        ("773", "the password must be changed"),
        ("775", "the account is locked out"),
        ("999", "the directory rejected it (80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error"),
    ],
)
def test_rejected_passwords(number: str, reason: str) -> None:
    text = f"80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data {number}, v1db1\0"
    found = _ldap_result.bind_failure("dc1", "CORP\\reader", 49, "INVALID_CREDENTIALS", text)
    assert isinstance(found, AuthenticationRejected)
    assert found.credentials_presented
    assert f"LDAP logon of CORP\\reader on dc1: {reason}" in str(found)


def test_a_rejected_ticket_says_nothing_about_a_password() -> None:
    found = _ldap_result.bind_failure("dc1", "x", 49, "INVALID_CREDENTIALS", "data 52e", by_ticket=True)
    assert isinstance(found, AuthenticationRejected)
    assert not found.credentials_presented
    assert "rejected the Kerberos ticket (data 52e). Compare the clocks" in str(found)


@pytest.mark.parametrize(
    ("code", "remedy"), [(8, "sign"), (13, "sign"), (53, "sign"), (7, "`auth_protocol`"), (51, "")]
)
def test_refused_kinds_of_logon(code: int, remedy: str) -> None:
    found = _ldap_result.bind_failure("dc1", "x", code, "NAME", "words")
    assert isinstance(found, DirectoryError)
    assert (found.code, remedy in found.remedy) == (code, True)


def test_refused_operations() -> None:
    def sentence(code: int, *uris: str) -> str:
        return str(_ldap_result.result_failure("dc1", "search of DC=x", code, "NAME", "a\nb\0.", uris))

    assert sentence(32).startswith("search of DC=x on dc1: there is no such object. Correct the name")
    assert "(NAME: a b)" in sentence(34)
    assert "time limit" in sentence(3)
    assert "MaxPageSize" in sentence(4)
    assert "the directory refused it (NAME: a b). Mend what" in sentence(80)
    found = _ldap_result.result_failure("dc1", "x", 10, "REFERRAL", "", ("ldap://dc2/DC=y",))
    assert isinstance(found, DirectoryReferral)
    assert found.uris == ("ldap://dc2/DC=y",)
    assert isinstance(_ldap_result.result_failure("dc1", "x", 50, "NAME", ""), AccessDenied)


def test_a_server_that_is_no_domain_controller() -> None:
    other = Entry("", {"dnshostname": (b"ldap.example",)})
    for entry in (None, other):
        with pytest.raises(UnreadableOutput, match="what answers is no domain controller of Active Directory"):
            root_dse(entry, "ldap.example")


def test_variables_stand_in_for_options_that_are_not_given() -> None:
    variables = {"domain": "corp.example", "username": "CORP\\reader", "password": "secret", "ca_cert": "/ca.pem"}
    assert with_variables({"timeout": 3.0, "server": None}, variables) == {**variables, "timeout": 3.0}


def test_where_and_as_whom_are_never_mixed_from_task_and_variables() -> None:
    variables = {
        "domain": "corp.example",
        "port": 10389,
        "auth_protocol": "ntlm",
        "username": "CORP\\reader",
        "password": "secret",
        "ca_cert": "/ca.pem",
    }
    assert with_variables({"server": "dc01.other.example", "ticket_cache": "FILE:/cache"}, variables) == {
        "server": "dc01.other.example",
        "ticket_cache": "FILE:/cache",
        "ca_cert": "/ca.pem",
    }


@pytest.mark.parametrize(
    ("options", "configured"),
    [
        ({}, False),
        ({"domain": ""}, False),
        ({"username": "x"}, False),
        ({"server": "dc"}, True),
        ({"domain": "d"}, True),
    ],
)
def test_a_directory_is_configured_where_it_is_said_where_it_is(options: dict[str, str], configured: bool) -> None:
    assert is_configured(options) is configured
