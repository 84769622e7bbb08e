"""Figures: how numbers are written on a page. A missing figure is a dash, never 0."""

from __future__ import annotations

from datetime import datetime

from etl import rounding
from etl.clock import SHANGHAI
from etl.periods import Period
from etl.rounding import NONE, Number


def count(value: Number | None) -> str:
    """12,345; decimals only where there are any."""
    return rounding.amount(value)


def percent(value: Number | None) -> str:
    """A ratio (1 = 100 %) as 98.3%."""
    return rounding.percent(value)


def change(value: Number | None) -> str:
    """A change of a volume, with its sign: +3.2%."""
    return NONE if value is None else rounding.signed(value) + "%"


def points(value: Number | None) -> str:
    """A difference of rates in percentage points (百分点), with its sign and without the words: +1.5."""
    return rounding.signed(value)


def trend_of(value: Number | None) -> str:
    """up, down, flat or none: which sign stands before a change, so that colour is never alone."""
    if value is None:
        return "none"
    return {"+": "up", rounding.MINUS: "down"}.get(rounding.signed(value)[0], "flat")


def indicator(value: Number | None, unit: str) -> str:
    """An indicator's value in its unit: a ratio for %, else a number of at most two decimals."""
    return percent(value) if unit == "%" else count(value)


def period_name(value: str, language: str = "zh") -> str:
    """2026-03 as 2026年3月, 2026Q1 as 2026年第一季度, 2026 as 2026年; in English as it is written."""
    if language == "en":
        return value
    period = Period.parse(value)
    return value if period.kind == "day" else period.name_zh


def score(value: Number | None) -> str:
    """Points with two decimals, as scores are published: 87.50."""
    return rounding.spelled(value, 2)


def moment(value: datetime | None) -> str:
    """A time in Asia/Shanghai: 2026-03-02 18:04."""
    return NONE if value is None else value.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
