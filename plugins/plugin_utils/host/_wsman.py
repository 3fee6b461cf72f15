# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The WS-Management client: sends a request over an exchange, and repeats it only where that can do no harm."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, TypeVar

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    ConnectionLost,
    DeadlineExceeded,
    Excess,
    HostError,
    HostUnreachable,
    OutcomeUnknown,
    UnreadableOutput,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.codec import _cim as cim
from ansible_collections.entsso.password_sync.plugins.module_utils.codec import _soap as soap
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._computer_name import ExpectedMachine
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._fault_table import Recovery
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._http_status import (
    NEVER_BEGUN,
    NOT_NOW,
    status_error,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._deadline import Deadline
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._identity import Identity

T = TypeVar("T")


class Exchange(Protocol):
    """One authenticated way to a host's WS-Management service."""

    @property
    def authentication(self) -> str:
        """How the account got in: basic, certificate, credssp, kerberos or ntlm; empty before."""

    @property
    def encrypted(self) -> str:
        """What encrypts the messages: `message` (they are encrypted in themselves) or `TLS`; empty for nothing."""

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


REQUEST_DEADLINE = 180.0
"""Seconds after which a request is not sent once more. Each exchange has a limit of its own (`_answer_limit`)."""

_PAUSES = (1.0, 2.0, 4.0)
_UNAVAILABLE = "the WinRM service answered for {seconds:g} seconds that it is not available (HTTP {status})"
_COMPUTER = "SELECT CSName FROM Win32_OperatingSystem"


@dataclass(frozen=True)
class _Answer:
    """What came back.

    Attributes:
        status: HTTP status.
        reply: Body of the answer.
        sent: Whether the request may have reached the host; false where the handshake before it was answered so.
    """

    status: int
    reply: bytes
    sent: bool = True


class Wsman:
    """Sends requests to one host and hands back the XML of the answers, faults included.

    Attributes:
        host: The host's name in the inventory.
        statistics: What went over the wire so far.
        broken: Whether the last exchange brought no answer.
        identity: What is known of the machine behind the connection.
    """

    def __init__(
        self,
        exchange: Exchange,
        host: str,
        *,
        expected: ExpectedMachine | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.host = host
        self.statistics = Statistics()
        self.broken = False
        self.identity = Identity(host, expected or ExpectedMachine())
        self._exchange = exchange
        self._sleep = sleep
        self._clock = clock
        self._answered = False

    def deadline(self, seconds: float) -> Deadline:
        """Returns a deadline by this client's clock."""
        return Deadline(seconds, self._clock)

    def read(self, body: bytes, subject: str, repeat: Repeat = Repeat.READ, deadline: Deadline | None = None) -> bytes:
        """Sends a request that changes nothing.

        Args:
            body: The request.
            subject: The object it is about, for the sentences of errors.
            repeat: What to do when the connection breaks.
            deadline: When it is not sent once more; REQUEST_DEADLINE from now where none is given.

        Raises:
            ConnectionLost: The connection broke and `repeat` is NEVER.
            DeadlineExceeded: It was time to stop.
            HostError: See the kinds in `_errors`.
        """
        deadline = deadline or self.deadline(REQUEST_DEADLINE)
        for pause in (*_PAUSES, None):
            answer = self._recovered(body, subject, repeat, deadline)
            seen = f"HTTP status {answer.status}" if answer.status in NOT_NOW else self._transient_fault(answer)
            if not seen:
                return self._accepted(answer, subject)
            if pause is not None:
                self._wait(pause, subject, deadline, seen, reset=answer.status in NOT_NOW)
        if answer.status in NOT_NOW:
            raise self._unavailable(answer.status, subject)
        return answer.reply

    def write(self, body: bytes, subject: str) -> bytes:
        """Sends a request that changes something; it is repeated only where it certainly was not begun.

        That is so when the host could not decrypt it (HTTP 400 without a body), when nothing of it was sent, and after
        the statuses in NEVER_BEGUN. Whether a fault in the answer says that it may have run is told by `judged`.

        Raises:
            OutcomeUnknown: The answer was lost or says nothing.
            WrongMachine: Another machine than the inventory's would have been changed.
            HostError: See the kinds in `_errors`; nothing was changed.
        """
        self.prove()
        deadline = self.deadline(REQUEST_DEADLINE)
        for pause in (*_PAUSES, None):
            answer = self._recovered(body, subject, Repeat.WRITE, deadline)
            if answer.status not in NOT_NOW or (answer.sent and answer.status not in NEVER_BEGUN):
                break
            if pause is None:
                raise self._unavailable(answer.status, subject)
            self._wait(pause, subject, deadline, f"HTTP status {answer.status}", reset=True)
        if answer.status >= 500 and not _is_soap(answer.reply):
            raise self._unknown(subject, f"the answer was HTTP status {answer.status}")
        return self._accepted(answer, subject)

    def judged(self, subject: str, parse: Callable[[], T]) -> T:
        """Reads the answer to a write.

        Raises:
            OutcomeUnknown: It does not say whether the write ran, or says that a part of it may have.
            HostError: The host refused it.
        """
        try:
            return parse()
        except (DeadlineExceeded, UnreadableOutput) as error:
            raise self._unknown(subject, error.reason) from error
        except soap.FaultAnswer as error:
            if error.fault.may_have_run:
                raise self._unknown(subject, error.reason) from error
            raise

    def prove(self) -> None:
        """Sees to it that the machine is the right one, with a request only where nothing that was read has told.

        Raises:
            WrongMachine: It is another one.
            HostError: It could not be asked, or did not tell.
        """
        if self.identity.proved:
            return
        page = cim.parse_page(self.read(cim.enumerate_request(_COMPUTER), "computer name"), self.host, "computer name")
        for instance in page.items:
            self.identity.look(instance)
        if not self.identity.proved:
            raise soap.unreadable(self.host, "computer name", "the host did not tell its name")

    def excess_error(self, lost: ConnectionLost, subject: str) -> HostError:
        """Returns the error of an answer that was given up since it took too long or was too large."""
        if lost.excess is Excess.SIZE:
            return soap.unreadable(self.host, subject, lost.reason)
        return DeadlineExceeded(
            self.host, subject, lost.reason, "Look what keeps the host or the network to it busy, and run again"
        )

    def expect_restart(self) -> None:
        """See `Exchange.expect_restart`."""
        self._exchange.expect_restart()

    def reset(self) -> None:
        """Drops the connection; the next request opens a new one, behind which may be another machine."""
        self.identity.forget()
        self._exchange.reset()

    def close(self) -> None:
        """Drops the connection for good."""
        self._exchange.close()

    def _recovered(self, body: bytes, subject: str, repeat: Repeat, deadline: Deadline) -> _Answer:
        """Exchanges once, and once more after a lost keep-alive connection.

        Such a connection shows as HTTP 400 without a body: the client library authenticated anew and sent what it had
        sealed with the old key, so nothing was executed (wsman.md 2.3).
        """
        seen = ""
        for last in (False, True):
            if seen and deadline.passed:
                raise deadline.error(self.host, subject, "an answer", seen)
            try:
                status, reply = self._counted(body)
            except ConnectionLost as lost:
                self.reset()
                if lost.status:
                    return _Answer(lost.status, b"", sent=False)
                if not lost.sent:
                    raise self._unreachable(lost.reason) from lost
                if repeat is Repeat.NEVER:
                    raise
                if lost.excess is not None and repeat is Repeat.READ:
                    # Asked again, it would only answer so again.
                    raise self.excess_error(lost, subject) from lost
                if repeat is Repeat.WRITE:
                    raise self._unknown(
                        subject, f"the connection broke before the answer came ({lost.reason})"
                    ) from lost
                if last:
                    raise self._unreachable(lost.reason) from lost
                seen = f"a broken connection ({lost.reason})"
                continue
            if status != 400 or reply:
                return _Answer(status, reply)
            self.reset()
            seen = "HTTP status 400"
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

    def _wait(self, pause: float, subject: str, deadline: Deadline, seen: str, *, reset: bool) -> None:
        if deadline.left <= pause:
            raise deadline.error(self.host, subject, "an answer", seen)
        if reset:
            self.reset()
        self._sleep(pause)

    def _transient_fault(self, answer: _Answer) -> str:
        """Returns what the host said where asking again can help; empty for all other answers."""
        if answer.status != 500 or (fault := soap.fault_of(answer.reply)) is None:
            return ""
        self.identity.confirm(fault.machines)
        return fault.said if fault.recovery is Recovery.WAIT else ""

    def _accepted(self, answer: _Answer, subject: str) -> bytes:
        if _is_soap(answer.reply):
            self._answered = True
        elif answer.status != 200 or not self._answered:
            raise status_error(answer.status, self.host, subject, answered=self._answered)
        return answer.reply

    def _unreachable(self, reason: str) -> HostError:
        return HostUnreachable(
            self.host,
            "WinRM",
            f"the host can't be reached ({reason})",
            "Check that the host is up, that its WinRM listener is on this port, and that no firewall is between",
        )

    def _unavailable(self, status: int, subject: str) -> HostError:
        return HostUnreachable(
            self.host,
            subject,
            _UNAVAILABLE.format(seconds=sum(_PAUSES), status=status),
            "Start the WinRM service on the host, or wait until the host has started",
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
