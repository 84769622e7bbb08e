"""Bulletin (通报): what it shows of a period and a division, who issues it, and where its tiles lie."""

from __future__ import annotations

from itertools import chain
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from etl.catalog.base import Code, Declared, DivisionCode, Level, Name, Text, each_once
from etl.catalog.indicator import SourceKey

BulletinPeriod = Literal["month", "quarter", "year"]
BulletinLevel = Literal[Level.PROVINCE, Level.CITY, Level.COUNTY]
SectionName = Literal["headline", "trend", "channels", "ranking", "targets", "timeliness", "quality"]
Codes = Annotated[tuple[Code, ...], Field(min_length=1), AfterValidator(each_once)]
WORDS = ("division", "whole", "period", "year", "number")
"""What {…} in a text may stand for."""


class Section(Declared):
    """A numbered part of the bulletin and its heading."""

    part: SectionName
    heading: Text


class Office(Declared):
    """Who issues the bulletin of a level, whom it addresses, and what the divisions of the next level are called."""

    name: Text
    addressee: Text
    below: Text


class Bulletin(Declared):
    """A bulletin of months, quarters or years.

    title, issue (期号) and the offices' names are texts with {division} 临沂市, {whole} 全市, {period} 2026年3月,
    {year} and {number} (of the month or quarter in its year, 1 for a year). total: the indicator whose denominator
    counts all services delivered. measures: of the headline table, the first `leading` of them in its sentences.
    shares: indicators of the channels' parts. rates: indicators that stand below the measures. targets: the document
    whose numbered indicators are shown. scheme: the evaluation by which divisions of the next level are scored.
    """

    kind: Literal["bulletin"]
    id: Name
    periods: Annotated[tuple[BulletinPeriod, ...], Field(min_length=1), AfterValidator(each_once)]
    title: Text
    issue: Text
    offices: Annotated[dict[BulletinLevel, Office], Field(min_length=1)]
    sections: Annotated[tuple[Section, ...], Field(min_length=1)]
    trend_months: Annotated[int, Field(ge=12, le=36, strict=True)]
    total: Code
    measures: Codes
    leading: Annotated[int, Field(ge=1, le=6, strict=True)]
    shares: Codes
    rates: Codes
    targets: SourceKey
    scheme: Name

    @model_validator(mode="after")
    def _each_section_once(self) -> Self:
        each_once(tuple(section.part for section in self.sections))
        return self

    @model_validator(mode="after")
    def _texts_can_be_filled(self) -> Self:
        texts = [self.title, self.issue, *(each.name for each in self.offices.values())]
        for text in texts:
            try:
                text.format_map(dict.fromkeys(WORDS, ""))
            except (KeyError, ValueError, IndexError):
                known = ", ".join(f"{{{word}}}" for word in WORDS)
                raise ValueError(f"{text!r} cannot be filled in: in braces, {known} were expected") from None
        return self


class TileGrid(Declared):
    """Where the tiles of the divisions below one lie, row by row from the north; an empty text leaves a place free.

    Divisions that it does not name come in rows of their own below.
    """

    kind: Literal["tiles"]
    id: Name
    division: DivisionCode
    rows: Annotated[tuple[tuple[DivisionCode | Literal[""], ...], ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _each_division_once(self) -> Self:
        each_once(tuple(code for code in chain.from_iterable(self.rows) if code))
        return self


BulletinEntry = Annotated[Bulletin | TileGrid, Field(discriminator="kind")]
BULLETINS = (Bulletin, TileGrid, Section, Office)
