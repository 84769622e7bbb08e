"""Commands that issue tables: `issue`, `issued list`, `delivery list`, `delivery retry`; and the words of a verdict."""

from __future__ import annotations

import sys
from dataclasses import asdict
from getpass import getuser
from pathlib import Path
from typing import Any

import click

from etl.cli.base import as_json, progress, show, show_rows
from etl.failures import Refused


@click.command("issue")
@click.option("--period", required=True, help="Such as 2026-03-02, 2026-03, 2026Q1, 2026.")
@click.option("--report", "reports", multiple=True, help="Only these. Default: all reports of such a period.")
@click.option(
    "--division", help="Code of the division. Default: the whole area that reports, and its recipients' own."
)
@click.option("--by", default=getuser, help="Who issues, kept with the version. Default: you.")
@as_json
def issue_command(period: str, reports: tuple[str, ...], division: str | None, by: str, json_: bool) -> None:
    """Issue tables of a period: freeze the next version of each that has changed, and deliver it."""
    from etl.delivery import deliver_tables
    from etl.issue import issue_table
    from etl.periods import Period
    from etl.reports.publish import tables_of, wanted_reports
    from etl.site import open_site

    site = open_site()
    of = Period.parse(period)
    with site.engine.connect() as conn:
        if division is None:
            chosen, faults = tables_of(conn, site.catalog, of, reports)
        else:
            wanted = [wanted_reports(conn, site.catalog, of, name, division) for name in reports or (None,)]
            chosen, faults = [(report, division) for found in wanted for report in found], []
    if not chosen and not faults:
        faults.append(
            f"No report is made of a {of.kind} here. Declare one in reports/ (docs/howto/new-table.md)."
        )
    rows: list[dict[str, Any]] = [{"state": "refused", "message": fault} for fault in faults]
    for report, place in chosen:
        with progress(json_, f"{report.title} {place}"):
            try:
                done = issue_table(site, report, place, of, by)
            except Refused as error:
                rows.append(
                    {"report": report.id, "division": place, "state": "refused", "message": str(error)}
                )
                continue
        words = "issued" if done.is_new else "no cell has changed since"
        rows.append(
            {"report": report.id, "division": place, "state": words, "version": done.version,
             "folder": str(done.folder), "cells_changed": done.cells_changed, "message": ""}
        )  # fmt: skip
    delivered = deliver_tables(site)
    columns = ["report", "division", "version", "state", "cells_changed", "folder", "message"]
    show(json_, {"tables": rows, "delivery": asdict(delivered)}, "") if json_ else show_rows(
        False, [dict.fromkeys(columns) | row for row in rows], columns
    )
    for words in (*delivered.waiting, *delivered.failed):
        click.echo(words, err=True)
    if delivered.waiting or delivered.failed or any(row["message"] for row in rows):
        sys.exit(1)


@click.group()
def issued() -> None:
    """Tables that were issued, and drafts."""


@issued.command("list")
@as_json
def issued_list(json_: bool) -> None:
    """List drafts and versions, with what became of them."""
    columns = [
        "report",
        "division_name",
        "period",
        "version",
        "state",
        "decided_at",
        "decided_by",
        "cells_changed",
    ]
    _show(json_, "issue/list", columns)


@click.group()
def delivery() -> None:
    """Deliveries of issued tables to folders, servers and mail boxes."""


@delivery.command("list")
@as_json
def delivery_list(json_: bool) -> None:
    """List deliveries: where they went, or what they wait for."""
    columns = ["delivery_id", "report", "period", "version", "target", "state", "attempts", "last_error"]
    _show(json_, "delivery/list", columns)


@delivery.command("retry")
@click.argument("ids", nargs=-1, type=int)
@as_json
def delivery_retry(ids: tuple[int, ...], json_: bool) -> None:
    """Try again what waits, and what a target refused: of some deliveries by number, or of all."""
    from etl.delivery import deliver_tables
    from etl.site import open_site
    from etl.warehouse import run_sql

    site = open_site()
    with site.engine.begin() as conn:
        run_sql(conn, "delivery/again", {"ids": list(ids) or None})
    done = deliver_tables(site)
    words = "\n".join([f"Delivered: {done.delivered}.", *done.waiting, *done.failed])
    show(json_, asdict(done), words)
    if done.waiting or done.failed:
        sys.exit(1)


def show_verdict(json_: bool, path: Path) -> None:
    """Prove an issued table and say what was found; ends the command with status 1 when it is not as issued."""
    from etl.issue import verify_issue
    from etl.site import open_site

    with progress(json_, str(path)):
        verdict = verify_issue(open_site(), path)
    head = f"{verdict.report} {verdict.period} {verdict.division_code} v{verdict.version}"
    proved = f"{verdict.files} file(s) as issued, {verdict.cells:,} cells equal to what was known then."
    words = proved if verdict.is_proved else "\n".join(verdict.findings)
    show(json_, asdict(verdict) | {"is_proved": verdict.is_proved}, f"{head}: {words}")
    if not verdict.is_proved:
        sys.exit(1)


def _show(json_: bool, name: str, columns: list[str]) -> None:
    from etl.site import open_site
    from etl.warehouse import run_sql

    with open_site().engine.connect() as conn:
        rows = [dict(row._mapping) for row in run_sql(conn, name)]
    show_rows(json_, rows, columns)
