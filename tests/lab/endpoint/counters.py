# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one endpoint has seen and done, for tests and benchmarks."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Logon:
    """Who logged on, and how.

    Attributes:
        account: The account as the machine knows it.
        scheme: Of HTTP, in lower case; ``certificate`` for one that TLS showed.
        mechanism: ``kerberos`` or ``ntlm`` inside of a scheme that negotiates, else the scheme.
    """

    account: str
    scheme: str
    mechanism: str


@dataclass
class Statistics:
    """Counters of one endpoint, written by its event loop only; bytes are those of HTTP, headers included."""

    connections: int = 0
    http_requests: int = 0
    bytes_received: int = 0
    bytes_sent: int = 0
    logons: int = 0
    rejected_logons: int = 0
    requests: int = 0
    """WS-Management messages handled: authenticated, decrypted and given to the service."""
    message_bytes_received: int = 0
    """Size of those messages as XML."""
    message_bytes_sent: int = 0
    faults: int = 0
    processes_started: int = 0
    actions: list[str] = field(default_factory=list, repr=False)
    """The wsa:Action of every message, in order."""

    who: list[Logon] = field(default_factory=list, repr=False)
    """Every logon, in order."""

    def reset(self) -> None:
        """Set every counter back to the beginning."""
        self.__init__()  # type: ignore[misc]
