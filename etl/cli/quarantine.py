"""Commands of the quarantine desk (隔离): rows that are held back."""

from __future__ import annotations

import json
from datetime import datetime

import click

from etl.cli.base import DAY, as_json, make_table, show, show_rows
from etl.warehouse import run_sql


@click.group()
def quarantine() -> None:
    """Rows that are held back (隔离)."""


@quarantine.command("list")
@click.option("--date", "day", type=DAY, help="Only of this statistical day.")
@as_json
def quarantine_list(day: datetime | None, json_: bool) -> None:
    """List rows that are held back, with the reason."""
    from etl.site import open_site

    with open_site().engine.connect() as conn:
        found = run_sql(conn, "quarantine/list", {"day": day.date() if day else None})
        rows = [dict(row._mapping) for row in found]
    show_rows(
        json_, rows, ["quarantine_id", "platform", "stat_date", "unit_code", "place", "reason_code", "reason"]
    )


@quarantine.command("show")
@click.argument("quarantine_id", type=int)
@as_json
def quarantine_show(quarantine_id: int, json_: bool) -> None:
    """Show one row that is held back, as it was received (personal data masked)."""
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
