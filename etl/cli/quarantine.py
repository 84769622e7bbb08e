"""Commands of the quarantine desk (隔离): rows that are held back, and what a person decides about them."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import datetime

import click

from etl.cli.base import DAY, as_json, make_table, named, show, show_rows
from etl.warehouse import run_sql

STATES = ("held", "released", "discarded", "corrected")


@click.group()
def quarantine() -> None:
    """Rows that are held back (隔离)."""


@quarantine.command("list")
@click.option("--date", "day", type=DAY, help="Only of this statistical day.")
@click.option("--state", type=click.Choice(STATES), help="Only in this state.")
@as_json
def quarantine_list(day: datetime | None, state: str | None, json_: bool) -> None:
    """List rows that were held back, with the reason and what became of them."""
    from etl.site import open_site

    with open_site().engine.connect() as conn:
        found = run_sql(conn, "quarantine/list", {"day": day.date() if day else None, "state": state})
        rows = [dict(row._mapping) for row in found]
    show_rows(
        json_,
        rows,
        ["quarantine_id", "platform", "stat_date", "unit_code", "place", "reason_code", "reason", "state"],
    )


@quarantine.command("show")
@click.argument("quarantine_id", type=int)
@as_json
def quarantine_show(quarantine_id: int, json_: bool) -> None:
    """Show one row as it was received (personal data masked), and who decided what about it."""
    from etl.site import open_site

    with open_site().engine.connect() as conn:
        found = run_sql(conn, "quarantine/show", {"quarantine_id": quarantine_id}).one_or_none()
    if found is None:
        raise click.BadParameter(f"no row {quarantine_id} in the quarantine", param_hint="QUARANTINE_ID")
    row = dict(found._mapping)
    table = make_table("", "")
    for name, value in row.items():
        table.add_row(name, json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value))
    show(json_, row, table)


ROWS = click.argument("ids", type=int, nargs=-1, required=True, metavar="QUARANTINE_ID…")


@quarantine.command("release")
@ROWS
@named()
@click.option("--unit", help="Corrected division code.")
@click.option("--day", "date", help="Corrected statistical day, YYYY-MM-DD.")
@click.option("--measure", help="Corrected measure, by code or Chinese name.")
@click.option("--channel", help="Corrected channel, by code or Chinese name.")
@click.option("--value", help="Corrected value.")
@as_json
def quarantine_release(ids: tuple[int, ...], by: str, reason: str, json_: bool, **parts: str | None) -> None:
    """Let rows go, as they stand or with one correction: they pass the gate again and are loaded."""
    from etl.desk import Correction, release
    from etl.site import open_site

    done = release(open_site(), ids, by, reason, Correction(**parts))
    show(
        json_,
        asdict(done),
        f"{done.rows} released: {done.loaded} loaded, {done.held_again} held again, {done.superseded} superseded by a"
        f" newer revision. Rolled up: {', '.join(map(str, [*done.days, *done.month_ends]))}.",
    )
    sys.exit(1 if done.held_again else 0)


@quarantine.command("discard")
@ROWS
@named()
@as_json
def quarantine_discard(ids: tuple[int, ...], by: str, reason: str, json_: bool) -> None:
    """Say that rows will never count; they stay on record."""
    from etl.desk import discard
    from etl.site import open_site

    count = discard(open_site(), ids, by, reason)
    show(json_, {"discarded": count}, f"{count} discarded.")
