"""The language of indicators' formulas (domain.md section 3): sums, counts of units and divisions, ratios, a factor.

    legal_aid_accepted / population * 100000
    (lawyer + notary) / population * 10000
    services[network] / services
    units(village: law_savvy_person >= 1 and rule_of_law_leader >= 1) / divisions(village)
    reports_received / reports_expected

formula = sum ["/" sum] ["*" number]; sum = term or "(" term "+" term … ")", brackets only needed before and after "/".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NoReturn

from etl.catalog.base import Level, each_once

Reports = Literal["expected", "received", "on_time"]
ALL = "all"
SERVICES = "services"
RESERVED = {SERVICES, "units", "divisions", "and", "reports_expected", "reports_received", "reports_on_time"}
"""Words of the language: no measure may be called so."""


@dataclass(frozen=True)
class Figure:
    """A division's figure of a measure: a flow's or survey's over the period, in one channel or in all; a stock's at
    the end of the period's last month."""

    measure: str
    channel: str = ALL

    def __str__(self) -> str:
        return self.measure + _bracket(self.channel)


@dataclass(frozen=True)
class Services:
    """All services delivered: the sum over the measures marked is_service."""

    channel: str = ALL

    def __str__(self) -> str:
        return SERVICES + _bracket(self.channel)


@dataclass(frozen=True)
class Condition:
    """A unit's own figure, over all channels, is at least so much."""

    measure: str
    at_least: int

    def __str__(self) -> str:
        return f"{self.measure} >= {self.at_least}"


@dataclass(frozen=True)
class Units:
    """How many units of these levels, at or below the division, fulfil every condition (ruling 16)."""

    levels: tuple[Level, ...]
    conditions: tuple[Condition, ...]

    def __str__(self) -> str:
        return f"units({', '.join(self.levels)}: {' and '.join(map(str, self.conditions))})"


@dataclass(frozen=True)
class Divisions:
    """How many divisions of these levels there are at or below the division on the period's last day."""

    levels: tuple[Level, ...]

    def __str__(self) -> str:
        return f"divisions({', '.join(self.levels)})"


@dataclass(frozen=True)
class Reporting:
    """Daily submissions expected, of these received, of these on time (domain.md section 6)."""

    which: Reports

    def __str__(self) -> str:
        return f"reports_{self.which}"


Term = Figure | Services | Units | Divisions | Reporting


@dataclass(frozen=True)
class Formula:
    """(sum of numerator) / (sum of denominator) × factor; without a denominator the numerator alone × factor."""

    numerator: tuple[Term, ...]
    denominator: tuple[Term, ...]
    factor: int

    def terms(self) -> tuple[Term, ...]:
        """Every term, numerator first."""
        return self.numerator + self.denominator

    def __str__(self) -> str:
        parts = [_sum(self.numerator, is_alone=not self.denominator and self.factor == 1)]
        if self.denominator:
            parts.append(f"/ {_sum(self.denominator, is_alone=False)}")
        if self.factor != 1:
            parts.append(f"* {self.factor}")
        return " ".join(parts)


def _bracket(channel: str) -> str:
    return "" if channel == ALL else f"[{channel}]"


def _sum(terms: tuple[Term, ...], *, is_alone: bool) -> str:
    words = " + ".join(map(str, terms))
    return words if is_alone or len(terms) == 1 else f"({words})"


TOKEN = re.compile(
    r"\s*(?:(?P<word>[a-z][a-z0-9_]*)|(?P<number>[0-9]+)|(?P<sign>>=|[-+*/()\[\]:,<>=.])|(?P<end>$))"
)


def parse_formula(text: str) -> Formula:
    """The formula that a text states. Raises ValueError saying what was expected, and where."""
    return _Parser(text).formula()


class _Parser:
    """Reads one formula from left to right, one token ahead."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(_tokens(text))
        self.place = 0

    def formula(self) -> Formula:
        numerator = self.sum()
        denominator = self.sum() if self.take("/") else ()
        factor = self.number("a factor such as 10000") if self.take("*") else 1
        if factor < 1:
            raise ValueError("a factor of at least 1 was expected after *")
        if self.peek() == "/":
            self.refuse("one division only: put sums in brackets")
        if self.peek() == "*":
            self.refuse("one factor only, at the end")
        if self.peek() == "-":
            self.refuse("nothing is subtracted: name a measure for what is meant")
        if self.peek() != "":
            self.refuse("the end, + or / was expected")
        if (
            denominator
            and (twice := set(numerator) & set(denominator))
            and set(numerator) == set(denominator)
        ):
            raise ValueError(f"{', '.join(map(str, twice))} is divided by itself")
        return Formula(numerator, denominator, factor)

    def sum(self) -> tuple[Term, ...]:
        has_bracket = self.take("(")
        terms = [self.term()]
        while self.take("+"):
            terms.append(self.term())
        if has_bracket:
            self.expect(")")
        elif len(terms) > 1 and self.peek() in ("/", "*"):
            self.refuse("brackets around the sum were expected")
        twice = [str(term) for term in terms if terms.count(term) > 1]
        if twice:
            raise ValueError(f"{twice[0]} is added twice")
        return tuple(terms)

    def term(self) -> Term:
        word = self.word("a measure, services, units(…), divisions(…) or reports_…")
        match word:
            case "units":
                self.expect("(")
                levels = self.levels()
                self.expect(":")
                conditions = [self.condition()]
                while self.take("and"):
                    conditions.append(self.condition())
                self.expect(")")
                return Units(levels, tuple(conditions))
            case "divisions":
                self.expect("(")
                levels = self.levels()
                self.expect(")")
                return Divisions(levels)
            case "reports_expected":
                return Reporting("expected")
            case "reports_received":
                return Reporting("received")
            case "reports_on_time":
                return Reporting("on_time")
            case "and":
                self.place -= 1
                self.refuse("a measure was expected")
        channel = ALL
        if self.take("["):
            channel = self.word("a channel")
            self.expect("]")
            if channel == ALL:
                raise ValueError(f"{word}[all] is written {word}")
        return Services(channel) if word == SERVICES else Figure(word, channel)

    def levels(self) -> tuple[Level, ...]:
        levels = [self.level()]
        while self.take(","):
            levels.append(self.level())
        return each_once(tuple(levels))

    def level(self) -> Level:
        word = self.word("a level")
        if word not in set(Level):
            raise ValueError(f"{word} is not a level; levels are {', '.join(Level)}")
        return Level(word)

    def condition(self) -> Condition:
        measure = self.word("a measure")
        self.expect(">=")
        at_least = self.number("a whole number")
        if at_least < 1:
            raise ValueError(f"{measure} >= {at_least} is always so: at least 1 was expected")
        return Condition(measure, at_least)

    # --- tokens ----------------------------------------------------------------------------------------------

    def peek(self) -> str:
        return self.tokens[self.place][0]

    def take(self, token: str) -> bool:
        is_next = self.peek() == token
        self.place += is_next
        return is_next

    def expect(self, token: str) -> None:
        if not self.take(token):
            self.refuse(f"{token} was expected")

    def word(self, wanted: str) -> str:
        token = self.peek()
        if not re.fullmatch(r"[a-z][a-z0-9_]*", token):
            self.refuse(f"{wanted} was expected")
        self.place += 1
        return token

    def number(self, wanted: str) -> int:
        token = self.peek()
        if not token.isdigit():
            self.refuse(f"{wanted} was expected")
        self.place += 1
        return int(token)

    def refuse(self, words: str) -> NoReturn:
        token, at = self.tokens[self.place]
        raise ValueError(f"{words}, not {token or 'the end'} (character {at + 1})")


def _tokens(text: str) -> Iterator[tuple[str, int]]:
    place = 0
    while True:
        found = TOKEN.match(text, place)
        if found is None:
            stray = text[place:].lstrip()
            raise ValueError(
                f"{stray[0]} means nothing in a formula (character {len(text) - len(stray) + 1})"
            )
        kind = found.lastgroup or "end"
        yield found[kind], found.start(kind)
        if kind == "end":
            return
        place = found.end()
