"""Command that writes the 通报: `bulletin`."""

from __future__ import annotations

from pathlib import Path

import click

from etl.cli.base import as_json, progress, show


@click.command("bulletin")
@click.option("--period", required=True, help="A month, quarter or year: 2026-03, 2026Q1, 2026.")
@click.option(
    "--division",
    help="Code of a province, city or county. Default: the only city that reports, else the province.",
)
@click.option("--out", "folder", type=click.Path(file_okay=False, path_type=Path), required=True)
@as_json
def bulletin_command(period: str, division: str | None, folder: Path, json_: bool) -> None:
    """Write the bulletin (通报) of a period as HTML, PDF and an editable text."""
    from etl.bulletin import usual_division, write_bulletin
    from etl.periods import Period
    from etl.site import open_site

    asked = Period.parse(period)
    site = open_site()
    with (
        progress(json_, f"Writing the bulletin of {asked.name}"),
        site.engine.connect().execution_options(isolation_level="REPEATABLE READ") as conn,
    ):
        chosen = division or usual_division(conn, asked)
        files = write_bulletin(conn, site.catalog, chosen, asked, folder, site.today())
    show(json_, {"files": [str(file) for file in files]}, "\n".join(f"Written: {file}" for file in files))
