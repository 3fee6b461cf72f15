# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One HTTP session of a client library with a host: what pywinrm and pypsrp have in common for us."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._connection_settings import (
    ConnectionSettings,
)

AUTHENTICATED = (200, 500)
"""The HTTP statuses that a host answers with only after it has let the account in."""


@dataclass(frozen=True)
class Attempt:
    """One way to get in.

    Attributes:
        settings: How the host is reached.
        host: The host's name in the inventory.
        mechanism: The client library's name of how to authenticate.
    """

    settings: ConnectionSettings
    host: str
    mechanism: str

    @property
    def seals(self) -> bool:
        """Whether messages are to be encrypted in themselves."""
        return self.settings.seals(self.mechanism)


class Link(Protocol):
    """One session, which authenticates with its first message or before it."""

    def send(self, body: bytes) -> tuple[int, bytes]:
        """Sends one request and returns the HTTP status and the XML of the answer, empty where it can't be trusted.

        Raises:
            ConnectionLost: The exchange broke.
            HostError: There is no talking to the host with these settings.
        """

    def close(self) -> None:
        """Ends the session."""


class NotSealed(Exception):
    """An answer was not encrypted although that was agreed on."""


class AnswerWatch:
    """Watches the answers of a session: the libraries take a clear one where encryption was agreed on, and we don't.

    Attributes:
        status: HTTP status of the last answer, those within a handshake included; 0 when none has come since `begin`.
        untrusted: Whether the last answer had a clear body where an encrypted one was due.
    """

    def __init__(self, *, seals: bool) -> None:
        self._seals = seals
        self.status = 0
        self.untrusted = False

    @property
    def answered(self) -> bool:
        """Whether an answer has come to what was sent last, so that it may have been executed."""
        return self.status not in (0, 401, 407)

    def attach(self, session: Any) -> None:
        """Watches a session of requests: whole answers by its hook, single ones where it sends."""
        session.hooks["response"].append(self._judge)
        for adapter in session.adapters.values():
            adapter.send = functools.partial(self._sent, adapter.send)

    def begin(self) -> None:
        """Says that the next request is about to be sent."""
        self.status = 0
        self.untrusted = False

    def _sent(self, send: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        self.status = 0
        response = send(*arguments, **named)
        self.status = response.status_code
        return response

    def _judge(self, response: Any, *_args: Any, **_kwargs: Any) -> None:
        sealed = "-session-encrypted" in response.headers.get("Content-Type", "")
        if not self._seals or sealed or response.status_code in (401, 407) or not response.content:
            return
        if response.status_code in AUTHENTICATED:
            raise NotSealed
        self.untrusted = True
