"""Commands about administrative divisions (区划): `divisions load`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from etl.cli.base import DAY, as_json, show
from etl.divisions import load_divisions


@click.group()
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
    show(
        json_,
        {"listed": change.listed, "closed": change.closed, "opened": change.opened},
        f"{change.listed:,} divisions listed: {change.opened:,} opened, {change.closed:,} closed.",
    )
