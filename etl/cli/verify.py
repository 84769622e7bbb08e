"""`verify`: what is stored, held against what it is computed from."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import datetime

import click

from etl.cli.base import DAY, as_json, err, progress, show, show_rows


@click.command("verify")
@click.option("--date", "day", type=DAY, help="Only this statistical day. Default: everything.")
@as_json
def verify_command(day: datetime | None, json_: bool) -> None:
    """Recompute the archive's digests, the ledger and every roll-up; name any difference."""
    from etl.site import open_site
    from etl.verify import verify

    with progress(json_, "verifying"):
        found = verify(open_site(), day.date() if day else None)
    if json_:
        show(True, asdict(found), "")
    else:
        show_rows(False, [asdict(each) for each in found.differences], ["part", "where", "message"])
        err.print(
            f"{found.objects:,} objects of the archive, {found.days:,} days, {found.months:,} months of stocks,"
            f" {found.periods:,} periods, the whole ledger."
        )
    sys.exit(1 if found.differences else 0)
