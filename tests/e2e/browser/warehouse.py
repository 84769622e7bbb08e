"""A small real warehouse for the portal: two counties of Linyi, three days in March 2026 with late, missing, restated
and bad input, the stocks of the month, and what the month shows of all that."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path

import sqlalchemy as sa

from etl.connections import connection_from_env
from etl.daily import restate, run_day, show_changes
from etl.divisions import load_divisions
from etl.periodic import show_period
from etl.periods import Period
from etl.settings import DIVISIONS_FILE
from etl.site import Site, open_site
from etl.warehouse import migrate
from simulator.simulation import Simulation

COUNTIES = ["371302000000", "371311000000"]
DAYS = [date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 4)]
MONTH = Period.parse("2026-03")
SCENARIOS = ["late", "missing", "restated", "value_ceiling", "unit_unknown", "html_answer"]
SINCE = datetime.fromisoformat("2026-03-01T00:00:00+08:00")


def simulation(home: Path, hotline_url: str) -> Simulation:
    """The platforms that the warehouse is filled from."""
    return Simulation(
        home=home,
        days=DAYS,
        scenario=SCENARIOS,
        months=[MONTH.ends_on],
        hotline_url=hotline_url,
        counties=COUNTIES,
        townships_per_county=2,
    )


def fill(engine: sa.Engine, platforms: Simulation) -> Site:
    """Fill an empty warehouse, to which the environment points, from platforms that are served. Returns its site."""
    migrate(engine)
    load_divisions(engine, DIVISIONS_FILE, None, date(2026, 1, 1))
    site = open_site(connection_from_env)
    daily = list(site.catalog.daily_platforms())
    for day in DAYS:
        run_day(site, day, daily)
    platforms.advance()
    restate(site, daily[1:], SINCE)
    show_changes(site)
    run_day(site, MONTH.ends_on, list(site.catalog.platforms_of("stocks")), "stocks")
    for name in (*(day.isoformat() for day in DAYS), MONTH.name, "2026Q1", "2026"):
        show_period(site, Period.parse(name))
    with site.engine.begin() as conn:
        conn.execute(sa.text(ALERT), {"day": DAYS[-1]})
    return site


def environment(home: Path, warehouse: str, platforms: Simulation) -> Mapping[str, str]:
    """The variables by which a process opens the site."""
    catalog = {"PLS_CATALOG": str(platforms.catalog_dir)} if platforms.catalog_dir else {}
    return {**platforms.environment(), "PLS_HOME": str(home), "PLS_WAREHOUSE": warehouse, **catalog}


ALERT = """
INSERT INTO quality.alert (
    dataset, stat_date, round, round_at, reason, recipient, level, subject_ids, open_ids, subject, body, state,
    created_at, not_before, channel, sent_at
)
SELECT
    'daily', :day, 'cutoff', min(status.cutoff_at), 'missing', 'linyi-office', 'township',
    array_agg(division.division_id), array_agg(division.division_id), '催报', '请报送', 'sent', min(status.cutoff_at),
    min(status.cutoff_at), 'email', min(status.cutoff_at) + interval '5 minutes'
FROM mart.submission_status AS status
JOIN core.division ON division.division_code = status.unit_code
WHERE status.stat_date = :day AND status.status = 'missing'
HAVING count(*) > 0
"""
