"""`explain`: what a published figure sums, down to the row of the file; what an indicator is made of."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

import click

from etl.cli.base import DAY, Moment, as_json, err, show, show_rows

DAILY, INDICATOR = "mart.daily_statistics", "mart.indicator_value"
SUBMISSIONS = [
    "unit_code",
    "unit_name",
    "channel",
    "value",
    "platform",
    "revision",
    "batch_id",
    "source_name",
    "row_number",
]
FIGURES = ["term", "unit_code", "unit_name", "stat_date", "measure", "channel", "value"]
NEEDED = {DAILY: ("date", "measure"), INDICATOR: ("period", "indicator")}


@click.command("explain")
@click.argument("table", type=click.Choice([*NEEDED, *(name.removeprefix("mart.") for name in NEEDED)]))
@click.option("--division", required=True, help="12-digit division code.")
@click.option("--date", "day", type=DAY, help="Statistical day (Asia/Shanghai), of daily_statistics.")
@click.option("--measure", help="Code of the measure, such as consultation, of daily_statistics.")
@click.option("--channel", default="all", show_default=True, help="Code of the channel, or all.")
@click.option("--as-of", "moment", type=Moment(), help="As known then: ISO 8601 with zone. Default: now.")
@click.option("--period", help="2026-03-02, 2026-03, 2026Q1 or 2026, of indicator_value.")
@click.option("--indicator", help="Code of the indicator, such as sd_legal_aid, of indicator_value.")
@as_json
def explain_command(
    table: str,
    division: str,
    day: datetime | None,
    measure: str | None,
    channel: str,
    moment: datetime | None,
    period: str | None,
    indicator: str | None,
    json_: bool,
) -> None:
    """List the submissions, files and rows that a figure sums, or the terms of an indicator and their figures."""
    if "." not in table:
        table = f"mart.{table}"
    given = {"date": day, "measure": measure, "period": period, "indicator": indicator}
    missing = [f"--{name}" for name in NEEDED[table] if given[name] is None]
    if missing:
        raise click.UsageError(f"{table} also needs {' and '.join(missing)}.")
    if table == DAILY:
        assert day is not None
        assert measure is not None
        _explain_daily(division, day, measure, channel, moment, json_)
    else:
        assert period is not None
        assert indicator is not None
        if moment is not None:
            raise click.UsageError(
                "--as-of is for mart.daily_statistics; indicators are shown as they are now."
            )
        _explain_indicator(division, period, indicator, json_)


def _explain_daily(
    division: str, day: datetime, measure: str, channel: str, moment: datetime | None, json_: bool
) -> None:
    from etl.provenance import explain_daily
    from etl.site import open_site

    found = explain_daily(open_site().engine, division, day.date(), measure, channel, moment)
    if json_:
        show(True, asdict(found), "")
        return
    show_rows(False, found.parts, SUBMISSIONS)
    err.print(f"{DAILY} {division} {day.date()} {measure} {channel}: {found.value}", markup=False)


def _explain_indicator(division: str, period: str, indicator: str, json_: bool) -> None:
    from etl.indicators import explain_indicator
    from etl.periods.period import Period
    from etl.site import open_site

    site = open_site()
    found = explain_indicator(site.engine, site.catalog, division, Period.parse(period), indicator)
    if json_:
        show(True, asdict(found), "")
        return
    show_rows(False, found.parts, FIGURES)
    for term in found.terms:
        err.print(_said(term), markup=False)
    note = f" ({found.figure['note_zh']})" if found.figure["note_zh"] else ""
    err.print(
        f"{INDICATOR} {division} {period} {indicator} = {found.formula}: {found.figure['value']}{note}",
        markup=False,
    )


def _said(term: dict[str, Any]) -> str:
    value = "missing" if term["value"] is None else term["value"]
    return f"{term['side']} {term['term']}: {value}" + (f" ({term['note_zh']})" if term["note_zh"] else "")
