"""What a cell of a table says: a figure, zero, missing, not listed, not due, not applicable."""

from __future__ import annotations

import pytest

from etl.catalog import Level, Measure, load_catalog
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
