# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A directory of several domain controllers: finding one that answers, and following referrals to others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType
from urllib.parse import unquote, urlsplit

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    DeadlineExceeded,
    DirectoryReferral,
    DirectoryUnreachable,
    HostError,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_settings import LdapSettings, TlsMode
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._ldap_lookup import (
    MAX_CANDIDATES,
    find_domain_controllers,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._ldap_session import (
    Found,
    LdapSession,
    Scope,
    open_session,
)

_USUAL_PORTS = (0, 389, 636)
_CATALOG_PORT, _CATALOG_TLS_PORT = 3268, 3269
"""Ports of LDAP and of the global catalog (MS-ADTS 3.1.1.3.1.10)."""

_SILENT = (DirectoryUnreachable, DeadlineExceeded)
"""After these another domain controller is tried; whatever else goes wrong would go wrong there too."""


class Directory:
    """The sessions of one task; a context manager.

    Args:
        settings: How to reach it, and who asks.
        folder: Private folder of this run (see `open_session`).
    """

    def __init__(self, settings: LdapSettings, folder: str) -> None:
        self.settings = settings
        self._folder = folder
        self._sessions: dict[str, LdapSession] = {}

    def __enter__(self) -> Directory:
        """Returns the directory; nothing is opened yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Ends all sessions."""
        self.close()

    def close(self) -> None:
        """Ends all sessions."""
        for session in self._sessions.values():
            session.close()
        self._sessions.clear()

    def at(self, server: str, domain: str) -> Directory:
        """Returns the same directory with sessions of its own, asked first at one domain controller of a domain."""
        return Directory(replace(self.settings, server=server, domain=domain), self._folder)

    @property
    def session(self) -> LdapSession:
        """The session with the domain controller that is asked first: the one named, else one found in DNS.

        Raises:
            HostError: As `open_session`.
        """
        if self.settings.server:
            return self.session_with((self.settings.server,))
        candidates = find_domain_controllers(
            self.settings.domain, self.settings.name_servers, self.settings.connection_timeout
        )
        return self.session_with(candidates)

    def session_with(self, candidates: Sequence[str]) -> LdapSession:
        """Returns a session with the first of some domain controllers that answers.

        Raises:
            DirectoryUnreachable: None does; the sentence names each with its reason.
            HostError: As `open_session`.
        """
        reasons: list[HostError] = []
        for host in candidates[:MAX_CANDIDATES]:
            known = self._sessions.get(host.lower())
            if known is not None:
                return known
        for host in candidates[:MAX_CANDIDATES]:
            try:
                session = open_session(self.settings, host, self._folder)
            except _SILENT as error:
                reasons.append(error)
                continue
            self._sessions[host.lower()] = session
            self._sessions[session.root.host.lower()] = session
            return session
        if len(reasons) == 1:
            raise reasons[0]
        raise DirectoryUnreachable(
            "",
            "LDAP",
            f"none of the domain controllers tried can be reached: "
            f"{'; '.join(f'{error.host}: {error.reason}' for error in reasons) or 'there are none'}",
            "Check that the control node reaches them, or name another one in `server`",
        )

    def catalog(self, host: str) -> LdapSession:
        """Returns a session with the global catalog of a domain controller, which has something of every domain.

        Raises:
            DirectoryUnreachable: It is none, or `port` says that other ports than the usual ones are used there.
            HostError: As `open_session`.
        """
        known = self._sessions.get(f"{host.lower()} catalog")
        if known is not None:
            return known
        if self.settings.port not in _USUAL_PORTS:
            raise DirectoryUnreachable(
                host,
                "global catalog",
                f"its port is not known where LDAP is at {self.settings.port}",
                "Leave `port` out",
            )
        port = _CATALOG_TLS_PORT if self.settings.tls_mode is TlsMode.LDAPS else _CATALOG_PORT
        session = open_session(replace(self.settings, port=port), host, self._folder)
        self._sessions[f"{host.lower()} catalog"] = session
        return session

    def knows(self, host: str) -> bool:
        """Whether there is a session with a domain controller."""
        return host.lower() in self._sessions

    def forget(self, host: str) -> None:
        """Ends the session with a domain controller, if there is one; who asks for it again gets a new one."""
        session = self._sessions.get(host.lower())
        if session is not None:
            session.close()
            self._sessions = {name: item for name, item in self._sessions.items() if item is not session}

    def search(self, base: str, query: str, attributes: Sequence[str], scope: Scope = Scope.SUBTREE) -> Found:
        """Searches; what another server has is asked for there, once.

        Parts of the answer that are on other servers come as references and are not followed.

        Raises:
            DirectoryReferral: The server referred to can't be reached, or refers to yet another.
            HostError: As `LdapSession.search`.
        """
        try:
            return self.session.search(base, query, attributes, scope)
        except DirectoryReferral as referral:
            other = self._referred(referral)
            return other.search(base, query, attributes, scope)

    def _referred(self, referral: DirectoryReferral) -> LdapSession:
        hosts = [host for host in (_host_of(uri) for uri in referral.uris) if host]
        try:
            return self.session_with([name for host in hosts for name in self._names(host)])
        except _SILENT as error:
            raise DirectoryReferral(
                referral.host,
                referral.subject,
                f"the domain controller refers to {', '.join(hosts) or 'nobody'}, and that can't be reached "
                f"({error.reason})",
                "Correct the base if it is not meant to be there; else make that server reachable, or name a domain "
                "controller of its domain in `server`",
                uris=referral.uris,
            ) from None

    def _names(self, host: str) -> Sequence[str]:
        """Returns domain controllers of a referral, which names a domain more often than a server."""
        try:
            return find_domain_controllers(host, self.settings.name_servers, self.settings.connection_timeout)
        except DirectoryUnreachable:
            return (host,)


def _host_of(uri: str) -> str:
    try:
        return unquote(urlsplit(uri).hostname or "")
    except ValueError:
        return ""
