"""A restatement, however old its day, changes what it touches and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

from etl.daily import restate, run_day
from etl.site import Site
from simulator.plan import SECOND
from simulator.simulation import Simulation
from tests.integration.conftest import clock, read_view

pytestmark = pytest.mark.integration
LAST_YEAR, TODAY = date(2025, 3, 3), date(2026, 3, 2)


def written(site: Site) -> pd.DataFrame:
    """Every figure of the warehouse's totals with the transaction that wrote it."""
    with site.engine.connect() as conn:
        query = (
            "SELECT stat_date, division_code, unnest(cells) AS cell_id, unnest(figures) AS value,"
            " total.xmin::text AS written_by FROM mart.daily_sum AS total JOIN core.division USING (division_id)"
        )
        return pd.DataFrame(conn.execute(sa.text(query)).mappings().all())


def above_changed(site: Site, day: date, moment: datetime) -> set[str]:
    """Divisions with others below them that stand above, or are, a unit of which something came since a moment."""
    codes = read_view(site, "core.division").set_index("division_id")["division_code"]
    with site.engine.connect() as conn:
        parents = conn.execute(sa.text("SELECT division_id, parent_id FROM core.division_period")).all()
        places = pd.Series({row.division_id: row.parent_id for row in parents})
        query = sa.text("SELECT unit_id FROM core.submission WHERE stat_date = :day AND known_from > :moment")
        changed = list(conn.execute(query, {"day": day, "moment": moment}).scalars())
    found = set()
    for unit in changed:
        while pd.notna(unit):
            found.add(int(unit))
            unit = places[unit]
    return {codes[unit] for unit in found & set(places.dropna().astype(int))}


def test_a_revision_for_a_day_of_last_year_writes_the_divisions_above_its_unit_and_no_others(
    tmp_path: Path, hotline_url: str, open_for: Callable[[Simulation], Site]
) -> None:
    with Simulation(
        home=tmp_path / "simulated",
        days=[LAST_YEAR, TODAY],
        scenario="restated",
        hotline_url=hotline_url,
        counties=["371302000000", "371311000000", "371371000000"],
        townships_per_county=4,
    ) as simulation:
        site = replace(open_for(simulation), clock=lambda: datetime(2026, 3, 5, 12, tzinfo=UTC))
        everyone = list(site.catalog.platforms)
        for day in (LAST_YEAR, TODAY):
            run_day(site, day, everyone)
        before = written(site)
        moment = clock(site)
        simulation.advance()
        assert restate(site, everyone, simulation.plan.since) == ([LAST_YEAR, TODAY], [])
        keys = ["stat_date", "division_code", "cell_id"]
        after = before.merge(written(site), on=keys, how="outer", suffixes=("", "_after"))
        spared = 0
        for day in (LAST_YEAR, TODAY):
            of_day = after[after["stat_date"] == day]
            rewritten = of_day[of_day["written_by"] != of_day["written_by_after"]]
            expected = above_changed(site, day, moment)
            assert set(rewritten["division_code"]) == expected
            spared += of_day["division_code"].nunique() - len(expected)
        assert spared > 0
        fits = read_view(site, "quality.day_fit")
        assert fits["stat_date"].tolist() == [TODAY], (
            "of days long ago nothing is kept to judge parts of them by"
        )
        assert (fits["fitted_at"] < moment).all(), "only what changed was judged again"
        assert all(units == [] for units in read_view(site, "mart.daily_rollup")["units_unjudged"])
        wrong = simulation.truth(SECOND, "restate").differences(read_view(site, "mart.daily_statistics"))
        assert wrong.empty, f"\n{wrong.to_string()}"
