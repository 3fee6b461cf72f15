# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Conditions of packages, after Windows Installer's "Conditional Statement Syntax"."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

_TOKEN = re.compile(r'\s*(?:("[^"]*")|([()])|(~?(?:><|<<|>>|<=|>=|<>|=|<|>))|([%$?&!]?[A-Za-z_][\w.]*)|(-?\d+))')
_WORDS = frozenset({"not", "and", "or", "xor", "eqv", "imp"})

Value = str | int


class ConditionError(Exception):
    """A condition can't be understood."""


def holds(condition: str, properties: Mapping[str, str], states: Mapping[str, int] | None = None) -> bool:
    """Evaluates a condition; an empty one holds.

    Args:
        condition: The text.
        properties: Installer properties; what is absent counts as empty.
        states: Values of symbols with a prefix (`$Component`, `&Feature`, `!Feature`, `?Component`).

    Raises:
        ConditionError: The text is no condition.
    """
    if not condition.strip():
        return True
    tokens = _tokens(condition)
    parser = _Parser(tokens, properties, states or {})
    result = parser.implication()
    if not parser.at_end:
        raise ConditionError(condition)
    return result


def _tokens(condition: str) -> list[str]:
    tokens: list[str] = []
    position = 0
    text = condition.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ConditionError(condition)
        tokens.append(match[0].strip())
        position = match.end()
    return tokens


class _Parser:
    def __init__(self, tokens: list[str], properties: Mapping[str, str], states: Mapping[str, int]) -> None:
        self._tokens = tokens
        self._properties = properties
        self._states = states

    @property
    def at_end(self) -> bool:
        return not self._tokens

    def implication(self) -> bool:
        return self._chain(
            "imp", lambda: self._chain("eqv", self._exclusive, lambda a, b: a == b), lambda a, b: not a or b
        )

    def _exclusive(self) -> bool:
        return self._chain("xor", self._either, lambda a, b: a != b)

    def _either(self) -> bool:
        return self._chain("or", self._both, lambda a, b: a or b)

    def _both(self) -> bool:
        return self._chain("and", self._factor, lambda a, b: a and b)

    def _chain(self, word: str, operand: Callable[[], bool], join: Callable[[bool, bool], bool]) -> bool:
        result = operand()
        while self._peek().lower() == word:
            self._take()
            result = join(result, operand())
        return result

    def _factor(self) -> bool:
        if self._peek().lower() == "not":
            self._take()
            return not self._factor()
        if self._peek() == "(":
            self._take()
            result = self.implication()
            if self._take() != ")":
                raise ConditionError(")")
            return result
        left = self._value()
        if re.fullmatch(r"~?[<>=]{1,2}", self._peek()):
            operator = self._take()
            return _compare(left, operator, self._value())
        return bool(left) if isinstance(left, int) else left != ""

    def _value(self) -> Value:
        token = self._take()
        if token.startswith('"'):
            return token[1:-1]
        if re.fullmatch(r"-?\d+", token):
            return int(token)
        if token.lower() in _WORDS or not re.match(r"[%$?&!A-Za-z_]", token):
            raise ConditionError(token)
        if token[0] in "$?&!":
            return self._states.get(token, -1)
        return "" if token[0] == "%" else self._properties.get(token, "")

    def _peek(self) -> str:
        return self._tokens[0] if self._tokens else ""

    def _take(self) -> str:
        if not self._tokens:
            raise ConditionError("the condition ends too early")
        return self._tokens.pop(0)


def _compare(left: Value, operator: str, right: Value) -> bool:
    ignore_case, operator = operator.startswith("~"), operator.removeprefix("~")
    if isinstance(left, int) or isinstance(right, int):
        numbers = _integer(left), _integer(right)
        if numbers[0] is None or numbers[1] is None:
            # "always false, except for <>" when one side is no number.
            return operator == "<>"
        return _compare_numbers(numbers[0], operator, numbers[1])
    if ignore_case:
        left, right = left.lower(), right.lower()
    comparisons: Mapping[str, bool] = {
        "=": left == right,
        "<>": left != right,
        "<": left < right,
        ">": left > right,
        "<=": left <= right,
        ">=": left >= right,
        "><": right in left,
        "<<": left.startswith(right),
        ">>": left.endswith(right),
    }
    return comparisons[operator]


def _compare_numbers(left: int, operator: str, right: int) -> bool:
    comparisons: Mapping[str, bool] = {
        "=": left == right,
        "<>": left != right,
        "<": left < right,
        ">": left > right,
        "<=": left <= right,
        ">=": left >= right,
        "><": bool(left & right),
        "<<": left >> 16 == right,
        ">>": left & 0xFFFF == right,
    }
    return comparisons[operator]


def _integer(value: Value) -> int | None:
    if isinstance(value, int):
        return value
    return int(value) if re.fullmatch(r"-?\d+", value) else None
