"""Commands of the alerts (催报): what was sent to whom, taking note of it, and sending what waits."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import datetime

import click

from etl.cli.base import DAY, as_json, progress, show, show_rows

STATES = ("pending", "sent", "acknowledged", "failed", "moot", "no_contact")


@click.group()
def alerts() -> None:
    """Alerts about submissions (催报)."""


@alerts.command("list")
@click.option("--date", "day", type=DAY, help="Only about this statistical day.")
@click.option("--state", type=click.Choice(STATES), help="Only in this state.")
@click.option("--recipient", help="Only to this recipient, by id.")
@as_json
def alerts_list(day: datetime | None, state: str | None, recipient: str | None, json_: bool) -> None:
    """List alerts: to whom, about how many units, and what became of them."""
    from etl.site import open_site
    from etl.warehouse import run_sql

    with open_site().engine.connect() as conn:
        found = run_sql(
            conn,
            "alerts/list",
            {"day": day.date() if day else None, "state": state, "recipient": recipient},
        )
        rows = [dict(row._mapping) for row in found]
    columns = ["alert_id", "stat_date", "round", "recipient", "subjects", "subjects_open", "state", "channel"]
    show_rows(json_, rows, [*columns, "sent_at", "acknowledged_by", "last_error"])


@alerts.command("ack")
@click.argument("alert_id", type=int)
@click.option("--by", "name", required=True, metavar="NAME", help="Who takes note; kept with the alert.")
@as_json
def alerts_ack(alert_id: int, name: str, json_: bool) -> None:
    """Take note of an alert: its recipient is not told of the same units again."""
    from etl.alerts import acknowledge
    from etl.site import open_site

    site = open_site()
    done = acknowledge(site.engine, alert_id, name, site.clock())
    show(json_, asdict(done), f"Alert {alert_id} to {done.recipient}: acknowledged by {done.by}.")


@alerts.command("send")
@click.option("--again", "ids", type=int, multiple=True, metavar="ALERT_ID", help="Try a failed alert again.")
@as_json
def alerts_send(ids: tuple[int, ...], json_: bool) -> None:
    """Run the rounds that are due and send what waits, as submission_watch does."""
    from etl.alerts import run_rounds, send_alerts, try_again
    from etl.site import open_site

    site = open_site()
    with progress(json_, "alerts"):
        ran = run_rounds(site.engine, site.catalog, site.clock())
        repeated = try_again(site.engine, ids, site.clock()) if ids else []
        sent = send_alerts(site)
    document = {"rounds": asdict(ran), "repeated": repeated, **asdict(sent)}
    show(
        json_,
        document,
        f"{ran.digests} digests and {ran.all_clears} all-clears written; {sent.sent} sent, {sent.postponed} attempts"
        f" postponed, {sent.failed} failed for good.",
    )
    sys.exit(1 if sent.failed else 0)
