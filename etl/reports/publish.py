"""Publish: the tables of a period as files in a folder, without issuing them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from sqlalchemy.engine import Connection, Engine

from etl.catalog import Catalog
from etl.catalog.report import Report
from etl.periods import Period
from etl.reports.compose import compose_table, has_rows, require_shown
from etl.reports.exchange import write_exchange
from etl.reports.table import ReportError, Table
from etl.reports.units import find_top, read_units
from etl.reports.workbook import write_workbook


def write_tables(
    engine: Engine,
    catalog: Catalog,
    period: Period,
    folder: Path,
    made_on: date,
    only: str | None = None,
    division: str | None = None,
) -> list[Path]:
    """Write every report of the catalogue that is made of such a period and division, or one alone, with its exchange
    files; returns their paths, workbooks first of each. All are read in one snapshot.

    division: code; left out, the lowest division that has all reporting units in it. made_on: 报出日期. Raises
    ReportError when there is none to write or one cannot be made.
    """
    files: list[Path] = []
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as conn:
        for report in wanted_reports(conn, catalog, period, only, division):
            table = compose_table(conn, catalog, report, division, period)
            files += write_table(table, folder, made_on)
    return files


def write_table(table: Table, folder: Path, made_on: date) -> list[Path]:
    """Workbook and exchange files of a table."""
    return [write_workbook(table, folder, made_on), *write_exchange(table, folder)]


def wanted_reports(
    conn: Connection, catalog: Catalog, period: Period, only: str | None, division: str | None
) -> Sequence[Report]:
    """The reports that are made of such a period and division, or one by its id. Raises ReportError for none."""
    if only is not None:
        if only not in catalog.reports:
            known = ", ".join(catalog.reports) or "none"
            raise ReportError(f"{only} is not a report; declared are: {known}.")
        return [catalog.reports[only]]
    found = reports_of(conn, catalog, period, division)
    if not found:
        raise ReportError(
            f"No report is made of a {period.kind} for such a division. Declare one in reports/"
            " (docs/howto/new-table.md)."
        )
    return found


def reports_of(conn: Connection, catalog: Catalog, period: Period, division: str | None) -> list[Report]:
    """The reports that are made of such a period and a division, or of the lowest one that has all reporting units in
    it. Raises ReportError when the period is not shown or nothing of it has reported."""
    require_shown(conn, period)
    units = read_units(conn, catalog, period)
    top = find_top(units, period) if division is None else units.get(division)
    if top is None:
        raise ReportError(f"No unit of {division} was expected or has reported in {period.name}.")
    return [
        each
        for each in catalog.reports.values()
        if period.kind in each.period_kinds and top.level in each.of_levels and has_rows(catalog, each)
    ]
