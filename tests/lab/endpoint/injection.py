# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults that a test asks an endpoint to show."""

from __future__ import annotations

import enum
import threading
from collections.abc import Callable
from dataclasses import dataclass

from .wsman_fault import WsmanFaultError


class Stage(enum.Enum):
    """Where in the handling of a request a fault acts."""

    RECEIVING = "an HTTP request whose body has begun to arrive"
    REQUEST = "any HTTP request, before authentication"
    MESSAGE = "a WS-Management message, before it is handled"
    ANSWER = "a WS-Management message that was handled, before its answer is sent"


class Kind(enum.Enum):
    """What happens."""

    DROP = "the connection is aborted"
    CLOSE = "the answer is sent, then the kept connection is closed"
    CUT = "half of it goes over the wire, then the connection is aborted"
    TRICKLE = "the answer is sent byte by byte"
    FORGET = "the connection is no longer logged on"
    STATUS = "an HTTP status without a WS-Management body"
    DELAY = "the message waits"
    FAULT = "a WS-Management fault and nothing is done"
    REPLY = "an answer that the test wrote"
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
    error: WsmanFaultError | None = None
    content: bytes = b""


class FaultInjection:
    """The faults of one endpoint; safe to change from a test while the endpoint runs.

    ``nth`` counts from now, 1 is the next one that matches; ``times`` None means for ever; ``action`` is the end of the
    wsa:Action, such as ``/Get`` or ``StdRegProv/GetStringValue``, empty matches all.
    """

    def __init__(self) -> None:
        """Start without faults."""
        self.when_handled: Callable[[], None] | None = None
        """Called after each message that was handled, before a fault acts on its answer and before it is sent."""
        self._lock = threading.Lock()
        self._rules: list[Rule] = []

    def drop_before(self, nth: int = 1, *, times: int | None = 1, action: str = "") -> None:
        """Abort the connection before a message is handled: it had no effect."""
        self._add(Rule(Stage.MESSAGE, Kind.DROP, nth - 1, times, action))

    def drop_after(self, nth: int = 1, *, times: int | None = 1, action: str = "") -> None:
        """Abort the connection after a message was handled: it had its effect, the client can't know."""
        self._add(Rule(Stage.ANSWER, Kind.DROP, nth - 1, times, action))

    def cut_request(self, nth: int = 1, *, times: int | None = 1) -> None:
        """Abort the connection when half of a request's body has arrived: it had no effect."""
        self._add(Rule(Stage.RECEIVING, Kind.CUT, nth - 1, times))

    def cut_answer(self, nth: int = 1, *, times: int | None = 1, action: str = "") -> None:
        """Abort the connection in the middle of an answer: the message had its effect, the client can't know."""
        self._add(Rule(Stage.ANSWER, Kind.CUT, nth - 1, times, action))

    def trickle(self, seconds: float, nth: int = 1, *, times: int | None = 1, action: str = "") -> None:
        """Send an answer byte by byte, each after a pause."""
        self._add(Rule(Stage.ANSWER, Kind.TRICKLE, nth - 1, times, action, seconds=seconds))

    def close_after(self, nth: int = 1, *, times: int | None = 1, action: str = "") -> None:
        """Answer a message, then close the kept connection without notice, as an idle time-out does."""
        self._add(Rule(Stage.ANSWER, Kind.CLOSE, nth - 1, times, action))

    def forget_logon(self, nth: int = 1, *, times: int | None = 1) -> None:
        """Answer a request with 401, as if the connection had never been logged on."""
        self._add(Rule(Stage.REQUEST, Kind.FORGET, nth - 1, times))

    def answer_status(self, status: int = 503, nth: int = 1, *, times: int | None = 1) -> None:
        """Answer an HTTP request with a status: 503 is a WinRM service that is starting (wsman.md 1.9)."""
        self._add(Rule(Stage.REQUEST, Kind.STATUS, nth - 1, times, status=status))

    def refuse(
        self, status: int, nth: int = 1, *, times: int | None = 1, action: str = "", after: bool = False
    ) -> None:
        """Answer a message with a status and an empty body; ``after`` it had its effect."""
        stage = Stage.ANSWER if after else Stage.MESSAGE
        self._add(Rule(stage, Kind.STATUS, nth - 1, times, action, status=status))

    def delay(self, seconds: float, nth: int = 1, *, times: int | None = 1, action: str = "") -> None:
        """Let a message wait before it is handled."""
        self._add(Rule(Stage.MESSAGE, Kind.DELAY, nth - 1, times, action, seconds=seconds))

    def fault(self, code: int, message: str, nth: int = 1, *, times: int | None = 1, action: str = "") -> None:
        """Answer a message with a WS-Management fault that has a number only; it has no effect."""
        self.raising(WsmanFaultError(code, "w:InternalError", message, receiver=True), nth, times=times, action=action)

    def raising(self, error: WsmanFaultError, nth: int = 1, *, times: int | None = 1, action: str = "") -> None:
        """Answer a message with a WS-Management fault of any shape; it has no effect."""
        self._add(Rule(Stage.MESSAGE, Kind.FAULT, nth - 1, times, action, error=error))

    def reply(
        self, content: bytes, nth: int = 1, *, status: int = 200, times: int | None = 1, action: str = ""
    ) -> None:
        """Answer a message with these bytes, encrypted as an answer is; the message had its effect."""
        self._add(Rule(Stage.ANSWER, Kind.REPLY, nth - 1, times, action, status=status, content=content))

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
