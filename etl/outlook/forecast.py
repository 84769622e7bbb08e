"""Forecast: weekly totals of counties in the coming weeks, where they have been nearer than the naive way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from etl.catalog import Catalog
from etl.catalog.early_sight import Forecast
from etl.outlook.model import Outlook, forecast_series
from etl.outlook.read import read_figures, read_measures
from etl.outlook.weeks import WEEK, count_weeks
from etl.plausibility.history import Array, day_kinds, read_reporting
from etl.rounding import rounded
from etl.warehouse import copy_csv, run_sql

FORECAST_LOCK = 7_300_018
MEASURED = [
    "starts_on", "division_id", "measure_id", "model_error", "naive_error", "pairs", "is_shown", "reason_zh",
    "observed", "forecast", "upper_limit", "question_zh", "forecast_on",
]  # fmt: skip
WEEKS = ["starts_on", "division_id", "measure_id", "week_date", "value", "lower", "upper"]


def forecast_counties(engine: Engine, catalog: Catalog, today: date) -> int:
    """Write the forecasts made in the week of a day; returns how many county's measures are shown.

    today: the day in Asia/Shanghai; the first week forecast is its own, from Monday on. What was forecast in earlier
    weeks stays. With the same tables and day the same rows; one transaction; the cost is that of the declared weeks,
    whatever the years stored.
    """
    rule = catalog.outlook.get("forecast")
    if not isinstance(rule, Forecast):
        return 0
    starts_on = monday_of(today)
    with engine.begin() as conn:
        conn.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": FORECAST_LOCK})
        measured, weeks = _rows(conn, catalog, rule, starts_on, today)
        run_sql(conn, "outlook/forget_forecasts", {"starts_on": starts_on})
        for table, rows in (("forecast_measured", measured), ("forecast_week", weeks)):
            body = rows.to_csv(index=False, header=False).encode()
            copy_csv(conn, f"mart.{table}", list(rows.columns), body)
    return int(measured["is_shown"].sum())


def monday_of(day: date) -> date:
    """The Monday of the day's week."""
    return day - timedelta(days=day.weekday())


def _rows(
    conn: Connection, catalog: Catalog, rule: Forecast, starts_on: date, today: date
) -> tuple[pd.DataFrame, pd.DataFrame]:
    counties = run_sql(conn, "outlook/counties", {"day": today}).all()
    measures = read_measures(conn, rule.measures)
    measured: list[tuple[Any, ...]] = []
    weeks: list[tuple[Any, ...]] = []
    if counties:
        values = _read_known(
            conn, rule, starts_on, np.array([each.division_id for each in counties]), measures
        )
        days = rule.weeks * WEEK
        first = starts_on - timedelta(days=days)
        kinds = day_kinds(
            [first + timedelta(days=number) for number in range(days + rule.horizon_weeks * WEEK)],
            catalog.calendars[rule.calendar],
        )
        fitted = days - (rule.origins + rule.horizon_weeks - 1) * WEEK
        for column, measure in enumerate(measures):
            series = count_weeks(values[:, :, column], kinds, rule.horizon_weeks, fitted)
            for county, found in zip(counties, forecast_series(series, rule), strict=True):
                key = (starts_on, county.division_id, measure.measure_id)
                words = (county.division_name, measure.measure_name, measure.unit)
                reason = hide_reason(found, rule, measure.unit)
                measured.append((*key, *_measured(found, reason, rule, words), today))
                if found is not None and reason is None:
                    for step in range(rule.horizon_weeks):
                        week = starts_on + timedelta(weeks=step)
                        limits = int(found.lower[step]), int(found.upper[step])
                        weeks.append((*key, week, round(float(found.value[step]), 1), *limits))
    frame = pd.DataFrame(measured, columns=MEASURED).astype({"observed": "Int64", "is_shown": bool})
    return frame, pd.DataFrame(weeks, columns=WEEKS)


def hide_reason(found: Outlook | None, rule: Forecast, unit: str) -> str | None:
    """Why a forecast is not shown; None where it is: its error lies below the naive one's by the declared share."""
    if found is None:
        return f"可用历史不足（至少需要 {rule.fewest_weeks + rule.origins} 周），不作预测"
    if found.model_error > (1 - rule.least_gain) * found.naive_error or found.naive_error == 0:
        return (
            f"预测的平均误差 {rounded(found.model_error, 1)} {unit}，"
            f"沿用上周或上年同周的误差 {rounded(found.naive_error, 1)} {unit}，"
            "未见明显更准，不予显示"
        )
    return None


def rise_question(found: Outlook, rule: Forecast, words: tuple[str, str, str]) -> str | None:
    """The question about a last week above its limit; None where it is not, or where not all its days are known."""
    if not (found.observed > found.limit and found.observed - found.expected >= rule.least_rise):
        return None
    county, measure, unit = words
    return (
        f"{county}上周{measure} {rounded(found.observed, 0)} {unit}，此前预测约 {rounded(found.expected, 0)} {unit}，"
        f"通常不超过 {rounded(found.limit, 0)} {unit}；是否出现新情况，请了解核实"
    )


def _measured(
    found: Outlook | None, reason: str | None, rule: Forecast, words: tuple[str, str, str]
) -> tuple[Any, ...]:
    if found is None:
        return None, None, 0, False, reason, None, None, None, None
    is_known = bool(np.isfinite(found.observed))
    return (
        round(found.model_error, 3), round(found.naive_error, 3), found.pairs, reason is None, reason,
        int(found.observed) if is_known else None, round(found.expected, 1) if is_known else None,
        round(found.limit, 1) if is_known else None, rise_question(found, rule, words) if reason is None else None,
    )  # fmt: skip


def _read_known(
    conn: Connection, rule: Forecast, starts_on: date, divisions: Array, measures: Sequence[Any]
) -> Array:
    """Daily totals by county, day and measure; NaN on days that are not rolled up or lack too many reports."""
    first = starts_on - timedelta(weeks=rule.weeks)
    days = [first + timedelta(days=number) for number in range(rule.weeks * WEEK)]
    units = read_reporting(conn, days, divisions)
    values = read_figures(
        conn, "plausibility/total_figures", days, divisions, [each.cell_id for each in measures]
    )
    is_known = units.is_rolled_up & (units.reported >= rule.least_reported * units.expected)
    values[~is_known] = np.nan
    return values
