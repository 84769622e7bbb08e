"""Words for figures, the same in sentences, tables and pictures. Halves are rounded up; what is missing is —."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from etl.periods import Period

NOTHING = "—"
Number = int | float | Decimal


def exact(number: Number) -> Decimal:
    """The number as a decimal; a float by its shortest spelling."""
    return Decimal(repr(number)) if isinstance(number, float) else Decimal(number)


def rounded(number: Number, places: int) -> Decimal:
    """Rounded, halves away from zero; never a negative zero."""
    result = exact(number).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return abs(result) if result.is_zero() else result


def count(number: Number | None) -> str:
    """1,234."""
    return NOTHING if number is None else f"{rounded(number, 0):,}"


def percent(ratio: Number | None, places: int = 1) -> str:
    """0.956 is 95.6%."""
    return NOTHING if ratio is None else f"{rounded(exact(ratio) * 100, places)}%"


def amount(number: Number | None, unit: str) -> str:
    """A value in the unit it is kept in: rates are ratios and shown in percent, whole numbers without decimals."""
    if number is None:
        return NOTHING
    if unit == "%":
        return percent(number)
    is_whole = exact(number) == rounded(number, 0)
    return count(number) if is_whole else f"{rounded(number, 2):,}"


def change(ratio: Number | None, unit: str) -> str:
    """As a sentence says it: 增长5.1%, 下降0.3个百分点, 持平."""
    if ratio is None:
        return NOTHING
    points = rounded(exact(ratio) * 100, 1)
    if points == 0:
        return "持平"
    if unit == "%":
        return f"{'上升' if points > 0 else '下降'}{abs(points)}个百分点"
    return f"{'增长' if points > 0 else '下降'}{abs(points)}%"


def signed(ratio: Number | None, unit: str) -> str:
    """As a table says it: +5.1%, -0.3个百分点; what a sentence calls 持平 is 0.0."""
    if ratio is None:
        return NOTHING
    points = rounded(exact(ratio) * 100, 1)
    sign = "+" if points > 0 else "-" if points < 0 else ""
    return f"{sign}{abs(points)}{'个百分点' if unit == '%' else '%'}"


def gap(number: Number | None, unit: str) -> str:
    """How far a target is missed: 2.5个百分点, 0.80人."""
    if number is None:
        return NOTHING
    if unit == "%":
        return f"{rounded(abs(exact(number)) * 100, 1)}个百分点"
    return f"{amount(abs(exact(number)), unit)}{unit}"


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
