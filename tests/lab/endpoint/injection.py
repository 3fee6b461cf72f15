# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults that a test asks an endpoint to show."""

from __future__ import annotations

import enum
import threading
from dataclasses import dataclass


class Stage(enum.Enum):
    """Where in the handling of a request a fault acts."""

    REQUEST = "any HTTP request, before authentication"
    MESSAGE = "a WS-Management message, before it is handled"
    ANSWER = "a WS-Management message that was handled, before its answer is sent"


class Kind(enum.Enum):
    """What happens."""

    DROP = "the connection is aborted"
    CLOSE = "the answer is sent, then the kept connection is closed"
    STATUS = "an HTTP status without a WS-Management body"
    DELAY = "the message waits"
    FAULT = "a WS-Management fault and nothing is done"
    FOREIGN = "an HTTP server that isn't Windows answers"


@dataclass
class Rule:
    """One fault and the messages that it hits."""

    stage: Stage
    kind: Kind
    skip: int
    times: int | None
    action: str = ""
    status: int = 0
    seconds: float = 0.0
    code: int = 0
    message: str = ""


class FaultInjection:
    """The faults of one endpoint; safe to change from a test while the endpoint runs.

    ``nth`` counts from now, 1 is the next one that matches; ``times`` None means for ever; ``action`` is the end of the
    wsa:Action, such as ``/Get`` or ``StdRegProv/GetStringValue``, empty matches all.
    """

    def __init__(self) -> None:
        """Start without faults."""
        self._lock = threading.Lock()
        self._rules: list[Rule] = []

    def drop_before(self, nth: int = 1, *, times: int | None = 1, action: str = "") -> None:
        """Abort the connection before a message is handled: it had no effect."""
        self._add(Rule(Stage.MESSAGE, Kind.DROP, nth - 1, times, action))

    def drop_after(self, nth: int = 1, *, times: int | None = 1, action: str = "") -> None:
        """Abort the connection after a message was handled: it had its effect, the client can't know."""
        self._add(Rule(Stage.ANSWER, Kind.DROP, nth - 1, times, action))

    def close_after(self, nth: int = 1, *, times: int | None = 1, action: str = "") -> None:
        """Answer a message, then close the kept connection without notice, as an idle time-out does."""
        self._add(Rule(Stage.ANSWER, Kind.CLOSE, nth - 1, times, action))

    def answer_status(self, status: int = 503, nth: int = 1, *, times: int | None = 1) -> None:
        """Answer an HTTP request with a status: 503 is a WinRM service that is starting (wsman.md 1.9)."""
        self._add(Rule(Stage.REQUEST, Kind.STATUS, nth - 1, times, status=status))

    def delay(self, seconds: float, nth: int = 1, *, times: int | None = 1, action: str = "") -> None:
        """Let a message wait before it is handled."""
        self._add(Rule(Stage.MESSAGE, Kind.DELAY, nth - 1, times, action, seconds=seconds))

    def fault(self, code: int, message: str, nth: int = 1, *, times: int | None = 1, action: str = "") -> None:
        """Answer a message with a WS-Management fault; it has no effect."""
        self._add(Rule(Stage.MESSAGE, Kind.FAULT, nth - 1, times, action, code=code, message=message))

    def foreign_server(self, status: int = 200, *, times: int | None = None) -> None:
        """Answer every HTTP request as some web server would that knows nothing of WS-Management."""
        self._add(Rule(Stage.REQUEST, Kind.FOREIGN, 0, times, status=status))

    def clear(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._rules.clear()

    @property
    def pending(self) -> int:
        """How many faults have not been used up."""
        with self._lock:
            return len(self._rules)

    def take(self, stage: Stage, action: str = "") -> list[Rule]:
        """Return the rules that hit now, and count the hit (called by the endpoint)."""
        if not self._rules:
            return []
        hits: list[Rule] = []
        with self._lock:
            for rule in list(self._rules):
                if rule.stage is not stage or not action.endswith(rule.action):
                    continue
                if rule.skip:
                    rule.skip -= 1
                    continue
                hits.append(rule)
                if rule.times is not None:
                    rule.times -= 1
                    if rule.times <= 0:
                        self._rules.remove(rule)
        return hits

    def _add(self, rule: Rule) -> None:
        if rule.skip < 0 or (rule.times is not None and rule.times < 1):
            raise ValueError("nth and times count from 1")
        with self._lock:
            self._rules.append(rule)
