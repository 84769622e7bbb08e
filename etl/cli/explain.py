"""`explain TABLE`: what a published figure is made of; a figure of a day down to the row of the file."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

import click

from etl.cli.base import DAY, Moment, as_json, err, show, show_rows

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


class Tables(click.Group):
    """One command per table, with or without the schema in its name."""

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        return super().get_command(ctx, name) or super().get_command(ctx, f"mart.{name}")


@click.group("explain", cls=Tables, subcommand_metavar="TABLE …")
def explain_command() -> None:
    """What a published figure is made of."""


division_option = click.option("--division", required=True, help="12-digit division code.")
measure_option = click.option("--measure", required=True, help="Code of the measure, such as consultation.")


@explain_command.command("mart.daily_statistics")
@division_option
@click.option("--date", "day", type=DAY, required=True, help="Statistical day (Asia/Shanghai).")
@measure_option
@click.option("--channel", default="all", show_default=True, help="Code of the channel, or all.")
@click.option("--as-of", "moment", type=Moment(), help="As known then: ISO 8601 with zone. Default: now.")
@as_json
def explain_daily_command(
    division: str, day: datetime, measure: str, channel: str, moment: datetime | None, json_: bool
) -> None:
    """List the submissions, batches, files and rows that a figure of a day sums."""
    from etl.provenance import explain_daily
    from etl.site import open_site

    found = explain_daily(open_site().engine, division, day.date(), measure, channel, moment)
    _show_submissions(found, f"mart.daily_statistics {division} {day.date()} {measure} {channel}", json_)


@explain_command.command("mart.period_statistics")
@division_option
@click.option("--period", required=True, help="2026-03, 2026Q1 or 2026.")
@measure_option
@click.option("--channel", default="all", show_default=True, help="Code of the channel, or all.")
@as_json
def explain_period_command(division: str, period: str, measure: str, channel: str, json_: bool) -> None:
    """List the days that a figure of a period sums; each opens as one of mart.daily_statistics."""
    from etl.periods import Period
    from etl.provenance import explain_period
    from etl.site import open_site

    found = explain_period(open_site().engine, division, Period.parse(period), measure, channel)
    if json_:
        show(True, asdict(found), "")
        return
    show_rows(False, found.parts, ["stat_date", "value", "units_reported", "units_expected"])
    err.print(f"mart.period_statistics {division} {period} {measure} {channel}: {found.value}", markup=False)


@explain_command.command("mart.stock_figure")
@division_option
@click.option("--date", "day", type=DAY, required=True, help="Last day of the month.")
@measure_option
@as_json
def explain_stock_command(division: str, day: datetime, measure: str, json_: bool) -> None:
    """List the submissions, batches, files and rows that a month's stock sums."""
    from etl.provenance import explain_stock
    from etl.site import open_site

    found = explain_stock(open_site().engine, division, day.date(), measure)
    _show_submissions(found, f"mart.stock_figure {division} {day.date()} {measure}", json_)


@explain_command.command("mart.indicator_value")
@division_option
@click.option("--period", required=True, help="2026-03-02, 2026-03, 2026Q1 or 2026.")
@click.option("--indicator", required=True, help="Code of the indicator, such as sd_legal_aid.")
@as_json
def explain_indicator_command(division: str, period: str, indicator: str, json_: bool) -> None:
    """Show the terms of an indicator and the figures under them."""
    from etl.indicators import explain_indicator
    from etl.periods import Period
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
        f"mart.indicator_value {division} {period} {indicator} = {found.formula}: {found.figure['value']}{note}",
        markup=False,
    )


def _said(term: dict[str, Any]) -> str:
    value = "missing" if term["value"] is None else term["value"]
    return f"{term['side']} {term['term']}: {value}" + (f" ({term['note_zh']})" if term["note_zh"] else "")


def _show_submissions(found: Any, name: str, json_: bool) -> None:
    if json_:
        show(True, asdict(found), "")
        return
    show_rows(False, found.parts, SUBMISSIONS)
    err.print(f"{name}: {found.value}", markup=False)
