"""Commands that show what is in: `submissions`, `report`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click
import sqlalchemy as sa

from etl.cli.base import DAY, as_json, show, show_rows

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
        " is_nil, is_partial, is_restated FROM mart.submission_status WHERE stat_date = :day"
        " AND (status = :status OR CAST(:status AS text) IS NULL AND status IS DISTINCT FROM 'not_expected')"
        " ORDER BY unit_code, dataset"
    )
    with open_site().engine.connect() as conn:
        rows = [dict(row._mapping) for row in conn.execute(query, {"day": day.date(), "status": status})]
    show_rows(json_, rows, SHOWN)


@click.command("report")
@click.option("--period", type=DAY, required=True, help="A day, such as 2026-03-02.")
@click.option("--out", "folder", type=click.Path(file_okay=False, path_type=Path), required=True)
@as_json
def report_command(period: datetime, folder: Path, json_: bool) -> None:
    """Write the consolidated workbook of a day."""
    from etl.reports.workbook import write_daily_workbook
    from etl.site import open_site

    site = open_site()
    file = write_daily_workbook(site.engine, site.catalog, period.date(), folder, site.today())
    show(json_, {"file": str(file)}, f"Written: {file}")
