"""Command that shows what is in: `submissions`."""

from __future__ import annotations

from datetime import datetime

import click
import sqlalchemy as sa

from etl.cli.base import DAY, as_json, show_rows

STATUSES = ["on_time", "late", "late_after_cutoff", "missing", "rejected", "not_expected"]
SHOWN = ["unit_code", "unit_name", "level", "dataset", "status", "received_at", "revision", "is_nil"]


@click.command()
@click.option("--date", "day", type=DAY, required=True, help="Statistical day (Asia/Shanghai).")
@click.option("--status", type=click.Choice(STATUSES), help="Only these.")
@as_json
def submissions(day: datetime, status: str | None, json_: bool) -> None:
    """Which units reported a day, and when, and which did not; no status: not in, and the cut-off is still ahead."""
    from etl.site import open_site

    query = sa.text(
        "SELECT unit_code, unit_name, level, parent_code, dataset, status, due_at, cutoff_at, received_at, revision,"
        " is_nil, is_partial, is_restated"
        " FROM mart.submission_status_among(statement_timestamp(), NULL, :day, :day)"
        " WHERE status = :status OR CAST(:status AS text) IS NULL AND status IS DISTINCT FROM 'not_expected'"
        " ORDER BY unit_code, dataset"
    )
    with open_site().engine.connect() as conn:
        rows = [dict(row._mapping) for row in conn.execute(query, {"day": day.date(), "status": status})]
    show_rows(json_, rows, SHOWN)
