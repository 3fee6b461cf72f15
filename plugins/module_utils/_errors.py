# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong between the control node and a host, each as one kind of error with two sentences for people."""

from __future__ import annotations

from enum import Enum


class HostError(Exception):
    """Something that was wanted of a host did not happen.

    `str()` is two sentences: what is the case with which object on which host, and what to do.

    Attributes:
        host: The host's name in the inventory; empty until a layer that knows it fills it in.
        subject: The object that was read or changed, for example `service PCNSSVC`.
        reason: What is the case, a clause without a full stop.
        remedy: What to do, one sentence.
    """

    def __init__(self, host: str, subject: str, reason: str, remedy: str) -> None:
        super().__init__(host, subject, reason, remedy)
        self.host = host
        self.subject = subject
        self.reason = reason
        self.remedy = remedy

    def __str__(self) -> str:
        where = " on ".join(part for part in (self.subject, self.host) if part)
        reason = self.reason.strip().rstrip(".")
        remedy = self.remedy.strip().rstrip(".")
        return f"{where}: {reason}. {remedy}." if where else f"{reason}. {remedy}."


class HostUnreachable(HostError):
    """No WinRM service could be talked to: no route, refused, timed out, or its certificate isn't trusted."""


class AuthenticationRejected(HostError):
    """The host did not let the account in.

    Attributes:
        credentials_presented: Whether the account's credentials were shown to the host and refused. False when the
            host never got that far (it does not offer the method), which says nothing about the password.
    """

    def __init__(
        self, host: str, subject: str, reason: str, remedy: str, *, credentials_presented: bool = True
    ) -> None:
        super().__init__(host, subject, reason, remedy)
        self.credentials_presented = credentials_presented


class NotWindows(HostError):
    """Something answers at the address and it is no WS-Management service."""


class AccessDenied(HostError):
    """The account is known to the host and may not do this."""


class WrongMachine(HostError):
    """The machine that answers is another one than the inventory names; nothing was changed on it."""


class WsmanFault(HostError):
    """The host answered with a WS-Management fault that has no kind of its own.

    Attributes:
        code: The number Windows gave, unsigned; None when the fault has none.
        subcode: The SOAP subcode without its prefix, for example `CannotProcessFilter`; may be empty.
        message: The host's own text, in the host's language.
    """

    code: int | None = None
    subcode: str = ""
    message: str = ""


class QuotaExceeded(WsmanFault):
    """A quota of the WinRM service is used up; the request was not begun."""


class EnvelopeTooLarge(WsmanFault):
    """A message is larger than the host sends or takes."""


class OperationFailed(HostError):
    """Windows understood the operation and refused it with a return value or an exit code.

    Attributes:
        code: The return value or exit code.
    """

    def __init__(self, host: str, subject: str, reason: str, remedy: str, *, code: int | None = None) -> None:
        super().__init__(host, subject, reason, remedy)
        self.code = code


class DeadlineExceeded(HostError):
    """A wait came to its deadline; the sentence says what was waited for, how long, and the last thing seen."""


class OutcomeUnknown(HostError):
    """A change was sent and it is not known whether it took place; the next run observes and converges."""


class UnreadableOutput(HostError):
    """An answer came and can't be understood; never taken as empty or absent."""


class UnsupportedConnection(HostError):
    """The inventory's connection settings can't be used; the sentence says what to set."""


class Unquotable(HostError):
    """A value can't be put on a Windows command line without changing its meaning."""


class TransferUnavailable(HostError):
    """A way of bringing a file to the host is not open; the account was not refused, and nothing was transferred."""


class DirectoryError(HostError):
    """The directory refused an LDAP operation, or what it holds is not what was expected.

    Attributes:
        code: LDAP result code (RFC 4511 4.1.9); None when the directory gave none.
    """

    def __init__(self, host: str, subject: str, reason: str, remedy: str, *, code: int | None = None) -> None:
        super().__init__(host, subject, reason, remedy)
        self.code = code


class DirectoryUnreachable(DirectoryError):
    """No domain controller could be talked to over LDAP: not found, no route, refused, silent, or not trusted."""


class DirectoryReferral(DirectoryError):
    """The domain controller does not hold what was asked for, and names others.

    Attributes:
        uris: The LDAP URIs that it named.
    """

    def __init__(self, host: str, subject: str, reason: str, remedy: str, *, uris: tuple[str, ...]) -> None:
        super().__init__(host, subject, reason, remedy, code=10)
        self.uris = uris


class Excess(Enum):
    """What an answer had too much of."""

    TIME = "time"
    SIZE = "size"


class ConnectionLost(Exception):
    """An exchange broke before its answer came. Internal to host access: it never reaches a user.

    Attributes:
        reason: What the network layer said.
        sent: False only when it is certain that the request never reached the host.
        status: The HTTP status with which the host answered before the request was sent; 0 where it did not answer.
        excess: What the answer had too much of, where that is why it was given up.
    """

    def __init__(self, reason: str, *, sent: bool = True, status: int = 0, excess: Excess | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sent = sent
        self.status = status
        self.excess = excess
