# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A session with one domain controller: searches with pages, ranges, limits and a deadline; and changes."""

from __future__ import annotations

import importlib
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    DirectoryError,
    DirectoryUnreachable,
    HostError,
    UnreadableOutput,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap import _ldap_change
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_entry import Entry, value_range
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_result import (
    BIND_IN_PROGRESS,
    SUCCESS,
    bind_failure,
    result_failure,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_root_dse import (
    ATTRIBUTES,
    RootDse,
    root_dse,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_settings import (
    LdapSettings,
    Protocol,
    TlsMode,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._authentication_guard import (
    AuthenticationGuard,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._ldap_bind import (
    MECHANISM,
    Answer,
    BindRefused,
    log_on,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._ldap_channel import Channel, Wait, connect
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._ldap_lookup import addresses

if TYPE_CHECKING:
    import sansldap

PAGE = 500
"""Objects in one page; a DC gives at most 1000 (MaxPageSize)."""

MAX_ENTRIES = 100_000
"""Objects of one search. There are no forests with as many DCs or PCNS targets; a question that gets more is wrong."""

_START_TLS = "1.3.6.1.4.1.1466.20037"


class Scope(IntEnum):
    """How far below the base a search looks."""

    BASE = 0
    ONE_LEVEL = 1
    SUBTREE = 2


@dataclass(frozen=True)
class Found:
    """What a search found.

    Attributes:
        entries: The objects.
        references: LDAP URIs of parts that are on other servers; these parts were not searched.
    """

    entries: tuple[Entry, ...]
    references: tuple[str, ...] = ()


class LdapSession:
    """A session; made by `open_session`.

    Result codes are looked at by `value`: as a number, the library makes 0, which is success, of one unknown to it.

    Attributes:
        host: Name of the domain controller.
        authentication: The protocol that was used to log on.
        root: What it says of itself.
    """

    def __init__(self, settings: LdapSettings, host: str, channel: Channel) -> None:
        import sansldap

        self.host = host
        self.authentication = ""
        self.root = RootDse("", "", "", "", "")
        self._settings = settings
        self._channel = channel
        self._library = sansldap.LDAPClient()
        self._next_change = _ldap_change.FIRST_MESSAGE

    def close(self) -> None:
        """Ends the session."""
        self._channel.close()

    def search(
        self, base: str, query: str, attributes: Sequence[str], scope: Scope = Scope.SUBTREE, *, page: int = PAGE
    ) -> Found:
        """Searches.

        Args:
            base: Distinguished name of where to begin.
            query: Filter (RFC 4515). It must not hold text from outside.
            attributes: Names of the attributes wanted.
            scope: How far to look.
            page: Objects in one page.

        Raises:
            DirectoryReferral: Another server has it.
            DirectoryError: The directory refused it.
            DeadlineExceeded: It took too long.
            UnreadableOutput: The answer is not LDAP, or without end.
        """
        import sansldap

        wait = self._wait(f"search of {base or 'the rootDSE'}")
        entries: list[Entry] = []
        references: list[str] = []
        cookie = b""
        while True:
            pending: list[tuple[Entry, Mapping[str, int]]] = []
            done: sansldap.SearchResultDone | None = None
            number = self._library.search_request(
                base,
                int(scope),
                time_limit=max(1, int(self._settings.timeout)),
                filter=sansldap.LDAPFilter.from_string(query),
                attributes=list(attributes),
                controls=[sansldap.PagedResultControl(False, page, cookie)],
            )
            for message in self._answers(number, wait):
                if isinstance(message, sansldap.SearchResultEntry):
                    pending.append(_entry(message))
                elif isinstance(message, sansldap.SearchResultReference):
                    references += message.uris
                elif isinstance(message, sansldap.SearchResultDone):
                    done = message
                    break
                if len(entries) + len(pending) > MAX_ENTRIES:
                    self.close()
                    raise UnreadableOutput(
                        self.host,
                        wait.subject,
                        f"more than {MAX_ENTRIES} objects came",
                        "Check that `server` is a domain controller",
                    )
            if done is not None:
                self._check(done.result, wait.subject)
            entries += [self._rest(entry, starts, wait) for entry, starts in pending]
            wait.seen = f"{len(entries)} objects, and that there are more"
            control = next((item for item in _controls(done) if isinstance(item, sansldap.PagedResultControl)), None)
            cookie = control.cookie if control is not None else b""
            if not cookie:
                return Found(tuple(entries), tuple(dict.fromkeys(references)))

    def modify(self, dn: str, modifications: Sequence[_ldap_change.Modification]) -> None:
        """Changes attributes of an object, all of them or none.

        Raises:
            AccessDenied: The account may not.
            DirectoryError: The directory refused it.
        """
        self._change(dn, lambda number: _ldap_change.modify(number, dn, modifications))

    def add(self, dn: str, attributes: Mapping[str, Sequence[bytes]]) -> None:
        """Makes an object; raises as `modify`."""
        self._change(dn, lambda number: _ldap_change.add(number, dn, attributes))

    def delete(self, dn: str) -> None:
        """Removes an object that has none below it; raises as `modify`."""
        self._change(dn, lambda number: _ldap_change.delete(number, dn))

    def start(self) -> None:
        """Begins TLS where it is wanted, logs on, and reads the rootDSE; raises as `open_session`."""
        self._begin_tls()
        self._log_on()
        self.root = root_dse(self._root(ATTRIBUTES), self.host)

    def look(self, attributes: Sequence[str]) -> Entry:
        """Begins TLS where it is wanted, and reads the rootDSE without logging on; raises as `search`."""
        self._begin_tls()
        return self._root(attributes) or Entry("", {})

    def _begin_tls(self) -> None:
        wait = Wait(self._settings.timeout, self.host, "TLS")
        if self._settings.tls_mode is TlsMode.START_TLS:
            self._start_tls(wait)
        if self._settings.tls_mode is not TlsMode.NONE:
            self._channel.wrap_tls(_tls_context(self._settings, self.host), wait)

    def _root(self, attributes: Sequence[str]) -> Entry | None:
        found = self.search("", "(objectClass=*)", attributes, Scope.BASE)
        return next(iter(found.entries), None)

    def _log_on(self) -> None:
        wait = self._wait(f"LDAP logon of {self._settings.account}")
        if self._settings.protocol is Protocol.SIMPLE:
            try:
                self._bound(self._library.bind_simple(self._settings.username, self._settings.password), wait)
            except BindRefused as error:
                raise bind_failure(self.host, self._settings.account, error.code, error.name, error.text) from None
            self.authentication = Protocol.SIMPLE.value
            return

        def exchange(token: bytes) -> Answer:
            return self._bound(self._library.bind_sasl(MECHANISM, None, token), wait)

        sealing, self.authentication = log_on(self._settings, self.host, exchange)
        self._channel.seal_with(sealing)

    def _bound(self, number: int, wait: Wait) -> Answer:
        import sansldap

        for message in self._answers(number, wait):
            if isinstance(message, sansldap.BindResponse):
                result = message.result
                code = result.result_code
                if code.value not in (SUCCESS, BIND_IN_PROGRESS):
                    raise BindRefused(code.value, code.name, result.diagnostics_message)
                return Answer(code.value == SUCCESS, message.server_sasl_creds)
        raise self._confused("a bind had another answer")

    def _start_tls(self, wait: Wait) -> None:
        import sansldap

        for message in self._answers(self._library.extended_request(_START_TLS), wait):
            if isinstance(message, sansldap.ExtendedResponse):
                if message.result.result_code.value != SUCCESS:
                    raise DirectoryError(
                        self.host,
                        "StartTLS",
                        f"the domain controller refuses it ({message.result.result_code.name})",
                        "Give it a certificate for LDAP, or leave `tls_mode` out and use kerberos or ntlm",
                        code=message.result.result_code.value,
                    )
                return

    def _change(self, dn: str, message: Callable[[int], bytes]) -> None:
        wait = self._wait(f"change of {dn}")
        number, self._next_change = self._next_change, self._next_change + 1
        self._channel.send(message(number), wait)
        try:
            result = _ldap_change.change_result(self._channel.receive(wait))
        except ValueError as error:
            raise self._confused(str(error)) from None
        if result is None or result.message != number:
            raise self._confused("a change had another answer")
        if result.code != SUCCESS:
            raise result_failure(self.host, wait.subject, result.code, result.name, result.text, result.referrals)

    def _answers(self, number: int, wait: Wait) -> Iterator[sansldap.LDAPMessage]:
        """Yields the messages that answer a request, without end: who asks knows which is the last."""
        import sansldap

        self._channel.send(self._library.data_to_send(), wait)
        while True:
            try:
                messages = self._library.receive(self._channel.receive(wait))
            except sansldap.ProtocolError as error:
                self.close()
                if isinstance(error.request, sansldap.ExtendedResponse):
                    raise DirectoryUnreachable(
                        self.host,
                        wait.subject,
                        f"the domain controller ended the connection ({error})",
                        "Run again, or name another domain controller in `server`",
                    ) from None
                raise self._confused(str(error)) from None
            if not messages:
                raise self._confused("a message ends early")
            yield from (item for item in messages if item.message_id == number)

    def _rest(self, entry: Entry, starts: Mapping[str, int], wait: Wait) -> Entry:
        """Returns an object with those values too that did not fit into its first answer."""
        import sansldap

        values = dict(entry.values)
        for attribute, start in starts.items():
            following: int | None = start
            while following is not None:
                number = self._library.search_request(
                    entry.dn, int(Scope.BASE), attributes=[f"{attribute};range={following}-*"]
                )
                before, following = following, None
                for message in self._answers(number, wait):
                    if isinstance(message, sansldap.SearchResultEntry):
                        more, further = _entry(message)
                        values[attribute] = values[attribute] + more.raw(attribute)
                        following = further.get(attribute)
                    elif isinstance(message, sansldap.SearchResultDone):
                        self._check(message.result, wait.subject)
                        break
                if following is not None and following <= before:
                    raise self._confused(f"the values of {attribute} of {entry.dn} have no end")
        return Entry(entry.dn, values)

    def _check(self, result: sansldap.LDAPResult, subject: str) -> None:
        if result.result_code.value != SUCCESS:
            raise result_failure(
                self.host,
                subject,
                result.result_code.value,
                result.result_code.name,
                result.diagnostics_message,
                tuple(result.referrals or ()),
            )

    def _wait(self, subject: str) -> Wait:
        return Wait(self._settings.timeout, self.host, subject)

    def _confused(self, reason: str) -> UnreadableOutput:
        self.close()
        return UnreadableOutput(
            self.host, "LDAP", f"the answer can't be understood: {reason}", "Check `server`, `port` and `tls_mode`"
        )


def open_session(settings: LdapSettings, host: str, folder: str) -> LdapSession:
    """Returns a session with a domain controller.

    Args:
        settings: How to reach it, and who asks.
        host: Its name or address; the name is what Kerberos and its certificate must prove.
        folder: Private folder of this run, in which it is remembered that a password was rejected.

    Raises:
        DirectoryUnreachable: It can't be reached, or is not trusted.
        AuthenticationRejected: It did not let the account in, or another one did not before.
        DirectoryError: It refused something else.
        DeadlineExceeded: It does not answer.
        HostError: A library is missing.
    """
    try:
        for library in ("sansldap", "spnego"):
            importlib.import_module(library)
    except ImportError as error:
        raise HostError(
            host,
            "LDAP",
            f"it needs the Python library {error.name} on the control node",
            f"Install it there: pip install {'pyspnego' if error.name == 'spnego' else error.name}",
        ) from None
    found = addresses(host, settings.tcp_port, settings.name_servers, settings.connection_timeout)
    session = LdapSession(settings, host, connect(host, found, settings.tcp_port, settings.connection_timeout))
    try:
        if settings.password is None:
            session.start()
        else:
            AuthenticationGuard(folder, settings.username, source="ldap").attempt(host, session.start)
    except BaseException:
        session.close()
        raise
    return session


def _tls_context(settings: LdapSettings, host: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=settings.ca_cert or None)
    except OSError as error:
        raise DirectoryError(
            host,
            f"CA certificates {settings.ca_cert}",
            f"they can't be read ({error.strerror or error})",
            "Give a PEM file in `ca_cert`",
        ) from None


def _entry(message: sansldap.SearchResultEntry) -> tuple[Entry, dict[str, int]]:
    """Returns an object, and of which attributes more values are to be asked for, from which number on."""
    values: dict[str, tuple[bytes, ...]] = {}
    starts: dict[str, int] = {}
    for attribute in message.attributes:
        part = value_range(attribute.name)
        name = (part.attribute if part else attribute.name).lower()
        values[name] = values.get(name, ()) + tuple(attribute.values)
        if part is not None and part.next is not None:
            starts[name] = part.next
    return Entry(message.object_name, values), starts


def _controls(done: sansldap.SearchResultDone | None) -> Sequence[sansldap.LDAPControl]:
    return done.controls if done is not None else ()
