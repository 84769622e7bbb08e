"""Figures: how numbers are written on a page. A missing figure is a dash, never 0."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from etl.clock import SHANGHAI
from etl.periods import Period

Number = int | float | Decimal
NONE = "—"
MINUS = "\u2212"


def count(value: Number | None) -> str:
    """12,345; decimals only where there are any."""
    if value is None:
        return NONE
    number = Decimal(str(value))
    text = f"{number:,.0f}" if number == number.to_integral_value() else f"{number:,.2f}"
    return text.replace("-", MINUS)


def percent(value: Number | None, digits: int = 1) -> str:
    """A ratio (1 = 100 %) as 98.3%."""
    return NONE if value is None else f"{Decimal(str(value)) * 100:.{digits}f}%".replace("-", MINUS)


def change(value: Number | None, digits: int = 1) -> str:
    """A change of a volume, with its sign: +3.2%."""
    return NONE if value is None else _signed(Decimal(str(value)) * 100, digits) + "%"


def points(value: Number | None, digits: int = 1) -> str:
    """A difference of rates in percentage points (百分点), with its sign and without the words: +1.5."""
    return NONE if value is None else _signed(Decimal(str(value)) * 100, digits)


def trend_of(value: Number | None) -> str:
    """up, down, flat or none: which sign stands before a change, so that colour is never alone."""
    if value is None:
        return "none"
    rounded = round(Decimal(str(value)) * 100, 1)
    return "flat" if rounded == 0 else "up" if rounded > 0 else "down"


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
    return NONE if value is None else f"{Decimal(str(value)):.2f}".replace("-", MINUS)


def moment(value: datetime | None) -> str:
    """A time in Asia/Shanghai: 2026-03-02 18:04."""
    return NONE if value is None else value.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


def _signed(value: Decimal, digits: int) -> str:
    rounded = round(value, digits)
    sign = "" if rounded == 0 else "+" if rounded > 0 else MINUS
    return f"{sign}{abs(rounded):.{digits}f}"
