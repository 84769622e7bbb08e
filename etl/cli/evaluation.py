"""`explain mart.evaluation`: how a score is made up."""

from __future__ import annotations

from dataclasses import asdict

import click

from etl.cli.base import as_json, err, out, show, show_rows
from etl.periods import Period
from etl.rounding import spelled

ITEM_COLUMNS = ["indicator", "value", "points", "effective_weight", "score", "reason"]
EVIDENCE_COLUMNS = ["kind", "points", "reason", "file"]


@click.command("mart.evaluation")
@click.option("--division", required=True, help="12-digit division code.")
@click.option("--period", "name", required=True, metavar="PERIOD", help="2026-03, 2026Q1 or 2026.")
@click.option("--scheme", required=True, help="Code of the scheme, such as county-monthly.")
@as_json
def explain_evaluation_command(division: str, name: str, scheme: str, json_: bool) -> None:
    """List the parts of a score: each indicator's value, its points and weight, and the evidence."""
    from etl.evaluation import explain_evaluation
    from etl.site import open_site

    found = explain_evaluation(open_site().engine, division, Period.parse(name), scheme)
    if json_:
        show(True, asdict(found), "")
        return
    rows = [
        item
        | {
            key: None if item[key] is None else spelled(item[key], 2)
            for key in ("effective_weight", "points", "score")
        }
        for item in found.items
    ]
    show_rows(False, rows, ITEM_COLUMNS)
    if found.evidence:
        show_rows(False, found.evidence, EVIDENCE_COLUMNS)
    total = found.total
    out.print(
        f"{total['division_name']} {name} {total['scheme_version']}: score {total['score']}, {total['grade']},"
        f" rank {total['rank_in_parent']} below {total['parent_code']}, {total['rank_in_province']} in the province",
        markup=False,
    )
    err.print(f"digest of the terms: {total['digest']}", markup=False)
