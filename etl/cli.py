"""The command line: `python -m etl …`. Every command calls the functions that the DAGs' tasks call.

Exit status: 0 done, 1 finished with batches failed or rejected, 2 wrong use or a site that is not ready.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import wraps
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa
from rich.console import Console
from rich.table import Table

from etl.catalog import load_catalog
from etl.connections import ConnectionMissing
from etl.divisions import load_divisions
from etl.failures import Refused
from etl.register import register_catalog
from etl.settings import Settings
from etl.warehouse import migrate, open_warehouse, run_sql

out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)
DAY = click.DateTime(["%Y-%m-%d"])


class Moment(click.ParamType[datetime]):
    """A time in ISO 8601 with its zone."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value} is not a time such as 2026-03-02T00:00:00+08:00", param, ctx)
        if moment.tzinfo is None:
            self.fail(f"{value} has no zone; write it as {value}+08:00", param, ctx)
        return moment


def as_json(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option --json, and plain words with exit status 2 where what is asked cannot be done."""

    @click.option("--json", "json_", is_flag=True, help="Print one JSON document for machines.")
    @wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except Refused as error:
            raise click.UsageError(str(error)) from None

    return wrapped


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def main() -> None:
    """Statistics of public legal services (公共法律服务统计): from the platforms' submissions to tables."""
    logging.basicConfig(level=logging.ERROR, format="%(levelname)s %(message)s")


@main.command()
@as_json
def init(json_: bool) -> None:
    """Make the warehouse ready: apply the migrations and register the catalogue. Again without effect."""
    settings = Settings.from_env()
    catalog = load_catalog(settings.catalog)
    engine = open_warehouse(settings)
    applied = migrate(engine)
    register_catalog(engine, catalog)
    words = f"Applied {', '.join(applied)}." if applied else "The warehouse is ready; nothing to apply."
    _show(json_, {"applied": applied}, words)


@main.group()
def divisions() -> None:
    """Administrative divisions (区划)."""


@divisions.command("load")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--from", "valid_from", type=DAY, help="First day on which the list is valid (default: today).")
@as_json
def divisions_load(file: Path, valid_from: datetime | None, json_: bool) -> None:
    """Load a division list (code,name,level,parent_code). The first list is valid for all past days too."""
    from etl.site import open_site

    site = open_site()
    change = load_divisions(site.engine, file, valid_from.date() if valid_from else None, site.today())
    _show(
        json_,
        {"listed": change.listed, "closed": change.closed, "opened": change.opened},
        f"{change.listed:,} divisions listed: {change.opened:,} opened, {change.closed:,} closed.",
    )


@main.group()
def platforms() -> None:
    """Source platforms."""


@platforms.command("check")
@click.option(
    "--platform", "ids", multiple=True, metavar="ID", help="Only this platform (may be given again)."
)
@as_json
def platforms_check(ids: tuple[str, ...], json_: bool) -> None:
    """Sign in to every declared platform and read one small thing."""
    from etl.site import open_site
    from etl.sources import SOURCES, PullFailed, Unreadable

    site = open_site()
    found: list[dict[str, Any]] = []
    for name in _chosen(site.catalog.platforms, ids):
        platform = site.catalog.platforms[name]
        try:
            message, answers = SOURCES[platform.family].check(platform, site.connect(platform.conn_id)), True
        except (PullFailed, Unreadable, ConnectionMissing) as error:
            message, answers = str(error), False
        found.append({"platform": name, "answers": answers, "message": message})
    table = _table("platform", "answers", "message")
    for each in found:
        table.add_row(each["platform"], "yes" if each["answers"] else "NO", each["message"])
    _show(json_, found, table)
    sys.exit(0 if all(each["answers"] for each in found) else 1)


@main.command("run-day")
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
    chosen = _chosen(site.catalog.daily_platforms(), ids)
    with _progress(json_, f"{day.date()}"):
        troubles = run_day(site, day.date(), chosen)
    _report(site.engine, [day.date()], troubles, json_)


@main.command("restate")
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
    chosen = _chosen(site.catalog.daily_platforms(), ids)
    with _progress(json_, f"since {since.isoformat()}"):
        days, troubles = restate(site, chosen, since)
    _report(site.engine, days, troubles, json_)


@main.command()
@click.option("--date", "day", type=DAY, required=True, help="Statistical day (Asia/Shanghai).")
@click.option(
    "--status", type=click.Choice(["received", "missing", "rejected", "not_expected"]), help="Only these."
)
@as_json
def submissions(day: datetime, status: str | None, json_: bool) -> None:
    """Which units reported on a day, and which did not."""
    from etl.site import open_site

    query = sa.text(
        "SELECT unit_code, unit_name, level, parent_code, status, received_at, revision, is_nil"
        " FROM mart.submission_status WHERE stat_date = :day AND (status <> 'not_expected' OR :status = 'not_expected')"
        " AND (CAST(:status AS text) IS NULL OR status = :status) ORDER BY unit_code"
    )
    with open_site().engine.connect() as conn:
        rows = [dict(row._mapping) for row in conn.execute(query, {"day": day.date(), "status": status})]
    _show_rows(
        json_, rows, ["unit_code", "unit_name", "level", "status", "received_at", "revision", "is_nil"]
    )


@main.command("report")
@click.option("--period", type=DAY, required=True, help="A day, such as 2026-03-02.")
@click.option("--out", "folder", type=click.Path(file_okay=False, path_type=Path), required=True)
@as_json
def report_command(period: datetime, folder: Path, json_: bool) -> None:
    """Write the consolidated workbook of a day."""
    from etl.reports.workbook import write_daily_workbook
    from etl.site import open_site

    site = open_site()
    file = write_daily_workbook(site.engine, site.catalog, period.date(), folder, site.today())
    _show(json_, {"file": str(file)}, f"Written: {file}")


@main.group()
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
    _show_rows(
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
    table = _table("", "")
    for name, value in row.items():
        table.add_row(name, json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value))
    _show(json_, row, table)


def _chosen(declared: dict[str, Any], ids: Sequence[str]) -> list[str]:
    unknown = [name for name in ids if name not in declared]
    if unknown:
        raise click.BadParameter(
            f"no platform {', '.join(unknown)}; declared are {', '.join(declared)}", param_hint="--platform"
        )
    return list(dict.fromkeys(ids)) or list(declared)


def _progress(json_: bool, words: str) -> Any:
    """A moving sign on a terminal, nothing elsewhere."""
    return Console(stderr=True, quiet=json_).status(words)


def _report(engine: sa.Engine, days: list[date], troubles: Sequence[Any], json_: bool) -> None:
    """What came of a run, per platform; exit status 1 when a batch is not in."""
    with engine.connect() as conn:
        rows = [dict(row._mapping) for row in run_sql(conn, "batch/summary", {"days": days})]
    if json_:
        _show(True, {"days": days, "platforms": rows, "troubles": [vars(each) for each in troubles]}, "")
    else:
        _show_rows(
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


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _show_rows(json_: bool, rows: list[dict[str, Any]], columns: list[str]) -> None:
    table = _table(*columns)
    for row in rows:
        table.add_row(*("" if row[name] is None else str(row[name]) for name in columns))
    _show(json_, rows, table)
    if not json_:
        err.print(f"{len(rows):,} rows")


def _show(json_: bool, document: Any, words: Any) -> None:
    if json_:
        click.echo(json.dumps(document, ensure_ascii=False, default=str))
    elif isinstance(words, str):
        out.print(words, markup=False)
    else:
        out.print(words)
