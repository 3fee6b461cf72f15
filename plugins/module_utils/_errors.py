# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong between the control node and a host, each as one kind of error with two sentences for people."""

from __future__ import annotations


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


class WsmanFault(HostError):
    """The host answered with a WS-Management fault that has no kind of its own.

    Attributes:
        code: The number Windows gave, unsigned; None when the fault has none.
        subcode: The SOAP subcode without its prefix, for example `CannotProcessFilter`; may be empty.
        message: The host's own text, in the host's language.
    """

    def __init__(self, host: str, subject: str, code: int | None, subcode: str, message: str) -> None:
        number = f"fault {code} (0x{code:08X})" if code is not None else "a fault without a number"
        text = " ".join(message.split()).rstrip(".")
        super().__init__(
            host,
            subject,
            f"the host answered {number}{', ' + subcode if subcode else ''}: {text or 'no text'}",
            "Look the number up in Microsoft's WinRM and WMI error lists and mend its cause on the host",
        )
        self.code = code
        self.subcode = subcode
        self.message = message


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


class ConnectionLost(Exception):
    """An exchange broke before its answer came. Internal to host access: it never reaches a user.

    Attributes:
        reason: What the network layer said.
        sent: False only when it is certain that the request never reached the host.
    """

    def __init__(self, reason: str, *, sent: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sent = sent
