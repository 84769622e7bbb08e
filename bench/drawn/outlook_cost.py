"""What estimates and forecasts of a whole province cost in a warehouse."""

from __future__ import annotations

import io
from datetime import date, timedelta
from time import perf_counter, process_time

import numpy as np
import pandas as pd
import psycopg

from bench.databases import connect, make_warehouse, open_engine, own_server
from bench.drawn.history import draw_months, load_months
from bench.process import Measured, peak, run_apart
from etl.catalog import Catalog, load_catalog
from etl.catalog.early_sight import Estimate, Forecast
from etl.outlook import estimate_period, forecast_counties
from etl.periods.period import Period
from etl.plausibility.history import Array
from etl.settings import DIVISIONS_FILE

MONTH, TODAY = Period.parse("2026-03"), date(2026, 3, 23)
"""The month that is estimated and the day on which it is; the days before it are in."""
SEED = 11
COST = """
## Cost

A province's {month} on {today} with {days} days before it, and {weeks} weeks of its counties; one process on one core,
once warm. Villages' nil reports are not stored here.
"""
# Totals of townships, which the drawn months leave out, and reporting of the province.
FURTHER = [
    """
    INSERT INTO mart.daily_sum (stat_date, division_id, cells, figures)
    SELECT figure.stat_date, figure.division_id, array_agg(figure.cell_id), array_agg(figure.value)
    FROM (
    SELECT figure.stat_date, figure.division_id, all_cell.cell_id, sum(figure.value)::bigint AS value
    FROM (
        SELECT
            submission.stat_date,
            CASE place.level WHEN 'village' THEN place.parent_id ELSE submission.unit_id END AS division_id,
            unnest(submission.cells) AS cell_id,
            unnest(submission.figures) AS value
        FROM core.submission
        JOIN core.division_period AS place ON place.division_id = submission.unit_id
        WHERE place.level IN ('township', 'village')
    ) AS figure
    JOIN core.cell USING (cell_id)
    JOIN core.cell AS all_cell ON all_cell.measure_id = cell.measure_id AND all_cell.channel_id = 0
    GROUP BY figure.stat_date, figure.division_id, all_cell.cell_id
    ) AS figure
    GROUP BY figure.stat_date, figure.division_id
    """,
    """
    INSERT INTO mart.daily_reporting
    SELECT
        reporting.stat_date, place.parent_id, false, false, false, true, sum(reporting.units_expected),
        sum(reporting.units_reported)
    FROM mart.daily_reporting AS reporting
    JOIN core.division_period AS place ON place.division_id = reporting.division_id AND place.level = 'city'
    GROUP BY reporting.stat_date, place.parent_id
    """,
]
PERIOD = [
    "SELECT mart.ensure_period(%(name)s, 'month', %(first)s, %(last)s)",
    "UPDATE mart.period SET totalled_at = clock_timestamp()",
    """
    INSERT INTO mart.period_sum (period_id, division_id, cells, figures)
    SELECT total.period_id, total.division_id, array_agg(total.cell_id), array_agg(total.value)
    FROM (
        SELECT period.period_id, total.division_id, total.cell_id, sum(total.value)::bigint AS value
        FROM mart.daily_total AS total, mart.period
        WHERE total.stat_date BETWEEN %(first)s AND %(last)s
        GROUP BY period.period_id, total.division_id, total.cell_id
    ) AS total
    GROUP BY total.period_id, total.division_id
    """,
    """
    INSERT INTO mart.period_reporting (
        period_id, division_id, last_day, is_leaf, days_known, expected, received, on_time, late, reported, nil_levels
    )
    SELECT
        period.period_id, reporting.division_id, max(reporting.stat_date), false, count(*),
        sum(reporting.units_expected), sum(reporting.units_reported), sum(reporting.units_reported), 0,
        sum(reporting.units_reported), 0
    FROM mart.daily_reporting AS reporting, mart.period
    WHERE reporting.stat_date BETWEEN %(first)s AND %(last)s
    GROUP BY period.period_id, reporting.division_id
    """,
]


def describe_cost(catalog: Catalog, days: Array, first_day: date) -> list[str]:
    """Seconds and memory of one estimate and one forecast of the province, each in a process of its own, once warm.

    days: daily totals by county, day from the first on, and measure of the forecasts.
    """
    estimate, forecast = catalog.outlook["estimate"], catalog.outlook["forecast"]
    assert isinstance(estimate, Estimate)
    assert isinstance(forecast, Forecast)
    lines = [
        COST.format(month=MONTH.name, today=TODAY, days=estimate.history_days, weeks=forecast.weeks),
        "| what | rows written | estimated or shown | seconds | of these the program's own | memory peak |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    with own_server() as server:
        url = server.url("outlook")
        first = MONTH.starts_on - timedelta(days=estimate.history_days)
        cells = make_warehouse(server, "outlook", catalog, first)
        months = draw_months(
            catalog, pd.read_csv(DIVISIONS_FILE, dtype=str), first, TODAY - timedelta(days=1), SEED
        )
        with connect(server, "outlook") as conn:
            load_months(conn, months, cells)
            conn.execute("ANALYZE")
            for query in FURTHER:
                conn.execute(query)
            for query in PERIOD:
                conn.execute(query, {"name": MONTH.name, "first": MONTH.starts_on, "last": MONTH.ends_on})
            _load_counties(conn, days, first_day, months.codes["county"], cells, forecast, first)
        with connect(server, "outlook", autocommit=True) as conn:
            conn.execute("ANALYZE")
        for words, function, table, is_told in (
            (
                "estimates of all divisions but villages",
                run_estimate,
                "period_estimate",
                "estimate IS NOT NULL",
            ),
            ("forecasts of 151 counties", run_forecast, "forecast_measured", "is_shown"),
        ):
            run = run_apart(function, url)
            query = f"SELECT count(*), count(*) FILTER (WHERE {is_told}) FROM mart.{table}"
            with connect(server, "outlook") as conn:
                ((count, told),) = conn.execute(query).fetchall()
            lines.append(
                f"| {words} | {count:,} | {told:,} | {run.total:.1f} | {run.inside['cpu']:.1f}"
                f" | {run.peak / (1 << 20):,.0f} MB |"
            )
    return lines


def run_estimate(url: str) -> Measured:
    """Estimate the month, once warm."""
    engine, catalog = open_engine(url), load_catalog(None)
    estimate_period(engine, catalog, MONTH, TODAY)
    begun, busy = perf_counter(), process_time()
    estimate_period(engine, catalog, MONTH, TODAY)
    return Measured({"estimate": perf_counter() - begun}, peak(), {"cpu": process_time() - busy})


def run_forecast(url: str) -> Measured:
    """Forecast all counties, once warm."""
    engine, catalog = open_engine(url), load_catalog(None)
    forecast_counties(engine, catalog, TODAY)
    begun, busy = perf_counter(), process_time()
    forecast_counties(engine, catalog, TODAY)
    return Measured({"forecast": perf_counter() - begun}, peak(), {"cpu": process_time() - busy})


def _load_counties(
    conn: psycopg.Connection,
    days: Array,
    first: date,
    codes: list[str],
    cells: dict[tuple[str, str], int],
    rule: Forecast,
    until: date,
) -> None:
    """Totals of counties on the days before, back to the first week of a forecast."""
    ids = dict(conn.execute("SELECT division_code, division_id FROM core.division").fetchall())
    start = max(TODAY - timedelta(days=TODAY.weekday(), weeks=rule.weeks), first)
    reporting, totals = io.StringIO(), io.StringIO()
    for number in range((until - start).days):
        day = start + timedelta(days=number)
        if number == 0 or day.day == 1:
            conn.execute("SELECT core.ensure_month(%s)", (day,))
        figures = days[:, (day - first).days].astype(np.int64)
        for county, code in enumerate(codes):
            reporting.write(f"{day},{ids[code]},f,t,t,t,100,99\n")
            found = [
                (cells[measure, "all"], value)
                for measure, value in zip(rule.measures, figures[county], strict=True)
                if value
            ]
            if found:
                lists = ('"{' + ",".join(map(str, each)) + '}"' for each in zip(*found, strict=True))
                totals.write(f"{day},{ids[code]},{','.join(lists)}\n")
    for table, body in (("daily_reporting", reporting), ("daily_sum", totals)):
        with conn.cursor().copy(f"COPY mart.{table} FROM STDIN (FORMAT csv)") as copy:
            copy.write(body.getvalue())
