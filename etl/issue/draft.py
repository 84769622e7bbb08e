"""Draft: a table composed and written for a person to approve, with what changed since the version before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from etl.catalog.report import Report
from etl.catalog_version import digest_of, keep_catalog
from etl.clock import SHANGHAI
from etl.evaluation.evaluate import schemes_in_force
from etl.failures import Refused
from etl.issue.as_known import Known, Shown, periods_read, read_shown
from etl.issue.causes import find_causes
from etl.issue.cells import FILE, Cells
from etl.issue.files import described, whole_folder, write_files
from etl.issue.request import write_request
from etl.load import DAY_LOCK
from etl.periodic import show_period, waiting_periods
from etl.periods import Period
from etl.reports.changes import Change, Changes
from etl.reports.compose import compose_table
from etl.reports.table import Table
from etl.site import Site
from etl.warehouse import run_sql

ISSUE_LOCK = 7_300_023


class IssueError(Refused):
    """The table cannot be issued as things stand; the message says why and what to do."""


@dataclass(frozen=True)
class Draft:
    """A draft by its number, or, where is_new is False, the version that it would only repeat."""

    issue_id: int
    version: int
    state: str
    is_new: bool
    cells_changed: int | None


def draft_table(site: Site, report: Report, division: str | None, period: Period, by: str) -> Draft:
    """Compose the table of a division (None: of the whole area), write its files, and keep it as the draft of the next
    version. Nothing is drafted when no cell differs from the last version that was issued, waits or was refused.

    Raises IssueError, and ReportError where the table cannot be composed.
    """
    bring_up_to_date(site, period)
    with _snapshot(site, period) as conn:
        table = compose_table(conn, site.catalog, report, division, period)
        table = replace(table, known_at=_start(conn))
        shown = read_shown(conn, period)
    cells = Cells.of(table)
    with site.engine.begin() as conn:
        key = f"{report.id}|{table.division_code}|{period.name}"
        conn.execute(
            sa.text("SELECT pg_advisory_xact_lock(:lock, hashtext(:key))"), {"lock": ISSUE_LOCK, "key": key}
        )
        names = {"report": report.id, "division": table.division_code, "period": period.name}
        last = run_sql(conn, "issue/last", names).one_or_none()
        if last is not None and last.cells_sha256 == cells.sha256():
            return Draft(last.issue_id, last.version, last.state, False, 0)
        issued = run_sql(conn, "issue/last_issued", names).one_or_none()
        version = 1 if issued is None else issued.version + 1
        known = Known(table.known_at, keep_catalog(conn, site.catalog), shown)
        changes = None if issued is None else _changes(site, conn, table, cells, issued, known)
        with whole_folder(drafted(site, names, version)) as folder:
            made_on = table.known_at.astimezone(SHANGHAI).date()
            files = described(write_files(table, cells, folder, made_on, changes, version))
            write_request(table, changes, version, folder)
        moment = conn.execute(sa.text("SELECT clock_timestamp()")).scalar_one()
        run_sql(conn, "issue/supersede", {**names, "by": by, "moment": moment})
        row = {
            **names,
            "title": report.title,
            "division_name": table.division_name,
            "version": version,
            "known_at": table.known_at,
            "catalog_digest": known.catalog,
            "periods": _json({k: asdict(v) for k, v in shown.items()}),
            "scheme_versions": [each.id for each in schemes_in_force(site.catalog, period)],
            "row_count": len(table.rows),
            "cells_sha256": cells.sha256(),
            "cells_changed": None if changes is None else len(changes.cells),
            "files": _json(files),
            "by": by,
            "moment": moment,
        }
        issue_id = run_sql(conn, "issue/add_draft", row).scalar_one()
    return Draft(issue_id, version, "drafted", True, row["cells_changed"])


def bring_up_to_date(site: Site, period: Period) -> None:
    """Show whatever of the period, and of those beside it in its tables, does not show yet what is rolled up, or was
    made by another catalogue than today's. Raises IssueError when something is loaded and not rolled up."""
    read = periods_read(period)
    days = {"first": min(each.starts_on for each in read), "last": max(each.ends_on for each in read)}
    with site.engine.connect() as conn:
        waiting = list(run_sql(conn, "issue/unrolled", days).scalars())
        shown = read_shown(conn, period)
    if waiting:
        raise IssueError(
            f"{', '.join(map(str, waiting[:5]))} {'waits' if len(waiting) == 1 else 'wait'} to be rolled up; what runs"
            " now will do it, or: python -m etl restate. Issue again then."
        )
    stale = set(waiting_periods(site)) & set(read)
    digest = digest_of(site.catalog)
    stale |= {
        each for each in (period, *period.to_date())
        if shown[each.name].catalog not in (None, digest) or (each == period and shown[each.name].catalog is None)
    }  # fmt: skip
    for each in read:
        if each in stale:
            show_period(site, each)


def known_of(row: Row[Any]) -> Known:
    """The knowledge that a version was made of, from its row."""
    return Known(
        row.known_at, row.catalog_digest, {name: Shown(**shown) for name, shown in row.periods.items()}
    )


def drafted(site: Site, names: dict[str, str], version: int) -> Path:
    """Where the files of a draft stand."""
    return _place(site, "drafts", names, version)


def issued(site: Site, names: dict[str, str], version: int) -> Path:
    """Where the files of an issued version stand."""
    return _place(site, "issued", names, version)


def _place(site: Site, kind: str, names: dict[str, str], version: int) -> Path:
    parts = (names["report"], names["period"], names["division"], f"v{version}")
    return site.settings.home.joinpath("reports", kind, *parts)


@contextmanager
def _snapshot(site: Site, period: Period) -> Iterator[Connection]:
    """One snapshot. It begins while no day that may stand in the table is being written: whatever is stamped earlier
    than its beginning is in it, and nothing that is stamped later."""
    read = periods_read(period)
    days = {"first": min(each.starts_on for each in read), "last": max(each.ends_on for each in read)}
    with site.engine.connect() as conn:
        conn = conn.execution_options(isolation_level="REPEATABLE READ")
        with site.engine.connect() as gate:
            run_sql(gate, "issue/wait_for_writers", {**days, "lock": DAY_LOCK})
            _start(conn)
            gate.rollback()
        yield conn
        conn.rollback()


def _start(conn: Connection) -> Any:
    return conn.execute(sa.text("SELECT transaction_timestamp()")).scalar_one()


def _changes(
    site: Site, conn: Connection, table: Table, cells: Cells, issued_row: Row[Any], known: Known
) -> Changes:
    names = {"report": issued_row.report, "division": issued_row.division_code, "period": issued_row.period}
    before = Cells.read(issued(site, names, issued_row.version) / FILE)
    found = list(before.differences(cells))
    causes = find_causes(
        conn, site.catalog, table.period, known_of(issued_row), known, {row for row, *_ in found}
    )
    return Changes(
        issued_row.version,
        issued_row.known_at,
        tuple(
            Change(
                row,
                (cells.rows.get(row) or before.rows[row])[0],
                column,
                cells.columns.get(column) or before.columns[column],
                old,
                new,
                causes.of(row, column),
            )
            for row, column, old, new in found
        ),
    )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
