"""Commands about periods (封账): `period close`, `period reopen`, `period list`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

import click

from etl.cli.base import as_json, named, show, show_rows

MONTH = click.DateTime(["%Y-%m"])


@click.group()
def period() -> None:
    """Months that are closed (封账) take no change until they are reopened."""


@period.command("close")
@click.argument("month", type=MONTH)
@named("月度封账")
@as_json
def period_close(month: datetime, by: str, reason: str, json_: bool) -> None:
    """Close a month, such as 2026-02: what comes for it from now on waits."""
    from etl.periods.lock import close_month
    from etl.site import open_site

    close_month(open_site(), month.date(), by, reason)
    show(json_, {"closed": f"{month:%Y-%m}"}, f"{month:%Y-%m} is closed.")


@period.command("reopen")
@click.argument("month", type=MONTH)
@named()
@as_json
def period_reopen(month: datetime, by: str, reason: str, json_: bool) -> None:
    """Reopen a month and load what has waited for it."""
    from etl.periods.lock import reopen_month
    from etl.site import open_site

    done = reopen_month(open_site(), month.date(), by, reason)
    days = ", ".join(map(str, done.days)) or "none"
    show(
        json_, asdict(done), f"{month:%Y-%m} is open. Batches loaded: {done.batches}. Days rolled up: {days}."
    )


@period.command("list")
@as_json
def period_list(json_: bool) -> None:
    """List closed months, and what waits for them."""
    from etl.periods.lock import list_months
    from etl.site import open_site

    rows = list_months(open_site())
    columns = ["month", "is_closed", "decided_by", "reason", "decided_at", "batches_waiting", "rows_waiting"]
    show_rows(json_, rows, columns)
