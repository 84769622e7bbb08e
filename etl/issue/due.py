"""Due: which tables a run drafts: of a period that has changed, and of periods that have come to their end."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from etl.catalog import Catalog
from etl.catalog.report import Report
from etl.clock import SHANGHAI
from etl.deadlines import deadlines
from etl.failures import Refused
from etl.issue.draft import draft_table, drafted
from etl.issue.issue import approve_draft
from etl.issue.request import question_of
from etl.periods import Period
from etl.periods.period import Kind
from etl.reports.publish import tables_of
from etl.site import Site
from etl.warehouse import run_sql

log = logging.getLogger(__name__)
LOOK_BACK: dict[Kind, int] = {"day": 10, "month": 2, "quarter": 2, "year": 2}
"""So many periods back, the first that is over is made up for when no run has drafted it."""
BY_RUN = "系统"


@dataclass(frozen=True)
class Drafted:
    """What a run did: questions to people (issue_id, key, subject, body), keys of tables issued without asking, and
    reports of which no table could be made, with the reason."""

    questions: list[dict[str, Any]]
    issued: list[str]
    faults: list[str]


def is_over(catalog: Catalog, period: Period, moment: datetime) -> bool:
    """Whether the last cut-off of what counts in a period has passed: of its last day and its last month's stocks."""
    day = period.ends_on
    found = [*deadlines(catalog, "daily", day).values()]
    if period.kind != "day":
        found += deadlines(catalog, "stocks", day).values()
    return all(each.cutoff_at < moment for each in found) and day < moment.astimezone(SHANGHAI).date()


def draft_due(site: Site, name: str, run_key: str) -> Drafted:
    """Draft the tables of a period, by its name, that is over, and of the last periods that are over and were never
    drafted: of the whole area that reports, and of the divisions of each report's recipients. A report without approval
    is issued at once.

    A table none of whose cells differ from the last version is passed over. Run again with the same key, it gives the
    same questions.
    """
    done = Drafted([], [], [])
    for report, division, period in _due(site, Period.parse(name), done.faults):
        try:
            draft = draft_table(site, report, division, period, BY_RUN)
        except Refused as error:
            done.faults.append(f"{report.id} {division} {period.name}: {error}")
            continue
        key = f"{report.id}|{division}|{period.name}|v{draft.version}"
        if draft.state not in ("drafted", "awaiting_approval"):
            continue
        if not report.approval:
            approve_draft(site, draft.issue_id, BY_RUN)
            done.issued.append(key)
            continue
        with site.engine.begin() as conn:
            row = run_sql(conn, "issue/ask", {"issue_id": draft.issue_id, "run_key": run_key}).one_or_none()
        if row is not None:
            names = {"report": row.report, "division": row.division_code, "period": row.period}
            subject, body = question_of(site, row, drafted(site, names, row.version))
            done.questions.append({"issue_id": row.issue_id, "key": key, "subject": subject, "body": body})
    return done


def _due(site: Site, changed: Period, faults: list[str]) -> Iterator[tuple[Report, str, Period]]:
    moment = site.clock()
    wanted: dict[tuple[str, str, str], tuple[Report, str, Period]] = {}
    with site.engine.connect() as conn:
        known = {tuple(row) for row in run_sql(conn, "issue/drafted_ever")}
        shown = set(run_sql(conn, "issue/shown_periods").scalars())
    over = [changed] if is_over(site.catalog, changed, moment) else []
    for kind, count in LOOK_BACK.items():
        period = Period.around(kind, site.today())
        for _ in range(count):
            period = period.previous()
            if is_over(site.catalog, period, moment):
                over.append(period)
                break
    with site.engine.connect() as conn:
        for period in dict.fromkeys(over):
            if period.name not in shown:
                continue
            try:
                tables, unmade = tables_of(conn, site.catalog, period)
            except Refused as error:
                faults.append(f"{period.name}: {error}")
                continue
            faults += unmade
            for report, division in tables:
                key = report.id, division, period.name
                if period == changed or key not in known:
                    wanted[key] = (report, division, period)
    yield from wanted.values()
