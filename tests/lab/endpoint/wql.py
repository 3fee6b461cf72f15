# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The part of WQL that data queries use: SELECT list or *, FROM, WHERE."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from lab.backend import CimScalar, CimValue

Properties = Mapping[str, CimValue]
"""An instance with lower-case property names."""
Condition = Callable[[Properties], bool]

_TOKEN = re.compile(
    r"""\s*(?:(?P<string>'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")|(?P<number>[+-]?\d+(?:\.\d+)?)"""
    r"""|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<sign><>|!=|<=|>=|[=<>(),*]))""",
    re.DOTALL,
)
_COMPARE: dict[str, Callable[[int], bool]] = {
    "=": lambda order: order == 0,
    "<>": lambda order: order != 0,
    "!=": lambda order: order != 0,
    "<": lambda order: order < 0,
    ">": lambda order: order > 0,
    "<=": lambda order: order <= 0,
    ">=": lambda order: order >= 0,
}
_DMTF = re.compile(r"(\d{14})\.(\d{6})([+-]\d{3})")


class WqlError(ValueError):
    """The text is no query, or names a property that the class does not have."""


@dataclass(frozen=True)
class Query:
    """A parsed query; ``columns`` is None for ``*``."""

    class_name: str
    columns: tuple[str, ...] | None
    _condition: Condition

    def matches(self, instance: Mapping[str, CimValue]) -> bool:
        """Whether an instance is selected.

        Raises:
            WqlError: The query names a property that the instance does not have.
        """
        return self._condition({name.lower(): value for name, value in instance.items()})

    def project(self, instance: Mapping[str, CimValue]) -> dict[str, CimValue]:
        """Return the selected properties in the class's spelling.

        Raises:
            WqlError: One is not a property of the class.
        """
        if self.columns is None:
            return dict(instance)
        by_name = {name.lower(): name for name in instance}
        try:
            return {by_name[column.lower()]: instance[by_name[column.lower()]] for column in self.columns}
        except KeyError as error:
            raise WqlError(f"{self.class_name} has no property {error}") from error


def parse(text: str) -> Query:
    """Parse a query.

    Raises:
        WqlError: It is none, or uses what this parser does not know.
    """
    return _Parser(text).query()


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        position = 0
        text = text.rstrip()
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None or match.lastgroup is None:
                raise WqlError(f"can't read the query at {text[position : position + 20]!r}")
            self._tokens.append((match.lastgroup, match[match.lastgroup]))
            position = match.end()
        self._next = 0

    def query(self) -> Query:
        self._expect("select")
        columns: tuple[str, ...] | None = None
        if not self._take("*"):
            columns = (self._name(),)
            while self._take(","):
                columns += (self._name(),)
        self._expect("from")
        class_name = self._name()
        condition: Condition = self._any() if self._take("where") else (lambda _properties: True)
        if self._next != len(self._tokens):
            raise WqlError(f"unexpected {self._tokens[self._next][1]!r}")
        return Query(class_name, columns, condition)

    def _any(self) -> Condition:
        terms = [self._all()]
        while self._take("or"):
            terms.append(self._all())
        return terms[0] if len(terms) == 1 else lambda properties: any(term(properties) for term in terms)

    def _all(self) -> Condition:
        terms = [self._one()]
        while self._take("and"):
            terms.append(self._one())
        return terms[0] if len(terms) == 1 else lambda properties: all(term(properties) for term in terms)

    def _one(self) -> Condition:
        if self._take("not"):
            inner = self._one()
            return lambda properties: not inner(properties)
        if self._take("("):
            inner = self._any()
            self._expect(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Condition:
        column = self._name().lower()
        if self._take("is"):
            wanted_null = not self._take("not")
            self._expect("null")
            return lambda properties: (_property(properties, column) is None) is wanted_null
        if self._take("like"):
            pattern = _like(self._string())
            return lambda properties: _text_matches(pattern, _property(properties, column))
        negated_like = self._take("not")
        if negated_like:
            self._expect("like")
            pattern = _like(self._string())
            return lambda properties: not _text_matches(pattern, _property(properties, column))
        operator = self._operator()
        literal = self._literal()
        test = _COMPARE[operator]
        return lambda properties: _compare(test, _property(properties, column), literal)

    def _operator(self) -> str:
        kind, text = self._peek()
        if kind != "sign" or text not in _COMPARE:
            raise WqlError(f"expected an operator, found {text!r}")
        self._next += 1
        return text

    def _literal(self) -> str | float | bool | None:
        kind, text = self._peek()
        self._next += 1
        if kind == "string":
            return _unescape(text)
        if kind == "number":
            return float(text) if "." in text else int(text)
        if text.lower() in ("true", "false"):
            return text.lower() == "true"
        if text.lower() == "null":
            return None
        raise WqlError(f"expected a value, found {text!r}")

    def _string(self) -> str:
        kind, text = self._peek()
        if kind != "string":
            raise WqlError(f"expected a string, found {text!r}")
        self._next += 1
        return _unescape(text)

    def _name(self) -> str:
        kind, text = self._peek()
        if kind != "name" or text.lower() in ("select", "from", "where", "and", "or", "not", "is", "like"):
            raise WqlError(f"expected a name, found {text!r}")
        self._next += 1
        return text

    def _take(self, word: str) -> bool:
        kind, text = self._peek()
        if kind in ("name", "sign") and text.lower() == word:
            self._next += 1
            return True
        return False

    def _expect(self, word: str) -> None:
        if not self._take(word):
            raise WqlError(f"expected {word!r}, found {self._peek()[1]!r}")

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._next] if self._next < len(self._tokens) else ("end", "the end")


def _unescape(quoted: str) -> str:
    return re.sub(r"\\(.)", r"\1", quoted[1:-1], flags=re.DOTALL)


def _like(pattern: str) -> re.Pattern[str]:
    parts: list[str] = []
    for match in re.finditer(r"\[(\^?)([^\]]+)\]|(.)", pattern, re.DOTALL):
        negated, members, single = match.groups()
        if members is not None:
            safe = re.escape(members).replace(r"\-", "-").replace("=", "-")
            parts.append(f"[{negated}{safe}]")
        else:
            parts.append({"%": ".*", "_": "."}.get(single, re.escape(single)))
    return re.compile("".join(parts), re.IGNORECASE | re.DOTALL)


def _property(properties: Properties, column: str) -> CimValue:
    try:
        return properties[column]
    except KeyError as error:
        raise WqlError(f"the class has no property {column!r}") from error


def _text_matches(pattern: re.Pattern[str], value: CimValue) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _compare(test: Callable[[int], bool], value: CimValue, literal: str | float | bool | None) -> bool:
    if literal is None:
        return test(0 if value is None else 1)
    if value is None:
        return False
    if not isinstance(value, (str, int, datetime)):
        raise WqlError("an array can't be compared")
    return test(_order(value, literal))


def _order(value: CimScalar, literal: str | float | bool) -> int:
    if isinstance(value, datetime):
        moment = _parse_dmtf(str(literal))
        return (value > moment) - (value < moment)
    if isinstance(value, str):
        left, right = value.lower(), str(literal).lower()
        return (left > right) - (left < right)
    number = _number(value, literal)
    return (value > number) - (value < number)


def _number(value: int, literal: str | float | bool) -> float:
    if not isinstance(literal, str):
        return literal
    if isinstance(value, bool) and literal.lower() in ("true", "false"):
        return literal.lower() == "true"
    try:
        return int(literal)
    except ValueError as error:
        raise WqlError(f"{literal!r} is no number") from error


def _parse_dmtf(text: str) -> datetime:
    match = _DMTF.fullmatch(text)
    if match is None:
        raise WqlError(f"{text!r} is no DMTF datetime")
    zone = timezone(timedelta(minutes=int(match[3])))
    return datetime.strptime(match[1], "%Y%m%d%H%M%S").replace(microsecond=int(match[2]), tzinfo=zone)
