"""Expectations that Great Expectations has not got. Each holds its rule once, as `breaks`: the bulk run asks it, and
`etl.validation` locates the rows with it. In Data Docs each shows the description that its suite gives it.
"""

from __future__ import annotations

from typing import Any, Literal

import pandas as pd
from great_expectations.execution_engine import PandasExecutionEngine
from great_expectations.expectations.expectation import ColumnMapExpectation, ColumnPairMapExpectation
from great_expectations.expectations.metrics.map_metric_provider import (
    ColumnMapMetricProvider,
    ColumnPairMapMetricProvider,
    column_condition_partial,
    column_pair_condition_partial,
)

PAIR_KEYS = (
    "batch_id",
    "table",
    "column_A",
    "column_B",
    "row_condition",
    "condition_parser",
    "ignore_row_if",
)


class WholeValues(ColumnMapMetricProvider):
    """The figure is a whole number."""

    condition_metric_name = "column_values.whole"

    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column: pd.Series, **_: Any) -> pd.Series:
        return ~ExpectColumnValuesToBeWhole.breaks(column)


class ExpectColumnValuesToBeWhole(ColumnMapExpectation):
    """Counts are whole: 2.5 件 is an error of the sender, not half a case."""

    map_metric = "column_values.whole"
    success_keys = ("mostly",)

    @staticmethod
    def breaks(column: pd.Series) -> pd.Series:
        return column % 1 != 0


class PairExpectation(ColumnPairMapExpectation):
    """Two columns, asked where both have a value."""

    ignore_row_if: Literal["either_value_is_missing"] = "either_value_is_missing"
    domain_keys = PAIR_KEYS
    success_keys = ("column_A", "column_B", "ignore_row_if", "mostly")


class StatedTotals(ColumnPairMapMetricProvider):
    """What the sender states equals what its rows add up to."""

    condition_metric_name = "column_pair_values.stated_total"
    condition_domain_keys = PAIR_KEYS

    @column_pair_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column_A: pd.Series, column_B: pd.Series, **_: Any) -> pd.Series:
        return ~ExpectStatedTotalToEqualItsRows.breaks(column_A, column_B)


class ExpectStatedTotalToEqualItsRows(PairExpectation):
    """合计 and totals against the rows they are for, the five answers against survey_answered (domain.md section 2)."""

    map_metric = "column_pair_values.stated_total"

    @staticmethod
    def breaks(stated: pd.Series, summed: pd.Series) -> pd.Series:
        return stated != summed


class PartsOfWhole(ColumnPairMapMetricProvider):
    """A part is no larger than its whole."""

    condition_metric_name = "column_pair_values.part_of_whole"
    condition_domain_keys = PAIR_KEYS

    @column_pair_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column_A: pd.Series, column_B: pd.Series, **_: Any) -> pd.Series:
        return ~ExpectPartToBeAtMostItsWhole.breaks(column_A, column_B)


class ExpectPartToBeAtMostItsWhole(PairExpectation):
    """Answered ≤ asked, calls answered ≤ calls (domain.md section 2, ruling 13)."""

    map_metric = "column_pair_values.part_of_whole"

    @staticmethod
    def breaks(part: pd.Series, whole: pd.Series) -> pd.Series:
        return part > whole


CUSTOM = {
    "expect_column_values_to_be_whole": ExpectColumnValuesToBeWhole,
    "expect_stated_total_to_equal_its_rows": ExpectStatedTotalToEqualItsRows,
    "expect_part_to_be_at_most_its_whole": ExpectPartToBeAtMostItsWhole,
}
"""Those that suites may name, by type."""
