"""`indicators`: what a period shows, computed and listed; and what another scheme would change."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from etl.cli.base import as_json, err, progress, show_rows
from etl.periods import Period
from etl.rounding import exact, rounded
from etl.warehouse import run_sql

COLUMNS = ["indicator", "indicator_name", "value", "unit", "target", "status", "note_zh"]
DIVISION = ["division_code", "division_name"]
CHANGES = [
    "level",
    *DIVISION,
    "scheme_before",
    "score_before",
    "score",
    "grade_before",
    "grade",
    "rank_in_province_before",
    "rank_in_province",
    "rank_change",
]


@click.command("indicators")
@click.option(
    "--period", "name", required=True, metavar="PERIOD", help="2026-03-02, 2026-03, 2026Q1 or 2026."
)
@click.option(
    "--division", help="12-digit code of the division to list. Default: the highest that has indicators."
)
@click.option(
    "--scheme",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What if: evaluate by the scheme in this file and show the changes in rank. Nothing is stored.",
)
@as_json
def indicators_command(name: str, division: str | None, scheme: Path | None, json_: bool) -> None:
    """Compute what a period shows (totals, indicators, satisfaction, evaluation), then list its indicators."""
    from etl.periodic import show_period
    from etl.site import open_site

    period = Period.parse(name)
    site = open_site()
    if scheme is not None:
        _show_changes(site, period, scheme, json_)
        return
    if period.starts_on > site.today():
        raise click.BadParameter(f"{name} lies in the future; today is {site.today()}", param_hint="--period")
    for each in dict.fromkeys([period, *period.to_date()]):
        with progress(json_, each.name):
            show_period(site, each)
    with site.engine.connect() as conn:
        found = run_sql(conn, "report/indicators", {"period": period.name, "division": division})
        rows = [_plain(dict(row._mapping)) for row in found]
    show_rows(
        json_, rows, COLUMNS if len({row["division_code"] for row in rows}) < 2 else [*DIVISION, *COLUMNS]
    )
    if rows and not json_:
        err.print(f"{period.name} {rows[0]['division_name']} ({rows[0]['division_code']})", markup=False)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """Rates in percent, amounts without the zeros that a division leaves behind; a provisional value says so."""
    for key in ("value", "target"):
        if row[key] is not None:
            row[key] = (
                f"{rounded(exact(row[key]) * 100, 2)}"
                if row["unit"] == "%"
                else f"{rounded(row[key], 4)}".rstrip("0").rstrip(".")
            )
    row["note_zh"] = "；".join(
        words for words in ("初步" if row["is_provisional"] else "", row["note_zh"] or "") if words
    )
    return row


def _show_changes(site: Any, period: Period, file: Path, json_: bool) -> None:
    from etl.catalog.scheme_indicators import known_indicators
    from etl.evaluation import compare_scheme

    known = known_indicators(site.catalog.indicators)
    changes = compare_scheme(site.engine, site.catalog, file, period, known)
    show_rows(json_, [asdict(change) for change in changes], CHANGES)
    if not json_:
        moved = sum(bool(change.rank_change) for change in changes)
        err.print(f"{moved:,} of {len(changes):,} change their rank. Nothing was stored.")
