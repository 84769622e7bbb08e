"""`explain TABLE`: what a published figure is made of; a daily figure down to the row of the file."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

import click

from etl.cli.base import DAY, Moment, as_json, err, show, show_rows


class Tables(click.Group):
    """One command per table, with or without the schema in its name."""

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        return super().get_command(ctx, name) or super().get_command(ctx, f"mart.{name}")


@click.group("explain", cls=Tables, subcommand_metavar="TABLE …")
def explain_command() -> None:
    """What a published figure is made of."""


@explain_command.command("mart.daily_statistics")
@click.option("--division", required=True, help="12-digit division code.")
@click.option("--date", "day", type=DAY, required=True, help="Statistical day (Asia/Shanghai).")
@click.option("--measure", required=True, help="Code of the measure, such as consultation.")
@click.option("--channel", default="all", show_default=True, help="Code of the channel, or all.")
@click.option("--as-of", "moment", type=Moment(), help="As known then: ISO 8601 with zone. Default: now.")
@as_json
def explain_daily_command(
    division: str, day: datetime, measure: str, channel: str, moment: datetime | None, json_: bool
) -> None:
    """List the submissions, batches, files and rows that a figure of a mart sums."""
    from etl.provenance import explain_daily
    from etl.site import open_site

    found = explain_daily(open_site().engine, division, day.date(), measure, channel, moment)
    if json_:
        show(True, asdict(found), "")
        return
    show_rows(
        False,
        found.parts,
        [
            "unit_code",
            "unit_name",
            "channel",
            "value",
            "platform",
            "revision",
            "batch_id",
            "source_name",
            "row_number",
        ],
    )
    err.print(
        f"mart.daily_statistics {division} {day.date()} {measure} {channel}: {found.value}", markup=False
    )
