# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A session with a host's SMB server: signing required, encryption on, never a guest.

The account is shown to nobody before the server has agreed to encrypt. smbprotocol is imported when it is needed: most
tasks push nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    AuthenticationRejected,
    HostError,
    OperationFailed,
    TransferUnavailable,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.transfer import _smb_status as smb_status
from ansible_collections.entsso.password_sync.plugins.module_utils.transfer._transfer import Login
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._credentials import Credentials
from ansible_collections.entsso.password_sync.plugins.plugin_utils.transfer._smb_watchdog import Watchdog

CONNECT_TIMEOUT = 5.0
"""Seconds for the TCP connection: a port that a firewall silences must not hold every host up."""

SILENCE = 60.0
"""Seconds without any answer after which the connection counts as lost."""

_STREAM = "set transfer: stream"
_PREAUTHENTICATION = "preauthentication failed"
"""What MIT Kerberos says when the KDC found the password wrong (KRB5KDC_ERR_PREAUTH_FAILED)."""


@dataclass(frozen=True)
class Server:
    """Where to connect, and as whom.

    Attributes:
        host: The host's name in the inventory, for sentences.
        port: TCP port.
        share: Administrative share.
        credentials: The account.
        login: How it authenticates.
    """

    host: str
    port: int
    share: str
    credentials: Credentials
    login: Login

    @property
    def subject(self) -> str:
        """The server in sentences."""
        return rf"SMB share \\{self.credentials.host_name}\{self.share}"


class ConnectionCut(Exception):
    """The SMB connection broke; internal to the push, which starts again.

    Attributes:
        reason: What the network layer said.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Session:
    """An open session.

    Attributes:
        tree: The share (smbprotocol's TreeConnect).
        watchdog: Hears of every answer.
    """

    tree: Any
    watchdog: Watchdog


@contextmanager
def open_session(
    server: Server, guarded: Callable[[Callable[[], Any]], Any], *, silence: float = SILENCE
) -> Iterator[Session]:
    """Connects to a share, and disconnects.

    Args:
        server: Where to, and as whom.
        guarded: Runs what authenticates, so that a rejected account is tried nowhere else in this run.
        silence: Seconds without an answer after which the connection is given up.

    Raises:
        TransferUnavailable: SMB is not open here; the account was not refused.
        AuthenticationRejected: The server refused the account.
        ConnectionCut: The connection broke.
    """
    connection = _connected(server)
    # smbprotocol has no time limit for most of what it does; a socket that is shut down ends all of it.
    with Watchdog(connection.transport._sock, silence) as watchdog:
        try:
            with translated(server, watchdog):
                session = guarded(lambda: _authenticated(server, connection))
                watchdog.alive()
                tree = _share(server, session)
            yield Session(tree, watchdog)
        finally:
            _disconnect(connection)


@contextmanager
def translated(server: Server, watchdog: Watchdog) -> Iterator[None]:
    """Turns what the library raises when a connection breaks into `ConnectionCut`; refusals are told by the caller.

    Only here is it waited for answers, so only here the watchdog watches.
    """
    from smbprotocol.exceptions import SMBException, SMBResponseException

    try:
        with watchdog.watching():
            yield
    except SMBResponseException as error:
        if error.status in smb_status.LOST:
            raise ConnectionCut(f"the server dropped the session, {smb_status.number(error.status)}") from error
        raise OperationFailed(
            server.host,
            server.subject,
            f"the server answered {smb_status.number(error.status)}",
            f"Look the number up in Microsoft's list of NT status codes, or {_STREAM}",
            code=error.status,
        ) from error
    except (SMBException, OSError) as error:
        if watchdog.bitten:
            raise ConnectionCut("nothing was heard of the server for too long") from error
        raise ConnectionCut(_text(error)) from error


def _connected(server: Server) -> Any:
    """Connects and negotiates; nothing is told of the account."""
    try:
        from smbprotocol.connection import Connection
        from smbprotocol.exceptions import SMBException
    except ImportError as error:
        raise TransferUnavailable(
            server.host,
            server.subject,
            f"the Python library smbprotocol can't be loaded on the control node ({error})",
            f"Install it there, or {_STREAM}",
        ) from error
    where = f"{server.credentials.address}:{server.port}"
    connection = Connection(uuid.uuid4(), server.credentials.address, server.port, require_signing=True)
    try:
        connection.connect(timeout=CONNECT_TIMEOUT)
    except (SMBException, OSError, ValueError) as error:
        with suppress(Exception):
            connection.disconnect(close=False)
        # The library puts a ValueError around what the socket said.
        cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
        raise TransferUnavailable(
            server.host,
            server.subject,
            f"nothing speaks SMB on {where} ({_text(cause)})",
            f"Let the control node reach TCP port {server.port} of the host, or {_STREAM}",
        ) from error
    if not connection.supports_encryption:
        _disconnect(connection)
        raise TransferUnavailable(
            server.host,
            server.subject,
            f"the server on {where} does not offer encryption, which came with SMB 3.0",
            f"Switch SMB 3 on there, or {_STREAM}",
        )
    return connection


def _authenticated(server: Server, connection: Any) -> Any:
    from smbprotocol.exceptions import SMBAuthenticationError, SMBConnectionClosed, SMBException, SMBResponseException
    from smbprotocol.session import Session as SmbSession

    credentials, login = server.credentials, server.login
    session = SmbSession(
        connection,
        username=_user(credentials, login),
        password=credentials.password if login.with_password else None,
        require_encryption=True,
        hostname_override=credentials.host_name,
        auth_protocol=login.protocol,
    )
    subject = f"account {credentials.account or '(from the ticket cache)'}"
    try:
        session.connect()
    except SMBResponseException as error:
        meaning = smb_status.of_account(error.status)
        raise AuthenticationRejected(
            server.host,
            subject,
            f"the SMB server refused the account, which WinRM had let in ({smb_status.number(error.status)}): "
            f"{meaning.reason}",
            meaning.remedy,
            credentials_presented=error.status in smb_status.WRONG_PASSWORD,
        ) from None
    except (SMBConnectionClosed, OSError):
        raise
    except SMBAuthenticationError as error:
        raise _mechanism_failed(server, error) from None
    except SMBException as error:
        raise AuthenticationRejected(
            server.host,
            subject,
            f"the SMB server let nobody in but a guest, or can't encrypt ({_text(error)})",
            f"Correct the account, or {_STREAM}",
            credentials_presented=False,
        ) from None
    except Exception as error:
        # The Kerberos libraries raise errors of their own, which have no base in common.
        raise _mechanism_failed(server, error) from None
    return session


def _mechanism_failed(server: Server, error: Exception) -> HostError:
    """Tells what our own side of the authentication says. With a password it has asked the KDC, which counts them."""
    credentials, login = server.credentials, server.login
    if login.with_password:
        return AuthenticationRejected(
            server.host,
            f"account {credentials.account}",
            f"{login.protocol} with the password failed for SMB, which WinRM had let in ({_text(error)})",
            f"Use a ticket (kinit), or {_STREAM}",
            credentials_presented=_PREAUTHENTICATION in _text(error).lower(),
        )
    return TransferUnavailable(
        server.host,
        server.subject,
        f"there is no Kerberos ticket for it ({_text(error)})",
        f"Check the service principal name cifs/{credentials.host_name}, or {_STREAM}",
    )


def _user(credentials: Credentials, login: Login) -> Any:
    if login.with_password:
        return credentials.account
    if not credentials.ticket_cache:
        # The system's own cache. An account that is not spelled with its realm names no principal in it.
        return credentials.account if "@" in credentials.account else None
    import spnego

    # The connection's own cache and its own principal, which need not be spelled as ansible_user is.
    return spnego.KerberosCCache(credentials.ticket_cache)


def _share(server: Server, session: Any) -> Any:
    from smbprotocol.exceptions import SMBResponseException
    from smbprotocol.tree import TreeConnect

    tree = TreeConnect(session, rf"\\{server.credentials.host_name}\{server.share}")
    try:
        tree.connect()
    except SMBResponseException as error:
        if error.status in smb_status.LOST:
            raise
        meaning = smb_status.of_share(error.status)
        raise TransferUnavailable(
            server.host,
            server.subject,
            f"the server refused the share ({smb_status.number(error.status)}): {meaning.reason}",
            meaning.remedy,
        ) from None
    return tree


def _disconnect(connection: Any) -> None:
    """Ends a connection, politely where it still stands; an error here must not hide the one that led here."""
    with suppress(Exception):
        connection.disconnect(close=True, timeout=5)
    with suppress(Exception):
        connection.disconnect(close=False)


def _text(error: BaseException) -> str:
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(said.split()).rstrip(".")[:300] or type(error).__name__
