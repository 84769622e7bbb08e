"""What is shown of a period can be had again as it was known at any earlier moment, whatever happened since."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from etl.catalog.indicator import Indicator
from etl.catalog.scheme import Scheme
from etl.catalog_version import keep_catalog
from etl.daily import load_and_roll_up, run_day
from etl.desk import release
from etl.divisions import load_divisions
from etl.issue.as_known import Known, as_known_at, read_shown
from etl.periodic import show_period, waiting_periods
from etl.periods import Period
from etl.periods.lock import close_month, reopen_month
from etl.register import register_catalog
from etl.settings import DIVISIONS_FILE
from etl.site import Site
from simulator.simulation import Simulation
from tests.integration.conftest import clock
from tests.integration.test_pipeline_truth import DAY, small_world

pytestmark = pytest.mark.integration
OpenFor = Callable[[Simulation], Site]
MONTH = Period.parse("2026-03")
VIEWS = {
    "mart.daily_statistics": "stat_date = '2026-03-02'",
    "mart.period_statistics": "period = '2026-03'",
    "mart.indicator_value": "period = '2026-03'",
    "mart.satisfaction": "period = '2026-03'",
    "mart.evaluation": "period = '2026-03'",
    "mart.evaluation_item": "period = '2026-03'",
    "mart.reporting_rate": "period IN ('2026-03', '2026-03-02')",
}
CLOCKS = ["evaluated_at", "missing"]


def show_all(site: Site) -> None:
    for period in waiting_periods(site):
        show_period(site, period)


def read(conn: Connection) -> dict[str, pd.DataFrame]:
    found = {}
    for view, where in VIEWS.items():
        result = conn.execute(sa.text(f"SELECT * FROM {view} WHERE {where}"))
        rows = pd.DataFrame(result.all(), columns=list(result.keys())).astype(str)
        rows = rows.drop(columns=CLOCKS, errors="ignore")
        found[view] = rows.sort_values(list(rows.columns), ignore_index=True)
    return found


def remember(site: Site) -> tuple[Known, dict[str, pd.DataFrame]]:
    with site.engine.begin() as conn:
        known = Known(clock(site), keep_catalog(conn, site.catalog), read_shown(conn, MONTH))
        return known, read(conn)


def with_halved_targets(indicator: Indicator) -> Indicator:
    targets = [
        each.model_copy(update={"at_least": each.at_least / 2}) if each.at_least else each
        for each in indicator.targets
    ]
    return indicator.model_copy(update={"targets": tuple(targets)})


def with_other_grades(scheme: Scheme) -> Scheme:
    grades = [each.model_copy(update={"name": f"新{each.name}"}) for each in scheme.grades]
    return scheme.model_copy(update={"grades": tuple(grades)})


def differing(site: Site, known: Known, shown: dict[str, pd.DataFrame]) -> list[str]:
    with as_known_at(site.engine, site.catalog, MONTH, known) as (conn, _):
        again = read(conn)
    assert all(len(rows) for rows in shown.values())
    return [view for view in VIEWS if not again[view].equals(shown[view])]


def test_nothing_that_became_known_later_is_in_what_was_known_then(
    tmp_path: Path, hotline_url: str, open_for: OpenFor
) -> None:
    with small_world(tmp_path, hotline_url, "restated") as simulation:
        site = open_for(simulation)
        everyone = list(site.catalog.platforms)
        snapshots = []
        run_day(site, DAY, everyone[: len(everyone) // 2])
        show_all(site)
        snapshots.append(remember(site))
        run_day(site, DAY, everyone)
        show_all(site)
        snapshots.append(remember(site))
        simulation.advance()
        run_day(site, DAY, everyone)
        show_all(site)
        snapshots.append(remember(site))
        listed = pd.read_csv(DIVISIONS_FILE, dtype=str, keep_default_na=False)
        changed = listed[listed["code"] != "371302001001"].copy()
        changed.loc[changed["code"] == "371302000000", "name"] = "新兰山区"
        changed.to_csv(tmp_path / "changed.csv", index=False)
        load_divisions(site.engine, tmp_path / "changed.csv", DAY, DAY)
        load_and_roll_up(site, DAY, whole=False)
        show_all(site)
        snapshots.append(remember(site))
        now = remember(site)[1]
        for number, (known, shown) in enumerate(snapshots):
            assert differing(site, known, shown) == [], number
        for (_, earlier), (_, later) in pairwise(snapshots):
            assert not earlier["mart.daily_statistics"].equals(later["mart.daily_statistics"])
        with site.engine.connect() as conn:
            after = read(conn)
        assert all(after[view].equals(now[view]) for view in VIEWS), "looking back changed something"


def test_rows_released_from_the_quarantine_later_are_held_back_then(
    tmp_path: Path, hotline_url: str, open_for: OpenFor
) -> None:
    with small_world(tmp_path, hotline_url, "balance") as simulation:
        site = open_for(simulation)
        run_day(site, DAY, list(site.catalog.platforms))
        show_all(site)
        known, shown = remember(site)
        with site.engine.connect() as conn:
            query = "SELECT quarantine_id FROM quality.quarantine WHERE state = 'held' AND reason_code = 'balance'"
            ids = list(conn.execute(sa.text(query)).scalars())
        release(site, ids, "张三", "经核实无误")
        show_all(site)
        _, later = remember(site)
        assert not later["mart.period_statistics"].equals(shown["mart.period_statistics"])
        assert differing(site, known, shown) == []


def test_targets_and_schemes_are_those_that_were_known_then(
    tmp_path: Path, hotline_url: str, open_for: OpenFor
) -> None:
    with small_world(tmp_path, hotline_url, "clean") as simulation:
        site = open_for(simulation)
        run_day(site, DAY, list(site.catalog.platforms))
        show_all(site)
        known, shown = remember(site)
        halved = {code: with_halved_targets(each) for code, each in site.catalog.indicators.items()}
        schemes = {code: with_other_grades(each) for code, each in site.catalog.schemes.items()}
        site = replace(
            site, catalog=site.catalog.model_copy(update={"indicators": halved, "schemes": schemes})
        )
        register_catalog(site.engine, site.catalog)
        show_period(site, Period.parse("2026-03-02"))
        show_period(site, MONTH)
        _, later = remember(site)
        for view in ("mart.indicator_value", "mart.evaluation"):
            assert not later[view].equals(shown[view]), view
        assert differing(site, known, shown) == []


def test_a_month_that_was_closed_then_and_reopened_since_is_as_it_was_closed(
    tmp_path: Path, hotline_url: str, open_for: OpenFor
) -> None:
    with small_world(tmp_path, hotline_url, "restated") as simulation:
        site = open_for(simulation)
        everyone = list(site.catalog.platforms)
        run_day(site, DAY, everyone)
        show_all(site)
        close_month(replace(site, clock=lambda: clock(site)), DAY.replace(day=1), "张三", "封账")
        known, shown = remember(site)
        simulation.advance()
        run_day(site, DAY, everyone)
        show_all(site)
        assert differing(site, known, shown) == []
        reopen_month(site, DAY.replace(day=1), "张三", "更正")
        show_all(site)
        _, later = remember(site)
        assert not later["mart.period_statistics"].equals(shown["mart.period_statistics"])
        assert differing(site, known, shown) == []
