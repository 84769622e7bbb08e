"""`housekeeping`: backups of the embedded warehouse, and letting go of what has served its time."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from etl.cli.base import as_json, err, progress, show


@click.group()
def housekeeping() -> None:
    """Back up the embedded warehouse, restore it, let go of what has served its time."""


@housekeeping.command("backup")
@as_json
def backup_command(json_: bool) -> None:
    """Write the embedded warehouse to one file below PLS_HOME/backups."""
    from etl.clock import utc_now
    from etl.housekeeping.backup import back_up
    from etl.settings import Settings

    with progress(json_, "backing up"):
        file = back_up(Settings.from_env(), utc_now())
    show(json_, {"file": file, "bytes": file.stat().st_size}, f"{file} ({file.stat().st_size:,} bytes)")


@housekeeping.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@as_json
def restore_command(file: Path, json_: bool) -> None:
    """Fill the embedded warehouse of an empty PLS_HOME from a backup; the archive is copied beside it by hand."""
    from etl.housekeeping.backup import restore
    from etl.settings import Settings

    settings = Settings.from_env()
    with progress(json_, "restoring"):
        restore(settings, file)
    show(json_, {"home": settings.home}, f"Restored into {settings.home}. Now: python -m etl verify")


@housekeeping.command("tidy")
@as_json
def tidy_command(json_: bool) -> None:
    """Drop what is older than the catalogue's retention says and can be made again; exit status 1 when something had to
    be kept."""
    from etl.housekeeping.retention import tidy
    from etl.site import open_site

    with progress(json_, "tidying"):
        done = tidy(open_site(role="pls_owner"))
    show(
        json_,
        asdict(done),
        f"{done.objects:,} objects of the archive ({done.bytes:,} bytes), {done.docs:,} days of Data Docs,"
        f" {done.backups:,} backups dropped.",
    )
    if not json_:
        for words in done.kept:
            err.print(words, markup=False)
    sys.exit(1 if done.kept else 0)
