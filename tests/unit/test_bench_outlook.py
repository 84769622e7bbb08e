"""The benchmark of early sight hides what it says, and counts errors as it says, on a county drawn for the purpose."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from bench.drawn.early_sight import Drawn, Hidden, Looked, county_days, gather, hide, judge, look, tell
from bench.drawn.history import draw_months
from etl.catalog import Catalog, load_catalog
from etl.catalog.early_sight import Estimate, Forecast
from etl.periods.period import Period
from etl.settings import DIVISIONS_FILE

MEASURES = ["consultation", "dispute_found", "mediation_accepted"]
MONTH = Period.parse("2026-03")
COUNTY = "371302000000"


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(None)


@pytest.fixture(scope="module")
def drawn(catalog: Catalog) -> Drawn:
    """One county with all below it, over 61 weeks."""
    every = pd.read_csv(DIVISIONS_FILE, dtype=str)
    codes = {"370000000000", "371300000000", COUNTY}
    for _ in range(2):
        codes |= set(every.loc[every["parent_code"].isin(codes - {"370000000000", "371300000000"}), "code"])
    months = draw_months(catalog, every[every["code"].isin(codes)], date(2025, 2, 3), date(2026, 4, 5), 5)
    return gather(months, catalog, MEASURES, "workdays")


@pytest.fixture(scope="module")
def rule(catalog: Catalog) -> Estimate:
    declared = catalog.outlook["estimate"]
    assert isinstance(declared, Estimate)
    return declared.model_copy(update={"measures": tuple(MEASURES)})


def test_nothing_hidden_is_nothing_estimated(drawn: Drawn, rule: Estimate) -> None:
    whole = replace(drawn, sent=np.ones_like(drawn.sent))
    found = look(whole, Hidden(MONTH, 31, 0.0, "any"), rule, 1)
    assert found.complete[-1, 0] > 100
    for part in (found.reported, found.estimate, found.lower, found.upper, found.naive):
        assert part.tolist() == found.complete.tolist()


def test_as_much_is_hidden_as_is_said_and_nothing_of_the_history(drawn: Drawn, rule: Estimate) -> None:
    whole = replace(drawn, sent=np.ones_like(drawn.sent))
    tally, complete = hide(whole, Hidden(MONTH, 20, 0.3, "any"), rule, 1)
    due = tally.sent + tally.missing
    assert tally.is_asked.sum() == 31
    over = tally.is_asked & (np.arange(len(tally.kinds)) < rule.history_days + 20)
    assert tally.sent[:, over].sum() / due[:, over].sum() == pytest.approx(0.7, abs=0.03)
    assert tally.sent[:, rule.history_days + 20 :].sum() == 0
    assert tally.sent[:, ~tally.is_asked].sum() / due[:, ~tally.is_asked].sum() > 0.98
    assert (tally.values[:, tally.is_asked].sum(axis=1) <= complete).all()


def test_the_same_units_stay_silent_for_the_whole_month(drawn: Drawn, rule: Estimate) -> None:
    tally, _ = hide(drawn, Hidden(MONTH, 31, 0.5, "same"), rule, 1)
    townships = tally.group == 2
    reports = tally.sent[townships][:, tally.is_asked].sum(axis=1)
    assert 0 < (reports == 0).sum() < townships.sum()
    assert ((reports == 0) | (reports > 15)).all()


def test_errors_are_counted_as_said() -> None:
    one = np.array([[100.0], [10.0], [50.0]])
    upper = one + np.array([[20], [20], [-1]])
    looked = Looked(one, one, one + np.array([[10], [1], [-10]]), one - 5, upper, one * 1.5)
    found = judge([looked], np.array([2, 2, 2]), "county")
    assert (found.cells, found.within) == (3, pytest.approx(2 / 3))
    assert (found.bias, found.error) == (pytest.approx(1 / 160), pytest.approx(21 / 160))
    assert found.mape == pytest.approx((0.1 + 0.2) / 2), "the total of 10 is left out"
    assert (found.naive_error, found.naive_mape) == (pytest.approx(0.5), pytest.approx(0.5))
    assert found.half_width == pytest.approx((25 / 2 / 100 + 4 / 2 / 50) / 2)


def test_estimates_of_a_hidden_month_come_nearer_than_what_was_reported(drawn: Drawn, rule: Estimate) -> None:
    found = look(drawn, Hidden(MONTH, 31, 0.3, "same"), rule, 1)
    for name in ("province", "county", "township"):
        error = judge([found], drawn.level, name)
        assert error.cells > 0
        assert 0 <= error.within <= 1
        assert (
            error.error < 1 - found.reported[drawn.level == 0].sum() / found.complete[drawn.level == 0].sum()
        )


def test_weeks_are_forecast_as_if_it_were_then(drawn: Drawn, catalog: Catalog) -> None:
    rule = catalog.outlook["forecast"]
    assert isinstance(rule, Forecast)
    days, kinds, first = county_days(drawn, [0, 1])
    assert days.shape == (1, 61 * 7, 2)
    assert (first.weekday(), len(kinds)) == (0, 61 * 7)
    origins = [56, 57]
    told = tell(days[:, :, 0], kinds, origins, rule)
    assert told.came.shape == told.told.shape == told.naive.shape == (2, 1, 4)
    assert told.came[0, 0].tolist() == days[0, 56 * 7 : 60 * 7, 0].reshape(4, 7).sum(axis=1).tolist()
    later = days.copy()
    later[:, 56 * 7 :] *= 3
    assert tell(later[:, :, 0], kinds, origins[:1], rule).told.tolist() == told.told[:1].tolist()
    assert not told.risen[0].any()
    assert tell(days[:, :, 0], kinds, origins, rule, 3.0).risen.all()
