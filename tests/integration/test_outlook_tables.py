"""Estimates and forecasts in the warehouse: beside the reported figures, never in them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from sqlalchemy.engine import Engine

from etl.catalog import Catalog, load_catalog
from etl.cli import main
from etl.outlook import estimate_period, forecast_counties
from etl.outlook.estimate import PeriodNotTotalled
from etl.periods.period import Period
from etl.register import register_catalog
from etl.settings import Settings
from etl.warehouse import open_warehouse

MARCH = Period.parse("2026-03")
FIRST = date(2025, 12, 1)
PROVINCE, CITY, COUNTY, TOWNSHIP = "370000000000", "371300000000", "371302000000", "371302001000"
PARENTS = {TOWNSHIP: COUNTY, COUNTY: CITY, CITY: PROVINCE}
LEVELS = {PROVINCE: "province", CITY: "city", COUNTY: "county", TOWNSHIP: "township"}
VILLAGES, VILLAGE_COUNT = 5, 2
"""Villages of the township, and what each counts on a working day. The county counts 10 every day, the township 6."""
OWN = {COUNTY: 10, TOWNSHIP: 6}


class Warehouse:
    """A warehouse whose marts are written straight into the tables: one county with one township and its villages."""

    def __init__(self, url: str, catalog: Catalog) -> None:
        self.catalog = catalog
        self.engine: Engine = open_warehouse(Settings(Path("/nonexistent"), url, "", None))
        self.cells = register_catalog(self.engine, catalog)
        with self.engine.connect() as conn:
            rows = conn.execute(sa.text("SELECT division_code, division_id FROM core.division")).all()
            self.ids = {row.division_code: row.division_id for row in rows}

    def run(self, query: str, **slice_: Any) -> None:
        with self.engine.begin() as conn:
            conn.execute(sa.text(query), slice_)

    def read(self, query: str, **slice_: Any) -> list[dict[str, Any]]:
        with self.engine.connect() as conn:
            return [dict(row._mapping) for row in conn.execute(sa.text(query), slice_)]

    def fill(self, last: date, missing: dict[str, set[date]], *, nil: bool = False) -> None:
        """Every day from the first to the last, but for the reports of units ('villages' for all five) that are
        missing; nil: all reports are."""
        days = pd.date_range(FIRST, last).date
        workdays = self.catalog.calendars["workdays"]
        reporting, totals, submissions = [], [], []
        for day in days:
            lines = {code: np.zeros(4, int) for code in LEVELS}
            total = dict.fromkeys(LEVELS, 0)
            for unit in ("villages", TOWNSHIP, COUNTY):
                if unit != COUNTY and not workdays.is_workday(day):
                    continue
                is_sent = day not in missing.get(unit, set())
                number = VILLAGES if unit == "villages" else 1
                value = 0 if nil else VILLAGES * VILLAGE_COUNT if unit == "villages" else OWN[unit]
                place = TOWNSHIP if unit == "villages" else unit
                if unit != "villages":
                    lines[place][2:] = 1, is_sent
                    if is_sent:
                        submissions.append((day, self.ids[unit], value))
                above: str | None = place
                while above is not None:
                    lines[above][:2] += number, number * is_sent
                    total[above] += value * is_sent
                    above = PARENTS.get(above)
            reporting += [(day, self.ids[code], *map(int, line)) for code, line in lines.items()]
            totals += [(day, self.ids[code], value) for code, value in total.items() if value]
        cell = self.cells["consultation", "physical"]
        with self.engine.begin() as conn:
            for month in sorted({day.replace(day=1) for day in days}):
                conn.execute(sa.text("SELECT core.ensure_month(:month)"), {"month": month})
            for query, rows in ((REPORTING, reporting), (TOTAL, totals), (SUBMISSION, submissions)):
                if not rows:
                    continue
                conn.execute(
                    sa.text(query), [dict(zip("abcdef", row, strict=False)) | {"cell": cell} for row in rows]
                )
            conn.execute(sa.text(TOTAL_ALL), {"cell": cell, "all": self.cells["consultation", "all"]})

    def total(self, period: Period) -> None:
        """The period's totals and reporting, as the step before writes them."""
        slice_ = {"name": period.name, "kind": period.kind, "first": period.starts_on, "last": period.ends_on}
        with self.engine.begin() as conn:
            for query in PERIOD:
                conn.execute(sa.text(query), slice_)

    def estimate(self, today: date, period: Period = MARCH) -> dict[str, dict[str, Any]]:
        """The estimated consultations, by division."""
        estimate_period(self.engine, self.catalog, period, today)
        rows = self.read(
            "SELECT * FROM mart.estimated_total WHERE period = :name AND measure = 'consultation'",
            name=period.name,
        )
        return {row["division_code"]: row for row in rows}


REPORTING = """
INSERT INTO mart.daily_reporting (
    stat_date, division_id, is_leaf, is_expected, is_reported, has_figures, units_expected, units_reported
) VALUES (:a, :b, false, :e = 1, :f = 1, :d > 0, :c, :d)
"""
TOTAL = "INSERT INTO mart.daily_total (stat_date, division_id, cell_id, value) VALUES (:a, :b, :cell, :c)"
TOTAL_ALL = """
INSERT INTO mart.daily_total (stat_date, division_id, cell_id, value)
SELECT stat_date, division_id, :all, value FROM mart.daily_total WHERE cell_id = :cell
"""
SUBMISSION = """
INSERT INTO core.submission (
    stat_date, unit_id, platform_id, batch_id, dataset, revision, received_at, known_from, is_nil, cells, figures,
    row_numbers
)
SELECT :a, :b, 1, 1, 'daily', 1, now(), now(), CAST(:c AS integer) = 0,
    CASE WHEN CAST(:c AS integer) > 0 THEN ARRAY[CAST(:cell AS smallint)] END,
    CASE WHEN CAST(:c AS integer) > 0 THEN ARRAY[CAST(:c AS bigint)] END,
    CASE WHEN CAST(:c AS integer) > 0 THEN ARRAY[1] END
"""
PERIOD = [
    "SELECT mart.ensure_period(:name, :kind, CAST(:first AS date), CAST(:last AS date))",
    "UPDATE mart.period SET totalled_at = clock_timestamp() WHERE period = :name",
    """
    INSERT INTO mart.period_total (period_id, division_id, cell_id, value)
    SELECT period_id, division_id, cell_id, sum(value) FROM mart.daily_total, mart.period
    WHERE period = :name AND stat_date BETWEEN starts_on AND ends_on
    GROUP BY period_id, division_id, cell_id
    """,
    """
    INSERT INTO mart.period_reporting (
        period_id, division_id, last_day, is_leaf, days_known, expected, received, on_time, late, reported, nil_levels
    )
    SELECT
        period_id, division_id, max(stat_date), false, count(*), sum(units_expected), sum(units_reported),
        sum(units_reported), 0, sum(units_reported), CASE WHEN bool_or(has_any) THEN 0 ELSE 24 END
    FROM mart.daily_reporting
    CROSS JOIN mart.period
    CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM mart.daily_total) AS has_any) AS figure
    WHERE period = :name AND stat_date BETWEEN starts_on AND ends_on
    GROUP BY period_id, division_id
    """,
]


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(None)


@pytest.fixture
def empty(database: Callable[[], str], catalog: Catalog) -> Iterator[Callable[[], Warehouse]]:
    """Makes warehouses without figures."""
    made: list[Warehouse] = []

    def make() -> Warehouse:
        made.append(Warehouse(database(), catalog))
        made[-1].run("ALTER TABLE core.submission DROP CONSTRAINT submission_batch_id_fkey")
        return made[-1]

    yield make
    for each in made:
        each.engine.dispose()


def days(*numbers: int) -> set[date]:
    return {date(2026, 3, number) for number in numbers}


LATE = {COUNTY: days(7, 8), TOWNSHIP: days(10, 11, 12), "villages": days(16)}
APRIL = date(2026, 4, 2)


# --- estimates -----------------------------------------------------------------------------------------------


def test_the_estimate_is_what_came_and_what_the_missing_reports_usually_say(
    empty: Callable[[], Warehouse],
) -> None:
    warehouse = empty()
    warehouse.fill(MARCH.ends_on, LATE)
    warehouse.total(MARCH)
    found = warehouse.estimate(APRIL)
    assert list(map(found.__contains__, LEVELS)) == [True] * 4
    workdays = 22
    whole = {TOWNSHIP: workdays * (6 + 10), COUNTY: 31 * 10 + workdays * 16}
    missing = {TOWNSHIP: 3 * 6 + 10, COUNTY: 2 * 10 + 3 * 6 + 10}
    for code in (TOWNSHIP, COUNTY):
        row = found[code]
        assert (row["value"], row["estimate"]) == (whole[code] - missing[code], whole[code])
        assert row["value"] < row["lower"] < row["estimate"] < row["upper"]
        assert row["is_estimate"]
    assert found[PROVINCE]["estimate"] == found[CITY]["estimate"] == whole[COUNTY]
    assert (found[COUNTY]["late"], found[COUNTY]["to_come"]) == (2 + 3 + 5, 0)
    assert float(found[COUNTY]["completeness"]) == pytest.approx(1 - 10 / (31 + workdays * 6))


def test_nothing_reported_is_touched(empty: Callable[[], Warehouse]) -> None:
    warehouse = empty()
    warehouse.fill(MARCH.ends_on, LATE)
    warehouse.total(MARCH)
    tables = (
        "mart.period_total",
        "mart.period_own",
        "mart.period_reporting",
        "mart.daily_total",
        "core.submission",
    )
    queries = [f"SELECT row::text FROM {table} AS row ORDER BY 1" for table in tables]
    before = [warehouse.read(query) for query in queries]
    assert warehouse.estimate(APRIL)[COUNTY]["is_estimate"]
    forecast_counties(warehouse.engine, warehouse.catalog, APRIL)
    assert [warehouse.read(query) for query in queries] == before
    assert before[0] != []


def test_a_complete_period_is_its_value(empty: Callable[[], Warehouse]) -> None:
    warehouse = empty()
    warehouse.fill(MARCH.ends_on, {})
    warehouse.total(MARCH)
    row = warehouse.estimate(APRIL)[COUNTY]
    assert row["value"] == row["estimate"] == row["lower"] == row["upper"] == 31 * 10 + 22 * 16
    assert (row["completeness"], row["of_whole"], row["is_estimate"]) == (1, 1, False)


def test_late_submissions_narrow_the_estimate(empty: Callable[[], Warehouse]) -> None:
    widths = []
    for late in (LATE, {COUNTY: days(7)}, {}):
        warehouse = empty()
        warehouse.fill(MARCH.ends_on, late)
        warehouse.total(MARCH)
        row = warehouse.estimate(APRIL)[COUNTY]
        assert row["estimate"] == 31 * 10 + 22 * 16
        widths.append(row["upper"] - row["lower"])
    assert widths[0] > widths[1] > widths[2] == 0


def test_days_to_come_count_up_to_a_horizon(empty: Callable[[], Warehouse]) -> None:
    warehouse = empty()
    warehouse.fill(date(2026, 3, 20), {COUNTY: days(7)})
    warehouse.total(MARCH)
    row = warehouse.estimate(date(2026, 3, 21))[COUNTY]
    assert (row["late"], row["to_come"]) == (1, 11 + 7 * 6)
    assert row["estimate"] == pytest.approx(31 * 10 + 22 * 16, abs=1)
    assert row["of_whole"] < row["completeness"] < 1
    quarter = Period.parse("2026Q2")
    warehouse.total(quarter)
    assert warehouse.estimate(date(2026, 3, 21), quarter) == {}, "nothing of it has come"
    early = Period.parse("2026Q1")
    warehouse.total(early)
    row = warehouse.estimate(date(2026, 2, 20), early)[COUNTY]
    assert row["estimate"] is None
    assert "距期末还有 39 天" in row["reason_zh"]


def test_without_history_there_is_no_estimate_but_the_reason(empty: Callable[[], Warehouse]) -> None:
    warehouse = empty()
    silent = {day.date() for day in pd.date_range(FIRST, date(2026, 3, 12))}
    warehouse.fill(MARCH.ends_on, {TOWNSHIP: silent})
    warehouse.total(MARCH)
    found = warehouse.estimate(APRIL)
    row = found[TOWNSHIP]
    assert (row["estimate"], row["lower"], row["upper"]) == (None, None, None)
    assert "历史不足" in row["reason_zh"]
    assert row["value"] == 22 * 10 + 13 * 6
    assert found[COUNTY]["estimate"] is None, "all that it misses is the township's"


def test_nil_reports_are_zero_and_their_missing_ones_are_expected_to_be(
    empty: Callable[[], Warehouse],
) -> None:
    warehouse = empty()
    warehouse.fill(MARCH.ends_on, {COUNTY: days(9)}, nil=True)
    warehouse.total(MARCH)
    row = warehouse.estimate(APRIL)[COUNTY]
    assert (row["value"], row["estimate"], row["upper"]) == (0, 0, 0)


def test_a_measure_stands_only_where_somebody_at_or_below_owes_it(empty: Callable[[], Warehouse]) -> None:
    warehouse = empty()
    warehouse.fill(MARCH.ends_on, LATE)
    warehouse.total(MARCH)
    warehouse.estimate(APRIL)
    query = "SELECT DISTINCT level FROM mart.estimated_total WHERE measure = :measure ORDER BY level"
    assert [row["level"] for row in warehouse.read(query, measure="legal_aid_accepted")] == [
        "city",
        "county",
        "province",
    ]
    assert len(warehouse.read(query, measure="consultation")) == 4


def test_a_measure_that_nobody_listed_is_not_made_zero(empty: Callable[[], Warehouse]) -> None:
    warehouse = empty()
    warehouse.fill(MARCH.ends_on, {})
    warehouse.total(MARCH)
    warehouse.estimate(APRIL)
    query = "SELECT * FROM mart.estimated_total WHERE measure = 'dispute_found' AND level = 'county'"
    (row,) = warehouse.read(query)
    assert (row["value"], row["estimate"]) == (None, None)
    assert "未填报此指标" in row["reason_zh"]


def test_estimating_again_writes_the_same_rows(empty: Callable[[], Warehouse]) -> None:
    warehouse = empty()
    warehouse.fill(MARCH.ends_on, LATE)
    warehouse.total(MARCH)
    query = "SELECT * FROM mart.period_estimate ORDER BY 1, 2, 3"
    written = estimate_period(warehouse.engine, warehouse.catalog, MARCH, APRIL)
    before = warehouse.read(query)
    assert estimate_period(warehouse.engine, warehouse.catalog, MARCH, APRIL) == written == len(before) > 0
    assert warehouse.read(query) == before


def test_only_totalled_months_and_quarters_are_estimated(empty: Callable[[], Warehouse]) -> None:
    warehouse = empty()
    with pytest.raises(PeriodNotTotalled, match="indicators --period 2026-03"):
        estimate_period(warehouse.engine, warehouse.catalog, MARCH, APRIL)
    assert estimate_period(warehouse.engine, warehouse.catalog, Period.parse("2026"), APRIL) == 0


# --- forecasts -----------------------------------------------------------------------------------------------

COUNTIES = ["371302000000", "371311000000", "371312000000"]
TODAY = date(2026, 3, 26)
WEEKS = 66


def weeks_of(warehouse: Warehouse) -> dict[str, np.ndarray]:
    """Consultations a day of three counties: a steady rise, a walk that only the last week tells, an even one."""
    rng = np.random.default_rng(8)
    walk = (20 + np.cumsum(rng.normal(0, 0.5, WEEKS))) ** 2
    rise = rng.poisson(150 + 6 * np.arange(WEEKS))
    return dict(zip(COUNTIES, np.stack([rise, walk, rng.poisson(400, WEEKS)]).astype(int), strict=True))


def write_weeks(
    warehouse: Warehouse, counts: dict[str, np.ndarray], lost: dict[date, float] | None = None
) -> None:
    """Weekly counts, a seventh a day; of lost days so much of each count and of the reports came."""
    first = date(2026, 3, 23) - timedelta(weeks=WEEKS)
    reporting, totals = [], []
    for code, weekly in counts.items():
        for number in range(WEEKS * 7):
            day = first + timedelta(days=number)
            share = (lost or {}).get(day, 1.0)
            value = weekly[number // 7] // 7 + (number % 7 < weekly[number // 7] % 7)
            reporting.append((day, warehouse.ids[code], 100, int(100 * share), 1, 1))
            totals.append((day, warehouse.ids[code], int(value * share)))
    cell = warehouse.cells["consultation", "all"]
    with warehouse.engine.begin() as conn:
        for month in pd.date_range(first.replace(day=1), date(2026, 3, 31), freq="MS"):
            conn.execute(sa.text("SELECT core.ensure_month(:month)"), {"month": month.date()})
        for query, rows in ((REPORTING, reporting), (TOTAL, totals)):
            conn.execute(
                sa.text(query), [dict(zip("abcdef", row, strict=False)) | {"cell": cell} for row in rows]
            )


MEASURED = "SELECT * FROM mart.forecast_measured JOIN core.division USING (division_id)"


def measured(warehouse: Warehouse) -> dict[str, dict[str, Any]]:
    rows = warehouse.read(MEASURED + " JOIN core.measure USING (measure_id) WHERE measure = 'consultation'")
    return {row["division_code"]: row for row in rows if row["division_code"] in COUNTIES}


def test_a_forecast_is_shown_only_where_it_beats_the_naive_one_and_both_errors_are_kept(
    empty: Callable[[], Warehouse],
) -> None:
    warehouse = empty()
    write_weeks(warehouse, weeks_of(warehouse))
    assert forecast_counties(warehouse.engine, warehouse.catalog, TODAY) == 2
    found = measured(warehouse)
    assert [found[code]["is_shown"] for code in COUNTIES] == [True, False, True]
    assert found[COUNTIES[0]]["model_error"] < 0.95 * float(found[COUNTIES[0]]["naive_error"])
    assert found[COUNTIES[1]]["model_error"] > 0.95 * float(found[COUNTIES[1]]["naive_error"])
    assert "不予显示" in found[COUNTIES[1]]["reason_zh"]
    shown = warehouse.read(
        "SELECT * FROM mart.forecast WHERE division_code = :code ORDER BY week_date", code=COUNTIES[0]
    )
    assert [row["week_date"] for row in shown] == [date(2026, 3, 23) + timedelta(weeks=n) for n in range(4)]
    assert all(row["lower"] < row["value"] < row["upper"] for row in shown)
    assert float(shown[0]["value"]) == pytest.approx(150 + 6 * WEEKS, rel=0.1)
    others = warehouse.read(MEASURED)
    assert len(others) == 3 * len(warehouse.read("SELECT FROM core.division_period WHERE level = 'county'"))
    assert sum("历史不足" in (row["reason_zh"] or "") for row in others) == len(others) - 3


def test_days_with_too_few_reports_do_not_pull_a_forecast_down(empty: Callable[[], Warehouse]) -> None:
    lost = {date(2026, 3, 19) + timedelta(days=number): 0.2 for number in range(3)}
    values = []
    for each in (None, lost):
        warehouse = empty()
        write_weeks(warehouse, weeks_of(warehouse), each)
        forecast_counties(warehouse.engine, warehouse.catalog, TODAY)
        query = "SELECT value FROM mart.forecast WHERE division_code = :code ORDER BY week_date"
        values.append([float(row["value"]) for row in warehouse.read(query, code=COUNTIES[2])])
        assert (measured(warehouse)[COUNTIES[2]]["observed"] is None) == (each is lost)
    assert values[1] == pytest.approx(values[0], rel=0.03)


def test_an_unusual_rise_is_a_question_of_its_own(empty: Callable[[], Warehouse]) -> None:
    warehouse = empty()
    counts = weeks_of(warehouse)
    counts[COUNTIES[2]][-1] = 560
    write_weeks(warehouse, counts)
    forecast_counties(warehouse.engine, warehouse.catalog, TODAY)
    (rise,) = warehouse.read("SELECT * FROM mart.unusual_rise")
    assert (rise["division_code"], rise["week_date"], rise["observed"]) == (
        COUNTIES[2],
        date(2026, 3, 16),
        560,
    )
    assert rise["forecast"] < rise["upper_limit"] < 560
    assert "是否出现新情况" in rise["question_zh"]
    assert warehouse.read("SELECT FROM quality.flag") == []


def test_forecasting_again_writes_the_same_rows_and_earlier_weeks_stay(
    empty: Callable[[], Warehouse],
) -> None:
    warehouse = empty()
    write_weeks(warehouse, weeks_of(warehouse))
    forecast_counties(warehouse.engine, warehouse.catalog, TODAY - timedelta(weeks=1))
    tables = ("mart.forecast_measured", "mart.forecast_week")
    earlier = [warehouse.read(f"SELECT * FROM {table} ORDER BY 1, 2, 3, 4") for table in tables]
    for _ in range(2):
        forecast_counties(warehouse.engine, warehouse.catalog, TODAY)
        both = [warehouse.read(f"SELECT * FROM {table} ORDER BY 1, 2, 3, 4") for table in tables]
        assert [each[: len(old)] for each, old in zip(both, earlier, strict=True)] == earlier
    again = forecast_counties(warehouse.engine, warehouse.catalog, TODAY)
    assert [warehouse.read(f"SELECT * FROM {table} ORDER BY 1, 2, 3, 4") for table in tables] == both
    assert again == 2


# --- by command ----------------------------------------------------------------------------------------------


def test_estimates_and_forecasts_are_shown_by_command(
    empty: Callable[[], Warehouse], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    warehouse = empty()
    warehouse.fill(MARCH.ends_on, LATE)
    warehouse.total(MARCH)
    monkeypatch.setenv("PLS_WAREHOUSE", warehouse.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("PLS_HOME", str(tmp_path))
    monkeypatch.delenv("PLS_CATALOG", raising=False)

    def run(*words: str) -> Any:
        return CliRunner().invoke(main, ["outlook", *words])

    found = json.loads(run("totals", "--period", "2026-03", "--level", "county", "--json").stdout)
    assert [(row["measure"], row["estimate"]) for row in found if row["estimate"]] == [("consultation", 662)]
    words = run("totals", "--period", "2026-03").stdout
    assert "估计全量" in words
    assert "以报送数据为准" in words
    assert json.loads(run("weeks", "--json").stdout) == {"weeks": [], "rises": []}
    assert "研判" in run("weeks").stdout
    assert run("totals", "--period", "2026").exit_code == 2
    assert "not totalled" in run("totals", "--period", "2026-02").stderr
