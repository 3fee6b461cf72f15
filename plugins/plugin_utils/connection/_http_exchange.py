# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An exchange over the client library of Ansible's connection, which does HTTP, authentication and encryption."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    AuthenticationRejected,
    ConnectionLost,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._authentication_guard import (
    AuthenticationGuard,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._connection_settings import (
    KERBEROS,
    ConnectionSettings,
    Kind,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._link import AUTHENTICATED, Attempt, Link
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._psrp_link import open_psrp
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._winrm_link import open_winrm

_REFUSALS_AFTER_RESTART = 2
"""Fewer than the lockout thresholds in use; each is followed by a long pause (`_restart.py`)."""

_OPEN: dict[Kind, Callable[[Attempt], Link]] = {Kind.WINRM: open_winrm, Kind.PSRP: open_psrp}


class HttpExchange:
    """Exchanges with one host. Nothing is sent before the first exchange.

    Not for use by several threads: the security context counts messages (wsman.md 2.4).
    """

    def __init__(self, settings: ConnectionSettings, host: str, guard: AuthenticationGuard) -> None:
        self._settings = settings
        self._host = host
        self._guard = guard
        self._chosen: str | None = None
        self._link: Link | None = None
        self._users_cache = os.environ.get("KRB5CCNAME")

    @property
    def authentication(self) -> str:
        """How the account got in: basic, certificate, credssp, kerberos or ntlm; empty before."""
        return self._settings.authentication(self._chosen) if self._chosen else ""

    @property
    def encrypted(self) -> str:
        """What encrypts the messages: `message` (they are encrypted in themselves) or `TLS`; empty for nothing."""
        if not self._chosen:
            return ""
        if self._settings.seals(self._chosen):
            return "message"
        return "TLS" if self._settings.tls else ""

    def exchange(self, body: bytes) -> tuple[int, bytes]:
        """Sends one request; see `Exchange`."""
        if self._link is not None:
            try:
                return self._link.send(body)
            except AuthenticationRejected as error:
                self.reset()
                if error.credentials_presented and self._password_is_used():
                    # The client library authenticated anew on its own, and the password is no longer right.
                    self._guard.reject(self._host)
                    raise
                if self._chosen != KERBEROS:
                    raise
                # The ticket has expired, say. What is answered like this was not executed: get in anew and go on.
            except BaseException:
                self.reset()
                raise
        if not self._password_is_used():
            return self._authenticate(body)
        if not self._guard.check(self._host):
            self._knock()
        return self._guard.attempt(self._host, lambda: self._authenticate(body), lambda _result: self._link is not None)

    def expect_restart(self) -> None:
        """See `Exchange`."""
        self._guard.forgive(_REFUSALS_AFTER_RESTART)

    def reset(self) -> None:
        """Drops the connection and its security context, without which the libraries never recover (wsman.md 2.3)."""
        link, self._link = self._link, None
        if link is not None:
            _closed(link)

    def close(self) -> None:
        """Drops the connection for good, and lets the process have its own ticket cache back."""
        self.reset()
        if self._settings.managed_kerberos and os.environ.get("KRB5CCNAME") != self._users_cache:
            if self._users_cache is None:
                del os.environ["KRB5CCNAME"]
            else:
                os.environ["KRB5CCNAME"] = self._users_cache

    @property
    def _candidates(self) -> tuple[str, ...]:
        return (self._chosen,) if self._chosen else self._settings.mechanisms

    def _password_is_used(self) -> bool:
        return any(self._settings.uses_password(mechanism) for mechanism in self._candidates)

    def _knock(self) -> None:
        """Looks whether anything listens before the account's lock is taken: a dead host must not hold up others."""
        settings = self._settings
        if settings.proxied:
            return
        try:
            socket.create_connection((settings.address, settings.port), timeout=settings.connect_timeout).close()
        except OSError as error:
            raise ConnectionLost(
                f"{settings.address}:{settings.port}: {error.strerror or error}", sent=False
            ) from error

    def _authenticate(self, body: bytes) -> tuple[int, bytes]:
        """Tries the mechanisms in turn, each with this real exchange; one that has worked stays."""
        refusals: list[AuthenticationRejected] = []
        for mechanism in self._candidates:
            link: Link | None = None
            try:
                link = _OPEN[self._settings.kind](Attempt(self._settings, self._host, mechanism))
                status, reply = link.send(body)
            except AuthenticationRejected as error:
                _closed(link)
                if error.credentials_presented:
                    raise
                refusals.append(error)
                continue
            except BaseException:
                _closed(link)
                raise
            if status in AUTHENTICATED:
                self._chosen, self._link = mechanism, link
            else:
                _closed(link)
            return status, reply
        raise self._none_works(refusals)

    def _none_works(self, refusals: list[AuthenticationRejected]) -> AuthenticationRejected:
        if len(refusals) == 1:
            return refusals[0]
        return AuthenticationRejected(
            self._host,
            "authentication",
            "; ".join(f"{error.subject}: {error.reason}" for error in refusals) or "no way to authenticate is set",
            refusals[0].remedy if refusals else f"Set {self._settings.kind.mechanism_variable}",
            credentials_presented=False,
        )


def _closed(link: Link | None) -> None:
    if link is None:
        return
    try:
        link.close()
    except Exception:
        # A session that can't be closed is dropped all the same; the next exchange makes a new one.
        return
