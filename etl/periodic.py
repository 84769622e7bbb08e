"""The periodic job: what the marts show of a period, from the totals of its days to its evaluation."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from etl.catalog.scheme_indicators import known_indicators
from etl.evaluation import evaluate
from etl.indicators import compute_indicators
from etl.load import DAY_LOCK
from etl.outlook import estimate_period
from etl.periods import Period, in_order, periods_touched
from etl.periods.totals import total_period
from etl.satisfaction import compute_satisfaction
from etl.site import Site
from etl.warehouse import run_sql

NAME_IS_OLD = timedelta(minutes=50)
"""The next hour's `restatements` finds what this hour's has named in vain."""


def show_period(site: Site, period: Period) -> None:
    """Write everything that is shown of a period anew: totals, indicators, satisfaction, scores, estimates.

    Months that have changed are totalled before the longer period that they are part of. Each step is one transaction;
    run again, it writes the same. Only at the end is the period said to show what was rolled up before the beginning.
    """
    engine, catalog = site.engine, site.catalog
    taken_at = _take(engine, period)
    if period.kind != "day":
        for month in _months_behind(site, period):
            total_period(engine, catalog, month)
        total_period(engine, catalog, period)
    compute_indicators(engine, catalog, period)
    if period.kind != "day" and catalog.satisfaction:
        compute_satisfaction(engine, catalog, period)
    evaluate(engine, catalog, period, known_indicators(catalog.indicators))
    estimate_period(engine, catalog, period, site.today())
    with engine.begin() as conn:
        run_sql(conn, "totals/finish", {"period": period.name, "taken_at": taken_at})


def name_periods(site: Site, by: str, of: date | None = None) -> list[Period]:
    """Those of the waiting periods that nobody has named yet, small ones first, so that each waits for one run only.

    by: the run that names them; where it names them again, since it was repeated, it gets the same. of: a day; only
    those that it is in, as a day's run names them: while many days wait for their turn, each would name what all of
    them wait for.
    """
    waiting = {
        each: at for each, at in _waiting(site).items() if of is None or each.starts_on <= of <= each.ends_on
    }
    told = [{"period": each.name, "rolled_up_at": str(at)} for each, at in waiting.items()]
    values = {"waiting": json.dumps(told), "named_by": by, "old": NAME_IS_OLD}
    with site.engine.begin() as conn:
        conn.execute(sa.text("LOCK TABLE mart.period_naming IN SHARE ROW EXCLUSIVE MODE"))
        named = set(run_sql(conn, "totals/name", values).scalars())
    return [each for each in waiting if each.name in named]


def waiting_periods(site: Site) -> list[Period]:
    """Periods in which something counts that was rolled up since they were last shown, small ones first.

    Stocks count in the periods that end with their month. Of months to come there is no year to date.
    """
    return list(_waiting(site))


def _waiting(site: Site) -> dict[Period, datetime]:
    """Each with when something that counts in it was last rolled up."""
    with site.engine.connect() as conn:
        changed = run_sql(conn, "totals/changed").all()
        query = "SELECT period, shown_from FROM mart.period WHERE shown_from IS NOT NULL"
        shown = {row.period: row.shown_from for row in conn.execute(sa.text(query))}
    # The longer periods are those of any day of a month: what years hold is looked through month by month.
    newest: dict[tuple[str, date], datetime] = {}
    waiting: dict[Period, datetime] = {}
    for row in changed:
        key = row.dataset, row.stat_date.replace(day=1) if row.dataset == "daily" else row.stat_date
        newest[key] = max(row.rolled_up_at, newest.get(key, row.rolled_up_at))
        name = row.stat_date.isoformat()
        if row.dataset == "daily" and (name not in shown or shown[name] < row.rolled_up_at):
            waiting[Period.around("day", row.stat_date)] = row.rolled_up_at
    today = site.today()
    for (dataset, day), rolled_up_at in newest.items():
        for period in periods_touched([day]):
            is_to_come = period.kind == "to_date" and period.ends_on.replace(day=1) > today
            is_of_other_days = period.kind == "day" or (dataset == "stocks" and period.ends_on != day)
            if is_to_come or is_of_other_days:
                continue
            if period.name not in shown or shown[period.name] < rolled_up_at:
                waiting[period] = max(rolled_up_at, waiting.get(period, rolled_up_at))
    return {each: waiting[each] for each in in_order(waiting)}


def _take(engine: Engine, period: Period) -> datetime:
    """Take a period's name, so that it is named again for what is rolled up from now on; returns the moment. What was
    stamped earlier can be read then."""
    with engine.begin() as conn:
        taken_at: datetime = run_sql(conn, "totals/take", {"period": period.name}).scalar_one()
    days = {"first": period.starts_on.toordinal(), "last": period.ends_on.toordinal()}
    with engine.begin() as conn:
        run_sql(conn, "totals/wait_for_writers", {**days, "lock": DAY_LOCK})
    return taken_at


def _months_behind(site: Site, period: Period) -> list[Period]:
    with site.engine.connect() as conn:
        found = run_sql(conn, "totals/behind", {"first": period.starts_on, "last": period.ends_on})
        return [Period.around("month", first) for first in found.scalars()]
