"""Commands about administrative divisions (区划): `divisions load`."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from etl.cli.base import DAY, as_json, make_table, out, show
from etl.divisions import DivisionLoad, load_divisions, plan_divisions
from etl.divisions.compare import Change
from etl.divisions.mapping import COLUMNS, KINDS
from etl.rounding import rounded

SHOWN = 10
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def divisions() -> None:
    """Administrative divisions (区划)."""


@divisions.command("load")
@click.argument("file", type=FILE)
@click.option("--from", "valid_from", type=DAY, help="First day on which the list is valid (default: today).")
@click.option(
    "--mapping", type=FILE, help=f"CSV of {','.join(COLUMNS)}: what is stated here is not inferred."
)
@click.option("--strict", is_flag=True, help="Refuse repeated codes, skipped levels and placeholders.")
@click.option("--plan", "plan_only", is_flag=True, help="Show what would change; change nothing.")
@click.option(
    "--propose",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write what is inferred as a mapping to correct and state.",
)
@as_json
def divisions_load(
    file: Path,
    valid_from: datetime | None,
    mapping: Path | None,
    strict: bool,
    plan_only: bool,
    propose: Path | None,
    json_: bool,
) -> None:
    """Load a division list (code,name,level,parent_code): show what changed, then apply it.

    The first list is valid for all past days too.
    """
    from etl.site import open_site

    site = open_site()
    start = valid_from.date() if valid_from else None

    def announce(plan: DivisionLoad) -> None:
        if propose is not None:
            _write_proposals(propose, plan)
        if not json_:
            _show_plan(plan)

    if plan_only:
        plan = plan_divisions(site.engine, file, start, site.today(), mapping=mapping, strict=strict)
        announce(plan)
        show(
            json_,
            {**_document(plan), "changes": [change._asdict() for change in plan.changes]},
            f"{plan.listed:,} divisions listed: {plan.opened:,} to open, {plan.closed:,} to close. Nothing was loaded.",
        )
        return
    loaded = load_divisions(
        site.engine, file, start, site.today(), mapping=mapping, strict=strict, announce=announce
    )
    words = f"{loaded.listed:,} divisions listed: {loaded.opened:,} opened, {loaded.closed:,} closed."
    if loaded.days:
        words += f"\n{loaded.days:,} days in the marts wait to be rolled up again; the next restatement run does it."
    if loaded.unexpected:
        words += f"\n{loaded.unexpected:,} submissions flagged: their unit is not in force on their day (unit_closed)."
    show(json_, _document(loaded), words)


def _document(plan: DivisionLoad) -> dict[str, Any]:
    return {
        "listed": plan.listed,
        "closed": plan.closed,
        "opened": plan.opened,
        "valid_from": plan.valid_from,
        "kinds": plan.counts(),
        "remarks": plan.remarks,
        "days_waiting": plan.days,
        "submissions_flagged": plan.unexpected,
    }


def _show_plan(plan: DivisionLoad) -> None:
    for remark in plan.remarks:
        out.print(remark, markup=False)
    if plan.valid_from is None:
        out.print("The first list: valid for all days.", markup=False)
        return
    counts = Counter((change.kind, change.level, change.origin, change.is_taken) for change in plan.changes)
    table = make_table("change", "level", "origin", "taken", "divisions")
    for (kind, level, origin, is_taken), count in sorted(counts.items()):
        table.add_row(kind, level, origin, "yes" if is_taken else "proposed only", f"{count:,}")
    out.print(table)
    shown: Counter[tuple[str, str]] = Counter()
    for change in plan.changes:
        shown[change.kind, change.level] += 1
        if shown[change.kind, change.level] <= SHOWN:
            out.print(_line(change), markup=False)
    if shown and max(shown.values()) > SHOWN:
        out.print(f"At most {SHOWN} are shown of a kind and level; --plan --json gives all.", markup=False)


def _line(change: Change) -> str:
    codes = " → ".join(dict.fromkeys(filter(None, (change.from_code, change.to_code))))
    share = f" share {change.share}" if change.kind == "split" else ""
    origin = (
        f"{change.origin} {rounded(change.confidence, 2)}" if change.origin == "inferred" else change.origin
    )
    taken = "" if change.is_taken else ", proposed only"
    return f"{change.kind} {change.level} {codes}{share} ({origin}{taken}): {change.reason}"


def _write_proposals(file: Path, plan: DivisionLoad) -> None:
    """What is inferred, in the form of a mapping; a share only where one is to be stated."""
    with file.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for change in plan.changes:
            if change.origin == "inferred" and change.kind in KINDS:
                share = change.share if change.kind == "split" else ""
                note = f"{rounded(change.confidence, 2)}: {change.reason}"
                writer.writerow([change.kind, change.from_code, change.to_code, share, note])
