# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An exchange over pywinrm, which does authentication, message encryption and HTTP."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from typing import Any, cast

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    AuthenticationRejected,
    ConnectionLost,
    HostUnreachable,
    NotWindows,
    UnsupportedConnection,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils._authentication_guard import AuthenticationGuard
from ansible_collections.entsso.password_sync.plugins.plugin_utils._connection import WinrmSettings
from ansible_collections.entsso.password_sync.plugins.plugin_utils._winrm_failure import failure

_CONNECT_TIMEOUT = 30
_REFUSALS_AFTER_RESTART = 2
"""Fewer than the lockout thresholds in use; each is followed by a long pause (`_restart.py`)."""
_READ_TIMEOUT = 75
"""Above the operation time-out that every request names (60 seconds), so that the host answers first."""

_AUTHENTICATED = (200, 500)
_KINIT_REJECTED = ("password incorrect", "preauthentication failed", "revoked", "password has expired")

NewProtocol = Callable[..., Any]


class WinrmExchange:
    """Exchanges with one host over pywinrm. Nothing is sent before the first exchange.

    Not for use by several threads: the security context counts messages (wsman.md 2.4).
    """

    def __init__(
        self, settings: WinrmSettings, host: str, guard: AuthenticationGuard, *, protocol: NewProtocol | None = None
    ) -> None:
        self._settings = settings
        self._host = host
        self._guard = guard
        self._protocol = protocol or _pywinrm(host)
        self._chosen: str | None = None
        self._transport: Any = None
        self._seal = _SealWatch()
        self._authenticated = False

    def exchange(self, body: bytes) -> tuple[int, bytes]:
        """Sends one request; see `Exchange`."""
        if self._authenticated:
            try:
                return self._sent(body)
            except AuthenticationRejected as error:
                # The client library authenticated anew on its own, and the password is no longer right.
                if error.credentials_presented and self._password_is_used():
                    self._guard.reject(self._host)
                raise
        if not self._password_is_used():
            return self._authenticate(body)
        if not self._guard.check(self._host):
            self._knock()
        return self._guard.attempt(self._host, lambda: self._authenticate(body), lambda _result: self._authenticated)

    def expect_restart(self) -> None:
        """See `Exchange`."""
        self._guard.forgive(_REFUSALS_AFTER_RESTART)

    def reset(self) -> None:
        """Drops the connection and its security context, without which pywinrm never recovers (wsman.md 2.3)."""
        self._authenticated = False
        transport, self._transport = self._transport, None
        if transport is not None:
            try:
                transport.close_session()
            except Exception:
                # A session that can't be closed is dropped all the same; the next exchange makes a new one.
                return

    def close(self) -> None:
        """Drops the connection for good."""
        self.reset()

    def _password_is_used(self) -> bool:
        if not self._settings.account:
            return False
        transports = (self._chosen,) if self._chosen else self._settings.transports
        return self._settings.managed_kerberos or any(
            transport not in ("kerberos", "certificate") for transport in transports
        )

    def _knock(self) -> None:
        """Looks whether anything listens before the account's lock is taken: a dead host must not hold up others."""
        if self._proxied():
            return
        timeout = self._settings.connect_timeout or _CONNECT_TIMEOUT
        try:
            socket.create_connection((self._settings.address, self._settings.port), timeout=timeout).close()
        except OSError as error:
            raise ConnectionLost(
                f"{self._settings.address}:{self._settings.port}: {error.strerror or error}", sent=False
            ) from error

    def _proxied(self) -> bool:
        from requests.utils import get_environ_proxies

        proxy = self._settings.arguments.get("proxy", "legacy_requests")
        if proxy == "legacy_requests":
            return bool(get_environ_proxies(self._settings.endpoint))
        return proxy is not None

    def _authenticate(self, body: bytes) -> tuple[int, bytes]:
        """Tries the transports in turn, each with this real exchange; one that has worked stays."""
        refusals: list[AuthenticationRejected] = []
        for name in (self._chosen,) if self._chosen else self._settings.transports:
            try:
                self._transport = self._opened(name)
                status, reply = self._sent(body)
            except _HttpStatus as refused:
                self.reset()
                return refused.status, refused.body
            except AuthenticationRejected as error:
                self.reset()
                if error.credentials_presented:
                    raise
                refusals.append(error)
                continue
            except BaseException:
                self.reset()
                raise
            self._authenticated = status in _AUTHENTICATED
            if self._authenticated:
                self._chosen = name
            else:
                self.reset()
            return status, reply
        raise AuthenticationRejected(
            self._host,
            "authentication",
            "; ".join(error.reason for error in refusals) or "no transport is set",
            refusals[-1].remedy if refusals else "Set ansible_winrm_transport",
            credentials_presented=False,
        )

    def _opened(self, name: str) -> Any:
        """Opens a transport: the handshake, where the encryption needs one, and nothing of ours."""
        from winrm.exceptions import WinRMTransportError

        if name == "kerberos" and self._settings.managed_kerberos:
            self._get_ticket()
        arguments = dict(self._settings.arguments)
        read = max(_READ_TIMEOUT, _seconds(arguments.pop("read_timeout_sec", None)))
        arguments.pop("operation_timeout_sec", None)
        try:
            transport = self._protocol(self._settings.endpoint, transport=name, **arguments).transport
        except Exception as error:
            raise UnsupportedConnection(
                self._host, f"transport {name}", f"pywinrm does not take the settings ({error})", "Correct them"
            ) from error
        transport.read_timeout_sec = (self._settings.connect_timeout or _CONNECT_TIMEOUT, read)
        try:
            session = transport.build_session()
        except WinRMTransportError as error:
            raise _HttpStatus(int(error.code), str(error.response_text).encode()) from error
        except Exception as error:
            raise failure(error, self._host, self._settings, name, sent=False) from error
        # pywinrm has taken over what the environment says (proxies, CA bundle); looking there again with every request
        # takes a fifth of the controller's time.
        session.trust_env = False
        if transport.encryption is not None:
            if name == "ntlm" and getattr(session.auth, "session_security", None) is None:
                raise NotWindows(
                    self._host,
                    "",
                    "what answers does not ask who is there, as no WinRM service does",
                    "Check ansible_host, ansible_port and ansible_winrm_path",
                )
            self._seal = _SealWatch()
            session.hooks["response"].append(self._seal)
        return transport

    def _get_ticket(self) -> None:
        from ansible.errors import AnsibleError

        try:
            self._settings.get_ticket()
        except AnsibleError as error:
            text = str(error)
            raise AuthenticationRejected(
                self._host,
                f"account {self._settings.account}",
                f"there is no Kerberos ticket ({text})",
                "Check the account, the realm in krb5.conf and that a KDC can be reached",
                credentials_presented=any(word in text.lower() for word in _KINIT_REJECTED),
            ) from error

    def _sent(self, body: bytes) -> tuple[int, bytes]:
        from winrm.exceptions import WinRMTransportError

        self._seal.broken = False
        try:
            return 200, self._transport.send_message(body)
        except WinRMTransportError as error:
            status = int(error.code)
            return status, b"" if self._seal.broken else str(error.response_text).encode()
        except _NotSealed as error:
            self.reset()
            raise HostUnreachable(
                self._host,
                "WinRM",
                "an answer came without the encryption that was agreed on, and was not used",
                "Find out what is between the control node and the host",
            ) from error
        except Exception as error:
            transport = self._chosen or self._transport.auth_method
            self.reset()
            raise failure(error, self._host, self._settings, transport, sent=True) from error


class _HttpStatus(Exception):
    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


class _NotSealed(Exception):
    pass


class _SealWatch:
    """Watches answers where message encryption was agreed on: pywinrm takes a clear one as well, and we don't.

    Attributes:
        broken: Whether the last answer had a clear body with a status that never carries a result.
    """

    def __init__(self) -> None:
        self.broken = False

    def __call__(self, response: Any, *_args: Any, **_kwargs: Any) -> None:
        sealed = "-session-encrypted" in response.headers.get("Content-Type", "")
        if sealed or response.status_code in (401, 407) or not response.content:
            return
        if response.status_code in _AUTHENTICATED:
            raise _NotSealed
        self.broken = True


def _pywinrm(host: str) -> NewProtocol:
    try:
        from winrm.protocol import Protocol
    except ImportError as error:
        raise UnsupportedConnection(
            host,
            "connection",
            f"the Python that runs Ansible ({sys.executable}) has no pywinrm ({error})",
            "Install pywinrm 0.5.0 or later for it",
        ) from error
    return cast(NewProtocol, Protocol)


def _seconds(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        return 0
