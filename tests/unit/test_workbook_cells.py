"""What a cell of a table says: a figure, zero, missing, not listed, not due, not applicable."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from etl.catalog import Level, Measure, load_catalog
from etl.catalog.survey import survey_channels
from etl.reports.fill import _indicator_cell, _satisfaction_cell
from etl.reports.table import NoFigure
from etl.reports.units import Standing, mask_of

VILLAGE, COUNTY = mask_of((Level.VILLAGE,)), mask_of((Level.COUNTY,))
BOTH = VILLAGE | COUNTY


@pytest.fixture(scope="module")
def of_villages() -> Measure:
    measure = load_catalog(None).measures["counsel_duty_shift"]
    assert measure.levels == (Level.VILLAGE,)
    return measure


def test_a_reported_zero_stays_a_zero(of_villages: Measure) -> None:
    assert Standing(VILLAGE, due=VILLAGE).cell(0, of_villages) == 0


def test_a_nil_report_is_zero_in_what_the_unit_owes_and_only_there(of_villages: Measure) -> None:
    assert Standing(VILLAGE, VILLAGE, VILLAGE, nil=VILLAGE).cell(None, of_villages) == 0
    assert Standing(BOTH, BOTH, BOTH, nil=COUNTY).cell(None, of_villages) is NoFigure.NOT_LISTED
    assert Standing(COUNTY, COUNTY, COUNTY, nil=COUNTY).cell(None, of_villages) is NoFigure.NOT_APPLICABLE


def test_what_was_due_and_did_not_come_is_missing(of_villages: Measure) -> None:
    assert Standing(VILLAGE, due=VILLAGE).cell(None, of_villages) is NoFigure.MISSING
    assert Standing(BOTH, due=BOTH, received=COUNTY).cell(None, of_villages) is NoFigure.MISSING


def test_a_measure_left_out_of_a_submission_is_blank_not_zero(of_villages: Measure) -> None:
    assert Standing(VILLAGE, VILLAGE, received=VILLAGE).cell(None, of_villages) is NoFigure.NOT_LISTED


def test_nobody_due_that_day_is_not_the_same_as_never_reported(of_villages: Measure) -> None:
    assert Standing(BOTH, due=COUNTY).cell(None, of_villages) is NoFigure.NOT_DUE
    assert Standing(COUNTY, due=COUNTY).cell(None, of_villages) is NoFigure.NOT_APPLICABLE


def test_the_marks_of_cells_without_a_figure_all_differ() -> None:
    assert len({reason.value for reason in NoFigure} | {"0"}) == 6


def test_a_sample_too_small_is_shown_nowhere_not_even_inside_an_indicator() -> None:
    indicator = SimpleNamespace(
        value=0.75, numerator=3, denominator=4, target=0.9, attainment=0.83, status="not_met", is_small=True
    )
    for show in ("value", "numerator", "denominator", "attainment", "status"):
        assert _indicator_cell(indicator, show) is NoFigure.SUPPRESSED  # type: ignore[arg-type]
    indicator.is_small = False
    assert _indicator_cell(indicator, "numerator") == 3  # type: ignore[arg-type]
    hidden = SimpleNamespace(
        delivered=40, answered=None, rate=None, enough=False, note_zh="不予公布", rank_low=None
    )
    for show in ("answered", "rate", "enough", "ranks"):
        assert _satisfaction_cell(hidden, show) is NoFigure.SUPPRESSED  # type: ignore[arg-type]
    assert _satisfaction_cell(hidden, "delivered") == 40  # type: ignore[arg-type]


def test_indicators_of_the_survey_are_known_by_their_formula() -> None:
    catalog = load_catalog(None)
    found = {code for code in catalog.indicators if survey_channels(catalog, code)}
    assert "satisfaction_rate" in found
    assert "hotline_answer" not in found
