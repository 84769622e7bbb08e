"""Commands that make a site ready: `init`, `platforms check`."""

from __future__ import annotations

import sys
from typing import Any

import click

from etl.catalog import load_catalog
from etl.cli.base import as_json, choose, make_table, show
from etl.connections import ConnectionMissing
from etl.register import register_catalog
from etl.settings import Settings
from etl.warehouse import migrate, open_warehouse


@click.command()
@as_json
def init(json_: bool) -> None:
    """Make the warehouse ready: apply the migrations and register the catalogue. Again without effect."""
    settings = Settings.from_env()
    catalog = load_catalog(settings.catalog)
    engine = open_warehouse(settings)
    applied = migrate(engine)
    register_catalog(engine, catalog)
    words = f"Applied {', '.join(applied)}." if applied else "The warehouse is ready; nothing to apply."
    show(json_, {"applied": applied}, words)


@click.group()
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
    for name in choose(site.catalog.platforms, ids):
        platform = site.catalog.platforms[name]
        try:
            message, answers = SOURCES[platform.family].check(platform, site.connect(platform.conn_id)), True
        except (PullFailed, Unreadable, ConnectionMissing) as error:
            message, answers = str(error), False
        found.append({"platform": name, "answers": answers, "message": message})
    table = make_table("platform", "answers", "message")
    for each in found:
        table.add_row(each["platform"], "yes" if each["answers"] else "NO", each["message"])
    show(json_, found, table)
    sys.exit(0 if all(each["answers"] for each in found) else 1)
