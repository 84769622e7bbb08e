"""Rounding (四舍五入): how a number is cut down to the digits that people read, wherever they read it.

Halves go away from zero, on the decimal value: 0.125 is 0.13, -0.125 is -0.13. `round()` and format take halves to
even, and a float by its binary value (docs/decisions/0012).
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

Number = int | float | Decimal
NONE = "—"
MINUS = "\u2212"


def exact(number: Number) -> Decimal:
    """The number as a decimal; a float by its shortest spelling."""
    return Decimal(str(number))


def rounded(number: Number, places: int) -> Decimal:
    """Rounded, halves away from zero; never a negative zero."""
    result = exact(number).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return abs(result) if result.is_zero() else result


def spelled(number: Number | None, places: int = 0) -> str:
    """1,234 or 1,234.50; — for None."""
    return NONE if number is None else f"{rounded(number, places):,}".replace("-", MINUS)


def amount(number: Number | None) -> str:
    """Whole numbers without decimals, others with two."""
    if number is None:
        return NONE
    is_whole = exact(number) == rounded(number, 0)
    return spelled(number, 0 if is_whole else 2)


def percent(ratio: Number | None, places: int = 1) -> str:
    """0.956 is 95.6%."""
    return NONE if ratio is None else spelled(exact(ratio) * 100, places) + "%"


def signed(ratio: Number | None) -> str:
    """A change in hundredths with its sign and without a unit: +5.1, \u22120.3, and 0.0 for what rounds to nothing."""
    if ratio is None:
        return NONE
    hundredths = rounded(exact(ratio) * 100, 1)
    return ("+" if hundredths > 0 else "") + spelled(hundredths, 1)


def share(part: int, whole: int) -> Decimal | None:
    """A ratio of counts, 1 = 100 %; None where there is nothing to divide by."""
    return Decimal(part) / whole if whole else None
