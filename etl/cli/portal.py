"""`portal`: the pages for people who look rather than read, served or as files."""

from __future__ import annotations

from pathlib import Path

import click

from etl.cli.base import as_json, err, progress, show
from etl.periods import Period


@click.group()
def portal() -> None:
    """Portal (门户): pages on the marts."""


@portal.command("serve")
@click.option(
    "--listen",
    metavar="HOST:PORT",
    envvar="PLS_PORTAL_LISTEN",
    default="127.0.0.1:8081",
    show_default=True,
    help="Where to answer.",
)
@as_json
def portal_serve(listen: str, json_: bool) -> None:
    """Serve the portal until stopped."""
    import uvicorn

    from etl.portal.app import create_app
    from etl.site import open_site

    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise click.BadParameter(f"{listen} is not HOST:PORT", param_hint="--listen")
    app = create_app(open_site())
    err.print(f"http://{listen}/")
    # Who asks is the address that connects: what a proxy writes into headers is no evidence.
    uvicorn.run(app, host=host, port=int(port), proxy_headers=False, server_header=False, log_level="warning")


@portal.command("export")
@click.option("--period", required=True, metavar="P", help="A month, quarter or year: 2026-03, 2026Q1, 2026.")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder.")
@click.option("--division", "code", metavar="CODE", help="Only this division and what is below it.")
@as_json
def portal_export(period: str, out: Path, code: str | None, json_: bool) -> None:
    """Write the pages of a period as files that open without a server."""
    from etl.portal.export import export_portal
    from etl.site import open_site

    Period.parse(period)
    with progress(json_, f"Pages of {period}"):
        made = export_portal(open_site(), period, out, code)
    show(json_, {"index": made.index, "pages": made.pages}, f"{made.pages:,} pages: {made.index}")
