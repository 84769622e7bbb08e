"""Halves go away from zero, on the decimal value, wherever a figure is shown (四舍五入)."""

from __future__ import annotations

import ast
import re
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

import etl
from etl.bulletin import words
from etl.portal import figures
from etl.rounding import amount, percent, signed, spelled

WHOLE = {
    "balance.py", "gate.py", "plausibility/habits.py", "return_sheet/hints.py", "return_sheet/workbook.py",
    "sources/frames.py", "sources/rest.py",
}  # fmt: skip
"""Modules that spell whole numbers which are kept as floats (.0f)."""
WIDTHS = "reports/formats.py"
"""Counts the characters of figures; shows none."""


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (spelled(Decimal("0.125"), 2), "0.13"),
        (spelled(Decimal("-0.125"), 2), "\u22120.13"),
        (spelled(Decimal("2.5")), "3"),
        (spelled(0.5), "1"),
        (spelled(1.005, 2), "1.01"),  # as a binary float it lies below the half
        (spelled(2.675, 2), "2.68"),
        (spelled(np.float64(0.125), 2), "0.13"),
        (spelled(Decimal("-0.004"), 2), "0.00"),
        (spelled(1234567), "1,234,567"),
        (spelled(None, 2), "—"),
        (percent(Decimal("0.1225")), "12.3%"),
        (percent(Decimal("0.1235")), "12.4%"),
        (percent(0.1225), "12.3%"),
        (percent(Decimal("0.12249999999999999999")), "12.2%"),
        (percent(Decimal("0.125"), 0), "13%"),
        (percent(Decimal("-0.0005")), "\u22120.1%"),
        (percent(None), "—"),
        (signed(Decimal("-0.0005")), "\u22120.1"),
        (signed(Decimal("-0.00049")), "0.0"),
        (signed(Decimal("0.0005")), "+0.1"),
        (signed(None), "—"),
        (amount(Decimal("12.00")), "12"),
        (amount(Decimal("4.125")), "4.13"),
    ],
)
def test_halves_go_away_from_zero_on_the_decimal_value(written: str, shown: str) -> None:
    assert written == shown


@pytest.mark.parametrize("value", ["0.1225", "0.125", "-0.0005", "-0.00049", "0.98345", "12.3455", "0"])
def test_portal_and_bulletin_write_a_figure_alike(value: str) -> None:
    number = Decimal(value)
    assert figures.percent(number) == words.percent(number) == words.amount(number, "%")
    assert figures.change(number) == words.signed(number, "件")
    assert f"{figures.points(number)}个百分点" == words.signed(number, "%")
    assert figures.count(number) == words.amount(number, "人")
    assert figures.score(number) == words.score(number)


def test_no_module_rounds_what_it_shows_in_a_way_of_its_own() -> None:
    folder, looked, own = Path(etl.__file__).parent, 0, set()
    for file in sorted(folder.rglob("*.py")):
        name = file.relative_to(folder).as_posix()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FormattedValue) and node.format_spec is not None:
                looked += 1
                spec = ast.unparse(node.format_spec)
                if (
                    re.search(r"\.[^%]+[f%]'$", spec)
                    and name != WIDTHS
                    and (name not in WHOLE or ".0f" not in spec)
                ):
                    own.add(f"{name}: {spec}")
    assert looked > 50
    assert own == set()
