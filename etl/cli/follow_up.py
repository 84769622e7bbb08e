"""Commands of the follow-up of dissatisfied people (回访)."""

from __future__ import annotations

from datetime import datetime

import click

from etl.cli.base import DAY, as_json, show, show_rows


@click.group("follow-up")
def follow_up() -> None:
    """Dissatisfied answers (不满意) and who called back (回访)."""


@follow_up.command("list")
@click.option("--division", metavar="CODE", help="Only of this division and all below it.")
@click.option("--state", type=click.Choice(["open", "overdue", "done"]), help="Default: all.")
@as_json
def follow_up_list(division: str | None, state: str | None, json_: bool) -> None:
    """List what is to be followed up, the first deadline first."""
    from etl.satisfaction.follow_up import list_follow_ups
    from etl.site import open_site

    site = open_site()
    rows = list_follow_ups(site.engine, division, state, site.today())
    columns = ["stat_date", "unit_code", "unit_name", "channel", "due", "in_time", "late", "open", "surplus"]
    show_rows(json_, rows, [*columns, "due_on"])


@follow_up.command("record")
@click.option("--unit", required=True, metavar="CODE", help="The unit whose service was answered about.")
@click.option("--date", "day", type=DAY, required=True, help="The statistical day of the answers.")
@click.option("--channel", required=True, help="physical, hotline or network.")
@click.option("--people", type=int, default=1, show_default=True, help="How many were called back.")
@click.option("--done", "done_on", type=DAY, required=True, help="The day they were called.")
@click.option("--result", required=True, help="What came of it.")
@click.option("--reason", required=True, help="What they were dissatisfied with.")
@click.option("--by", "name", required=True, metavar="NAME", help="Who called.")
@as_json
def follow_up_record(
    unit: str,
    day: datetime,
    channel: str,
    people: int,
    done_on: datetime,
    result: str,
    reason: str,
    name: str,
    json_: bool,
) -> None:
    """Record that dissatisfied people were called back. Never more than were dissatisfied."""
    from etl.satisfaction.follow_up import FollowUp, record_follow_up
    from etl.site import open_site

    site = open_site()
    done = FollowUp(unit, day.date(), channel, people, done_on.date(), result, name, reason)
    number = record_follow_up(site.engine, site.catalog, done, site.clock)
    show(json_, {"follow_up_id": number}, f"Follow-up {number} is recorded.")
