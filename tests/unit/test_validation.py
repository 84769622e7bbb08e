"""Every expectation of the suites can fail: each has a row that trips it, and the mask finds just that row."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from etl import validation
from etl.settings import EXPECTATIONS_DIR
from etl.validation import SuiteError, validate

PARAMETERS = {
    "days": ["2026-03-02"],
    "measures": ["consultation"],
    "channels": ["physical"],
    "measures_at_levels": ["consultation@village"],
    "measures_in_channels": ["consultation@physical"],
}
GOOD: dict[str, Any] = {
    "problem": None,
    "is_personal": False,
    "division_id": 7.0,
    "level": "village",
    "is_in_area": True,
    "date": "2026-03-02",
    "measure": "consultation",
    "channel": "physical",
    "measure_at_level": "consultation@village",
    "measure_in_channel": "consultation@physical",
    "value": 3.0,
    "ceiling": 100.0,
    "figure_key": 1.0,
    "is_ambiguous": False,
}
BAD: list[dict[str, Any]] = [
    {"problem": "不是对象"},
    {"is_personal": True},
    {"division_id": np.nan},
    {"level": None},
    {"is_in_area": False},
    {"date": "2026-03-03"},
    {"measure": "unheard_of"},
    {"channel": "pigeon"},
    {"measure_at_level": "consultation@moon"},
    {"measure_in_channel": "consultation@pigeon"},
    {"value": np.nan},
    {"value": -1.0},
    {"value": 4.5},
    {"ceiling": 2.0},
    {"figure_key": 2.0},
    {"is_ambiguous": True},
]
"""One change per expectation of daily.json, in its order."""
OF_DAILY_ALONE = ("channel", "measure_in_channel", "is_ambiguous")
BAD_OF = {"daily": BAD, "stocks": [bad for bad in BAD if not bad.keys() & set(OF_DAILY_ALONE)]}
"""Stocks have no channel and come from no database; all other rules are the same."""
CASES = [(suite, number) for suite, bad in BAD_OF.items() for number in range(len(bad))]


def frame(*rows: dict[str, Any]) -> pd.DataFrame:
    made = pd.DataFrame([GOOD | {"figure_key": float(n + 1)} | row for n, row in enumerate(rows)])
    texts = ["problem", "level", "date", "measure", "channel", "measure_at_level", "measure_in_channel"]
    return made.astype(dict.fromkeys(texts, "category"))


def declared(suite: str) -> list[dict[str, Any]]:
    expectations: list[dict[str, Any]] = json.loads((EXPECTATIONS_DIR / f"{suite}.json").read_text())[
        "expectations"
    ]
    return expectations


@pytest.mark.parametrize("suite", BAD_OF)
def test_there_is_a_bad_row_for_every_expectation(suite: str) -> None:
    assert len(BAD_OF[suite]) == len(declared(suite)) > 0


@pytest.mark.parametrize("suite", BAD_OF)
def test_good_rows_break_nothing(suite: str) -> None:
    assert validate(suite, frame({}, {}, {}), PARAMETERS).broken == []


@pytest.mark.parametrize(("suite", "number"), CASES)
def test_each_expectation_is_tripped_by_its_bad_row_and_by_no_other(suite: str, number: int) -> None:
    bad = BAD_OF[suite][number]
    rows = frame({"figure_key": 2.0}, bad) if "figure_key" in bad else frame({}, bad)
    broken = validate(suite, rows, PARAMETERS).broken
    assert [each.meta for each in broken] == [declared(suite)[number]["meta"]]
    both = "figure_key" in bad
    assert broken[0].rows.tolist() == [both, True]


@pytest.mark.parametrize(
    ("bad", "number"),
    [
        ({"stated": 5.0, "equal_to": 4.0, "at_most": np.nan}, 0),
        ({"stated": 5.0, "equal_to": np.nan, "at_most": 4.0}, 1),
    ],
)
def test_each_balance_expectation_is_tripped_by_its_bad_row(bad: dict[str, float], number: int) -> None:
    good = {"stated": 5.0, "equal_to": 5.0, "at_most": 6.0}
    broken = validate("balance", pd.DataFrame([good, bad]), {}).broken
    assert [each.meta for each in broken] == [declared("balance")[number]["meta"]]
    assert broken[0].rows.tolist() == [False, True]
    assert len(declared("balance")) == 2


@pytest.fixture
def suite_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Declares a suite of its own for one test."""
    monkeypatch.setattr(validation, "EXPECTATIONS_DIR", tmp_path)
    validation._declared.cache_clear()

    def declare(*expectations: dict[str, Any]) -> None:
        (tmp_path / "own.json").write_text(json.dumps({"name": "own", "expectations": list(expectations)}))

    yield declare
    validation._declared.cache_clear()


def test_an_empty_suite_is_refused_because_it_would_succeed(suite_of: Any) -> None:
    suite_of()
    with pytest.raises(SuiteError, match="declares no expectation"):
        validate("own", frame({}), {})


def test_a_misspelt_expectation_is_refused_because_it_would_be_dropped(suite_of: Any) -> None:
    suite_of({"type": "expect_column_values_to_be_in_sett", "kwargs": {"column": "value"}, "meta": {}})
    with pytest.raises(SuiteError, match="expect_column_values_to_be_in_sett"):
        validate("own", frame({}), {})


def test_an_expectation_that_cannot_be_evaluated_is_an_error_and_no_pass(suite_of: Any) -> None:
    suite_of({"type": "expect_column_values_to_be_null", "kwargs": {"column": "not_there"}, "meta": {}})
    with pytest.raises(SuiteError, match="raised"):
        validate("own", frame({}), {})
