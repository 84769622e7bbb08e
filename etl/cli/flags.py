"""Commands of the flags desk (核实): questions about figures that look unusual."""

from __future__ import annotations

from datetime import datetime

import click

from etl.cli.base import DAY, as_json, named, show, show_rows


@click.group()
def flags() -> None:
    """Figures that look unusual (疑点): asked about, never held back."""


@flags.command("list")
@click.option("--date", "day", type=DAY, help="Only of this statistical day.")
@click.option("--state", type=click.Choice(["open", "explained", "closed"]), help="Default: all but closed.")
@as_json
def flags_list(day: datetime | None, state: str | None, json_: bool) -> None:
    """List flags, the largest effect on the published total first."""
    from etl.plausibility.desk import list_flags
    from etl.site import open_site

    rows = list_flags(open_site().engine, day.date() if day else None, state)
    columns = ["flag_id", "stat_date", "unit_code", "unit_name", "check_code", "effect", "state", "assignee"]
    show_rows(json_, rows, [*columns, "due_date", "message"])


@flags.command("explain")
@click.argument("flag_id", type=int)
@named()
@as_json
def flags_explain(flag_id: int, by: str, reason: str, json_: bool) -> None:
    """Explain a figure: where it comes from and why it changed. The explanation is kept with it; 核实无误 alone is
    refused."""
    from etl.plausibility.desk import explain_flag
    from etl.site import open_site

    site = open_site()
    explain_flag(site.engine, site.catalog, flag_id, by, reason, site.clock)
    show(json_, {"flag_id": flag_id, "state": "explained"}, f"Flag {flag_id} is explained.")


@flags.command("close")
@click.argument("flag_id", type=int)
@named()
@as_json
def flags_close(flag_id: int, by: str, reason: str, json_: bool) -> None:
    """Close a flag that was explained."""
    from etl.plausibility.desk import close_flag
    from etl.site import open_site

    site = open_site()
    close_flag(site.engine, flag_id, by, reason, site.clock)
    show(json_, {"flag_id": flag_id, "state": "closed"}, f"Flag {flag_id} is closed.")
