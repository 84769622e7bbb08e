"""Command that writes consolidated tables: `report`."""

from __future__ import annotations

from pathlib import Path

import click

from etl.cli.base import as_json, show
from etl.cli.issue import show_verdict


@click.command("report")
@click.option("--period", help="A day, month, quarter or year: 2026-03-02, 2026-03, 2026Q1, 2026.")
@click.option("--out", "folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--report", "only", help="One report of the catalogue. Default: all that such a period has.")
@click.option(
    "--division", help="Code of a division. Default: the lowest that has all reporting units in it."
)
@click.option(
    "--verify",
    "issued",
    type=click.Path(exists=True, path_type=Path),
    help="Prove an issued table instead: its folder, manifest.json or a file. Status 1: not as issued.",
)
@as_json
def report_command(
    period: str | None,
    folder: Path | None,
    only: str | None,
    division: str | None,
    issued: Path | None,
    json_: bool,
) -> None:
    """Write the consolidated tables of a period: workbooks, with CSV, Parquet and SDMX-CSV beside them."""
    if issued is not None:
        return show_verdict(json_, issued)
    if period is None or folder is None:
        raise click.UsageError("--period and --out were expected, or --verify")
    from etl.periods import Period
    from etl.reports.publish import write_tables
    from etl.site import open_site

    site = open_site()
    files = write_tables(
        site.engine, site.catalog, Period.parse(period), folder, site.today(), only, division
    )
    books = [file for file in files if file.suffix == ".xlsx"]
    show(
        json_,
        {"files": [str(file) for file in files]},
        "\n".join(f"Written: {file}" for file in books),
    )
