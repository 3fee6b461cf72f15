# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The WS-Management client: sends a request over an exchange, and repeats it only where that can do no harm."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    AccessDenied,
    AuthenticationRejected,
    ConnectionLost,
    HostError,
    HostUnreachable,
    NotWindows,
    OperationFailed,
    OutcomeUnknown,
)


class Exchange(Protocol):
    """One authenticated way to a host's WS-Management service."""

    def exchange(self, body: bytes) -> tuple[int, bytes]:
        """Sends one request and returns the HTTP status and the XML of the answer.

        Raises:
            ConnectionLost: The exchange broke.
            HostError: There is no talking to the host with these settings.
        """

    def expect_restart(self) -> None:
        """Says that the host is about to restart: while it starts it may refuse an account that is right."""

    def reset(self) -> None:
        """Drops the connection; the next exchange opens a new one."""

    def close(self) -> None:
        """Drops the connection for good."""


class Repeat(Enum):
    """What may be done when the answer to a request was lost.

    READ: Send it again; it changes nothing.
    NEVER: Say so to the caller, who knows how to go on (`ConnectionLost`).
    WRITE: It may have run: the outcome is unknown.
    """

    READ = "read"
    NEVER = "never"
    WRITE = "write"


@dataclass
class Statistics:
    """What went over the wire after authentication.

    Attributes:
        requests: Number of exchanges, repeated ones included.
        bytes_sent: Bytes of request XML, before encryption.
        bytes_received: Bytes of answer XML, after decryption.
    """

    requests: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0


_STARTING = 503
_PAUSES = (1.0, 2.0, 4.0)


class Wsman:
    """Sends requests to one host and hands back the XML of the answers, faults included.

    Attributes:
        host: The host's name in the inventory.
        statistics: What went over the wire so far.
        broken: Whether the last exchange brought no answer.
    """

    def __init__(self, exchange: Exchange, host: str, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self.host = host
        self.statistics = Statistics()
        self.broken = False
        self._exchange = exchange
        self._sleep = sleep
        self._answered = False

    def read(self, body: bytes, subject: str, repeat: Repeat = Repeat.READ) -> bytes:
        """Sends a request that changes nothing.

        Args:
            body: The request.
            subject: The object it is about, for the sentences of errors.
            repeat: What to do when the connection breaks.

        Raises:
            ConnectionLost: The connection broke and `repeat` is NEVER.
            HostError: See the kinds in `_errors`.
        """
        for pause in (*_PAUSES, None):
            status, reply = self._recovered(body, subject, repeat)
            if status != _STARTING:
                return self._accepted(status, reply, subject)
            if pause is not None:
                self._exchange.reset()
                self._sleep(pause)
        raise HostUnreachable(
            self.host,
            subject,
            "the WinRM service answered for 7 seconds that it is not available (HTTP 503)",
            "Start the WinRM service on the host, or wait until the host has started",
        )

    def write(self, body: bytes, subject: str) -> bytes:
        """Sends a request that changes something; it is repeated only after the host said it could not read it.

        Raises:
            OutcomeUnknown: The answer was lost or says nothing.
            HostError: See the kinds in `_errors`.
        """
        status, reply = self._recovered(body, subject, Repeat.WRITE)
        if status >= 500 and not _is_soap(reply):
            raise self._unknown(subject, f"the answer was HTTP status {status}")
        return self._accepted(status, reply, subject)

    def expect_restart(self) -> None:
        """See `Exchange.expect_restart`."""
        self._exchange.expect_restart()

    def reset(self) -> None:
        """Drops the connection; the next request opens a new one."""
        self._exchange.reset()

    def close(self) -> None:
        """Drops the connection for good."""
        self._exchange.close()

    def _recovered(self, body: bytes, subject: str, repeat: Repeat) -> tuple[int, bytes]:
        """Exchanges once, and once more after a lost keep-alive connection.

        Such a connection shows as HTTP 400 without a body: the client library authenticated anew and sent what it had
        sealed with the old key, so nothing was executed (wsman.md 2.3).
        """
        for last in (False, True):
            try:
                status, reply = self._counted(body)
            except ConnectionLost as lost:
                self._exchange.reset()
                if not lost.sent:
                    raise self._unreachable(lost.reason) from lost
                if repeat is Repeat.NEVER:
                    raise
                if repeat is Repeat.WRITE:
                    raise self._unknown(
                        subject, f"the connection broke before the answer came ({lost.reason})"
                    ) from lost
                if last:
                    raise self._unreachable(lost.reason) from lost
                continue
            if status != 400 or reply:
                return status, reply
            self._exchange.reset()
        raise HostUnreachable(
            self.host,
            subject,
            "the WinRM service answered twice that it can't read the request (HTTP 400)",
            "Set ansible_winrm_message_encryption to the host's setting, and look for a proxy on the way to the host",
        )

    def _counted(self, body: bytes) -> tuple[int, bytes]:
        self.broken = True
        try:
            status, reply = self._exchange.exchange(body)
        except ConnectionLost as lost:
            if lost.sent:
                self._count(body, b"")
            raise
        self.broken = False
        self._count(body, reply)
        return status, reply

    def _count(self, body: bytes, reply: bytes) -> None:
        self.statistics.requests += 1
        self.statistics.bytes_sent += len(body)
        self.statistics.bytes_received += len(reply)

    def _accepted(self, status: int, reply: bytes, subject: str) -> bytes:
        if _is_soap(reply):
            self._answered = True
            return reply
        if status == 401:
            raise AuthenticationRejected(
                self.host, subject, "the host rejected the account", "Check the account's name and password"
            )
        if status == 403:
            raise AccessDenied(
                self.host,
                subject,
                "the WinRM service answered HTTP 403",
                "Give the account the right to use WinRM on the host",
            )
        if status == 413:
            raise OperationFailed(
                self.host,
                subject,
                "the request is larger than the host takes (HTTP 413)",
                "Raise MaxEnvelopeSizekb on the host to its default of 500",
                code=status,
            )
        if status == 200 and self._answered:
            return reply
        raise NotWindows(
            self.host,
            "" if not self._answered else subject,
            f"what answers is no WinRM service (HTTP status {status}, no SOAP)",
            "Check ansible_host, ansible_port and ansible_winrm_path",
        )

    def _unreachable(self, reason: str) -> HostError:
        return HostUnreachable(
            self.host,
            "WinRM",
            f"the host can't be reached ({reason})",
            "Check that the host is up, that its WinRM listener is on this port, and that no firewall is between",
        )

    def _unknown(self, subject: str, reason: str) -> OutcomeUnknown:
        return OutcomeUnknown(
            self.host,
            subject,
            f"it is not known whether the change took place, since {reason}",
            "Run again: the next run looks at the host first and goes on from there",
        )


def _is_soap(reply: bytes) -> bool:
    """Whether an answer looks like a SOAP envelope in UTF-8 or UTF-16; the codecs look closer."""
    head = reply[:1024]
    return b"Envelope" in head or "Envelope".encode("utf-16-le") in head or "Envelope".encode("utf-16-be") in head
