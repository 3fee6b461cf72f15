# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The XPath subset of event queries: paths, predicates, comparisons, and, or, not, timediff."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from .event_node import Node

Value = Sequence[Node | str] | str | float | bool
Expression = Callable[[Node], Value]

_TOKEN = re.compile(
    r"""\s*(?:(?P<string>'[^']*'|"[^"]*")|(?P<number>\d+(?:\.\d+)?)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"""
    r"""|(?P<sign><=|>=|!=|[=<>()\[\]@*/,]))"""
)
_OPERATORS = ("=", "!=", "<", "<=", ">", ">=")


class XPathError(ValueError):
    """The text is not in the subset that the event log service knows."""


def compile_xpath(text: str, now: Callable[[], datetime]) -> Callable[[Node], bool]:
    """Return the test that an event query makes of an Event node.

    Args:
        text: For example ``*[System[Provider[@Name='PCNSSVC'] and (EventID=2100 or EventID=4003)]]``.
        now: The clock that timediff() uses.

    Raises:
        XPathError: The query can't be understood.
    """
    expression = _Parser(text, now).parse()

    def test(event: Node) -> bool:
        return _truth(expression(Node("", children=(event,))))

    return test


class _Parser:
    def __init__(self, text: str, now: Callable[[], datetime]) -> None:
        self._now = now
        self._tokens: list[tuple[str, str]] = []
        self._next = 0
        position = 0
        text = text.strip()
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None or match.lastgroup is None:
                raise XPathError(f"can't read the query at {text[position : position + 20]!r}")
            self._tokens.append((match.lastgroup, match[match.lastgroup]))
            position = match.end()

    def parse(self) -> Expression:
        expression = self._any()
        if self._next != len(self._tokens):
            raise XPathError(f"unexpected {self._tokens[self._next][1]!r}")
        return expression

    def _any(self) -> Expression:
        terms = [self._all()]
        while self._take("or"):
            terms.append(self._all())
        return terms[0] if len(terms) == 1 else lambda node: any(_truth(term(node)) for term in terms)

    def _all(self) -> Expression:
        terms = [self._comparison()]
        while self._take("and"):
            terms.append(self._comparison())
        return terms[0] if len(terms) == 1 else lambda node: all(_truth(term(node)) for term in terms)

    def _comparison(self) -> Expression:
        left = self._operand()
        kind, operator = self._peek()
        if kind != "sign" or operator not in _OPERATORS:
            return left
        self._next += 1
        right = self._operand()
        return lambda node: _compare(operator, left(node), right(node))

    def _operand(self) -> Expression:
        kind, text = self._peek()
        if kind == "string":
            self._next += 1
            return lambda _node: text[1:-1]
        if kind == "number":
            self._next += 1
            return lambda _node: float(text)
        if self._take("("):
            inner = self._any()
            self._expect(")")
            return inner
        if kind == "name" and self._peek(1)[1] == "(":
            return self._function()
        return self._path()

    def _function(self) -> Expression:
        _kind, name = self._peek()
        self._next += 2
        argument = self._any()
        self._expect(")")
        if name == "not":
            return lambda node: not _truth(argument(node))
        if name == "timediff":
            return lambda node: _milliseconds_since(argument(node), self._now())
        raise XPathError(f"unknown function {name!r}")

    def _path(self) -> Expression:
        steps = [self._step()]
        while self._take("/"):
            steps.append(self._step())

        def walk(node: Node) -> Value:
            found: list[Node | str] = [node]
            for step in steps:
                found = [item for origin in found if isinstance(origin, Node) for item in step(origin)]
            return found

        return walk

    def _step(self) -> Callable[[Node], Sequence[Node | str]]:
        if self._take("@"):
            attribute = self._name()
            return lambda node: [node.attributes[attribute]] if attribute in node.attributes else []
        name = "*" if self._take("*") else self._name()
        tests: list[Expression] = []
        while self._take("["):
            tests.append(self._any())
            self._expect("]")
        return lambda node: [
            child for child in node.children if name in ("*", child.name) and all(_truth(test(child)) for test in tests)
        ]

    def _name(self) -> str:
        kind, text = self._peek()
        if kind != "name":
            raise XPathError(f"expected a name, found {text!r}")
        self._next += 1
        return text

    def _take(self, word: str) -> bool:
        kind, text = self._peek()
        if kind in ("name", "sign") and text == word:
            self._next += 1
            return True
        return False

    def _expect(self, word: str) -> None:
        if not self._take(word):
            raise XPathError(f"expected {word!r}, found {self._peek()[1]!r}")

    def _peek(self, ahead: int = 0) -> tuple[str, str]:
        position = self._next + ahead
        return self._tokens[position] if position < len(self._tokens) else ("end", "the end")


def _truth(value: Value) -> bool:
    return bool(value)


def _texts(value: Value) -> list[str | float]:
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if isinstance(value, (str, float)):
        return [value]
    return [item.text if isinstance(item, Node) else item for item in value]


def _compare(operator: str, left: Value, right: Value) -> bool:
    return any(_holds(operator, one, other) for one in _texts(left) for other in _texts(right))


def _holds(operator: str, left: str | float, right: str | float) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        moments = _moment(left), _moment(right)
        if moments[0] is not None and moments[1] is not None:
            return _ordered(operator, moments[0].timestamp(), moments[1].timestamp())
        if operator in ("=", "!="):
            return (left == right) is (operator == "=")
    try:
        return _ordered(operator, float(left), float(right))
    except ValueError:
        return operator == "!="


def _ordered(operator: str, left: float, right: float) -> bool:
    match operator:
        case "=":
            return left == right
        case "!=":
            return left != right
        case "<":
            return left < right
        case "<=":
            return left <= right
        case ">":
            return left > right
        case _:
            return left >= right


def _moment(text: str) -> datetime | None:
    """Read a SystemTime, whose fraction may have more digits than Python takes."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z?", text)
    if match is None:
        return None
    microseconds = int((match[2] or "").ljust(9, "0")[:6])
    return datetime.fromisoformat(match[1]).replace(microsecond=microseconds, tzinfo=UTC)


def _milliseconds_since(value: Value, now: datetime) -> float:
    moments = [_moment(str(text)) for text in _texts(value)]
    if not moments or moments[0] is None:
        return float("nan")
    return (now - moments[0]).total_seconds() * 1000
