"""Figure: one row of a view that the bulletin speaks of; and the sentences that name their figures."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from importlib.resources import files

import jinja2
from markupsafe import Markup, escape

from etl.bulletin import words
from etl.failures import Refused
from etl.rounding import share


class BulletinError(Refused):
    """The bulletin cannot be made of what the warehouse or this machine holds; the message says what to do."""


class Lacking(Exception):
    """A sentence needs a figure that there is none of: the sentence is left out."""


@dataclass(frozen=True)
class Figure:
    """A row of a view: its columns by name. unit: of the column `value`; rates are ratios and have %.

    expected, received: submissions behind it, null where it is not made of submissions.
    """

    view: str
    division_code: str
    division_name: str
    period: str
    code: str
    name: str
    unit: str
    columns: Mapping[str, Decimal | int | None]
    expected: int | None = None
    received: int | None = None
    is_provisional: bool = False

    def get(self, column: str) -> Decimal | int | None:
        """A column's value; None where there is none."""
        return self.columns.get(column)

    @property
    def value(self) -> Decimal | int | None:
        """The figure itself."""
        return self.columns.get("value")

    @property
    def completeness(self) -> Decimal | None:
        """Submissions received of those expected, 0 to 1; the row's own column where it has one."""
        if self.expected:
            return share(self.received or 0, self.expected)
        known = self.columns.get("completeness")
        return None if known is None else Decimal(known)


@dataclass(frozen=True)
class Source:
    """A figure in the list of sources, with those of its columns that sentences name, and what these compare with."""

    figure: Figure
    named: frozenset[str]


LEFT_OVER = re.compile("，(?=[，；。）])|（）")
"""What stands around a comparison that is not made."""
BASES = {"yoy": "value_last_year", "mom": "value_previous", "gap": "target"}
"""What a comparison is made with."""


@dataclass(frozen=True)
class Sentence:
    """A sentence with its figures as <data> elements, and their numbers in the list of sources."""

    html: Markup
    numbers: tuple[int, ...]
    completeness: str

    @property
    def mark(self) -> str:
        """Where its figures are found, and how complete the least complete of them is."""
        spans, rest = [], list(self.numbers)
        while rest:
            first = last = rest.pop(0)
            while rest and rest[0] == last + 1:
                last = rest.pop(0)
            spans.append(f"{first}" if first == last else f"{first}—{last}")
        return "、".join(spans) + self.completeness


Paragraph = tuple[Sentence, ...]


@dataclass
class Writer:
    """Fills the sentences of sentences/*.j2 and numbers the figures in the order in which they are named.

    is_yearly: the period before is last year's, and so compared once. has_bases: whether there is any period to compare
    with; where there is none the lead says so, and the other sentences keep silent.
    """

    is_yearly: bool = False
    has_bases: bool = True
    figures: list[Figure] = field(default_factory=list)
    _named: list[tuple[int, str]] = field(default_factory=list)
    _kept: set[tuple[int, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._env = jinja2.Environment(
            autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        self._env.filters |= {
            "value": self.value,
            "column": self.column,
            "yoy": lambda figure: self.comparison(figure, "yoy", "同比"),
            "mom": lambda figure: self.comparison(figure, "mom", "环比"),
            "compared": self.compared,
            "gap": self.gap,
            "note": self.note,
            "joined": words.joined,
        }

    def paragraphs(self, section: str, **given: object) -> list[Paragraph]:
        """The sentences of a section: one per block between blank lines; a line of dashes begins a paragraph."""
        text = (files("etl.bulletin") / "sentences" / f"{section}.j2").read_text(encoding="utf-8")
        paragraphs = []
        for part in text.split("\n--\n"):
            found = [self.sentence(block, **given) for block in part.split("\n\n") if block.strip()]
            kept = tuple(sentence for sentence in found if sentence is not None)
            if kept:
                paragraphs.append(kept)
        return paragraphs

    def sentence(self, template: str, **given: object) -> Sentence | None:
        """One sentence; None where it says nothing or lacks a figure."""
        kept, self._named = len(self.figures), []
        try:
            text = self._env.from_string(template).render(given)
        except Lacking:
            del self.figures[kept:]
            return None
        joined = LEFT_OVER.sub("", "".join(line.strip() for line in text.splitlines()))
        if not joined:
            return None
        self._kept.update(self._named)
        numbers = tuple(sorted({number for number, _ in self._named}))
        return Sentence(Markup(joined), numbers, self._least(numbers))

    def sources(self) -> list[Source]:
        """The figures of all sentences, by their numbers."""
        named: dict[int, set[str]] = {number: {"value"} for number in range(1, len(self.figures) + 1)}
        for number, column in self._kept:
            named[number] |= {column, BASES.get(column, column)}
        return [Source(self.figures[number - 1], frozenset(columns)) for number, columns in named.items()]

    def _least(self, numbers: tuple[int, ...]) -> str:
        shares = [self.figures[number - 1].completeness for number in numbers]
        known = [share for share in shares if share is not None]
        return f"，报送率{words.percent(min(known))}" if known else ""

    # --- filters ----------------------------------------------------------------------------------------------

    def value(self, figure: Figure | None) -> Markup:
        """The figure with its unit; 初步 behind it where it is provisional."""
        value, figure = self._needed(figure, "value")
        text = words.amount(value, figure.unit) + ("" if figure.unit == "%" else figure.unit)
        return self._data(figure, "value", text + ("（初步）" if figure.is_provisional else ""))

    def column(self, figure: Figure | None, column: str, unit: str = "") -> Markup:
        """Another column of its row, in a unit."""
        value, figure = self._needed(figure, column)
        return self._data(figure, column, words.amount(value, unit) + ("" if unit == "%" else unit))

    def comparison(self, figure: Figure | None, column: str, name: str) -> Markup:
        """同比增长5.1%; or why there is nothing to compare."""
        _, figure = self._needed(figure, "value")
        if not self.has_bases:
            return Markup()
        ratio = figure.get(column)
        if ratio is not None:
            return self._data(figure, column, name + words.change(ratio, figure.unit))
        before = "上年" if self.is_yearly else "上年同期" if column == "yoy" else "上期"
        base = figure.get(BASES[column])
        if figure.is_provisional:
            reason = f"初步数据不作{name}"
        elif base is None:
            reason = f"{before}无数据"
        elif base == 0:
            reason = f"{before}为零，不作{name}"
        else:
            reason = f"{before}为初步数据，不作{name}"
        return self._data(figure, column, reason)

    def compared(self, figure: Figure | None) -> Markup:
        """同比 and 环比; where there is neither, why, once."""
        _, figure = self._needed(figure, "value")
        if self.is_yearly or not self.has_bases:
            return self.comparison(figure, "yoy", "同比")
        if figure.is_provisional:
            return self._data(figure, "yoy", "初步数据不作比较")
        if figure.get("value_last_year") is None and figure.get("value_previous") is None:
            return self._data(figure, "yoy", "上年同期和上期均无数据")
        return Markup("，").join(
            [self.comparison(figure, "yoy", "同比"), self.comparison(figure, "mom", "环比")]
        )

    def gap(self, figure: Figure | None) -> Markup:
        """How far the target is missed."""
        value, figure = self._needed(figure, "gap")
        return self._data(figure, "gap", words.gap(value, figure.unit))

    def note(self, figure: Figure, text: object) -> Markup:
        """Words that stand on the figure without showing a number of it, such as a name in a ranking."""
        return self._data(figure, "value", str(text))

    @staticmethod
    def _needed(figure: Figure | None, column: str) -> tuple[Decimal | int, Figure]:
        if figure is None or (value := figure.get(column)) is None:
            raise Lacking
        return value, figure

    def _data(self, figure: Figure, column: str, text: str) -> Markup:
        number = self.number(figure)
        self._named.append((number, column))
        value = words.plain(figure.get(column))
        return Markup('<data data-figure="{}" data-column="{}" value="{}">{}</data>').format(
            number, column, value, escape(text)
        )

    def number(self, figure: Figure) -> int:
        """Its place in the list of sources, from 1; the same row is listed once."""
        if figure not in self.figures:
            self.figures.append(figure)
        return self.figures.index(figure) + 1
