"""`stocks`: what units keep by the month."""

from __future__ import annotations

from datetime import date

import click

from etl.cli.base import Month, as_json, choose, progress
from etl.cli.runs import report_run


@click.command("stocks")
@click.option(
    "--month", "last_day", type=Month(), required=True, help="A month that is over, such as 2026-03."
)
@click.option(
    "--platform", "ids", multiple=True, metavar="ID", help="Only this platform (may be given again)."
)
@as_json
def stocks_command(last_day: date, ids: tuple[str, ...], json_: bool) -> None:
    """Pull, check, load and roll up the stocks of one month."""
    from etl.daily import run_day
    from etl.site import open_site

    site = open_site()
    if last_day > site.today():
        raise click.BadParameter(
            f"{last_day:%Y-%m} is not over; today is {site.today()}", param_hint="--month"
        )
    chosen = choose(site.catalog.platforms_of("stocks"), ids)
    with progress(json_, f"{last_day:%Y-%m}"):
        troubles = run_day(site, last_day, chosen, "stocks")
    report_run(site.engine, "stocks", [last_day], troubles, json_)
