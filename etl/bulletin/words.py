"""Words for figures, the same in sentences, tables and pictures; what is missing is —."""

from __future__ import annotations

from etl import rounding
from etl.periods import Period
from etl.rounding import NONE, Number, exact, rounded, spelled


def count(number: Number | None) -> str:
    """1,234."""
    return spelled(number)


def percent(ratio: Number | None, places: int = 1) -> str:
    """0.956 is 95.6%."""
    return rounding.percent(ratio, places)


def amount(number: Number | None, unit: str) -> str:
    """A value in the unit it is kept in: rates are ratios and shown in percent, whole numbers without decimals."""
    return percent(number) if unit == "%" else rounding.amount(number)


def score(points: Number | None) -> str:
    """Points with two decimals, as scores are published."""
    return spelled(points, 2)


def change(ratio: Number | None, unit: str) -> str:
    """As a sentence says it: 增长5.1%, 下降0.3个百分点, 持平."""
    if ratio is None:
        return NONE
    points = rounded(exact(ratio) * 100, 1)
    if points == 0:
        return "持平"
    shown = spelled(abs(points), 1)
    if unit == "%":
        return f"{'上升' if points > 0 else '下降'}{shown}个百分点"
    return f"{'增长' if points > 0 else '下降'}{shown}%"


def signed(ratio: Number | None, unit: str) -> str:
    """As a table says it: +5.1%, −0.3个百分点; what a sentence calls 持平 is 0.0."""
    return NONE if ratio is None else rounding.signed(ratio) + ("个百分点" if unit == "%" else "%")


def gap(number: Number | None, unit: str) -> str:
    """How far a target is missed: 2.5个百分点, 0.80人."""
    if number is None:
        return NONE
    if unit == "%":
        return f"{spelled(abs(exact(number)) * 100, 1)}个百分点"
    return f"{amount(abs(exact(number)), unit)}{unit}"


def plain(number: Number | None) -> str:
    """Every digit, for machines; empty where there is none."""
    return "" if number is None else f"{exact(number):f}"


def joined(name: str) -> str:
    """A name as it stands in running text, where Chinese and digits are not set apart by spaces."""
    return name.replace(" ", "")


def number_in_year(period: Period) -> int:
    """Which month or quarter of its year; 1 for a year."""
    match period.kind:
        case "month":
            return period.starts_on.month
        case "quarter":
            return (period.starts_on.month + 2) // 3
        case _:
            return 1
