"""Estimate: what a period's totals will come to when everything is in, beside what is reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from etl.catalog import Calendar, Catalog, Level
from etl.catalog.early_sight import Estimate
from etl.failures import Refused
from etl.outlook.missing import Expected, Sum, Tally, expect_missing, sum_up
from etl.outlook.read import read_figures, read_measures
from etl.periods.period import Period
from etl.plausibility.history import Array, day_kinds, read_reporting
from etl.warehouse import copy_csv, run_sql

KINDS = ("month", "quarter")
"""Of a day the missing reports come within hours; a year's days to come are beyond any horizon."""
ESTIMATE_LOCK = 7_300_017
DEPTHS = {level.value: depth for depth, level in enumerate(Level, start=1)}
COLUMNS = [
    "period_id", "division_id", "measure_id", "value", "expected", "received", "late", "to_come", "estimate", "lower",
    "upper", "probability", "reason_zh", "estimated_on",
]  # fmt: skip


class PeriodNotTotalled(Refused):
    """Estimates stand beside a period's totals; the message says how to make these."""


def estimate_period(engine: Engine, catalog: Catalog, period: Period, today: date) -> int:
    """Write the estimates of a month or quarter that is totalled; returns how many rows, 0 for other periods.

    today: the day in Asia/Shanghai; with the same tables and day, the same rows. One transaction; the cost is that of
    the period and the declared history, whatever the years stored. A unit that moved within the period counts where it
    was last. Raises PeriodNotTotalled.
    """
    rule = catalog.outlook.get("estimate")
    if not isinstance(rule, Estimate) or period.kind not in KINDS:
        return 0
    with engine.begin() as conn:
        number = run_sql(conn, "outlook/totalled", {"period": period.name}).scalar_one_or_none()
        if number is None:
            raise PeriodNotTotalled(
                f"{period.name} is not totalled yet. Run: python -m etl indicators --period {period.name}"
            )
        conn.execute(
            sa.text("SELECT pg_advisory_xact_lock(:key, :period)"), {"key": ESTIMATE_LOCK, "period": number}
        )
        rows = _rows(conn, catalog, rule, period, number, today)
        run_sql(conn, "outlook/forget_estimates", {"period_id": number})
        copy_csv(conn, "mart.period_estimate", COLUMNS, rows.to_csv(index=False, header=False).encode())
    return len(rows)


@dataclass(frozen=True)
class _Reports:
    """What is due of a period, and what was due and came in the days before it, by stratum and day.

    Strata are the places' own units, and what is directly below each of them and is no place itself: villages.
    missing: as in Tally. below: pairs of stratum and division. late, to_come: reports by division. is_unknown: there
    are days to come of which nothing tells who is expected.
    """

    days: list[date]
    sent: Array
    missing: Array
    is_asked: Array
    below: Array
    late: Array
    to_come: Array
    is_unknown: bool


def _rows(
    conn: Connection, catalog: Catalog, rule: Estimate, period: Period, number: int, today: date
) -> pd.DataFrame:
    places = run_sql(conn, "outlook/places", {"period_id": number}).all()
    measures = read_measures(conn, rule.measures)
    if not places:
        return pd.DataFrame(columns=COLUMNS)
    calendar = catalog.calendars[rule.calendar]
    reports = _read_reports(conn, calendar, rule, period, places)
    missing = reports.late + reports.to_come
    nothing = np.zeros((len(places), len(measures)))
    sums, reasons = Sum(nothing, nothing, nothing), [_obstacle(rule, period, today, reports)] * len(places)
    if missing.any() and reasons[0] is None:
        # Thirteen weeks of figures are read only when something is estimated by them.
        tally = _read_tally(conn, calendar, reports, places, measures)
        expected = expect_missing(tally, rule)
        sums = sum_up(expected, tally.group, reports.below, len(places), rule.probability)
        reasons = _too_little_known(rule, reports, expected)
    values = _read_values(conn, number, places, measures)
    rows: list[tuple[Any, ...]] = []
    levels = [level.value for level in rule.levels]
    for line, place in enumerate(places):
        if place.level not in levels:
            continue
        for column, measure in enumerate(measures):
            depths = [DEPTHS[level.value] for level in catalog.measures[measure.measure].levels]
            if max(depths) < DEPTHS[place.level]:
                continue
            value = values[line, column]
            if np.isnan(value) and any(place.nil_levels & 1 << depth for depth in depths):
                value = 0.0
            limits = (sums.mean[line, column], sums.lower[line, column], sums.upper[line, column])
            found = _complete(limits, value, reasons[line], is_whole=not missing[line])
            rows.append(
                (
                    number, place.division_id, measure.measure_id, None if np.isnan(value) else int(value),
                    place.expected, place.received, int(reports.late[line]), int(reports.to_come[line]),
                    *found[:3], rule.probability, found[3], today,
                )
            )  # fmt: skip
    frame = pd.DataFrame(rows, columns=COLUMNS)
    counts = ["value", "estimate", "lower", "upper"]
    return frame.astype(dict.fromkeys(counts, "Int64"))


def _complete(
    expected: tuple[float, float, float], value: float, reason: str | None, *, is_whole: bool
) -> tuple[int | None, int | None, int | None, str | None]:
    """Estimate, limits, and the reason where there are none. expected: mean and limits of what is missing."""
    if is_whole and np.isnan(value):
        return None, None, None, "应报单位均已报送，但均未填报此指标"
    reported = 0 if np.isnan(value) else int(value)
    if is_whole:
        return reported, reported, reported, None
    if reason is not None:
        return None, None, None, reason
    mean, lower, upper = expected
    missing = min(max(round(float(mean)), int(lower)), int(upper))
    return reported + missing, reported + int(lower), reported + int(upper), None


def _obstacle(rule: Estimate, period: Period, today: date, reports: _Reports) -> str | None:
    """Why nothing that is missing of the period can be estimated."""
    ahead = (period.ends_on - today).days
    if ahead > rule.horizon_days:
        return f"距期末还有 {ahead} 天，超过可估算的 {rule.horizon_days} 天"
    return "本期尚有未汇总的日期，且没有同类日期可据以判断应报单位" if reports.is_unknown else None


def _too_little_known(rule: Estimate, reports: _Reports, expected: Expected) -> list[str | None]:
    """Why a division's totals cannot be estimated; None where they can."""
    missing = reports.late + reports.to_come
    unknown = np.zeros(len(missing))
    np.add.at(unknown, reports.below[1], expected.unknown[reports.below[0]])
    return [
        f"缺报 {int(all_)} 份，其中 {int(new)} 份的单位在期初前 {rule.history_days} 天以来报送不足"
        f" {rule.fewest_days} 天，历史不足，不作估算"
        if new > (1 - rule.least_known) * all_
        else None
        for all_, new in zip(missing, unknown, strict=True)
    ]


def _read_reports(
    conn: Connection, calendar: Calendar, rule: Estimate, period: Period, places: Sequence[Any]
) -> _Reports:
    first = period.starts_on - timedelta(days=rule.history_days)
    days = [first + timedelta(days=number) for number in range((period.ends_on - first).days + 1)]
    parent = _parents(places)
    units = read_reporting(conn, days, _ids(places))
    expected = np.concatenate([units.own_expected, _pooled(units.expected, units.own_expected, parent)])
    sent = np.concatenate([units.own_reported, _pooled(units.reported, units.own_reported, parent)])
    is_asked = np.array([day >= period.starts_on for day in days])
    works = np.array([calendar.is_worked(day) for day in days])
    is_open = is_asked & ~units.is_rolled_up
    missing = np.maximum(expected - sent, 0)
    is_unknown = False
    for day in np.flatnonzero(is_open):
        alike = np.flatnonzero(units.is_rolled_up & (works == works[day]))
        is_unknown |= len(alike) == 0
        if len(alike):
            missing[:, day] = expected[:, alike[-1]]
    below = _below(parent)
    due = np.zeros((2, len(places)))
    for line, part in enumerate((is_asked & ~is_open, is_open)):
        np.add.at(due[line], below[1], missing[:, part].sum(axis=1)[below[0]])
    return _Reports(days, sent, missing, is_asked, below, due[0], due[1], is_unknown)


def _read_tally(
    conn: Connection, calendar: Calendar, reports: _Reports, places: Sequence[Any], measures: Sequence[Any]
) -> Tally:
    """The reports with what was counted in them."""
    days, ids = reports.days, _ids(places)
    own = read_figures(conn, "outlook/own_figures", days, ids, [each.measure_id for each in measures])
    total = read_figures(conn, "plausibility/total_figures", days, ids, [each.cell_id for each in measures])
    is_leaf = np.array([place.is_leaf for place in places])
    total[is_leaf] = own[is_leaf]
    values = np.concatenate([own, _pooled(total, own, _parents(places))])
    group = np.array([DEPTHS[place.level] for place in places])
    return Tally(
        day_kinds(days, calendar),
        np.concatenate([group, group + len(DEPTHS)]),
        reports.sent,
        reports.missing,
        values,
        reports.is_asked,
    )


def _ids(places: Sequence[Any]) -> Array:
    return np.array([place.division_id for place in places])


def _parents(places: Sequence[Any]) -> Array:
    """By place, which of them is above it; -1 where none is."""
    row_of = {place.division_id: row for row, place in enumerate(places)}
    return np.array([row_of.get(place.parent_id, -1) for place in places])


def _pooled(total: Array, own: Array, parent: Array) -> Array:
    """What each place has beyond its own unit and the places directly below it."""
    rest = (total - own).astype(np.float64)
    has_parent = parent >= 0
    np.subtract.at(rest, parent[has_parent], total[has_parent].astype(np.float64))
    return np.maximum(rest, 0)


def _below(parent: Array) -> Array:
    """Pairs of stratum and place: a place's own unit and its villages count for it and for every place above it."""
    pairs = []
    for place in range(len(parent)):
        above = place
        while above >= 0:
            pairs += [(place, above), (place + len(parent), above)]
            above = int(parent[above])
    return np.array(pairs).T


def _read_values(conn: Connection, number: int, places: Sequence[Any], measures: Sequence[Any]) -> Array:
    """Reported totals by place and measure; NaN where there is no row."""
    row_of = {place.division_id: row for row, place in enumerate(places)}
    column_of = {each.measure_id: column for column, each in enumerate(measures)}
    slice_ = {"period_id": number, "divisions": list(row_of), "measures": list(column_of)}
    values = np.full((len(places), len(measures)), np.nan)
    for line in run_sql(conn, "outlook/period_values", slice_):
        values[row_of[line.division_id], column_of[line.measure_id]] = line.value
    return values
