# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions: what servers answer that are not as they should be, and what the responder answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sansldap
from unit.plugin_utils.ldap_kit import NTLM, scripted, server, settings

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    AccessDenied,
    AuthenticationRejected,
    DeadlineExceeded,
    DirectoryError,
    DirectoryUnreachable,
    HostError,
    UnreadableOutput,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap import _ldap_change
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_root_dse import RootDse
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_settings import (
    LdapSettings,
    Protocol,
    TlsMode,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory import _ldap_session
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._ldap_channel import connect
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._ldap_session import (
    LdapSession,
    Scope,
    open_session,
)
from lab.endpoint.tls import TlsListener, self_signed
from lab.ldap import LdapObject, LdapServer
from lab.ldap.example import BASE, CONFIGURATION, example_forest, example_objects

DONE = sansldap.LDAPResultCode.SUCCESS


def _session(port: int, **more: Any) -> LdapSession:
    """Returns a session that nobody has logged on to: the scripts do not ask who is there."""
    chosen = settings(port, **{"timeout": 2, **more})
    return LdapSession(chosen, "dc1", connect("dc1", ("127.0.0.1",), port, 2))


def _search(session: LdapSession, *attributes: str) -> Any:
    try:
        return session.search("DC=x", "(cn=a)", attributes or ("cn",)).entries
    finally:
        session.close()


def test_entries_pages_and_references_come_together() -> None:
    pages = {b"": b"one", b"one": b"two", b"two": b""}

    def script(answer: sansldap.LDAPServer, asked: sansldap.LDAPMessage) -> bytes:
        assert isinstance(asked, sansldap.SearchRequest)
        (control,) = asked.controls
        assert isinstance(control, sansldap.PagedResultControl)
        number, cookie = asked.message_id, pages[control.cookie]
        answer.search_result_entry(number, f"CN={cookie.decode()}", [sansldap.PartialAttribute("CN", [cookie])])
        answer.search_result_reference(number, ["ldap://dc2/DC=y"])
        answer.search_result_done(number, controls=[sansldap.PagedResultControl(False, 0, cookie)])
        return b""

    with scripted(script) as port:
        session = _session(port)
        found = session.search("DC=x", "(cn=a)", ["cn"])
        session.close()
    assert [item.dn for item in found.entries] == ["CN=one", "CN=two", "CN="]
    assert found.references == ("ldap://dc2/DC=y",)


def test_ranges_are_asked_for_to_the_end() -> None:
    asked_for = []

    def script(answer: sansldap.LDAPServer, asked: sansldap.LDAPMessage) -> bytes:
        assert isinstance(asked, sansldap.SearchRequest)
        (attribute,) = asked.attributes
        asked_for.append(attribute)
        name, values = {
            "member": ("member;range=0-1", [b"0", b"1"]),
            "member;range=2-*": ("member;range=2-3", [b"2", b"3"]),
            "member;range=4-*": ("member;range=4-*", [b"4"]),
        }[attribute]
        answer.search_result_entry(asked.message_id, "CN=x", [sansldap.PartialAttribute(name, values)])
        answer.search_result_done(asked.message_id)
        return b""

    with scripted(script) as port:
        (entry,) = _search(_session(port), "member")
    assert entry.texts("member") == ("0", "1", "2", "3", "4")
    assert len(asked_for) == 3


def test_ranges_without_end_are_refused() -> None:
    def script(answer: sansldap.LDAPServer, asked: sansldap.LDAPMessage) -> bytes:
        value = [sansldap.PartialAttribute("member;range=0-0", [b"0"])]
        answer.search_result_entry(asked.message_id, "CN=x", value)
        answer.search_result_done(asked.message_id)
        return b""

    with scripted(script) as port, pytest.raises(UnreadableOutput, match="the values of member of CN=x have no end"):
        _search(_session(port), "member")


def test_too_many_objects_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_ldap_session, "MAX_ENTRIES", 10)

    def script(answer: sansldap.LDAPServer, asked: sansldap.LDAPMessage) -> bytes:
        for number in range(6):
            answer.search_result_entry(asked.message_id, f"CN={number}", [])
        answer.search_result_done(asked.message_id, controls=[sansldap.PagedResultControl(False, 0, b"more")])
        return b""

    with scripted(script) as port, pytest.raises(UnreadableOutput, match="more than 10 objects came"):
        _search(_session(port))


def test_pages_without_end_come_to_the_deadline() -> None:
    def script(answer: sansldap.LDAPServer, asked: sansldap.LDAPMessage) -> bytes:
        answer.search_result_done(asked.message_id, controls=[sansldap.PagedResultControl(False, 0, b"more")])
        return b""

    with (
        scripted(script) as port,
        pytest.raises(DeadlineExceeded, match="was 0 objects, and that there are more"),
    ):
        _search(_session(port, timeout=0.2))


def test_a_result_code_that_the_library_does_not_know_is_no_success() -> None:
    """As a number it makes 0 of it."""
    code = sansldap.LDAPResultCode(4711)

    def script(answer: sansldap.LDAPServer, asked: sansldap.LDAPMessage) -> bytes:
        answer.search_result_done(asked.message_id, code)
        return b""

    with scripted(script) as port, pytest.raises(DirectoryError) as caught:
        _search(_session(port))
    assert caught.value.code == 4711


def test_a_server_that_ends_the_session() -> None:
    def script(answer: sansldap.LDAPServer, _asked: sansldap.LDAPMessage) -> bytes:
        farewell = sansldap.ExtendedResponse(
            0,
            [],
            sansldap.LDAPResult(sansldap.LDAPResultCode.UNAVAILABLE, "", "shutting down", None),
            "1.3.6.1.4.1.1466.20036",
            None,
        )
        return farewell.pack(answer._packing_options)

    with scripted(script) as port, pytest.raises(DirectoryUnreachable) as caught:
        _search(_session(port))
    assert "the domain controller ended the connection (" in str(caught.value)
    assert "shutting down" in str(caught.value)


@pytest.mark.parametrize("nonsense", [b"\x30\x03\x02\x01\x01", b"\x30\x05\x02\x01\x01\x04\x00"])
def test_nonsense_is_told(nonsense: bytes) -> None:
    with (
        scripted(lambda _answer, _asked: nonsense) as port,
        pytest.raises(UnreadableOutput, match="can't be understood"),
    ):
        _search(_session(port))


def test_the_answer_to_another_change_is_refused() -> None:
    other = bytes.fromhex("300c 020101 6707 0a0100 0400 0400")
    with scripted(lambda _answer, _asked: b"", greeting=other) as port:
        session = _session(port)
        with pytest.raises(UnreadableOutput, match="a change had another answer"):
            session.delete("CN=x")
        session.close()


def test_changes_have_numbers_of_their_own() -> None:
    assert _ldap_change.FIRST_MESSAGE > 1_000_000


@pytest.fixture
def objects() -> list[LdapObject]:
    return example_objects(example_forest())


def test_the_responder_gives_many_values_in_ranges(objects: list[LdapObject], tmp_path: Path) -> None:
    members = tuple(f"CN=u{number},{BASE}".encode() for number in range(4000))
    group = LdapObject(f"CN=many,{BASE}", {"objectclass": (b"group",), "member": members})
    with server(lambda: [*objects, group]) as service:
        session = open_session(settings(service.port), "127.0.0.1", str(tmp_path))
        (entry,) = session.search(group.dn, "(objectClass=*)", ["member"], Scope.BASE).entries
        session.close()
        assert entry.raw("member") == members
    assert service.errors == []


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[TlsListener, Path]:
    tls = self_signed(["127.0.0.1"])
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    path.write_bytes(tls.certificate)
    return tls, path


def _simple(service: LdapServer, mode: TlsMode, ca_cert: object) -> LdapSettings:
    port = service.tls_port if mode is TlsMode.LDAPS else service.port
    return settings(port, protocol=Protocol.SIMPLE, tls_mode=mode, ca_cert=str(ca_cert))


@pytest.mark.parametrize("mode", [TlsMode.LDAPS, TlsMode.START_TLS])
def test_simple_within_tls(
    objects: list[LdapObject], certificate: tuple[TlsListener, Path], mode: TlsMode, tmp_path: Path
) -> None:
    tls, path = certificate
    with server(lambda: objects, tls=tls) as service:
        session = open_session(_simple(service, mode, path), "127.0.0.1", str(tmp_path))
        assert session.authentication == "simple"
        session.close()
        with pytest.raises(DirectoryUnreachable, match=r"TLS certificate on 127.0.0.1: it is not trusted \("):
            open_session(_simple(service, mode, ""), "127.0.0.1", str(tmp_path))
        with pytest.raises(DirectoryError, match=r"CA certificates .*none.pem on 127.0.0.1: they can't be read"):
            open_session(_simple(service, mode, tmp_path / "none.pem"), "127.0.0.1", str(tmp_path))
    assert service.errors == []


def test_start_tls_that_is_refused(objects: list[LdapObject], tmp_path: Path) -> None:
    with (
        server(lambda: objects) as service,
        pytest.raises(DirectoryError, match=r"StartTLS on 127.0.0.1: the domain controller refuses it \(UNAVAILABLE\)"),
    ):
        open_session(_simple(service, TlsMode.START_TLS, ""), "127.0.0.1", str(tmp_path))


@pytest.mark.parametrize(
    ("answer", "code"), [("0a0100 0400 0400", None), ("0a0132 0400 0402 4e6f", 50), ("0a0144 0400 0400", 68)]
)
def test_what_a_change_is_answered(answer: str, code: int | None) -> None:
    """The server is told the bytes: its library knows no changes either."""
    body = bytes.fromhex("0204 40000000") + bytes([0x6B, len(bytes.fromhex(answer))]) + bytes.fromhex(answer)
    with scripted(lambda _answer, _asked: b"", greeting=bytes([0x30, len(body)]) + body) as port:
        session = _session(port)
        if code is None:
            session.delete("CN=x")
        else:
            with pytest.raises(AccessDenied if code == 50 else DirectoryError, match="change of CN=x on dc1"):
                session.delete("CN=x")
        session.close()


def test_what_a_session_knows_of_its_server(objects: list[LdapObject], tmp_path: Path) -> None:
    with server(lambda: objects) as service:
        session = open_session(settings(service.port), "127.0.0.1", str(tmp_path))
        session.close()
    assert session.root == RootDse("dc1.corp.example", BASE, CONFIGURATION, f"CN=Schema,{CONFIGURATION}", BASE)
    assert session.authentication == "ntlm"


def test_a_wrong_password_reaches_the_directory_once(objects: list[LdapObject], tmp_path: Path) -> None:
    with server(lambda: objects) as service:
        wrong = settings(service.port, password="wrong")
        for _attempt in range(3):
            with pytest.raises(AuthenticationRejected):
                open_session(wrong, "127.0.0.1", str(tmp_path))
    assert service.rejections == 1


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sansldap", None)
    with pytest.raises(HostError, match=r"needs the Python library sansldap .* pip install sansldap\."):
        open_session(NTLM, "127.0.0.1", str(tmp_path))
