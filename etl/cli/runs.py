"""Commands that bring figures in: `run-day`, `restate`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import click
import sqlalchemy as sa

from etl.cli.base import DAY, Moment, as_json, choose, err, progress, show, show_rows
from etl.warehouse import run_sql


@click.command("run-day")
@click.option("--date", "day", type=DAY, required=True, help="Statistical day (Asia/Shanghai).")
@click.option(
    "--platform", "ids", multiple=True, metavar="ID", help="Only this platform (may be given again)."
)
@as_json
def run_day_command(day: datetime, ids: tuple[str, ...], json_: bool) -> None:
    """Pull, check, load and roll up one day."""
    from etl.daily import run_day
    from etl.site import open_site

    site = open_site()
    if day.date() > site.today():
        raise click.BadParameter(
            f"{day.date()} lies in the future; today is {site.today()}", param_hint="--date"
        )
    chosen = choose(site.catalog.daily_platforms(), ids)
    with progress(json_, f"{day.date()}"):
        troubles = run_day(site, day.date(), chosen)
    report_run(site.engine, "daily", [day.date()], troubles, json_)


@click.command("restate")
@click.option(
    "--since", type=Moment(), required=True, help="ISO 8601 with zone, such as 2026-03-02T00:00:00+08:00."
)
@click.option(
    "--platform", "ids", multiple=True, metavar="ID", help="Only this platform (may be given again)."
)
@as_json
def restate_command(since: datetime, ids: tuple[str, ...], json_: bool) -> None:
    """Bring in what the platforms received since a time: late submissions and restatements, of any day."""
    from etl.daily import restate
    from etl.site import open_site

    site = open_site()
    chosen = choose(site.catalog.daily_platforms(), ids)
    with progress(json_, f"since {since.isoformat()}"):
        days, troubles = restate(site, chosen, since)
    report_run(site.engine, "daily", days, troubles, json_)


def report_run(
    engine: sa.Engine, dataset: str, days: list[date], troubles: Sequence[Any], json_: bool
) -> None:
    """What came of a run, per platform; exit status 1 when a batch is not in."""
    with engine.connect() as conn:
        slice_ = {"dataset": dataset, "days": days}
        rows = [dict(row._mapping) for row in run_sql(conn, "batch/summary", slice_)]
    if json_:
        show(True, {"days": days, "platforms": rows, "troubles": [vars(each) for each in troubles]}, "")
    else:
        show_rows(
            False,
            rows,
            [
                "stat_date",
                "platform",
                "batches",
                "received",
                "loaded",
                "quarantined",
                "duplicate",
                "superseded",
            ],
        )
    for each in troubles:
        err.print(f"[bold]{each.platform}[/] {each.stat_date} {each.name} {each.state}: ", end="")
        err.print(each.message, markup=False)
    sys.exit(1 if troubles else 0)
